/* SPDX-License-Identifier: Apache-2.0 */
#include "sha256.h"

#include <string.h>

#if defined(__x86_64__)

#include <cpuid.h>
#include <immintrin.h>

#define TARGET __attribute__((target("sha,sse4.1,ssse3")))

#define BIT(n) (1u << (n))

/* FIPS 180-4, 4.2.2. */
static const uint32_t constants[64] __attribute__((aligned(16))) = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4,
	0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe,
	0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f,
	0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
	0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc,
	0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
	0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116,
	0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
	0xc67178f2,
};

bool sha256_is_there(void)
{
	const uint32_t ssse3_and_sse41 = BIT(9) | BIT(19), sha = BIT(29);
	uint32_t a, b, c, d;

	if (!__get_cpuid(1, &a, &b, &c, &d) || (c & ssse3_and_sse41) != ssse3_and_sse41)
		return false;
	return __get_cpuid_count(7, 0, &a, &b, &c, &d) && b & sha;
}

#define VECTOR(place) ((__m128i *)(void *)(place))
#define LANES_MAX     2

/*
 * @count streams at once. All loops over them are unrolled, so that what a lane is at lies in
 * registers, and that the instructions of both are mixed.
 */
/* LONG: unrolled by the compiler, it cannot be cut into calls. */
/* NOLINTBEGIN(readability-function-size) */
TARGET static inline __attribute__((always_inline)) void
add(struct sha256 *const *shas, const uint8_t *const *data, size_t blocks, const int count)
{
	const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
	__m128i abef[LANES_MAX], cdgh[LANES_MAX];

	for (int i = 0; i < count; i++) {
		abef[i] = _mm_loadu_si128(VECTOR(shas[i]->state));
		cdgh[i] = _mm_loadu_si128(VECTOR(shas[i]->state + 4));
	}
	for (size_t at = 0; at < blocks * SHA256_BLOCK; at += SHA256_BLOCK) {
		__m128i words[LANES_MAX][4]; /* 16 of the message schedule */
		__m128i abef_before[LANES_MAX], cdgh_before[LANES_MAX];

#pragma GCC unroll 2
		for (int i = 0; i < count; i++) {
			abef_before[i] = abef[i];
			cdgh_before[i] = cdgh[i];
#pragma GCC unroll 4
			for (size_t j = 0; j < 4; j++)
				words[i][j] = _mm_shuffle_epi8(
					_mm_loadu_si128(
						(const __m128i *)(const void *)(data[i] + at) + j),
					big_endian);
		}
		/* Four rounds, and the words of the schedule that come sixteen rounds later. */
#pragma GCC unroll 16
		for (int step = 0; step < 16; step++) {
			const int w0 = step & 3, w1 = (step + 1) & 3, w2 = (step + 2) & 3,
				  w3 = (step + 3) & 3;

#pragma GCC unroll 2
			for (int i = 0; i < count; i++) {
				__m128i *w = words[i];
				__m128i sum = _mm_add_epi32(
					w[w0], _mm_load_si128((const __m128i *)constants + step));

				cdgh[i] = _mm_sha256rnds2_epu32(cdgh[i], abef[i], sum);
				if (step < 12)
					w[w0] = _mm_sha256msg2_epu32(
						_mm_add_epi32(_mm_sha256msg1_epu32(w[w0], w[w1]),
							      _mm_alignr_epi8(w[w3], w[w2], 4)),
						w[w3]);
				abef[i] = _mm_sha256rnds2_epu32(abef[i], cdgh[i],
								_mm_shuffle_epi32(sum, 0x0e));
			}
		}
#pragma GCC unroll 2
		for (int i = 0; i < count; i++) {
			abef[i] = _mm_add_epi32(abef[i], abef_before[i]);
			cdgh[i] = _mm_add_epi32(cdgh[i], cdgh_before[i]);
		}
	}
	for (int i = 0; i < count; i++) {
		_mm_storeu_si128(VECTOR(shas[i]->state), abef[i]);
		_mm_storeu_si128(VECTOR(shas[i]->state + 4), cdgh[i]);
		shas[i]->blocks += blocks;
	}
}

/* NOLINTEND(readability-function-size) */

TARGET void sha256_add(struct sha256 *sha, const uint8_t *data, size_t blocks)
{
	add(&sha, &data, blocks, 1);
}

TARGET void sha256_add_two(struct sha256 *a, const uint8_t *data_a, struct sha256 *b,
			   const uint8_t *data_b, size_t blocks)
{
	add((struct sha256 *const[]){a, b}, (const uint8_t *const[]){data_a, data_b}, blocks, 2);
}

#else

bool sha256_is_there(void)
{
	return false;
}

void sha256_add(struct sha256 *sha, const uint8_t *data, size_t blocks)
{
	(void)sha, (void)data, (void)blocks;
}

void sha256_add_two(struct sha256 *a, const uint8_t *data_a, struct sha256 *b,
		    const uint8_t *data_b, size_t blocks)
{
	(void)a, (void)data_a, (void)b, (void)data_b, (void)blocks;
}

#endif

void sha256_begin(struct sha256 *sha)
{
	/* FIPS 180-4, 5.3.3. */
	static const struct sha256 first = {
		.state = {0x9b05688c, 0x510e527f, 0xbb67ae85, 0x6a09e667, 0x5be0cd19, 0x1f83d9ab,
			  0xa54ff53a, 0x3c6ef372},
	};

	*sha = first;
}

static void put_big_endian(uint8_t *to, uint64_t value, size_t size)
{
	for (size_t i = 0; i < size; i++)
		to[i] = (uint8_t)(value >> (8 * (size - 1 - i)));
}

void sha256_finish(struct sha256 *sha, const uint8_t *data, size_t size,
		   uint8_t ret[static SHA256_SIZE])
{
	static const unsigned char places[] = {3, 2, 7, 6, 1, 0, 5, 4}; /* of A to H in state */
	const size_t whole = size / SHA256_BLOCK, rest = size % SHA256_BLOCK;
	uint8_t last[2 * SHA256_BLOCK] = {0};
	size_t last_blocks = rest + 9 > SHA256_BLOCK ? 2 : 1;

	sha256_add(sha, data, whole);
	/* FIPS 180-4, 5.1.1: a one, zeros, and the length in bits. */
	if (rest > 0)
		memcpy(last, data + whole * SHA256_BLOCK, rest);
	last[rest] = 0x80;
	put_big_endian(last + last_blocks * SHA256_BLOCK - 8,
		       (sha->blocks * SHA256_BLOCK + rest) * 8, 8);
	sha256_add(sha, last, last_blocks);
	for (size_t i = 0; i < 8; i++)
		put_big_endian(ret + 4 * i, sha->state[places[i]], 4);
}
