/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors, and whole-file reads and writes. */
#include "berth/base/fd.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "berth/base/alloc.h"
#include "berth/base/str.h"
#include "berth/base/sys.h"

int fd_close(int fd)
{
	int saved = errno;

	/* On Linux the descriptor is gone whatever close(2) returns: never try it again. */
	if (fd >= 0)
		close(fd);
	errno = saved;
	return -EBADF;
}

int fd_dup(int fd, struct error *err)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);

	return copy < 0 ? fail(err, -errno, "duplicate descriptor %d", fd) : copy;
}

int fd_set_cloexec(int fd, bool cloexec, struct error *err)
{
	if (fcntl(fd, F_SETFD, cloexec ? FD_CLOEXEC : 0) < 0)
		return fail(err, -errno, "set close-on-exec of descriptor %d", fd);
	return 0;
}

int fd_cloexec_from(int first, struct error *err)
{
	int r = sys_close_range((unsigned)first, ~0u, CLOSE_RANGE_CLOEXEC);

	return r < 0 ? fail(err, r, "set close-on-exec of descriptors from %d", first) : 0;
}

int fd_write_all(int fd, const void *data, size_t size)
{
	const char *next = data;

	while (size) {
		ssize_t n = write(fd, next, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		next += n;
		size -= (size_t)n;
	}
	return 0;
}

int fd_read_all(int fd, size_t max, struct buf *data)
{
	char chunk[4096];

	for (;;) {
		ssize_t n = read(fd, chunk, sizeof(chunk));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return 0;
		if ((size_t)n > max - data->size)
			return -EFBIG;
		buf_add(data, chunk, (size_t)n);
	}
}

int file_read_fd(int fd, const char *what, size_t max, char **ret_data, size_t *ret_size,
		 struct error *err)
{
	_cleanup_buf_ struct buf data = BUF_EMPTY;
	struct stat st;
	int r;

	if (fstat(fd, &st) < 0)
		return fail(err, -errno, "stat \"%s\"", what);
	if (!S_ISREG(st.st_mode))
		return refuse(err, "read \"%s\": not a regular file", what);
	if (st.st_size > (off_t)max)
		return fail(err, -EFBIG, "read \"%s\": more than %zu bytes", what, max);
	/* Files of kernel file systems have no size: the bound counts. */
	r = fd_read_all(fd, max, &data);
	if (r < 0)
		return fail(err, r, "read \"%s\"", what);
	if (ret_size)
		*ret_size = data.size;
	*ret_data = buf_take(&data);
	return 0;
}

int file_read_at(int dirfd, const char *name, size_t max, char **ret_data, size_t *ret_size,
		 struct error *err)
{
	/* O_NONBLOCK: a fifo of this name must not hold us up. */
	_cleanup_fd_ int fd =
		openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0)
		return fail(err, -errno, "open \"%s\"", name);
	return file_read_fd(fd, name, max, ret_data, ret_size, err);
}

int file_write_at(int dirfd, const char *name, const char *data, size_t size, const char *what,
		  struct error *err)
{
	_cleanup_fd_ int fd = openat(dirfd, name, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return fail(err, -errno, "open %s", what);
	n = write(fd, data, size);
	if (n < 0)
		return fail(err, -errno, "write %s", what);
	if ((size_t)n != size)
		return fail(err, -EIO, "write %s: only %zd of %zu bytes", what, n, size);
	return 0;
}

int file_create_at(int dirfd, const char *name, mode_t mode, const char *data, size_t size,
		   struct error *err)
{
	_cleanup_fd_ int fd =
		openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	int r;

	if (fd < 0)
		return fail(err, -errno, "create \"%s\"", name);
	r = fd_write_all(fd, data, size);
	return r < 0 ? fail(err, r, "write \"%s\"", name) : 0;
}

int file_replace_at(int dirfd, const char *name, mode_t mode, const char *data, size_t size,
		    struct error *err)
{
	_cleanup_free_ char *fresh = xasprintf(".%s.new", name);
	_cleanup_fd_ int fd =
		openat(dirfd, fresh, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, mode);
	int r;

	if (fd < 0)
		return fail(err, -errno, "create \"%s\"", name);
	r = fd_write_all(fd, data, size);
	if (r >= 0 && renameat(dirfd, fresh, dirfd, name) < 0)
		r = -errno;
	if (r < 0) {
		unlinkat(dirfd, fresh, 0);
		return fail(err, r, "write \"%s\"", name);
	}
	return 0;
}

static int compare_ints(const void *a, const void *b)
{
	int x = *(const int *)a, y = *(const int *)b;

	return (x > y) - (x < y);
}

int fd_close_others(int first, const int *keep, size_t count, struct error *err)
{
	int sorted[FD_KEEP_MAX];
	unsigned next = (unsigned)first;
	int r = 0;

	if (count > FD_KEEP_MAX)
		return refuse(err, "keep %zu descriptors: more than %d", count, FD_KEEP_MAX);
	for (size_t i = 0; i < count; i++)
		sorted[i] = keep[i];
	qsort(sorted, count, sizeof(*sorted), compare_ints);
	for (size_t i = 0; r >= 0 && i < count; i++) {
		if (sorted[i] < (int)next)
			continue;
		if (sorted[i] > (int)next)
			r = sys_close_range(next, (unsigned)sorted[i] - 1, 0);
		next = (unsigned)sorted[i] + 1;
	}
	if (r >= 0)
		r = sys_close_range(next, ~0u, 0);
	return r < 0 ? fail(err, r, "close descriptors from %d", first) : 0;
}

int print_out(const char *text, struct error *err)
{
	int r = fd_write_all(STDOUT_FILENO, text, strlen(text));

	return r < 0 ? fail(err, r, "write to standard output") : 0;
}
