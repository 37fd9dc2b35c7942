/* SPDX-License-Identifier: Apache-2.0 */
/* Trees of files, of any depth. */
#ifndef BERTH_PULL_TREE_H
#define BERTH_PULL_TREE_H

#include <stdint.h>

#include "berth/base/error.h"

/*
 * Removes @name beneath @dirfd, be it a file or a tree of any depth; adds the disk's bytes that
 * this frees to *@freed (or NULL). Nothing else may work in the tree. Negative errno, no text.
 */
int tree_remove(int dirfd, const char *name, uint64_t *freed) must_check;

/* Removes what is in the directory @fd, which is taken over. */
int tree_empty(int fd, uint64_t *freed) must_check;

/* What tree_remove() would free. -ELOOP where directories lie too deep to be measured. */
int tree_measure(int dirfd, const char *name, uint64_t *bytes) must_check;

#endif
