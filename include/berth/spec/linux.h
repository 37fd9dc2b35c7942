/* SPDX-License-Identifier: Apache-2.0 */
/* config.json's `linux`: namespaces, maps of ids, devices, and what hangs below it. */
#ifndef BERTH_SPEC_LINUX_H
#define BERTH_SPEC_LINUX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "berth/base/id_map.h"
#include "berth/spec/number_list.h"
#include "berth/spec/resources.h"
#include "berth/spec/seccomp.h"
#include "berth/spec/strings.h"

/* Kinds of namespaces, in the order of their names; see namespaces(7). */
enum namespace_kind {
	NAMESPACE_CGROUP,
	NAMESPACE_IPC,
	NAMESPACE_MOUNT,
	NAMESPACE_NETWORK,
	NAMESPACE_PID,
	NAMESPACE_TIME,
	NAMESPACE_USER,
	NAMESPACE_UTS,
	NAMESPACE_MAX
};

extern const char *const namespace_names[NAMESPACE_MAX]; /* "cgroup", "ipc", … */

struct spec_namespace {
	bool wanted;	  /* listed in linux.namespaces */
	const char *path; /* file to join, absolute; NULL: a new one */
	size_t index;	  /* which entry of linux.namespaces, for messages */
};

struct spec_id_maps {
	struct id_map *uid, *gid;
	size_t uid_count, gid_count;
};

/* One clock of linux.timeOffsets; zeroes where not given. */
struct spec_time_offset {
	int64_t seconds;
	uint32_t nanoseconds;
};

struct spec_time_offsets {
	struct spec_time_offset monotonic, boottime;
};

/* linux.devices[] */
struct spec_device {
	const char *path; /* in the container */
	mode_t type;	  /* S_IFCHR, S_IFBLK or S_IFIFO */
	uint32_t major, minor;
	mode_t mode; /* permission bits; 0666 where not given */
	uid_t uid;
	gid_t gid;
};

/* linux.intelRdt; texts are NULL where not given */
struct spec_intel_rdt {
	const char *clos_id; /* "/": the default group */
	const char *l3_cache, *memory_bandwidth;
	const char *const *schemata; /* NULL-terminated; NULL where not given */
	bool monitoring;
};

/* linux.memoryPolicy */
struct spec_memory_policy {
	int mode;  /* MPOL_BIND … */
	int flags; /* MPOL_F_…, or 0 */
	const char *mode_name;
	struct spec_number_list nodes;
};

/* The words of mode and flags, NULL-terminated. */
extern const char *const memory_policy_modes[], *const memory_policy_flags[];

struct spec_linux {
	struct spec_namespace namespaces[NAMESPACE_MAX];
	struct spec_id_maps id_maps; /* of a new user namespace; of a joined one, or empty */
	struct spec_time_offsets time_offsets;
	struct spec_device *devices;
	size_t device_count;
	const char *cgroups_path;	 /* NULL where not given */
	struct spec_strings net_devices; /* name on the host → name in the container */
	struct spec_resources resources;
	struct spec_strings sysctl;
	const struct spec_seccomp *seccomp; /* NULL: no filter */
	uint64_t rootfs_propagation;	 /* MS_* propagation flags with MS_REC or 0; 0: not given */
	const char *const *masked_paths; /* NULL-terminated; NULL where not given */
	const char *const *readonly_paths; /* NULL-terminated; NULL where not given */
	const char *mount_label;	   /* NULL where not given */
	/* The option that gives it: "context", or what run.oci.mount_context_type says. */
	const char *mount_context;
	const struct spec_intel_rdt *intel_rdt; /* NULL where not given */
	bool personality_set;
	unsigned long personality;			/* for personality(2) */
	const struct spec_memory_policy *memory_policy; /* NULL where not given */
};

#endif
