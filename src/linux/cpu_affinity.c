/* SPDX-License-Identifier: Apache-2.0 */
/* The processors that a process runs on; see sched_setaffinity(2). */
#include <errno.h>
#include <sched.h>

#include "berth/linux/placement.h"

int cpu_affinity_apply(const struct spec_number_list *cpus, const char *field, struct error *err)
{
	if (!cpus->set)
		return 0;
	/* All of the set, however few processors the kernel was built for. */
	if (sched_setaffinity(0, sizeof(cpus->set->words), (const cpu_set_t *)cpus->set->words) ==
	    0)
		return 0;
	if (errno == EINVAL)
		return refuse_as(err, -EINVAL,
				 "process.execCPUAffinity.%s: none of the processors \"%.100s\" is "
				 "online and allowed by the cgroup's cpuset",
				 field, cpus->text);
	return fail(err, -errno, "process.execCPUAffinity.%s: run on the processors \"%.100s\"",
		    field, cpus->text);
}
