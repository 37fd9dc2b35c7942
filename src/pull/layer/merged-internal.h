/* SPDX-License-Identifier: Apache-2.0 */
/* What the files merged*.c share: looking at one layer, places. */
#ifndef BERTH_PULL_MERGED_INTERNAL_H
#define BERTH_PULL_MERGED_INTERNAL_H

#include <stdlib.h>
#include <sys/types.h>

#include "merged.h"

/* Opens a path that has no symbolic link in it, in one layer alone. Negative errno, no text. */
int merged_open_in(const struct merged *merged, size_t layer, const char *path,
		   int flags) must_check;

/* Whether the directory at @path of the layer hides what the layers below have in it. Negative
 * errno, no text. */
int merged_is_opaque(const struct merged *merged, size_t layer, const char *path) must_check;

/* Something in the tree. */
struct merged_place {
	char *path;	/* where it was found, without links in it; "." is the root */
	size_t *layers; /* a directory: all that make it, the top one first; otherwise the one */
	size_t count;
	mode_t mode; /* of the top one */
};

#define MERGED_NOWHERE                                                                             \
	{                                                                                          \
		.path = NULL                                                                       \
	}

void merged_place_done(struct merged_place *place);
#define _cleanup_merged_place_ __attribute__((cleanup(merged_place_done)))

/* Finds @path, as merged_open() does. *ret is empty before. Negative errno, no text. */
int merged_place_find(const struct merged *merged, const char *path, bool keeps_last,
		      struct merged_place *ret) must_check;
/* Finds @name in the directory @dir; a link is kept. */
int merged_place_in(const struct merged *merged, const struct merged_place *dir, const char *name,
		    struct merged_place *ret) must_check;

#endif
