/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the cgroup room share. */
#ifndef BERTH_CGROUP_INTERNAL_H
#define BERTH_CGROUP_INTERNAL_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "berth/base/error.h"
#include "berth/base/str.h"
#include "berth/spec/resources.h"

/* Bound for what is read from one control file. */
#define CGROUP_FILE_MAX 16384

/* Longest name of a cgroup or a control file: NAME_MAX, as kernfs has it. */
#define CGROUP_NAME_LENGTH_MAX 255

/* How cgroups are opened: enumerable, and good for CLONE_INTO_CGROUP and BPF_PROG_ATTACH. */
#define CGROUP_OPEN_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

/* place.c */

/* Refuses a path that cgroup_path_of() did not make: berth trusts no stored record either. */
int cgroup_path_check(const char *path, struct error *err) must_check;

/* The first @depth components of @path, with a leading "/"; the caller's. "/" where @depth is 0. */
char *cgroup_path_prefix(const char *path, unsigned depth);

/* delegation.c */

/* The number of leading components that two paths have in common. */
unsigned cgroup_common_depth(const char *a, const char *b) must_check;

/* cgroup_delegate() with the list @files, a name in each line. */
int cgroup_give(int cgroupfd, const char *files, uid_t owner, struct error *err) must_check;

/* driver_fs.c */

/*
 * Removes the cgroups at @depth and less components of @path, innermost first, until one is not
 * empty or only @keep_depth are left. What is gone already is fine.
 */
int cgroup_remove_upwards(int rootfd, const char *path, unsigned depth, unsigned keep_depth,
			  struct error *err) must_check;

/*
 * The processes in the cgroup, for messages: "pid 12", "pids 12, 13 and others", "no process that
 * this pid namespace shows". The caller's text.
 */
char *cgroup_pids_text(int cgroupfd);

/* refusal.c */

/* Which threaded cgroup keeps the one at @path from being an ordinary one. The caller's, or NULL.
 */
char *cgroup_threads_text(int rootfd, const char *path);

/* freeze.c */

/* cgroup.events */
struct cgroup_events {
	bool populated;
	bool frozen;
};

/* Reads an open cgroup.events from its start. Returns negative errno without a text. */
int cgroup_events_read(int eventsfd, struct cgroup_events *ret) must_check;

/* As above, for the cgroup itself. */
int cgroup_events_of(int cgroupfd, struct cgroup_events *ret) must_check;

/* stats.c */

/* Reads an open memory.events from its start. Returns negative errno without a text. */
struct cgroup_memory_events;
int memory_events_read(int fd, struct cgroup_memory_events *ret) must_check;

/* devices_bpf.c */

/* A device program; code is owned. */
struct device_program {
	struct bpf_insn *code;
	size_t count;
	size_t room;
	bool allows_all; /* no access is ever denied */
};

/* Translates the @rules alone, in the order of config.json, without the default devices. */
void device_program_build(const struct spec_device_rule *rules, size_t count,
			  struct device_program *ret);
void device_program_done(struct device_program *program);

#define _cleanup_device_program_ __attribute__((cleanup(device_program_done)))

/* The default devices, which come after the rules of config.json. */
extern const struct spec_device_rule device_defaults[];
extern const size_t device_default_count;

/* Detaches the device programs of berth, from a cgroup that outlives its container. Best effort. */
void devices_detach(int cgroupfd);

#endif
