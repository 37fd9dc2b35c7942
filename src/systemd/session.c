/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The connection to a manager.
 *
 * Theory of operation. A request has one deadline, and no wait goes beyond it. What a manager says
 * of a unit by signals only wakes us, so that one that is lost (a manager that reloads itself, or
 * executes itself anew, loses some) costs time and nothing else: what counts is what it answers.
 * When it executes itself anew connections break, and for a moment nobody is there. So until it has
 * answered once, a connection that is refused is tried for a sixth of the time, and later on for
 * all that is left of it.
 */
#include "session.h"

#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>

#include "berth/base/alloc.h"
#include "berth/base/clock.h"
#include "berth/base/str.h"

#include "variant.h"

/* How often one looks whether a signal was lost, and how long one pauses before connecting anew. */
#define LOOK_MS	    200
#define LOOK_MAX_MS 2000
#define PAUSE_MS    50

void manager_add(struct manager *manager, bool is_bus, const char *address)
{
	struct manager_place *place = &manager->places[manager->place_count++];

	*place = (struct manager_place){.address = xstrdup(address), .is_bus = is_bus};
}

void manager_add_socket(struct manager *manager, bool is_bus, const char *directory,
			const char *name)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", directory, name);
	_cleanup_buf_ struct buf address = BUF_EMPTY;

	buf_add_string(&address, "unix:path=");
	/* What has a meaning in addresses is written as bytes. */
	for (const char *c = path; *c; c++) {
		if (isalnum((unsigned char)*c) || strchr("-_/.", *c))
			buf_add_char(&address, *c);
		else
			buf_printf(&address, "%%%02x", (unsigned)(unsigned char)*c);
	}
	manager_add(manager, is_bus, address.data);
}

void manager_done(struct manager *manager)
{
	for (size_t i = 0; i < manager->place_count; i++)
		free(manager->places[i].address);
	manager->place_count = 0;
}

static int64_t time_left(const struct session *session)
{
	int64_t left = session->deadline - clock_now_ms();

	return left > 0 ? left : 0;
}

static uint64_t microseconds(int64_t milliseconds)
{
	return (uint64_t)milliseconds * 1000;
}

static int too_late(const struct session *session, const char *what, struct error *err)
{
	return refuse_as(err, -ETIMEDOUT, "%s within %lld ms", what,
			 (long long)session->manager->timeout_ms);
}

static bool is_loss(int r)
{
	switch (r) {
	case -ECONNREFUSED:
	case -ECONNRESET:
	case -ECONNABORTED:
	case -ENOTCONN:
	case -ESHUTDOWN:
	case -EPIPE:
	case -EAGAIN: /* its queue of connections is full */
		return true;
	default:
		return false;
	}
}

static void session_close(struct session *session)
{
	session->bus = sd_bus_close_unref(session->bus);
	session->watching = false;
	session->woken = false;
}

/* Takes what has come, or waits for more. 0: there is nothing within the time. */
static int turn(struct session *session, int64_t wait_ms)
{
	int r = sd_bus_process(session->bus, NULL);

	if (r != 0)
		return r;
	return sd_bus_wait(session->bus, microseconds(wait_ms));
}

/* The handshake. sd-bus itself would wait for it with a time of its own. */
static int wait_until_ready(struct session *session)
{
	int r = sd_bus_is_ready(session->bus);

	while (r == 0) {
		const int64_t left = time_left(session);

		if (left == 0)
			return -ETIMEDOUT;
		r = turn(session, left);
		if (r >= 0 || r == -EINTR)
			r = sd_bus_is_ready(session->bus);
	}
	return r < 0 ? r : 0;
}

static int connect_to(struct session *session, const struct manager_place *place)
{
	int r = sd_bus_new(&session->bus);

	if (r >= 0)
		r = sd_bus_set_address(session->bus, place->address);
	if (r >= 0)
		r = sd_bus_set_bus_client(session->bus, place->is_bus);
	if (r >= 0)
		r = sd_bus_set_method_call_timeout(session->bus, microseconds(time_left(session)));
	if (r >= 0)
		r = sd_bus_start(session->bus);
	if (r >= 0)
		r = wait_until_ready(session);
	session->is_bus = place->is_bus;
	if (r < 0)
		session_close(session);
	return r;
}

static int session_open(struct session *session, struct error *err)
{
	const struct manager *manager = session->manager;
	_cleanup_buf_ struct buf reasons = BUF_EMPTY;
	bool may_come_back = session->answered;

	for (size_t i = 0; i < manager->place_count; i++) {
		const struct manager_place *place = &manager->places[i];
		struct error reason = ERROR_NONE;
		int r = connect_to(session, place);

		if (r >= 0)
			return 0;
		if (r == -ETIMEDOUT)
			ignore(too_late(session, "no answer", &reason));
		else
			ignore(fail(&reason, r, "connect"));
		may_come_back = may_come_back || is_loss(r);
		buf_printf(&reasons, "%sat %s: %s", i ? "; " : "", place->address, reason.text);
	}
	return refuse_as(err, may_come_back ? SESSION_LOST : -ENOTCONN,
			 "systemd does not answer %s; --cgroup-manager cgroupfs does without it",
			 manager->place_count ? reasons.data : manager->missing);
}

int session_new_call(struct session *session, const char *member, sd_bus_message **ret,
		     struct error *err)
{
	int r = sd_bus_message_new_method_call(session->bus, ret, SYSTEMD_NAME, SYSTEMD_PATH,
					       SYSTEMD_MANAGER, member);

	/* It fails on a connection that has broken, too. */
	return r < 0 ? fail(err, is_loss(r) ? SESSION_LOST : r, "call %s", member) : 0;
}

/* Errors of D-Bus that mean something to us; all others are only told. */
static const struct {
	const char *name;
	int code;
} known_errors[] = {
	{SYSTEMD_NAME ".UnitExists", SESSION_EXISTS},
	{SYSTEMD_NAME ".NoSuchUnit", SESSION_NONE},
	/* A bus from which the manager has gone, as it does when it executes itself anew. */
	{SD_BUS_ERROR_NO_REPLY, SESSION_LOST},
	{SD_BUS_ERROR_DISCONNECTED, SESSION_LOST},
	{SD_BUS_ERROR_SERVICE_UNKNOWN, SESSION_LOST},
	{SD_BUS_ERROR_NAME_HAS_NO_OWNER, SESSION_LOST},
	/* A bus on which one user has too many connections: they pass. */
	{SD_BUS_ERROR_LIMITS_EXCEEDED, SESSION_LOST},
};

static int code_of(int r, const sd_bus_error *error)
{
	for (size_t i = 0; error->name && i < ARRAY_SIZE(known_errors); i++) {
		if (str_equal(error->name, known_errors[i].name))
			return known_errors[i].code;
	}
	/* Such a bus may also try to start it. */
	if (error->name && str_starts(error->name, "org.freedesktop.DBus.Error.Spawn."))
		return SESSION_LOST;
	return is_loss(r) ? SESSION_LOST : -EREMOTEIO;
}

int session_call(struct session *session, sd_bus_message *call, int r, sd_bus_message **ret_reply,
		 struct error *err)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	const int64_t left = time_left(session);

	if (r < 0)
		return fail(err, r, "put together the call of %s", sd_bus_message_get_member(call));
	/* No time at all would mean the usual time to sd-bus. */
	r = left ? sd_bus_call(session->bus, call, microseconds(left), &error, ret_reply)
		 : -ETIMEDOUT;
	if (r >= 0) {
		session->answered = true;
		return 0;
	}
	if (time_left(session) == 0)
		r = too_late(session, "no answer", err);
	else
		r = refuse_as(err, code_of(r, &error), "%s",
			      error.message ? error.message : "no answer");
	sd_bus_error_free(&error);
	/* Not before: its text moves while a message is made. */
	return within(err, r, "%s", sd_bus_message_get_member(call));
}

int session_call_unit(struct session *session, const char *member, struct error *err)
{
	_cleanup_message_ sd_bus_message *call = NULL;
	int r = session_new_call(session, member, &call, err);

	if (r < 0)
		return r;
	r = sd_bus_message_append(call, "s", session->unit);
	return session_call(session, call, r, NULL, err);
}

static int on_job(sd_bus_message *message, void *data, sd_bus_error *error)
{
	struct session *session = data;
	const char *unit, *result;

	(void)error;
	if (sd_bus_message_read(message, "uoss", NULL, NULL, &unit, &result) < 0 ||
	    !str_equal(unit, session->unit))
		return 0;
	session->woken = true;
	snprintf(session->result, sizeof(session->result), "%s", result);
	return 0;
}

static int on_removed(sd_bus_message *message, void *data, sd_bus_error *error)
{
	struct session *session = data;
	const char *unit;

	(void)error;
	if (sd_bus_message_read(message, "so", &unit, NULL) >= 0 && str_equal(unit, session->unit))
		session->woken = true;
	return 0;
}

/* sd-bus itself can choose by texts only where nothing but texts is before them. */
static int add_match(struct session *session, const char *member, sd_bus_message_handler_t handler)
{
	_cleanup_free_ char *rule = xasprintf("type='signal',path='" SYSTEMD_PATH
					      "',interface='" SYSTEMD_MANAGER "',member='%s'",
					      member);

	return sd_bus_add_match(session->bus, NULL, rule, handler, session);
}

int session_watch(struct session *session, struct error *err)
{
	_cleanup_message_ sd_bus_message *call = NULL;
	int r;

	if (session->watching)
		return 0;
	r = add_match(session, "JobRemoved", on_job);
	if (r >= 0)
		r = add_match(session, "UnitRemoved", on_removed);
	if (r < 0)
		return fail(err, is_loss(r) ? SESSION_LOST : r, "ask for signals");
	session->watching = true;
	/* On its own connections a manager sends them unasked. */
	if (!session->is_bus)
		return 0;
	r = session_new_call(session, "Subscribe", &call, err);
	return r < 0 ? r : session_call(session, call, 0, NULL, err);
}

int session_wait(struct session *session, struct error *err)
{
	const int64_t until = clock_now_ms() + session->look_ms;
	int64_t left = session->look_ms;

	while (!session->woken && left > 0 && time_left(session) > 0) {
		int r = turn(session, left < time_left(session) ? left : time_left(session));

		if (r < 0 && r != -EINTR)
			return fail(err, is_loss(r) ? SESSION_LOST : r, "wait for systemd");
		left = until - clock_now_ms();
	}
	if (!session->woken && session->look_ms < LOOK_MAX_MS)
		session->look_ms *= 2;
	session->woken = false;
	return time_left(session) > 0 ? 0 : too_late(session, "not done", err);
}

int session_check_pids(struct session *session, struct error *err)
{
	struct ucred peer = {.pid = 0};
	socklen_t size = sizeof(peer);
	int fd = sd_bus_get_fd(session->bus);

	if (fd < 0)
		return fail(err, SESSION_LOST, "look who answers");
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
		return fail(err, -errno, "look who answers");
	if (peer.pid == 0)
		return refuse(err, "systemd is in another pid namespace");
	return 0;
}

/* Until when it makes sense to begin anew. */
static int64_t patience(const struct session *session)
{
	if (session->answered)
		return session->deadline;
	return session->begin + session->manager->timeout_ms / 6;
}

/* Whether the request is to be begun anew after @r; waits a little where that is of use. */
static bool may_begin_anew(struct session *session, int r)
{
	if ((r != SESSION_LOST && r != SESSION_AGAIN) || clock_now_ms() >= patience(session))
		return false;
	if (r == SESSION_LOST) {
		session_close(session);
		/* Nothing tells when somebody listens again. */
		poll(NULL, 0, PAUSE_MS);
	}
	return true;
}

int session_run(const struct manager *manager, const char *unit, session_step *step, void *request,
		struct error *err)
{
	const int64_t now = clock_now_ms();
	struct session session = {.manager = manager,
				  .unit = unit,
				  .begin = now,
				  .look_ms = LOOK_MS,
				  .deadline = now + manager->timeout_ms};
	int r;

	do {
		r = session.bus ? 0 : session_open(&session, err);
		if (r >= 0)
			r = step(&session, request, err);
	} while (may_begin_anew(&session, r));
	session_close(&session);
	return r;
}
