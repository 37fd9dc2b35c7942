/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of digests: sorted arrays. */
#include "digest_set.h"

#include <stdlib.h>
#include <string.h>

#include "berth/base/alloc.h"

static int compare(const struct digest *a, const struct digest *b)
{
	if (a->algorithm != b->algorithm)
		return a->algorithm < b->algorithm ? -1 : 1;
	return strcmp(a->hex, b->hex);
}

/* Where it is, or would be. */
static size_t find(const struct digest_set *set, const struct digest *digest)
{
	size_t low = 0, high = set->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare(&set->items[middle], digest) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool digest_set_has(const struct digest_set *set, const struct digest *digest)
{
	size_t at = find(set, digest);

	return at < set->count && digest_equal(&set->items[at], digest);
}

void digest_set_add(struct digest_set *set, const struct digest *digest)
{
	size_t at = find(set, digest);

	if (at < set->count && digest_equal(&set->items[at], digest))
		return;
	if (set->count == set->room) {
		set->room = 2 * set->room + 16;
		set->items = xrealloc(set->items, set->room, sizeof(*set->items));
	}
	memmove(&set->items[at + 1], &set->items[at], (set->count - at) * sizeof(*set->items));
	set->items[at] = *digest;
	set->count++;
}

void digest_set_done(struct digest_set *set)
{
	free(take_ptr(&set->items));
	set->count = set->room = 0;
}
