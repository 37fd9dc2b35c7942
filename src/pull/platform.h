/* SPDX-License-Identifier: Apache-2.0 */
/* What machine an image is for, and which of an index's images fits best. */
#ifndef BERTH_PULL_PLATFORM_H
#define BERTH_PULL_PLATFORM_H

#include "berth/base/alloc.h"

#include "image.h"

/*
 * Reads "os/architecture[/variant]", "os" or "architecture" (the rest is the host's), in Docker's
 * spellings and those of uname(2); normalised.
 */
int platform_parse(struct arena *arena, const char *text, struct platform *ret,
		   struct error *err) must_check;

/* The machine that this program runs on. */
void platform_of_host(struct platform *ret);

/*
 * The manifest of @index that fits @wish best, the first of equals; what is no image (attestations,
 * artifacts) and other systems are passed over. NULL if there is none such; *ret_offered then says
 * what there is, for the message, in @arena.
 */
const struct descriptor *platform_choose(struct arena *arena, const struct image_index *index,
					 const struct platform *wish, const char **ret_offered);

/* Whether an image whose configuration says @have runs where @wish does. */
bool platform_fits(const struct platform *have, const struct platform *wish);

#endif
