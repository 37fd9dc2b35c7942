/* SPDX-License-Identifier: Apache-2.0 */
/* What an index and a manifest say of each thing that they name: image-spec descriptor.md. */
#ifndef BERTH_PULL_DESCRIPTOR_H
#define BERTH_PULL_DESCRIPTOR_H

#include "image.h"

/*
 * Reads one descriptor into *ret, whose texts belong to @arena. Returns 0, or negative errno:
 * -EOPNOTSUPP for a digest that may be one, of an algorithm that is not known here.
 */
int descriptor_read(struct arena *arena, const struct json *value, struct descriptor *ret,
		    struct error *err) must_check;

#endif
