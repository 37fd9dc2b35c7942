/* SPDX-License-Identifier: Apache-2.0 */
/* berth events */
#include "command.h"

#define INTERVAL_DEFAULT "5s"

struct values {
	const char *interval;
	bool stats;
};

static const struct option options[] = {
	{"interval", 0, OPTION_TEXT, offsetof(struct values, interval), "TIME",
	 "time between figures, as 500ms, 5s or 1m30s (default: " INTERVAL_DEFAULT ")"},
	{"stats", 0, OPTION_FLAG, offsetof(struct values, stats), NULL,
	 "print the figures once, and end"},
};

static int print(const char *line, struct error *err)
{
	return print_out(line, err);
}

static int run(const struct runtime *runtime, void *values, char *const *args, int *ret_status,
	       struct error *err)
{
	const struct values *given = values;
	const char *interval = given->interval ? given->interval : INTERVAL_DEFAULT;
	struct events_options events = {.id = args[0], .stats = given->stats, .print = print};

	*ret_status = 0;
	if (str_to_ms(interval, &events.interval_ms) < 0)
		return refuse(err, "--interval: \"%s\" is not a time such as 500ms, 5s or 1m30s",
			      interval);
	return container_events(runtime, &events, err);
}

const struct command command_events = {
	.name = "events",
	.arguments = "ID",
	.summary = "print what a container uses, and when memory runs out",
	.options = options,
	.option_count = ARRAY_SIZE(options),
	.values_size = sizeof(struct values),
	.preserve_offset = -1,
	.failure_status = 1,
	.args_min = 1,
	.args_max = 1,
	.run = run,
};
