/* SPDX-License-Identifier: Apache-2.0 */
/* berth list */
#include "command.h"

struct values {
	const char *format;
	bool quiet;
};

static const struct option options[] = {
	{"format", 'f', OPTION_TEXT, offsetof(struct values, format), "table|json",
	 "how they are printed (default: table)"},
	{"quiet", 'q', OPTION_FLAG, offsetof(struct values, quiet), NULL, "print the ids alone"},
};

static int run(const struct runtime *runtime, void *values, char *const *args, int *ret_status,
	       struct error *err)
{
	const struct values *given = values;
	_cleanup_buf_ struct buf out = BUF_EMPTY;
	enum list_format format = LIST_TABLE;
	int r;

	(void)args;
	*ret_status = 0;
	if (given->format && str_equal(given->format, "json"))
		format = LIST_JSON;
	else if (given->format && !str_equal(given->format, "table"))
		return refuse(err, "--format: \"%s\" is neither table nor json", given->format);
	if (given->quiet)
		format = LIST_QUIET;
	r = container_list(runtime, format, &out, err);
	return r < 0 ? r : print_out(out.data ? out.data : "", err);
}

const struct command command_list = {
	.name = "list",
	.arguments = "",
	.summary = "print the containers of the state root",
	.options = options,
	.option_count = ARRAY_SIZE(options),
	.values_size = sizeof(struct values),
	.preserve_offset = -1,
	.failure_status = 1,
	.args_min = 0,
	.args_max = 0,
	.run = run,
};
