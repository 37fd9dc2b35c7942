/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of units, by linux.cgroupsPath as the systemd driver reads it: "SLICE:PREFIX:NAME" is the
 * scope PREFIX-NAME.scope in that slice (systemd.unit(5), systemd.slice(5)).
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "berth/base/str.h"
#include "berth/cgroup/cgroup.h"

#include "cgroup-internal.h"
#include "unit-internal.h"

#define FIELD	     "linux.cgroupsPath"
#define SCOPE_SUFFIX ".scope"
#define SLICE_SUFFIX ".slice"
#define ROOT_SLICE   "-.slice"

/* systemd's UNIT_NAME_MAX, and the kernel's bound for the name of a cgroup. */
#define UNIT_NAME_LENGTH_MAX 255

static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			    "0123456789:_.-\\";

static bool ends_with(const char *text, const char *suffix)
{
	size_t length = strlen(text), tail = strlen(suffix);

	return length >= tail && str_equal(text + length - tail, suffix);
}

/* What systemd allows in no name is written as systemd-escape(1) does it: \x2b. */
static void add_escaped(struct buf *to, const char *text)
{
	for (; *text; text++) {
		if (strchr(plain, *text))
			buf_add_char(to, *text);
		else
			buf_printf(to, "\\x%02x", (unsigned)(unsigned char)*text);
	}
}

/* A slice's name says where it is: each "-" is a level. */
static int check_slice(const char *slice, struct error *err)
{
	size_t length = strlen(slice);

	if (str_equal(slice, ROOT_SLICE))
		return 0;
	if (!ends_with(slice, SLICE_SUFFIX) || length == strlen(SLICE_SUFFIX))
		return refuse(err, "\"%s\" is not the name of a slice, such as \"system.slice\"",
			      slice);
	if (length > UNIT_NAME_LENGTH_MAX)
		return refuse(err, "the slice's name is longer than %d bytes",
			      UNIT_NAME_LENGTH_MAX);
	if (strspn(slice, plain) != length || slice[0] == '-' || slice[0] == '.' ||
	    strstr(slice, "--") || strstr(slice, "-.slice"))
		return refuse(err, "systemd allows no slice of the name \"%s\"", slice);
	return 0;
}

static int make_name(struct arena *arena, const char *prefix, const char *name, const char **ret,
		     struct error *err)
{
	_cleanup_buf_ struct buf unit = BUF_EMPTY;

	if (!*name)
		return refuse(err, "the name after the second colon is missing");
	if (ends_with(name, SLICE_SUFFIX))
		return refuse(err, "\"%s\" is a slice, which holds no processes of its own", name);
	add_escaped(&unit, prefix);
	if (*prefix)
		buf_add_char(&unit, '-');
	add_escaped(&unit, name);
	buf_add_string(&unit, SCOPE_SUFFIX);
	if (unit.size > UNIT_NAME_LENGTH_MAX)
		return refuse(err, "the unit's name, \"%.60s…\", is longer than %d bytes",
			      unit.data, UNIT_NAME_LENGTH_MAX);
	/* Hidden files are no cgroups of systemd's. */
	if (unit.data[0] == '.')
		return refuse(err, "systemd allows no unit of the name \"%s\"", unit.data);
	*ret = arena_strdup(arena, unit.data);
	return 0;
}

static int split(struct arena *arena, const char *path, const struct unit_wanted *wanted,
		 struct unit *ret, struct error *err)
{
	const char *first = strchr(path, ':'), *second = first ? strchr(first + 1, ':') : NULL;
	const char *slice;
	int r;

	if (!second || strchr(second + 1, ':'))
		return refuse(err, "the systemd driver takes \"SLICE:PREFIX:NAME\"");
	slice = arena_strndup(arena, path, (size_t)(first - path));
	if (!*slice)
		slice = wanted->user ? "user" SLICE_SUFFIX : "system" SLICE_SUFFIX;
	else if (str_equal(slice, "-"))
		slice = ROOT_SLICE;
	r = check_slice(slice, err);
	if (r < 0)
		return r;
	ret->slice = slice;
	return make_name(arena, arena_strndup(arena, first + 1, (size_t)(second - first - 1)),
			 second + 1, &ret->name, err);
}

int unit_name_of(struct arena *arena, const struct unit_wanted *wanted, struct unit *ret,
		 struct error *err)
{
	const char *path = wanted->cgroups_path;
	int r;

	if (!path || !*path)
		path = arena_printf(arena, ":berth:%s", wanted->id);
	r = split(arena, path, wanted, ret, err);
	return r < 0 ? within(err, r, FIELD ": \"%s\"", path) : 0;
}

/* "a-b.slice" is at "/a.slice/a-b.slice", the root slice at "". */
static void add_slice(struct buf *path, const char *slice)
{
	size_t stem = strlen(slice) - strlen(SLICE_SUFFIX);

	if (str_equal(slice, ROOT_SLICE))
		return;
	for (size_t i = 1; i <= stem; i++) {
		if (slice[i] == '-' || i == stem)
			buf_printf(path, "/%.*s" SLICE_SUFFIX, (int)i, slice);
	}
}

bool unit_is_named(const char *cgroups_path)
{
	const char *colon = cgroups_path ? strchr(cgroups_path, ':') : NULL;

	return colon && cgroups_path[0] != '/' && strchr(colon + 1, ':');
}

int unit_usual_cgroup(const char *cgroups_path, const char *id, char **ret_path, struct error *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	const struct unit_wanted wanted = {.cgroups_path = cgroups_path, .id = id};
	struct buf path = BUF_EMPTY;
	struct unit unit = {.name = "", .slice = ROOT_SLICE};
	int r = unit_name_of(arena, &wanted, &unit, err);

	if (r < 0)
		return r;
	add_slice(&path, unit.slice);
	buf_printf(&path, "/%s", unit.name);
	*ret_path = buf_take(&path);
	return 0;
}
