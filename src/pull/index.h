/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The list of what a layer holds, kept beside its directory: written while it is unpacked, read by
 * `inspect` (what a layer adds, changes, hides), `verify` (is it still the same?) and when bundles
 * are made (which directories are there by implication only).
 *
 * A text, one line for each entry, in the order of the layer; a later line for the same path
 * replaces what was there:
 *   TYPE MODE UID GID SIZE SECONDS.NANOSECONDS CHECK PATH[\0TARGET]\n
 * TYPE: f file, h hard link, l symbolic link, c b p device and fifo, d directory, i directory that
 * is implied only, w whiteout, o opaque directory. MODE octal. CHECK: CRC-32 of the content, 8
 * hexadecimal digits (of files). In PATH and TARGET "\" and bytes below 0x20 are \ooo.
 */
#ifndef BERTH_PULL_INDEX_H
#define BERTH_PULL_INDEX_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "berth/base/error.h"

struct index_entry {
	char type;
	mode_t mode;
	uint32_t uid, gid;
	uint64_t size;
	struct timespec mtime;
	uint32_t check;
	const char
		*path; /* beneath the layer's root, without "/" in front; "" is the root itself */
	const char *target; /* of links and devices ("MAJOR:MINOR"), else "" */
};

/* Writes lines through a buffer of its own; @fd is borrowed. */
struct index_writer *index_writer_new(int fd);
void index_writer_add(struct index_writer *writer, const struct index_entry *entry);
/* Writes what is left, and frees the writer. Returns 0 or negative errno of any write. */
int index_writer_finish(struct index_writer *writer, struct error *err) must_check;
struct index_writer *index_writer_free(struct index_writer *writer);

/* Calls @each for every line of @fd, from its beginning; stops at, and returns, a negative result.
 */
int index_read(int fd,
	       int (*each)(void *context, const struct index_entry *entry, struct error *err),
	       void *context, struct error *err) must_check;

/* CRC-32 as gzip has it, of @size more bytes; begin with 0. */
uint32_t index_check(uint32_t check, const void *data, size_t size);

#endif
