/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Namespaces: opening those that are to be joined, joining them, making new ones.
 *
 * Theory of operation. A path in linux.namespaces[] is the host's, and is opened once, by the
 * parent, before anything is made. What it names may be any file by mistake (a path under /proc/PID
 * of a process that is gone, a regular file where a bind mount of a namespace once was), so its
 * kind is asked of the kernel and not guessed from its name. From then on the descriptor is used:
 * the path may mean something else a moment later.
 */
#include "berth/linux/namespaces.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "berth/base/fd.h"
#include "berth/base/proc.h"
#include "berth/base/str.h"

static const unsigned flags[] = {
	[NAMESPACE_CGROUP] = CLONE_NEWCGROUP, [NAMESPACE_IPC] = CLONE_NEWIPC,
	[NAMESPACE_MOUNT] = CLONE_NEWNS,      [NAMESPACE_NETWORK] = CLONE_NEWNET,
	[NAMESPACE_PID] = CLONE_NEWPID,	      [NAMESPACE_TIME] = CLONE_NEWTIME,
	[NAMESPACE_USER] = CLONE_NEWUSER,     [NAMESPACE_UTS] = CLONE_NEWUTS,
};

static_assert(ARRAY_SIZE(flags) == NAMESPACE_MAX, "one flag for each kind of namespace");

unsigned namespace_flag(enum namespace_kind kind)
{
	return flags[kind];
}

/* The kind that has the CLONE_NEW… flag @flag, for messages. */
static const char *kind_name(unsigned flag)
{
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		if (flags[i] == flag)
			return namespace_names[i];
	}
	return "unknown";
}

/* Returns the descriptor of @path, which is a namespace of @kind. */
static int open_one(const char *path, enum namespace_kind kind, struct error *err)
{
	/* O_NONBLOCK: a fifo of this name must not hold us up. */
	_cleanup_fd_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	int found;

	if (fd < 0)
		return fail(err, -errno, "open \"%s\"", path);
	found = ioctl(fd, NS_GET_NSTYPE);
	if (found < 0 && (errno == ENOTTY || errno == EBADF))
		return refuse(err, "\"%s\" is not a namespace", path);
	if (found < 0)
		return fail(err, -errno, "ask for the kind of namespace \"%s\"", path);
	if ((unsigned)found != flags[kind])
		return refuse(err, "\"%s\" is a namespace of kind %s, not %s", path,
			      kind_name((unsigned)found), namespace_names[kind]);
	return take_fd(&fd);
}

int namespaces_open(const struct spec_namespace namespaces[static NAMESPACE_MAX],
		    int fds[static NAMESPACE_MAX], struct error *err)
{
	int r = 0;

	for (int kind = 0; kind < NAMESPACE_MAX; kind++)
		fds[kind] = -EBADF;
	for (int kind = 0; kind < NAMESPACE_MAX && r >= 0; kind++) {
		const struct spec_namespace *namespace = &namespaces[kind];

		if (!namespace->wanted || !namespace->path)
			continue;
		r = open_one(namespace->path, (enum namespace_kind)kind, err);
		if (r < 0)
			within(err, r, "linux.namespaces[%zu].path", namespace->index);
		fds[kind] = r;
	}
	if (r >= 0)
		return 0;
	for (int kind = 0; kind < NAMESPACE_MAX; kind++)
		fds[kind] = fd_close(fds[kind]);
	return r;
}

int user_namespace_open(int procfd, pid_t pid, struct error *err)
{
	_cleanup_fd_ int directory = -EBADF;
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "%d/ns", pid);
	directory = proc_open_at(procfd, path, O_PATH | O_DIRECTORY, err);
	if (directory < 0)
		return directory;
	fd = openat(directory, "user", O_RDONLY | O_CLOEXEC);
	return fd < 0 ? fail(err, -errno, "open \"/proc/%d/ns/user\"", pid) : fd;
}

/* What the errors of setns(2) mean that its errno alone does not tell. */
static const char *join_hint(int code, enum namespace_kind kind)
{
	switch (code) {
	case -EPERM:
		return " (joining needs CAP_SYS_ADMIN in the namespace's user namespace)";
	case -EINVAL:
		if (kind == NAMESPACE_USER)
			return " (it is the caller's own already, or the caller has threads)";
		if (kind == NAMESPACE_PID)
			return " (it is not below the caller's own)";
		return "";
	case -ENOMEM:
		return kind == NAMESPACE_PID ? " (its init has ended)" : "";
	default:
		return "";
	}
}

int namespace_join(int fd, enum namespace_kind kind, struct error *err)
{
	int r;

	if (setns(fd, (int)flags[kind]) >= 0)
		return 0;
	r = -errno;
	return fail(err, r, "join the %s namespace%s", namespace_names[kind], join_hint(r, kind));
}

static const char *unshare_hint(int code, enum namespace_kind kind)
{
	switch (code) {
	case -EPERM:
		return kind == NAMESPACE_USER
			       ? " (are user namespaces switched off for users, or is the root "
				 "directory changed by chroot?)"
			       : " (it needs CAP_SYS_ADMIN)";
	case -ENOSPC:
	case -EUSERS:
		return " (too many namespaces: see /proc/sys/user/max_*_namespaces)";
	case -EINVAL:
		return " (the kernel has no namespaces of this kind)";
	default:
		return "";
	}
}

int namespace_unshare(enum namespace_kind kind, struct error *err)
{
	int r;

	if (unshare((int)flags[kind]) >= 0)
		return 0;
	r = -errno;
	return fail(err, r, "make a %s namespace%s", namespace_names[kind], unshare_hint(r, kind));
}
