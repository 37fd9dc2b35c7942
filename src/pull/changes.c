/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a layer changes.
 *
 * Theory of operation. The index says which paths a layer has, the trees say what is there: that of
 * the layer itself what became of each path in the end, those below it whether the path was there
 * before. The layers below are asked one after the other from the top, until one has the path, or
 * hides it from those below: by a whiteout or something else that is no directory on the way to it,
 * or by a directory on the way that is opaque.
 */
#include "changes.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/xattr.h>

#include "berth/base/alloc.h"
#include "berth/base/fd.h"
#include "berth/base/proc.h"
#include "berth/base/root.h"
#include "berth/base/str.h"

#include "layer/index_once.h"

#include "changes-internal.h"

const char *const change_names[CHANGE_MAX] = {
	[CHANGE_ADDED] = "added",
	[CHANGE_CHANGED] = "changed",
	[CHANGE_HIDDEN] = "hidden",
};

struct layer_stack *layer_stack_new(void)
{
	return xcalloc(1, sizeof(struct layer_stack));
}

static void layer_close(struct layer *layer)
{
	layer->rootfd = fd_close(layer->rootfd);
	layer->indexfd = fd_close(layer->indexfd);
}

struct layer_stack *layer_stack_free(struct layer_stack *stack)
{
	for (size_t i = 0; stack && i < stack->count; i++)
		layer_close(&stack->layers[i]);
	if (stack)
		free(stack->layers);
	free(stack);
	return NULL;
}

int layer_look(const struct layer *layer, const char *path, struct stat *ret)
{
	_cleanup_fd_ int fd =
		root_try_open(layer->rootfd, path, ROOT_NO_SYMLINKS, O_PATH | O_NOFOLLOW);

	if (fd == -ENOENT)
		return 0;
	if (fd == -ELOOP)
		return -ENOTDIR;
	if (fd < 0)
		return fd;
	return fstat(fd, ret) < 0 ? -errno : 1;
}

static bool is_opaque(const struct layer *layer, const char *path)
{
	static const char *const names[] = {"trusted.overlay.opaque", "user.overlay.opaque"};
	_cleanup_fd_ int fd =
		root_try_open(layer->rootfd, path, ROOT_NO_SYMLINKS, O_PATH | O_DIRECTORY);
	char proc[FD_PATH_MAX], value;

	if (fd < 0)
		return false;
	fd_path(fd, proc); /* fgetxattr(2) takes no O_PATH descriptor */
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (getxattr(proc, names[i], &value, 1) == 1 && value == 'y')
			return true;
	}
	return false;
}

/* Whether a directory on the way to @path, the root included, hides it from the layers below. */
static bool is_way_opaque(const struct layer *layer, const char *path)
{
	_cleanup_free_ char *way = xstrdup(path);

	if (!layer->has_opaque)
		return false;
	for (char *slash; (slash = strrchr(way, '/'));) {
		*slash = '\0';
		if (is_opaque(layer, way))
			return true;
	}
	return *path && is_opaque(layer, "");
}

int layer_stack_look(const struct layer_stack *stack, const char *path, struct stat *ret)
{
	for (size_t i = stack->count; i-- > 0;) {
		const struct layer *layer = &stack->layers[i];
		int r = layer_look(layer, path, ret);

		if (r > 0)
			return is_whiteout(ret) ? 0 : (int)i + 1;
		if (r == -ENOTDIR)
			return 0;
		if (r < 0)
			return r;
		if (is_way_opaque(layer, path))
			return 0;
	}
	return 0;
}

static int tell(struct pushing *pushing, enum change change, const char *path, uint64_t bytes,
		struct error *err)
{
	int r = pushing->each ? pushing->each(pushing->context, change, path, err) : 0;

	pushing->changes->count[change]++;
	pushing->changes->bytes[change] += bytes;
	/* The path is done with. */
	return r < 0 ? r : 1;
}

uint64_t layer_bytes(const struct index_entry *entry, const struct stat *st)
{
	/* The other names of a file are for free. */
	return S_ISREG(st->st_mode) && entry->type != 'h' ? (uint64_t)st->st_size : 0;
}

static bool is_same_directory(const struct stat *a, const struct stat *b)
{
	return S_ISDIR(a->st_mode) && S_ISDIR(b->st_mode) && a->st_mode == b->st_mode &&
	       a->st_uid == b->st_uid && a->st_gid == b->st_gid;
}

/* A path that the layer has, and the layers below have had. */
static int take_former(struct pushing *pushing, const struct index_entry *entry,
		       const struct stat *now, const struct stat *before, struct error *err)
{
	int r = 0;

	/* One that is implied has no metadata of its own; a later line may give it some. */
	if (entry->type == 'i' && S_ISDIR(before->st_mode))
		return 0;
	if (is_same_directory(now, before))
		return 1;
	if (S_ISDIR(before->st_mode) && !S_ISDIR(now->st_mode))
		r = hidden_add(pushing, entry->path, err);
	return r < 0 ? r : tell(pushing, CHANGE_CHANGED, entry->path, layer_bytes(entry, now), err);
}

/* A path that the layer has. */
static int take_entry(struct pushing *pushing, const struct index_entry *entry,
		      const struct stat *now, struct error *err)
{
	struct stat before;
	int r;

	/* There is a root without any layer. */
	if (!*entry->path && !pushing->stack->count)
		return 1;
	r = layer_stack_look(pushing->stack, entry->path, &before);
	if (r < 0)
		return fail(err, r, "look for \"%s\" in the layers below", entry->path);
	return r ? take_former(pushing, entry, now, &before, err)
		 : tell(pushing, CHANGE_ADDED, entry->path, layer_bytes(entry, now), err);
}

static int take_whiteout(struct pushing *pushing, const struct index_entry *entry,
			 struct error *err)
{
	struct stat before;
	int r = layer_stack_look(pushing->stack, entry->path, &before), found = r;

	if (r >= 0 && found && S_ISDIR(before.st_mode))
		r = hidden_add(pushing, entry->path, err);
	else if (r < 0)
		r = fail(err, r, "look for \"%s\" in the layers below", entry->path);
	if (r < 0)
		return r;
	/* A hard link to what a layer below has. */
	if (entry->type == 'u')
		return tell(pushing, found ? CHANGE_CHANGED : CHANGE_ADDED, entry->path, 0, err);
	return found ? tell(pushing, CHANGE_HIDDEN, entry->path, layer_bytes(entry, &before), err)
		     : 1;
}

static int take_line(void *context, const struct index_entry *entry, struct error *err)
{
	struct pushing *pushing = context;
	struct stat now;
	int r;

	if (entry->type == 'o')
		return 0;
	r = layer_look(&pushing->layer, entry->path, &now);
	/* Another line has replaced it. */
	if (r == 0 || r == -ENOTDIR)
		return 0;
	if (r < 0)
		return fail(err, r, "look for \"%s\"", entry->path);
	if (is_whiteout(&now))
		return entry->type == 'w' || entry->type == 'u' ? take_whiteout(pushing, entry, err)
								: 0;
	return take_entry(pushing, entry, &now, err);
}

/* Directories that hide what was in them. */
static int take_opaque(void *context, const struct index_entry *entry, struct error *err)
{
	struct pushing *pushing = context;
	_cleanup_free_ char *inside = NULL;
	struct stat before;
	int r;

	if (entry->type != 'o' || !is_opaque(&pushing->layer, entry->path))
		return 0;
	pushing->layer.has_opaque = true;
	r = layer_stack_look(pushing->stack, entry->path, &before);
	if (r < 0)
		return fail(err, r, "look for \"%s\" in the layers below", entry->path);
	if (r == 0 || !S_ISDIR(before.st_mode))
		return 1;
	r = hidden_add(pushing, entry->path, err);
	if (r < 0)
		return r;
	inside = xasprintf("%s%s*", entry->path, *entry->path ? "/" : "");
	return tell(pushing, CHANGE_HIDDEN, inside, 0, err);
}

static int push(struct pushing *pushing, struct error *err)
{
	int indexfd = pushing->layer.indexfd;
	int r = index_read_once(indexfd, take_opaque, pushing, err);

	if (r >= 0)
		r = index_read_once(indexfd, take_line, pushing, err);
	return r < 0 ? r : hidden_settle(pushing, err);
}

int layer_stack_push(struct layer_stack *stack, int layerfd,
		     int (*each)(void *context, enum change change, const char *path,
				 struct error *err),
		     void *context, struct changes *ret, struct error *err)
{
	_cleanup_fd_ int rootfd = openat(layerfd, "fs", O_PATH | O_DIRECTORY | O_CLOEXEC);
	_cleanup_fd_ int indexfd = index_open(layerfd, err);
	struct pushing pushing = {.stack = stack,
				  .layer = {.rootfd = rootfd, .indexfd = indexfd},
				  .each = each,
				  .context = context,
				  .changes = ret,
				  .hidden = path_set_new()};
	int r = indexfd;

	*ret = (struct changes){.count = {0}};
	if (r >= 0 && rootfd < 0)
		r = refuse_as(err, -ENOENT, "the layer has no tree (see berth-pull fsck --repair)");
	if (r >= 0)
		r = push(&pushing, err);
	path_set_free(pushing.hidden);
	if (r < 0)
		return r;
	if (stack->count == stack->room) {
		stack->room = 2 * stack->room + 8;
		stack->layers = xrealloc(stack->layers, stack->room, sizeof(*stack->layers));
	}
	stack->layers[stack->count++] = (struct layer){.rootfd = take_fd(&rootfd),
						       .indexfd = take_fd(&indexfd),
						       .has_opaque = pushing.layer.has_opaque};
	return 0;
}
