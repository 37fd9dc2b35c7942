/* SPDX-License-Identifier: Apache-2.0 */
/* File descriptors: ownership, inheritance, small whole-file reads and writes. */
#ifndef BERTH_BASE_FD_H
#define BERTH_BASE_FD_H

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "berth/base/error.h"

struct buf;

/* Closes @fd if it is one, keeps errno, and returns the unset value: fd = fd_close(fd). */
int fd_close(int fd);

static inline void cleanup_fd(int *variable)
{
	*variable = fd_close(*variable);
}

/* The descriptor is closed where its scope ends. Always initialise it, to -EBADF where unset. */
#define _cleanup_fd_ __attribute__((cleanup(cleanup_fd)))

/* Hands a descriptor over: yields it and leaves the unset value behind. */
static inline int take_fd(int *variable)
{
	int fd = *variable;

	*variable = -EBADF;
	return fd;
}

static inline void cleanup_dir(DIR **variable)
{
	if (*variable)
		closedir(*variable);
	*variable = NULL;
}
/* The directory stream is closed where its scope ends. */
#define _cleanup_dir_ __attribute__((cleanup(cleanup_dir)))

/* A second descriptor for the same open file, at number 3 or higher and close-on-exec. */
int fd_dup(int fd, struct error *err) must_check;

/* Makes @fd close-on-exec or not. */
int fd_set_cloexec(int fd, bool cloexec, struct error *err) must_check;

/*
 * Opens /dev/null with @flags at those of the numbers 0 to 2 that are closed: files of ours would
 * be taken for standard input, output or error. With O_RDONLY writing there stays an error.
 */
int fd_fill_standard(int flags, struct error *err) must_check;

/*
 * Marks every descriptor of the process from @first on close-on-exec: close_range(2). Called
 * before anything is executed, so that nothing that berth inherited by mistake goes on.
 */
int fd_cloexec_from(int first, struct error *err) must_check;

/*
 * Closes every descriptor from @first on but those in @keep (@count of them, FD_KEEP_MAX at most;
 * negative ones are skipped): what a process must not carry into a container.
 */
#define FD_KEEP_MAX 8
int fd_close_others(int first, const int *keep, size_t count, struct error *err) must_check;

/*
 * Reads the file @name beneath @dirfd (openat(2) rules, no following of a last symbolic link)
 * whole. *ret_data is allocated, NUL-terminated, the caller's; *ret_size (may be NULL) its length
 * without the NUL. A file larger than @max bytes is refused with -EFBIG. What is not a regular
 * file (or a kernel file that says so) is refused with -EINVAL.
 */
int file_read_at(int dirfd, const char *name, size_t max, char **ret_data, size_t *ret_size,
		 struct error *err) must_check;

/* As file_read_at() from an open descriptor, from its current offset on; @what names it in errors.
 */
int file_read_fd(int fd, const char *what, size_t max, char **ret_data, size_t *ret_size,
		 struct error *err) must_check;

/*
 * Writes @size bytes to the existing file @name beneath @dirfd in a single write(2), as kernel
 * files (cgroup, sysctl) need it. @what names the file in errors, with its value.
 */
int file_write_at(int dirfd, const char *name, const char *data, size_t size, const char *what,
		  struct error *err) must_check;

/* Creates @name beneath @dirfd with @mode and the content; it must not exist (-EEXIST). */
int file_create_at(int dirfd, const char *name, mode_t mode, const char *data, size_t size,
		   struct error *err) must_check;

/*
 * Replaces or creates @name beneath @dirfd atomically: readers see the old content or the new one
 * (written to ".NAME.new", then renamed).
 */
int file_replace_at(int dirfd, const char *name, mode_t mode, const char *data, size_t size,
		    struct error *err) must_check;

/* Appends to @data what comes from @fd until end-of-file; -EFBIG if that is more than @max bytes.
 * Returns 0 or negative errno, without a text. */
int fd_read_all(int fd, size_t max, struct buf *data) must_check;

/* Writes all of @data to @fd, however many write(2) calls that takes. Returns 0 or negative errno.
 */
int fd_write_all(int fd, const void *data, size_t size) must_check;

/* Writes all of @text to standard output: what a command gives to its user. */
int print_out(const char *text, struct error *err) must_check;

#endif
