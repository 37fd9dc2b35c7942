/* SPDX-License-Identifier: Apache-2.0 */
/* A program that answers questions over its standard input, and ends with its starter. */
#ifndef BERTH_BASE_COMPANION_H
#define BERTH_BASE_COMPANION_H

#include "berth/base/pidref.h"
#include "berth/base/spawn.h"

/* Most bytes of a question and of an answer. */
#define COMPANION_MESSAGE_MAX (64u << 10)

struct companion {
	struct pidref ref;
	char *path;  /* owned */
	int socket;  /* owned */
	int errorfd; /* owned: its standard error */
	int report;  /* owned: why it could not be executed */
};

#define COMPANION_UNSET                                                                            \
	{                                                                                          \
		.ref = PIDREF_UNSET, .socket = -EBADF, .errorfd = -EBADF, .report = -EBADF         \
	}

/*
 * Starts the program. Its descriptor 0 is one end of a SOCK_SEQPACKET pair; a question and an
 * answer are a message each. For the rest it is as spawn_wait() has it; of @what input, outputfd,
 * timeout_ms and cancelled are not looked at.
 */
int companion_start(const struct spawn *what, struct companion *ret, struct error *err) must_check;

/*
 * Asks, and waits for the answer, @timeout_ms at most; the caller's, with a NUL after it.
 * -ETIMEDOUT after the time, -ECHILD where the program has ended, with what it wrote to its
 * standard error in the text; after both it is killed and can be asked no more.
 */
int companion_ask(struct companion *companion, const char *question, size_t size, int timeout_ms,
		  char **ret_answer, struct error *err) must_check;

/* Kills and reaps it. Accepts an unset one, and leaves one. */
void companion_done(struct companion *companion);
#define _cleanup_companion_ __attribute__((cleanup(companion_done)))

#endif
