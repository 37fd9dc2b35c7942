/* SPDX-License-Identifier: Apache-2.0 */
/* berth-pull: its commands, its global options, and what the environment decides. */
#include <errno.h>
#include <fcntl.h>
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

static const struct command_syntax *const commands[] = {
	&command_pull.syntax,	&command_bundle.syntax,	 &command_list.syntax,
	&command_remove.syntax, &command_gc.syntax,	 &command_fsck.syntax,
	&command_verify.syntax, &command_inspect.syntax,
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

static const struct program program = {
	.name = "berth-pull",
	.version = BERTH_VERSION "\ncommit: " BERTH_COMMIT,
	.commands = commands,
	.command_count = ARRAY_SIZE(commands),
	.by_default = &command_pull.syntax,
	.global_options = global_options,
	.global_count = ARRAY_SIZE(global_options),
	.globals_size = sizeof(struct globals),
	.version_offset = offsetof(struct globals, version),
};

/* The command whose syntax it is: the first member. */
static const struct command *command_of(const struct invocation *invocation)
{
	return (const struct command *)invocation->command;
}

/* The user's own store, or the host's: *ret is allocated. */
static int choose_store(const struct globals *globals, bool is_user, char **ret, struct error *err)
{
	const char *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");

	/* A variable that is not set, mostly: the working directory is not meant. */
	if (globals->root && !globals->root[0])
		return refuse(err, "--root: it is empty");
	if (globals->root)
		*ret = path_absolute(globals->root);
	else if (!is_user)
		*ret = xstrdup("/var/lib/berth");
	else if (data && data[0] == '/')
		*ret = path_join(data, "berth");
	else if (home && home[0] == '/')
		*ret = path_join(home, ".local/share/berth");
	else
		return refuse(err, "neither XDG_DATA_HOME nor HOME is the path of a directory: "
				   "say where the store is by --root");
	return *ret ? 0 : fail(err, -errno, "--root: find the working directory");
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
	const struct globals *globals = (const struct globals *)invocation->globals;
	const struct command *command = command_of(invocation);
	bool is_user = geteuid() != 0 || !proc_in_first_user_namespace();
	_cleanup_free_ char *store = NULL;
	int r = choose_store(globals, is_user, &store, err);
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
		.no_proxy = getenv(getenv("no_proxy") ? "no_proxy" : "NO_PROXY"),
		.term = getenv("TERM"),
		.environment = (const char *const *)environ,
		.uid = geteuid(),
		.cancelled = &cancelled,
	};

	if (r < 0)
		return r;
	/* What is made must not depend on the caller's mask; modes are given one by one. */
	umask(022);
	raise_descriptors();
	catch_signals();
	/* Files of many owners are made as root of a namespace that has many ids. */
	if (command->writes && geteuid() != 0)
		r = user_namespace_enter(err);
	if (r < 0)
		return r;
	context.user_namespace = !proc_in_first_user_namespace();
	return command->run(&context, invocation->values, invocation_words(invocation), err);
}

static int act(struct invocation *invocation, char *const *argv, struct error *err)
{
	_cleanup_buf_ struct buf text = BUF_EMPTY;
	int r = fd_fill_standard(O_RDONLY, err);
	const struct globals *globals;

	if (r >= 0)
		r = invocation_parse(&program, argv + 1, invocation, err);
	if (r < 0)
		return r;
	globals = (const struct globals *)invocation->globals;
	r = log_open(NULL, LOG_FORMAT_TEXT, globals->debug ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARNING,
		     err);
	if (r < 0)
		return r;
	if (invocation_is_answered(&program, invocation, &text))
		return print_out(text.data, err);
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
	invocation_done(&invocation);
	return r < 0 ? 1 : 0;
}
