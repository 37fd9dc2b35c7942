/* SPDX-License-Identifier: Apache-2.0 */
/* All layers of an image, side by side, from their source into the store. */
#ifndef BERTH_PULL_LAYERS_H
#define BERTH_PULL_LAYERS_H

#include <stdatomic.h>

#include "common/image_limits.h"
#include "image/image.h"
#include "source/source.h"
#include "store/store.h"

#include "progress.h"

/* Most layers at once; also the most --parallel takes. */
#define LAYERS_PARALLEL_MAX 16

struct layers_request {
	const struct store *store;
	struct source *source;
	const struct manifest *manifest;
	const struct image_config *config; /* as many diff ids as the manifest has layers */
	const struct limits *limits;
	/* Layers at once. 0: some are downloaded, and as many unpacked as there are processors. */
	unsigned parallel;
	bool user_namespace;
	enum progress_style style;
	const char *name; /* of the image, for people */
	/* Ends the work when it is set; is set where one layer fails, so that the others end. */
	atomic_bool *cancelled;
};

/* Makes sure that all layers are in the store. What is there is not asked for. */
int layers_fetch(const struct layers_request *request, struct error *err) must_check;

#endif
