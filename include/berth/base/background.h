/* SPDX-License-Identifier: Apache-2.0 */
/* Starting a program that goes on when its starter has ended: what serves a container. */
#ifndef BERTH_BASE_BACKGROUND_H
#define BERTH_BASE_BACKGROUND_H

#include "berth/base/pidref.h"
#include "berth/base/spawn.h"

struct background {
	struct pidref ref;
	int gofd;    /* owned: where background_go() says go */
	int errorfd; /* owned: the program's standard error */
};

#define BACKGROUND_UNSET                                                                           \
	{                                                                                          \
		.ref = PIDREF_UNSET, .gofd = -EBADF, .errorfd = -EBADF                             \
	}

/*
 * Clones the process, which does nothing until background_go(): so its number can be written down
 * before the program runs. It ends where the caller ends before that. It will have a session of its
 * own, @keepfd (-1: none) as descriptor 3, and no other descriptors but 0 to 2: /dev/null twice,
 * and a pipe that is read until background_done(). What it writes then is lost, without a signal.
 * Of @what input, outputfd and timeout_ms are not looked at.
 */
int background_prepare(const struct spawn *what, int keepfd, struct background *ret,
		       struct error *err) must_check;

/* Lets it execute the program. Why it could not is what it says on its standard error. */
int background_go(struct background *background, struct error *err) must_check;

/*
 * Kills the program, if it has not ended, and fails with @code: the formatted text, and what the
 * program has written to its standard error, in one line.
 */
int background_fail(struct background *background, struct error *err, int code, const char *format,
		    ...) __attribute__((format(printf, 4, 5), cold));

/* Leaves the program to itself. */
void background_done(struct background *background);

/* Kills and reaps it. Accepts an unset one, and one that is done. */
void background_kill(struct background *background);
#define _cleanup_background_ __attribute__((cleanup(background_kill)))

#endif
