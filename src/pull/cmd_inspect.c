/* SPDX-License-Identifier: Apache-2.0 */
/* berth-pull inspect IMAGE: what a stored image is, and what each of its layers does. */
#include "command.h"
#include "inspect.h"

struct values {
	bool files;
};

static const struct option options[] = {
	{"files", 0, OPTION_FLAG, offsetof(struct values, files), NULL,
	 "name every path that a layer adds (A), changes (C) or hides (H)"},
};

static int run(const struct context *context, void *values, char *const *args, struct error *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_store_ struct store store = STORE_CLOSED;
	const struct values *given = values;
	struct inspection inspection = {.store = &store, .arena = arena, .files = given->files};
	struct store_image record;
	int r;

	store.cancelled = context->cancelled;
	r = store_open(context->store, STORE_READ, &store, err);
	if (r >= 0)
		r = store_image_find(&store, arena, args[0], &record, err);
	if (r >= 0)
		r = stored_image_load(arena, &store, &record, &inspection.image, err);
	if (r < 0)
		return r;
	return context->json ? inspect_json(&inspection, err) : inspect_text(&inspection, err);
}

const struct command command_inspect = {
	.syntax =
		{
			.name = "inspect",
			.arguments = "IMAGE",
			.summary = "say what an image is, and what each of its layers adds, "
				   "changes and hides",
			.options = options,
			.option_count = ARRAY_SIZE(options),
			.values_size = sizeof(struct values),
			.args_min = 1,
			.args_max = 1,
		},
	.writes = true,
	.run = run,
};
