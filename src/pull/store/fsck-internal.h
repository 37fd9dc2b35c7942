/* SPDX-License-Identifier: Apache-2.0 */
/* What the files fsck*.c share. */
#ifndef BERTH_PULL_FSCK_INTERNAL_H
#define BERTH_PULL_FSCK_INTERNAL_H

#include "berth/base/str.h"

#include "fsck.h"
#include "store-internal.h"

/* One check of the store. */
struct checking {
	const struct store *store;
	const struct fsck *fsck;
	enum digest_algorithm algorithm; /* of what is gone through now */
	uint64_t wrong;
};

/* Reports what is no damage, or cannot be put right. */
void fsck_report(struct checking *checking, enum fsck_kind kind, const char *name,
		 const char *what);
/* Reports damage, and removes @name where that is wanted. */
void fsck_damaged(struct checking *checking, const char *name, const char *what);

/* As fsck_damaged(): half a layer is never taken for a whole one. */
void fsck_damaged_layer(struct checking *checking, const char *name, const struct digest *diff_id,
			const char *what);

/* fsck_records.c: images/HEX, bundles/ID. */
int fsck_image(void *context, const char *name, struct error *err) must_check;
int fsck_bundle(void *context, const char *name, struct error *err) must_check;

/* fsck_content.c: blobs/ALGORITHM/HEX, layers/ALGORITHM/HEX, ingest/…, tmp/…. */
int fsck_blob(void *context, const char *name, struct error *err) must_check;
int fsck_layer(void *context, const char *name, struct error *err) must_check;
int fsck_part(void *context, const char *name, struct error *err) must_check;
int fsck_work(void *context, const char *name, struct error *err) must_check;

#endif
