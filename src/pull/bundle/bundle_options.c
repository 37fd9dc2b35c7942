/* SPDX-License-Identifier: Apache-2.0 */
/* The options that make a bundle: their table, and what can be said of them without an image. */
#include <errno.h>

#include "bundle-internal.h"

#define ROW(option, field, kind, argument, help)                                                   \
	{                                                                                          \
		option, 0, kind, offsetof(struct bundle_options, field), argument, help            \
	}

const struct option bundle_option_table[BUNDLE_OPTION_COUNT] = {
	ROW("arg", args, OPTION_LIST, "WORD", "argument of the program, for the image's command"),
	ROW("entrypoint", entrypoint, OPTION_TEXT, "PROGRAM",
	    "program, for the image's entrypoint and command"),
	ROW("env", env, OPTION_LIST, "NAME[=VALUE]",
	    "environment variable; without a value as it is here"),
	ROW("user", user, OPTION_TEXT, "USER[:GROUP]", "names or numbers"),
	ROW("cwd", cwd, OPTION_TEXT, "DIR", "working directory"),
	ROW("volume", volumes, OPTION_LIST, "SRC:DST[:OPTIONS]",
	    "mount of the host; ro, idmap, exec, suid, dev …"),
	ROW("tmpfs", tmpfs, OPTION_LIST, "DST[:OPTIONS]", "file system in memory; size=, mode= …"),
	ROW("image-volumes", image_volumes, OPTION_TEXT, "bind|tmpfs|ignore",
	    "what the image's volumes become (default: bind)"),
	ROW("memory", memory, OPTION_TEXT, "BYTES", "limit; with k, m or g"),
	ROW("cpus", cpus, OPTION_TEXT, "NUMBER", "limit; 1.5 is one and a half"),
	ROW("pids", pids, OPTION_TEXT, "NUMBER", "limit of processes"),
	ROW("read-only", read_only, OPTION_FLAG, NULL, "nothing is written to the root"),
	ROW("cap-add", cap_add, OPTION_LIST, "NAME", "one capability more, or ALL"),
	ROW("cap-drop", cap_drop, OPTION_LIST, "NAME", "one capability less, or ALL"),
	ROW("security-opt", security_opts, OPTION_LIST, "OPTION",
	    "seccomp=FILE|unconfined, no-new-privileges[=false]"),
	ROW("network", network, OPTION_TEXT, "none|host|NETWORK",
	    "bridge, bridge:NAME, NAME, pasta or slirp4netns (default: none)"),
	ROW("publish", publish, OPTION_LIST, "[IP:]HOST:CONT[/udp]",
	    "port or range of the host that leads to the container's"),
	ROW("ip", ip, OPTION_LIST, "ADDR", "address in the network"),
	ROW("mac", mac, OPTION_TEXT, "MAC", "address of its link"),
	ROW("dns", dns, OPTION_LIST, "ADDR", "name server (default: the host's)"),
	ROW("bandwidth", bandwidth, OPTION_TEXT, "RATE", "limit, 10mbit for one; both directions"),
	ROW("net-root", net_root, OPTION_TEXT, "DIR", "where berth-net keeps its networks"),
	ROW("userns", userns, OPTION_TEXT, "host|auto|START:SIZE",
	    "ids of the container (default: host)"),
	ROW("hostname", hostname, OPTION_TEXT, "NAME", "default: the bundle's name"),
	ROW("tty", tty, OPTION_FLAG, NULL, "the program has a terminal"),
	ROW("init", init, OPTION_FLAG, NULL, "tini or catatonit of this host is the first process"),
	ROW("flat", flat, OPTION_FLAG, NULL, "a plain root, for any runtime, and no overlay"),
};

/* The index of @text in @names, or -1. */
static int name_index(const char *const *names, int count, const char *text)
{
	for (int i = 0; i < count; i++) {
		if (str_equal(names[i], text))
			return i;
	}
	return -1;
}

bool bundle_is_utf8(const char *text)
{
	while (*text) {
		const size_t length = utf8_length(text);

		if (length == 0)
			return false;
		text += length;
	}
	return true;
}

static int check_text(const char *option, const char *text, struct error *err)
{
	if (!text || bundle_is_utf8(text))
		return 0;
	return refuse(err, "--%s: \"%s\" is not UTF-8, as config.json must be", option, text);
}

/* Names of files that are read now may be anything. */
static int check_texts(const struct bundle_options *options, struct error *err)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < BUNDLE_OPTION_COUNT; i++) {
		const struct option *option = &bundle_option_table[i];
		const void *value = (const char *)options + option->offset;
		const struct strv *list = option->kind == OPTION_LIST ? value : NULL;

		if (str_equal(option->name, "security-opt"))
			continue;
		if (option->kind == OPTION_TEXT)
			r = check_text(option->name, *(const char *const *)value, err);
		for (size_t j = 0; r >= 0 && list && j < list->count; j++)
			r = check_text(option->name, list->items[j], err);
	}
	return r;
}

/* What there is here of a variable that is given by its name alone. */
static int check_environment(const struct bundle_options *options, const char *name,
			     struct error *err)
{
	const size_t length = strlen(name);
	int r = 0;

	for (const char *const *item = options->environment; r >= 0 && item && *item; item++) {
		if (strncmp(*item, name, length) == 0 && (*item)[length] == '=')
			r = check_text("env", *item, err);
	}
	return r;
}

static int read_env(const struct bundle_options *options, struct error *err)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < options->env.count; i++) {
		const char *text = options->env.items[i];

		if (text[0] == '\0' || text[0] == '=')
			return refuse(err, "--env: \"%s\" has no name", text);
		r = check_environment(options, text, err);
	}
	return r;
}

/* hostname(7), and what sethostname(2) takes. */
bool bundle_is_hostname(const char *text)
{
	static const char characters[] = "abcdefghijklmnopqrstuvwxyz"
					 "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.";
	const size_t length = strlen(text);

	return length > 0 && length <= 64 && text[0] != '-' && text[0] != '.' &&
	       strspn(text, characters) == length;
}

static int read_names(const struct bundle_options *options, struct bundle_plan *ret,
		      struct error *err)
{
	static const char *const volumes[IMAGE_VOLUMES_MAX] = {"bind", "tmpfs", "ignore"};
	int i = options->image_volumes
			? name_index(volumes, IMAGE_VOLUMES_MAX, options->image_volumes)
			: 0;

	if (i < 0)
		return refuse(err,
			      "--image-volumes: \"%s\" is none of \"bind\", \"tmpfs\" and "
			      "\"ignore\"",
			      options->image_volumes);
	ret->image_volumes = (enum image_volumes)i;
	if (options->hostname && !bundle_is_hostname(options->hostname))
		return refuse(err,
			      "--hostname: \"%s\" is no name: up to 64 letters, digits, dots and "
			      "hyphens",
			      options->hostname);
	if (options->cwd && options->cwd[0] != '/')
		return refuse(err, "--cwd: \"%s\" is no absolute path", options->cwd);
	return 0;
}

/* Docker once wrote a colon, now an equals sign. */
static int read_security_opt(struct arena *arena, const char *text, struct bundle_plan *ret,
			     struct error *err)
{
	const size_t length = strcspn(text, "=:");
	const char *value = text[length] ? text + length + 1 : "true";

	if (length == strlen("seccomp") && str_starts(text, "seccomp") && text[length]) {
		ret->seccomp_unconfined = str_equal(value, "unconfined");
		ret->seccomp_profile = NULL;
		return ret->seccomp_unconfined
			       ? 0
			       : bundle_seccomp_read(arena, value, &ret->seccomp_profile, err);
	}
	if (length == strlen("no-new-privileges") && str_starts(text, "no-new-privileges") &&
	    (str_equal(value, "true") || str_equal(value, "false"))) {
		ret->no_new_privileges = str_equal(value, "true");
		return 0;
	}
	return refuse(err, "there are seccomp=FILE, seccomp=unconfined, no-new-privileges and "
			   "no-new-privileges=false");
}

static int read_security_opts(struct arena *arena, const struct bundle_options *options,
			      struct bundle_plan *ret, struct error *err)
{
	int r = 0;

	ret->no_new_privileges = true;
	for (size_t i = 0; r >= 0 && i < options->security_opts.count; i++) {
		r = read_security_opt(arena, options->security_opts.items[i], ret, err);
		if (r < 0)
			return within(err, r, "--security-opt %s", options->security_opts.items[i]);
	}
	return r;
}

int bundle_plan_read(struct arena *arena, const struct bundle_options *options,
		     struct bundle_plan *ret, struct error *err)
{
	int r;

	*ret = (struct bundle_plan){.options = options};
	r = check_texts(options, err);
	if (r >= 0)
		r = read_env(options, err);
	if (r >= 0)
		r = read_names(options, ret, err);
	if (r >= 0 && options->user && (r = bundle_user_check(options->user, err)) < 0)
		return within(err, r, "--user");
	if (r >= 0)
		r = bundle_capabilities_read(options, ret, err);
	if (r >= 0)
		r = bundle_limits_read(options, ret, err);
	if (r >= 0)
		r = bundle_userns_read(arena, options, ret, err);
	if (r >= 0)
		r = bundle_mounts_read(arena, options, ret, err);
	if (r >= 0)
		r = bundle_network_read(arena, options, ret, err);
	if (r >= 0)
		r = read_security_opts(arena, options, ret, err);
	if (r < 0 || !options->init)
		return r;
	/* It would be below the mount, or make a file in a directory of the host. */
	if (bundle_mounts_overrule(ret, BUNDLE_INIT_PATH))
		return refuse(err, "--init puts its program on " BUNDLE_INIT_PATH
				   ", where --volume or --tmpfs mounts something else");
	return bundle_init_find(arena, &ret->init, err);
}

int bundle_options_check(const struct bundle_options *options, struct error *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct bundle_plan plan;
	int r = bundle_plan_read(arena, options, &plan, err);

	return r < 0 ? r : bundle_network_prepare(arena, &plan, err);
}
