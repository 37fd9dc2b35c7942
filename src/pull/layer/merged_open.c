/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening what a container would see, by looking through the layers.
 *
 * Theory of operation. The layers are hostile, but at rest. A path is resolved one component after
 * the other, so that each layer is only ever asked for a path that has no symbolic link in it, and
 * refuses one (RESOLVE_NO_SYMLINKS). What a link says is put in front of what is left of the path,
 * and begins at the root of the merged tree again. A place is a path and the numbers of the layers
 * that have it, not descriptors: an image may have 500 layers.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "berth/base/alloc.h"
#include "berth/base/fd.h"
#include "berth/base/root.h"
#include "berth/base/str.h"

#include "merged-internal.h"

#define LINKS_MAX  40	/* as the kernel */
#define TARGET_MAX 4096 /* of a symbolic link, its NUL included */

void merged_place_done(struct merged_place *place)
{
	free(place->path);
	free(place->layers);
	*place = (struct merged_place)MERGED_NOWHERE;
}

/* Moves what @from has to @to. */
static void place_move(struct merged_place *to, struct merged_place *from)
{
	merged_place_done(to);
	*to = *from;
	*from = (struct merged_place)MERGED_NOWHERE;
}

/* A walk through the tree: where it is, and what is left of the path. */
struct walk {
	const struct merged *merged;
	struct merged_place here;
	char *rest; /* owned */
	unsigned links;
	bool keeps_last; /* a link at the end is what is looked for */
};

static void walk_done(struct walk *walk)
{
	merged_place_done(&walk->here);
	free(walk->rest);
}
#define _cleanup_walk_ __attribute__((cleanup(walk_done)))

int merged_open_in(const struct merged *merged, size_t layer, const char *path, int flags)
{
	_cleanup_free_ char *beneath = xasprintf("fs/%s", path);

	return root_try_open(merged->layers[layer], beneath, ROOT_NO_SYMLINKS, flags);
}

int merged_is_opaque(const struct merged *merged, size_t layer, const char *path)
{
	const char *name =
		merged->user_namespace ? "user.overlay.opaque" : "trusted.overlay.opaque";
	_cleanup_fd_ int fd = merged_open_in(merged, layer, path, O_RDONLY | O_DIRECTORY);
	char value = '\0';

	if (fd < 0)
		return fd;
	return fgetxattr(fd, name, &value, sizeof(value)) == 1 && value == 'y';
}

/* 0: there is no such name in this layer. Otherwise 1, and *ret is filled. */
static int look(const struct merged *merged, size_t layer, const char *path, struct stat *ret)
{
	_cleanup_fd_ int fd = merged_open_in(merged, layer, path, O_PATH | O_NOFOLLOW);

	if (fd == -ENOENT)
		return 0;
	if (fd < 0)
		return fd;
	return fstat(fd, ret) < 0 ? -errno : 1;
}

/* Adds what one layer has. Returns 1 if the layers below count as well, 0 if not. */
static int add_layer(const struct merged *merged, size_t layer, struct merged_place *ret)
{
	struct stat st;
	int r = look(merged, layer, ret->path, &st);

	if (r <= 0)
		return r < 0 ? r : 1;
	if (S_ISCHR(st.st_mode) && st.st_rdev == 0)
		return 0;
	/* A file below a directory is hidden by it. */
	if (ret->count > 0 && !S_ISDIR(st.st_mode))
		return 0;
	if (ret->count == 0)
		ret->mode = st.st_mode;
	ret->layers[ret->count++] = layer;
	if (!S_ISDIR(st.st_mode))
		return 0;
	r = merged_is_opaque(merged, layer, ret->path);
	return r < 0 ? r : !r;
}

static int go_to_root(struct walk *walk)
{
	const struct merged *merged = walk->merged;
	struct merged_place *here = &walk->here;
	int r = 1;

	merged_place_done(here);
	here->path = xstrdup(".");
	here->layers = xcalloc(merged->count + 1, sizeof(*here->layers));
	here->mode = S_IFDIR;
	for (size_t i = merged->count; r > 0 && i-- > 0;)
		r = add_layer(merged, i, here);
	return r < 0 ? r : 0;
}

int merged_place_in(const struct merged *merged, const struct merged_place *dir, const char *name,
		    struct merged_place *ret)
{
	int r = 1;

	ret->path = str_equal(dir->path, ".") ? xstrdup(name) : xasprintf("%s/%s", dir->path, name);
	ret->layers = xcalloc(dir->count + 1, sizeof(*ret->layers));
	for (size_t i = 0; r > 0 && i < dir->count; i++)
		r = add_layer(merged, dir->layers[i], ret);
	if (r < 0)
		return r;
	return ret->count > 0 ? 0 : -ENOENT;
}

/* Goes to the directory that holds the one where the walk is, down from the root. */
static int go_up(struct walk *walk)
{
	_cleanup_free_ char *path = xstrdup(walk->here.path);
	char *end = strrchr(path, '/');
	int r = go_to_root(walk);

	*(end ? end : path) = '\0';
	for (const char *rest = path; r >= 0 && *rest;) {
		_cleanup_merged_place_ struct merged_place next = MERGED_NOWHERE;
		const size_t length = strcspn(rest, "/");
		_cleanup_free_ char *name = xstrndup(rest, length);

		r = merged_place_in(walk->merged, &walk->here, name, &next);
		place_move(&walk->here, &next);
		rest += length + (rest[length] == '/');
	}
	return r;
}

/* Puts what the link says before the rest of the path. */
static int follow(struct walk *walk, const struct merged_place *link)
{
	_cleanup_fd_ int fd =
		merged_open_in(walk->merged, link->layers[0], link->path, O_PATH | O_NOFOLLOW);
	char target[TARGET_MAX], *rest;
	ssize_t length;

	if (fd < 0)
		return fd;
	length = readlinkat(fd, "", target, sizeof(target) - 1);
	if (length < 0)
		return -errno;
	target[length] = '\0';
	if (++walk->links > LINKS_MAX)
		return -ELOOP;
	rest = xasprintf("%s/%s", target, walk->rest);
	free(walk->rest);
	walk->rest = rest;
	return target[0] == '/' ? go_to_root(walk) : 0;
}

static int step(struct walk *walk, const char *name)
{
	_cleanup_merged_place_ struct merged_place next = MERGED_NOWHERE;
	int r;

	if (!S_ISDIR(walk->here.mode))
		return -ENOTDIR;
	if (str_equal(name, "."))
		return 0;
	if (str_equal(name, ".."))
		return go_up(walk);
	r = merged_place_in(walk->merged, &walk->here, name, &next);
	if (r < 0)
		return r;
	if (S_ISLNK(next.mode) && !(walk->keeps_last && !walk->rest[0]))
		return follow(walk, &next);
	place_move(&walk->here, &next);
	return 0;
}

/* Walks one component on. */
static int walk_on(struct walk *walk)
{
	char *path = walk->rest + strspn(walk->rest, "/");
	const size_t length = strcspn(path, "/");
	_cleanup_free_ char *name = xstrndup(path, length);
	char *rest = xstrdup(path + length);

	free(walk->rest);
	walk->rest = rest;
	return length > 0 ? step(walk, name) : 0;
}

int merged_place_find(const struct merged *merged, const char *path, bool keeps_last,
		      struct merged_place *ret)
{
	_cleanup_walk_ struct walk walk = {
		.merged = merged,
		.here = MERGED_NOWHERE,
		.rest = xstrdup(path),
		.keeps_last = keeps_last,
	};
	int r = go_to_root(&walk);

	while (r >= 0 && walk.rest[0])
		r = walk_on(&walk);
	if (r >= 0)
		place_move(ret, &walk.here);
	return r;
}

int merged_open(const struct merged *merged, const char *path, int flags)
{
	_cleanup_merged_place_ struct merged_place place = MERGED_NOWHERE;
	int r = merged_place_find(merged, path, flags & O_NOFOLLOW, &place);

	if (r < 0)
		return r;
	/* The root of an image without layers. */
	if (place.count == 0)
		return -ENOENT;
	return merged_open_in(merged, place.layers[0], place.path, flags);
}
