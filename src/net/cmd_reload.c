/* SPDX-License-Identifier: Apache-2.0 */
/* berth-net reload: makes bridges, firewall and hosts files again, from the leases. */
#include "command.h"
#include "reload.h"

static int run(const struct context *context, void *values, char *const *args, struct error *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_store_ struct store store = STORE_CLOSED;
	int r = store_open(context->root, STORE_CHANGE, &store, err);

	(void)values;
	(void)args;
	return r < 0 ? r : reload_all(&store, arena, err);
}

const struct command command_reload = {
	.syntax =
		{
			.name = "reload",
			.arguments = "",
			.summary = "make bridges, firewall and hosts files again, after somebody "
				   "flushed them",
		},
	.run = run,
};
