/* SPDX-License-Identifier: Apache-2.0 */
/* berth-net del: takes a container's links away, as a poststop hook or by hand. */
#include "attach.h"
#include "command.h"
#include "target.h"
#include "user_net.h"

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

static int remove_leases(const struct store *store, struct arena *arena, const char *id,
			 const char *link, struct error *err)
{
	struct error now = ERROR_NONE;
	struct lease_list list;
	int r = lease_list(store, arena, id, NULL, &list, err);
	int first = 0;

	for (size_t i = 0; r >= 0 && i < list.count; i++) {
		if (!link || str_equal(list.items[i].link, link))
			error_keep_first(attach_remove(store, arena, &list.items[i], &now), &now,
					 &first, err);
	}
	return r < 0 ? r : first;
}

static int remove_user_nets(const struct store *store, struct arena *arena, const char *id,
			    const char *link, struct error *err)
{
	struct error now = ERROR_NONE;
	struct user_net_list list;
	int r = user_net_list(store, arena, id, &list, err);
	int first = 0;

	for (size_t i = 0; r >= 0 && i < list.count; i++) {
		if (!link || str_equal(list.items[i].link, link))
			error_keep_first(user_net_remove(store, &list.items[i], &now), &now, &first,
					 err);
	}
	return r < 0 ? r : first;
}

static int run(const struct context *context, void *values, char *const *args, struct error *err)
{
	static const struct request_options nothing = {.network = NULL};
	const struct values *given = values;
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_store_ struct store store = STORE_CLOSED;
	struct error now = ERROR_NONE;
	struct target target;
	int r = target_find(arena, &given->target, &nothing, &target, err);
	int first = 0;

	(void)args;
	if (r >= 0)
		r = store_open(context->root, STORE_CHANGE, &store, err);
	if (r < 0)
		return r;
	/* None is fine: a poststop hook is run after an add that failed, too. */
	error_keep_first(remove_leases(&store, arena, target.id, given->link, &now), &now, &first,
			 err);
	error_keep_first(remove_user_nets(&store, arena, target.id, given->link, &now), &now,
			 &first, err);
	return first;
}

const struct command command_del = {
	.syntax =
		{
			.name = "del",
			.arguments = "",
			.summary = "take a container's links away (as a hook: with its state on "
				   "standard input)",
			.options = options,
			.option_count = ARRAY_SIZE(options),
			.values_size = sizeof(struct values),
		},
	.run = run,
};
