/* SPDX-License-Identifier: Apache-2.0 */
/* Paths inside a container's root: the only way in which berth resolves them. */
#ifndef BERTH_BASE_ROOT_H
#define BERTH_BASE_ROOT_H

#include <stddef.h>
#include <sys/types.h>

#include "berth/base/error.h"

/*
 * How a path is resolved, see openat2(2). Magic links (those of /proc) are refused by every policy.
 */
enum root_policy {
	ROOT_FOLLOW, /* symbolic links are followed, and never leave the root (RESOLVE_IN_ROOT) */
	ROOT_NO_SYMLINKS, /* a symbolic link anywhere in the path is -ELOOP */
	ROOT_BENEATH,	  /* a link or ".." that leaves the start is -EXDEV (RESOLVE_BENEATH) */
	ROOT_NO_XDEV,	  /* as ROOT_BENEATH, without links, and no mount is crossed: for /proc */
	ROOT_POLICY_MAX
};

/*
 * Opens @path beneath @rootfd. A leading "/" is accepted and means @rootfd itself. @flags: those of
 * open(2), O_CLOEXEC is added; O_PATH where the file is only to be named; no O_CREAT.
 * Returns the descriptor, the caller's. Errors: that of openat2(2), the text names @path.
 */
int root_open(int rootfd, const char *path, enum root_policy policy, int flags,
	      struct error *err) must_check;

/* As root_open(), and returns negative errno without a text: for a file that may be missing. */
int root_try_open(int rootfd, const char *path, enum root_policy policy, int flags) must_check;

/* What root_make() puts at the end of a path. */
enum root_kind {
	ROOT_DIRECTORY,
	ROOT_FILE /* an empty regular file, mode 0644 */
};

/*
 * Makes sure that @path exists beneath @rootfd, and opens it with O_PATH: the missing directories
 * (mode 0755, root's) and the last component (@kind) are created, each in a directory that is open
 * already (mkdirat(2), openat(2) with O_EXCL), so that a racing writer inside the root can't send
 * anything outside. Symbolic links are followed within the root, as the container would; a
 * dangling one is -ENOTDIR or, at the last component with ROOT_FILE, -ELOOP. What exists at the
 * last component stays as it is, whatever its kind. Errors: -ENOTDIR for a file in the middle,
 * -EROFS, -EACCES and so on; the text names the component that could not be made.
 */
int root_make(int rootfd, const char *path, enum root_kind kind, struct error *err) must_check;

/*
 * Opens the directory that holds the last component of @path (creating missing directories as
 * root_make() does), and yields that last component as *ret_name, which points into @path.
 * -EINVAL if the last component is empty, "." or "..". Returns an O_PATH descriptor.
 */
int root_make_parent(int rootfd, const char *path, const char **ret_name,
		     struct error *err) must_check;

#endif
