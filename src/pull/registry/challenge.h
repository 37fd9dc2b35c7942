/* SPDX-License-Identifier: Apache-2.0 */
/* How a registry asks who we are: the header WWW-Authenticate (RFC 9110 §11, RFC 6750 §3). */
#ifndef BERTH_PULL_CHALLENGE_H
#define BERTH_PULL_CHALLENGE_H

#include <stddef.h>

#include "berth/base/alloc.h"

#define CHALLENGE_LINE_MAX 8192 /* longer header lines are passed over, in bytes */
#define CHALLENGES_MAX	   16	/* of one answer; those that come after are passed over */

/* Texts are never empty; NULL where not given. They hold no control characters. */
struct challenge {
	const char *scheme; /* in lower case: "bearer", "basic", "negotiate" */
	const char *realm, *service, *scope, *error;
};

/*
 * Reads the header's values @lines (NULL-terminated, or NULL), each of which may hold several
 * challenges. A line that breaks the grammar, or gives one parameter of a challenge twice, counts
 * as not there: what it asks for cannot be known. Returns how many there are, in their order.
 * Texts belong to @arena.
 */
size_t challenges_parse(struct arena *arena, const char *const *lines,
			struct challenge ret[static CHALLENGES_MAX]);

/* The first challenge of @scheme, or NULL. */
const struct challenge *challenge_find(const struct challenge *challenges, size_t count,
				       const char *scheme);

#endif
