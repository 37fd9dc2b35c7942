/* SPDX-License-Identifier: Apache-2.0 */
/* What the files verify*.c share. */
#ifndef BERTH_PULL_VERIFY_INTERNAL_H
#define BERTH_PULL_VERIFY_INTERNAL_H

#include <stdbool.h>

#include "berth/base/str.h"

#include "layer/index.h"

#include "verify.h"

/* The walk over one layer. */
struct verification {
	const struct verify *verify;
	int rootfd, indexfd;
	bool has_attributes; /* the index, of what is listed in it */
	uint64_t lines;	     /* of the index, so far */
	uint64_t findings;
	struct suspects *suspects;
};

void verify_report(struct verification *verification, const char *path, const char *what);

/*
 * Compares the tree with one line; what differs is added to @what (nothing: all is well). Negative
 * errno where the comparison itself failed.
 */
int verify_entry(const struct verification *verification, const struct index_entry *entry,
		 struct buf *what, struct error *err) must_check;

/*
 * Lines that the tree does not agree with: they are findings unless a later line replaces them.
 * Bounded: what comes to be too much is looked through at once.
 */
struct suspects *suspects_new(void) __attribute__((returns_nonnull));
struct suspects *suspects_free(struct suspects *suspects); /* accepts and returns NULL */
int suspects_add(struct verification *verification, const struct index_entry *entry,
		 const char *what, struct error *err) must_check;
/* Reports those that no later line replaces, and forgets all. */
int suspects_settle(struct verification *verification, struct error *err) must_check;

/* Reports what the tree has and the index has not. */
int verify_strangers(struct verification *verification, struct error *err) must_check;

#endif
