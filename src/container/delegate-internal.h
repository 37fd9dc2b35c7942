/* SPDX-License-Identifier: Apache-2.0 */
/* A container's cgroup for its own. */
#ifndef BERTH_CONTAINER_DELEGATE_INTERNAL_H
#define BERTH_CONTAINER_DELEGATE_INTERNAL_H

#include <stdbool.h>

#include "berth/base/error.h"
#include "berth/base/pidref.h"
#include "berth/spec/spec.h"

/*
 * delegate.c: whether config.json gives the container its cgroup for its own, and the deed: to its
 * user, who is told by the maps of its @init.
 */
bool delegation_is_asked(const struct spec *spec) must_check;
int container_delegate(const struct spec *spec, int procfd, const struct pidref *init, int cgroupfd,
		       struct error *err) must_check;

#endif
