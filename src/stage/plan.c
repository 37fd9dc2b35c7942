/* SPDX-License-Identifier: Apache-2.0 */
/* From linux.namespaces to what each stage does; pure. */
#include "berth/stage/plan.h"

#include <errno.h>

#include "berth/linux/namespaces.h"
#include "berth/linux/process.h"

/*
 * Order of joining. The network and IPC namespaces do not care; the cgroup namespace must be joined
 * before anything shows cgroup paths; the mount namespace comes last, since it changes what
 * paths mean.
 */
static const enum namespace_kind join_order[] = {
	NAMESPACE_NETWORK, NAMESPACE_IPC, NAMESPACE_UTS, NAMESPACE_CGROUP, NAMESPACE_MOUNT,
};

static void plan_new(enum namespace_kind kind, struct plan *plan)
{
	/*
	 * A cgroup namespace that clone3(2) makes has its root at the parent's cgroup, even with
	 * CLONE_INTO_CGROUP: init makes it itself.
	 */
	if (kind == NAMESPACE_CGROUP)
		plan->unshare_cgroup = true;
	else
		plan->clone_flags |= namespace_flag(kind);
}

/*
 * Without a mount namespace of its own a container gets a tree that is attached nowhere (see
 * mount_root_hold()): what needs a place in a mount namespace cannot be had then.
 */
static int check_shared_mounts(const struct spec *spec, struct error *err)
{
	static const char need[] = "needs a new \"mount\" namespace in linux.namespaces";

	if (spec->linux.namespaces[NAMESPACE_USER].wanted)
		return refuse(err, "linux.namespaces: a \"user\" namespace %s", need);
	if (spec->linux.rootfs_propagation)
		return refuse(err, "linux.rootfsPropagation: %s", need);
	for (size_t i = 0; i < spec->mount_count; i++) {
		if (spec->mounts[i].propagation)
			return refuse(err, "mounts[%zu].options: propagation %s", i, need);
	}
	return 0;
}

int plan_make(const struct spec *spec, struct plan *ret, struct error *err)
{
	const struct spec_namespace *namespaces = spec->linux.namespaces;
	struct plan plan = {.clone_flags = 0};

	if (namespaces[NAMESPACE_USER].path)
		return refuse(err,
			      "linux.namespaces[%zu].path: joining a user namespace is not "
			      "supported yet",
			      namespaces[NAMESPACE_USER].index);
	for (int kind = 0; kind < NAMESPACE_MAX; kind++) {
		if (namespaces[kind].wanted && !namespaces[kind].path)
			plan_new((enum namespace_kind)kind, &plan);
	}
	for (size_t i = 0; i < sizeof(join_order) / sizeof(join_order[0]); i++) {
		if (namespaces[join_order[i]].path)
			plan.joins[plan.join_count++] = join_order[i];
	}
	plan.own_mounts = (plan.clone_flags & namespace_flag(NAMESPACE_MOUNT)) != 0;
	if (!plan.own_mounts && check_shared_mounts(spec, err) < 0)
		return -EINVAL;
	plan.join_pid = namespaces[NAMESPACE_PID].path != NULL;
	plan.new_network = (plan.clone_flags & namespace_flag(NAMESPACE_NETWORK)) != 0;
	plan.write_maps = (plan.clone_flags & namespace_flag(NAMESPACE_USER)) != 0;
	plan.parent_sources = plan.write_maps;
	*ret = plan;
	return 0;
}

int plan_restrict(const struct spec *spec, gid_t gid, struct plan *plan, struct error *err)
{
	const struct spec_id_maps *maps = &spec->linux.id_maps;

	if (!spec->linux.namespaces[NAMESPACE_USER].wanted)
		return refuse_as(err, -EPERM,
				 "linux.namespaces: a user who is not root needs a \"user\" "
				 "namespace (see berth spec --rootless)");
	/* Found out before anything is made; other ways to a denial show only at the end. */
	if (plan->write_maps && spec->process && spec->process->group_count &&
	    idmap_is_own(maps->gid, maps->gid_count, gid))
		return refuse_as(err, -EPERM, IDS_GROUPS_DENIED);
	/* The child's mount namespace cannot be entered without rights in the own one. */
	plan->parent_sources = false;
	return 0;
}

unsigned plan_exec_flags(const struct spec *spec)
{
	unsigned flags = 0;

	for (int kind = 0; kind < NAMESPACE_MAX; kind++) {
		if (spec->linux.namespaces[kind].wanted)
			flags |= namespace_flag((enum namespace_kind)kind);
	}
	return flags;
}
