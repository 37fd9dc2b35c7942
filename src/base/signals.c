/* SPDX-License-Identifier: Apache-2.0 */
/* Signals: names, numbers, and the state that a new program starts with. */
#include "berth/base/signals.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <strings.h>

#include "berth/base/str.h"

static const char *const names[] = {
	[SIGHUP] = "SIGHUP",	   [SIGINT] = "SIGINT",	      [SIGQUIT] = "SIGQUIT",
	[SIGILL] = "SIGILL",	   [SIGTRAP] = "SIGTRAP",     [SIGABRT] = "SIGABRT",
	[SIGBUS] = "SIGBUS",	   [SIGFPE] = "SIGFPE",	      [SIGKILL] = "SIGKILL",
	[SIGUSR1] = "SIGUSR1",	   [SIGSEGV] = "SIGSEGV",     [SIGUSR2] = "SIGUSR2",
	[SIGPIPE] = "SIGPIPE",	   [SIGALRM] = "SIGALRM",     [SIGTERM] = "SIGTERM",
	[SIGSTKFLT] = "SIGSTKFLT", [SIGCHLD] = "SIGCHLD",     [SIGCONT] = "SIGCONT",
	[SIGSTOP] = "SIGSTOP",	   [SIGTSTP] = "SIGTSTP",     [SIGTTIN] = "SIGTTIN",
	[SIGTTOU] = "SIGTTOU",	   [SIGURG] = "SIGURG",	      [SIGXCPU] = "SIGXCPU",
	[SIGXFSZ] = "SIGXFSZ",	   [SIGVTALRM] = "SIGVTALRM", [SIGPROF] = "SIGPROF",
	[SIGWINCH] = "SIGWINCH",   [SIGIO] = "SIGIO",	      [SIGPWR] = "SIGPWR",
	[SIGSYS] = "SIGSYS",
};

/* Names that are second ones of the same number. */
static const struct {
	const char *name;
	int number;
} aliases[] = {
	{"SIGIOT", SIGABRT},
	{"SIGCLD", SIGCHLD},
	{"SIGPOLL", SIGIO},
};

/* The kernel's range; the C library keeps the first two real-time signals for itself. */
#define KERNEL_RTMIN 32
#define KERNEL_RTMAX 64

void signals_reset(void)
{
	struct sigaction action = {.sa_handler = SIG_DFL};
	sigset_t none;

	for (int number = 1; number <= KERNEL_RTMAX; number++) {
		if (number != SIGKILL && number != SIGSTOP)
			sigaction(number, &action, NULL);
	}
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

const char *signal_name(int number)
{
	return number > 0 && (size_t)number < ARRAY_SIZE(names) ? names[number] : NULL;
}

/* "RTMIN", "RTMIN+3", "RTMAX-2", without "SIG". */
static int realtime_number(const char *text)
{
	bool from_min = strncasecmp(text, "RTMIN", 5) == 0;
	uint32_t distance = 0;

	if (!from_min && strncasecmp(text, "RTMAX", 5) != 0)
		return -EINVAL;
	text += 5;
	if (*text && (*text != (from_min ? '+' : '-') || str_to_u32(text + 1, &distance) < 0))
		return -EINVAL;
	if (distance > (uint32_t)(SIGRTMAX - SIGRTMIN))
		return -EINVAL;
	return from_min ? SIGRTMIN + (int)distance : SIGRTMAX - (int)distance;
}

int signal_number(const char *text)
{
	uint32_t number;

	if (str_to_u32(text, &number) >= 0)
		return number <= KERNEL_RTMAX ? (int)number : -EINVAL;
	if (strncasecmp(text, "SIG", 3) == 0)
		text += 3;
	for (size_t i = 1; i < ARRAY_SIZE(names); i++) {
		if (names[i] && strcasecmp(names[i] + 3, text) == 0)
			return (int)i;
	}
	for (size_t i = 0; i < ARRAY_SIZE(aliases); i++) {
		if (strcasecmp(aliases[i].name + 3, text) == 0)
			return aliases[i].number;
	}
	return realtime_number(text);
}
