/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Running a program to its end.
 *
 * Theory of operation. The child is a process group of its own, so that a time-out ends what it
 * started too. Its standard input is a memfd, which never blocks the writer and never breaks with
 * SIGPIPE. Its standard error is a pipe of which the last part is kept; the end is the child's exit
 * (its pidfd), not the pipe's hang-up, which a daemon that it left behind might hold open. Why it
 * could not be executed comes back through a second pipe that closes at exec.
 */
#include "berth/base/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "berth/base/clock.h"
#include "berth/base/fd.h"
#include "berth/base/pidref.h"
#include "berth/base/signals.h"
#include "berth/base/sys.h"

#include "spawn-internal.h"

/* What says that the caller wants no more of it may be set by a signal that met another thread. */
#define CANCEL_WATCH_MS 50

static int open_input(const struct spawn *what, struct error *err)
{
	_cleanup_fd_ int fd = memfd_create("berth-input", MFD_CLOEXEC);
	int r;

	if (fd < 0)
		return fail(err, -errno, "make the standard input of \"%s\"", what->path);
	r = what->input ? fd_write_all(fd, what->input, what->input_size) : 0;
	if (r < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return fail(err, r < 0 ? r : -errno, "write the standard input of \"%s\"",
			    what->path);
	return take_fd(&fd);
}

/* Puts the three descriptors at 0 to 2. They are all above 2 themselves. */
static int place_stdio(const int stdio[3])
{
	for (int i = 0; i < 3; i++) {
		if (dup2(stdio[i], i) < 0)
			return -errno;
	}
	return 0;
}

/* The child, between clone and exec. Returns negative errno: what failed. */
static int child(const struct spawn *what, const int stdio[3], int report_fd)
{
	const char *const plain[] = {what->path, NULL}, *const empty[] = {NULL};
	struct pollfd parent = {.fd = report_fd};
	int r;

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* The parent's end of the pipe is closed: it died before the line above took hold. */
	if (poll(&parent, 1, 0) > 0 && (parent.revents & POLLERR))
		return -ESRCH;
	signals_reset();
	r = place_stdio(stdio);
	if (r >= 0 && what->cwdfd >= 0 && fchdir(what->cwdfd) < 0)
		r = -errno;
	if (r < 0)
		return r;
	r = sys_close_range(3, ~0u, CLOSE_RANGE_CLOEXEC);
	if (r < 0)
		return r;
	execve(what->path, (char *const *)(what->argv ? what->argv : plain),
	       (char *const *)(what->envp ? what->envp : empty));
	return -errno;
}

void child_pipes_done(struct child_pipes *pipes)
{
	fd_close(pipes->stderr_read);
	fd_close(pipes->stderr_write);
	fd_close(pipes->report_read);
	fd_close(pipes->report_write);
}

int child_pipes_open(struct child_pipes *pipes, struct error *err)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return fail(err, -errno, "make a pipe");
	pipes->stderr_read = fds[0];
	pipes->stderr_write = fds[1];
	if (pipe2(fds, O_CLOEXEC) < 0)
		return fail(err, -errno, "make a pipe");
	pipes->report_read = fds[0];
	pipes->report_write = fds[1];
	/* The writer keeps its blocking end: only the reading side must never wait. */
	if (fcntl(pipes->stderr_read, F_SETFL, O_NONBLOCK) < 0)
		return fail(err, -errno, "set up a pipe");
	return 0;
}

/* Moves a descriptor out of the way of 0 to 2, should the caller have had those closed. */
static int keep_high(int fd, int *copy, struct error *err)
{
	*copy = fd_dup(fd, err);
	return *copy < 0 ? *copy : 0;
}

int child_start(const struct spawn *what, int input, struct child_pipes *pipes, struct pidref *ret,
		struct error *err)
{
	_cleanup_fd_ int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	_cleanup_fd_ int in = -EBADF, out = -EBADF, errors = -EBADF, report = -EBADF;
	struct clone_args args = {.flags = CLONE_PIDFD, .exit_signal = SIGCHLD};
	int pidfd = -EBADF, pid, r;

	if (null < 0)
		return fail(err, -errno, "open \"/dev/null\"");
	r = keep_high(input, &in, err);
	if (r >= 0)
		r = keep_high(what->outputfd > 0 ? what->outputfd : null, &out, err);
	if (r >= 0)
		r = keep_high(pipes->stderr_write, &errors, err);
	if (r >= 0)
		r = keep_high(pipes->report_write, &report, err);
	if (r < 0)
		return r;
	args.pidfd = (uintptr_t)&pidfd;
	pid = sys_clone3(&args);
	if (pid == 0) {
		/* The parent's copies would keep its own end of the pipe from hanging up. */
		fd_close(pipes->report_read);
		fd_close(pipes->report_write);
		r = child(what, (const int[3]){in, out, errors}, report);
		ignore(fd_write_all(report, &r, sizeof(r)));
		_exit(127);
	}
	if (pid < 0)
		return fail(err, pid, "start \"%s\"", what->path);
	*ret = (struct pidref){.pid = pid, .fd = pidfd};
	pipes->stderr_write = fd_close(pipes->stderr_write);
	pipes->report_write = fd_close(pipes->report_write);
	return 0;
}

int child_failed(const struct child_pipes *pipes)
{
	int failed = 0;

	return read(pipes->report_read, &failed, sizeof(failed)) == sizeof(failed) ? failed : 0;
}

/* Ends the whole group; its leader is reaped by the caller. */
static void kill_group(const struct pidref *ref)
{
	kill(-ref->pid, SIGKILL);
	ignore(pidref_signal(ref, SIGKILL));
}

/* Waits for the exit, keeping the standard error. Returns 1 (exited), 0 (time is up). */
static int attend(const struct spawn *what, const struct pidref *ref, int stderr_fd,
		  struct tail *tail)
{
	int64_t end = clock_now_ms() + what->timeout_ms;
	struct pollfd polls[2] = {{.fd = ref->fd, .events = POLLIN},
				  {.fd = stderr_fd, .events = POLLIN}};
	bool exited = false;

	while (!exited) {
		int64_t left = what->timeout_ms < 0 ? INT_MAX : end - clock_now_ms();

		if (left <= 0)
			return 0;
		if (what->cancelled && atomic_load(what->cancelled))
			return -ECANCELED;
		if (what->cancelled && left > CANCEL_WATCH_MS)
			left = CANCEL_WATCH_MS;
		if (poll(polls, 2, (int)left) < 0 && errno != EINTR)
			return -errno;
		exited = polls[0].revents != 0;
		if (polls[1].revents && !tail_drain(tail, stderr_fd))
			polls[1].fd = -1;
		polls[0].revents = polls[1].revents = 0;
	}
	tail_drain(tail, stderr_fd);
	return 1;
}

/* @r: what attend() returned. */
static int verdict(const struct spawn *what, int r, int status, const struct tail *tail,
		   struct error *err)
{
	int length = (int)tail->size;
	const char *colon = length ? ": " : "";

	if (r == 0)
		return refuse_as(err, -ETIMEDOUT,
				 "\"%s\" did not end within %d s and was killed%s%.*s", what->path,
				 what->timeout_ms / 1000, colon, length, tail->data);
	if (WIFSIGNALED(status)) {
		const char *name = signal_name(WTERMSIG(status));

		return refuse_as(err, -ECHILD, "\"%s\" was killed by signal %d (%s)%s%.*s",
				 what->path, WTERMSIG(status), name ? name : "real-time", colon,
				 length, tail->data);
	}
	if (WEXITSTATUS(status))
		return refuse_as(err, -ECHILD, "\"%s\" exited with status %d%s%.*s", what->path,
				 WEXITSTATUS(status), colon, length, tail->data);
	return 0;
}

static int finish(const struct spawn *what, struct pidref *ref, struct child_pipes *pipes,
		  struct error *err)
{
	struct tail tail = {.size = 0};
	int failed, status = 0;
	int r = attend(what, ref, pipes->stderr_read, &tail);

	if (r <= 0)
		kill_group(ref);
	if (pidref_reap(ref, &status) < 0)
		status = W_EXITCODE(1, 0);
	if (r < 0)
		return fail(err, r, "wait for \"%s\"", what->path);
	failed = child_failed(pipes);
	if (failed < 0)
		return fail(err, failed, "execute \"%s\"", what->path);
	tail_finish(&tail);
	return verdict(what, r, status, &tail, err);
}

int spawn_wait(const struct spawn *what, struct error *err)
{
	_cleanup_child_pipes_ struct child_pipes pipes = CHILD_PIPES_UNSET;
	_cleanup_child_ struct pidref ref = PIDREF_UNSET;
	_cleanup_fd_ int input = open_input(what, err);
	int r = input < 0 ? input : child_pipes_open(&pipes, err);

	if (r >= 0)
		r = child_start(what, input, &pipes, &ref, err);
	if (r < 0)
		return r;
	r = finish(what, &ref, &pipes, err);
	/* Reaped: there is nothing left to kill. */
	pidref_done(&ref);
	return r;
}
