/* SPDX-License-Identifier: Apache-2.0 */
/* Removal of what no image and no bundle needs. */
#ifndef BERTH_PULL_GC_H
#define BERTH_PULL_GC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "berth/base/str.h"

#include "common/digest_set.h"

#include "store.h"

/* What images and bundles need, and which bundles are no more. */
struct gc_marks {
	struct digest_set layers, blobs;
	struct strv gone;    /* records, "bundles/ID" */
	struct strv unknown; /* paths of bundles that nobody can see now: their layers are kept */
};

/*
 * Finds out, whatever lock is held. @forget: paths of bundles that nobody can see, to be taken for
 * gone; that there is no such one is an error. So is a record that cannot be read: what it needs is
 * not known.
 */
int gc_mark(const struct store *store, const struct strv *forget, struct gc_marks *ret,
	    struct error *err) must_check;
void gc_marks_done(struct gc_marks *marks);
#define _cleanup_gc_marks_ __attribute__((cleanup(gc_marks_done)))

struct gc_options {
	bool all;     /* also the parts of the last hour */
	bool dry_run; /* nothing is removed */
	/* Called for everything that goes, with its name beneath ROOT. */
	void (*each)(void *context, const char *name);
	void *context;
};

struct gc_result {
	uint64_t layers, blobs, parts, bundles;
	uint64_t bytes; /* of the disk */
};

/*
 * Removes what is not marked. The store's exclusive lock is held (but for a dry run) and is made a
 * shared one as soon as nothing unmarked has its name any more: emptying trees takes time.
 */
int gc_sweep(struct store *store, const struct gc_marks *marks, const struct gc_options *options,
	     struct gc_result *ret, struct error *err) must_check;

#endif
