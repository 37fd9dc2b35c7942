/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The birth of a container's process: clone3(2) into its cgroup, and, where a pid namespace is to
 * be joined, in that namespace. setns(2) with a pid namespace holds for the caller's children only,
 * so it is entered right before the clone and left right after it. Who could not return, as an
 * engine's user namespace cannot to the host's pid namespace, has that done by a process aside,
 * whose sibling (CLONE_PARENT) the new one becomes.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "berth/base/fd.h"
#include "berth/base/proc.h"
#include "berth/base/sys.h"
#include "berth/cgroup/stats.h"

#include "stage-internal.h"

static const char *clone_hint(unsigned flags, int code)
{
	switch (-code) {
	case EPERM:
		return flags & CLONE_NEWUSER
			       ? " (are user namespaces switched off for users, or is the root "
				 "directory changed by chroot?)"
			       : " (making namespaces needs root)";
	case EACCES:
		return " (the cgroup is not delegated to the user)";
	case ENOSPC:
		return " (a limit in /proc/sys/user/max_*_namespaces or pids.max is reached)";
	case EAGAIN:
		return " (a limit on processes is reached: RLIMIT_NPROC, pids.max)";
	case EBUSY:
		return " (the cgroup has controllers enabled for its children)";
	case EOPNOTSUPP:
		return " (the cgroup takes no processes: see cgroup.type; one beside or above it "
		       "is "
		       "threaded)";
	case EINVAL:
		return " (the kernel lacks one of the namespaces)";
	case EUSERS:
		return " (user namespaces are nested too deeply)";
	default:
		return "";
	}
}

/* The newborn waits until the parent has moved it. The end of the pipe tells of the parent's death.
 */
static void wait_for_move(const int pipe_fds[static 2])
{
	char word;
	ssize_t n;

	fd_close(pipe_fds[1]);
	do
		n = read(pipe_fds[0], &word, 1);
	while (n < 0 && errno == EINTR);
	if (n != 1)
		_exit(1);
	fd_close(pipe_fds[0]);
}

static int move(const struct birth *birth, pid_t pid, int pipe_fd, struct error *err)
{
	char text[16];
	int size = snprintf(text, sizeof(text), "%d", pid);
	struct error refused = ERROR_NONE;
	int r = file_write_at(birth->cgroupfd, "cgroup.procs", text, (size_t)size, "cgroup.procs",
			      &refused);

	if (r == -EACCES && birth->unit)
		r = unit_attach(birth->unit, birth->subgroup, pid, err);
	else if (r < 0)
		*err = refused;
	if (r >= 0 && write(pipe_fd, "", 1) != 1)
		r = fail(err, -errno, "let the moved process go on");
	return r;
}

/*
 * The process is born in our cgroup and moved. For three cases: pids.max keeps a cgroup from
 * growing by clones, but not by moves, so that a container may begin with a limit of 0, and exec
 * reaches one that is full. KERNEL(6.14): CLONE_INTO_CGROUP compares how often the clone's own
 * cgroup and the new one have been killed by cgroup.kill, and kills the newborn where the numbers
 * differ. And an ordinary user may move nothing out of his login's session: there systemd does it
 * for him.
 */
static int clone_and_move(const struct birth *birth, struct clone_args args, struct pidref *ret,
			  struct error *err)
{
	int pipe_fds[2], pidfd = -EBADF, pid, r;

	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return fail(err, -errno, "make a pipe");
	args.flags &= ~(uint64_t)CLONE_INTO_CGROUP;
	args.pidfd = (uintptr_t)&pidfd;
	pid = sys_clone3(&args);
	if (pid == 0) {
		wait_for_move(pipe_fds);
		return 0;
	}
	fd_close(pipe_fds[0]);
	r = pid < 0 ? fail(err, pid, "clone %s%s", birth->what, clone_hint(birth->flags, pid))
		    : move(birth, pid, pipe_fds[1], err);
	fd_close(pipe_fds[1]);
	if (pid < 0)
		return r;
	*ret = (struct pidref){.pid = pid, .fd = pidfd};
	if (r < 0) {
		pidref_kill_and_reap(ret);
		return within(err, r, "move %s into its cgroup", birth->what);
	}
	return pid;
}

/*
 * Whether the newborn is dying by that defect. If one was killed for want of memory meanwhile, it
 * was this one: another would end the same way.
 */
static bool is_stillborn(const struct birth *birth, pid_t pid, uint64_t oom_kills)
{
	return birth->cgroupfd >= 0 && pidref_is_doomed(birth->procfd, pid) &&
	       cgroup_oom_kills(birth->cgroupfd) == oom_kills;
}

static int clone_here(const struct birth *birth, struct pidref *ret, struct error *err)
{
	uint64_t oom_kills = 0;
	int pidfd = -EBADF;
	struct clone_args args = {
		.flags = birth->flags | CLONE_PIDFD,
		.pidfd = (uintptr_t)&pidfd,
		/* A sibling of ours gets the signal that we have. */
		.exit_signal = birth->flags & CLONE_PARENT ? 0 : SIGCHLD,
	};
	int pid;

	if (birth->cgroupfd >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)birth->cgroupfd;
		oom_kills = cgroup_oom_kills(birth->cgroupfd);
	}
	pid = sys_clone3(&args);
	if ((pid == -EAGAIN || (pid == -EACCES && birth->unit)) && birth->cgroupfd >= 0)
		return clone_and_move(birth, args, ret, err);
	if (pid < 0)
		return fail(err, pid, "clone %s%s", birth->what, clone_hint(birth->flags, pid));
	if (pid > 0)
		*ret = (struct pidref){.pid = pid, .fd = pidfd};
	if (pid > 0 && is_stillborn(birth, pid, oom_kills)) {
		pidref_kill_and_reap(ret);
		return clone_and_move(birth, args, ret, err);
	}
	return pid;
}

static int clone_there(const struct birth *birth, struct pidref *ret, struct error *err)
{
	if (setns(birth->pid_namespace, CLONE_NEWPID) < 0)
		return fail(err, -errno, "join the container's pid namespace");
	return clone_here(birth, ret, err);
}

int process_clone(const struct birth *birth, struct pidref *ret, struct error *err)
{
	_cleanup_fd_ int directory = -EBADF, own = -EBADF;
	int r;

	if (birth->pid_namespace < 0)
		return clone_here(birth, ret, err);
	/* The middle process ends soon, wherever its children would be. */
	if (birth->flags & CLONE_PARENT)
		return clone_there(birth, ret, err);
	directory = proc_open_self(birth->procfd, "ns", O_PATH | O_DIRECTORY, err);
	if (directory < 0)
		return directory;
	own = openat(directory, "pid", O_RDONLY | O_CLOEXEC);
	if (own < 0)
		return fail(err, -errno, "open \"/proc/self/ns/pid\"");
	/* In a user namespace the own pid namespace may be the host's, which we have no right to.
	 */
	if (setns(own, CLONE_NEWPID) < 0)
		return clone_aside(birth, ret, err);
	r = clone_there(birth, ret, err);
	/* The child, which gets 0, is where it is to be; the parent's next children are not. */
	if (r != 0 && setns(own, CLONE_NEWPID) < 0 && r > 0) {
		pidref_kill_and_reap(ret);
		return fail(err, -errno, "return to the own pid namespace");
	}
	return r;
}

int init_clone(const struct launch *launch, const int sockets[static 2], int report,
	       struct pidref *ret, struct error *err)
{
	const bool by_middle = report >= 0;
	const struct birth birth = {
		.flags = launch->plan->clone_flags | (by_middle ? CLONE_PARENT : 0),
		/* The middle process is in the cgroup, and may have no right to it any more. */
		.cgroupfd = by_middle ? -EBADF : launch->cgroupfd,
		.unit = launch->unit,
		.pid_namespace =
			launch->plan->join_pid ? launch->namespace_fds[NAMESPACE_PID] : -EBADF,
		.procfd = launch->procfd,
		.what = "the container's init",
	};
	int r = process_clone(&birth, ret, err);

	if (r == 0) {
		fd_close(report);
		init_main(launch, sockets[1], sockets[0]);
	}
	return r < 0 ? r : 0;
}
