/* SPDX-License-Identifier: Apache-2.0 */
/* berth-net add: a container's link, as a createRuntime hook or by hand. */
#include <errno.h>
#include <unistd.h>

#include "attach.h"
#include "command.h"
#include "resolv.h"
#include "target.h"

struct values {
	struct target_options target;
	struct request_options request;
};

static const struct option_group groups[] = {
	{target_option_table, TARGET_OPTION_COUNT, offsetof(struct values, target)},
	{request_option_table, REQUEST_OPTION_COUNT, offsetof(struct values, request)},
};

static int join(const struct store *store, struct arena *arena, const struct request *request,
		const struct target *target, struct error *err)
{
	struct netns_id netns;
	_cleanup_fd_ int nsfd = target_open_netns(target, &netns, err);

	if (nsfd < 0)
		return nsfd;
	return attach_add(store, arena, request, nsfd, &netns, /* ret_lease= */ NULL, err);
}

static int run(const struct context *context, void *values, char *const *args, struct error *err)
{
	struct values *given = values;
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_store_ struct store store = STORE_CLOSED;
	struct target target;
	struct request request;
	int r = target_find(arena, &given->target, &given->request, &target, err);

	(void)args;
	if (r >= 0)
		r = store_open(context->root, STORE_CHANGE, &store, err);
	if (r >= 0)
		r = request_check(&store, arena, &target, &request, err);
	if (r < 0)
		return r;
	if (request.mode == REQUEST_PASTA || request.mode == REQUEST_SLIRP4NETNS)
		return refuse(err, "--network %s is not supported", target.wanted->network);
	/* First, since a file of the bundle needs no undoing. */
	if (request.resolv_conf)
		r = resolv_write(request.bundle, request.resolv_conf, request.dns, err);
	if (r >= 0 && request.mode == REQUEST_NETWORK)
		r = join(&store, arena, &request, &target, err);
	return r;
}

const struct command command_add = {
	.syntax =
		{
			.name = "add",
			.arguments = "",
			.summary = "give a container a link (as a hook: with its state on standard "
				   "input)",
			.groups = groups,
			.group_count = ARRAY_SIZE(groups),
			.values_size = sizeof(struct values),
		},
	.run = run,
};
