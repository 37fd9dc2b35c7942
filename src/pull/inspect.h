/* SPDX-License-Identifier: Apache-2.0 */
/* What is to be said of a stored image. */
#ifndef BERTH_PULL_INSPECT_H
#define BERTH_PULL_INSPECT_H

#include <stdbool.h>

#include "berth/base/str.h"

#include "store/stored_image.h"

#include "changes.h"

struct inspection {
	const struct store *store;
	struct arena *arena;
	struct stored_image image;
	bool files; /* every path that a layer changes */
};

/* Where what is said goes; one for people, one for programs. */
struct inspect_writer {
	const struct inspection *inspection;
	struct buf out; /* what is not printed yet */
	int (*begin)(struct inspect_writer *self, size_t layer, struct error *err);
	int (*change)(struct inspect_writer *self, enum change change, const char *path,
		      struct error *err);
	int (*end)(struct inspect_writer *self, size_t layer, const struct changes *changes,
		   struct error *err);
};

/* Goes through the layers, the lowest first: begins each, tells its changes if those are wished,
 * and ends it. */
int inspect_layers(struct inspect_writer *writer, struct error *err) must_check;

/* Prints what the writer has, if it is much. */
int inspect_flush(struct inspect_writer *writer, struct error *err) must_check;

/* What made the layer, by the history of the configuration; "" where it does not say. */
const char *inspect_created_by(const struct inspection *inspection, size_t layer);

/* Print all. */
int inspect_text(const struct inspection *inspection, struct error *err) must_check;
int inspect_json(const struct inspection *inspection, struct error *err) must_check;

#endif
