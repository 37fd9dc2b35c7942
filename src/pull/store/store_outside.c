/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Directories outside of the store in which something is made: bundles.
 *
 * Theory of operation. A note in tmp/, locked like everything there, has the path of the directory
 * before it is made, and which directory it is afterwards. So the next one who opens the store
 * finds what a dead process has left, wherever it lies. Others may write to the directory that it
 * lies in, and put something else in its place: so it is removed only if it is the very one, by its
 * descriptor, and without that knowledge only if it is empty.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "berth/base/str.h"

#include "common/tree.h"

#include "store-internal.h"

/* A note: the path, NUL, and these once it is made. */
#define IDENTITY_MAX 48 /* "DEVICE INODE" and NUL */
#define NOTE_MAX     ((size_t)64 << 10)

int store_outside_begin(const struct store *store, const char *path, struct store_outside *ret,
			struct error *err)
{
	struct store_outside made = {.store = store};
	int r;

	made.fd = tmp_make_file(store, OUTSIDE_SUFFIX, made.name);
	if (made.fd < 0)
		return fail(err, made.fd, "make a file in \"%s/" STORE_TMP "\"", store->path);
	r = fd_write_all(made.fd, path, strlen(path) + 1);
	if (r < 0) {
		r = fail(err, r, "write \"%s/%s\"", store->path, made.name);
		store_outside_end(&made);
		return r;
	}
	*ret = made;
	return 0;
}

static void identify(const struct stat *st, char ret[static IDENTITY_MAX])
{
	snprintf(ret, IDENTITY_MAX, "%ju %ju", (uintmax_t)st->st_dev, (uintmax_t)st->st_ino);
}

int store_outside_made(const struct store_outside *outside, int dirfd, struct error *err)
{
	char identity[IDENTITY_MAX];
	struct stat st;
	int r = fstat(dirfd, &st) < 0 ? -errno : 0;

	if (r >= 0) {
		identify(&st, identity);
		r = fd_write_all(outside->fd, identity, strlen(identity));
	}
	return r < 0 ? fail(err, r, "write \"%s/%s\"", outside->store->path, outside->name) : 0;
}

void store_outside_end(struct store_outside *outside)
{
	if (outside->fd < 0)
		return;
	unlinkat(outside->store->fd, outside->name, 0);
	outside->fd = fd_close(outside->fd);
}

/* Nothing of ours has that name. */
static bool is_gone(int error)
{
	return error == ENOENT || error == ENOTDIR || error == ELOOP || error == ENOTEMPTY;
}

/* Whether the directory belongs to us, and is the one that the note means, if it knows. */
static bool is_ours(int fd, const char *expected)
{
	char identity[IDENTITY_MAX];
	struct stat st;

	if (fstat(fd, &st) < 0 || st.st_uid != geteuid())
		return false;
	identify(&st, identity);
	return !expected[0] || str_equal(identity, expected);
}

static int remove_it(const char *path, const char *expected, uint64_t *freed)
{
	const char *last = strrchr(path, '/') + 1;
	_cleanup_free_ char *parent = xstrndup(path, (size_t)(last - path));
	_cleanup_fd_ int parentfd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd = -EBADF;
	int r;

	if (parentfd >= 0)
		fd = openat(parentfd, last, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return is_gone(errno) ? 0 : -errno;
	if (!is_ours(fd, expected))
		return 0;
	r = expected[0] ? tree_empty(take_fd(&fd), freed) : 0;
	if (r >= 0 && unlinkat(parentfd, last, AT_REMOVEDIR) < 0 && !is_gone(errno))
		r = -errno;
	return r;
}

int outside_sweep(int fd, uint64_t *freed)
{
	_cleanup_free_ char *note = NULL;
	struct error ignored = ERROR_NONE;
	size_t size = 0, length;
	int r = file_read_fd(fd, "", NOTE_MAX, &note, &size, &ignored);

	if (r < 0)
		return r;
	length = strlen(note);
	/* Killed before it was written, when there was no directory yet. */
	if (length == size || note[0] != '/')
		return 0;
	return remove_it(note, note + length + 1, freed);
}
