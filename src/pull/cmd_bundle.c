/* SPDX-License-Identifier: Apache-2.0 */
/* berth-pull bundle IMAGE BUNDLE: another bundle of a stored image. */
#include "berth/base/alloc.h"

#include "bundle/bundle.h"
#include "store/stored_image.h"

#include "command.h"
#include "result.h"

struct values {
	struct bundle_options bundle;
};

static const struct option_group groups[] = {
	{bundle_option_table, BUNDLE_OPTION_COUNT, offsetof(struct values, bundle)},
};

static int run(const struct context *context, void *values, char *const *args, struct error *err)
{
	struct values *given = values;
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_store_ struct store store = STORE_CLOSED;
	struct store_image record;
	struct stored_image image;
	int r;

	given->bundle.user_namespace = context->user_namespace;
	given->bundle.environment = context->environment;
	given->bundle.xdg_runtime_dir = context->xdg_runtime_dir;
	given->bundle.cancelled = context->cancelled;
	store.cancelled = context->cancelled;
	r = bundle_options_check(&given->bundle, err);
	if (r >= 0)
		r = store_open(context->store, STORE_ADD, &store, err);
	if (r >= 0)
		r = store_image_find(&store, arena, args[0], &record, err);
	if (r >= 0)
		r = stored_image_load(arena, &store, &record, &image, err);
	if (r >= 0)
		r = bundle_make(&store, &image.config, &given->bundle, args[1], err);
	return r < 0 ? r : print_result(context, &record, /* present= */ true, args[1], NULL, err);
}

const struct command command_bundle = {
	.syntax =
		{
			.name = "bundle",
			.arguments = "IMAGE BUNDLE",
			.summary = "make a bundle of an image that is in the store",
			.groups = groups,
			.group_count = ARRAY_SIZE(groups),
			.values_size = sizeof(struct values),
			.args_min = 2,
			.args_max = 2,
		},
	.writes = true,
	.run = run,
};
