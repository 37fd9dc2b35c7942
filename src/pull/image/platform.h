/* SPDX-License-Identifier: Apache-2.0 */
/* What machine an image is for, and which of an index's images fits best. */
#ifndef BERTH_PULL_PLATFORM_H
#define BERTH_PULL_PLATFORM_H

#include "berth/base/alloc.h"

#include "image.h"

/*
 * Brings @platform to one spelling: lower case, Go's names of architectures (x86_64 is amd64,
 * armhf arm/v7 and so on), and no variant where it is the one that goes without saying (amd64/v1,
 * arm64/v8); "arm" alone is arm/v7. "" stays "".
 */
void platform_normalise(struct arena *arena, struct platform *platform);

/* "linux/arm/v7", in @arena. */
const char *platform_text(struct arena *arena, const struct platform *platform);

/*
 * Reads "os/architecture[/variant]", "os" (the rest is the host's) or "architecture" (the system is
 * the host's), in Docker's spellings and those of uname(2); normalised. Without a variant it means
 * what every machine of the architecture runs.
 */
int platform_parse(struct arena *arena, const char *text, struct platform *ret,
		   struct error *err) must_check;

/* The machine that this program runs on, with the variant that its processor has. */
void platform_of_host(struct platform *ret);

/*
 * The entry of @index that fits @wish best (a manifest, or an index again), the first of equals:
 * the highest variant that runs there; if none does, what else the machine can run (386 on amd64,
 * arm on arm64). What is no image (attestations, artifacts) is passed over. An entry that does not
 * say its platform is taken if it is the only image. NULL if there is none; *ret_offered then says
 * what there is ("linux/arm64, windows/amd64"; "" for no image at all), in @arena.
 */
const struct descriptor *platform_choose(struct arena *arena, const struct image_index *index,
					 const struct platform *wish, const char **ret_offered);

/* Whether an image whose configuration says @have (as it stands there; what is "" is not known, and
 * fits) runs where @wish, which is normalised, does. */
bool platform_fits(const struct platform *have, const struct platform *wish);

#endif
