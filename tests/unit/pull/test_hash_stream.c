/* SPDX-License-Identifier: Apache-2.0 */
/* Streams that are hashed two at a time have the digests that they have alone. */
#include <pthread.h>

#include "digest.h"
#include "hash_stream.h"
#include "stream.h"

#define STREAMS	   5
#define PIECES_MAX 40

static void assert_digest(struct hasher *hasher, const void *data, size_t size)
{
	struct digest expected, found;

	digest_of(DIGEST_SHA256, data, size, &expected);
	hasher_finish(hasher, &found);
	assert_string_equal(found.hex, expected.hex);
}

/* Each length around a block's end, and each place where it may be cut. */
static void test_short(void **state)
{
	_cleanup_free_ unsigned char *content = content_make(300);

	(void)state;
	for (size_t size = 0; size < 200; size++) {
		for (size_t cut = 0; cut <= size; cut += 1 + size / 20) {
			_cleanup_hasher_ struct hasher *hasher = hasher_new_stream(DIGEST_SHA256);

			hasher_add(hasher, content, cut);
			hasher_add(hasher, content + cut, size - cut);
			assert_digest(hasher, content, size);
		}
	}
}

/* Whole pieces wait, and what is none does not overtake them. */
static void test_pieces(void **state)
{
	static const size_t sizes[] = {HASH_STREAM_PIECE,
				       HASH_STREAM_PIECE,
				       7,
				       HASH_STREAM_PIECE,
				       57,
				       HASH_STREAM_PIECE,
				       HASH_STREAM_PIECE,
				       HASH_STREAM_PIECE,
				       HASH_STREAM_PIECE,
				       HASH_STREAM_PIECE,
				       1};
	_cleanup_free_ unsigned char *content = content_make(ARRAY_SIZE(sizes) * HASH_STREAM_PIECE);
	_cleanup_hasher_ struct hasher *one = hasher_new_stream(DIGEST_SHA256);
	_cleanup_hasher_ struct hasher *other = hasher_new_stream(DIGEST_SHA256);
	_cleanup_hasher_ struct hasher *unfinished = hasher_new_stream(DIGEST_SHA256);
	size_t at = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		hasher_add(one, content + at, sizes[i]);
		hasher_add(other, content + at + 1, sizes[i]);
		if (i % 3)
			hasher_add(unfinished, content, HASH_STREAM_PIECE);
		at += sizes[i];
	}
	assert_digest(other, content + 1, at);
	assert_digest(one, content, at);
}

struct work {
	const unsigned char *content;
	size_t pieces;
	bool is_given_up;
	struct digest digest;
};

/* Through buffers that are used again, as a reader's are. */
static void *hash(void *argument)
{
	struct work *work = argument;
	unsigned char *buffers = xcalloc(READER_KEEPS + 1, READER_CHUNK);
	struct hasher *hasher = hasher_new_stream(DIGEST_SHA256);

	for (size_t i = 0; i < work->pieces; i++) {
		unsigned char *buffer = buffers + i % (READER_KEEPS + 1) * READER_CHUNK;

		memcpy(buffer, work->content + i * READER_CHUNK, READER_CHUNK);
		hasher_add(hasher, buffer, READER_CHUNK);
	}
	if (!work->is_given_up)
		hasher_finish(hasher, &work->digest);
	hasher_free(hasher);
	free(buffers);
	return NULL;
}

static void test_threads(void **state)
{
	_cleanup_free_ unsigned char *content =
		content_make((STREAMS + PIECES_MAX) * (size_t)READER_CHUNK);

	(void)state;
	for (size_t round = 0; round < 8; round++) {
		pthread_t threads[STREAMS];
		struct work works[STREAMS];

		for (size_t i = 0; i < STREAMS; i++) {
			works[i] = (struct work){.content = content + i * READER_CHUNK,
						 .pieces = (i * 13 + round * 7) % PIECES_MAX,
						 .is_given_up = i == round % STREAMS};
			assert_int_equal(pthread_create(&threads[i], NULL, hash, &works[i]), 0);
		}
		for (size_t i = 0; i < STREAMS; i++) {
			struct digest expected;

			pthread_join(threads[i], NULL);
			digest_of(DIGEST_SHA256, works[i].content, works[i].pieces * READER_CHUNK,
				  &expected);
			if (!works[i].is_given_up)
				assert_string_equal(works[i].digest.hex, expected.hex);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_short),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_threads),
	};

	_Static_assert(HASHER_KEEPS == HASH_STREAM_WAITING && READER_KEEPS == HASHER_KEEPS &&
			       READER_CHUNK == HASH_STREAM_PIECE,
		       "what readers lend is what is hashed in pairs");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
