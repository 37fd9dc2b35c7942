/* SPDX-License-Identifier: Apache-2.0 */
/* config.json's `process`: what the image runs, and what the user has instead. */
#include <sys/resource.h>

#include "berth/base/log.h"

#include "bundle-internal.h"

#define DEFAULT_PATH "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* Descriptors at most: what systemd gives to services, or what berth-pull itself may have. */
#define FILES_HARD 524288
#define FILES_SOFT 1024

static void add_all(struct strv *list, const char *const *items)
{
	for (; items && *items; items++)
		strv_add(list, *items);
}

/* As Docker takes it: [""] is the way to say that there is none, after all. */
static bool is_nothing(const char *const *list)
{
	return !list || !list[0] || (list[0][0] == '\0' && !list[1]);
}

/* --entrypoint replaces both, --arg the command alone. */
static void compose_args(const struct bundle_plan *plan, const struct image_config *image,
			 struct strv *ret)
{
	const struct bundle_options *options = plan->options;

	if (plan->init) {
		strv_add(ret, BUNDLE_INIT_PATH);
		strv_add(ret, "--");
	}
	if (options->entrypoint && options->entrypoint[0])
		strv_add(ret, options->entrypoint);
	else if (!options->entrypoint && !is_nothing(image->entrypoint))
		add_all(ret, image->entrypoint);
	if (options->args.count > 0)
		add_all(ret, (const char *const *)options->args.items);
	else if (!options->entrypoint)
		add_all(ret, image->cmd);
	if (ret->count == (plan->init ? 2 : 0)) {
		log_warning("the image does not say what to run: sh");
		strv_add(ret, "sh");
	}
}

/* --- environment --------------------------------------------------------------------------- */

static bool is_variable(const char *text, const char *name, size_t length)
{
	return strncmp(text, name, length) == 0 && text[length] == '=';
}

static bool has_variable(const struct strv *env, const char *name)
{
	for (size_t i = 0; i < env->count; i++) {
		if (is_variable(env->items[i], name, strlen(name)))
			return true;
	}
	return false;
}

/* Takes every occurrence out. */
static void remove_variable(struct strv *env, const char *name, size_t length)
{
	size_t kept = 0;

	for (size_t i = 0; i < env->count; i++) {
		if (is_variable(env->items[i], name, length))
			free(env->items[i]);
		else
			env->items[kept++] = env->items[i];
	}
	if (env->items)
		env->items[kept] = NULL;
	env->count = kept;
}

/* NAME=VALUE; NAME alone is as it is here, and is taken out where there is none here. */
static void set_variable(struct strv *env, const char *text, const char *const *environment)
{
	const size_t length = strcspn(text, "=");

	remove_variable(env, text, length);
	if (text[length]) {
		strv_add(env, text);
		return;
	}
	for (; environment && *environment; environment++) {
		if (is_variable(*environment, text, length))
			strv_add(env, *environment);
	}
}

/* As Docker, which takes what has no value for a variable that there is not; runtimes refuse it. */
static void add_image_env(struct strv *env, const char *const *items)
{
	for (; items && *items; items++) {
		if (strcspn(*items, "=") > 0 && strchr(*items, '='))
			strv_add(env, *items);
		else
			log_warning("the image's variable \"%s\" is left out: it is not NAME=VALUE",
				    *items);
	}
}

static void compose_env(const struct bundle_contents *contents, struct strv *ret)
{
	const struct bundle_options *options = contents->plan->options;
	_cleanup_free_ char *home = xasprintf("HOME=%s", contents->user->home);

	add_image_env(ret, contents->image->env);
	for (size_t i = 0; i < options->env.count; i++)
		set_variable(ret, options->env.items[i], options->environment);
	if (!has_variable(ret, "PATH"))
		strv_add(ret, DEFAULT_PATH);
	if (!has_variable(ret, "HOME"))
		strv_add(ret, home);
	if (options->tty && !has_variable(ret, "TERM"))
		strv_add(ret, "TERM=xterm");
}

/* --- writing ------------------------------------------------------------------------------- */

static void write_user(struct json_writer *w, const struct bundle_user *user)
{
	json_key(w, "user");
	json_begin_object(w);
	json_member_u64(w, "uid", user->uid);
	json_member_u64(w, "gid", user->gid);
	if (user->group_count > 0) {
		json_key(w, "additionalGids");
		json_begin_array(w);
		for (size_t i = 0; i < user->group_count; i++)
			json_u64(w, user->groups[i]);
		json_end_array(w);
	}
	json_end_object(w);
}

/* A hard limit above that of whoever runs the bundle, most likely us, would be refused. */
static void write_rlimits(struct json_writer *w)
{
	struct rlimit files;
	rlim_t hard = FILES_HARD;

	if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_max < hard)
		hard = files.rlim_max;
	json_key(w, "rlimits");
	json_begin_array(w);
	json_begin_object(w);
	json_member_string(w, "type", "RLIMIT_NOFILE");
	json_member_u64(w, "hard", hard);
	json_member_u64(w, "soft", hard < FILES_SOFT ? hard : FILES_SOFT);
	json_end_object(w);
	json_end_array(w);
}

static void write_strings(struct json_writer *w, const char *name, const struct strv *list)
{
	json_member_strings(w, name, (const char *const *)list->items);
}

static void write_cwd(struct json_writer *w, const struct bundle_contents *contents)
{
	const char *option = contents->plan->options->cwd;
	const char *cwd = option ? option : contents->image->working_dir;
	_cleanup_free_ char *absolute = xasprintf("/%s", cwd);

	json_member_string(w, "cwd", cwd[0] == '/' ? cwd : absolute);
}

void bundle_process_write(struct json_writer *w, const struct bundle_contents *contents)
{
	const struct bundle_plan *plan = contents->plan;
	_cleanup_strv_ struct strv args = {0}, env = {0};

	compose_args(plan, contents->image, &args);
	compose_env(contents, &env);
	json_key(w, "process");
	json_begin_object(w);
	json_member_bool(w, "terminal", plan->options->tty);
	write_user(w, contents->user);
	write_strings(w, "args", &args);
	write_strings(w, "env", &env);
	write_cwd(w, contents);
	bundle_capabilities_write(w, plan, contents->user->uid == 0);
	write_rlimits(w);
	json_member_bool(w, "noNewPrivileges", plan->no_new_privileges);
	json_end_object(w);
}
