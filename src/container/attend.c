/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Being there for a process in the foreground: signals go to it, ended children are reaped, its end
 * is ours.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "berth/base/fd.h"

#include "container-internal.h"

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

static void forward(const struct pidref *child, int signalfd_)
{
	struct signalfd_siginfo info;

	while (read(signalfd_, &info, sizeof(info)) == sizeof(info)) {
		/* Its own children's ends are no news to it; it may be gone already. */
		if (info.ssi_signo != SIGCHLD)
			ignore(pidref_signal(child, (int)info.ssi_signo));
	}
}

int attend(const struct pidref *child, int *ret_status, struct error *err)
{
	_cleanup_fd_ int signals = -EBADF;
	sigset_t set;

	forwarded(&set);
	signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (signals < 0)
		return fail(err, -errno, "receive signals");
	while (!reap_all(child, ret_status)) {
		struct pollfd poller = {.fd = signals, .events = POLLIN};

		if (poll(&poller, 1, -1) < 0 && errno != EINTR)
			return fail(err, -errno, "wait for the container");
		forward(child, signals);
	}
	return 0;
}
