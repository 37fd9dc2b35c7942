/* SPDX-License-Identifier: Apache-2.0 */
/* berth-net check: whether containers still have what they were given. */
#include <errno.h>

#include "attach.h"
#include "command.h"
#include "names.h"
#include "user_net.h"

static int run(const struct context *context, void *values, char *const *args, struct error *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_store_ struct store store = STORE_CLOSED;
	struct lease_list list = {.count = 0};
	struct user_net_list users = {.count = 0};
	int r = args[0] ? name_check_container("check", args[0], err) : 0;

	(void)values;
	if (r >= 0)
		r = store_open(context->root, STORE_READ, &store, err);
	if (r >= 0)
		r = lease_list(&store, arena, args[0], NULL, &list, err);
	if (r >= 0)
		r = user_net_list(&store, arena, args[0], &users, err);
	if (r >= 0 && args[0] && list.count + users.count == 0)
		r = refuse_as(err, -ENOENT, "container \"%s\" has no link of berth-net", args[0]);
	for (size_t i = 0; r >= 0 && i < list.count; i++)
		r = attach_check(&list.items[i], err);
	for (size_t i = 0; r >= 0 && i < users.count; i++)
		r = user_net_check(&users.items[i], err);
	return r;
}

const struct command command_check = {
	.syntax =
		{
			.name = "check",
			.arguments = "[ID]",
			.summary = "compare what a container was given, or all, with what the "
				   "kernel has",
			.args_max = 1,
		},
	.run = run,
};
