/* SPDX-License-Identifier: Apache-2.0 */
/* What the files merged*.c share: looking at one layer. */
#ifndef BERTH_PULL_MERGED_INTERNAL_H
#define BERTH_PULL_MERGED_INTERNAL_H

#include "merged.h"

/* Opens a path that has no symbolic link in it, in one layer alone. Negative errno, no text. */
int merged_open_in(const struct merged *merged, size_t layer, const char *path,
		   int flags) must_check;

/* Whether the directory at @path of the layer hides what the layers below have in it. Negative
 * errno, no text. */
int merged_is_opaque(const struct merged *merged, size_t layer, const char *path) must_check;

#endif
