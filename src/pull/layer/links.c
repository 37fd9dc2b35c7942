/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hard links of a layer.
 *
 * Theory of operation. A link's target is looked for in this layer alone, and linked without being
 * followed: so a link to a symbolic link is a second name of the link itself, and no content is
 * ever reached, written or changed through one. The metadata of the link's entry are not applied:
 * they are those of its target.
 *
 * A target that is not there may come later in the archive, or be in a layer below, which may not
 * be here yet, and may be another one in another image that has this layer too. So the link becomes
 * a whiteout and a line "u" of the index. At the layer's end those lines are read, and what can be
 * linked by then is linked; the others stay, for those who put the layers together.
 *
 * A link to a link that has not been made leads where that one leads: whoever puts the layers
 * together knows only what the layers below have under its name. For that the last ones are
 * remembered; layers with links to other layers are rare, and have few.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "berth/base/alloc.h"

#include "unpack-internal.h"

/* How often links to links to links … that all come before their targets are gone through. */
#define ROUNDS_MAX 16
/* How many links that have not been made are gone through; less than PARENTS_MAX. */
#define OPEN_MAX 8

/* Where a link leads to. */
struct target {
	const char *name;    /* last component */
	struct parent *at;   /* its directory; NULL: the target is not there */
	struct parent *kept; /* the directory, where a whiteout is in its place */
	struct stat st;
};

/* What parents_find() says where there is no such directory: also a link to itself may be in its
 * place, which came later than the entry. */
static bool is_nowhere(int r)
{
	return r == -ENOENT || r == -ENOTDIR || r == -ELOOP;
}

/* Finds @path (normalised, and cut apart in place). */
static int find_target(struct unpack *unpack, char *path, struct target *ret, struct error *err)
{
	char *slash = strrchr(path, '/');
	struct parent *parent;
	int r;

	if (slash)
		*slash = '\0';
	ret->name = slash ? slash + 1 : path;
	ret->at = ret->kept = NULL;
	r = parents_find(unpack, slash ? path : "", MISSING_REFUSE, &parent, err);
	if (slash)
		*slash = '/';
	if (is_nowhere(r)) {
		*err = (struct error)ERROR_NONE;
		return 0;
	}
	if (r < 0)
		return r;
	if (fstatat(parent->fd, ret->name, &ret->st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : fail(err, -errno, "look at \"%s\"", path);
	if (S_ISDIR(ret->st.st_mode))
		return refuse(err, "a hard link to \"%s\", which is a directory", path);
	if (whiteout_is(&ret->st))
		ret->kept = parent;
	else
		ret->at = parent;
	return 0;
}

static void note(struct unpack *unpack, char type, const struct place *place, const char *target,
		 const struct stat *st)
{
	const struct metadata metadata = {
		.uid = st->st_uid,
		.gid = st->st_gid,
		.mode = st->st_mode & 07777,
		.mtime = st->st_mtim,
	};

	unpack_note(unpack, type, place->path, target, &metadata);
}

/* *ret_path: where @name, in @directory, lies in the tree. */
static void name_place(const struct parent *directory, const char *name, struct buf *ret_path)
{
	ret_path->size = 0;
	if (*directory->path)
		buf_printf(ret_path, "%s/", directory->path);
	buf_add_string(ret_path, name);
}

/* Whether @place is a name of the target already: a second entry, or a link to itself. */
static bool is_made(const struct place *place, const struct target *target)
{
	struct stat st;

	return fstatat(place->parent->fd, place->name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       st.st_dev == target->st.st_dev && st.st_ino == target->st.st_ino;
}

static int try_link(const struct place *place, const struct target *target)
{
	return linkat(target->at->fd, target->name, place->parent->fd, place->name, 0) < 0 ? -errno
											   : 0;
}

static int make(struct unpack *unpack, const struct place *place, const struct target *target,
		struct error *err)
{
	_cleanup_buf_ struct buf path = BUF_EMPTY;
	int r = try_link(place, target);

	if (r == -EEXIST && is_made(place, target))
		return 0;
	if (r == -EEXIST) {
		r = place_clear(unpack, place, false, err);
		if (r < 0)
			return r;
		r = try_link(place, target);
	}
	if (r < 0)
		return fail(err, r, "link \"%s\" to \"%s\"", place->path, target->name);
	name_place(target->at, target->name, &path);
	note(unpack, 'h', place, path.data, &target->st);
	return 0;
}

/* The last one that was made at @path, or NULL. */
static const struct open_link *recall(const struct unpack *unpack, const char *path)
{
	for (size_t i = 1; i <= OPEN_LINKS_KEPT; i++) {
		size_t slot = (unpack->open_link_next + OPEN_LINKS_KEPT - i) % OPEN_LINKS_KEPT;
		const struct open_link *link = &unpack->open_links[slot];

		if (link->path && str_equal(link->path, path))
			return link;
	}
	return NULL;
}

static void forget(struct open_link *link)
{
	free(take_ptr(&link->path));
	free(take_ptr(&link->target));
}

void links_forget(struct unpack *unpack)
{
	for (size_t i = 0; i < OPEN_LINKS_KEPT; i++)
		forget(&unpack->open_links[i]);
}

static void remember(struct unpack *unpack, const char *path, const char *target)
{
	struct open_link *link = &unpack->open_links[unpack->open_link_next];

	unpack->open_link_next = (unpack->open_link_next + 1) % OPEN_LINKS_KEPT;
	forget(link);
	*link = (struct open_link){.path = xstrdup(path), .target = xstrdup(target)};
}

/* The target of the entry at hand, through links that have not been made. */
static int find_through(struct unpack *unpack, struct target *ret, struct error *err)
{
	_cleanup_buf_ struct buf path = BUF_EMPTY;
	int r = find_target(unpack, unpack->link.data, ret, err);

	for (unsigned i = 0; i < OPEN_MAX && r >= 0 && ret->kept; i++) {
		const struct open_link *link;

		name_place(ret->kept, ret->name, &path);
		link = recall(unpack, path.data);
		if (!link)
			return 0;
		unpack->link.size = 0;
		buf_add_string(&unpack->link, link->target);
		r = find_target(unpack, unpack->link.data, ret, err);
	}
	return r;
}

/* For link_finish(), and for those after it. */
static int defer(struct unpack *unpack, const struct place *place, const char *target,
		 struct error *err)
{
	static const struct stat nothing;
	int r = place_clear(unpack, place, false, err);

	if (r < 0)
		return r;
	r = whiteout_make(unpack, place);
	if (r < 0)
		return fail(err, r, "keep a place for the link \"%s\"", place->path);
	note(unpack, 'u', place, target, &nothing);
	remember(unpack, place->path, target);
	unpack->result.open_links++;
	return 0;
}

int link_unpack(struct unpack *unpack, const struct place *place, const struct tar_entry *entry,
		struct error *err)
{
	struct target target;
	int r = path_normalise(unpack, entry->target, &unpack->link, err);

	if (r >= 0 && !unpack->link.size)
		r = refuse(err, "a hard link to the root");
	if (r >= 0)
		r = find_through(unpack, &target, err);
	if (r < 0)
		return within(err, r, "\"%s\"", place->path);
	return target.at ? make(unpack, place, &target, err)
			 : defer(unpack, place, unpack->link.data, err);
}

/* What one round of link_finish() has found. */
struct round {
	struct unpack *unpack;
	uint64_t made, open;
};

/* The link of line @line, whose placeholder is at @place. */
static int retry(struct round *round, const struct place *place, const char *text,
		 struct error *err)
{
	struct unpack *unpack = round->unpack;
	struct target target;
	int r;

	unpack->link.size = 0;
	buf_add_string(&unpack->link, text);
	r = find_target(unpack, unpack->link.data, &target, err);
	if (r < 0)
		return within(err, r, "\"%s\"", place->path);
	round->open += !target.at;
	round->made += target.at != NULL;
	if (!target.at)
		return 0;
	if (unlinkat(place->parent->fd, place->name, 0) < 0)
		return fail(err, -errno, "remove what keeps the place of \"%s\"", place->path);
	return make(unpack, place, &target, err);
}

static int retry_line(void *context, const struct index_entry *line, struct error *err)
{
	struct round *round = context;
	const char *slash = strrchr(line->path, '/');
	struct place place = {.name = slash ? slash + 1 : line->path, .path = line->path};
	_cleanup_free_ char *directory = NULL;
	struct stat st;
	int r;

	if (line->type != 'u')
		return 0;
	directory = xstrndup(line->path, slash ? (size_t)(slash - line->path) : 0);
	r = parents_find(round->unpack, directory, MISSING_REFUSE, &place.parent, err);
	if (r < 0 && !is_nowhere(r))
		return r;
	/* Something else has taken the place, or the link has been made. */
	if (r < 0 || !str_equal(place.parent->path, directory) ||
	    fstatat(place.parent->fd, place.name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !whiteout_is(&st)) {
		*err = (struct error)ERROR_NONE;
		return 0;
	}
	return retry(round, &place, line->target, err);
}

int link_finish(struct unpack *unpack, struct error *err)
{
	struct round round = {.unpack = unpack, .made = 1};

	if (!unpack->result.open_links)
		return 0;
	for (unsigned i = 0; i < ROUNDS_MAX && round.made; i++) {
		int r = index_writer_flush(unpack->index, err);

		round.made = round.open = 0;
		if (r >= 0)
			r = index_read(unpack->indexfd, retry_line, &round, err);
		if (r < 0)
			return r;
	}
	unpack->result.open_links = round.open;
	return 0;
}
