/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The systemd driver: cgroups that systemd makes and takes away, as scopes.
 *
 * Theory of operation. systemd is spoken to over D-Bus, with a library that is no part of berth:
 * so another program does that, berth-systemd, which answers a question with a JSON object. It ends
 * with us, or when it has done what it was asked, has a time-out for everything that it does, and
 * is killed where it nevertheless takes longer. The scope begins with that program as its only
 * process, until the container's first one is in it. Should we be killed meanwhile, the scope
 * becomes empty, and systemd takes it away.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "berth/base/alloc.h"
#include "berth/base/fd.h"
#include "berth/base/helper.h"
#include "berth/base/json_write.h"
#include "berth/base/str.h"
#include "berth/cgroup/cgroup.h"

#include "cgroup-internal.h"
#include "unit-internal.h"

#define HELPER "berth-systemd"
#define OPTION "--systemd-cgroup"

/* Longer than the helper's own time-out, which says more. */
#define ANSWER_TIMEOUT_MS 35000

/* What of the environment says how to reach systemd. */
static const char *const passed_on[] = {
	"XDG_RUNTIME_DIR=",
	"DBUS_SESSION_BUS_ADDRESS=",
	"DBUS_SYSTEM_BUS_ADDRESS=",
};

static int find_helper(const struct systemd *systemd, char **ret, struct error *err)
{
	_cleanup_free_ char *own = helper_own_program(systemd->program);

	return helper_path(own, HELPER, OPTION, ret, err);
}

int systemd_check(const struct systemd *systemd, struct error *err)
{
	_cleanup_free_ char *path = NULL;

	return find_helper(systemd, &path, err);
}

/* The first item that begins so, or NULL. */
static const char *find_variable(const char *const *env, const char *prefix)
{
	while (env && *env && !str_starts(*env, prefix))
		env++;
	return env ? *env : NULL;
}

static int connect_helper(const struct systemd *systemd, struct companion *ret, struct error *err)
{
	const char *argv[] = {HELPER, systemd->user ? "--user" : NULL, NULL};
	const char *env[ARRAY_SIZE(passed_on) + 1] = {NULL};
	struct spawn what = {.argv = argv, .envp = env, .cwdfd = -EBADF};
	_cleanup_free_ char *path = NULL;
	size_t count = 0;
	int r = find_helper(systemd, &path, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(passed_on); i++) {
		const char *found = find_variable(systemd->env, passed_on[i]);

		if (found)
			env[count++] = found;
	}
	what.path = path;
	return companion_start(&what, ret, err);
}

/* A question is an object with one member: what is to be done. */
struct question {
	const char *unit;
	struct buf text;
	struct json_writer w;
};

static void question_begin(struct question *q, const char *verb, const char *unit)
{
	q->unit = unit;
	q->text = (struct buf)BUF_EMPTY;
	q->w = (struct json_writer)JSON_WRITER(&q->text, false);
	json_begin_object(&q->w);
	json_key(&q->w, verb);
	json_begin_object(&q->w);
	json_member_string(&q->w, "unit", unit);
}

static void question_end(struct question *q)
{
	json_end_object(&q->w);
	json_end_object(&q->w);
}

static void add_properties(struct json_writer *w, const struct unit_property *items, size_t count)
{
	json_key(w, "properties");
	json_begin_array(w);
	for (size_t i = 0; i < count; i++) {
		json_begin_array(w);
		json_string(w, items[i].name);
		json_string(w, items[i].signature);
		json_value(w, items[i].value);
		json_end_array(w);
	}
	json_end_array(w);
}

/* @ret_cgroup: what the answer says of it; NULL: nothing is asked for. */
static int read_answer(const char *text, char **ret_cgroup, struct error *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	const struct json *tree = NULL, *error = NULL, *cgroup = NULL;
	int r = json_read(arena, text, strlen(text), "the answer of " HELPER, &tree, err);

	if (r < 0)
		return r;
	if (tree->type == JSON_OBJECT) {
		error = json_member(tree, "error");
		cgroup = json_member(tree, "cgroup");
	}
	if (error && error->type == JSON_STRING)
		return refuse_as(err, -EIO, "%s", error->text);
	if (tree->type != JSON_OBJECT || error ||
	    (ret_cgroup && (!cgroup || cgroup->type != JSON_STRING)))
		return refuse_as(err, -EPROTO, HELPER " answered \"%.200s\"", text);
	if (!ret_cgroup)
		return 0;
	r = cgroup_path_check(cgroup->text, err);
	if (r >= 0)
		*ret_cgroup = xstrdup(cgroup->text);
	return r < 0 ? within(err, r, "the answer of " HELPER) : 0;
}

/* Ends the question, which is freed here. */
static int ask(struct companion *helper, struct question *q, char **ret_cgroup, struct error *err)
{
	_cleanup_free_ char *answer = NULL;
	int r;

	question_end(q);
	r = companion_ask(helper, q->text.data, q->text.size, ANSWER_TIMEOUT_MS, &answer, err);
	buf_done(&q->text);
	/* An answer names the unit itself. */
	return r < 0 ? within(err, r, "unit \"%s\"", q->unit)
		     : read_answer(answer, ret_cgroup, err);
}

/* A conversation of one question. */
static int ask_once(const struct unit_ref *ref, struct question *q, struct error *err)
{
	_cleanup_companion_ struct companion helper = COMPANION_UNSET;
	int r = connect_helper(ref->systemd, &helper, err);

	if (r < 0) {
		buf_done(&q->text);
		return r;
	}
	return ask(&helper, q, NULL, err);
}

int unit_start(const struct systemd *systemd, const struct unit *unit, struct companion *ret_holder,
	       char **ret_path, struct error *err)
{
	_cleanup_companion_ struct companion helper = COMPANION_UNSET;
	struct question q;
	int r = connect_helper(systemd, &helper, err);

	if (r < 0)
		return r;
	question_begin(&q, "start", unit->name);
	add_properties(&q.w, unit->properties, unit->property_count);
	r = ask(&helper, &q, ret_path, err);
	if (r < 0)
		return r;
	*ret_holder = helper;
	helper = (struct companion)COMPANION_UNSET;
	return 0;
}

int unit_set(const struct unit_ref *ref, const struct unit_properties *properties,
	     struct error *err)
{
	struct question q;

	if (!properties->count)
		return 0;
	question_begin(&q, "set", ref->name);
	add_properties(&q.w, properties->items, properties->count);
	return ask_once(ref, &q, err);
}

int unit_attach(const struct unit_ref *ref, const char *subgroup, pid_t pid, struct error *err)
{
	struct question q;

	question_begin(&q, "attach", ref->name);
	json_member_i64(&q.w, "pid", pid);
	if (subgroup && *subgroup)
		json_member_string(&q.w, "subcgroup", subgroup);
	return ask_once(ref, &q, err);
}

int unit_stop(const struct unit_ref *ref, struct error *err)
{
	struct question q;

	question_begin(&q, "stop", ref->name);
	return ask_once(ref, &q, err);
}

int cgroup_adopt(int rootfd, const char *path, const struct spec_resources *resources,
		 struct error *err)
{
	_cleanup_settings_ struct settings settings = settings_of(resources);
	_cleanup_needs_ struct limit_needs needs = limits_need(&settings);
	_cleanup_fd_ int fd = cgroup_open(rootfd, path, err);
	int r = fd;

	if (r >= 0)
		r = cgroup_enable(rootfd, path, &needs, err);
	if (r >= 0)
		r = limits_write(fd, path, resources, &settings, err);
	return r < 0 ? r : take_fd(&fd);
}
