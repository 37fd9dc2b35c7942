/* SPDX-License-Identifier: Apache-2.0 */
/* Owner, mode, times and extended attributes of a file that was made just now. */
#ifndef BERTH_PULL_METADATA_H
#define BERTH_PULL_METADATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "berth/base/error.h"

struct metadata {
	uint32_t uid, gid;
	mode_t mode; /* the twelve permission bits */
	struct timespec mtime;
};

/* Of directories that nothing describes. */
#define METADATA_IMPLIED                                                                           \
	{                                                                                          \
		.mode = 0755                                                                       \
	}

/*
 * Owner and mode, in this order, since a change of the owner takes bits of the mode away. @fd: open
 * for reading or writing. @inherited: access lists that came from its directory are removed before.
 * @path names it in errors.
 */
int metadata_own(int fd, const struct metadata *metadata, bool inherited, const char *path,
		 struct error *err) must_check;
/* The same by an O_PATH descriptor, of what cannot be opened otherwise; also symbolic links. */
int metadata_own_node(int fd, const struct metadata *metadata, bool inherited, const char *path,
		      struct error *err) must_check;

/* Owner and time of the symbolic link @name in @dirfd, which has nothing else. */
int metadata_of_link(int dirfd, const char *name, const struct metadata *metadata, const char *path,
		     struct error *err) must_check;

/* The time of both kinds of descriptors: the last thing, since all else changes it. */
int metadata_date(int fd, const struct metadata *metadata, const char *path,
		  struct error *err) must_check;

/* Whether the attribute says something about the host that the image was made on, and nothing about
 * the image: labels and signatures of security modules. */
bool xattr_is_of_host(const char *name);

/*
 * The attribute's name in the tree that is made; NULL: it cannot be there. @name as the image has
 * it. Those that overlayfs would take for its own are escaped as it unescapes them (since Linux
 * 6.7), in @buffer; those of the other kind of overlay and, in a user namespace, trusted.* are left
 * out.
 */
#define XATTR_NAME_ROOM 512
const char *xattr_name_in_layer(const char *name, bool user_namespace,
				char buffer[static XATTR_NAME_ROOM]);
/* The way back, for a plain tree (@plain) or for another directory of an overlay; NULL: it is
 * overlayfs's own. */
const char *xattr_name_from_layer(const char *name, bool user_namespace, bool plain,
				  char buffer[static XATTR_NAME_ROOM]);

struct xattr {
	const char *name;
	const void *value;
	size_t size;
};

/*
 * Sets one attribute by a descriptor of either kind. Returns 1, 0 if this file cannot have it (a
 * file system without such attributes, user.* on what is neither file nor directory), or negative
 * errno.
 */
int xattr_set(int fd, const struct xattr *xattr, bool user_namespace, const char *path,
	      struct error *err) must_check;
/* Removes all attributes; @plain: also those by which overlayfs is told something. */
int xattrs_clear(int fd, bool plain, const char *path, struct error *err) must_check;
/* Sets all that the file @fromfd has in a layer on @tofd, see xattr_name_from_layer(). */
int xattrs_copy(int fromfd, int tofd, bool user_namespace, bool plain, const char *path,
		struct error *err) must_check;

/*
 * The sum of the CRC-32 of each attribute (its name, a NUL, its value), in no order, of a file in a
 * layer; 0: it has none. Without what overlayfs is told, and what is the host's: see
 * xattr_is_of_host(), and what file systems show as attributes.
 */
int xattrs_check(int fd, uint32_t *ret, const char *path, struct error *err) must_check;

/* "trusted.overlay." or "user.overlay." with @suffix. */
#define OVERLAY_XATTR(user_namespace, suffix)                                                      \
	((user_namespace) ? "user.overlay." suffix : "trusted.overlay." suffix)

#endif
