/* SPDX-License-Identifier: Apache-2.0 */
/* The layers of an image, merged into a plain root file system that any runtime can run. */
#ifndef BERTH_PULL_FLAT_H
#define BERTH_PULL_FLAT_H

#include <stdatomic.h>
#include <stdbool.h>

#include "berth/base/error.h"

#include "merged.h"

/*
 * Copies the merged tree into the empty directory @rootfd: one layer after the other, so that
 * whiteouts, opaque directories and hard links act as they do when the layers are unpacked over
 * each other. Content is shared with the store where the file system can do that (FICLONE); holes
 * stay holes; overlayfs's own attributes are left out. @cancelled is looked at between files; NULL:
 * never. On an error what was made stays, for the caller to remove.
 */
int flat_make(const struct merged *merged, int rootfd, const atomic_bool *cancelled,
	      struct error *err) must_check;

#endif
