/* SPDX-License-Identifier: Apache-2.0 */
/* From linux.namespaces to what each stage does; pure. */
#include "berth/stage/plan.h"

#include <errno.h>
#include <sched.h>

#include "berth/linux/namespaces.h"
#include "berth/linux/process.h"
#include "berth/mount/filesystem.h"

/*
 * Order of joining. The network, IPC and time namespaces do not care; the cgroup namespace must be
 * joined before anything shows cgroup paths; the user namespace comes after those of the host,
 * which it has no rights in (join.c tries again what is its own); the mount namespace comes last,
 * since it changes what paths mean.
 */
static const enum namespace_kind join_order[] = {
	NAMESPACE_NETWORK, NAMESPACE_IPC,  NAMESPACE_UTS,   NAMESPACE_TIME,
	NAMESPACE_CGROUP,  NAMESPACE_USER, NAMESPACE_MOUNT,
};

/*
 * Namespaces that init makes itself. A cgroup namespace of clone3(2) has its root at the parent's
 * cgroup, even with CLONE_INTO_CGROUP; and the offsets of a time namespace can be set only before
 * a process is in it, which the one that unshares it is not.
 */
#define MADE_BY_INIT (CLONE_NEWCGROUP | CLONE_NEWTIME)

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

/* CLONE_NEW* of all namespaces that are to be new. */
static unsigned new_flags(const struct spec_namespace namespaces[static NAMESPACE_MAX])
{
	unsigned made = 0;

	for (int kind = 0; kind < NAMESPACE_MAX; kind++) {
		if (namespaces[kind].wanted && !namespaces[kind].path)
			made |= namespace_flag((enum namespace_kind)kind);
	}
	return made;
}

/*
 * Who does what where user namespaces are involved. What init's clone makes belongs to the user
 * namespace of whoever clones it, or to the new one. So a user namespace that is joined must be
 * joined before that; and namespaces that are joined besides a new user namespace, which has no
 * rights in them, before the clone as well. Both are the middle process's, which ends once it has
 * cloned init. Where a user namespace is joined without a new pid namespace, init can be the same
 * process: it joins, and makes the others itself. The message queues' directory belongs to whoever
 * makes the IPC namespace, and only its owner may label it: that is root of a new user namespace
 * once its ids are mapped.
 */
static void place_clone(struct plan *plan, unsigned made, bool joins_user, bool labels)
{
	const bool owns_queues = labels && made & CLONE_NEWUSER;

	plan->middle = joins_user ? made & CLONE_NEWPID
				  : (made & CLONE_NEWUSER) && (plan->join_count || plan->join_pid);
	plan->unshare_flags = joins_user && !plan->middle ? made : made & MADE_BY_INIT;
	plan->unshare_flags |= owns_queues ? made & CLONE_NEWIPC : 0;
	plan->clone_flags = made & ~plan->unshare_flags;
}

int plan_make(const struct spec *spec, struct plan *ret, struct error *err)
{
	const struct spec_namespace *namespaces = spec->linux.namespaces;
	const unsigned made = new_flags(namespaces);
	struct plan plan = {.clone_flags = 0};

	for (size_t i = 0; i < sizeof(join_order) / sizeof(join_order[0]); i++) {
		if (namespaces[join_order[i]].path)
			plan.joins[plan.join_count++] = join_order[i];
	}
	plan.own_mounts = (made & CLONE_NEWNS) != 0;
	if (!plan.own_mounts && check_shared_mounts(spec, err) < 0)
		return -EINVAL;
	plan.join_pid = namespaces[NAMESPACE_PID].path != NULL;
	place_clone(&plan, made, namespaces[NAMESPACE_USER].path != NULL,
		    spec->linux.mount_label != NULL);
	plan.new_network = (made & CLONE_NEWNET) != 0;
	plan.new_time = (made & CLONE_NEWTIME) != 0;
	plan.write_maps = (made & CLONE_NEWUSER) != 0;
	plan.parent_sources = namespaces[NAMESPACE_USER].wanted;
	plan.stage = plan.parent_sources && mount_stage_wanted(spec);
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
	for (size_t i = 0; i < spec->mount_count; i++) {
		if (spec->mounts[i].id_map)
			return refuse_as(
				err, -EPERM,
				"mounts[%zu].options: mapping ids needs root's rights over "
				"the file system",
				i);
	}
	if (spec->overlay.map_lower)
		return refuse_as(
			err, -EPERM,
			"annotations[\"org.berth.overlay.idmap\"]: mapping ids needs root's "
			"rights over the file system");
	/* The child's mount namespace cannot be entered without rights in the own one. */
	plan->parent_sources = plan->stage = false;
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
