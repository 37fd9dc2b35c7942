/* SPDX-License-Identifier: Apache-2.0 */
/* What is asked of a manager about a unit, and for it. Each function is a session_step, whose
 * @data is a struct unit_request. */
#ifndef BERTH_SYSTEMD_UNIT_H
#define BERTH_SYSTEMD_UNIT_H

#include <sys/types.h>

#include "berth/base/json_read.h"

#include "session.h"

struct unit_request {
	const char *unit;
	const struct json *properties; /* as variant_append_properties() takes them; or NULL */
	uint32_t pid;
	const char *subcgroup; /* below the unit's cgroup, where the process goes: "/a/b", or "" */
	char *cgroup;	       /* set by unit_start(); the caller's */
};

/* Makes the unit, a scope with this process in it, and tells its cgroup. */
int unit_start(struct session *session, void *data, struct error *err) must_check;

/* Changes properties of the unit until the system ends. */
int unit_set(struct session *session, void *data, struct error *err) must_check;

/* Moves a process into the unit's cgroup. */
int unit_attach(struct session *session, void *data, struct error *err) must_check;

/* Ends the unit, if it is there, and waits until it has gone. */
int unit_stop(struct session *session, void *data, struct error *err) must_check;

#endif
