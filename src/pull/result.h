/* SPDX-License-Identifier: Apache-2.0 */
/* What those commands write that have fetched an image or made a bundle. */
#ifndef BERTH_PULL_RESULT_H
#define BERTH_PULL_RESULT_H

#include "store/store.h"

#include "command.h"

/*
 * The manifest's digest, as `docker pull --quiet` names an image, or with --json the last object.
 * @present: nothing had to be fetched. @bundle and @quota may be NULL.
 */
int print_result(const struct context *context, const struct store_image *image, bool present,
		 const char *bundle, const char *quota, struct error *err) must_check;

#endif
