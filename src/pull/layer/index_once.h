/* SPDX-License-Identifier: Apache-2.0 */
/* An index, each path of it once, in bounded memory. */
#ifndef BERTH_PULL_INDEX_ONCE_H
#define BERTH_PULL_INDEX_ONCE_H

#include "index.h"

/* Paths that are kept in mind at once. Where there are more lines, the index is gone through
 * several times, for a share of the paths each time. */
#define INDEX_SHARE_MAX (1u << 18)

/* How many shares that makes of so many lines, and whose share a path belongs to. */
uint64_t index_shares(uint64_t lines);
uint64_t index_share_of(const char *path, uint64_t shares);

/*
 * As index_read(). Where @each returns 1 it is not called for the same path again. The order is
 * that of the index within each share.
 */
int index_read_once(int fd,
		    int (*each)(void *context, const struct index_entry *entry, struct error *err),
		    void *context, struct error *err) must_check;

#endif
