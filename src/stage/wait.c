/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Init's wait for its start.
 *
 * Theory of operation. Init listens on a socket in the state directory, which it keeps although it
 * cannot reach that directory any more. Whoever connects and says "go" starts it; whoever connects
 * and says nothing (a starter that was stopped, a look whether init still waits) must not hold up
 * others, so several may be connected, and the oldest goes when they are too many. The first "go"
 * is acknowledged and ends the listening: nobody else gets an acknowledgement.
 *
 * While it waits, init is a process like any other for whoever wants to end it: as pid 1 of its
 * namespace it would ignore every signal that it does not handle, so it handles those that end a
 * process by default.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "berth/base/fd.h"
#include "berth/base/signals.h"
#include "berth/base/str.h"
#include "berth/stage/message.h"

#include "stage-internal.h"

/* So many may be connected at once; looks hang up by themselves. */
#define STARTERS_MAX 8

static const int ending_signals[] = {
	SIGHUP,	 SIGINT,  SIGQUIT, SIGILL,  SIGTRAP, SIGABRT,	SIGBUS,	 SIGFPE,  SIGUSR1, SIGSEGV,
	SIGUSR2, SIGPIPE, SIGALRM, SIGTERM, SIGXCPU, SIGVTALRM, SIGPROF, SIGXFSZ, SIGSYS,
};

static _Noreturn void end_by_signal(int signal_number_)
{
	_exit(128 + signal_number_);
}

static void handle_signals(void)
{
	struct sigaction action = {.sa_handler = end_by_signal};
	sigset_t none;

	for (size_t i = 0; i < ARRAY_SIZE(ending_signals); i++)
		sigaction(ending_signals[i], &action, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Reads what a starter says. 1: it said go; 0: it hung up or spoke nonsense. */
static int said_go(int connection)
{
	struct error unheard = ERROR_NONE;
	struct message message;

	if (message_receive(connection, &message, NULL, &unheard) <= 0)
		return 0;
	return message.type == MESSAGE_GO;
}

/* Those who are connected and have said nothing yet, the oldest first. */
struct starters {
	int fds[STARTERS_MAX];
	size_t count;
};

static int take_starter(struct starters *starters, size_t i)
{
	int fd = starters->fds[i];

	starters->count--;
	memmove(&starters->fds[i], &starters->fds[i + 1],
		(starters->count - i) * sizeof(starters->fds[0]));
	return fd;
}

static void starters_done(struct starters *starters)
{
	while (starters->count)
		fd_close(take_starter(starters, 0));
}

#define _cleanup_starters_ __attribute__((cleanup(starters_done)))

static void admit(struct starters *starters, int listenfd)
{
	int fd;

	if (starters->count == STARTERS_MAX)
		fd_close(take_starter(starters, 0));
	fd = accept4(listenfd, NULL, NULL, SOCK_CLOEXEC);
	/* The container's limit may leave no more descriptors than one. */
	if (fd < 0 && starters->count) {
		fd_close(take_starter(starters, 0));
		fd = accept4(listenfd, NULL, NULL, SOCK_CLOEXEC);
	}
	if (fd >= 0)
		starters->fds[starters->count++] = fd;
}

/* Hears those who speak. The connection of the one who said go, or a negative number. */
static int hear(struct starters *starters, const struct pollfd *polls)
{
	for (size_t i = starters->count; i-- > 0;) {
		if (!polls[i].revents)
			continue;
		if (said_go(starters->fds[i]))
			return take_starter(starters, i);
		fd_close(take_starter(starters, i));
	}
	return -EBADF;
}

/* Listens until somebody says go; returns that connection. */
static int listen_for_go(int listenfd, struct error *err)
{
	_cleanup_starters_ struct starters starters = {.count = 0};
	int connection = -EBADF;

	while (connection < 0) {
		struct pollfd polls[STARTERS_MAX + 1] = {0};
		struct pollfd *listening = &polls[starters.count];

		for (size_t i = 0; i < starters.count; i++)
			polls[i] = (struct pollfd){.fd = starters.fds[i], .events = POLLIN};
		*listening = (struct pollfd){.fd = listenfd, .events = POLLIN};
		if (poll(polls, starters.count + 1, -1) < 0 && errno != EINTR)
			return fail(err, -errno, "wait for the start");
		connection = hear(&starters, polls);
		if (connection < 0 && listening->revents)
			admit(&starters, listenfd);
	}
	return connection;
}

/* create: the parent says when the state is written; until then init dies with it. */
static int wait_for_commit(int socket, struct error *err)
{
	struct message message;
	int r = message_wait(socket, NULL, -1, &message, err);

	if (r < 0)
		return r;
	/* The parent ended: so do we. */
	if (r == 0 || message.type != MESSAGE_COMMIT)
		_exit(1);
	prctl(PR_SET_PDEATHSIG, 0);
	return message_send(socket, MESSAGE_ACK, err);
}

/* run: the parent starts init itself, over the socket they have. */
static int wait_for_parent(int socket, struct error *err)
{
	struct message message;
	int r = message_wait(socket, NULL, -1, &message, err);

	if (r < 0)
		return r;
	if (r == 0 || message.type != MESSAGE_GO)
		_exit(1);
	prctl(PR_SET_PDEATHSIG, 0);
	return message_send(socket, MESSAGE_ACK, err);
}

int wait_for_start(const struct launch *launch, int socket, int *ret_report, struct error *err)
{
	_cleanup_fd_ int connection = -EBADF;
	int r;

	if (launch->listenfd < 0) {
		r = wait_for_parent(socket, err);
		if (r >= 0)
			*ret_report = socket;
	} else {
		handle_signals();
		r = wait_for_commit(socket, err);
		if (r < 0)
			return r;
		/* Nobody listens there any more: whoever starts us hears of failures. */
		fd_close(socket);
		connection = listen_for_go(launch->listenfd, err);
		if (connection < 0)
			return connection;
		r = message_send(connection, MESSAGE_ACK, err);
		*ret_report = take_fd(&connection);
	}
	signals_reset();
	return r;
}
