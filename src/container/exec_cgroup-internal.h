/* SPDX-License-Identifier: Apache-2.0 */
/* The cgroup of a process that exec adds. */
#ifndef BERTH_CONTAINER_EXEC_CGROUP_INTERNAL_H
#define BERTH_CONTAINER_EXEC_CGROUP_INTERNAL_H

#include "berth/cgroup/stats.h"

#include "container-internal.h"

/*
 * Where a further process is born; @given: the values of --cgroup. -EBADF without a
 * text where there is no cgroup. The other one is for a container's cgroup that takes no process.
 * *ret_below, in the container's arena: its path below the container's cgroup, "" for that itself.
 */
int exec_cgroup_open(const struct container *container, const struct strv *given,
		     const char **ret_below, struct error *err) must_check;
int exec_cgroup_open_of_init(const struct container *container, const char **ret_below,
			     struct error *err) must_check;

/* What the kernel kills in the container for want of memory, from now on. */
struct exec_memory {
	int cgroupfd; /* owned; -1: nobody counts */
	struct cgroup_memory_events before;
};

/* @cgroupfd and @below: what exec_cgroup_open() yielded. */
struct exec_memory exec_memory_begin(const struct container *container, int cgroupfd,
				     const char *below) must_check;
/* As cgroup_oom_text(). */
char *exec_memory_text(const struct exec_memory *memory) must_check;

#endif
