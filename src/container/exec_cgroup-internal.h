/* SPDX-License-Identifier: Apache-2.0 */
/* The cgroup of a process that exec adds. */
#ifndef BERTH_CONTAINER_EXEC_CGROUP_INTERNAL_H
#define BERTH_CONTAINER_EXEC_CGROUP_INTERNAL_H

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

#endif
