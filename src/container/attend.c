/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Being there for a process in the foreground: signals go to it, its terminal is served, ended
 * children are reaped, its end is ours.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "berth/base/fd.h"
#include "berth/base/log.h"

#include "container-internal.h"
#include "sockets-internal.h"
#include "terminal-internal.h"

/* All but those that a fault of our own raises, and those that cannot be blocked. */
static void forwarded(sigset_t *set)
{
	static const int own[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS};

	sigfillset(set);
	for (size_t i = 0; i < ARRAY_SIZE(own); i++)
		sigdelset(set, own[i]);
}

int attend_prepare(bool subreaper, struct error *err)
{
	sigset_t set;

	forwarded(&set);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return fail(err, -errno, "block signals");
	if (subreaper && prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
		return fail(err, -errno, "become the reaper of orphans");
	return 0;
}

/* Reaps whatever has ended. True once @child was among it. */
static bool reap_all(const struct pidref *child, int *ret_status)
{
	int status;
	pid_t pid;
	bool ended = false;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == child->pid) {
			*ret_status = exit_code_of(status);
			ended = true;
		}
	}
	return ended;
}

/* What the terminal's own signals mean to a berth that serves another one. True: that was all. */
static bool heed(struct proxy *proxy, int number)
{
	switch (number) {
	case SIGWINCH:
		own_terminal_copy_size(proxy->terminal.master);
		return true;
	case SIGTSTP:
		own_terminal_stop();
		return true;
	case SIGCONT:
		own_terminal_resume();
		own_terminal_copy_size(proxy->terminal.master);
		return true;
	case SIGTTIN:
	case SIGTTOU:
		return true;
	default:
		return false;
	}
}

/* After the end of @child: whoever waits for its last output may be tired of it. */
static bool is_ending(int number)
{
	return number == SIGTERM || number == SIGINT || number == SIGHUP || number == SIGQUIT;
}

static void forward(const struct pidref *child, struct proxy *proxy, int signalfd_)
{
	struct signalfd_siginfo info;

	while (read(signalfd_, &info, sizeof(info)) == sizeof(info)) {
		int number = (int)info.ssi_signo;

		/* Its own children's ends are no news to it, nor what our writing raised. */
		if (number == SIGCHLD || (number == SIGPIPE && info.ssi_pid == (uint32_t)getpid()))
			continue;
		if (proxy_is_on(proxy) && heed(proxy, number))
			continue;
		if (proxy->ended && is_ending(number))
			proxy_abandon(proxy);
		/* It may be gone already. */
		ignore(pidref_signal(child, number));
	}
}

/*
 * What is said after it is read too, or the service would find its socket closed or full. The
 * container goes on where the manager cannot be told.
 */
static void pass_readiness(struct notify *notify)
{
	struct error unheard = ERROR_NONE;

	if (notify && notify->container >= 0 && notify_is_ready(notify) && notify->manager >= 0 &&
	    notify_pass_on(notify, /* main_pid= */ 0, &unheard) < 0)
		log_warning("%s", unheard.text);
}

int attend(const struct pidref *child, struct proxy *proxy, struct notify *notify, int *ret_status,
	   struct error *err)
{
	_cleanup_fd_ int signals = -EBADF;
	bool ended = false;
	sigset_t set;

	forwarded(&set);
	signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (signals < 0)
		return fail(err, -errno, "receive signals");
	for (;;) {
		struct pollfd polls[2 + PROXY_POLLS] = {
			{.fd = signals, .events = POLLIN},
			{.fd = notify ? notify->container : -1, .events = POLLIN},
		};
		nfds_t count = proxy_is_on(proxy) ? 2 + PROXY_POLLS : 2;
		int timeout = -1;

		ended = ended || reap_all(child, ret_status);
		pass_readiness(notify);
		if (ended && proxy_finish(proxy))
			return 0;
		if (proxy_is_on(proxy))
			timeout = proxy_polls(proxy, polls + 2);
		if (poll(polls, count, timeout) < 0 && errno != EINTR)
			return fail(err, -errno, "wait for the container");
		forward(child, proxy, signals);
		if (proxy_is_on(proxy))
			proxy_move(proxy, polls + 2);
	}
}
