/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pinned procfs.
 *
 * Theory of operation. Whoever controls a mount namespace can put another file system, or a bind of
 * another procfs file, at a path below /proc, and so redirect a write that was meant for a label or
 * a limit. berth opens the host's /proc once, before anything of the container is entered, checks
 * that it is the root of a procfs, and afterwards opens everything beneath that descriptor without
 * crossing a mount and without following a link.
 */
#include "berth/base/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "berth/base/alloc.h"
#include "berth/base/fd.h"
#include "berth/base/root.h"

#define PROC_ROOT_INODE 1

/* The inode of the host's own user namespace, PROC_USER_INIT_INO; a number fixed in the kernel. */
#define FIRST_USER_NAMESPACE 0xEFFFFFFDu

int proc_open(struct error *err)
{
	_cleanup_fd_ int fd = open("/proc", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct statfs fs;
	struct stat st;

	if (fd < 0)
		return fail(err, -errno, "open \"/proc\"");
	if (fstatfs(fd, &fs) < 0 || fstat(fd, &st) < 0)
		return fail(err, -errno, "stat \"/proc\"");
	if (fs.f_type != PROC_SUPER_MAGIC || st.st_ino != PROC_ROOT_INODE)
		return refuse_as(err, -EXDEV, "\"/proc\" is not the root of a procfs");
	return take_fd(&fd);
}

int proc_open_at(int procfd, const char *path, int flags, struct error *err)
{
	int fd = root_try_open(procfd, path, ROOT_NO_XDEV, flags);

	return fd < 0 ? fail(err, fd, "open \"/proc/%s\"", path) : fd;
}

/*
 * "self" is a link, and getpid(2) counts in another pid namespace than the procfs may. So the link
 * is read, not followed: its text is our number as this procfs counts.
 */
static int self_path(int procfd, const char *path, char **ret, struct error *err)
{
	char number[32];
	ssize_t n = readlinkat(procfd, "self", number, sizeof(number) - 1);

	if (n < 0)
		return fail(err, -errno, "read link \"/proc/self\"");
	number[n] = '\0';
	*ret = xasprintf("%s/%s", number, path);
	return 0;
}

int proc_open_self(int procfd, const char *path, int flags, struct error *err)
{
	_cleanup_free_ char *whole = NULL;
	int r = self_path(procfd, path, &whole, err);

	return r < 0 ? r : proc_open_at(procfd, whole, flags, err);
}

int proc_write(int procfd, const char *path, const char *value, struct error *err)
{
	_cleanup_fd_ int fd = proc_open_at(procfd, path, O_WRONLY, err);

	if (fd < 0)
		return fd;
	if (write(fd, value, strlen(value)) < 0)
		return fail(err, -errno, "write \"%s\" to \"/proc/%s\"", value, path);
	return 0;
}

int proc_write_self(int procfd, const char *path, const char *value, struct error *err)
{
	_cleanup_free_ char *whole = NULL;
	int r = self_path(procfd, path, &whole, err);

	return r < 0 ? r : proc_write(procfd, whole, value, err);
}

void fd_path(int fd, char path[static FD_PATH_MAX])
{
	snprintf(path, FD_PATH_MAX, "/proc/self/fd/%d", fd);
}

bool proc_in_first_user_namespace(void)
{
	struct stat st;

	return stat("/proc/self/ns/user", &st) == 0 && st.st_ino == FIRST_USER_NAMESPACE;
}
