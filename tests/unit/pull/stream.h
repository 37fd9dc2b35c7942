/* SPDX-License-Identifier: Apache-2.0 */
/* For tests of streams: content, readers that yield it in small pieces, and the whole of one. */
#ifndef BERTH_TESTS_PULL_STREAM_H
#define BERTH_TESTS_PULL_STREAM_H

#include "stream/reader.h"

#include "../base/unit.h"

/* The same bytes each time: half of them repeat what was before, so that they can be packed. */
static inline unsigned char *content_make(size_t size)
{
	unsigned char *content = xcalloc(1, size + 1);
	uint32_t random = 12345;

	for (size_t i = 0; i < size; i++) {
		random = random * 1664525 + 1013904223;
		content[i] = i >= 300 && (i / 100) % 2 ? content[i - 300]
						       : (unsigned char)(random >> 24);
	}
	return content;
}

/* A reader of @size bytes at @data (borrowed), @piece at a time; then of the error @result. */
struct pieces {
	struct reader reader;
	unsigned char *copy; /* each piece where it is overwritten by the next */
	const unsigned char *data;
	size_t size, piece;
	int result;
	size_t *freed; /* counted up when the reader is freed; may be NULL */
};

static inline int pieces_read(struct reader *self, const void **ret_data, size_t *ret_size,
			      struct error *err)
{
	struct pieces *pieces = (struct pieces *)self;
	size_t size = pieces->size < pieces->piece ? pieces->size : pieces->piece;

	if (size == 0)
		return pieces->result < 0 ? refuse_as(err, pieces->result, "pieces failed") : 0;
	memcpy(pieces->copy, pieces->data, size);
	pieces->data += size;
	pieces->size -= size;
	*ret_data = pieces->copy;
	*ret_size = size;
	return 1;
}

static inline void pieces_free(struct reader *self)
{
	struct pieces *pieces = (struct pieces *)self;

	if (pieces->freed)
		++*pieces->freed;
	free(pieces->copy);
	free(pieces);
}

static inline struct pieces *pieces_make(const void *data, size_t size, size_t piece)
{
	struct pieces *pieces = xcalloc(1, sizeof(*pieces));

	pieces->reader = (struct reader){.read = pieces_read, .free = pieces_free};
	pieces->copy = xcalloc(1, piece);
	pieces->data = data;
	pieces->size = size;
	pieces->piece = piece;
	return pieces;
}

/* Reads all into @ret. Returns what the last read did. */
static inline int read_all(struct reader *reader, struct buf *ret, struct error *err)
{
	const void *data = NULL;
	size_t size = 0;
	int r;

	do {
		r = reader_read(reader, &data, &size, err);
		if (r > 0)
			buf_add(ret, data, size);
	} while (r > 0);
	return r;
}

/* Reads all, which must be @size bytes at @data; the end comes again and again. */
static inline void assert_yields(struct reader *reader, const void *data, size_t size)
{
	_cleanup_buf_ struct buf all = BUF_EMPTY;
	struct error err = ERROR_NONE;

	assert_fine(read_all(reader, &all, &err), err);
	assert_int_equal(all.size, size);
	assert_true(size == 0 || memcmp(all.data, data, size) == 0);
	assert_int_equal(read_all(reader, &all, &err), 0);
	assert_int_equal(all.size, size);
}

#endif
