/* SPDX-License-Identifier: Apache-2.0 */
/*
 * berth-pull's command line: global options, a command (pull where none is named), its options and
 * arguments, in any order.
 *
 * Theory of operation. The first word that is no option says which command it is; everything else
 * is then parsed by one table: the global options, those of the command, and those of the groups
 * that it shares with others. Their structs lie one behind the other in one block.
 */
#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "berth/base/alloc.h"
#include "berth/base/fd.h"
#include "berth/base/log.h"
#include "berth/base/path.h"
#include "berth/base/proc.h"
#include "berth/base/version.h"

#include "command.h"
#include "user_namespace.h"

static const struct command *const commands[] = {
	&command_pull, &command_bundle, &command_list,	 &command_remove,
	&command_gc,   &command_fsck,	&command_verify, &command_inspect,
};

struct globals {
	const char *root;
	bool json, quiet, debug, version;
};

static const struct option global_options[] = {
	{"root", 0, OPTION_TEXT, offsetof(struct globals, root), "DIR",
	 "the store (default: /var/lib/berth, or berth in the user's data directory)"},
	{"json", 0, OPTION_FLAG, offsetof(struct globals, json), NULL, "write JSON"},
	{"quiet", 'q', OPTION_FLAG, offsetof(struct globals, quiet), NULL, "write results only"},
	{"debug", 0, OPTION_FLAG, offsetof(struct globals, debug), NULL,
	 "say on standard error what is done"},
	{"version", 'v', OPTION_FLAG, offsetof(struct globals, version), NULL, "print the version"},
};

/* A command line, taken apart. */
struct invocation {
	const struct command *command;
	struct option *options; /* all of them in one table, offsets into values */
	size_t option_count;
	char *values; /* struct globals, and the command's behind it */
	struct strv words;
	bool help;
};

/* Where the command's values begin. */
#define VALUES_OFFSET ((sizeof(struct globals) + 15) & ~(size_t)15)

static struct globals *globals_of(const struct invocation *invocation)
{
	return (struct globals *)invocation->values;
}

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (str_equal(commands[i]->name, name))
			return commands[i];
	}
	return NULL;
}

static void add_options(struct invocation *invocation, const struct option *options, size_t count,
			size_t offset)
{
	for (size_t i = 0; i < count; i++) {
		struct option *row = &invocation->options[invocation->option_count++];

		*row = options[i];
		row->offset += offset;
	}
}

static void make_table(struct invocation *invocation)
{
	const struct command *command = invocation->command;
	size_t count = ARRAY_SIZE(global_options) + command->option_count;

	for (size_t i = 0; i < command->group_count; i++)
		count += command->groups[i].count;
	invocation->options = xcalloc(count, sizeof(*invocation->options));
	add_options(invocation, command->options, command->option_count, VALUES_OFFSET);
	for (size_t i = 0; i < command->group_count; i++)
		add_options(invocation, command->groups[i].options, command->groups[i].count,
			    VALUES_OFFSET + command->groups[i].offset);
	add_options(invocation, global_options, ARRAY_SIZE(global_options), 0);
	invocation->values = xcalloc(1, VALUES_OFFSET + command->values_size);
}

/* Which command it is, by the first word behind global options; returns the words behind it. */
static char *const *choose_command(struct invocation *invocation, char *const *args)
{
	struct globals scratch = {0};
	struct error ignored = ERROR_NONE;
	bool help = false;
	int r = options_parse(global_options, ARRAY_SIZE(global_options), args, &scratch, &help,
			      &ignored);

	invocation->command = r >= 0 && args[r] ? find_command(args[r]) : NULL;
	if (invocation->command)
		return args + r + 1;
	invocation->command = &command_pull;
	if (r >= 0 && args[r] && str_equal(args[r], "help")) {
		invocation->help = true;
		if (args[r + 1] && find_command(args[r + 1]))
			invocation->command = find_command(args[r + 1]);
	}
	return args;
}

static int check_words(const struct invocation *invocation, struct error *err)
{
	const struct command *command = invocation->command;
	size_t count = invocation->words.count;

	if (count < command->args_min)
		return refuse(err, "%s: missing argument (usage: berth-pull %s %s)", command->name,
			      command->name, command->arguments);
	if (count > command->args_max)
		return refuse(err, "%s: unexpected argument \"%s\"", command->name,
			      invocation->words.items[command->args_max]);
	return 0;
}

static int parse(struct invocation *invocation, char *const *args, struct error *err)
{
	char *const *rest = choose_command(invocation, args);
	struct globals scratch = {0};
	bool help = false;
	int r;

	make_table(invocation);
	if (invocation->help)
		return 0;
	/* What stands before the command's name. */
	if (rest != args) {
		r = options_parse(global_options, ARRAY_SIZE(global_options), args, &scratch, &help,
				  err);
		if (r < 0)
			return r;
		*globals_of(invocation) = scratch;
	}
	r = options_parse_anywhere(invocation->options, invocation->option_count, rest,
				   invocation->values, &invocation->words, err);
	if (r < 0)
		return within(err, r, "%s", invocation->command->name);
	invocation->help = help || r > 0;
	if (invocation->help || globals_of(invocation)->version)
		return 0;
	return check_words(invocation, err);
}

static int print_help(const struct invocation *invocation, struct error *err)
{
	_cleanup_buf_ struct buf text = BUF_EMPTY;
	const struct command *command = invocation->command;

	buf_printf(&text, "berth-pull %s: %s\n\nUsage: berth-pull %s [OPTION]… %s\n", command->name,
		   command->summary, command->name, command->arguments);
	if (command == &command_pull) {
		buf_add_string(&text, "(\"pull\" may be left out)\n\nCommands:\n");
		for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
			buf_printf(&text, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
		buf_add_string(&text, "  help       print this text, or a command's: "
				      "berth-pull help COMMAND\n");
	}
	buf_add_string(&text, "\nOptions:\n");
	options_help(invocation->options, invocation->option_count, &text);
	return print_out(text.data, err);
}

/* The user's own store, or the host's. NULL with errno. */
static char *choose_store(const struct globals *globals, bool is_user)
{
	const char *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");

	if (globals->root)
		return path_absolute(globals->root);
	if (!is_user)
		return xstrdup("/var/lib/berth");
	if (data && data[0] == '/')
		return path_join(data, "berth");
	if (home && home[0] == '/')
		return path_join(home, ".local/share/berth");
	errno = ENOENT;
	return NULL;
}

/* Set by a signal; there is one for the process. */
static atomic_bool cancelled;
static volatile sig_atomic_t signal_seen;

static void on_signal(int number)
{
	/* The second one ends the process as it would have without us. */
	if (signal_seen) {
		const struct sigaction by_default = {.sa_handler = SIG_DFL};

		sigaction(number, &by_default, NULL);
		raise(number);
		return;
	}
	signal_seen = number;
	atomic_store(&cancelled, true);
}

static void catch_signals(void)
{
	const struct sigaction ours = {.sa_handler = on_signal};
	const struct sigaction ignored = {.sa_handler = SIG_IGN};
	static const int ending[] = {SIGINT, SIGTERM, SIGHUP};
	struct sigaction old;

	for (size_t i = 0; i < ARRAY_SIZE(ending); i++) {
		/* nohup(1), and shells with what they start in the background, mean it so. */
		if (sigaction(ending[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
			sigaction(ending[i], &ours, NULL);
	}
	/* A connection or pipe whose other end is gone is an error of write(2). */
	sigaction(SIGPIPE, &ignored, NULL);
}

/* Layers side by side, and directories deep within each other, take a descriptor each. */
static void raise_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	/* Without it only unusual images fail, with an error that says so. */
	ignore(setrlimit(RLIMIT_NOFILE, &limit));
}

static int run(const struct invocation *invocation, struct error *err)
{
	const struct globals *globals = globals_of(invocation);
	bool is_user = geteuid() != 0 || !proc_in_first_user_namespace();
	_cleanup_free_ char *store = choose_store(globals, is_user);
	static char *const none[] = {NULL};
	struct context context = {
		.store = store,
		.json = globals->json,
		.quiet = globals->quiet,
		.home = getenv("HOME"),
		.xdg_runtime_dir = getenv("XDG_RUNTIME_DIR"),
		.xdg_config_home = getenv("XDG_CONFIG_HOME"),
		.docker_config = getenv("DOCKER_CONFIG"),
		.registry_auth_file = getenv("REGISTRY_AUTH_FILE"),
		.path = getenv("PATH"),
		.ssl_cert_file = getenv("SSL_CERT_FILE"),
		.ssl_cert_dir = getenv("SSL_CERT_DIR"),
		.environment = (const char *const *)environ,
		.uid = geteuid(),
		.cancelled = &cancelled,
	};

	int r = 0;

	if (!store)
		return fail(err, -errno, "find the store's directory (--root)");
	/* What is made must not depend on the caller's mask; modes are given one by one. */
	umask(022);
	raise_descriptors();
	catch_signals();
	/* Files of many owners are made as root of a namespace that has many ids. */
	if (invocation->command->writes && geteuid() != 0)
		r = user_namespace_enter(err);
	if (r < 0)
		return r;
	context.user_namespace = !proc_in_first_user_namespace();
	return invocation->command->run(&context, invocation->values + VALUES_OFFSET,
					invocation->words.items ? invocation->words.items : none,
					err);
}

static int act(struct invocation *invocation, char *const *argv, struct error *err)
{
	_cleanup_buf_ struct buf version = BUF_EMPTY;
	int r = parse(invocation, argv + 1, err);

	if (r < 0)
		return r;
	r = log_open(NULL, LOG_FORMAT_TEXT,
		     globals_of(invocation)->debug ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARNING, err);
	if (r < 0)
		return r;
	if (invocation->help)
		return print_help(invocation, err);
	if (globals_of(invocation)->version) {
		buf_printf(&version, "berth-pull version %s\ncommit: %s\n", BERTH_VERSION,
			   BERTH_COMMIT);
		return print_out(version.data, err);
	}
	return run(invocation, err);
}

int main(int argc, char **argv)
{
	struct invocation invocation = {.command = NULL};
	struct error err = ERROR_NONE;
	int r;

	(void)argc;
	/* A heap for each thread, and buffers that stay in it, would be a tenth of the memory. */
	mallopt(M_ARENA_MAX, 1);
	mallopt(M_MMAP_THRESHOLD, 64 << 10);
	log_set_name("berth-pull");
	r = act(&invocation, argv, &err);
	if (signal_seen) {
		const struct sigaction by_default = {.sa_handler = SIG_DFL};

		/* The shell is told what ended us. */
		sigaction(signal_seen, &by_default, NULL);
		raise(signal_seen);
	}
	if (r < 0)
		log_error(&err);
	if (invocation.values)
		options_done(invocation.options, invocation.option_count, invocation.values);
	free(invocation.values);
	free(invocation.options);
	strv_done(&invocation.words);
	return r < 0 ? 1 : 0;
}
