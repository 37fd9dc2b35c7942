/* SPDX-License-Identifier: Apache-2.0 */
/* Pulling an image: from its name to a record in the store. */
#ifndef BERTH_PULL_PULL_H
#define BERTH_PULL_PULL_H

#include <stdatomic.h>
#include <stdbool.h>

#include "berth/base/alloc.h"
#include "berth/base/error.h"

#include "common/image_limits.h"
#include "image/image.h"
#include "source/source.h"
#include "store/store.h"
#include "store/stored_image.h"

#include "progress.h"

/* What to pull, and how; everything is borrowed. */
struct pull_request {
	const struct store *store;
	struct source *source;
	const struct digest *digest; /* the name's, where it has one: no question is asked then */
	const struct platform *platform;
	bool strict_platform; /* a configuration that is for another machine is an error */
	const struct limits *limits;
	unsigned parallel;
	bool user_namespace;
	enum progress_style style;
	atomic_bool *cancelled;
};

/*
 * Makes sure that the image is in the store, whole, and reads it. *ret_was_there: nothing had to be
 * fetched.
 */
int pull_image(struct arena *arena, const struct pull_request *request, struct stored_image *ret,
	       bool *ret_was_there, struct error *err) must_check;

#endif
