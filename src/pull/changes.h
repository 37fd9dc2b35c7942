/* SPDX-License-Identifier: Apache-2.0 */
/* What each layer of an image does to the tree of those below it. */
#ifndef BERTH_PULL_CHANGES_H
#define BERTH_PULL_CHANGES_H

#include <stddef.h>
#include <stdint.h>

#include "berth/base/error.h"

enum change {
	CHANGE_ADDED,	/* there was no such path */
	CHANGE_CHANGED, /* there was: another content, or other metadata */
	CHANGE_HIDDEN,	/* there was, and is no more; of a directory, all that was in it */
	CHANGE_MAX
};

extern const char *const change_names[CHANGE_MAX];

struct changes {
	uint64_t count[CHANGE_MAX]; /* paths */
	uint64_t bytes[CHANGE_MAX]; /* content of files, also in directories that are hidden */
};

/* The layers so far, the lowest first. */
struct layer_stack *layer_stack_new(void) __attribute__((returns_nonnull));
struct layer_stack *layer_stack_free(struct layer_stack *stack); /* accepts and returns NULL */

static inline void cleanup_layer_stack(struct layer_stack **variable)
{
	*variable = layer_stack_free(*variable);
}
#define _cleanup_layer_stack_ __attribute__((cleanup(cleanup_layer_stack)))

/*
 * Puts the layer @layerfd (see store_layer_open(); borrowed) on top, and says what that changes.
 * @each (or NULL) is called for each change, with a path beneath the root. Memory is bounded
 * whatever the layer. A directory whose owner and mode stay is not changed.
 */
int layer_stack_push(struct layer_stack *stack, int layerfd,
		     int (*each)(void *context, enum change change, const char *path,
				 struct error *err),
		     void *context, struct changes *ret, struct error *err) must_check;

#endif
