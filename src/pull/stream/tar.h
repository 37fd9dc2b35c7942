/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tar stream, entry by entry: v7, ustar, GNU (long names, base-256, old sparse), pax (also GNU
 * sparse 0.0, 0.1, 1.0). tar(5). Nothing here touches a file system.
 */
#ifndef BERTH_PULL_TAR_H
#define BERTH_PULL_TAR_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "berth/base/error.h"

#include "reader.h"

/* Longest record set of one pax or GNU long-name header in bytes. */
#define TAR_HEADER_MAX (1u << 20)
#define TAR_SPARSE_MAX (1u << 18) /* most pieces of a sparse file: 4 MiB of memory */

enum tar_type {
	TAR_FILE,
	TAR_HARDLINK,
	TAR_SYMLINK,
	TAR_CHARACTER,
	TAR_BLOCK,
	TAR_DIRECTORY,
	TAR_FIFO
};

/* SCHILY.xattr.NAME, LIBARCHIVE.xattr.NAME. */
struct tar_xattr {
	char *name;
	void *value;
	size_t size;
};

/* One piece of data in a sparse file; what no piece covers is a hole. */
struct tar_piece {
	uint64_t offset, size;
};

/* All pointers stay valid until the next tar_next(). Texts hold no NUL; nothing else is checked. */
struct tar_entry {
	enum tar_type type;
	const char *path;   /* as the archive has it; a directory's "/" at the end is dropped */
	const char *target; /* of links, else "" */
	mode_t mode;	    /* the twelve permission bits */
	uint64_t uid, gid;
	struct timespec mtime; /* may be before 1970 */
	unsigned major, minor; /* of devices */
	uint64_t size;	       /* of a TAR_FILE when it is whole; otherwise 0 */
	const struct tar_xattr *xattrs;
	size_t xattr_count;
	const struct tar_piece *pieces; /* of a sparse file; NULL otherwise */
	size_t piece_count;
	uint64_t content_offset; /* in the stream: of the first byte that tar_read() yields */
};

/* @input is borrowed. */
struct tar *tar_new(struct reader *input);
struct tar *tar_free(struct tar *tar); /* accepts and returns NULL */

static inline void cleanup_tar(struct tar **variable)
{
	*variable = tar_free(*variable);
}
#define _cleanup_tar_ __attribute__((cleanup(cleanup_tar)))

/*
 * The next entry; what is left of the last one's content is passed over. Returns 1, 0 at the end
 * (which reads @input to its own end, since what lies behind the end of the archive is part of the
 * layer's digest), or negative errno: damaged, cut, or beyond the bounds above.
 */
int tar_next(struct tar *tar, struct tar_entry *ret, struct error *err) must_check;

/*
 * The next bytes of the current entry's content, as with reader_read(); of a sparse file the bytes
 * of its pieces, one after the other. Returns 1, 0 at the content's end, or negative errno.
 */
int tar_read(struct tar *tar, const void **ret_data, size_t *ret_size,
	     struct error *err) must_check;

#endif
