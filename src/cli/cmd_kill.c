/* SPDX-License-Identifier: Apache-2.0 */
/* berth kill */
#include <signal.h>

#include "berth/base/signals.h"

#include "command.h"

struct values {
	bool all;
};

static const struct option options[] = {
	{"all", 'a', OPTION_FLAG, offsetof(struct values, all), NULL,
	 "signal all its processes; no error if it does not run"},
};

static int run(const struct runtime *runtime, void *values, char *const *args, int *ret_status,
	       struct error *err)
{
	const struct values *given = values;
	int signal = args[1] ? signal_number(args[1]) : SIGTERM;

	*ret_status = 0;
	if (signal < 0)
		return refuse(err, "unknown signal: \"%s\"", args[1]);
	return container_kill(runtime, args[0], signal, given->all, err);
}

const struct command command_kill = {
	.name = "kill",
	.arguments = "ID [SIGNAL]",
	.summary = "send a signal (default: SIGTERM) to a container's init",
	.options = options,
	.option_count = ARRAY_SIZE(options),
	.values_size = sizeof(struct values),
	.preserve_offset = -1,
	.failure_status = 1,
	.args_min = 1,
	.args_max = 2,
	.run = run,
};
