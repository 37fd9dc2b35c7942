/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Network namespaces.
 *
 * Theory of operation. A pid or a path names a namespace only for a moment: the process may end and
 * its number be given to another, and a file in /run/netns may be mounted over. So a namespace is
 * opened once and from then on is its descriptor. What the descriptor is, is asked of the kernel;
 * whether it is the one that a lease means is decided by its cookie, which the kernel never gives
 * twice. berth-net has one thread, so that setns(2) and what follows act on the whole program.
 */
#include "netns.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "berth/base/log.h"
#include "berth/base/pidref.h"
#include "berth/base/proc.h"
#include "berth/base/str.h"

/* The exit status after a return that failed: the namespace is another's, nothing is safe to do. */
#define STATUS_LOST 1

/* Opens ns/net in the directory of a process, @path ("self" or a number), beneath /proc. */
static int open_of(int procfd, const char *path, struct error *err)
{
	_cleanup_fd_ int directory = -EBADF;
	char whole[32];
	int fd;

	snprintf(whole, sizeof(whole), "%s/ns", path);
	directory = str_equal(path, "self")
			    ? proc_open_self(procfd, "ns", O_PATH | O_DIRECTORY, err)
			    : proc_open_at(procfd, whole, O_PATH | O_DIRECTORY, err);
	if (directory < 0)
		return directory;
	fd = openat(directory, "net", O_RDONLY | O_CLOEXEC);
	return fd < 0 ? fail(err, -errno, "open \"/proc/%s/ns/net\"", path) : fd;
}

static int open_own(int procfd, struct error *err)
{
	return open_of(procfd, "self", err);
}

int netns_open_own(struct error *err)
{
	_cleanup_fd_ int procfd = proc_open(err);

	return procfd < 0 ? procfd : open_own(procfd, err);
}

static void go_back(int own)
{
	struct error err = ERROR_NONE;

	if (setns(own, CLONE_NEWNET) == 0)
		return;
	ignore(fail(&err, -errno, "return to the own network namespace"));
	log_error(&err);
	_exit(STATUS_LOST);
}

/* netns_visit() from a namespace that is open already. */
static int visit(int own, int nsfd, int (*act)(void *data, struct error *err), void *data,
		 struct error *err)
{
	int r;

	if (setns(nsfd, CLONE_NEWNET) < 0)
		return fail(err, -errno, "enter the network namespace of the container%s",
			    errno == EPERM ? " (it needs CAP_SYS_ADMIN)" : "");
	r = act(data, err);
	go_back(own);
	return r;
}

int netns_visit(int nsfd, int (*act)(void *data, struct error *err), void *data, struct error *err)
{
	_cleanup_fd_ int procfd = proc_open(err);
	_cleanup_fd_ int own = procfd < 0 ? procfd : open_own(procfd, err);

	return own < 0 ? own : visit(own, nsfd, act, data, err);
}

static int read_cookie(void *data, struct error *err)
{
	/* Of all sockets the cheapest. */
	_cleanup_fd_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	socklen_t size = sizeof(uint64_t);

	if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, data, &size) < 0)
		return fail(err, -errno, "ask for the cookie of a network namespace");
	return 0;
}

/* Refuses what is no network namespace, and the caller's own; fills in the cookie. */
static int check(int procfd, int nsfd, const char *what, uint64_t *ret_cookie, struct error *err)
{
	_cleanup_fd_ int own = open_own(procfd, err);
	struct stat ours, theirs;
	struct statfs fs;
	int kind;

	if (own < 0)
		return own;
	if (fstat(own, &ours) < 0 || fstat(nsfd, &theirs) < 0 || fstatfs(nsfd, &fs) < 0)
		return fail(err, -errno, "stat \"%s\"", what);
	/* Only of such a file it is known what ioctl(2) means. */
	kind = fs.f_type == NSFS_MAGIC ? ioctl(nsfd, NS_GET_NSTYPE) : 0;
	if (kind != CLONE_NEWNET)
		return refuse(err, "\"%s\" is not a network namespace", what);
	if (ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino)
		return refuse(err, "\"%s\" is the host's own network namespace", what);
	return visit(own, nsfd, read_cookie, ret_cookie, err);
}

int netns_open_pid(pid_t pid, uint64_t start_ticks, struct netns_id *ret_id, struct error *err)
{
	_cleanup_fd_ int procfd = proc_open(err), nsfd = -EBADF;
	_cleanup_pidref_ struct pidref process = PIDREF_UNSET;
	struct netns_id id = {.pid = pid, .start_ticks = start_ticks};
	char number[16], what[40];
	int r = procfd;

	if (r >= 0 && start_ticks == 0) {
		r = pidref_start_time(procfd, pid, &id.start_ticks, NULL);
		if (r < 0)
			return fail(err, r, "find process %d", pid);
	}
	if (r < 0)
		return r;
	r = pidref_open(procfd, pid, id.start_ticks, &process);
	if (r < 0)
		return fail(err, r, "find process %d", pid);
	snprintf(number, sizeof(number), "%d", pid);
	snprintf(what, sizeof(what), "/proc/%d/ns/net", pid);
	nsfd = open_of(procfd, number, err);
	if (nsfd < 0)
		return nsfd;
	/* It must have been this process's directory until now: nobody else had its number. */
	if (pidref_signal(&process, 0) == -ESRCH)
		return fail(err, -ESRCH, "open \"%s\"", what);
	r = check(procfd, nsfd, what, &id.cookie, err);
	if (r < 0)
		return r;
	*ret_id = id;
	return take_fd(&nsfd);
}

int netns_open_path(const char *path, struct netns_id *ret_id, struct error *err)
{
	/* O_NONBLOCK: a fifo of this name must not hold us up. */
	_cleanup_fd_ int nsfd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	_cleanup_fd_ int procfd = -EBADF;
	struct netns_id id = {.path = path};
	int r;

	if (nsfd < 0)
		return fail(err, -errno, "open \"%s\"", path);
	procfd = proc_open(err);
	if (procfd < 0)
		return procfd;
	r = check(procfd, nsfd, path, &id.cookie, err);
	if (r < 0)
		return r;
	*ret_id = id;
	return take_fd(&nsfd);
}

int netns_open(const struct netns_id *id, struct error *err)
{
	struct netns_id found = {.cookie = 0};
	_cleanup_fd_ int nsfd = id->path ? netns_open_path(id->path, &found, err)
					 : netns_open_pid(id->pid, id->start_ticks, &found, err);

	/* No such process; no namespace at that path any more. */
	if (nsfd == -ESRCH || nsfd == -EINVAL)
		return err->code = -ENOENT;
	if (nsfd >= 0 && found.cookie != id->cookie && id->path)
		return refuse_as(err, -ENOENT, "\"%s\" is another network namespace by now",
				 id->path);
	if (nsfd >= 0 && found.cookie != id->cookie)
		return refuse_as(err, -ENOENT, "process %d has another network namespace by now",
				 id->pid);
	return take_fd(&nsfd);
}

bool netns_is_alive(const struct netns_id *id)
{
	_cleanup_fd_ int nsfd = -EBADF;
	struct error err = ERROR_NONE;

	nsfd = netns_open(id, &err);
	return nsfd >= 0;
}
