/* SPDX-License-Identifier: Apache-2.0 */
/* berth top */
#include <unistd.h>

#include "command.h"

/* How long is looked, where nobody says so. */
#define INTERVAL_MS	 1000
#define INTERVAL_ONCE_MS 250

struct values {
	const char *format, *interval;
	bool once;
};

static const struct option options[] = {
	{"once", 0, OPTION_FLAG, offsetof(struct values, once), NULL, "print once, and end"},
	{"format", 'f', OPTION_TEXT, offsetof(struct values, format), "table|json",
	 "how it is printed (default: table); json: one line each time"},
	{"interval", 0, OPTION_TEXT, offsetof(struct values, interval), "TIME",
	 "time over which shares are measured, as 500ms or 2s (default: 1s; once: 250ms)"},
};

static int print(const char *text, struct error *err)
{
	return print_out(text, err);
}

static int run(const struct runtime *runtime, void *values, char *const *args, int *ret_status,
	       struct error *err)
{
	const struct values *given = values;
	struct top_options top = {
		.ids = (const char *const *)args,
		.once = given->once,
		.interval_ms = given->once ? INTERVAL_ONCE_MS : INTERVAL_MS,
		.print = print,
	};

	*ret_status = 0;
	if (given->format && str_equal(given->format, "json"))
		top.json = true;
	else if (given->format && !str_equal(given->format, "table"))
		return refuse(err, "--format: \"%s\" is neither table nor json", given->format);
	if (given->interval && str_to_ms(given->interval, &top.interval_ms) < 0)
		return refuse(err, "--interval: \"%s\" is not a time such as 500ms or 2s",
			      given->interval);
	top.clear = !top.json && !top.once && isatty(STDOUT_FILENO);
	return container_top(runtime, &top, err);
}

const struct command command_top = {
	.name = "top",
	.arguments = "[ID]…",
	.summary = "show what containers use, again and again",
	.options = options,
	.option_count = ARRAY_SIZE(options),
	.values_size = sizeof(struct values),
	.preserve_offset = -1,
	.failure_status = 1,
	.args_min = 0,
	.args_max = (size_t)-1,
	.run = run,
};
