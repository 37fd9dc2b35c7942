/* SPDX-License-Identifier: Apache-2.0 */
/* An image that the store has: its record and its documents, read. */
#ifndef BERTH_PULL_STORED_IMAGE_H
#define BERTH_PULL_STORED_IMAGE_H

#include "berth/base/alloc.h"
#include "berth/base/error.h"

#include "image/image.h"
#include "image/reference.h"

#include "store.h"

/* All of it belongs to an arena. */
struct stored_image {
	struct store_image record;
	struct manifest manifest;
	struct image_config config; /* as many diff ids as the manifest has layers */
};

/* Reads the documents that @record names. Whether the layers are there is another question. */
int stored_image_load(struct arena *arena, const struct store *store,
		      const struct store_image *record, struct stored_image *ret,
		      struct error *err) must_check;

/* Refuses an image whose manifest and configuration do not have the same number of layers. */
int stored_image_check_counts(const struct stored_image *image, struct error *err) must_check;

/* Whether the image has this name, or is of this repository and has the name's digest. */
bool store_image_is(struct arena *arena, const struct store_image *image,
		    const struct reference *wanted);

#endif
