/* SPDX-License-Identifier: Apache-2.0 */
/* berth pause */
#include "command.h"

static int run(const struct runtime *runtime, void *values, char *const *args, int *ret_status,
	       struct error *err)
{
	(void)values;
	*ret_status = 0;
	return container_pause(runtime, args[0], err);
}

const struct command command_pause = {
	.name = "pause",
	.arguments = "ID",
	.summary = "stop all processes of a container for a while",
	.preserve_offset = -1,
	.failure_status = 1,
	.args_min = 1,
	.args_max = 1,
	.run = run,
};
