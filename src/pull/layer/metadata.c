/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owner, mode and times of files, always by a descriptor.
 *
 * Theory of operation. What is no regular file and no directory cannot be opened without acting on
 * it, only be named (O_PATH). fchownat(2) and utimensat(2) take such a descriptor with an empty
 * path; chmod(2) takes it by its name in /proc/self/fd, which is a file that the kernel makes of
 * the descriptor, not a path that somebody could change.
 */
#include "metadata.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "berth/base/proc.h"

static int cannot_own(int code, const struct metadata *metadata, const char *path,
		      struct error *err)
{
	/* chown(2): that is the kernel's answer to an id without a place in the user namespace. */
	if (code == -EINVAL || code == -EOVERFLOW)
		return refuse_as(err, code,
				 "\"%s\" belongs to %u:%u, which this user namespace does not have "
				 "(see /etc/subuid, /etc/subgid)",
				 path, metadata->uid, metadata->gid);
	return fail(err, code, "change the owner of \"%s\" to %u:%u", path, metadata->uid,
		    metadata->gid);
}

int metadata_own(int fd, const struct metadata *metadata, bool inherited, const char *path,
		 struct error *err)
{
	struct stat st;
	bool is_right;

	if (inherited) {
		/* There may be none, or no such thing on this file system. */
		ignore(fremovexattr(fd, "system.posix_acl_access"));
		ignore(fremovexattr(fd, "system.posix_acl_default"));
	}
	/* Most files have the right ones from their beginning; looking costs a fifth of a change.
	 */
	if (fstat(fd, &st) < 0)
		return fail(err, -errno, "look at \"%s\"", path);
	is_right = (st.st_mode & 07777) == metadata->mode;
	if (st.st_uid != metadata->uid || st.st_gid != metadata->gid) {
		if (fchown(fd, metadata->uid, metadata->gid) < 0)
			return cannot_own(-errno, metadata, path, err);
		is_right = false; /* bits may be gone */
	}
	if (!is_right && fchmod(fd, metadata->mode) < 0)
		return fail(err, -errno, "change the mode of \"%s\"", path);
	return 0;
}

int metadata_own_node(int fd, const struct metadata *metadata, bool inherited, const char *path,
		      struct error *err)
{
	char name[FD_PATH_MAX];
	struct stat st;

	if (fchownat(fd, "", metadata->uid, metadata->gid, AT_EMPTY_PATH) < 0)
		return cannot_own(-errno, metadata, path, err);
	if (fstat(fd, &st) < 0)
		return fail(err, -errno, "look at \"%s\"", path);
	if (S_ISLNK(st.st_mode))
		return 0;
	fd_path(fd, name);
	if (inherited)
		ignore(removexattr(name, "system.posix_acl_access"));
	if (chmod(name, metadata->mode) < 0)
		return fail(err, -errno, "change the mode of \"%s\"", path);
	return 0;
}

int metadata_of_link(int dirfd, const char *name, const struct metadata *metadata, const char *path,
		     struct error *err)
{
	const struct timespec times[] = {metadata->mtime, metadata->mtime};

	if (fchownat(dirfd, name, metadata->uid, metadata->gid, AT_SYMLINK_NOFOLLOW) < 0)
		return cannot_own(-errno, metadata, path, err);
	if (utimensat(dirfd, name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return fail(err, -errno, "set the time of \"%s\"", path);
	return 0;
}

int metadata_date(int fd, const struct metadata *metadata, const char *path, struct error *err)
{
	const struct timespec times[] = {metadata->mtime, metadata->mtime};

	if (utimensat(fd, "", times, AT_EMPTY_PATH) < 0)
		return fail(err, -errno, "set the time of \"%s\"", path);
	return 0;
}
