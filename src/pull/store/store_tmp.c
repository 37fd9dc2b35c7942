/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Work in progress, in tmp/ of the store.
 *
 * Theory of operation. A directory tmp/STEM belongs to whoever holds flock(2) on tmp/STEM.lock; a
 * file tmp/NAME to whoever holds it on the file itself. The kernel drops the lock of a process that
 * dies, so what nobody holds is a leftover. A lock file is removed by its holder: who gets the lock
 * of one that has no name any more has to begin again.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "berth/base/fd.h"
#include "berth/base/log.h"
#include "berth/base/str.h"

#include "common/tree.h"

#include "store-internal.h"

#define LOCK_SUFFIX ".lock"

static const char *lock_name(const char *name, char ret[STORE_NAME_MAX])
{
	snprintf(ret, STORE_NAME_MAX, "%.300s" LOCK_SUFFIX, name);
	return ret;
}

bool store_is_named(const struct store *store, const char *name, int fd)
{
	struct stat named, open;

	return fstat(fd, &open) == 0 &&
	       fstatat(store->fd, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
	       named.st_dev == open.st_dev && named.st_ino == open.st_ino;
}

int store_open_locked(const struct store *store, const char *name, bool wait)
{
	for (;;) {
		_cleanup_fd_ int fd =
			openat(store->fd, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
		int r = 0;

		if (fd < 0)
			return -errno;
		if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
			if (!wait)
				return errno == EWOULDBLOCK ? -EAGAIN : -errno;
			r = store_wait_lock(store, fd, LOCK_EX);
		}
		if (r < 0)
			return r;
		if (store_is_named(store, name, fd))
			return take_fd(&fd);
	}
}

int tmp_lock(const struct store *store, const char *name, bool wait)
{
	char lock[STORE_NAME_MAX];

	return store_open_locked(store, lock_name(name, lock), wait);
}

void tmp_unlock(const struct store *store, const char *name, int *lockfd)
{
	char lock[STORE_NAME_MAX];

	unlinkat(store->fd, lock_name(name, lock), 0);
	*lockfd = fd_close(*lockfd);
}

int tmp_make_file(const struct store *store, const char *suffix, char ret_name[static TMP_NAME_MAX])
{
	char random[RANDOM_NAME_MAX];

	for (;;) {
		_cleanup_fd_ int fd = -EBADF;
		int r = random_name(random);

		if (r < 0)
			return r;
		snprintf(ret_name, TMP_NAME_MAX, STORE_TMP "/%s%s", random, suffix);
		fd = openat(store->fd, ret_name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (fd < 0 && errno == EEXIST)
			continue;
		if (fd < 0)
			return -errno;
		/* Who sweeps may have been quicker with the lock, and takes the file away then. */
		r = store_wait_lock(store, fd, LOCK_EX);
		if (r < 0)
			unlinkat(store->fd, ret_name, 0);
		if (r < 0)
			return r;
		if (store_is_named(store, ret_name, fd))
			return take_fd(&fd);
	}
}

/* What store_image_put() has promised to be on the disk needs its name there, too. */
static int sync_parent(const struct store *store, const char *name)
{
	const char *slash = strrchr(name, '/');
	_cleanup_free_ char *parent = xstrndup(name, (size_t)(slash - name));
	_cleanup_fd_ int fd = openat(store->fd, parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

int store_write_file(const struct store *store, const char *name, const void *data, size_t size)
{
	char fresh[TMP_NAME_MAX];
	_cleanup_fd_ int fd = tmp_make_file(store, "", fresh);
	int r;

	if (fd < 0)
		return fd;
	r = fd_write_all(fd, data, size);
	if (r >= 0 && store->sync && fsync(fd) < 0)
		r = -errno;
	if (r >= 0 && renameat(store->fd, fresh, store->fd, name) < 0)
		r = -errno;
	if (r < 0) {
		unlinkat(store->fd, fresh, 0);
		return r;
	}
	return store->sync ? sync_parent(store, name) : 0;
}

bool tmp_is_lock(const char *name, char ret_name[static STORE_NAME_MAX])
{
	size_t length = strlen(name), suffix = strlen(LOCK_SUFFIX);

	snprintf(ret_name, STORE_NAME_MAX, "%s", name);
	if (length <= suffix || !str_equal(name + length - suffix, LOCK_SUFFIX))
		return false;
	ret_name[length - suffix] = '\0';
	return true;
}

static int open_present(const struct store *store, const char *name)
{
	return openat(store->fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
}

bool tmp_in_use(const struct store *store, const char *name)
{
	char locked[STORE_NAME_MAX], lock[STORE_NAME_MAX];
	_cleanup_fd_ int fd = -EBADF;

	tmp_is_lock(name, locked);
	fd = open_present(store, lock_name(locked, lock));
	if (fd < 0)
		fd = open_present(store, name);
	return fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK;
}

/* A directory and its lock file; either may be missing. */
static int sweep_directory(const struct store *store, const char *name, uint64_t *freed)
{
	_cleanup_fd_ int lockfd = tmp_lock(store, name, /* wait= */ false);
	int r;

	if (lockfd < 0)
		return lockfd == -EAGAIN ? 0 : lockfd;
	r = tree_remove(store->fd, name, freed);
	if (r < 0 && r != -ENOENT)
		return r;
	tmp_unlock(store, name, &lockfd);
	return 0;
}

static int sweep_file(const struct store *store, const char *name, uint64_t *freed)
{
	_cleanup_fd_ int fd = open_present(store, name);
	const char *suffix = strrchr(name, '.');
	int r = 0;

	/* It may have got its name in the meantime. */
	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0 || !store_is_named(store, name, fd))
		return 0;
	if (suffix && str_equal(suffix, OUTSIDE_SUFFIX))
		r = outside_sweep(fd, freed);
	if (r >= 0)
		r = tree_remove(store->fd, name, freed);
	return r == -ENOENT ? 0 : r;
}

static int sweep_one(const struct store *store, const char *name, uint64_t *freed)
{
	char locked[STORE_NAME_MAX];
	struct stat st;

	if (fstatat(store->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (tmp_is_lock(name, locked) || S_ISDIR(st.st_mode))
		return sweep_directory(store, locked, freed);
	return sweep_file(store, name, freed);
}

void tmp_sweep(const struct store *store, uint64_t *freed)
{
	_cleanup_dir_ DIR *dir = store_open_dir(store, STORE_TMP);
	const struct dirent *entry;
	char name[STORE_NAME_MAX];

	while (dir && (entry = readdir(dir))) {
		int r;

		if (str_equal(entry->d_name, ".") || str_equal(entry->d_name, ".."))
			continue;
		snprintf(name, sizeof(name), STORE_TMP "/%s", entry->d_name);
		r = sweep_one(store, name, freed);
		if (r < 0)
			log_debug("\"%s/%s\" stays: %s", store->path, name, strerror(-r));
	}
}
