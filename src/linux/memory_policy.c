/* SPDX-License-Identifier: Apache-2.0 */
/* From which NUMA nodes a process gets its memory; see set_mempolicy(2). */
#include <errno.h>
#include <linux/mempolicy.h>

#include "berth/base/sys.h"
#include "berth/linux/placement.h"

/* The kernel takes one from the number of bits, and refuses too many of them. */
static int set_policy(int mode, const struct number_set *nodes)
{
	return sys_set_mempolicy(mode, nodes ? nodes->words : NULL, nodes ? nodes->end + 1 : 0);
}

/*
 * EINVAL has many meanings, so others are tried: the process ends in any case. What no kernel takes
 * was refused when config.json was read.
 */
static int explain_invalid(const struct spec_memory_policy *policy, struct error *err)
{
	struct number_set allowed = {.end = NUMBER_SET_MAX - 1};
	const struct number_set *nodes = policy->nodes.set ? &allowed : NULL;

	if (nodes &&
	    sys_get_mempolicy(NULL, allowed.words, NUMBER_SET_MAX, MPOL_F_MEMS_ALLOWED) < 0)
		return refuse_as(err, -EINVAL, "linux.memoryPolicy: the kernel does not take it");
	if (nodes && set_policy(policy->mode | policy->flags, nodes) >= 0)
		return refuse_as(
			err, -EINVAL,
			"linux.memoryPolicy.nodes: \"%.100s\": none of them has memory and "
			"is allowed by the cgroup's cpuset, or the kernel has no room for "
			"so many",
			policy->nodes.text);
	if (policy->flags && set_policy(policy->mode, nodes) >= 0)
		return refuse_as(err, -EINVAL,
				 "linux.memoryPolicy.flags: the kernel does not take them with %s",
				 policy->mode_name);
	return refuse_as(err, -EINVAL, "linux.memoryPolicy.mode: the kernel does not know %s",
			 policy->mode_name);
}

int memory_policy_apply(const struct spec_memory_policy *policy, struct error *err)
{
	int r = set_policy(policy->mode | policy->flags, policy->nodes.set);

	if (r == -ENOSYS)
		return refuse_as(err, r, "linux.memoryPolicy: the kernel was built without NUMA");
	if (r == -EINVAL)
		return explain_invalid(policy, err);
	return r < 0 ? fail(err, r, "linux.memoryPolicy: set %s", policy->mode_name) : 0;
}
