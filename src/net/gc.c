/* SPDX-License-Identifier: Apache-2.0 */
/* Removing what belongs to containers that are gone, and what a killed add left. */
#include "gc.h"

#include "attach.h"
#include "pool.h"
#include "reload.h"

int gc_all(const struct store *store, struct arena *arena,
	   bool (*is_unwanted)(const struct lease *lease, const void *data), const void *data,
	   size_t *ret_count, struct error *err)
{
	struct error now = ERROR_NONE;
	struct lease_list list;
	int r = lease_list(store, arena, NULL, NULL, &list, err);
	int first = 0;

	*ret_count = 0;
	if (r < 0)
		return r;
	for (size_t i = 0; i < list.count; i++) {
		const struct lease *lease = &list.items[i];

		if (lease->complete && netns_is_alive(&lease->netns) &&
		    !(is_unwanted && is_unwanted(lease, data)))
			continue;
		r = attach_remove(store, arena, lease, &now);
		error_keep_first(r, &now, &first, err);
		if (r >= 0)
			++*ret_count;
	}
	error_keep_first(pool_sweep(store, /* ret_count= */ NULL, &now), &now, &first, err);
	error_keep_first(reload_all(store, arena, &now), &now, &first, err);
	return first;
}
