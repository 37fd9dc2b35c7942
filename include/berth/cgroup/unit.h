/* SPDX-License-Identifier: Apache-2.0 */
/* A container's cgroup as a scope of systemd: the systemd driver; see docs/resources.md. */
#ifndef BERTH_CGROUP_UNIT_H
#define BERTH_CGROUP_UNIT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "berth/base/alloc.h"
#include "berth/base/companion.h"
#include "berth/base/error.h"
#include "berth/base/json_read.h"
#include "berth/spec/resources.h"
#include "berth/spec/strings.h"

/* How systemd is reached: by berth-systemd, a program beside berth. Nothing is owned. */
struct systemd {
	const char *program;	/* argv[0] of berth */
	const char *const *env; /* what of it the helper needs it gets; NULL: nothing */
	bool user;		/* the user's manager, and not the system's */
};

/* A property of a unit, as D-Bus has it. */
struct unit_property {
	const char *name, *signature; /* "DeviceAllow", "a(ss)" */
	const struct json *value;
};

/* A scope that is to be, or a change of one. All of it lives in one arena. */
struct unit {
	const char *name;  /* "berth-web.scope" */
	const char *slice; /* "system.slice" */
	const struct unit_property *properties;
	size_t property_count;
};

/* What a unit is made from. */
struct unit_wanted {
	const char *cgroups_path; /* "SLICE:PREFIX:NAME", or NULL */
	const char *id;
	bool user;
	const struct spec_resources *resources;
	const struct spec_strings *annotations; /* "org.systemd.property.NAME" among them */
};

/*
 * Decides on the unit of a container; only /proc/devices is looked at. Errors name the field of
 * config.json.
 */
int unit_plan(struct arena *arena, const struct unit_wanted *wanted, struct unit *ret,
	      struct error *err) must_check;

/* True for a linux.cgroupsPath that names a unit, "SLICE:PREFIX:NAME". */
bool unit_is_named(const char *cgroups_path);

/*
 * Where the system's manager makes the cgroup of the unit that cgroupsPath names, or by default the
 * id; the caller's.
 */
int unit_usual_cgroup(const char *cgroups_path, const char *id, char **ret_path,
		      struct error *err) must_check;

/* The unit of a container that is there already. Nothing is owned. */
struct unit_ref {
	const struct systemd *systemd;
	const char *name;
};

/* Refuses early what cannot work: -ENOENT where the helper is not installed. */
int systemd_check(const struct systemd *systemd, struct error *err) must_check;

/*
 * Has systemd make the scope. *ret_path is its cgroup, the caller's, and *ret_holder a process in
 * it: without one systemd would take the scope away, so it is kept until another one is there.
 */
int unit_start(const struct systemd *systemd, const struct unit *unit, struct companion *ret_holder,
	       char **ret_path, struct error *err) must_check;

/*
 * Has systemd move the process into the unit's cgroup, or into the one at @subgroup ("/a/b", NULL)
 * below it: for those who may not do that themselves.
 */
int unit_attach(const struct unit_ref *ref, const char *subgroup, pid_t pid,
		struct error *err) must_check;

/* Stops the unit and waits for its end; one that is not there is fine. */
int unit_stop(const struct unit_ref *ref, struct error *err) must_check;

/*
 * As cgroup_make(), for a cgroup that systemd has made: passes on the controllers that systemd does
 * not know, and writes the limits.
 */
int cgroup_adopt(int rootfd, const char *path, const struct spec_resources *resources,
		 struct error *err) must_check;

/*
 * Kills everything in the cgroup and below, waits until it is empty, @timeout_ms at most, and
 * removes what is below it. Gone already is fine.
 */
int cgroup_empty(int rootfd, const char *path, int timeout_ms, struct error *err) must_check;

#endif
