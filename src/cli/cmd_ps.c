/* SPDX-License-Identifier: Apache-2.0 */
/* berth ps */
#include <unistd.h>

#include "command.h"

struct values {
	const char *format;
};

static const struct option options[] = {
	{"format", 'f', OPTION_TEXT, offsetof(struct values, format), "table|json",
	 "how they are printed (default: table)"},
};

static int run(const struct runtime *runtime, void *values, char *const *args, int *ret_status,
	       struct error *err)
{
	const struct values *given = values;
	_cleanup_buf_ struct buf out = BUF_EMPTY;
	struct ps_options ps = {
		.id = args[0],
		.args = (const char *const *)args + 1,
		.env = (const char *const *)environ,
	};
	int r;

	*ret_status = 0;
	if (given->format && str_equal(given->format, "json"))
		ps.json = true;
	else if (given->format && !str_equal(given->format, "table"))
		return refuse(err, "--format: \"%s\" is neither table nor json", given->format);
	r = container_ps(runtime, &ps, &out, err);
	return r < 0 ? r : print_out(out.data, err);
}

const struct command command_ps = {
	.name = "ps",
	.arguments = "ID [ARGUMENT OF PS]…",
	.summary = "print the processes of a container",
	.options = options,
	.option_count = ARRAY_SIZE(options),
	.values_size = sizeof(struct values),
	.preserve_offset = -1,
	.failure_status = 1,
	.args_min = 1,
	.args_max = (size_t)-1,
	.run = run,
};
