/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a container gets its cgroup for its own; config-linux.md, "Cgroup ownership". An init
 * system needs that: it makes cgroups for its services.
 */
#include <linux/mount.h>
#include <unistd.h>

#include "berth/linux/process.h"

#include "container-internal.h"
#include "delegate-internal.h"

static bool is_read_only(const struct spec_mount *mount)
{
	return (mount->attributes_set | mount->recursive_set) & MOUNT_ATTR_RDONLY;
}

bool delegation_is_asked(const struct spec *spec)
{
	const struct spec_namespace *namespace = &spec->linux.namespaces[NAMESPACE_CGROUP];
	bool asked = false;

	/* Nobody shows what the container is to own, or it would show more than that. */
	if (!spec->process || !namespace->wanted || namespace->path)
		return false;
	for (size_t i = 0; i < spec->mount_count; i++) {
		const struct spec_mount *mount = &spec->mounts[i];
		bool cgroup = str_equal(mount->type, "cgroup") || str_equal(mount->type, "cgroup2");

		if (str_equal(mount->destination, "/sys/fs/cgroup"))
			asked = cgroup && mount->source && str_equal(mount->source, "cgroup") &&
				!is_read_only(mount);
	}
	return asked;
}

int container_delegate(const struct spec *spec, int procfd, const struct pidref *init, int cgroupfd,
		       struct error *err)
{
	uid_t owner;
	int r = idmap_user_outside(procfd, init->pid, spec->process->uid, &owner, err);

	if (r < 0)
		return within(err, r, "process.user.uid");
	/* Who made it owns it. */
	return owner == geteuid() ? 0 : cgroup_delegate(cgroupfd, owner, err);
}
