/* SPDX-License-Identifier: Apache-2.0 */
/* Removing what belongs to containers that are gone, and what a killed add left. */
#ifndef BERTH_NET_GC_H
#define BERTH_NET_GC_H

#include "lease.h"

/*
 * Undoes every lease that is not complete, or whose namespace is gone, or that @is_unwanted (may be
 * NULL) picks; sweeps addresses without a lease; then makes the rest again (reload.h), so that
 * nothing is left that no lease stands for. Goes on after an error, and returns the first.
 * *ret_count: leases removed. The store is open for changes.
 */
int gc_all(const struct store *store, struct arena *arena,
	   bool (*is_unwanted)(const struct lease *lease, const void *data), const void *data,
	   size_t *ret_count, struct error *err) must_check;

#endif
