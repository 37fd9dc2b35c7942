/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the systemd driver share. */
#ifndef BERTH_CGROUP_UNIT_INTERNAL_H
#define BERTH_CGROUP_UNIT_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "berth/cgroup/unit.h"

#include "limits-internal.h"

/* unit_name.c */

/* Fills in name and slice. */
int unit_name_of(struct arena *arena, const struct unit_wanted *wanted, struct unit *ret,
		 struct error *err) must_check;

/* unit_value.c: values of properties, in an arena. */

const struct json *value_of_bool(struct arena *arena, bool value);
const struct json *value_of_u64(struct arena *arena, uint64_t number);
const struct json *value_of_text(struct arena *arena, const char *text);
/* A number as it stands, in JSON's words. */
const struct json *value_of_number(struct arena *arena, const char *number);
struct json *value_of_list(struct arena *arena);
/* Adds a value at the list's end; it belongs to one list only. */
void value_add(struct json *list, const struct json *item);

/* A growing list of properties. */
struct unit_properties {
	struct arena *arena;
	struct unit_property *items;
	size_t count, room;
};

void property_add(struct unit_properties *to, const char *name, const char *signature,
		  const struct json *value);

/* unit_limits.c */

/* What the writes @all come to, as far as properties can say it. */
void unit_limits(struct unit_properties *to, const struct settings *all);

/* The same, but only those properties that the writes @changed touch. */
void unit_limits_changed(struct unit_properties *to, const struct settings *all,
			 const struct settings *changed);

/* unit_devices.c */

/*
 * The rules, and the default devices, as DevicePolicy and DeviceAllow; never stricter than they
 * are. @reset: in the place of what the unit has. @devices: /proc/devices, or NULL.
 */
void unit_devices(struct unit_properties *to, const struct spec_resources *resources,
		  const char *devices, bool reset);

/* /proc/devices, if the rules are such that it is needed, or NULL; the caller's. */
char *unit_devices_read(const struct spec_resources *resources);

/* unit_annotations.c */

/* Adds what "org.systemd.property.*" ask for. */
int unit_annotations(struct unit_properties *to, const struct spec_strings *annotations,
		     struct error *err) must_check;

/* gvariant.c */

struct gvariant {
	const char *signature;
	const struct json *value;
};

/* Reads a value in GVariant's text format; everything lives in @arena. */
int gvariant_read(struct arena *arena, const char *text, struct gvariant *ret,
		  struct error *err) must_check;

/* driver_systemd.c */

/* Changes properties of a unit while it lives. */
int unit_set(const struct unit_ref *ref, const struct unit_properties *properties,
	     struct error *err) must_check;

#endif
