/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The scope of a container, decided before anything is touched. What comes later in the list of
 * properties overrules what comes before, so annotations come last.
 */
#include "berth/base/str.h"

#include "unit-internal.h"

static void add_flag(struct unit_properties *to, const char *name, bool value)
{
	property_add(to, name, "b", value_of_bool(to->arena, value));
}

static void add_text(struct unit_properties *to, const char *name, const char *text)
{
	property_add(to, name, "s", value_of_text(to->arena, text));
}

static void add_basics(struct unit_properties *to, const struct unit_wanted *wanted,
		       const struct unit *unit)
{
	add_text(to, "Description", arena_printf(to->arena, "berth container %s", wanted->id));
	add_text(to, "Slice", unit->slice);
	/* What is below the scope is the container's; and systemd passes all controllers on. */
	add_flag(to, "Delegate", true);
	add_flag(to, "CPUAccounting", true);
	add_flag(to, "IOAccounting", true);
	add_flag(to, "MemoryAccounting", true);
	add_flag(to, "TasksAccounting", true);
	/* A container outlives neither more nor less than its engine wants. */
	add_flag(to, "DefaultDependencies", false);
	/* Nothing is left of one that failed. */
	add_text(to, "CollectMode", "inactive-or-failed");
}

int unit_plan(struct arena *arena, const struct unit_wanted *wanted, struct unit *ret,
	      struct error *err)
{
	_cleanup_settings_ struct settings settings = settings_of(wanted->resources);
	_cleanup_free_ char *devices = NULL;
	struct unit_properties list = {.arena = arena};
	struct unit unit = {.name = NULL};
	int r = unit_name_of(arena, wanted, &unit, err);

	if (r < 0)
		return r;
	add_basics(&list, wanted, &unit);
	/* The user's manager has no right to load programs, and berth none either. */
	if (!wanted->user) {
		devices = unit_devices_read(wanted->resources);
		unit_devices(&list, wanted->resources, devices, /* reset= */ false);
	}
	unit_limits(&list, &settings);
	r = unit_annotations(&list, wanted->annotations, err);
	unit.properties = list.items;
	unit.property_count = list.count;
	*ret = unit;
	return r;
}
