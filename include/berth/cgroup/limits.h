/* SPDX-License-Identifier: Apache-2.0 */
/* Limits and device rules of a cgroup; what becomes of which field, docs/resources.md tells. */
#ifndef BERTH_CGROUP_LIMITS_H
#define BERTH_CGROUP_LIMITS_H

#include <stdbool.h>
#include <stddef.h>

#include "berth/base/alloc.h"
#include "berth/base/error.h"
#include "berth/spec/resources.h"

/* JSON path of a limit that cgroup_limits_asked() is true for, or NULL. The caller's text. */
char *cgroup_limit_asked(const struct spec_resources *resources);

/* Pure check of limits: ranges, clashes (swap below limit, burst above quota …); names the path. */
int cgroup_check(const struct spec_resources *resources, struct error *err) must_check;

/*
 * True if there is a limit to be written. Device rules do not count, nor does what a new cgroup has
 * anyway, such as pids.limit -1.
 */
bool cgroup_limits_asked(const struct spec_resources *resources);

/*
 * Attaches a device program (BPF_PROG_TYPE_CGROUP_DEVICE) made from the rules, in their order, and
 * the default devices that every container has (as runc appends them: null, zero, full, random,
 * urandom, tty, ptmx, pts/N, and mknod of anything). The last rule that speaks of a device and an
 * access decides, each access for itself; what none speaks of is denied. Rules empty, or such that
 * everything is allowed: nothing is attached. In a user namespace, or for a user who is not root,
 * where the kernel refuses BPF with EPERM: returns 0 and sets *ret_skipped.
 */
int cgroup_devices_attach(int cgroupfd, const struct spec_device_rule *rules, size_t count,
			  bool *ret_skipped, struct error *err) must_check;

/*
 * As cgroup_devices_attach(), in the place of the program that berth attached before, in one step:
 * there is no moment at which more is allowed than by one of them.
 */
int cgroup_devices_replace(int cgroupfd, const struct spec_device_rule *rules, size_t count,
			   bool *ret_skipped, struct error *err) must_check;

/*
 * What @saved is after an update that asks for @asked: field by field, lists of devices by their
 * devices. 0 and "" ask for nothing, where they are no limit. *ret points into both, and @arena.
 */
void cgroup_resources_merge(struct arena *arena, const struct spec_resources *saved,
			    const struct spec_resources *asked, struct spec_resources *ret);

struct unit_ref;

struct cgroup_change {
	const struct spec_resources *saved, *asked;
	const struct spec_resources *merged; /* of the two */
	const struct unit_ref *unit;	     /* which is told, too; NULL: it is not systemd's */
};

/*
 * Writes what an update asks for, and what depends on it. All is checked first; on failure what was
 * written is set back, and the text says so.
 */
int cgroup_update(int rootfd, const char *path, const struct cgroup_change *change,
		  struct error *err) must_check;

#endif
