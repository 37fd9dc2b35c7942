/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of digests. */
#ifndef BERTH_PULL_DIGEST_SET_H
#define BERTH_PULL_DIGEST_SET_H

#include "digest.h"

struct digest_set {
	struct digest *items; /* sorted; owned */
	size_t count, room;
};

void digest_set_add(struct digest_set *set, const struct digest *digest);
bool digest_set_has(const struct digest_set *set, const struct digest *digest);
void digest_set_done(struct digest_set *set);

#endif
