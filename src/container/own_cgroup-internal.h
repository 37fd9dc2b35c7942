/* SPDX-License-Identifier: Apache-2.0 */
/* The cgroup of a container on its way. */
#ifndef BERTH_CONTAINER_OWN_CGROUP_INTERNAL_H
#define BERTH_CONTAINER_OWN_CGROUP_INTERNAL_H

#include "container-internal.h"

struct own_cgroup {
	int root, fd;		 /* owned; -1: none, or none yet */
	char *path;		 /* owned; NULL: none; of a unit, once it is started */
	const struct unit *unit; /* the plan of it; NULL: it is none of systemd's */
	struct companion holder; /* what is in the unit until init is; owned */
};

#define OWN_CGROUP_UNSET                                                                           \
	{                                                                                          \
		.root = -EBADF, .fd = -EBADF, .holder = COMPANION_UNSET                            \
	}

/* Whose cgroup it is. */
struct own_cgroup_wanted {
	const struct runtime *runtime;
	const struct spec *spec;
	const char *id;
	int procfd;
	struct arena *arena;
};

/* Decides where it is to be. Nothing is made. */
int own_cgroup_prepare(const struct own_cgroup_wanted *wanted, struct own_cgroup *ret,
		       struct error *err) must_check;

/* Begins the record of it, with what there is to be undone whatever happens. */
int own_cgroup_record(const struct own_cgroup *own, struct record *record,
		      struct error *err) must_check;

/*
 * Makes it, with its limits. What has been found out by that stands in the @record, which is
 * written to @dirfd anew where more is to be undone than it said.
 */
int own_cgroup_make(const struct own_cgroup_wanted *wanted, struct own_cgroup *own, int dirfd,
		    struct record *record, struct error *err) must_check;

/* Init is in it. */
void own_cgroup_settled(struct own_cgroup *own);

void own_cgroup_done(struct own_cgroup *own);

#endif
