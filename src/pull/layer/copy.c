/* SPDX-License-Identifier: Apache-2.0 */
/* Copying the content of regular files: by sharing it, in the kernel, or by reading and writing. */
#include "copy.h"

#include <errno.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "berth/base/alloc.h"

#define CHUNK ((size_t)128 * 1024)

void copier_done(struct copier *copier)
{
	free(copier->buffer);
	copier->buffer = NULL;
}

/* Whether the call is not for these file systems. */
static bool is_not_for_us(int code)
{
	return code == -EXDEV || code == -ENOSYS || code == -EOPNOTSUPP || code == -EINVAL ||
	       code == -ENOTTY || code == -EPERM;
}

/* By a buffer of our own. Returns how much has been copied, 0 at the end, or negative errno. */
static ssize_t copy_by_hand(struct copier *copier, int from, int to, off_t at, size_t size)
{
	ssize_t got, done = 0;

	if (!copier->buffer)
		copier->buffer = xcalloc(CHUNK, 1);
	got = pread(from, copier->buffer, size < CHUNK ? size : CHUNK, at);
	if (got < 0)
		return -errno;
	while (done < got) {
		ssize_t put =
			pwrite(to, copier->buffer + done, (size_t)(got - done), at + (off_t)done);

		if (put < 0)
			return -errno;
		done += put;
	}
	return got;
}

static ssize_t copy_some(struct copier *copier, int from, int to, off_t at, size_t size)
{
	off_t in = at, out = at;
	ssize_t got;

	if (copier->no_range)
		return copy_by_hand(copier, from, to, at, size);
	got = copy_file_range(from, &in, to, &out, size, 0);
	if (got >= 0)
		return got;
	if (!is_not_for_us(-errno))
		return -errno;
	copier->no_range = true;
	return copy_by_hand(copier, from, to, at, size);
}

static int copy_range(struct copier *copier, int from, int to, off_t at, off_t end)
{
	while (at < end) {
		ssize_t got = copy_some(copier, from, to, at, (size_t)(end - at));

		if (got == -EINTR)
			continue;
		if (got <= 0)
			return got < 0 ? (int)got : -EIO; /* it became shorter */
		at += got;
	}
	return 0;
}

/* Only what is no hole; the file system says where that is. */
static int copy_data(struct copier *copier, int from, int to, off_t size)
{
	off_t end = 0;

	for (;;) {
		off_t data = lseek(from, end, SEEK_DATA);
		int r;

		if (data < 0)
			return errno == ENXIO ? 0 : -errno;
		end = lseek(from, data, SEEK_HOLE);
		if (end < 0)
			return -errno;
		if (end > size)
			end = size;
		r = copy_range(copier, from, to, data, end);
		if (r < 0 || end >= size)
			return r;
	}
}

int copy_content(struct copier *copier, int from, int to, const struct stat *st, const char *path,
		 struct error *err)
{
	int r;

	if (st->st_size == 0)
		return 0;
	if (!copier->no_clone) {
		if (ioctl(to, FICLONE, from) == 0)
			return 0;
		if (!is_not_for_us(-errno))
			return fail(err, -errno, "copy \"%s\"", path);
		copier->no_clone = true;
	}
	if (st->st_blocks >= (st->st_size + 511) / 512)
		r = copy_range(copier, from, to, 0, st->st_size);
	else
		r = copy_data(copier, from, to, st->st_size);
	/* A hole at the end. */
	if (r >= 0 && ftruncate(to, st->st_size) < 0)
		r = -errno;
	return r < 0 ? fail(err, r, "copy \"%s\"", path) : 0;
}
