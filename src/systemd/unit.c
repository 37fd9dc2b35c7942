/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <errno.h>

#include "berth/base/alloc.h"
#include "berth/base/str.h"

#include "variant.h"

#define SCOPE_INTERFACE SYSTEMD_NAME ".Scope"

enum activity {
	ACTIVITY_NONE, /* there is no such unit */
	ACTIVITY_DOWN,
	ACTIVITY_RISING,
	ACTIVITY_UP,
	ACTIVITY_SINKING
};

struct unit_state {
	enum activity activity;
	bool has_job;
	char name[32]; /* of the state, as systemd calls it */
};

/* By the states' names. What systemd may add to them is up: it stands in the way of a new one. */
static enum activity activity_of(const char *name)
{
	static const struct {
		const char *name;
		enum activity activity;
	} rows[] = {
		{"inactive", ACTIVITY_DOWN},
		{"failed", ACTIVITY_DOWN},
		{"activating", ACTIVITY_RISING},
		{"deactivating", ACTIVITY_SINKING},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (str_equal(rows[i].name, name))
			return rows[i].activity;
	}
	return ACTIVITY_UP;
}

static int read_state(sd_bus_message *reply, struct unit_state *ret)
{
	const char *load, *active, *job_type;
	uint32_t job;
	int r = sd_bus_message_enter_container(reply, SD_BUS_TYPE_ARRAY, "(ssssssouso)");

	if (r >= 0)
		r = sd_bus_message_read(reply, "(ssssssouso)", NULL, NULL, &load, &active, NULL,
					NULL, NULL, &job, &job_type, NULL);
	if (r < 0)
		return r;
	*ret = (struct unit_state){.activity = ACTIVITY_NONE};
	/* What is not known is given as a unit that was not found; no row: nor is its name. */
	if (r == 0 || (str_equal(load, "not-found") && str_equal(active, "inactive") && job == 0))
		return 0;
	ret->activity = activity_of(active);
	ret->has_job = job != 0;
	/* It is about to be made, by whoever asked for it. */
	if (ret->activity == ACTIVITY_DOWN && ret->has_job && str_equal(job_type, "start"))
		ret->activity = ACTIVITY_RISING;
	snprintf(ret->name, sizeof(ret->name), "%s", active);
	return 0;
}

static int look(struct session *session, struct unit_state *ret, struct error *err)
{
	_cleanup_message_ sd_bus_message *call = NULL, *reply = NULL;
	int r = session_new_call(session, "ListUnitsByNames", &call, err);

	if (r < 0)
		return r;
	r = sd_bus_message_append(call, "as", 1, session->unit);
	r = session_call(session, call, r, &reply, err);
	if (r < 0)
		return r;
	r = read_state(reply, ret);
	return r < 0 ? fail(err, r, "read what systemd says of its state") : 0;
}

static int append_start(sd_bus_message *call, const char *unit, const struct json *properties,
			struct error *err)
{
	int r = sd_bus_message_append(call, "ss", unit, "fail");

	if (r >= 0)
		r = sd_bus_message_open_container(call, SD_BUS_TYPE_ARRAY, "(sv)");
	if (r < 0)
		return fail(err, r, "name the unit");
	r = variant_append_properties(call, properties, err);
	if (r < 0)
		return r;
	/* The process 0 is the sender: its number may be another one to systemd. */
	r = sd_bus_message_append(call, "(sv)", "PIDs", "au", 1, 0);
	if (r >= 0)
		r = sd_bus_message_close_container(call);
	if (r >= 0)
		r = sd_bus_message_append(call, "a(sa(sv))", 0);
	return r < 0 ? fail(err, r, "name the process") : 0;
}

static int call_start(struct session *session, const struct unit_request *request,
		      struct error *err)
{
	_cleanup_message_ sd_bus_message *call = NULL;
	int r = session_new_call(session, "StartTransientUnit", &call, err);

	if (r >= 0)
		r = append_start(call, session->unit, request->properties, err);
	if (r < 0)
		return r;
	return session_call(session, call, 0, NULL, err);
}

static int unit_path(const struct session *session, char **ret, struct error *err)
{
	int r = sd_bus_path_encode(SYSTEMD_PATH "/unit", session->unit, ret);

	return r < 0 ? fail(err, r, "make a path of the name") : 0;
}

/* Fails with SESSION_EXISTS where this process is not in the unit. */
static int check_ours(struct session *session, struct error *err)
{
	_cleanup_message_ sd_bus_message *call = NULL, *reply = NULL;
	_cleanup_free_ char *path = NULL;
	const char *own;
	int r = unit_path(session, &path, err);

	if (r >= 0)
		r = session_new_call(session, "GetUnitByPID", &call, err);
	if (r < 0)
		return r;
	r = sd_bus_message_append(call, "u", 0);
	r = session_call(session, call, r, &reply, err);
	if (r < 0)
		return r;
	r = sd_bus_message_read(reply, "o", &own);
	if (r < 0)
		return fail(err, r, "read in which unit we are");
	if (!str_equal(own, path))
		return refuse_as(err, SESSION_EXISTS, "a unit of that name is there already");
	return 0;
}

static int read_cgroup(struct session *session, char **ret, struct error *err)
{
	_cleanup_message_ sd_bus_message *call = NULL, *reply = NULL;
	_cleanup_free_ char *path = NULL;
	const char *cgroup;
	int r = unit_path(session, &path, err);

	if (r < 0)
		return r;
	r = sd_bus_message_new_method_call(session->bus, &call, SYSTEMD_NAME, path,
					   "org.freedesktop.DBus.Properties", "Get");
	if (r < 0)
		return fail(err, SESSION_LOST, "ask for its cgroup");
	r = sd_bus_message_append(call, "ss", SCOPE_INTERFACE, "ControlGroup");
	r = session_call(session, call, r, &reply, err);
	if (r < 0)
		return within(err, r, "ask for its cgroup");
	r = sd_bus_message_read(reply, "v", "s", &cgroup);
	if (r < 0)
		return fail(err, r, "read its cgroup");
	if (cgroup[0] != '/')
		return refuse(err, "it has no cgroup");
	*ret = xstrdup(cgroup);
	return 0;
}

/* Waits until the unit is up, after StartTransientUnit. */
static int await_start(struct session *session, struct error *err)
{
	struct unit_state state = {.activity = ACTIVITY_NONE};

	for (;;) {
		int r = session_wait(session, err);

		if (r >= 0)
			r = look(session, &state, err);
		if (r < 0)
			return r;
		if (state.activity == ACTIVITY_UP)
			return 0;
		if (state.activity != ACTIVITY_RISING)
			return refuse_as(err, -EIO,
					 "its start has failed (job: %s, unit: %s); the journal "
					 "of systemd says why",
					 session->result[0] ? session->result : "unknown",
					 state.name[0] ? state.name : "gone");
	}
}

/*
 * There is a unit of that name: the one that we asked for before a connection broke, one that is
 * going, or somebody else's.
 */
static int meet(struct session *session, bool may_be_ours, struct error *err)
{
	struct unit_state state = {.activity = ACTIVITY_NONE};
	int r = look(session, &state, err);

	if (r < 0)
		return r;
	if (state.activity == ACTIVITY_UP || state.activity == ACTIVITY_RISING) {
		if (!may_be_ours)
			return refuse_as(err, SESSION_EXISTS,
					 "a unit of that name is there already (%s)", state.name);
		r = state.activity == ACTIVITY_UP ? 0 : await_start(session, err);
		return r < 0 ? r : check_ours(session, err);
	}
	if (state.activity == ACTIVITY_DOWN) {
		r = session_call_unit(session, "ResetFailedUnit", err);
		if (r < 0 && r != SESSION_NONE)
			return r;
	}
	r = session_wait(session, err);
	if (r < 0 && r != -ETIMEDOUT)
		return r;
	return refuse_as(err, r < 0 ? r : SESSION_AGAIN, "a unit of that name is there still (%s)",
			 state.name);
}

/* A job that is still queued would make a scope for nobody, since this process is about to end. */
static void abandon(struct session *session)
{
	_cleanup_message_ sd_bus_message *call = NULL;
	struct error ignored = ERROR_NONE;
	int r = session_new_call(session, "StopUnit", &call, &ignored);

	if (r >= 0)
		r = sd_bus_message_append(call, "ss", session->unit, "replace");
	if (r >= 0)
		r = sd_bus_message_set_expect_reply(call, false);
	/* There is no time to see what becomes of it. */
	if (r >= 0)
		ignore(sd_bus_send(session->bus, call, NULL));
}

int unit_start(struct session *session, void *data, struct error *err)
{
	struct unit_request *request = data;
	const bool may_be_ours = session->started;
	int r = session_watch(session, err);

	if (r < 0)
		return r;
	session->started = true;
	r = call_start(session, request, err);
	if (r == SESSION_EXISTS) {
		r = meet(session, may_be_ours, err);
	} else if (r >= 0) {
		r = await_start(session, err);
		if (r == -ETIMEDOUT)
			abandon(session);
	}
	return r < 0 ? r : read_cgroup(session, &request->cgroup, err);
}

int unit_set(struct session *session, void *data, struct error *err)
{
	const struct unit_request *request = data;
	_cleanup_message_ sd_bus_message *call = NULL;
	int r = session_new_call(session, "SetUnitProperties", &call, err);

	if (r < 0)
		return r;
	r = sd_bus_message_append(call, "sb", session->unit, /* runtime= */ true);
	if (r >= 0)
		r = sd_bus_message_open_container(call, SD_BUS_TYPE_ARRAY, "(sv)");
	if (r < 0)
		return fail(err, r, "name the unit");
	r = variant_append_properties(call, request->properties, err);
	if (r < 0)
		return r;
	r = sd_bus_message_close_container(call);
	return session_call(session, call, r, NULL, err);
}

int unit_attach(struct session *session, void *data, struct error *err)
{
	const struct unit_request *request = data;
	_cleanup_message_ sd_bus_message *call = NULL;
	int r = session_check_pids(session, err);

	if (r >= 0)
		r = session_new_call(session, "AttachProcessesToUnit", &call, err);
	if (r < 0)
		return r;
	r = sd_bus_message_append(call, "ssau", session->unit, request->subcgroup, 1, request->pid);
	return session_call(session, call, r, NULL, err);
}

static int call_stop(struct session *session, struct error *err)
{
	_cleanup_message_ sd_bus_message *call = NULL;
	int r = session_new_call(session, "StopUnit", &call, err);

	if (r < 0)
		return r;
	r = sd_bus_message_append(call, "ss", session->unit, "replace");
	return session_call(session, call, r, NULL, err);
}

int unit_stop(struct session *session, void *data, struct error *err)
{
	struct unit_state state = {.activity = ACTIVITY_NONE};
	int r = session_watch(session, err);

	(void)data;
	if (r >= 0)
		r = call_stop(session, err);
	while (r >= 0) {
		r = session_wait(session, err);
		if (r >= 0)
			r = look(session, &state, err);
		if (r < 0 || state.activity == ACTIVITY_NONE)
			break;
		if (state.activity == ACTIVITY_DOWN && !state.has_job) {
			/* One that has failed would stay. */
			r = session_call_unit(session, "ResetFailedUnit", err);
			break;
		}
	}
	return r == SESSION_NONE ? 0 : r;
}
