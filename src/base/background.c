/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Programs in the background.
 *
 * Theory of operation. Between its clone and the word to go the child reads a socket, whose
 * end-of-file, that of its starter, ends it. SIGPIPE is ignored in the program: nobody reads
 * its standard error once it has been left to itself.
 */
#include "berth/base/background.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "berth/base/fd.h"
#include "berth/base/signals.h"
#include "berth/base/sys.h"

#include "spawn-internal.h"

/* The child's descriptors, all above 3. */
struct ends {
	int null, errors, keep, go;
};

/* Puts 0 to 3 in their places and closes the others at exec. */
static int place(const struct ends *ends)
{
	if (dup2(ends->null, 0) < 0 || dup2(ends->null, 1) < 0 || dup2(ends->errors, 2) < 0 ||
	    (ends->keep >= 0 && dup2(ends->keep, 3) < 0))
		return -errno;
	return sys_close_range(ends->keep >= 0 ? 4 : 3, ~0u, CLOSE_RANGE_CLOEXEC);
}

static bool wait_for_go(int fd)
{
	char word;
	ssize_t n;

	do {
		n = read(fd, &word, 1);
	} while (n < 0 && errno == EINTR);
	return n == 1;
}

/* Returns negative errno: why nothing was executed; 0: it shall not. */
static int child(const struct spawn *what, const struct ends *ends)
{
	const char *const plain[] = {what->path, NULL}, *const empty[] = {NULL};
	const struct sigaction ignored = {.sa_handler = SIG_IGN};
	int r;

	setsid();
	signals_reset();
	sigaction(SIGPIPE, &ignored, NULL);
	r = place(ends);
	if (r >= 0 && what->cwdfd >= 0 && fchdir(what->cwdfd) < 0)
		r = -errno;
	if (r < 0 || !wait_for_go(ends->go))
		return r;
	execve(what->path, (char *const *)(what->argv ? what->argv : plain),
	       (char *const *)(what->envp ? what->envp : empty));
	return -errno;
}

/* A descriptor above 3, where the child's own are put. */
static int high(int fd)
{
	return fd < 0 ? -EBADF : fcntl(fd, F_DUPFD_CLOEXEC, 4);
}

static int start(const struct spawn *what, const int errors[2], const int go[2], int null,
		 int keepfd, struct background *ret)
{
	_cleanup_fd_ int null_copy = high(null), error_copy = high(errors[1]);
	_cleanup_fd_ int keep_copy = high(keepfd), go_copy = high(go[0]);
	const struct ends ends = {null_copy, error_copy, keep_copy, go_copy};
	struct clone_args args = {.flags = CLONE_PIDFD, .exit_signal = SIGCHLD};
	int pidfd = -EBADF, pid, r;

	if (null_copy < 0 || error_copy < 0 || go_copy < 0 || (keepfd >= 0 && keep_copy < 0))
		return -EMFILE;
	args.pidfd = (uintptr_t)&pidfd;
	pid = sys_clone3(&args);
	if (pid == 0) {
		/* Its own copy would keep the pipe from ending with the starter. */
		fd_close(go[1]);
		r = child(what, &ends);
		if (r < 0)
			ignore(fd_write_all(2, strerror(-r), strlen(strerror(-r))));
		_exit(127);
	}
	if (pid < 0)
		return pid;
	ret->ref = (struct pidref){.pid = pid, .fd = pidfd};
	return 0;
}

int background_prepare(const struct spawn *what, int keepfd, struct background *ret,
		       struct error *err)
{
	_cleanup_fd_ int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int errors[2] = {-EBADF, -EBADF}, go[2] = {-EBADF, -EBADF};
	int r = 0;

	*ret = (struct background)BACKGROUND_UNSET;
	if (null < 0 || pipe2(errors, O_CLOEXEC) < 0 || fcntl(errors[0], F_SETFL, O_NONBLOCK) < 0 ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, go) < 0)
		r = -errno;
	if (r >= 0)
		r = start(what, errors, go, null, keepfd, ret);
	fd_close(errors[1]);
	fd_close(go[0]);
	ret->errorfd = errors[0];
	ret->gofd = go[1];
	if (r < 0) {
		background_done(ret);
		return fail(err, r, "start \"%s\"", what->path);
	}
	return 0;
}

int background_go(struct background *background, struct error *err)
{
	/* A child that is gone has said why: what is waited for next will not come. */
	int r = send(background->gofd, "", 1, MSG_NOSIGNAL) < 0 && errno != EPIPE ? -errno : 0;

	background->gofd = fd_close(background->gofd);
	return r < 0 ? fail(err, r, "start the program") : 0;
}

int background_fail(struct background *background, struct error *err, int code, const char *format,
		    ...)
{
	char text[ERROR_TEXT_MAX];
	struct tail tail = {.size = 0};
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	/* Only then nothing more is written. */
	pidref_kill_and_reap(&background->ref);
	tail_drain(&tail, background->errorfd);
	tail_finish(&tail);
	background_done(background);
	return refuse_as(err, code, "%s%s%.*s", text, tail.size ? ": " : "", (int)tail.size,
			 tail.data);
}

void background_done(struct background *background)
{
	pidref_done(&background->ref);
	background->gofd = fd_close(background->gofd);
	background->errorfd = fd_close(background->errorfd);
}

void background_kill(struct background *background)
{
	pidref_kill_and_reap(&background->ref);
	background_done(background);
}
