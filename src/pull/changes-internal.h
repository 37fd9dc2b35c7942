/* SPDX-License-Identifier: Apache-2.0 */
/* What the files changes*.c share. */
#ifndef BERTH_PULL_CHANGES_INTERNAL_H
#define BERTH_PULL_CHANGES_INTERNAL_H

#include <stdbool.h>
#include <sys/stat.h>

#include "common/path_set.h"
#include "layer/index.h"

#include "changes.h"

struct layer {
	int rootfd, indexfd; /* of fs/ and index */
	bool has_opaque;     /* directories */
};

struct layer_stack {
	struct layer *layers; /* the lowest first */
	size_t count, room;
};

/* The layer that is put on top. */
struct pushing {
	const struct layer_stack *stack; /* below it */
	struct layer layer;
	int (*each)(void *context, enum change change, const char *path, struct error *err);
	void *context;
	struct changes *changes;
	struct path_set *hidden; /* directories below whose content is to be summed up */
};

/* What the layer itself has at @path: 1, 0 if nothing, or negative errno: -ENOTDIR where the way to
 * it is no way. */
int layer_look(const struct layer *layer, const char *path, struct stat *ret) must_check;
/* What was at @path before: the number of the layer that has it (from 1 on), 0 if nothing, or
 * negative errno. */
int layer_stack_look(const struct layer_stack *stack, const char *path,
		     struct stat *ret) must_check;
static inline bool is_whiteout(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == 0;
}

/* Bytes of content that a line of an index stands for. */
uint64_t layer_bytes(const struct index_entry *entry, const struct stat *st);

/* Adds the content of the directory @path below to what is hidden. */
int hidden_add(struct pushing *pushing, const char *path, struct error *err) must_check;
/* Sums up what has been added, and forgets it. */
int hidden_settle(struct pushing *pushing, struct error *err) must_check;

#endif
