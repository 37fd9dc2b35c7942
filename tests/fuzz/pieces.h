/* SPDX-License-Identifier: Apache-2.0 */
/* For targets that read streams: a reader that yields few bytes at a time, each time in memory of
 * its own, so that a look at what is gone is noticed. */
#ifndef BERTH_TESTS_FUZZ_PIECES_H
#define BERTH_TESTS_FUZZ_PIECES_H

#include <string.h>

#include "berth/base/alloc.h"

#include "stream/reader.h"

struct pieces {
	struct reader reader;
	uint8_t *current;
	const uint8_t *data;
	size_t size, piece;
};

static inline int pieces_read(struct reader *self, const void **ret_data, size_t *ret_size,
			      struct error *err)
{
	struct pieces *pieces = (struct pieces *)self;
	size_t size = pieces->size < pieces->piece ? pieces->size : pieces->piece;

	(void)err;
	free(take_ptr(&pieces->current));
	if (size == 0)
		return 0;
	pieces->current = xcalloc(1, size);
	memcpy(pieces->current, pieces->data, size);
	pieces->data += size;
	pieces->size -= size;
	*ret_data = pieces->current;
	*ret_size = size;
	return 1;
}

static inline void pieces_free(struct reader *self)
{
	free(((struct pieces *)self)->current);
	free(self);
}

static inline struct reader *reader_of_pieces(const uint8_t *data, size_t size, size_t piece)
{
	struct pieces *pieces = xcalloc(1, sizeof(*pieces));

	pieces->reader = (struct reader){.read = pieces_read, .free = pieces_free};
	pieces->data = data;
	pieces->size = size;
	pieces->piece = piece;
	return &pieces->reader;
}

#endif
