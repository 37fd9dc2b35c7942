/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the store has the shape that it should have. */
#ifndef BERTH_PULL_FSCK_H
#define BERTH_PULL_FSCK_H

#include <stdbool.h>
#include <stdint.h>

#include "store.h"

enum fsck_kind {
	FSCK_DAMAGED,  /* to be removed, so that a pull can make it anew */
	FSCK_UNKNOWN,  /* nothing that berth-pull has made: left alone */
	FSCK_LEFTOVER, /* of a process that died, or was stopped: no damage, the next pull's */
	FSCK_KIND_MAX
};

extern const char *const fsck_kind_names[FSCK_KIND_MAX];

struct fsck {
	bool repair; /* the store is locked exclusively then */
	/* Called for each finding: @name beneath ROOT, @what is wrong, and whether that has been
	 * put right. */
	void (*finding)(void *context, enum fsck_kind kind, const char *name, const char *what,
			bool repaired);
	void *context;
};

/*
 * Looks at every file of the store but for the trees of layers: names, kinds, modes, digests of
 * documents, and whether each image and bundle has all that it needs. Of trees (`verify` does
 * those) at the ones that may have been hurt when the machine went down.
 * *ret_wrong: damage and unknown files that are left. Negative errno where it could not look.
 */
int store_fsck(const struct store *store, const struct fsck *fsck, uint64_t *ret_wrong,
	       struct error *err) must_check;

#endif
