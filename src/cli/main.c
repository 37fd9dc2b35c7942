/* SPDX-License-Identifier: Apache-2.0 */
/*
 * berth's command line: global options, a command, its options, its arguments.
 *
 * Order: the command line is read before anything is done; then the binary is put out of the
 * container's reach where a container's program may be executed by this process (which executes
 * the binary anew, so nothing may be lost by that); then what was inherited by mistake is closed;
 * then the command runs. The one line of a failure is written here.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "berth/base/alloc.h"
#include "berth/base/fd.h"
#include "berth/base/log.h"
#include "berth/base/path.h"
#include "berth/base/proc.h"
#include "berth/base/version.h"
#include "berth/linux/seccomp.h"
#include "berth/linux/selfexe.h"
#include "berth/spec/spec.h"

#include "command.h"

static const struct command *const commands[] = {
	&command_checkpoint, &command_create, &command_delete, &command_events, &command_exec,
	&command_features,   &command_kill,   &command_list,   &command_pause,	&command_ps,
	&command_restore,    &command_resume, &command_run,    &command_spec,	&command_start,
	&command_state,	     &command_top,    &command_update,
};

struct globals {
	const char *root, *log, *log_format, *log_level, *cgroup_manager, *rootless;
	bool debug, version, systemd_cgroup;
};

static const struct option global_options[] = {
	{"root", 0, OPTION_TEXT, offsetof(struct globals, root), "DIR",
	 "where the state of containers is kept"},
	{"log", 0, OPTION_TEXT, offsetof(struct globals, log), "FILE",
	 "where messages go (default: standard error)"},
	{"log-format", 0, OPTION_TEXT, offsetof(struct globals, log_format), "text|json",
	 "format of the messages"},
	{"log-level", 0, OPTION_TEXT, offsetof(struct globals, log_level), "LEVEL",
	 "error (default), warning, info or debug"},
	{"debug", 0, OPTION_FLAG, offsetof(struct globals, debug), NULL, "as --log-level debug"},
	{"cgroup-manager", 0, OPTION_TEXT, offsetof(struct globals, cgroup_manager), "MANAGER",
	 "of new containers: cgroupfs (default), systemd or disabled"},
	{"systemd-cgroup", 0, OPTION_FLAG, offsetof(struct globals, systemd_cgroup), NULL,
	 "as --cgroup-manager systemd"},
	{"rootless", 0, OPTION_TEXT, offsetof(struct globals, rootless), "true|false|auto",
	 "without rights over the host (default: auto)"},
	{"version", 'v', OPTION_FLAG, offsetof(struct globals, version), NULL, "print the version"},
};

static int print_help(struct error *err)
{
	_cleanup_buf_ struct buf text = BUF_EMPTY;

	buf_add_string(&text, "berth: low-level OCI container runtime\n\n"
			      "Usage: berth [OPTION]… COMMAND [OPTION]… [ARGUMENT]…\n\n"
			      "Commands:\n");
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		buf_printf(&text, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
	buf_add_string(&text, "  help       print this text, or a command's: berth help COMMAND\n\n"
			      "Options:\n");
	options_help(global_options, ARRAY_SIZE(global_options), &text);
	return print_out(text.data, err);
}

static int print_command_help(const struct command *command, struct error *err)
{
	_cleanup_buf_ struct buf text = BUF_EMPTY;

	buf_printf(&text, "berth %s: %s\n\nUsage: berth %s%s %s\n", command->name, command->summary,
		   command->name, command->option_count ? " [OPTION]…" : "", command->arguments);
	if (command->option_count)
		buf_add_string(&text, "\nOptions:\n");
	options_help(command->options, command->option_count, &text);
	return print_out(text.data, err);
}

static int print_version(struct error *err)
{
	_cleanup_buf_ struct buf text = BUF_EMPTY;

	buf_printf(&text, "berth version %s\ncommit: %s\nspec: %s\nlibseccomp: %s\n", BERTH_VERSION,
		   BERTH_COMMIT, SPEC_VERSION_MAX, seccomp_library_version());
	return print_out(text.data, err);
}

static int find_command(const char *name, const struct command **ret, struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (str_equal(commands[i]->name, name)) {
			*ret = commands[i];
			return 0;
		}
	}
	return refuse(err, "unknown command: \"%s\" (see berth help)", name);
}

static int open_log(const struct globals *globals, struct error *err)
{
	enum log_level level = globals->debug ? LOG_LEVEL_DEBUG : LOG_LEVEL_ERROR;
	enum log_format format = LOG_FORMAT_TEXT;

	if (globals->log_format && log_format_parse(globals->log_format, &format) < 0)
		return refuse(err, "--log-format: \"%s\" is neither text nor json",
			      globals->log_format);
	if (globals->log_level && log_level_parse(globals->log_level, &level) < 0)
		return refuse(err, "--log-level: \"%s\" is not error, warning, info or debug",
			      globals->log_level);
	return log_open(globals->log, format, level, err);
}

static int choose_root(const struct globals *globals, struct runtime *runtime, char **ret_root,
		       struct error *err)
{
	const char *runtime_dir = getenv("XDG_RUNTIME_DIR");
	bool rootless = geteuid() != 0 || !proc_in_first_user_namespace();

	if (globals->rootless && str_equal(globals->rootless, "true"))
		rootless = true;
	else if (globals->rootless && str_equal(globals->rootless, "false"))
		rootless = false;
	else if (globals->rootless && !str_equal(globals->rootless, "auto"))
		return refuse(err, "--rootless: \"%s\" is not true, false or auto",
			      globals->rootless);
	runtime->rootless = rootless;
	runtime->root_given = globals->root != NULL;
	if (globals->root)
		*ret_root = path_absolute(globals->root);
	else if (rootless && runtime_dir && runtime_dir[0] == '/')
		*ret_root = path_join(runtime_dir, "berth");
	else
		*ret_root = xstrdup("/run/berth");
	runtime->root = *ret_root;
	if (!runtime->root)
		return fail(err, -errno, "--root: find the working directory");
	if (str_equal(runtime->root, "/"))
		return refuse(err, "--root: \"/\" cannot be the state root");
	return 0;
}

static int choose_manager(const struct globals *globals, struct runtime *runtime, struct error *err)
{
	const char *by_flag = globals->systemd_cgroup ? "systemd" : NULL;
	const char *name = globals->cgroup_manager;

	if (name && by_flag && !str_equal(name, by_flag))
		return refuse(err, "--cgroup-manager %s: --systemd-cgroup says otherwise", name);
	name = name ? name : by_flag;
	for (int i = 0; name && i < CGROUP_MANAGER_MAX; i++) {
		if (str_equal(name, cgroup_manager_names[i])) {
			runtime->cgroup_manager = (enum cgroup_manager)i;
			return 0;
		}
	}
	return name ? refuse(err,
			     "--cgroup-manager: \"%s\" is neither cgroupfs nor systemd nor "
			     "disabled",
			     name)
		    : 0;
}

/*
 * Of the two managers that there may be, who has no rights over the host can use his own alone.
 * Root of a user namespace is either a user's engine, or has a whole system there; the former knows
 * where its manager is.
 */
static bool is_for_user(bool rootless)
{
	return rootless &&
	       (geteuid() != 0 || getenv("XDG_RUNTIME_DIR") || getenv("DBUS_SESSION_BUS_ADDRESS"));
}

/* A command line, taken apart. */
struct invocation {
	struct globals globals;
	const struct command *command;
	void *values;
	char *const *args; /* what is left for the command */
	struct listening listening;
	bool help;
};

static int check_argument_count(const struct invocation *invocation, struct error *err)
{
	const struct command *command = invocation->command;
	size_t count = 0;

	while (invocation->args[count])
		count++;
	if (count < command->args_min)
		return refuse(err, "%s: missing argument (usage: berth %s %s)", command->name,
			      command->name, command->arguments);
	if (count > command->args_max)
		return refuse(err, "%s: unexpected argument \"%s\"", command->name,
			      invocation->args[command->args_max]);
	return 0;
}

static int parse_command(struct invocation *invocation, char *const *args, struct error *err)
{
	int r;

	if (!args[0] || str_equal(args[0], "help")) {
		invocation->help = true;
		return args[0] && args[1] ? find_command(args[1], &invocation->command, err) : 0;
	}
	r = find_command(args[0], &invocation->command, err);
	if (r < 0)
		return r;
	invocation->values = xcalloc(1, invocation->command->values_size);
	r = options_parse(invocation->command->options, invocation->command->option_count, args + 1,
			  invocation->values, &invocation->help, err);
	if (r < 0)
		return within(err, r, "%s", invocation->command->name);
	invocation->args = args + 1 + r;
	return invocation->help ? 0 : check_argument_count(invocation, err);
}

static int parse(struct invocation *invocation, char *const *argv, struct error *err)
{
	int r = options_parse(global_options, ARRAY_SIZE(global_options), argv + 1,
			      &invocation->globals, &invocation->help, err);

	if (r < 0 || invocation->help || invocation->globals.version)
		return r;
	return parse_command(invocation, argv + 1 + r, err);
}

/*
 * sd_listen_fds(3): sockets from 3 on that are meant for this process. They are preserved besides
 * what --preserve-fds says, and come first.
 */
static struct listening find_listening(void)
{
	const char *count = getenv("LISTEN_FDS"), *pid = getenv("LISTEN_PID");
	struct listening listening = {.names = getenv("LISTEN_FDNAMES")};
	uint32_t number;

	if (!count || !pid || str_to_u32(pid, &number) < 0 || number != (uint32_t)getpid())
		return listening;
	if (str_to_u32(count, &number) == 0 && number <= PRESERVE_MAX)
		listening.count = number;
	return listening;
}

/*
 * Closes what was inherited by mistake, and goes on with nobody. What the command passes on, from 3
 * on, sockets for the program among it, must be there before anything is opened: a file of ours
 * would take its number, and reach the container.
 */
static int sort_inherited(struct invocation *invocation, struct error *err)
{
	const struct command *command = invocation->command;
	unsigned none = 0, *count = &none;

	if (command && invocation->values && command->preserve_offset >= 0) {
		count = (unsigned *)((char *)invocation->values + command->preserve_offset);
		invocation->listening = find_listening();
		if (*count > PRESERVE_MAX)
			return refuse(err, "--preserve-fds: %u is more than %d", *count,
				      PRESERVE_MAX);
		*count += invocation->listening.count;
	}
	for (unsigned i = 0; i < *count; i++) {
		if (fcntl(3 + (int)i, F_GETFD) < 0)
			return fail(err, -errno,
				    "pass on %u descriptors (--preserve-fds, LISTEN_FDS): "
				    "descriptor %u",
				    *count, 3 + i);
	}
	return fd_close_others(3 + (int)*count, NULL, 0, err);
}

/* sd_notify(3): the socket of who started us. */
static const char *find_notify_socket(void)
{
	const char *path = getenv("NOTIFY_SOCKET");

	if (path && path[0] != '/' && path[0] != '@') {
		log_warning("NOTIFY_SOCKET: \"%s\" is neither a path nor \"@NAME\", and left out",
			    path);
		path = NULL;
	}
	return path;
}

/* The state root, which the caller frees. */
static int choose_runtime(const struct invocation *invocation, struct runtime *runtime,
			  char **ret_root, struct error *err)
{
	int r = choose_root(&invocation->globals, runtime, ret_root, err);

	runtime->systemd.user = is_for_user(runtime->rootless);
	return r < 0 ? r : choose_manager(&invocation->globals, runtime, err);
}

static int run(const struct invocation *invocation, char *const *argv, int *ret_status,
	       struct error *err)
{
	const struct command *command = invocation->command;
	struct runtime runtime = {
		.program = argv[0],
		.systemd = {.program = argv[0], .env = (const char *const *)environ},
		.listening = invocation->listening,
		.notify_socket = find_notify_socket(),
	};
	_cleanup_free_ char *root = NULL;
	int r;

	if (command->executes) {
		r = selfexe_protect(argv, environ, err);
		if (r < 0)
			return r;
	}
	r = choose_runtime(invocation, &runtime, &root, err);
	if (r >= 0)
		r = command->run(&runtime, invocation->values, invocation->args, ret_status, err);
	return r;
}

/* Everything but the report of a failure. */
static int act(struct invocation *invocation, char *const *argv, int *ret_status, struct error *err)
{
	struct error log_failed = ERROR_NONE;
	int r = parse(invocation, argv, err);

	if (r >= 0)
		r = sort_inherited(invocation, err);
	/* The log is opened whatever the command line is like: the failure belongs there. */
	if (open_log(&invocation->globals, &log_failed) < 0 && r >= 0) {
		*err = log_failed;
		return log_failed.code;
	}
	if (r < 0)
		return r;
	if (invocation->help)
		return invocation->command ? print_command_help(invocation->command, err)
					   : print_help(err);
	if (invocation->globals.version)
		return print_version(err);
	return run(invocation, argv, ret_status, err);
}

int main(int argc, char *argv[])
{
	const struct sigaction by_default = {.sa_handler = SIG_DFL};
	struct invocation invocation = {.command = NULL};
	struct error err = ERROR_NONE;
	int status = 0, r;

	(void)argc;
	/* Inherited as ignored it would have the kernel reap init, and its exit status be lost. */
	sigaction(SIGCHLD, &by_default, NULL);
	r = fd_fill_standard(O_RDWR, &err);
	if (r >= 0)
		r = act(&invocation, argv, &status, &err);
	if (r < 0) {
		log_error(&err);
		status = invocation.command ? invocation.command->failure_status : 1;
	}
	if (invocation.command && invocation.values)
		options_done(invocation.command->options, invocation.command->option_count,
			     invocation.values);
	free(invocation.values);
	return status;
}
