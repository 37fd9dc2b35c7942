/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Removal of trees, and what it would free.
 *
 * Theory of operation. An image decides how deep its directories lie in each other, so neither the
 * stack nor the number of descriptors may depend on it: a directory that is found within another is
 * not entered from there, but moved up to the top of the tree and emptied in its turn.
 */
#include "tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "berth/base/fd.h"
#include "berth/base/str.h"

struct removal {
	int topfd;
	uint64_t moved; /* directories, each with a number of its own as its name */
	uint64_t *freed;
};

/* What has several names is freed with the last one. */
static void count(const struct removal *removal, const struct stat *st)
{
	if (removal->freed && (S_ISDIR(st->st_mode) || st->st_nlink == 1))
		*removal->freed += (uint64_t)st->st_blocks * 512;
}

/* Moves the directory @name of @dirfd to the top, under a name that is free there. */
static int move_up(struct removal *removal, int dirfd, const char *name)
{
	char fresh[32];

	for (;;) {
		snprintf(fresh, sizeof(fresh), ".%llu", (unsigned long long)removal->moved++);
		/* An empty directory that is in the way is replaced, which is as good. */
		if (renameat(dirfd, name, removal->topfd, fresh) == 0)
			return 0;
		if (errno != EEXIST && errno != ENOTEMPTY && errno != ENOTDIR)
			return -errno;
	}
}

static int empty(struct removal *removal, int fd);

/* One that lies in the top directory; what is in it is taken out of it. */
static int remove_directory(struct removal *removal, const char *name)
{
	int fd = openat(removal->topfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int r = fd < 0 ? -errno : empty(removal, fd);

	if (r >= 0 && unlinkat(removal->topfd, name, AT_REMOVEDIR) < 0)
		r = -errno;
	return r;
}

static int remove_entry(struct removal *removal, int dirfd, const char *name)
{
	struct stat st;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode) && dirfd != removal->topfd)
		return move_up(removal, dirfd, name);
	count(removal, &st);
	if (S_ISDIR(st.st_mode))
		return remove_directory(removal, name);
	return unlinkat(dirfd, name, 0) < 0 ? -errno : 0;
}

/* Removes the entries of @dir. Returns 1 if there were any, 0, or negative errno. */
static int empty_once(struct removal *removal, DIR *dir)
{
	int found = 0;

	for (;;) {
		const struct dirent *entry;
		int r;

		errno = 0;
		entry = readdir(dir);
		if (!entry)
			return errno ? -errno : found;
		if (str_equal(entry->d_name, ".") || str_equal(entry->d_name, ".."))
			continue;
		found = 1;
		r = remove_entry(removal, dirfd(dir), entry->d_name);
		if (r < 0)
			return r;
	}
}

/* Takes @fd over. A listing need not show what was moved here meanwhile: hence once more. */
static int empty(struct removal *removal, int fd)
{
	_cleanup_dir_ DIR *dir = fdopendir(fd);
	int r;

	if (!dir) {
		r = -errno;
		fd_close(fd);
		return r;
	}
	do {
		rewinddir(dir);
		r = empty_once(removal, dir);
	} while (r > 0);
	return r;
}

int tree_empty(int fd, uint64_t *freed)
{
	struct removal removal = {.topfd = fd, .freed = freed};

	return empty(&removal, fd);
}

int tree_remove(int dirfd, const char *name, uint64_t *freed)
{
	struct removal removal = {.topfd = -EBADF, .freed = freed};
	struct stat st;
	int r;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	count(&removal, &st);
	if (!S_ISDIR(st.st_mode))
		return unlinkat(dirfd, name, 0) < 0 ? -errno : 0;
	removal.topfd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (removal.topfd < 0)
		return -errno;
	r = empty(&removal, removal.topfd);
	if (r >= 0 && unlinkat(dirfd, name, AT_REMOVEDIR) < 0)
		r = -errno;
	return r;
}

/* Deepest tree that is measured; a descriptor and a buffer of readdir(3) for each directory. */
#define MEASURE_DEPTH_MAX 512

static int measure(int dirfd, const char *name, unsigned depth, uint64_t *bytes);

static int measure_entries(DIR *dir, unsigned depth, uint64_t *bytes)
{
	for (;;) {
		const struct dirent *entry;
		int r;

		errno = 0;
		entry = readdir(dir);
		if (!entry)
			return -errno;
		if (str_equal(entry->d_name, ".") || str_equal(entry->d_name, ".."))
			continue;
		r = measure(dirfd(dir), entry->d_name, depth, bytes);
		if (r < 0)
			return r;
	}
}

static int measure(int dirfd, const char *name, unsigned depth, uint64_t *bytes)
{
	_cleanup_dir_ DIR *dir = NULL;
	struct stat st;
	int fd;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	*bytes += (uint64_t)st.st_blocks * 512 / (S_ISDIR(st.st_mode) ? 1 : st.st_nlink);
	if (!S_ISDIR(st.st_mode))
		return 0;
	if (depth == MEASURE_DEPTH_MAX)
		return -ELOOP;
	fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		int r = -errno;

		fd_close(fd);
		return r;
	}
	return measure_entries(dir, depth + 1, bytes);
}

int tree_measure(int dirfd, const char *name, uint64_t *bytes)
{
	return measure(dirfd, name, 0, bytes);
}
