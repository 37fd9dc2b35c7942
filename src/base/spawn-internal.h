/* SPDX-License-Identifier: Apache-2.0 */
/* What spawn.c, background.c and companion.c share. */
#ifndef BERTH_BASE_SPAWN_INTERNAL_H
#define BERTH_BASE_SPAWN_INTERNAL_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

#include "berth/base/pidref.h"
#include "berth/base/spawn.h"

/* The last SPAWN_STDERR_MAX bytes that a program wrote to its standard error. */
struct tail {
	char data[SPAWN_STDERR_MAX];
	size_t size;
};

/*
 * Reads what is there on the non-blocking @fd, without waiting, and no more than a pipe holds: a
 * program that writes without end must not keep us here. False at end-of-file.
 */
bool tail_drain(struct tail *tail, int fd);

/* One line of it: control characters become blanks, those at the end go. */
void tail_finish(struct tail *tail);

/* Between the caller and a program: its standard error, and why it could not be executed. */
struct child_pipes {
	int stderr_read, stderr_write;
	int report_read, report_write;
};

#define CHILD_PIPES_UNSET                                                                          \
	{                                                                                          \
		.stderr_read = -EBADF, .stderr_write = -EBADF, .report_read = -EBADF,              \
		.report_write = -EBADF                                                             \
	}

int child_pipes_open(struct child_pipes *pipes, struct error *err) must_check;
void child_pipes_done(struct child_pipes *pipes);
#define _cleanup_child_pipes_ __attribute__((cleanup(child_pipes_done)))

/* Starts the program with @input as its standard input. The pipes' writing ends are closed here. */
int child_start(const struct spawn *what, int input, struct child_pipes *pipes, struct pidref *ret,
		struct error *err) must_check;

/* Of a program that has ended: negative errno where it was never executed, otherwise 0. */
int child_failed(const struct child_pipes *pipes) must_check;

#endif
