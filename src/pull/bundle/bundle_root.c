/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The root of a bundle: the stored layers as an overlay, which berth mounts when it starts the
 * container, with a writable layer in the bundle.
 *
 * What the layers alone would show wrongly is put right in the writable layer (layer/merged.h): the
 * root of an overlay, for one, has the metadata of the upper directory.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "berth/base/fd.h"

#include "layer/flat.h"

#include "bundle-internal.h"

/* What the kernel stacks at most. */
#define LOWER_MAX 500

int bundle_layers_open(const struct store *store, const struct image_config *image,
		       bool user_namespace, struct bundle_layers *ret, struct error *err)
{
	*ret = (struct bundle_layers){.fds = xcalloc(image->diff_id_count + 1, sizeof(int))};
	for (; ret->count < image->diff_id_count; ret->count++) {
		const struct digest *diff_id = &image->diff_ids[ret->count];
		int fd;

		if (!store_has_layer(store, diff_id))
			return refuse_as(err, -ENOENT,
					 "layer %s is not there, or was damaged when the power "
					 "went: pull the image again",
					 diff_id->hex);
		fd = store_layer_open(store, diff_id, err);
		if (fd < 0)
			return fd;
		ret->fds[ret->count] = fd;
	}
	ret->merged = (struct merged){
		.layers = ret->fds, .count = ret->count, .user_namespace = user_namespace};
	return 0;
}

void bundle_layers_close(struct bundle_layers *layers)
{
	for (size_t i = 0; i < layers->count; i++)
		fd_close(layers->fds[i]);
	free(layers->fds);
}

/* A layer that occurs again further up makes no difference below; overlayfs takes none twice. */
static bool occurs_above(const struct image_config *image, size_t i)
{
	for (size_t above = i + 1; above < image->diff_id_count; above++) {
		if (digest_equal(&image->diff_ids[i], &image->diff_ids[above]))
			return true;
	}
	return false;
}

static void add_lower(struct buf *list, const char *path)
{
	if (list->size > 0)
		buf_add_char(list, ':');
	for (; *path; path++) {
		if (*path == ':' || *path == '\\')
			buf_add_char(list, '\\');
		buf_add_char(list, *path);
	}
}

/* The value of org.berth.overlay.lower, the top layer first. */
static int list_lower(struct bundle_work *work, struct error *err)
{
	const struct image_config *image = work->image;
	const size_t bottom = merged_bottom(&work->layers->merged);
	_cleanup_buf_ struct buf list = BUF_EMPTY;
	size_t count = 0;

	for (size_t i = image->diff_id_count; i-- > bottom;) {
		_cleanup_free_ char *path = NULL;

		if (occurs_above(image, i))
			continue;
		path = store_layer_path(work->store, &image->diff_ids[i]);
		if (!bundle_is_utf8(path))
			return refuse(err,
				      "the store's path \"%s\" is not UTF-8, as config.json "
				      "must be; --flat does without it",
				      path);
		add_lower(&list, path);
		count++;
	}
	if (count > LOWER_MAX)
		return refuse(
			err,
			"the image has %zu layers, the kernel stacks %d at most; --flat makes "
			"one tree of them",
			count, LOWER_MAX);
	work->lower = arena_strdup(work->arena, list.data);
	return 0;
}

static int make_directory(int bundlefd, const char *name, mode_t mode, struct error *err)
{
	int fd;

	if (mkdirat(bundlefd, name, mode) < 0)
		return fail(err, -errno, "make the directory \"%s\"", name);
	fd = openat(bundlefd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? fail(err, -errno, "open \"%s\"", name) : fd;
}

int bundle_root_make(struct bundle_work *work, struct error *err)
{
	const struct bundle_plan *plan = work->plan;
	const struct merged *merged = &work->layers->merged;
	_cleanup_fd_ int root = make_directory(work->fd, "rootfs", 0755, err);
	_cleanup_fd_ int upper = -EBADF, scratch = -EBADF;
	int r;

	if (root < 0)
		return root;
	if (plan->options->flat)
		return flat_make(merged, root, work->store->cancelled, err);
	/* Of an image without layers there is nothing to stack. */
	if (work->image->diff_id_count == 0)
		return 0;
	r = list_lower(work, err);
	if (r < 0)
		return r;
	upper = make_directory(work->fd, "upper", 0755, err);
	if (upper < 0)
		return upper;
	scratch = make_directory(work->fd, "work", 0700, err);
	if (scratch < 0)
		return scratch;
	return merged_prepare_upper(merged, upper, plan->map_layers ? &plan->uids : NULL,
				    plan->map_layers ? &plan->gids : NULL, err);
}
