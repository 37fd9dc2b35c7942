/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The directories that entries go into: found, made where they are missing, and kept open.
 *
 * Theory of operation. Most entries lie in the directory of the one before, so that finding it
 * costs nothing. Otherwise one openat2(2) that refuses symbolic links opens it. Only where that
 * fails the path is walked: each component is opened beneath the descriptor of the one before,
 * never following; a symbolic link of this layer is read, and its text walked in its turn, where
 * "/" and ".." end at the layer's root. So a name that an attacker changes under our hands leads
 * from a directory of this tree to another one of this tree, or to an error, and nowhere else.
 *
 * What is missing is made: also what a dangling link names, since the layers below may have it.
 * Such directories are implied: the layer does not describe them.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "berth/base/alloc.h"
#include "berth/base/root.h"

#include "unpack-internal.h"

#define PARENT_OPEN_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#define LINKS_MAX	  40   /* as the kernel */
#define PATH_SIZE	  4096 /* of any path, its NUL included: limits.h of the kernel */

/* A walk: where it is, and what is left of the path. */
struct walk {
	struct unpack *unpack;
	enum missing missing;
	const char *asked; /* for messages */
	int fd;
	struct buf path; /* of @fd, without links; data is never NULL */
	uint64_t depth;
	char *rest; /* owned */
	unsigned links;
};

static void walk_done(struct walk *walk)
{
	fd_close(walk->fd);
	buf_done(&walk->path);
	free(walk->rest);
}
#define _cleanup_walk_ __attribute__((cleanup(walk_done)))

/* To a directory that has no link in its path, from the root. */
static int restart(struct walk *walk, const char *path, struct error *err)
{
	int fd = root_try_open(walk->unpack->rootfd, path, ROOT_NO_SYMLINKS, PARENT_OPEN_FLAGS);

	if (fd < 0)
		return fail(err, fd, "open \"%s\"", walk->asked);
	fd_close(walk->fd);
	walk->fd = fd;
	walk->path.size = 0;
	buf_add_string(&walk->path, path);
	walk->depth = *path ? 1 : 0;
	for (const char *at = path; *at; at++)
		walk->depth += *at == '/';
	return 0;
}

static int go_up(struct walk *walk, struct error *err)
{
	char *slash = walk->path.size ? strrchr(walk->path.data, '/') : NULL;
	_cleanup_free_ char *above =
		slash ? xstrndup(walk->path.data, (size_t)(slash - walk->path.data)) : xstrdup("");

	return restart(walk, above, err);
}

/* Into the directory @fd (taken over), which is called @name. */
static int go_down(struct walk *walk, int fd, const char *name, struct error *err)
{
	const struct limits *limits = walk->unpack->options->limits;

	fd_close(walk->fd);
	walk->fd = fd;
	if (walk->path.size > 0)
		buf_add_char(&walk->path, '/');
	buf_add_string(&walk->path, name);
	if (walk->path.size >= PATH_SIZE)
		return fail(err, -ENAMETOOLONG, "open \"%s\"", walk->asked);
	if (++walk->depth > limits->path_depth)
		return refuse(err, "\"%s\" lies deeper than %llu director%s (--max-depth)",
			      walk->asked, (unsigned long long)limits->path_depth,
			      limits->path_depth == 1 ? "y" : "ies");
	return 0;
}

static bool has_default_acl(const struct unpack *unpack, int fd)
{
	return unpack->default_acls && fgetxattr(fd, "system.posix_acl_default", NULL, 0) > 0;
}

/* Makes the directory @name, and goes into it. @alone: it hides what is below. */
static int make_implied(struct walk *walk, const char *name, bool alone, struct error *err)
{
	static const struct metadata metadata = METADATA_IMPLIED;
	struct unpack *unpack = walk->unpack;
	bool inherits = has_default_acl(unpack, walk->fd);
	int fd, r = unpack_count(unpack, err);

	if (r < 0)
		return r;
	if (mkdirat(walk->fd, name, 0755) < 0)
		return fail(err, -errno, "make the directory \"%s\" of \"%s\"", name, walk->asked);
	fd = openat(walk->fd, name, PARENT_OPEN_FLAGS);
	if (fd < 0)
		return fail(err, -errno, "open the directory \"%s\" of \"%s\"", name, walk->asked);
	r = go_down(walk, fd, name, err);
	if (r >= 0)
		r = metadata_own(fd, &metadata, inherits, walk->path.data, err);
	if (r < 0)
		return r;
	/* One that takes a whiteout's place has nothing below it that could describe it. */
	unpack_note(unpack, alone ? 'd' : 'i', walk->path.data, NULL, &metadata);
	if (alone)
		return whiteout_make_opaque(unpack, fd, walk->path.data, err);
	path_set_add(unpack->implied, walk->path.data);
	if (path_set_count(unpack->implied) > IMPLIED_MAX)
		return refuse(err, "more than %u directories have no entry of their own",
			      IMPLIED_MAX);
	return 0;
}

/* Puts what the link @name says in front of what is left. */
static int follow(struct walk *walk, const char *name, struct error *err)
{
	char target[PATH_SIZE], *rest;
	ssize_t size = readlinkat(walk->fd, name, target, sizeof(target) - 1);

	if (size < 0)
		return fail(err, -errno, "read the link \"%s\" of \"%s\"", name, walk->asked);
	if (++walk->links > LINKS_MAX)
		return fail(err, -ELOOP, "open \"%s\"", walk->asked);
	target[size] = '\0';
	rest = xasprintf("%s/%s", target, walk->rest);
	free(walk->rest);
	walk->rest = rest;
	return target[0] == '/' ? restart(walk, "", err) : 0;
}

/* @name is no directory that is there. */
static int enter_other(struct walk *walk, const char *name, struct error *err)
{
	struct stat st;
	bool is_there = fstatat(walk->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;

	if (!is_there && errno != ENOENT)
		return fail(err, -errno, "open \"%s\" of \"%s\"", name, walk->asked);
	if (is_there && S_ISLNK(st.st_mode))
		return follow(walk, name, err);
	if (walk->missing == MISSING_REFUSE)
		return fail(err, is_there && !whiteout_is(&st) ? -ENOTDIR : -ENOENT, "open \"%s\"",
			    walk->asked);
	if (is_there && !whiteout_is(&st))
		return fail(err, -ENOTDIR, "make the directory \"%s\" (\"%s\" is in the way)",
			    walk->asked, name);
	if (is_there && unlinkat(walk->fd, name, 0) < 0)
		return fail(err, -errno, "remove \"%s\" of \"%s\"", name, walk->asked);
	return make_implied(walk, name, is_there, err);
}

/* One component. */
static int enter(struct walk *walk, const char *name, struct error *err)
{
	int fd;

	if (str_equal(name, "") || str_equal(name, "."))
		return 0;
	if (str_equal(name, ".."))
		return go_up(walk, err);
	fd = openat(walk->fd, name, PARENT_OPEN_FLAGS);
	if (fd >= 0)
		return go_down(walk, fd, name, err);
	return enter_other(walk, name, err);
}

static int walk_on(struct walk *walk, struct error *err)
{
	const size_t length = strcspn(walk->rest, "/");
	_cleanup_free_ char *name = xstrndup(walk->rest, length);
	const char *rest = walk->rest + length;

	memmove(walk->rest, rest + strspn(rest, "/"), strlen(rest + strspn(rest, "/")) + 1);
	return enter(walk, name, err);
}

static void forget(struct parent *parent)
{
	parent->fd = fd_close(parent->fd);
	free(parent->name);
	free(parent->path);
	parent->name = parent->path = NULL;
}

void parents_close(struct unpack *unpack)
{
	for (size_t i = 0; i < PARENTS_MAX; i++)
		forget(&unpack->parents[i]);
	unpack->parents_stale = false;
}

/* The slot that was used longest ago, emptied. */
static struct parent *oldest(struct unpack *unpack)
{
	struct parent *found = unpack->parents;

	for (size_t i = 1; i < PARENTS_MAX && found->fd >= 0; i++) {
		struct parent *other = &unpack->parents[i];

		if (other->fd < 0 || other->used < found->used)
			found = other;
	}
	forget(found);
	return found;
}

static struct parent *keep(struct unpack *unpack, int fd, const char *name, const char *path)
{
	struct parent *parent = oldest(unpack);

	*parent = (struct parent){
		.fd = fd,
		.name = xstrdup(name),
		.path = xstrdup(path),
		.used = ++unpack->uses,
		.inherits = has_default_acl(unpack, fd),
	};
	return parent;
}

struct parent *parents_add(struct unpack *unpack, const struct place *place, int fd)
{
	_cleanup_free_ char *name = NULL;

	/* What is kept by a name that leads through links is found by that name again. */
	name = *place->parent->name ? xasprintf("%s/%s", place->parent->name, place->name)
				    : xstrdup(place->name);
	return keep(unpack, fd, name, place->path);
}

static struct parent *recall(struct unpack *unpack, const char *name)
{
	if (!*name)
		return &unpack->root;
	for (size_t i = 0; i < PARENTS_MAX; i++) {
		struct parent *parent = &unpack->parents[i];

		if (parent->fd >= 0 && str_equal(parent->name, name)) {
			parent->used = ++unpack->uses;
			return parent;
		}
	}
	return NULL;
}

int parents_find(struct unpack *unpack, const char *name, enum missing missing, struct parent **ret,
		 struct error *err)
{
	_cleanup_walk_ struct walk walk = {
		.unpack = unpack, .missing = missing, .asked = name, .fd = -EBADF};
	int fd, r;

	if (unpack->parents_stale)
		parents_close(unpack);
	*ret = recall(unpack, name);
	if (*ret)
		return 0;
	fd = root_try_open(unpack->rootfd, name, ROOT_NO_SYMLINKS, PARENT_OPEN_FLAGS);
	if (fd >= 0) {
		*ret = keep(unpack, fd, name, name);
		return 0;
	}
	walk.rest = xstrdup(name);
	r = restart(&walk, "", err);
	while (r >= 0 && *walk.rest)
		r = walk_on(&walk, err);
	if (r < 0)
		return r;
	*ret = keep(unpack, take_fd(&walk.fd), name, walk.path.data);
	return 0;
}
