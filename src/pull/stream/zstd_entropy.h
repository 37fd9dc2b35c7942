/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The entropy coding of Zstandard (RFC 8878, 4): bits that are read backwards, tables of FSE, and
 * Huffman codes. Everything that is read here comes from an image: a function that returns false
 * says that it is damaged.
 */
#ifndef BERTH_PULL_ZSTD_ENTROPY_H
#define BERTH_PULL_ZSTD_ENTROPY_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Who gives data to these functions has this many bytes, of any value, behind its end. */
#define ZSTD_SLACK 8

/* Bits, read from the last one to the first; reading behind the first gives zeros. */
struct zstd_bits {
	const uint8_t *data;
	int64_t left; /* negative: too many were read */
};

/* The highest bit of the last byte marks the end. */
bool zstd_bits_open(const uint8_t *data, size_t size, struct zstd_bits *ret);

/* The next @count (0 to 56) bits, which stay. */
static inline uint64_t zstd_bits_peek(const struct zstd_bits *bits, unsigned count)
{
	const int64_t from = bits->left - (int64_t)count;
	uint64_t value;

	if (from < 0) {
		memcpy(&value, bits->data, sizeof(value));
		if (bits->left <= 0)
			return 0;
		value = le64toh(value) & (((uint64_t)1 << bits->left) - 1);
		return value << -from;
	}
	memcpy(&value, bits->data + (from >> 3), sizeof(value));
	return (le64toh(value) >> (from & 7)) & (((uint64_t)1 << count) - 1);
}

static inline uint64_t zstd_bits_read(struct zstd_bits *bits, unsigned count)
{
	const uint64_t value = zstd_bits_peek(bits, count);

	bits->left -= (int64_t)count;
	return value;
}

#define ZSTD_FSE_LOG_MAX     9
#define ZSTD_FSE_SYMBOLS_MAX 53

/* A state: what it stands for, and how the next one is found. */
struct zstd_fse_state {
	uint16_t base;
	uint8_t bits, symbol;
};

struct zstd_fse {
	unsigned log;
	struct zstd_fse_state states[1 << ZSTD_FSE_LOG_MAX];
};

/* How probable symbols are; -1: less than 1. */
struct zstd_distribution {
	unsigned log, count;
	int16_t weights[ZSTD_FSE_SYMBOLS_MAX];
};

/* Reads a distribution of at most @max symbols (ZSTD_FSE_SYMBOLS_MAX), of at most 1 << @log_max
 * states; *ret_used: bytes. */
bool zstd_distribution_read(const uint8_t *data, size_t size, unsigned max, unsigned log_max,
			    struct zstd_distribution *ret, size_t *ret_used);
bool zstd_fse_make(struct zstd_fse *fse, const struct zstd_distribution *distribution);
/* The table that has one symbol alone. */
void zstd_fse_make_single(struct zstd_fse *fse, uint8_t symbol);

static inline unsigned zstd_fse_begin(const struct zstd_fse *fse, struct zstd_bits *bits)
{
	return (unsigned)zstd_bits_read(bits, fse->log);
}

static inline unsigned zstd_fse_next(const struct zstd_fse *fse, unsigned state,
				     struct zstd_bits *bits)
{
	const struct zstd_fse_state *at = &fse->states[state];

	return at->base + (unsigned)zstd_bits_read(bits, at->bits);
}

#define ZSTD_HUFFMAN_LOG_MAX 11

struct zstd_huffman_code {
	uint8_t symbol, bits;
};

struct zstd_huffman {
	unsigned log; /* 0: there is none yet */
	struct zstd_huffman_code codes[1 << ZSTD_HUFFMAN_LOG_MAX];
};

/* Reads the description of the codes; *ret_used: bytes. */
bool zstd_huffman_read(struct zstd_huffman *huffman, const uint8_t *data, size_t size,
		       size_t *ret_used);
/* Decodes exactly @count bytes, which must take exactly @size bytes. */
bool zstd_huffman_decode(const struct zstd_huffman *huffman, const uint8_t *data, size_t size,
			 uint8_t *to, size_t count);

#endif
