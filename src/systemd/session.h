/* SPDX-License-Identifier: Apache-2.0 */
/* Talking to a manager (the system's or a user's) for the length of one request. */
#ifndef BERTH_SYSTEMD_SESSION_H
#define BERTH_SYSTEMD_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-bus.h>

#include "berth/base/error.h"

#define SYSTEMD_NAME	  "org.freedesktop.systemd1"
#define SYSTEMD_PATH	  "/org/freedesktop/systemd1"
#define SYSTEMD_MANAGER	  SYSTEMD_NAME ".Manager"
#define MANAGER_PLACE_MAX 3

/* Where a manager may be reached. */
struct manager_place {
	char *address; /* owned */
	bool is_bus;   /* a message bus, on which the manager is one of many; otherwise its own */
};

struct manager {
	struct manager_place places[MANAGER_PLACE_MAX]; /* the first that answers is taken */
	size_t place_count;
	const char *missing; /* why there is no place at all */
	int64_t timeout_ms;  /* of a whole request */
};

/* Adds a place: by its address of D-Bus, or by the path DIRECTORY/NAME of a socket. */
void manager_add(struct manager *manager, bool is_bus, const char *address);
void manager_add_socket(struct manager *manager, bool is_bus, const char *directory,
			const char *name);
void manager_done(struct manager *manager);

/*
 * Results of the functions below that mean more than that something failed; the text is there in
 * any case.
 */
#define SESSION_LOST   (-ECONNRESET) /* there is no connection any more; another may be made */
#define SESSION_AGAIN  (-EAGAIN)     /* things were in the way that pass */
#define SESSION_EXISTS (-EEXIST)     /* a unit of that name is there */
#define SESSION_NONE   (-ENOENT)     /* no such unit */

struct session {
	const struct manager *manager;
	const char *unit;
	int64_t begin, deadline; /* milliseconds of CLOCK_MONOTONIC */
	sd_bus *bus;		 /* owned; NULL: not connected */
	bool is_bus;
	bool answered;	 /* the manager has answered a call of this session */
	bool started;	 /* StartTransientUnit was sent on a connection, whatever came of it */
	bool watching;	 /* signals about the unit are on their way on this connection */
	bool woken;	 /* one has come */
	int64_t look_ms; /* how long session_wait() waits for one */
	char result[32]; /* of the last job of the unit that ended; "": unknown */
};

/* One way of doing a request. It must be fine to begin anew when it was interrupted. */
typedef int session_step(struct session *session, void *request, struct error *err);

/*
 * Connects and runs @step, again where it ends with SESSION_LOST or SESSION_AGAIN, until the time
 * is over. Errors say why systemd could not be reached, or what @step had to say.
 */
int session_run(const struct manager *manager, const char *unit, session_step *step, void *request,
		struct error *err) must_check;

/* A call of the manager's method @member, without its arguments. *ret is the caller's. */
int session_new_call(struct session *session, const char *member, sd_bus_message **ret,
		     struct error *err) must_check;

/*
 * Sends @call and waits for the answer, for as long as the request has time. @r: what making the
 * call ended with; if it is negative nothing is sent. *ret_reply (may be NULL) is the caller's.
 */
int session_call(struct session *session, sd_bus_message *call, int r, sd_bus_message **ret_reply,
		 struct error *err) must_check;

/* As session_call(), for a method of the manager with the unit's name as its only argument. */
int session_call_unit(struct session *session, const char *member, struct error *err) must_check;

/* Asks for signals about the unit. */
int session_watch(struct session *session, struct error *err) must_check;

/*
 * Waits until something has happened to the unit, or for a while, since a signal may get lost: a
 * fifth of a second at first, and longer each time, since a manager with much to do works on what
 * is queued only when nobody asks. -ETIMEDOUT: the request has no time left.
 */
int session_wait(struct session *session, struct error *err) must_check;

/* Refuses where the numbers of processes mean others to the manager than to us. */
int session_check_pids(struct session *session, struct error *err) must_check;

#endif
