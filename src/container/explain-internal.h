/* SPDX-License-Identifier: Apache-2.0 */
/* Failures that come of others who have ended a container meanwhile. */
#ifndef BERTH_CONTAINER_EXPLAIN_INTERNAL_H
#define BERTH_CONTAINER_EXPLAIN_INTERNAL_H

#include "container-internal.h"

/* Whether an operation can be done on a container in the status that it has. */
typedef int (*container_check)(const struct container *container, struct error *err);
/*
 * For an operation that has failed with @r on a container that had passed its @check: others may
 * have ended it meanwhile. Then the words are those that a later call would hear: that it does not
 * exist, or what @check says of one that has stopped. Else returns @r, and leaves @err as it is.
 */
int container_explain(struct container *container, int r, container_check check,
		      struct error *err) must_check;

#endif
