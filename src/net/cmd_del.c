/* SPDX-License-Identifier: Apache-2.0 */
/* berth-net del: takes a container's links away, as a poststop hook or by hand. */
#include "attach.h"
#include "command.h"
#include "target.h"

struct values {
	struct target_options target;
	const char *link;
};

/* Of a container's process and bundle nothing is needed any more. */
static const struct option options[] = {
	{"id", 0, OPTION_TEXT, offsetof(struct values, target.id), "ID",
	 "the container (without it: its state is read from standard input)"},
	{"link", 0, OPTION_TEXT, offsetof(struct values, link), "NAME",
	 "only this link of it (default: all)"},
};

static int run(const struct context *context, void *values, char *const *args, struct error *err)
{
	static const struct request_options nothing = {.network = NULL};
	const struct values *given = values;
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_store_ struct store store = STORE_CLOSED;
	struct lease_list list;
	struct target target;
	int r = target_find(arena, &given->target, &nothing, &target, err);
	int first = 0;

	(void)args;
	if (r >= 0)
		r = store_open(context->root, STORE_CHANGE, &store, err);
	if (r >= 0)
		r = lease_list(&store, arena, target.id, NULL, &list, err);
	if (r < 0)
		return r;
	/* None is fine: a poststop hook is run after an add that failed, too. */
	for (size_t i = 0; i < list.count; i++) {
		struct error now = ERROR_NONE;

		if (given->link && !str_equal(list.items[i].link, given->link))
			continue;
		r = attach_remove(&store, arena, &list.items[i], &now);
		if (r < 0 && first >= 0) {
			first = r;
			*err = now;
		}
	}
	return first;
}

const struct command command_del = {
	.syntax =
		{
			.name = "del",
			.arguments = "",
			.summary = "take a container's links away (as a hook: with its state on "
				   "standard "
				   "input)",
			.options = options,
			.option_count = ARRAY_SIZE(options),
			.values_size = sizeof(struct values),
		},
	.run = run,
};
