/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copying the content of a directory into the tmpfs that is to cover it ("tmpcopyup").
 *
 * Theory of operation. What is copied lies in the container's root, and may change meanwhile: so
 * every file is opened beneath the descriptor of its directory, without following a link, and is
 * looked at only after that. Nothing is opened that might block or act by being opened: first it
 * is named (O_PATH), then its kind is known. The copy is seen by nobody yet.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "berth/base/alloc.h"
#include "berth/base/fd.h"
#include "berth/base/proc.h"
#include "berth/base/str.h"

#include "mount-internal.h"

#define DEPTH_MAX  64
#define CHUNK_SIZE (1u << 20)

static int copy_directory(int from, int to, unsigned depth, struct error *err);

/* Opens what an O_PATH descriptor names. */
static int reopen(int fd, int flags)
{
	char path[FD_PATH_MAX];
	int r;

	fd_path(fd, path);
	r = open(path, flags | O_CLOEXEC);
	return r < 0 ? -errno : r;
}

/* Extended attributes that the tmpfs does not take are left behind. */
static void copy_xattr(const char *from, int to, const char *name)
{
	_cleanup_free_ char *value = NULL;
	ssize_t size = getxattr(from, name, NULL, 0);

	if (size < 0)
		return;
	value = xcalloc((size_t)size + 1, 1);
	size = getxattr(from, name, value, (size_t)size);
	if (size >= 0)
		ignore(fsetxattr(to, name, value, (size_t)size, 0));
}

static void copy_xattrs(int from, int to)
{
	_cleanup_free_ char *names = NULL;
	char path[FD_PATH_MAX];
	ssize_t size;

	fd_path(from, path);
	size = listxattr(path, NULL, 0);
	if (size <= 0)
		return;
	names = xcalloc((size_t)size, 1);
	size = listxattr(path, names, (size_t)size);
	for (ssize_t at = 0; at < size; at += (ssize_t)strlen(names + at) + 1)
		copy_xattr(path, to, names + at);
}

/* Owner first: changing it takes bits of the mode and capabilities away. */
static int copy_metadata(int from, int to, const struct stat *st)
{
	const struct timespec times[] = {st->st_atim, st->st_mtim};

	if (fchown(to, st->st_uid, st->st_gid) < 0 || fchmod(to, st->st_mode & 07777) < 0)
		return -errno;
	copy_xattrs(from, to);
	return futimens(to, times) < 0 ? -errno : 0;
}

static int copy_content(int from, int to)
{
	ssize_t n;

	do
		n = sendfile(to, from, NULL, CHUNK_SIZE);
	while (n > 0);
	return n < 0 ? -errno : 0;
}

static int copy_file(int from, int todir, const char *name, const struct stat *st)
{
	_cleanup_fd_ int source = reopen(from, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	_cleanup_fd_ int copy = -EBADF;
	int r;

	if (source < 0)
		return source;
	copy = openat(todir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (copy < 0)
		return -errno;
	r = copy_content(source, copy);
	return r < 0 ? r : copy_metadata(from, copy, st);
}

static int copy_link(int from, int todir, const char *name, const struct stat *st)
{
	const struct timespec times[] = {st->st_atim, st->st_mtim};
	char target[PATH_MAX];
	ssize_t n = readlinkat(from, "", target, sizeof(target) - 1);

	if (n < 0)
		return -errno;
	target[n] = '\0';
	if (symlinkat(target, todir, name) < 0 ||
	    fchownat(todir, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) < 0 ||
	    utimensat(todir, name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	return 0;
}

/* Fifos, sockets, device nodes. The last are left out where they can't be made. */
static int copy_node(int todir, const char *name, const struct stat *st)
{
	const struct timespec times[] = {st->st_atim, st->st_mtim};

	if (mknodat(todir, name, st->st_mode, st->st_rdev) < 0)
		return errno == EPERM ? 0 : -errno;
	if (fchownat(todir, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) < 0 ||
	    fchmodat(todir, name, st->st_mode & 07777, 0) < 0 ||
	    utimensat(todir, name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	return 0;
}

static int copy_subdirectory(int from, int todir, const char *name, const struct stat *st,
			     unsigned depth, struct error *err)
{
	_cleanup_fd_ int copy = -EBADF;
	int r;

	if (mkdirat(todir, name, 0700) < 0)
		return fail(err, -errno, "make \"%s\"", name);
	copy = openat(todir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (copy < 0)
		return fail(err, -errno, "open \"%s\"", name);
	r = copy_directory(from, copy, depth + 1, err);
	if (r < 0)
		return r;
	r = copy_metadata(from, copy, st);
	return r < 0 ? fail(err, r, "copy the attributes of \"%s\"", name) : 0;
}

static int copy_entry(int fromdir, int todir, const char *name, unsigned depth, struct error *err)
{
	_cleanup_fd_ int from = openat(fromdir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	int r;

	if (from < 0)
		return errno == ENOENT ? 0 : fail(err, -errno, "open \"%s\"", name);
	if (fstat(from, &st) < 0)
		return fail(err, -errno, "look at \"%s\"", name);
	if (S_ISDIR(st.st_mode))
		return copy_subdirectory(from, todir, name, &st, depth, err);
	if (S_ISREG(st.st_mode))
		r = copy_file(from, todir, name, &st);
	else if (S_ISLNK(st.st_mode))
		r = copy_link(from, todir, name, &st);
	else
		r = copy_node(todir, name, &st);
	return r < 0 ? fail(err, r, "copy \"%s\"", name) : 0;
}

static bool is_dot(const char *name)
{
	return str_equal(name, ".") || str_equal(name, "..");
}

static int copy_entries(DIR *entries, int to, unsigned depth, struct error *err)
{
	for (;;) {
		const struct dirent *entry;
		int r;

		errno = 0;
		entry = readdir(entries);
		if (!entry)
			return errno ? fail(err, -errno, "read a directory") : 0;
		if (is_dot(entry->d_name))
			continue;
		r = copy_entry(dirfd(entries), to, entry->d_name, depth, err);
		if (r < 0)
			return r;
	}
}

/* @from: O_PATH; @to: open for reading. */
static int copy_directory(int from, int to, unsigned depth, struct error *err)
{
	_cleanup_fd_ int fd = openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *entries;
	int r;

	if (depth > DEPTH_MAX)
		return refuse_as(err, -ELOOP, "more than %d directories within each other",
				 DEPTH_MAX);
	if (fd < 0)
		return fail(err, -errno, "open a directory");
	entries = fdopendir(fd);
	if (!entries)
		return fail(err, -errno, "read a directory");
	/* The stream owns it now. */
	ignore(take_fd(&fd));
	r = copy_entries(entries, to, depth, err);
	closedir(entries);
	return r;
}

int copy_up(int from, int to, struct error *err)
{
	return copy_directory(from, to, 0, err);
}
