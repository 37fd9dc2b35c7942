/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keeping berth's own binary out of the container's reach.
 *
 * Theory of operation. A container can have berth's binary executed inside (its entrypoint begins
 * with "#!/proc/self/exe"), and then another of its processes opens /proc/PID/exe for writing once
 * nobody executes the file any more: root of the container overwrites the host's berth. So a
 * process that will execute the container's code must not have the host's writable file as its
 * exe. It executes itself again from a detached read-only clone of the file's mount, through which
 * the file cannot be opened for writing whatever rights one has; where no mount may be cloned (not
 * root), from a sealed copy in memory, which is nobody's binary.
 *
 * The clone is referred to by nothing but the exe itself once the descriptor is closed at exec.
 * That matters: as long as somebody holds that descriptor the clone still has a mount namespace,
 * and root of the container could take "read-only" back by mount_setattr(2) on /proc/PID/exe.
 *
 * Where the file is out of the containers' reach by its owner (a user runs root's berth) nothing of
 * that is needed.
 *
 * No loop: what is executed again checks its own exe and not a promise of its environment. Should
 * it not be protected even then (an emulator between us and the kernel), the kernel's own record
 * of how it was executed (AT_EXECFN, "/dev/fd/N" with an N that only this file uses) makes it fail.
 */
#include "berth/linux/selfexe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "berth/base/fd.h"
#include "berth/base/proc.h"
#include "berth/base/str.h"
#include "berth/base/sys.h"

#define EXE_LINK "/proc/self/exe"

/* Lowest number of the descriptor that is executed; what is executed again knows itself by it. */
#define EXEC_FD_MIN 48

/* KERNEL(6.3): says that the file will be executed; where vm.memfd_noexec is 2, required. */
#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif

#define SEALS (F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

/* Whether this process was executed by execute_again(). */
static bool is_executed_again(void)
{
	/* The auxiliary vector holds a pointer here. NOLINTNEXTLINE(performance-no-int-to-ptr) */
	const char *name = (const char *)getauxval(AT_EXECFN);
	const char prefix[] = "/dev/fd/";
	uint32_t number;

	return name && str_starts(name, prefix) &&
	       str_to_u32(name + sizeof(prefix) - 1, &number) >= 0 && number >= EXEC_FD_MIN;
}

static bool is_read_only(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) == 0 && (fs.f_flags & ST_RDONLY);
}

/* Seals can be asked for only through a descriptor that is open for reading. */
static bool is_sealed(void)
{
	_cleanup_fd_ int fd = open(EXE_LINK, O_RDONLY | O_CLOEXEC);
	int seals = fd < 0 ? -1 : fcntl(fd, F_GET_SEALS);

	return seals >= 0 && (seals & SEALS) == SEALS;
}

static bool is_protected(void)
{
	_cleanup_fd_ int fd = open(EXE_LINK, O_PATH | O_CLOEXEC);
	struct statfs fs;

	if (fd < 0 || fstatfs(fd, &fs) < 0)
		return false;
	return (fs.f_flags & ST_RDONLY) || (fs.f_type == TMPFS_MAGIC && is_sealed());
}

/*
 * A file that the caller may not write, of root's, is out of the reach of his containers as well:
 * he can map his own id and those that /etc/subuid gives him, so that in there the file's owner is
 * nobody over whose files root has a right.
 */
static bool is_out_of_reach(void)
{
	const mode_t others = S_IWGRP | S_IWOTH; /* an ACL would show in the group's bits */
	struct stat st;

	return geteuid() != 0 && sys_capabilities() == 0 && stat(EXE_LINK, &st) == 0 &&
	       st.st_uid == 0 && !(st.st_mode & others);
}

/* Executes the file @fd; returns only if that failed. */
static int execute_again(int fd, char *const argv[], char *const envp[], struct error *err)
{
	/* Above EXEC_FD_MIN, and closed by the exec. */
	_cleanup_fd_ int high = fcntl(fd, F_DUPFD_CLOEXEC, EXEC_FD_MIN);
	int r;

	if (high < 0)
		return fail(err, -errno, "take descriptor %d (is RLIMIT_NOFILE too low?)",
			    EXEC_FD_MIN);
	r = sys_execveat(high, "", (const char *const *)argv, (const char *const *)envp,
			 AT_EMPTY_PATH);
	return fail(err, r, "execute berth again");
}

static int open_read_only_clone(struct error *err)
{
	_cleanup_fd_ int fd = sys_open_tree(AT_FDCWD, EXE_LINK, OPEN_TREE_CLONE);
	struct mount_attr read_only = {.attr_set = MOUNT_ATTR_RDONLY};
	int r;

	if (fd < 0)
		return fail(err, fd, "clone the mount of \"%s\"", EXE_LINK);
	r = sys_mount_setattr(fd, "", AT_EMPTY_PATH, &read_only);
	if (r < 0)
		return fail(err, r, "make a clone of \"%s\" read-only", EXE_LINK);
	if (!is_read_only(fd))
		return refuse_as(err, -EIO, "the clone of \"%s\" is not read-only", EXE_LINK);
	return take_fd(&fd);
}

static int copy_file(int from, int to)
{
	struct stat st;
	off_t left;

	if (fstat(from, &st) < 0)
		return -errno;
	for (left = st.st_size; left > 0;) {
		ssize_t n = sendfile(to, from, NULL, (size_t)left);

		if (n < 0)
			return -errno;
		if (n == 0)
			return -EIO; /* cut short while we read it */
		left -= n;
	}
	return 0;
}

static int open_memfd(void)
{
	const unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
	int fd = memfd_create("berth", flags | MFD_EXEC);

	if (fd < 0 && errno == EINVAL)
		fd = memfd_create("berth", flags);
	return fd < 0 ? -errno : fd;
}

static int open_sealed_copy(struct error *err)
{
	_cleanup_fd_ int exe = open(EXE_LINK, O_RDONLY | O_CLOEXEC);
	_cleanup_fd_ int copy = -EBADF;
	char path[FD_PATH_MAX];
	int r;

	if (exe < 0)
		return fail(err, -errno, "open \"%s\"", EXE_LINK);
	copy = open_memfd();
	if (copy < 0)
		return fail(err, copy, "make a file in memory");
	r = copy_file(exe, copy);
	if (r < 0)
		return fail(err, r, "copy \"%s\"", EXE_LINK);
	if (fcntl(copy, F_ADD_SEALS, SEALS) < 0)
		return fail(err, -errno, "seal a copy of \"%s\"", EXE_LINK);
	/* A file that is open for writing cannot be executed. */
	fd_path(copy, path);
	r = open(path, O_RDONLY | O_CLOEXEC);
	return r < 0 ? fail(err, -errno, "open a copy of \"%s\"", EXE_LINK) : r;
}

static int protect_by_clone(char *const argv[], char *const envp[], struct error *err)
{
	_cleanup_fd_ int fd = open_read_only_clone(err);

	return fd < 0 ? fd : execute_again(fd, argv, envp, err);
}

static int protect_by_copy(char *const argv[], char *const envp[], struct error *err)
{
	_cleanup_fd_ int fd = open_sealed_copy(err);

	return fd < 0 ? fd : execute_again(fd, argv, envp, err);
}

int selfexe_protect(char *const argv[], char *const envp[], struct error *err)
{
	bool again = is_executed_again();
	int r;

	if (is_out_of_reach())
		return 0;
	if (is_protected()) {
		/* KERNEL(6.14): before, a process that was executed by descriptor is named "48".
		 */
		if (again)
			prctl(PR_SET_NAME, "berth");
		return 0;
	}
	if (again)
		return refuse_as(err, -ELOOP,
				 "protect berth's own binary: it is writable even after it was "
				 "executed again");
	r = protect_by_clone(argv, envp, err);
	if (r < 0)
		r = protect_by_copy(argv, envp, err);
	return within(err, r, "protect berth's own binary");
}
