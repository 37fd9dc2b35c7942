/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames of Zstandard whose window is too large for memory. The library keeps all of a window
 * there; this decoder keeps most of it in a file.
 */
#ifndef BERTH_PULL_ZSTD_LARGE_H
#define BERTH_PULL_ZSTD_LARGE_H

#include <stdbool.h>

#include "codec.h"

/* The header of a frame (RFC 8878, 3.1.1.1). */
struct zstd_header {
	uint64_t window;
	uint64_t content; /* bytes; UINT64_MAX: it does not say */
	bool has_checksum;
	bool has_dictionary;
};

#define ZSTD_HEADER_MAX 18 /* bytes, the magic number included */

/* How many bytes the header has that begins with these 5. */
size_t zstd_header_size(const uint8_t head[static 5]);
/* Reads a header, of all its bytes; false: a bit is set that has no meaning. */
bool zstd_header_read(const uint8_t *head, struct zstd_header *ret);

/* Bytes of memory that a frame takes, whatever its window. */
extern const size_t zstd_large_memory;

/* Begins a frame, behind its header. The window's file is in @directory (not copied). */
struct zstd_large;
int zstd_large_new(const struct zstd_header *header, const char *directory, struct zstd_large **ret,
		   struct error *err) must_check;
struct zstd_large *zstd_large_free(struct zstd_large *large); /* accepts and returns NULL */

/* As codec.step; CODEC_BETWEEN: the frame has ended. */
int zstd_large_step(struct zstd_large *large, struct span *in, struct room *out,
		    struct error *err) must_check;

#endif
