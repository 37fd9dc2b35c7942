/* SPDX-License-Identifier: Apache-2.0 */
/* The container's cgroup (cgroup v2, file-system driver); see cgroups(7), config-linux.md. */
#ifndef BERTH_CGROUP_CGROUP_H
#define BERTH_CGROUP_CGROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "berth/base/error.h"
#include "berth/cgroup/limits.h"
#include "berth/spec/resources.h"

/* How a container's cgroup is managed. */
enum cgroup_manager {
	CGROUP_MANAGER_CGROUPFS,
	CGROUP_MANAGER_SYSTEMD,
	CGROUP_MANAGER_DISABLED,
	CGROUP_MANAGER_MAX
};

extern const char *const cgroup_manager_names[CGROUP_MANAGER_MAX]; /* "cgroupfs", … */

/*
 * Opens the root directory of the cgroup2 file system, wherever it is mounted: /sys/fs/cgroup,
 * /sys/fs/cgroup/unified on a hybrid host, or what /proc/self/mountinfo says. The descriptor is
 * the caller's. -ENODEV with a text if there is none.
 */
int cgroup_open_root(int procfd, struct error *err) must_check;

/*
 * Where the container @id is to live, relative to the root of the hierarchy, with a leading "/":
 * @cgroups_path as config.json has it, or "/berth-ID" where that is NULL or empty. The form of the
 * systemd driver ("slice:prefix:name"), ".." and the root itself are refused. Caller's text.
 */
int cgroup_path_of(const char *cgroups_path, const char *id, char **ret_path,
		   struct error *err) must_check;

/* Number of components of a path that cgroup_path_of() made. */
unsigned cgroup_path_depth(const char *path) must_check;

/* The cgroup v2 of process @pid, or with 0 the caller's: "/" or "/a/b". The caller's text. */
int cgroup_of_process(int procfd, pid_t pid, char **ret, struct error *err) must_check;

/*
 * cgroup_path_of() for one who has no rights over the host. What is not absolute lies below the
 * caller's own cgroup, or @beside it; the caller's text.
 */
int cgroup_path_of_user(int procfd, const char *cgroups_path, const char *id, bool beside,
			char **ret_path, struct error *err) must_check;

/*
 * Whether the caller may make the cgroup @path and move processes from his own cgroup there, as
 * far as the files' owners and modes tell: it is delegated to him (cgroups(7), "Delegation").
 */
bool cgroup_is_delegated(int procfd, int rootfd, const char *path) must_check;

/*
 * Gives the cgroup to the user @owner: its directory, and those of its files that the kernel lists
 * in /sys/kernel/cgroup/delegate. He may then make cgroups below it, move processes between those,
 * and pass controllers on, but not change the limits.
 */
int cgroup_delegate(int cgroupfd, uid_t owner, struct error *err) must_check;

/*
 * How many leading components of @path exist already: what is made beyond them is berth's to
 * remove. Written into the intent record before cgroup_make().
 */
int cgroup_existing_depth(int rootfd, const char *path, unsigned *ret,
			  struct error *err) must_check;

/*
 * Makes the cgroup with all missing parents, enables the controllers that the limits need all the
 * way down, and writes the limits. An existing cgroup is used only if it is empty and not frozen.
 * Returns an O_DIRECTORY descriptor (good for CLONE_INTO_CGROUP), the caller's. On failure what was
 * made is removed again. Errors name the JSON path, the file, the value, and, where a controller is
 * missing, which ones there are.
 */
int cgroup_make(int rootfd, const char *path, const struct spec_resources *resources,
		struct error *err) must_check;

/* Opens the cgroup at @path, to put a process into it (exec). -ENOENT if it is gone. */
int cgroup_open(int rootfd, const char *path, struct error *err) must_check;

/*
 * After a clone into the cgroup at @path that failed with @code: whether that was because the
 * cgroup takes no process (-EBUSY, -EOPNOTSUPP). The text of @err then says why it does not.
 */
bool cgroup_refuses(int rootfd, const char *path, int code, struct error *err) must_check;

/* Whether the cgroup is frozen (cgroup.events). */
int cgroup_is_frozen(int cgroupfd, bool *ret, struct error *err) must_check;

/*
 * Freezes or thaws the cgroup with all below it, and waits until that has taken effect,
 * @timeout_ms at most: then it is thawed again, and -ETIMEDOUT.
 */
int cgroup_freeze(int cgroupfd, bool frozen, int timeout_ms, struct error *err) must_check;

/* Numbers of processes, ascending. */
struct cgroup_pids {
	pid_t *items; /* owned */
	size_t count;
	bool out_of_sight; /* there are more, which our pid namespace does not show */
};

/* The processes in the cgroup and all below it. */
int cgroup_pids_read(int cgroupfd, struct cgroup_pids *ret, struct error *err) must_check;
bool cgroup_pids_contain(const struct cgroup_pids *pids, pid_t pid);
void cgroup_pids_done(struct cgroup_pids *pids);

#define _cleanup_pids_ __attribute__((cleanup(cgroup_pids_done)))

/*
 * Sends the signal to every process in the cgroup and below it. It is frozen meanwhile, so that
 * none escapes by forking; one that was frozen before stays so.
 */
int cgroup_signal(int cgroupfd, int signal, struct error *err) must_check;

/*
 * Kills every process in the cgroup and below (cgroup.kill), waits until it is empty, @timeout_ms
 * at most (-1: for ever), and removes it depth first, then the parents beyond @keep_depth
 * components that are empty. What is gone already is fine; an empty cgroup costs one call.
 * A cgroup within @keep_depth is emptied, with all below it, and loses berth's device programs, but
 * stays. -EBUSY after the time; the text names the processes that are left.
 */
int cgroup_destroy(int rootfd, const char *path, unsigned keep_depth, int timeout_ms,
		   struct error *err) must_check;

/*
 * SIGKILL for every process in the cgroup and below (cgroup.kill); gone already is fine.
 * KERNEL(6.14 and later, no fix known): clone3(2) with CLONE_INTO_CGROUP kills the newborn if the
 * caller's own cgroup and the target have not been killed equally often. Who clones into a cgroup
 * must be ready for a child that dies of SIGKILL before it has said anything.
 */
int cgroup_kill(int rootfd, const char *path, struct error *err) must_check;

#endif
