/* SPDX-License-Identifier: Apache-2.0 */
/* The file that tells engines the process's number: digits only, there whole or not at all. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "berth/base/fd.h"
#include "berth/base/path.h"

#include "container-internal.h"

int pid_file_write(const char *path, pid_t pid, struct error *err)
{
	_cleanup_free_ char *whole = path_absolute(path), *directory = NULL;
	_cleanup_fd_ int dirfd = -EBADF;
	const char *name;
	char digits[16];
	int length, r;

	if (!whole)
		return fail(err, -errno, "write the pid file \"%s\"", path);
	name = strrchr(whole, '/') + 1;
	directory = xstrndup(whole, (size_t)(name - whole));
	dirfd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dirfd < 0)
		return fail(err, -errno, "write the pid file \"%s\"", path);
	length = snprintf(digits, sizeof(digits), "%d", pid);
	r = file_replace_at(dirfd, name, 0644, digits, (size_t)length, err);
	return r < 0 ? within(err, r, "write the pid file \"%s\"", path) : 0;
}

void pid_file_remove(const char *path)
{
	if (path)
		unlink(path);
}
