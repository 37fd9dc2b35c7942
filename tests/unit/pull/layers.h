/* SPDX-License-Identifier: Apache-2.0 */
/* Several layers as the store has them, for tests of what is made of them. */
#ifndef BERTH_TESTS_PULL_LAYERS_H
#define BERTH_TESTS_PULL_LAYERS_H

#include "layer/merged.h"

#include "layer.h"

#define LAYERS_MAX 6

/* Cases: layers, the lowest first, and what comes of them. */
struct layers_case {
	const char *name;
	struct item layers[LAYERS_MAX][ITEMS_MAX];
	const char *expected; /* see tree_add() */
};

struct layers {
	int fds[LAYERS_MAX];
	struct merged merged;
};

/* Unpacks one layer into the directory @name of the world, and opens it as the store does. */
static inline int layers_put(const struct world *world, const char *name, const struct item *items,
			     bool user_namespace)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", world->path, name);
	struct world place = {.path = path};
	struct layer layer;
	int fd;

	put_directory(world, name);
	place.fd = openat(world->fd, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(place.fd >= 0);
	layer_begin(&layer, &place, "fs");
	layer.options.user_namespace = user_namespace;
	assert_fine(layer_unpack(&layer, items), layer.err);
	assert_int_equal(renameat(place.fd, "fs.index", place.fd, "index"), 0);
	layer_end(&layer);
	fd = place.fd;
	return fd;
}

static inline void layers_begin(struct layers *layers, const struct world *world, const char *name,
				const struct item list[][ITEMS_MAX])
{
	*layers = (struct layers){.merged = {.layers = layers->fds}};
	for (size_t i = 0; i < LAYERS_MAX && list[i][0].path; i++) {
		_cleanup_free_ char *directory = xasprintf("%s.%zu", name, i);

		layers->fds[layers->merged.count++] = layers_put(world, directory, list[i], false);
	}
}

static inline void layers_end(struct layers *layers)
{
	for (size_t i = 0; i < layers->merged.count; i++)
		fd_close(layers->fds[i]);
}

#endif
