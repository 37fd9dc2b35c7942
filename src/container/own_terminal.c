/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The terminal that berth itself runs on, while it serves another one.
 *
 * Theory of operation. Raw mode makes this terminal a mere wire: what is typed, ^C and ^Z among it,
 * means something to the container's terminal only. It must never stay behind, so leave() is called
 * by whatever ends berth: its normal end and errors (proxy_done()), a stop from outside, and
 * signals of a fault, whose handlers are the reason why the state is the file's own. SIGKILL leaves
 * no chance.
 *
 * Other jobs of the same shell use the terminal too. Modes are read and set only while berth's job
 * is in the foreground. All signals are blocked, so that the kernel neither stops nor ends a berth
 * that writes from the background.
 */
#include <errno.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "berth/base/str.h"

#include "terminal-internal.h"

static bool there;
static volatile sig_atomic_t raw;
static struct termios saved;

bool own_terminal_there(void)
{
	return there;
}

static bool is_in_front(void)
{
	pid_t front = tcgetpgrp(STDIN_FILENO);

	/* Not the terminal of our session: there are no jobs on it for us. */
	return front < 0 || front == getpgrp();
}

bool own_terminal_in_front(void)
{
	/* A shell takes the terminal only from a job that has stopped, which ends raw mode. */
	return raw || is_in_front();
}

static void set_raw(void)
{
	struct termios modes = saved;

	cfmakeraw(&modes);
	if (tcsetattr(STDIN_FILENO, TCSANOW, &modes) == 0)
		raw = true;
}

void own_terminal_enter(void)
{
	if (there && !raw && is_in_front() && tcgetattr(STDIN_FILENO, &saved) == 0)
		set_raw();
}

/* Also by the handlers: only calls that are safe there. */
void own_terminal_leave(void)
{
	if (raw && is_in_front())
		tcsetattr(STDIN_FILENO, TCSANOW, &saved);
	raw = false;
}

void own_terminal_resume(void)
{
	/* Stopped by SIGSTOP: the modes to go back to are those from before. */
	if (raw && is_in_front())
		set_raw();
	else
		raw = false;
	own_terminal_enter();
}

void own_terminal_stop(void)
{
	sigset_t stop;

	own_terminal_leave();
	sigemptyset(&stop);
	sigaddset(&stop, SIGTSTP);
	/* By the signal itself: the kernel ignores it where no shell could continue us. */
	raise(SIGTSTP);
	sigprocmask(SIG_UNBLOCK, &stop, NULL);
	sigprocmask(SIG_BLOCK, &stop, NULL);
	own_terminal_enter();
}

void own_terminal_copy_size(int master)
{
	struct winsize size;

	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		/* One without a size (a serial line) leaves process.consoleSize as it is. */
		if (ioctl(fd, TIOCGWINSZ, &size) < 0 || (!size.ws_row && !size.ws_col))
			continue;
		ioctl(master, TIOCSWINSZ, &size);
		return;
	}
}

static void leave_and_die(int signal_number_)
{
	own_terminal_leave();
	raise(signal_number_); /* the handler is reset: this ends us */
}

void own_terminal_begin(void)
{
	static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS};
	struct sigaction action = {
		.sa_handler = leave_and_die,
		.sa_flags = (int)(SA_RESETHAND | SA_NODEFER),
	};

	there = isatty(STDIN_FILENO);
	for (size_t i = 0; there && i < ARRAY_SIZE(faults); i++)
		sigaction(faults[i], &action, NULL);
}
