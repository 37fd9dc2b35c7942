/* SPDX-License-Identifier: Apache-2.0 */
/* berth-net gc: removes what belongs to containers that are gone. */
#include "command.h"
#include "gc.h"
#include "rights.h"
#include "user_net.h"

static int run(const struct context *context, void *values, char *const *args, struct error *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_store_ struct store store = STORE_CLOSED;
	_cleanup_buf_ struct buf out = BUF_EMPTY;
	size_t count = 0, user_count = 0;
	int r = store_open(context->root, STORE_CHANGE, &store, err);

	(void)values;
	(void)args;
	if (r >= 0)
		r = user_net_gc(&store, arena, &user_count, err);
	/* An ordinary user has no other networks, and may not look whether the firewall has any. */
	if (r >= 0 && rights_over_links())
		r = gc_all(&store, arena, /* is_unwanted= */ NULL, NULL, &count, err);
	if (r < 0)
		return r;
	count += user_count;
	if (context->json)
		buf_printf(&out, "{\"removed\": %zu}\n", count);
	else
		buf_printf(&out, "%zu removed\n", count);
	return print_out(out.data, err);
}

const struct command command_gc = {
	.syntax =
		{
			.name = "gc",
			.arguments = "",
			.summary = "remove links, addresses and ports of containers that are gone",
		},
	.run = run,
};
