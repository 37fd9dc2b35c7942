/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Init's wait for its start.
 *
 * Theory of operation. Init listens on a socket in the state directory, which it keeps although it
 * cannot reach that directory any more. Whoever connects and says "go" starts it; whoever connects
 * and says nothing (a starter that was stopped, a look whether init still waits) must not hold up
 * the next one, so the newest connection replaces an older silent one. The first "go" is
 * acknowledged and ends the listening: nobody else gets an acknowledgement.
 *
 * While it waits, init is a process like any other for whoever wants to end it: as pid 1 of its
 * namespace it would ignore every signal that it does not handle, so it handles those that end a
 * process by default.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "berth/base/fd.h"
#include "berth/base/signals.h"
#include "berth/base/str.h"
#include "berth/stage/message.h"

#include "stage-internal.h"

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

/* Listens until somebody says go; returns that connection. */
static int listen_for_go(int listenfd, struct error *err)
{
	_cleanup_fd_ int connection = -EBADF;

	for (;;) {
		struct pollfd polls[2] = {{.fd = listenfd, .events = POLLIN},
					  {.fd = connection, .events = POLLIN}};

		if (poll(polls, 2, -1) < 0 && errno != EINTR)
			return fail(err, -errno, "wait for the start");
		if (polls[1].revents) {
			if (said_go(connection))
				return take_fd(&connection);
			connection = fd_close(connection);
		} else if (polls[0].revents) {
			fd_close(connection);
			connection = accept4(listenfd, NULL, NULL, SOCK_CLOEXEC);
		}
	}
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
