/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The attributes of a container's process, each applied by one call. prepare: in the parent,
 * before any side effect; apply: in the child, in the order that stage/ fixes.
 */
#ifndef BERTH_LINUX_PROCESS_H
#define BERTH_LINUX_PROCESS_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "berth/base/error.h"
#include "berth/base/id_map.h"
#include "berth/spec/spec.h"

/*
 * idmap.c: makes uid_map and gid_map of process @pid what @maps says; the parent. One who has
 * CAP_SETUID and CAP_SETGID writes them by way of the host's procfs. Another one writes only the
 * map of his own id alone, for the group at the price of setgroups(2); all others are written for
 * him by newuidmap(1) and newgidmap(1), if /etc/subuid and /etc/subgid allow it. Errors name
 * @owner's fields: "linux" gives linux.uidMappings and linux.gidMappings.
 */
int idmap_write(int procfd, pid_t pid, const struct spec_id_maps *maps, const char *owner,
		struct error *err) must_check;
/* Whether @maps is one id, and that is @own on the host. */
bool idmap_is_own(const struct id_map *maps, size_t count, uint32_t own);

/*
 * Compares @maps with those of process @pid, which has joined a user namespace: they must be the
 * same. Empty ones say nothing.
 */
int idmap_compare(int procfd, pid_t pid, const struct spec_id_maps *maps,
		  struct error *err) must_check;
/* The id, outside, of the user @id of process @pid's user namespace. */
int idmap_user_outside(int procfd, pid_t pid, uid_t id, uid_t *ret, struct error *err) must_check;

/*
 * idmap_holder.c: a user namespace that exists for its maps alone, for mounts to take them; yields
 * its descriptor. Errors name @owner's fields, as those of idmap_write().
 */
int idmap_hold(int procfd, const struct spec_id_maps *maps, const char *owner,
	       struct error *err) must_check;

/* oom.c: writes /proc/PID/oom_score_adj; the parent, who has the host's rights. */
int oom_score_adj_write(int procfd, pid_t pid, int value, struct error *err) must_check;

/*
 * rlimits.c. Two calls, since raising a hard limit needs the host's rights, while a low limit must
 * not hinder what is still to be done. rlimits_raise(): prlimit(2) on process @pid by the parent,
 * only where a hard limit is to be higher than it is. rlimits_apply(): sets all of them exactly;
 * the process itself (@pid 0), shortly before exec. Errors: process.rlimits[N].
 */
int rlimits_raise(pid_t pid, const struct spec_rlimit *limits, size_t count,
		  struct error *err) must_check;
int rlimits_apply(pid_t pid, const struct spec_rlimit *limits, size_t count,
		  struct error *err) must_check;

/*
 * sysctl.c: checks without side effect that each key belongs to a namespace of the container's own
 * (runc's rules); a network namespace that is joined by path must not be the host's. Both "a.b" and
 * "a/b" are accepted, as sysctl(8) does. Errors: `linux.sysctl["net.x"]: …`.
 */
int sysctl_check(const struct spec_strings *sysctl,
		 const struct spec_namespace namespaces[static NAMESPACE_MAX],
		 struct error *err) must_check;
/* Writes them below the pinned procfs, in the container's namespaces. */
int sysctl_apply(int procfd, const struct spec_strings *sysctl, struct error *err) must_check;

/* keyring.c: joins a new session keyring "_ses.ID", as runc does. Kernels without keys: nothing. */
int keyring_join(const char *container_id, struct error *err) must_check;
/* personality.c: personality(2). */
int personality_apply(unsigned long persona, struct error *err) must_check;

/*
 * capabilities.c, in this order: capabilities_bound() while the process still has CAP_SETPCAP
 * (drops from the bounding set, and arranges that a change of ids keeps the permitted set), then
 * ids_apply(), then capabilities_apply() (the four other sets, exactly; the "keep" is off again).
 * A capability that cannot be granted is left out (config.md: not an error); the inheritable and
 * ambient sets hold what the spec lists and nothing else (CVE-2022-29162).
 */
/* Whether the caller may do what root of its user namespace may, as far as berth needs it. */
bool capabilities_of_root(void) must_check;
int capabilities_bound(const struct spec_capabilities *capabilities, struct error *err) must_check;
int capabilities_apply(const struct spec_capabilities *capabilities, struct error *err) must_check;

/*
 * ids.c: setgroups(2), before any filter, so that what it answers is the kernel's word. Where the
 * user namespace denies it, additionalGids must be empty, and the creator's groups stay.
 * ids_apply(): then setresgid(2), setresuid(2), in this order.
 */
int groups_apply(const struct spec_process *process, struct error *err) must_check;
int ids_apply(const struct spec_process *process, struct error *err) must_check;

/* What is wrong with additionalGids where the user namespace denies setgroups(2). */
#define IDS_GROUPS_DENIED                                                                          \
	"process.user.additionalGids: cannot be set, since the user namespace denies "             \
	"setgroups(2): its maker had no right over more than his own group"

/*
 * home.c: value of HOME for @uid from /etc/passwd of the root @rootfd: a regular file of bounded
 * size, opened in-root without blocking (CVE-2024-9676); "/" where there is none. Caller's text.
 */
char *home_of(int rootfd, uid_t uid) __attribute__((returns_nonnull));

/*
 * executable.c: finds args[0] as execvp(3) would, with the PATH of @env, below the current root and
 * cwd. *ret_path is the caller's. Errors: `exec "NAME": executable file not found in $PATH` and so
 * on (the texts that engines match).
 */
int executable_find(const char *name, const char *const *env, char **ret_path,
		    struct error *err) must_check;
/*
 * Says why execve(2) of @path failed with @code (negative errno): file missing, interpreter or
 * loader missing (named), not executable, a directory, wrong architecture, noexec mount, text for
 * every other errno. Fills err and returns @code.
 */
int executable_explain(const char *path, int code, struct error *err) must_check;

#endif
