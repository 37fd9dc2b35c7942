/* SPDX-License-Identifier: Apache-2.0 */
/* The user and the groups of a container's process. */
#include <errno.h>
#include <unistd.h>

#include "berth/base/sys.h"
#include "berth/linux/process.h"

/* An id that is not mapped is the usual reason, and the kernel's word for it says little. */
static const char *id_hint(int code)
{
	return code == -EINVAL ? " (the id is not mapped in the user namespace)" : "";
}

static int set_groups(const struct spec_process *process, bool may_set_groups, struct error *err)
{
	int r;

	if (!may_set_groups) {
		if (process->group_count)
			return refuse_as(err, -EPERM,
					 "process.user.additionalGids: cannot be set, since the "
					 "user namespace denies setgroups(2)");
		return 0;
	}
	r = sys_setgroups(process->group_count, process->groups);
	/* Where the user namespace denies it, having none already is as good. */
	if (r == -EPERM && process->group_count == 0 && getgroups(0, NULL) == 0)
		return 0;
	return r < 0 ? fail(err, r, "process.user.additionalGids: set %zu groups%s",
			    process->group_count, id_hint(r))
		     : 0;
}

int ids_apply(const struct spec_process *process, bool may_set_groups, struct error *err)
{
	/* In this order: each step needs the rights that the next one gives away. */
	int r = set_groups(process, may_set_groups, err);

	if (r < 0)
		return r;
	r = sys_setresgid(process->gid);
	if (r < 0)
		return fail(err, r, "process.user.gid: change to %u%s", process->gid, id_hint(r));
	r = sys_setresuid(process->uid);
	if (r < 0)
		return fail(err, r, "process.user.uid: change to %u%s", process->uid, id_hint(r));
	return 0;
}
