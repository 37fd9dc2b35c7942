/* SPDX-License-Identifier: Apache-2.0 */
/* The limits of a container after an update, in its state directory. */
#ifndef BERTH_CONTAINER_LIMITS_INTERNAL_H
#define BERTH_CONTAINER_LIMITS_INTERNAL_H

#include "container-internal.h"

/* In the place of what the copy of config.json says; there once an update was made. */
#define STATE_RESOURCES "resources.json"

/* *ret, in the container's arena, stays as it is where there is no such file. */
int resources_read(const struct container *container, const struct spec_resources **ret,
		   struct error *err) must_check;

/* create.c: its cgroup, -1 without one. */
int creation_cgroup(const struct creation *creation);

#endif
