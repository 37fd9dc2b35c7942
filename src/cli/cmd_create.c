/* SPDX-License-Identifier: Apache-2.0 */
/* berth create */
#include "command.h"

static const struct option options[] = {
	{"bundle", 'b', OPTION_TEXT, offsetof(struct create_options, bundle), "DIR",
	 "directory with config.json (default: .)"},
	{"pid-file", 0, OPTION_TEXT, offsetof(struct create_options, pid_file), "FILE",
	 "file that gets the number of the container's init"},
	{"preserve-fds", 0, OPTION_NUMBER, offsetof(struct create_options, preserve_fds), "N",
	 "pass descriptors 3 to 3+N-1 on to the container"},
	{"no-pivot", 0, OPTION_FLAG, offsetof(struct create_options, no_pivot), NULL,
	 "do not use pivot_root (root on an initramfs)"},
	{"no-new-keyring", 0, OPTION_FLAG, offsetof(struct create_options, no_new_keyring), NULL,
	 "keep the session keyring"},
	{"no-subreaper", 0, OPTION_IGNORED_FLAG, 0, NULL, "accepted, means nothing here"},
	{"console-socket", 0, OPTION_TEXT, offsetof(struct create_options, console_socket),
	 "SOCKET", "socket that gets the terminal of a container"},
	{"pidfd-socket", 0, OPTION_TEXT, offsetof(struct create_options, pidfd_socket), "SOCKET",
	 "socket that gets a pidfd of the container's init"},
};

static int run(const struct runtime *runtime, void *values, char *const *args, int *ret_status,
	       struct error *err)
{
	struct create_options *create = values;

	*ret_status = 0;
	create->id = args[0];
	if (!create->bundle)
		create->bundle = ".";
	return container_create(runtime, create, err);
}

const struct command command_create = {
	.name = "create",
	.arguments = "ID",
	.summary = "create a container from a bundle; start runs its program",
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
