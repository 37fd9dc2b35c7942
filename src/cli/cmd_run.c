/* SPDX-License-Identifier: Apache-2.0 */
/* berth run */
#include "command.h"

static const struct option options[] = {
	{"bundle", 'b', OPTION_TEXT, offsetof(struct create_options, bundle), "DIR",
	 "directory with config.json (default: .)"},
	{"detach", 'd', OPTION_FLAG, offsetof(struct create_options, detach), NULL,
	 "return once the program runs"},
	{"pid-file", 0, OPTION_TEXT, offsetof(struct create_options, pid_file), "FILE",
	 "file that gets the number of the container's init"},
	{"preserve-fds", 0, OPTION_NUMBER, offsetof(struct create_options, preserve_fds), "N",
	 "pass descriptors 3 to 3+N-1 on to the container"},
	{"keep", 0, OPTION_FLAG, offsetof(struct create_options, keep), NULL,
	 "do not delete the container after its end"},
	{"no-pivot", 0, OPTION_FLAG, offsetof(struct create_options, no_pivot), NULL,
	 "do not use pivot_root (root on an initramfs)"},
	{"no-new-keyring", 0, OPTION_FLAG, offsetof(struct create_options, no_new_keyring), NULL,
	 "keep the session keyring"},
	{"no-subreaper", 0, OPTION_FLAG, offsetof(struct create_options, no_subreaper), NULL,
	 "do not become the reaper of the container's orphans"},
	{"console-socket", 0, OPTION_TEXT, offsetof(struct create_options, console_socket),
	 "SOCKET", "socket that gets the terminal of a detached container"},
	{"pidfd-socket", 0, OPTION_TEXT, offsetof(struct create_options, pidfd_socket), "SOCKET",
	 "socket that gets a pidfd of the container's init"},
};

static int run(const struct runtime *runtime, void *values, char *const *args, int *ret_status,
	       struct error *err)
{
	struct create_options *create = values;

	create->id = args[0];
	if (!create->bundle)
		create->bundle = ".";
	return container_run(runtime, create, ret_status, err);
}

const struct command command_run = {
	.name = "run",
	.arguments = "ID",
	.summary = "create and start a container, and wait for its end",
	.options = options,
	.option_count = ARRAY_SIZE(options),
	.values_size = sizeof(struct create_options),
	.preserve_offset = offsetof(struct create_options, preserve_fds),
	.executes = true,
	.failure_status = 1,
	.args_min = 1,
	.args_max = 1,
	.run = run,
};
