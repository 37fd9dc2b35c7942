/* SPDX-License-Identifier: Apache-2.0 */
/* What a whole config.json must fulfil: clashes between fields of different objects. */
#include <linux/sched.h>
#include <sched.h>

#include "tables-internal.h"

/* Longest name of a host and of a domain, uname(2). */
#define UTS_NAME_MAX 64

static int check_uts_name(const struct node *document, const struct spec *spec, const char *member,
			  const char *name, struct error *err)
{
	const struct node node = node_member(document, member);

	if (name == NULL)
		return 0;
	if (strlen(name) > UTS_NAME_MAX)
		return refuse_at(&node, err, "has %zu bytes, and the kernel takes %d", strlen(name),
				 UTS_NAME_MAX);
	if (!spec->linux.namespaces[NAMESPACE_UTS].wanted)
		return refuse_at(&node, err, "needs a \"uts\" namespace in linux.namespaces");
	return 0;
}

/*
 * Ids are mapped where a user namespace is made. Besides one that is joined they only repeat what
 * it has, which engines do; whether it does is found out when it has been joined.
 */
static int check_maps(const struct node *linux, const char *member,
		      const struct spec_namespace *user, size_t count, struct error *err)
{
	const struct node node = node_member(linux, member);

	if (user->wanted && user->path == NULL && count == 0)
		return refuse_at(&node, err, "required with a new \"user\" namespace, but missing");
	if (!user->wanted && count > 0)
		return refuse_at(&node, err, "needs a \"user\" namespace in linux.namespaces");
	return 0;
}

static bool is_shifted(const struct spec_time_offset *offset)
{
	return offset->seconds != 0 || offset->nanoseconds != 0;
}

/* The clocks of a namespace that is joined are fixed. */
static int check_time(const struct node *linux, const struct spec_linux *spec, struct error *err)
{
	const struct spec_namespace *time = &spec->namespaces[NAMESPACE_TIME];
	const struct spec_time_offsets *offsets = &spec->time_offsets;
	const struct node node = {.up = linux, .member = "timeOffsets"};

	if (!is_shifted(&offsets->monotonic) && !is_shifted(&offsets->boottime))
		return 0;
	if (!time->wanted || time->path != NULL)
		return refuse_at(&node, err, "needs a new \"time\" namespace in linux.namespaces");
	return 0;
}

/* A device of the host would be moved to where it is. */
static int check_net_devices(const struct node *linux, const struct spec_linux *spec,
			     struct error *err)
{
	const struct node node = {.up = linux, .member = "netDevices"};

	if (spec->net_devices.count > 0 && !spec->namespaces[NAMESPACE_NETWORK].wanted)
		return refuse_at(&node, err, "needs a \"network\" namespace in linux.namespaces");
	return 0;
}

static int check_namespaces(const struct node *linux, const struct spec_linux *spec,
			    struct error *err)
{
	const struct spec_namespace *user = &spec->namespaces[NAMESPACE_USER];
	int r = check_maps(linux, "uidMappings", user, spec->id_maps.uid_count, err);

	if (r >= 0)
		r = check_maps(linux, "gidMappings", user, spec->id_maps.gid_count, err);
	if (r >= 0)
		r = check_net_devices(linux, spec, err);
	return r < 0 ? r : check_time(linux, spec, err);
}

/* The hooks run as children of the process, which has its policy by then. */
static int check_scheduler(const struct node *document, const struct spec *spec, struct error *err)
{
	const struct spec_scheduler *scheduler =
		spec->process ? spec->process->scheduling.scheduler : NULL;
	const struct node process = {.up = document, .member = "process"};
	const struct node node = {.up = &process, .member = "scheduler"};

	if (scheduler != NULL && scheduler->policy == SCHED_DEADLINE &&
	    !(scheduler->flags & SCHED_FLAG_RESET_ON_FORK) &&
	    spec->hooks[HOOK_START_CONTAINER].count > 0)
		return refuse_at(&node, err,
				 "hooks.startContainer cannot run: with SCHED_DEADLINE the kernel "
				 "makes no further process, unless flags has "
				 "SCHED_FLAG_RESET_ON_FORK");
	return 0;
}

/* Without maps of its own a mount takes those of the container. */
static int check_mounts(const struct node *document, const struct spec *spec, struct error *err)
{
	const struct node list = {.up = document, .member = "mounts"};

	for (size_t i = 0; i < spec->mount_count; i++) {
		const struct spec_mount *mount = &spec->mounts[i];
		const struct node item = node_item(&list, i, NULL);
		const struct node options = {.up = &item, .member = "options"};

		if (mount->id_map && !mount->id_maps.uid_count &&
		    !spec->linux.namespaces[NAMESPACE_USER].wanted)
			return refuse_at(&options, err,
					 "mapped ids need a \"user\" namespace in "
					 "linux.namespaces, or uidMappings and gidMappings of the "
					 "mount");
	}
	return 0;
}

static int check_overlay(const struct node *document, const struct spec *spec, struct error *err)
{
	const struct node list = {.up = document, .member = "annotations"};
	const struct node idmap = {.up = &list, .key = "org.berth.overlay.idmap"};

	if (spec->overlay.map_lower && !spec->linux.namespaces[NAMESPACE_USER].wanted)
		return refuse_at(&idmap, err, "needs a \"user\" namespace in linux.namespaces");
	return 0;
}

int spec_validate(const struct node *node, struct spec *spec, struct error *err)
{
	/* Without a value where the document has no such object: a node is for the path alone. */
	const struct node linux = {.up = node, .member = "linux"};
	int r = check_namespaces(&linux, &spec->linux, err);

	if (r >= 0)
		r = check_mounts(node, spec, err);
	if (r >= 0)
		r = check_overlay(node, spec, err);
	if (r >= 0)
		r = check_scheduler(node, spec, err);
	if (r >= 0)
		r = check_uts_name(node, spec, "hostname", spec->hostname, err);
	return r < 0 ? r : check_uts_name(node, spec, "domainname", spec->domainname, err);
}
