/* SPDX-License-Identifier: Apache-2.0 */
/* What the stages have to do with namespaces, decided before anything is done. */
#ifndef BERTH_STAGE_PLAN_H
#define BERTH_STAGE_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "berth/base/error.h"
#include "berth/spec/spec.h"

struct plan {
	unsigned clone_flags;	/* CLONE_NEW* that the clone of init makes */
	unsigned unshare_flags; /* CLONE_NEW* that init makes itself, after its joins */
	/* Kinds that are joined by descriptor, in this order: by the middle process, else by init.
	 */
	enum namespace_kind joins[NAMESPACE_MAX];
	size_t join_count;
	bool middle;	 /* a process between parent and init joins, and clones init (middle.c) */
	bool join_pid;	 /* entered around the clone of init: it holds for children */
	bool write_maps; /* the parent writes the id maps of init's new user namespace */
	bool parent_sources; /* the parent opens the mount sources, so that their flags stay locked
			      */
	bool stage;	     /* it sets up read-only ones before the clone, see mount_stage() */
	bool own_mounts;     /* init has a mount namespace of its own */
	bool new_network;    /* a loopback to bring up */
	bool new_time;	     /* init enters it once its offsets are written */
};

/*
 * Decides from the spec alone; no system call is made. Combinations that cannot be had are refused
 * with the JSON path of what stands in the way.
 */
int plan_make(const struct spec *spec, struct plan *ret, struct error *err) must_check;

/*
 * Adapts a plan to one who has no rights over the host, and whose group is @gid: refuses what he
 * cannot have, and leaves to init what only those rights let the parent do. Pure, too.
 */
int plan_restrict(const struct spec *spec, gid_t gid, struct plan *plan,
		  struct error *err) must_check;

/* CLONE_NEW* of all namespaces that the container does not share with the host: what exec joins. */
unsigned plan_exec_flags(const struct spec *spec);

#endif
