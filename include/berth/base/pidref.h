/* SPDX-License-Identifier: Apache-2.0 */
/* A process, pinned: its number together with a pidfd, so that a recycled number never fools us. */
#ifndef BERTH_BASE_PIDREF_H
#define BERTH_BASE_PIDREF_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "berth/base/error.h"

struct pidref {
	pid_t pid; /* 0: unset */
	int fd;	   /* pidfd, owned; negative where unset */
};

#define PIDREF_UNSET                                                                               \
	{                                                                                          \
		.pid = 0, .fd = -EBADF                                                             \
	}

/*
 * When process @pid began, in clock ticks since boot: field 22 of /proc/PID/stat (proc(5)), and
 * whether it is a zombie (may be NULL). -ESRCH (no text) if there is none such.
 */
int pidref_start_time(int procfd, pid_t pid, uint64_t *ret_ticks, bool *ret_zombie) must_check;

/*
 * Whether a process has never executed anything since its clone, as far as can be told:
 * PF_FORKNOEXEC in the flags of /proc/PID/stat, which a zombie still shows. False too where it is
 * gone.
 */
bool pidref_never_executed(int procfd, pid_t pid);

/*
 * Whether a signal has ended process @pid, or a SIGKILL is on its way to it; not whether it has
 * ended by itself. False where that cannot be told.
 */
bool pidref_is_doomed(int procfd, pid_t pid);

/* Whether process @pid is doomed, or about to end by itself. False where that cannot be told. */
bool pidref_is_ending(int procfd, pid_t pid);

/*
 * Pins process @pid, which must have begun at @start_ticks. Returns 0, or -ESRCH without a text if
 * the process is gone, is a zombie, or is another one with the same number by now.
 */
int pidref_open(int procfd, pid_t pid, uint64_t start_ticks, struct pidref *ret) must_check;

/* pidfd_send_signal(2). Returns 0 or negative errno (-ESRCH: gone already), without a text. */
int pidref_signal(const struct pidref *ref, int signal) must_check;

/*
 * Waits until the process has ended, @timeout_ms at most (-1: for ever). Returns 1 if it has, 0
 * after the time. Does not reap.
 */
int pidref_wait_exit(const struct pidref *ref, int timeout_ms) must_check;

/* Reaps a child: waitid(2) with P_PIDFD. *ret_status as of waitpid(2), may be NULL. */
int pidref_reap(const struct pidref *ref, int *ret_status) must_check;

/* Closes the pidfd. The process goes on. */
void pidref_done(struct pidref *ref);

/* Kills (SIGKILL) and reaps a child, and closes the pidfd; accepts an unset one. */
void pidref_kill_and_reap(struct pidref *ref);

/* The child is killed and reaped where the scope ends, unless taken. */
#define _cleanup_child_ __attribute__((cleanup(pidref_kill_and_reap)))

static inline struct pidref take_pidref(struct pidref *ref)
{
	struct pidref taken = *ref;

	ref->pid = 0;
	ref->fd = -1;
	return taken;
}

#define _cleanup_pidref_ __attribute__((cleanup(pidref_done)))

/* Exit status for a shell of a wait status: the code, or 128 + the signal's number. */
int exit_code_of(int wait_status);

#endif
