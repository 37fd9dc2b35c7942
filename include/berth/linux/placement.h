/* SPDX-License-Identifier: Apache-2.0 */
/* Which processors and which memory of the machine the calling process uses. */
#ifndef BERTH_LINUX_PLACEMENT_H
#define BERTH_LINUX_PLACEMENT_H

#include "berth/base/error.h"
#include "berth/spec/spec.h"

/* memory_policy.c: set_mempolicy(2), for one who is in his cgroup: its cpuset counts. */
int memory_policy_apply(const struct spec_memory_policy *policy, struct error *err) must_check;

/*
 * cpu_affinity.c: sched_setaffinity(2). @field: "initial" or "final" of process.execCPUAffinity.
 * Where that is not given: nothing.
 */
int cpu_affinity_apply(const struct spec_number_list *cpus, const char *field,
		       struct error *err) must_check;

#endif
