/* SPDX-License-Identifier: Apache-2.0 */
/* berth-net: its commands, its global options, and what the environment decides. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "berth/base/alloc.h"
#include "berth/base/fd.h"
#include "berth/base/log.h"
#include "berth/base/path.h"
#include "berth/base/proc.h"
#include "berth/base/version.h"

#include "cni.h"

#define ROOT_OF_ROOT "/var/lib/berth-net"

static const struct command_syntax *const commands[] = {
	&command_add.syntax,	 &command_del.syntax,	     &command_check.syntax,
	&command_list.syntax,	 &command_reload.syntax,     &command_gc.syntax,
	&command_network.syntax, &command_netdevices.syntax,
};

struct globals {
	const char *root;
	bool json, debug, version;
};

static const struct option global_options[] = {
	{"root", 0, OPTION_TEXT, offsetof(struct globals, root), "DIR",
	 "where leases and networks are kept (default: " ROOT_OF_ROOT
	 ", or $XDG_RUNTIME_DIR/berth-net for ordinary users)"},
	{"json", 0, OPTION_FLAG, offsetof(struct globals, json), NULL, "write JSON"},
	{"debug", 0, OPTION_FLAG, offsetof(struct globals, debug), NULL,
	 "say on standard error what is done"},
	{"version", 'v', OPTION_FLAG, offsetof(struct globals, version), NULL, "print the version"},
};

static const struct program program = {
	.name = "berth-net",
	.version = BERTH_VERSION "\ncommit: " BERTH_COMMIT,
	.commands = commands,
	.command_count = ARRAY_SIZE(commands),
	.global_options = global_options,
	.global_count = ARRAY_SIZE(global_options),
	.globals_size = sizeof(struct globals),
	.version_offset = offsetof(struct globals, version),
};

/*
 * Where things are kept unless somebody says: the host's place, or for an ordinary user one that
 * ends with his session, as his containers' state does. *ret is the caller's.
 */
static int default_root(char **ret, struct error *err)
{
	const char *runtime_dir = getenv("XDG_RUNTIME_DIR");

	if (geteuid() == 0 && proc_in_first_user_namespace())
		*ret = xstrdup(ROOT_OF_ROOT);
	else if (runtime_dir && runtime_dir[0] == '/')
		*ret = path_join(runtime_dir, "berth-net");
	else
		return refuse(err,
			      "user %u has no place for what berth-net keeps: set "
			      "XDG_RUNTIME_DIR, or use --root",
			      geteuid());
	return 0;
}

static int find_root(const char *given, char **ret, struct error *err)
{
	if (!given)
		return default_root(ret, err);
	*ret = path_absolute(given);
	return *ret ? 0 : fail(err, -errno, "find the directory \"%s\"", given);
}

static int run(const struct invocation *invocation, struct error *err)
{
	const struct globals *globals = (const struct globals *)invocation->globals;
	/* The syntax is its first member. */
	const struct command *command = (const struct command *)invocation->command;
	_cleanup_free_ char *root = NULL;
	struct context context = {.json = globals->json, .path = getenv("PATH")};
	int r = find_root(globals->root, &root, err);

	if (r < 0)
		return r;
	context.root = root;
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
	if (invocation_is_answered(&program, invocation, &text))
		return print_out(text.data, err);
	return run(invocation, err);
}

/* An engine calls a plugin without a word. */
static int run_plugin(const char *command)
{
	_cleanup_free_ char *root = NULL;
	struct error ignored = ERROR_NONE;
	struct context context = {
		.cni_command = command,
		.cni_container = getenv("CNI_CONTAINERID"),
		.cni_netns = getenv("CNI_NETNS"),
		.cni_ifname = getenv("CNI_IFNAME"),
		.cni_args = getenv("CNI_ARGS"),
	};

	/* The configuration may say where: what cannot be found is only then missed. */
	context.root = default_root(&root, &ignored) < 0 ? ROOT_OF_ROOT : root;
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
	r = fd_fill_standard(O_RDONLY, &err);
	if (r >= 0 && argc <= 1 && cni_command)
		return run_plugin(cni_command);
	if (r >= 0)
		r = act(&invocation, argv, &err);
	if (r < 0)
		log_error(&err);
	invocation_done(&invocation);
	return r < 0 ? 1 : 0;
}
