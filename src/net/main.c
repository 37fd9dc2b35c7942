/* SPDX-License-Identifier: Apache-2.0 */
/* berth-net: its commands, its global options, and what the environment decides. */
#include <stdlib.h>
#include <sys/stat.h>

#include "berth/base/alloc.h"
#include "berth/base/log.h"
#include "berth/base/path.h"
#include "berth/base/version.h"

#include "cni.h"

#define DEFAULT_ROOT "/var/lib/berth-net"

static const struct command_syntax *const commands[] = {
	&command_netdevices.syntax, &command_add.syntax,     &command_del.syntax,
	&command_check.syntax,	    &command_list.syntax,    &command_reload.syntax,
	&command_gc.syntax,	    &command_network.syntax,
};

struct globals {
	const char *root;
	bool json, debug, version;
};

static const struct option global_options[] = {
	{"root", 0, OPTION_TEXT, offsetof(struct globals, root), "DIR",
	 "where leases and networks are kept (default: /var/lib/berth-net)"},
	{"json", 0, OPTION_FLAG, offsetof(struct globals, json), NULL, "write JSON"},
	{"debug", 0, OPTION_FLAG, offsetof(struct globals, debug), NULL,
	 "say on standard error what is done"},
	{"version", 'v', OPTION_FLAG, offsetof(struct globals, version), NULL, "print the version"},
};

static const struct program program = {
	.name = "berth-net",
	.commands = commands,
	.command_count = ARRAY_SIZE(commands),
	.global_options = global_options,
	.global_count = ARRAY_SIZE(global_options),
	.globals_size = sizeof(struct globals),
	.version_offset = offsetof(struct globals, version),
};

static int run(const struct invocation *invocation, struct error *err)
{
	const struct globals *globals = (const struct globals *)invocation->globals;
	/* The syntax is its first member. */
	const struct command *command = (const struct command *)invocation->command;
	_cleanup_free_ char *root = path_absolute(globals->root ? globals->root : DEFAULT_ROOT);
	const struct context context = {
		.root = root,
		.json = globals->json,
		.path = getenv("PATH"),
	};

	if (!root)
		return fail(err, -errno, "find the directory \"%s\"", globals->root);
	/* What is made must not depend on the caller's mask; modes are given one by one. */
	umask(022);
	return command->run(&context, invocation->values, invocation_words(invocation), err);
}

static int act(struct invocation *invocation, char *const *argv, struct error *err)
{
	_cleanup_buf_ struct buf text = BUF_EMPTY;
	int r = invocation_parse(&program, argv + 1, invocation, err);
	const struct globals *globals = (const struct globals *)invocation->globals;

	if (r < 0)
		return r;
	r = log_open(NULL, LOG_FORMAT_TEXT, globals->debug ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARNING,
		     err);
	if (r < 0)
		return r;
	if (invocation->help)
		invocation_help(&program, invocation, &text);
	else if (globals->version)
		buf_printf(&text, "berth-net version %s\ncommit: %s\n", BERTH_VERSION,
			   BERTH_COMMIT);
	else
		return run(invocation, err);
	return print_out(text.data, err);
}

/* An engine calls a plugin without a word. */
static int run_plugin(const char *command)
{
	const struct context context = {
		.root = DEFAULT_ROOT,
		.cni_command = command,
		.cni_container = getenv("CNI_CONTAINERID"),
		.cni_netns = getenv("CNI_NETNS"),
		.cni_ifname = getenv("CNI_IFNAME"),
		.cni_args = getenv("CNI_ARGS"),
	};

	umask(022);
	return cni_run(&context);
}

int main(int argc, char **argv)
{
	const char *cni_command = getenv("CNI_COMMAND");
	struct invocation invocation = {.command = NULL};
	struct error err = ERROR_NONE;
	int r;

	log_set_name("berth-net");
	if (argc <= 1 && cni_command)
		return run_plugin(cni_command);
	r = act(&invocation, argv, &err);
	if (r < 0)
		log_error(&err);
	invocation_done(&invocation);
	return r < 0 ? 1 : 0;
}
