/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How much a layer hides in directories that it removes, replaces or makes opaque: what the layers
 * below say that they have there, each file from the one layer in which it could be seen.
 */
#include <errno.h>
#include <string.h>

#include "berth/base/alloc.h"

#include "layer/index_once.h"

#include "changes-internal.h"

/* One layer below. */
struct summing {
	struct pushing *pushing;
	int number; /* from 1 on */
};

/* Whether a directory on the way to @path is one of those. */
static bool is_in_hidden(const struct path_set *hidden, const char *path)
{
	_cleanup_free_ char *way = xstrdup(path);

	for (char *slash; (slash = strrchr(way, '/'));) {
		*slash = '\0';
		if (path_set_has(hidden, way))
			return true;
	}
	return path_set_has(hidden, "");
}

static int sum_line(void *context, const struct index_entry *entry, struct error *err)
{
	const struct summing *summing = context;
	struct pushing *pushing = summing->pushing;
	struct stat st;
	int r;

	if (entry->type != 'f' || !is_in_hidden(pushing->hidden, entry->path))
		return 0;
	/* What the layer has anew is changed, not hidden. */
	r = layer_look(&pushing->layer, entry->path, &st);
	if (r > 0 && !is_whiteout(&st))
		return 1;
	r = layer_stack_look(pushing->stack, entry->path, &st);
	if (r < 0)
		return fail(err, r, "look for \"%s\" in the layers below", entry->path);
	if (r != summing->number)
		return 1;
	pushing->changes->bytes[CHANGE_HIDDEN] += layer_bytes(entry, &st);
	return 1;
}

int hidden_settle(struct pushing *pushing, struct error *err)
{
	int r = 0;

	if (!path_set_count(pushing->hidden))
		return 0;
	for (size_t i = 0; r >= 0 && i < pushing->stack->count; i++) {
		struct summing summing = {.pushing = pushing, .number = (int)i + 1};

		r = index_read_once(pushing->stack->layers[i].indexfd, sum_line, &summing, err);
	}
	path_set_free(pushing->hidden);
	pushing->hidden = path_set_new();
	return r;
}

int hidden_add(struct pushing *pushing, const char *path, struct error *err)
{
	path_set_add(pushing->hidden, path);
	return path_set_count(pushing->hidden) < INDEX_SHARE_MAX ? 0 : hidden_settle(pushing, err);
}
