/* SPDX-License-Identifier: Apache-2.0 */
/* The window of a frame: what came out of it, as far back as later data may refer to. */
#ifndef BERTH_PULL_ZSTD_WINDOW_H
#define BERTH_PULL_ZSTD_WINDOW_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "berth/base/error.h"

/* The most that one block yields. */
#define ZSTD_BLOCK_MAX ((size_t)128 << 10)

/* zstd_append() reads, and writes, up to so many bytes behind what it is about. */
#define ZSTD_WINDOW_SLACK 16

/* Bytes of memory that a window takes. */
#define ZSTD_WINDOW_MEMORY ((size_t)9 << 18)

struct zstd_window {
	uint8_t *recent;   /* the last bytes, and behind them room for a block */
	size_t fill;	   /* bytes of it */
	uint64_t end;	   /* bytes in all: those of recent are the last of them */
	uint64_t file_end; /* as much is in the file: all but the block that is in the making */
	uint64_t size;	   /* of the file, in which byte n lies at n % size */
	int fd;
	struct zstd_pages *cache; /* pages of the file */
	const char *directory;
};

/* Makes the file, which has no name, in @directory (not copied). */
int zstd_window_open(struct zstd_window *window, const char *directory, uint64_t size,
		     struct error *err) must_check;
void zstd_window_close(struct zstd_window *window);

/* Makes room for a block: what has to be written is written. */
int zstd_window_begin_block(struct zstd_window *window, struct error *err) must_check;

/* Adds bytes, whose room is there. */
static inline void zstd_window_add(struct zstd_window *window, const uint8_t *data, size_t size)
{
	uint8_t *to = window->recent + window->fill, *const end = to + size;

	window->fill += size;
	window->end += size;
	/* Most pieces are short: a call would cost more than what is copied for nothing. */
	do {
		memcpy(to, data, ZSTD_WINDOW_SLACK);
		to += ZSTD_WINDOW_SLACK;
		data += ZSTD_WINDOW_SLACK;
	} while (to < end);
}

/* Adds @size bytes, whose room is there, of those from @distance back on: 1 to as many as there are
 * and as the file has. */
int zstd_window_repeat(struct zstd_window *window, uint64_t distance, size_t size,
		       struct error *err) must_check;

#endif
