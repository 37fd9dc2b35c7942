/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of bundles share: a store with layers that are made on the spot. */
#ifndef BERTH_TESTS_PULL_BUNDLE_H
#define BERTH_TESTS_PULL_BUNDLE_H

#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "bundle/bundle-internal.h"

#include "../base/unit.h"

#define LAYERS_MAX 8

/* A store of the test's own, and an image on top of its layers. */
struct lab {
	struct world *world;
	struct store store;
	struct arena *arena;
	struct image_config image;
	struct digest diff_ids[LAYERS_MAX];
	struct bundle_options options;
	char *bundle; /* its path */
};

static inline void lab_open(struct lab *lab, void **state)
{
	struct error err = ERROR_NONE;
	_cleanup_free_ char *path = NULL;

	*lab = (struct lab){.world = *state, .store = STORE_CLOSED, .arena = arena_new()};
	path = xasprintf("%s/store", lab->world->path);
	lab->bundle = xasprintf("%s/bundle", lab->world->path);
	assert_fine(store_open(path, STORE_ADD, &lab->store, &err), err);
	lab->image = (struct image_config){
		.platform = {"linux", "amd64", ""},
		.os_version = "",
		.author = "",
		.created = "",
		.user = "",
		.working_dir = "",
		.stop_signal = "",
		.diff_ids = lab->diff_ids,
	};
}

static inline void lab_close(struct lab *lab)
{
	store_close(&lab->store);
	arena_free(lab->arena);
	strv_done(&lab->options.args);
	strv_done(&lab->options.env);
	strv_done(&lab->options.volumes);
	strv_done(&lab->options.tmpfs);
	strv_done(&lab->options.cap_add);
	strv_done(&lab->options.cap_drop);
	strv_done(&lab->options.security_opts);
	strv_done(&lab->options.publish);
	strv_done(&lab->options.ip);
	strv_done(&lab->options.dns);
	free(lab->bundle);
}

/* One thing in a layer: "DIR/", "FILE" with its content, "LINK" with "-> TARGET", "!NAME" for a
 * whiteout, "DIR/!" for an opaque directory. */
struct thing {
	const char *name, *content;
};

static inline void put_thing(int rootfd, const struct thing *thing)
{
	_cleanup_free_ char *name = xstrdup(thing->name);
	size_t length = strlen(name);

	if (name[0] == '!') {
		assert_int_equal(mknodat(rootfd, name + 1, S_IFCHR, makedev(0, 0)), 0);
	} else if (length > 2 && str_equal(name + length - 2, "/!")) {
		_cleanup_fd_ int fd = -EBADF;

		name[length - 2] = '\0';
		fd = openat(rootfd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_int_equal(fsetxattr(fd, "trusted.overlay.opaque", "y", 1, 0), 0);
	} else if (name[length - 1] == '/') {
		assert_int_equal(mkdirat(rootfd, name, 0755), 0);
	} else if (str_starts(thing->content, "-> ")) {
		assert_int_equal(symlinkat(thing->content + 3, rootfd, name), 0);
	} else {
		_cleanup_fd_ int fd =
			openat(rootfd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

		assert_true(fd >= 0);
		assert_int_equal(fd_write_all(fd, thing->content, strlen(thing->content)), 0);
	}
}

/* Adds a layer on top; returns its fs/ for what else is to be there, the caller's. */
static inline int lab_layer(struct lab *lab, const struct thing *things, size_t count)
{
	struct digest *id = &lab->diff_ids[lab->image.diff_id_count++];
	_cleanup_fd_ int dir = -EBADF;
	struct store_layer layer;
	struct error err = ERROR_NONE;
	char text[32];

	snprintf(text, sizeof(text), "layer %zu", lab->image.diff_id_count);
	digest_of(DIGEST_SHA256, text, strlen(text), id);
	assert_int_equal(store_layer_begin(&lab->store, id, &layer, &err), 0);
	for (size_t i = 0; i < count; i++)
		put_thing(layer.rootfd, &things[i]);
	assert_fine(store_layer_commit(&layer, &err), err);
	dir = store_layer_open(&lab->store, id, &err);
	return openat(dir, "fs", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

#define LAYER(lab, ...)                                                                            \
	fd_close(lab_layer(lab, (const struct thing[]){__VA_ARGS__},                               \
			   ARRAY_SIZE(((const struct thing[]){__VA_ARGS__}))))

static inline const struct bundle_layers *lab_layers(struct lab *lab, struct bundle_layers *layers)
{
	struct error err = ERROR_NONE;

	assert_fine(bundle_layers_open(&lab->store, &lab->image, false, layers, &err), err);
	return layers;
}

/* config.json of the bundle @name, read; in the lab's arena. */
static inline const struct json *lab_config(struct lab *lab, const char *name)
{
	_cleanup_free_ char *path = xasprintf("%s/config.json", name);
	_cleanup_free_ char *text = get_file(lab->world, path);
	const struct json *config = NULL;
	struct error err = ERROR_NONE;

	assert_non_null(text);
	assert_fine(json_read(lab->arena, text, strlen(text), "config.json", &config, &err), err);
	return config;
}

/* The value at "process.user.uid" as compact JSON, the caller's; "(none)". */
static inline char *json_at(const struct json *object, const char *path)
{
	struct buf text = BUF_EMPTY;
	struct json_writer w = JSON_WRITER(&text, false);

	while (object && *path) {
		const size_t length = strcspn(path, ".");
		_cleanup_free_ char *name = xstrndup(path, length);

		object = object->type == JSON_OBJECT ? json_member(object, name) : NULL;
		path += length + (path[length] == '.');
	}
	if (!object)
		return xstrdup("(none)");
	json_value(&w, object);
	return buf_take(&text);
}

#define assert_json(object, path, expected)                                                        \
	do {                                                                                       \
		_cleanup_free_ char *found_ = json_at((object), (path));                           \
		assert_string_equal(found_, (expected));                                           \
	} while (0)

#endif
