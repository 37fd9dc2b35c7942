/* SPDX-License-Identifier: Apache-2.0 */
/* What spawn.c and background.c share. */
#ifndef BERTH_BASE_SPAWN_INTERNAL_H
#define BERTH_BASE_SPAWN_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

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

#endif
