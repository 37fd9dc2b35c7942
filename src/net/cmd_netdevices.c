/* SPDX-License-Identifier: Apache-2.0 */
/* berth-net netdevices: moves devices of the host into a container, for berth. */
#include <unistd.h>

#include "command.h"
#include "netdevices.h"

/* Bytes of a document: room for many more devices than a host has. */
#define INPUT_MAX ((size_t)1 << 20)

static int run(const struct context *context, void *values, char *const *args, struct error *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_buf_ struct buf text = BUF_EMPTY;
	struct netdevices devices;
	int r = fd_read_all(STDIN_FILENO, INPUT_MAX, &text);

	(void)context;
	(void)values;
	(void)args;
	if (r < 0)
		return fail(err, r, "read standard input");
	r = netdevices_read(arena, text.data ? text.data : "", text.size, &devices, err);
	return r < 0 ? r : netdevices_move(&devices, err);
}

const struct command command_netdevices = {
	.syntax =
		{
			.name = "netdevices",
			.arguments = "",
			.summary = "move network devices into a container (linux.netDevices), as "
				   "JSON on standard input says",
		},
	.run = run,
};
