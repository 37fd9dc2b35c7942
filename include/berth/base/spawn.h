/* SPDX-License-Identifier: Apache-2.0 */
/* Running another program to its end: the hooks, and helpers. */
#ifndef BERTH_BASE_SPAWN_H
#define BERTH_BASE_SPAWN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "berth/base/error.h"

/* Most bytes of a program's standard error that are kept for the message, which has room for them
 * and for its own words before them. */
#define SPAWN_STDERR_MAX 1024

struct spawn {
	const char *path;	 /* absolute; resolved in the caller's root */
	const char *const *argv; /* NULL-terminated, or NULL: { path } */
	const char *const *envp; /* NULL-terminated, or NULL: an empty environment */
	const char *input;	 /* what the program finds on its standard input, or NULL */
	size_t input_size;
	int cwdfd;	/* working directory, or -1: the caller's */
	int outputfd;	/* the program's standard output; 0: /dev/null */
	int timeout_ms; /* then the program and its group are killed; -1: wait for ever */
	const atomic_bool *cancelled; /* they are killed soon after it has become true; or NULL */
};

/*
 * Runs the program and waits for it. Its standard input is a memfd with @input (so a program that
 * does not read it cannot make the writer fail), its standard output goes to @outputfd, its
 * standard error is kept. It gets a process group of its own, default signal dispositions, no
 * descriptors but 0 to 2, and dies with the caller. The child is always reaped.
 * Returns 0 if it exited with 0. Errors: -ECHILD (exited otherwise or by a signal), -ETIMEDOUT,
 * -ECANCELED, or why it could not be started; the text ends with the program's standard error, in
 * one line.
 */
int spawn_wait(const struct spawn *what, struct error *err) must_check;

#endif
