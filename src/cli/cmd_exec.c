/* SPDX-License-Identifier: Apache-2.0 */
/* berth exec */
#include "command.h"

static const struct option options[] = {
	{"process", 'p', OPTION_TEXT, offsetof(struct exec_options, process_file), "FILE",
	 "file with a process object, instead of the options and arguments"},
	{"cwd", 0, OPTION_TEXT, offsetof(struct exec_options, cwd), "DIR", "working directory"},
	{"env", 'e', OPTION_LIST, offsetof(struct exec_options, env), "NAME=VALUE",
	 "set a variable of the environment"},
	{"user", 'u', OPTION_TEXT, offsetof(struct exec_options, user), "UID[:GID]",
	 "who executes it, as numbers"},
	{"additional-gids", 'g', OPTION_LIST, offsetof(struct exec_options, groups), "GID",
	 "a further group"},
	{"cap", 'c', OPTION_LIST, offsetof(struct exec_options, caps), "CAPABILITY",
	 "a further capability"},
	{"no-new-privs", 0, OPTION_FLAG, offsetof(struct exec_options, no_new_privileges), NULL,
	 "set no_new_privs"},
	{"detach", 'd', OPTION_FLAG, offsetof(struct exec_options, detach), NULL,
	 "return once the program runs"},
	{"pid-file", 0, OPTION_TEXT, offsetof(struct exec_options, pid_file), "FILE",
	 "file that gets the number of the process"},
	{"preserve-fds", 0, OPTION_NUMBER, offsetof(struct exec_options, preserve_fds), "N",
	 "pass descriptors 3 to 3+N-1 on"},
	{"ignore-paused", 0, OPTION_FLAG, offsetof(struct exec_options, ignore_paused), NULL,
	 "in a paused container too"},
	{"no-subreaper", 0, OPTION_FLAG, offsetof(struct exec_options, no_subreaper), NULL,
	 "do not become the reaper of orphans"},
	{"tty", 't', OPTION_FLAG, offsetof(struct exec_options, tty), NULL, "with a terminal"},
	{"console-socket", 0, OPTION_TEXT, offsetof(struct exec_options, console_socket), "SOCKET",
	 "socket that gets the terminal of a detached process"},
	{"pidfd-socket", 0, OPTION_TEXT, offsetof(struct exec_options, pidfd_socket), "SOCKET",
	 "socket that gets a pidfd of the process"},
	{"apparmor", 0, OPTION_TEXT, offsetof(struct exec_options, apparmor), "PROFILE",
	 "AppArmor profile, where the kernel enforces them"},
	{"process-label", 0, OPTION_TEXT, offsetof(struct exec_options, process_label), "LABEL",
	 "SELinux label, where the kernel enforces them"},
	{"cgroup", 0, OPTION_LIST, offsetof(struct exec_options, cgroups), "PATH",
	 "an existing cgroup below the container's"},
};

static int run(const struct runtime *runtime, void *values, char *const *args, int *ret_status,
	       struct error *err)
{
	struct exec_options *exec = values;

	exec->id = args[0];
	exec->args = (const char *const *)args + 1;
	if (!exec->process_file && !exec->args[0])
		return refuse(err, "exec: no program is named (give one, or --process)");
	if (exec->process_file && exec->args[0])
		return refuse(err, "exec: --process and a program exclude each other");
	return container_exec(runtime, exec, ret_status, err);
}

const struct command command_exec = {
	.name = "exec",
	.arguments = "ID PROGRAM [ARGUMENT]…",
	.summary = "execute a program in a running container",
	.options = options,
	.option_count = ARRAY_SIZE(options),
	.values_size = sizeof(struct exec_options),
	.preserve_offset = offsetof(struct exec_options, preserve_fds),
	.executes = true,
	.failure_status = 255,
	.args_min = 1,
	.args_max = (size_t)-1,
	.run = run,
};
