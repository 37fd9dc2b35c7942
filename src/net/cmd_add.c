/* SPDX-License-Identifier: Apache-2.0 */
/* berth-net add: a container's link, as a createRuntime hook or by hand. */
#include <errno.h>
#include <unistd.h>

#include "attach.h"
#include "command.h"
#include "resolv.h"
#include "rights.h"
#include "target.h"
#include "user_net.h"

struct values {
	struct target_options target;
	struct request_options request;
};

static const struct option_group groups[] = {
	{target_option_table, TARGET_OPTION_COUNT, offsetof(struct values, target)},
	{request_option_table, REQUEST_OPTION_COUNT, offsetof(struct values, request)},
};

/* Links of the host are root's; an ordinary user has programs that make none. */
static int check_rights(const struct request *request, struct error *err)
{
	if (rights_over_links())
		return 0;
	return refuse_as(err, -EPERM,
			 "network \"%s\" is root's: user %u has no right to the host's links; take "
			 "--network pasta",
			 request->network.name, geteuid());
}

static int join(const struct store *store, struct arena *arena, const struct request *request,
		const struct target *target, struct error *err)
{
	_cleanup_fd_ int nsfd = -EBADF;
	struct attach_place place;
	int r = check_rights(request, err);

	if (r < 0)
		return r;
	nsfd = target_open_netns(target, &place.id, err);
	if (nsfd < 0)
		return nsfd;
	place.nsfd = nsfd;
	return attach_add(store, arena, request, &place, /* ret= */ NULL, err);
}

/* A program is started for the user namespace of a process, too: a path does not name that. */
static int start_user_net(const struct context *context, const struct store *store,
			  struct arena *arena, const struct request *request,
			  const struct target *target, struct error *err)
{
	if (target->pid == 0)
		return refuse(err, "--network %s: --pid is needed", user_net_name(request->mode));
	return user_net_add(store, arena, request, target->pid, context->path, err);
}

static int give_link(const struct context *context, const struct store *store, struct arena *arena,
		     const struct request *request, const struct target *target, struct error *err)
{
	if (user_net_is_mode(request->mode))
		return start_user_net(context, store, arena, request, target, err);
	if (request->mode == REQUEST_NETWORK)
		return join(store, arena, request, target, err);
	return 0;
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
	/* The host's own name servers may be on its loopback, which is not reached. */
	if (user_net_is_mode(request.mode) && !request.dns[0])
		request.dns = user_net_dns(request.mode);
	/* First, since a file of the bundle needs no undoing. */
	if (request.resolv_conf)
		r = resolv_write(request.bundle, request.resolv_conf, request.dns, err);
	return r < 0 ? r : give_link(context, &store, arena, &request, &target, err);
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
