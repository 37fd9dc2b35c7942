/* SPDX-License-Identifier: Apache-2.0 */
/* The user and the groups of a container's process. */
#include <errno.h>
#include <linux/capability.h>
#include <unistd.h>

#include "berth/base/sys.h"
#include "berth/linux/process.h"

/* An id that is not mapped is the usual reason, and the kernel's word for it says little. */
static const char *id_hint(int code)
{
	return code == -EINVAL ? " (the id is not mapped in the user namespace)" : "";
}

/* The right is there, so it is the namespace that denies setgroups(2); see user_namespaces(7). */
static bool namespace_denies(int code)
{
	return code == -EPERM && (sys_capabilities() & (UINT64_C(1) << CAP_SETGID));
}

int groups_apply(const struct spec_process *process, struct error *err)
{
	int r = sys_setgroups(process->group_count, process->groups);

	if (r >= 0)
		return 0;
	if (process->group_count && namespace_denies(r))
		return refuse_as(err, r, IDS_GROUPS_DENIED);
	/*
	 * One who maps his own group alone may give up none of his groups, as files may be denied
	 * to one of them. Having none already is as good.
	 */
	if (!process->group_count && (namespace_denies(r) || getgroups(0, NULL) == 0))
		return 0;
	return fail(err, r, "process.user.additionalGids: set %zu groups%s", process->group_count,
		    id_hint(r));
}

int ids_apply(const struct spec_process *process, struct error *err)
{
	/* In this order: each step needs the rights that the next one gives away. */
	int r = sys_setresgid(process->gid);

	if (r < 0)
		return fail(err, r, "process.user.gid: change to %u%s", process->gid, id_hint(r));
	r = sys_setresuid(process->uid);
	if (r < 0)
		return fail(err, r, "process.user.uid: change to %u%s", process->uid, id_hint(r));
	return 0;
}
