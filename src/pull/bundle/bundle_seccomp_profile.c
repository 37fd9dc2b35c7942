/* SPDX-License-Identifier: Apache-2.0 */
/*
 * --security-opt seccomp=FILE: a profile in the form that Docker and podman have, with conditions
 * on capabilities, machines and kernels, or as it stands in config.json, which has none.
 *
 * The shape is checked when it is read, before anything is downloaded; what the words mean is the
 * runtime's business.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/utsname.h>

#include "berth/base/fd.h"

#include "bundle-internal.h"
#include "seccomp_table.h"

#define PROFILE_MAX (1u << 20)

/* --- checking ------------------------------------------------------------------------------ */

/* A member that must have this type, where it is there and not null. */
struct shape {
	const char *name;
	enum json_type type;
	bool of_strings; /* an array, all of whose items are */
};

static const struct shape profile_shape[] = {
	{"defaultAction", JSON_STRING, false},
	{"defaultErrnoRet", JSON_NUMBER, false},
	{"architectures", JSON_ARRAY, true},
	{"archMap", JSON_ARRAY, false},
	{"flags", JSON_ARRAY, true},
	{"syscalls", JSON_ARRAY, false},
	{NULL, JSON_NULL, false},
};
static const struct shape map_shape[] = {
	{"architecture", JSON_STRING, false},
	{"subArchitectures", JSON_ARRAY, true},
	{NULL, JSON_NULL, false},
};
static const struct shape rule_shape[] = {
	{"names", JSON_ARRAY, true},	  {"name", JSON_STRING, false},
	{"action", JSON_STRING, false},	  {"errnoRet", JSON_NUMBER, false},
	{"args", JSON_ARRAY, false},	  {"includes", JSON_OBJECT, false},
	{"excludes", JSON_OBJECT, false}, {NULL, JSON_NULL, false},
};
static const struct shape filter_shape[] = {
	{"caps", JSON_ARRAY, true},
	{"arches", JSON_ARRAY, true},
	{"minKernel", JSON_STRING, false},
	{NULL, JSON_NULL, false},
};

/* The member, or NULL where it is not there or null. */
static const struct json *member(const struct json *object, const char *name)
{
	const struct json *value = object ? json_member(object, name) : NULL;

	return value && value->type != JSON_NULL ? value : NULL;
}

static const struct json *items(const struct json *list)
{
	return list ? list->item : NULL;
}

static int check_object(const struct json *object, const struct shape *shape, struct error *err)
{
	if (object->type != JSON_OBJECT)
		return refuse(err, "%s where an object must be", json_type_name(object->type));
	for (; shape->name; shape++) {
		const struct json *value = member(object, shape->name);

		if (value && value->type != shape->type)
			return refuse(err, "%s is %s, not %s", shape->name,
				      json_type_name(value->type), json_type_name(shape->type));
		for (const struct json *item = shape->of_strings ? items(value) : NULL; item;
		     item = item->next) {
			if (item->type != JSON_STRING)
				return refuse(err, "%s has an item that is no string", shape->name);
		}
	}
	return 0;
}

static int check_rule(const struct json *rule, struct error *err)
{
	static const char *const filters[] = {"includes", "excludes"};
	int r = check_object(rule, rule_shape, err);

	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(filters); i++) {
		const struct json *filter = member(rule, filters[i]);

		if (filter)
			r = check_object(filter, filter_shape, err);
	}
	if (r < 0)
		return r;
	if (!member(rule, "action") || (!member(rule, "name") && !member(rule, "names")))
		return refuse(err, "a rule has neither names nor an action");
	if (str_equal(member(rule, "action")->text, "SCMP_ACT_NOTIFY"))
		return refuse(err, "SCMP_ACT_NOTIFY needs somebody who listens");
	return 0;
}

static int check_profile(const struct json *profile, struct error *err)
{
	int r = check_object(profile, profile_shape, err);
	size_t number = 0;

	if (r >= 0 && !member(profile, "defaultAction"))
		return refuse(err, "there is no defaultAction");
	for (const struct json *map = r < 0 ? NULL : items(member(profile, "archMap"));
	     r >= 0 && map; map = map->next)
		r = check_object(map, map_shape, err);
	for (const struct json *rule = r < 0 ? NULL : items(member(profile, "syscalls"));
	     r >= 0 && rule; rule = rule->next) {
		r = check_rule(rule, err);
		if (r < 0)
			return within(err, r, "syscalls[%zu]", number);
		number++;
	}
	return r;
}

int bundle_seccomp_read(struct arena *arena, const char *path, const struct json **ret,
			struct error *err)
{
	_cleanup_fd_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	_cleanup_free_ char *text = NULL;
	size_t size = 0;
	int r;

	if (fd < 0)
		return fail(err, -errno, "open \"%s\"", path);
	r = file_read_fd(fd, path, PROFILE_MAX, &text, &size, err);
	if (r >= 0)
		r = json_read(arena, text, size, path, ret, err);
	return r < 0 ? r : check_profile(*ret, err);
}

/* --- writing ------------------------------------------------------------------------------- */

/* What a rule's conditions are held against. */
struct situation {
	const char *architecture;
	uint64_t capabilities;
};

static bool has_capability(const struct situation *here, const char *name)
{
	for (unsigned i = 0; i < BUNDLE_CAPABILITY_COUNT; i++) {
		if (str_equal(bundle_capability_names[i], name))
			return here->capabilities & (UINT64_C(1) << i);
	}
	return false;
}

/* "4.8" of "4.8.0-1-amd64": two numbers. */
static uint64_t kernel_number(const char *text)
{
	uint64_t parts[2] = {0};

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		const size_t length = strspn(text, "0123456789");
		_cleanup_free_ char *digits = xstrndup(text, length);

		if (str_to_u64(digits, &parts[i]) < 0)
			break;
		text += length + (text[length] == '.');
	}
	return (parts[0] << 32) + parts[1];
}

static bool kernel_is_at_least(const char *wanted)
{
	struct utsname system;

	return uname(&system) == 0 && kernel_number(system.release) >= kernel_number(wanted);
}

static bool lists(const struct json *list, const char *text)
{
	for (const struct json *item = items(list); item; item = item->next) {
		if (str_equal(item->text, text))
			return true;
	}
	return false;
}

/* Included: each kind of condition that is there holds. All capabilities that are named must be
 * there, and the machine be one of those. */
static bool is_included(const struct situation *here, const struct json *filter)
{
	const struct json *machines = member(filter, "arches"), *kernel;

	if (items(machines) && !lists(machines, here->architecture))
		return false;
	for (const struct json *item = items(member(filter, "caps")); item; item = item->next) {
		if (!has_capability(here, item->text))
			return false;
	}
	kernel = member(filter, "minKernel");
	return !kernel || kernel_is_at_least(kernel->text);
}

/* Excluded: one condition that holds is enough. */
static bool is_excluded(const struct situation *here, const struct json *filter)
{
	const struct json *kernel = member(filter, "minKernel");

	if (lists(member(filter, "arches"), here->architecture))
		return true;
	for (const struct json *item = items(member(filter, "caps")); item; item = item->next) {
		if (has_capability(here, item->text))
			return true;
	}
	return kernel && kernel_is_at_least(kernel->text);
}

static void write_member(struct json_writer *w, const struct json *object, const char *name)
{
	const struct json *value = member(object, name);

	if (!value)
		return;
	json_key(w, name);
	json_value(w, value);
}

static void write_rule(struct json_writer *w, const struct json *rule)
{
	const struct json *args = member(rule, "args");

	json_begin_object(w);
	json_key(w, "names");
	if (member(rule, "names")) {
		json_value(w, member(rule, "names"));
	} else {
		json_begin_array(w);
		json_string(w, member(rule, "name")->text);
		json_end_array(w);
	}
	write_member(w, rule, "action");
	write_member(w, rule, "errnoRet");
	if (items(args))
		write_member(w, rule, "args");
	json_end_object(w);
}

/* The entry of archMap for this host, as a list of all its names; or the list as it stands. */
static void write_architectures(struct json_writer *w, const struct json *profile,
				const char *architecture)
{
	const struct seccomp_host *host = seccomp_host_find(architecture);
	const struct json *map = items(member(profile, "archMap"));

	for (; map && host->names; map = map->next) {
		const struct json *native = member(map, "architecture");

		if (!native || !str_equal(native->text, host->names[0]))
			continue;
		json_key(w, "architectures");
		json_begin_array(w);
		json_string(w, native->text);
		for (const struct json *item = items(member(map, "subArchitectures")); item;
		     item = item->next)
			json_string(w, item->text);
		json_end_array(w);
		return;
	}
	write_member(w, profile, "architectures");
}

void seccomp_profile_write(struct json_writer *w, const struct json *profile,
			   const char *architecture, uint64_t capabilities)
{
	const struct situation here = {architecture, capabilities};

	json_begin_object(w);
	write_member(w, profile, "defaultAction");
	write_member(w, profile, "defaultErrnoRet");
	write_architectures(w, profile, architecture);
	write_member(w, profile, "flags");
	json_key(w, "syscalls");
	json_begin_array(w);
	for (const struct json *rule = items(member(profile, "syscalls")); rule;
	     rule = rule->next) {
		if (is_included(&here, member(rule, "includes")) &&
		    !is_excluded(&here, member(rule, "excludes")))
			write_rule(w, rule);
	}
	json_end_array(w);
	json_end_object(w);
}
