/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shares of caches and of memory bandwidth (linux.intelRdt): groups of the resctrl file system.
 * All functions do nothing where the specification is NULL.
 */
#ifndef BERTH_LINUX_RESCTRL_H
#define BERTH_LINUX_RESCTRL_H

#include <errno.h>
#include <stdbool.h>
#include <sys/types.h>

#include "berth/base/error.h"
#include "berth/spec/spec.h"

/* A container's place there. */
struct resctrl {
	const struct spec_intel_rdt *spec; /* NULL: none is asked for */
	const char *id;
	int rootfd;  /* of the file system; owned */
	int groupfd; /* owned; -1 before resctrl_make() or resctrl_open() */
};

#define RESCTRL_UNSET                                                                              \
	{                                                                                          \
		.rootfd = -EBADF, .groupfd = -EBADF                                                \
	}

/* What is to be removed with the container. */
struct resctrl_made {
	const char *group; /* the name; NULL: no group was asked for */
	bool group_is_ours, monitor_is_ours;
};

/* Opens the file system. Errors begin with "linux.intelRdt". */
int resctrl_find(const struct spec_intel_rdt *spec, const char *id, struct resctrl *ret,
		 struct error *err) must_check;

/* What resctrl_make() would make; -EEXIST where a group of the container's own is there already. */
int resctrl_plan(const struct resctrl *resctrl, struct resctrl_made *ret,
		 struct error *err) must_check;

/*
 * Makes the group, or compares what is asked for with what an existing one has, and opens it. What
 * of @made could not be made is struck off there; the rest is the caller's to remove.
 */
int resctrl_make(struct resctrl *resctrl, struct resctrl_made *made, struct error *err) must_check;

/* Opens the group, which exists. */
int resctrl_open(struct resctrl *resctrl, struct error *err) must_check;

/* Puts the process, and what it will clone, into the group. */
int resctrl_assign(const struct resctrl *resctrl, pid_t pid, struct error *err) must_check;

/* Writes what is asked for by @lines anew. */
int resctrl_update(const struct resctrl *resctrl, const struct spec_intel_rdt *lines,
		   struct error *err) must_check;

/* Removes what was made; gone already is fine. */
int resctrl_remove(int rootfd, const struct resctrl_made *made, const char *id,
		   struct error *err) must_check;

void resctrl_done(struct resctrl *resctrl);
#define _cleanup_resctrl_ __attribute__((cleanup(resctrl_done)))

#endif
