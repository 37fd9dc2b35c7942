/* SPDX-License-Identifier: Apache-2.0 */
/* config.json's `process`: what runs in the container, and as whom. */
#ifndef BERTH_SPEC_PROCESS_H
#define BERTH_SPEC_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "berth/base/error.h"
#include "berth/spec/number_list.h"

struct spec_rlimit {
	int resource;	  /* RLIMIT_… */
	const char *name; /* "RLIMIT_NOFILE" */
	uint64_t soft, hard;
};

/* The sets of capabilities(7), each a mask of 1 << CAP_…. */
enum capability_set {
	CAPABILITY_BOUNDING,
	CAPABILITY_EFFECTIVE,
	CAPABILITY_INHERITABLE,
	CAPABILITY_PERMITTED,
	CAPABILITY_AMBIENT,
	CAPABILITY_SET_MAX
};

struct spec_capabilities {
	bool given; /* process.capabilities is there; otherwise every set is empty */
	uint64_t sets[CAPABILITY_SET_MAX];
	const char *const *unknown; /* names that are no capability, for a warning; may be NULL */
};

/* Every capability that berth knows, by number: "CAP_CHOWN" is the first. */
#define CAPABILITY_COUNT 41
extern const char *const capability_names[CAPABILITY_COUNT];
/* Number of a capability by name, with or without "CAP_", in any case; -EINVAL: none such. */
int capability_number(const char *name);

/*
 * process.execCPUAffinity: the processors of a process that exec adds; those of its parent, before
 * it is in the container's cgroup, and its own from then on.
 */
struct spec_exec_affinity {
	struct spec_number_list initial, final;
};

/* process.scheduler, in the kernel's numbers; 0 where not given */
struct spec_scheduler {
	uint32_t policy;	 /* SCHED_… */
	const char *policy_name; /* "SCHED_FIFO" */
	uint64_t flags;		 /* SCHED_FLAG_… */
	int32_t nice;
	uint32_t priority;
	uint64_t runtime_ns, deadline_ns, period_ns;
};

/* process.ioPriority */
struct spec_io_priority {
	int class_number;	/* IOPRIO_CLASS_… */
	const char *class_name; /* "IOPRIO_CLASS_BE" */
	int level;		/* 0, the highest, to 7 */
};

/* NULL where not given */
struct spec_scheduling {
	const struct spec_scheduler *scheduler;
	const struct spec_io_priority *io_priority;
};

struct spec_process {
	bool terminal;				/* a pseudo terminal as its standard streams … */
	uint32_t console_height, console_width; /* … of this size; 0: not given */
	const char *cwd;
	const char *const *args; /* NULL-terminated, at least one */
	const char *const *env;	 /* NULL-terminated, may be empty */
	uid_t uid;
	gid_t gid;
	bool umask_set;
	mode_t umask;
	const gid_t *groups; /* additionalGids */
	size_t group_count;
	struct spec_capabilities capabilities;
	const struct spec_rlimit *rlimits;
	size_t rlimit_count;
	bool no_new_privileges;
	bool oom_score_adj_set;
	int oom_score_adj;
	const char *apparmor_profile; /* NULL where not given; see linux/lsm.c */
	const char *selinux_label;    /* NULL where not given */
	struct spec_exec_affinity exec_affinity;
	struct spec_scheduling scheduling;
};

/* Number of a resource by name ("RLIMIT_NOFILE"); -EINVAL: none such. */
int rlimit_number(const char *name);

/*
 * A user as exec's --user takes it: "UID" or "UID:GID", decimal numbers of 0 to 4294967294 without
 * sign, blank or leading zero. Where no group is given, *gid stays as it is (CVE-2026-30892).
 */
int spec_parse_user(const char *text, uid_t *uid, gid_t *gid, struct error *err) must_check;

#endif
