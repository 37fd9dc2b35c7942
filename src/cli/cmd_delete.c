/* SPDX-License-Identifier: Apache-2.0 */
/* berth delete */
#include "command.h"

struct values {
	bool force;
};

static const struct option options[] = {
	{"force", 'f', OPTION_FLAG, offsetof(struct values, force), NULL,
	 "kill it if it has not ended; one that is not there is fine"},
};

static int run(const struct runtime *runtime, void *values, char *const *args, int *ret_status,
	       struct error *err)
{
	const struct values *given = values;

	*ret_status = 0;
	return container_delete(runtime, args[0], given->force, err);
}

const struct command command_delete = {
	.name = "delete",
	.arguments = "ID",
	.summary = "remove what a stopped container has left",
	.options = options,
	.option_count = ARRAY_SIZE(options),
	.values_size = sizeof(struct values),
	.preserve_offset = -1,
	.failure_status = 1,
	.args_min = 1,
	.args_max = 1,
	.run = run,
};
