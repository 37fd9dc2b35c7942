/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SHA-256 of long streams, of which several are hashed side by side by several threads: two at a
 * time, whosever they are. Only where sha256_is_there().
 */
#ifndef BERTH_PULL_HASH_STREAM_H
#define BERTH_PULL_HASH_STREAM_H

#include <stddef.h>
#include <stdint.h>

#include "sha256.h"

/* What is hashed together with a piece of another stream; other sizes are hashed at once. */
#define HASH_STREAM_PIECE   ((size_t)64 * 1024)
#define HASH_STREAM_WAITING 3 /* pieces of one stream */

/* Allocations end the process where they fail. */
struct hash_stream *hash_stream_new(void);
struct hash_stream *hash_stream_free(struct hash_stream *stream); /* accepts and returns NULL */

/* @data must stay as it is for HASH_STREAM_WAITING calls more, or until one of the other two. */
void hash_stream_add(struct hash_stream *stream, const void *data, size_t size);
void hash_stream_finish(struct hash_stream *stream, uint8_t ret[static SHA256_SIZE]); /* once */

#endif
