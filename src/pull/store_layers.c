/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layers: made in tmp/, visible when they are whole.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "berth/base/fd.h"

#include "store-internal.h"

bool layer_exists(const struct store *store, const struct digest *diff_id)
{
	char name[STORE_NAME_MAX];
	struct stat st;

	return store->fd >= 0 &&
	       fstatat(store->fd, store_name("layers", diff_id, name), &st, AT_SYMLINK_NOFOLLOW) ==
		       0 &&
	       S_ISDIR(st.st_mode);
}

bool store_has_layer(const struct store *store, const struct digest *diff_id)
{
	return layer_exists(store, diff_id);
}

int store_layer_open(const struct store *store, const struct digest *diff_id, struct error *err)
{
	char name[STORE_NAME_MAX];
	int fd;

	store_name("layers", diff_id, name);
	fd = store->fd < 0 ? -ENOENT
			   : openat(store->fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return fail(err, store->fd < 0 ? fd : -errno, "open \"%s/%s\"", store->path, name);
	return fd;
}

char *store_layer_path(const struct store *store, const struct digest *diff_id)
{
	char name[STORE_NAME_MAX];

	return xasprintf("%s/%s/fs", store->path, store_name("layers", diff_id, name));
}

/* Makes the directory with what belongs into it; the lock is held. */
static int make_layer(struct store_layer *layer)
{
	const struct store *store = layer->store;
	int r;

	/* Left over from one that died since this process opened the store. */
	r = tree_remove(store->fd, layer->name, NULL);
	if (r < 0 && r != -ENOENT)
		return r;
	if (mkdirat(store->fd, layer->name, 0700) < 0)
		return -errno;
	layer->dirfd = openat(store->fd, layer->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (layer->dirfd < 0 || mkdirat(layer->dirfd, "fs", 0755) < 0)
		return -errno;
	layer->rootfd = openat(layer->dirfd, "fs", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* Whatever the umask took away. */
	if (layer->rootfd < 0 || fchmod(layer->rootfd, 0755) < 0)
		return -errno;
	layer->indexfd = openat(layer->dirfd, "index", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	return layer->indexfd < 0 ? -errno : 0;
}

int store_layer_begin(const struct store *store, const struct digest *diff_id,
		      struct store_layer *ret, struct error *err)
{
	_cleanup_store_layer_ struct store_layer layer = STORE_LAYER_NONE;
	char name[STORE_NAME_MAX];
	int r;

	if (store_has_layer(store, diff_id))
		return 1;
	store_flat_name(STORE_TMP, diff_id, name);
	layer.lockfd = tmp_lock(store, name, /* wait= */ true);
	if (layer.lockfd < 0)
		return fail(err, layer.lockfd, "wait for layer %s", diff_id->hex);
	layer.store = store;
	layer.diff_id = *diff_id;
	layer.name = xstrdup(name);
	if (store_has_layer(store, diff_id))
		return 1;
	r = make_layer(&layer);
	if (r < 0)
		return fail(err, r, "make \"%s/%s\"", store->path, layer.name);
	*ret = layer;
	layer.name = NULL;
	return 0;
}

/* The layer is somewhere else by now, or nowhere. */
static void end_layer(struct store_layer *layer)
{
	layer->indexfd = fd_close(layer->indexfd);
	layer->rootfd = fd_close(layer->rootfd);
	layer->dirfd = fd_close(layer->dirfd);
	tmp_unlock(layer->store, layer->name, &layer->lockfd);
	free(take_ptr(&layer->name));
}

int store_layer_commit(struct store_layer *layer, struct error *err)
{
	const struct store *store = layer->store;
	char name[STORE_NAME_MAX];

	store_name("layers", &layer->diff_id, name);
	if (renameat(store->fd, layer->name, store->fd, name) < 0)
		return fail(err, -errno, "make \"%s/%s\"", store->path, name);
	end_layer(layer);
	return 0;
}

void store_layer_abort(struct store_layer *layer)
{
	if (!layer->name)
		return;
	/* What cannot be removed now, the next one who opens the store removes. */
	ignore(tree_remove(layer->store->fd, layer->name, NULL));
	end_layer(layer);
}
