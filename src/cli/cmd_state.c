/* SPDX-License-Identifier: Apache-2.0 */
/* berth state */
#include "command.h"

static int run(const struct runtime *runtime, void *values, char *const *args, int *ret_status,
	       struct error *err)
{
	_cleanup_buf_ struct buf out = BUF_EMPTY;
	int r = container_state(runtime, args[0], &out, err);

	(void)values;
	*ret_status = 0;
	return r < 0 ? r : print_out(out.data, err);
}

const struct command command_state = {
	.name = "state",
	.arguments = "ID",
	.summary = "print the state of a container",
	.preserve_offset = -1,
	.failure_status = 1,
	.args_min = 1,
	.args_max = 1,
	.run = run,
};
