/* SPDX-License-Identifier: Apache-2.0 */
/* Questions to another program, one at a time. */
#include "berth/base/companion.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "berth/base/alloc.h"
#include "berth/base/clock.h"
#include "berth/base/fd.h"

#include "spawn-internal.h"

int companion_start(const struct spawn *what, struct companion *ret, struct error *err)
{
	_cleanup_child_pipes_ struct child_pipes pipes = CHILD_PIPES_UNSET;
	_cleanup_fd_ int ours = -EBADF, theirs = -EBADF;
	struct companion companion = COMPANION_UNSET;
	int pair[2], r;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return fail(err, -errno, "make a socket pair");
	ours = pair[0];
	theirs = pair[1];
	r = child_pipes_open(&pipes, err);
	if (r >= 0)
		r = child_start(what, theirs, &pipes, &companion.ref, err);
	if (r < 0)
		return r;
	companion.path = xstrdup(what->path);
	companion.socket = take_fd(&ours);
	companion.errorfd = take_fd(&pipes.stderr_read);
	companion.report = take_fd(&pipes.report_read);
	*ret = companion;
	return 0;
}

/* It is killed, and what is known of its end is told. */
static int give_up(struct companion *companion, int code, const char *how, struct error *err)
{
	const struct child_pipes pipes = {.report_read = companion->report};
	struct tail tail = {.size = 0};
	int failed;

	/* Only then nothing more is written. */
	pidref_kill_and_reap(&companion->ref);
	failed = child_failed(&pipes);
	if (failed < 0) {
		code = fail(err, failed, "execute \"%s\"", companion->path);
	} else {
		tail_drain(&tail, companion->errorfd);
		tail_finish(&tail);
		refuse_as(err, code, "\"%s\" %s%s%.*s", companion->path, how, tail.size ? ": " : "",
			  (int)tail.size, tail.data);
	}
	companion_done(companion);
	return code;
}

static int send_question(struct companion *companion, const char *question, size_t size,
			 struct error *err)
{
	ssize_t n;

	if (size > COMPANION_MESSAGE_MAX)
		return refuse_as(err, -E2BIG, "a question to \"%s\" has %zu bytes, and %u at most",
				 companion->path, size, COMPANION_MESSAGE_MAX);
	do
		n = send(companion->socket, question, size, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	/* One that has hung up says why below. */
	if (n < 0 && errno != EPIPE && errno != ECONNRESET)
		return fail(err, -errno, "ask \"%s\"", companion->path);
	return 0;
}

/* 1: there is an answer, or the end of the conversation; 0: not in time. */
static int wait_for_answer(int socket, int timeout_ms)
{
	const int64_t end = clock_now_ms() + timeout_ms;
	struct pollfd waited = {.fd = socket, .events = POLLIN};

	for (;;) {
		int64_t left = end - clock_now_ms();
		int r = poll(&waited, 1, left > 0 ? (int)left : 0);

		if (r > 0)
			return 1;
		if (r < 0 && errno != EINTR)
			return -errno;
		if (left <= 0)
			return 0;
	}
}

int companion_ask(struct companion *companion, const char *question, size_t size, int timeout_ms,
		  char **ret_answer, struct error *err)
{
	_cleanup_free_ char *answer = NULL;
	ssize_t n;
	int r;

	if (companion->socket < 0)
		return refuse_as(err, -ECHILD, "the program to be asked has ended");
	r = send_question(companion, question, size, err);
	if (r < 0)
		return r;
	r = wait_for_answer(companion->socket, timeout_ms);
	if (r < 0)
		return fail(err, r, "wait for an answer of \"%s\"", companion->path);
	if (r == 0) {
		_cleanup_free_ char *how =
			xasprintf("has not answered within %d s and was killed", timeout_ms / 1000);

		return give_up(companion, -ETIMEDOUT, how, err);
	}
	answer = xcalloc(COMPANION_MESSAGE_MAX + 1, 1);
	n = recv(companion->socket, answer, COMPANION_MESSAGE_MAX, MSG_TRUNC);
	if (n > (ssize_t)COMPANION_MESSAGE_MAX)
		return give_up(companion, -EMSGSIZE, "has sent too long an answer", err);
	if (n <= 0)
		return give_up(companion, -ECHILD, "has ended without an answer", err);
	*ret_answer = take_ptr(&answer);
	return 0;
}

void companion_done(struct companion *companion)
{
	pidref_kill_and_reap(&companion->ref);
	companion->socket = fd_close(companion->socket);
	companion->errorfd = fd_close(companion->errorfd);
	companion->report = fd_close(companion->report);
	free(take_ptr(&companion->path));
}
