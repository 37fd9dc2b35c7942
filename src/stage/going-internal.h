/* SPDX-License-Identifier: Apache-2.0 */
/* From "go" to the exec, and what becomes of a filter's listener meanwhile. */
#ifndef BERTH_STAGE_GOING_INTERNAL_H
#define BERTH_STAGE_GOING_INTERNAL_H

#include "berth/base/error.h"
#include "berth/linux/seccomp.h"
#include "berth/stage/message.h"

/* A process that is told to go; nothing is owned. */
struct going {
	int procfd;
	int socket;
	struct message_wait wait;    /* for its answer; what comes after that takes what it takes */
	struct seccomp_agent *agent; /* whose the listener of its filter is; NULL: nobody's */
	const char *who;	     /* for errors */
};

/* parent.c: what launch_go() does. */
int go_and_wait(const struct going *going, struct error *err) must_check;

/* listener.c: in the process that has loaded the filter. Its listener is closed. */
int listener_give(int socket, const struct seccomp_listener *listener,
		  struct error *err) must_check;

/* listener.c: what the process has sent goes to the agent; its descriptors are closed. */
int listener_take(const struct going *going, const struct message *message, const int *fds,
		  struct error *err) must_check;

#endif
