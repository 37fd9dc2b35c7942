/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The list of what a layer holds, kept beside its directory: written while it is unpacked, read by
 * `inspect` (what a layer adds, changes, hides), `verify` (is it still the same?) and when bundles
 * are made (which directories are there by implication only).
 *
 * A text: "index 2\n", then one line for each entry, in the order of the layer; a later line for
 * the same path replaces what was there (and what was beneath it, unless both are directories):
 *   TYPE MODE UID GID SIZE SECONDS.NANOSECONDS CHECK PATH[\0TARGET[\0ATTRIBUTES]]\n
 * TYPE:
 *   f     file                      l  symbolic link       c b p  device, fifo
 *   h     hard link; TARGET is the path of what it is linked to
 *   u     hard link to what this layer does not have: it stands for what the layers below have at
 *         TARGET. The layer's tree has a whiteout in its place
 *   d     directory
 *   i     directory that is implied only: the layer has something in it, and says nothing about
 *         itself, so that its metadata are those that the layers below give it
 *   w     whiteout
 *   o     replaces no line: the directory at PATH hides what the layers below have in it
 * MODE octal. CHECK: CRC-32 of the content, 8 hexadecimal digits (of files). In PATH and TARGET "\"
 * and bytes below 0x20 are \ooo. Paths are as they are in the tree: no symbolic link is in one.
 * ATTRIBUTES, where there are extended ones: their sum, see xattrs_check(), as CHECK is written;
 * TARGET may be empty before it. Version 1 had no first line of its own, and no ATTRIBUTES.
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
	const char *path;    /* beneath the layer's root, no "/" in front; "" is the root itself */
	const char *target;  /* of links and devices ("MAJOR:MINOR"), else "" */
	uint32_t attributes; /* 0: there are none, or nobody knows: INDEX_WITH_ATTRIBUTES */
};

/* The first version whose lines say what attributes there are. */
#define INDEX_WITH_ATTRIBUTES 2

/* Opens the index of the layer @layerfd (its directory in the store, which may be an O_PATH one).
 */
int index_open(int layerfd, struct error *err) must_check;

/* The version of the index @fd; -EOPNOTSUPP for one that is yet to come. */
int index_version(int fd, struct error *err) must_check;

/*
 * Writes an index through a buffer of its own to @fd (borrowed, empty). An error of write(2) is
 * kept, and returned by the functions that return something.
 */
struct index_writer *index_writer_new(int fd) __attribute__((returns_nonnull));
void index_writer_add(struct index_writer *writer, const struct index_entry *entry);
/* Writes what the buffer holds. */
int index_writer_flush(struct index_writer *writer, struct error *err) must_check;
/* Without writing what the buffer holds. Accepts and returns NULL. */
struct index_writer *index_writer_free(struct index_writer *writer);

static inline void cleanup_index_writer(struct index_writer **variable)
{
	*variable = index_writer_free(*variable);
}
#define _cleanup_index_writer_ __attribute__((cleanup(cleanup_index_writer)))

/*
 * Calls @each for every line that @fd has now, from its beginning (pread(2): the offset stays);
 * stops at, and returns, a negative result. A line that is none is refused.
 */
int index_read(int fd,
	       int (*each)(void *context, const struct index_entry *entry, struct error *err),
	       void *context, struct error *err) must_check;

/* CRC-32 as gzip has it, of @size more bytes, or of @size more zeros; begin with 0. */
uint32_t index_check(uint32_t check, const void *data, size_t size);
uint32_t index_check_zeros(uint32_t check, uint64_t size);
/* CHECK of an open file's content; holes are passed over without being read. */
int index_check_file(int fd, uint32_t *ret, struct error *err) must_check;

#endif
