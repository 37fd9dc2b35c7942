/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an overlay of the layers shows wrongly, put right in its upper directory.
 *
 * Theory of operation. An overlay shows a directory with the metadata of the highest layer that has
 * it. If that layer only implies it (it has something in the directory, and no entry for the
 * directory itself), they are made up; those that the image means are in the next layer below that
 * describes the directory, if nothing in between hides it. The upper directory gets such
 * directories with the right metadata, and the overlay shows those. It gets the root in any case.
 *
 * A hard link to what only another layer has is a whiteout in the layer's tree and a line "u" of
 * its index. Where it shows, the upper directory gets a copy of what it leads to in the layers
 * below. It is no second name of the same file: overlayfs has no such thing across layers.
 *
 * Normal images have few of both, so the layers are asked path by path; how many there may be is
 * bounded, since they are remembered.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "berth/base/alloc.h"
#include "berth/base/fd.h"
#include "berth/base/proc.h"
#include "berth/base/root.h"
#include "berth/base/str.h"

#include "common/path_set.h"

#include "copy.h"
#include "index.h"
#include "merged-internal.h"

#define IMPLIED_MAX    (1u << 18) /* of all layers; see also unpack-internal.h */
#define OPEN_LINKS_MAX 4096
#define NO_LAYER       SIZE_MAX

/* A hard link to what another layer has. */
struct open_link {
	size_t layer;
	char *path, *target;
};

struct upper {
	const struct merged *merged;
	int fd;
	struct copy copy;
	struct path_set **implied; /* of each layer */
	bool *has_opaque;	   /* the layer has opaque directories */
	size_t implied_count;
	struct open_link *links;
	size_t link_count;
	size_t layer; /* whose index is read */
};

static void upper_done(struct upper *upper)
{
	for (size_t i = 0; i < upper->merged->count; i++)
		path_set_free(upper->implied[i]);
	for (size_t i = 0; i < upper->link_count; i++) {
		free(upper->links[i].path);
		free(upper->links[i].target);
	}
	free(upper->implied);
	free(upper->has_opaque);
	free(upper->links);
	copier_done(&upper->copy.copier);
}

size_t merged_bottom(const struct merged *merged)
{
	for (size_t i = merged->count; i-- > 0;)
		if (merged_is_opaque(merged, i, "") > 0)
			return i;
	return 0;
}

/* What one layer says about a path. */
enum view {
	VIEW_NOTHING, /* the layers below count */
	VIEW_HIDDEN,  /* neither this layer nor those below show anything there */
	VIEW_DIRECTORY,
	VIEW_OTHER /* a file, a whiteout … */
};

/* Whether a directory above @path is opaque in this layer. */
static bool is_covered(const struct upper *upper, size_t layer, const char *path)
{
	_cleanup_free_ char *above = xstrdup(path);

	if (!upper->has_opaque[layer])
		return false;
	for (char *slash = above + strlen(above); slash != above;) {
		slash = strrchr(above, '/');
		slash = slash ? slash : above;
		*slash = '\0';
		if (merged_is_opaque(upper->merged, layer, above) > 0)
			return true;
	}
	return false;
}

static int look(const struct upper *upper, size_t layer, const char *path, enum view *ret)
{
	_cleanup_fd_ int fd = merged_open_in(upper->merged, layer, path, O_PATH | O_NOFOLLOW);
	struct stat st;

	if (fd == -ENOTDIR || fd == -ELOOP) {
		*ret = VIEW_HIDDEN;
		return 0;
	}
	if (fd == -ENOENT) {
		*ret = is_covered(upper, layer, path) ? VIEW_HIDDEN : VIEW_NOTHING;
		return 0;
	}
	if (fd < 0 || fstat(fd, &st) < 0)
		return fd < 0 ? fd : -errno;
	*ret = S_ISDIR(st.st_mode) ? VIEW_DIRECTORY : VIEW_OTHER;
	return 0;
}

/*
 * Finds the directory @path in the merged tree: *ret_top, the highest layer that has it, and
 * *ret_source, the one that describes it; both NO_LAYER where there is none.
 */
static int find_directory(const struct upper *upper, const char *path, size_t *ret_top,
			  size_t *ret_source, struct error *err)
{
	*ret_top = *ret_source = NO_LAYER;
	for (size_t i = upper->merged->count; i-- > 0;) {
		enum view view = VIEW_NOTHING;
		int r = look(upper, i, path, &view);

		if (r < 0)
			return fail(err, r, "look at \"%s\" of layer %zu", path, i + 1);
		if (view == VIEW_NOTHING)
			continue;
		if (view != VIEW_DIRECTORY)
			return 0;
		if (*ret_top == NO_LAYER)
			*ret_top = *ret_source = i;
		if (!path_set_has(upper->implied[i], path)) {
			*ret_source = i;
			return 0;
		}
		/* What is above it hides it in the layers below. */
		if (is_covered(upper, i, path))
			return 0;
	}
	return 0;
}

/* Gives the open directory @fd what describes @path. */
static int describe(struct upper *upper, int fd, const char *path, struct error *err)
{
	struct metadata metadata = METADATA_IMPLIED;
	_cleanup_fd_ int from = -EBADF;
	size_t top, source;
	struct stat st;
	int r = find_directory(upper, path, &top, &source, err);

	if (r < 0)
		return r;
	if (source != NO_LAYER) {
		from = merged_open_in(upper->merged, source, path, O_RDONLY | O_DIRECTORY);
		if (from < 0 || fstat(from, &st) < 0)
			return fail(err, from < 0 ? from : -errno, "open \"%s\"", path);
		r = copy_metadata(&upper->copy, &st, path, &metadata, err);
	}
	if (r >= 0)
		r = metadata_own(fd, &metadata, true, path, err);
	if (r >= 0 && source != NO_LAYER)
		r = xattrs_copy(from, fd, upper->copy.user_namespace, false, path, err);
	return r < 0 ? r : metadata_date(fd, &metadata, path, err);
}

/* The time of @fd as it was before something was put into it. */
static int restore_time(int fd, const struct stat *st, const char *path, struct error *err)
{
	const struct metadata metadata = {.mtime = st->st_mtim};

	return metadata_date(fd, &metadata, path, err);
}

/* Opens the directory @path of the upper directory, made, with all above it, where it is missing.
 */
static int make_directory(struct upper *upper, const char *path, struct error *err)
{
	_cleanup_free_ char *sofar = xstrdup(path);
	_cleanup_fd_ int at = openat(upper->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char *name = sofar;
	int r = 0;

	while (r >= 0 && at >= 0 && *name) {
		const size_t length = strcspn(name, "/");
		const char end = name[length];
		struct stat st;
		bool made;
		int below;

		name[length] = '\0';
		if (fstat(at, &st) < 0)
			return fail(err, -errno, "look at \"%s\"", path);
		made = mkdirat(at, name, 0700) == 0;
		if (made)
			r = restore_time(at, &st, path, err);
		below = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		fd_close(at);
		at = below;
		if (made && at >= 0 && r >= 0)
			r = describe(upper, at, sofar, err);
		name[length] = end;
		name += length + (end == '/');
	}
	if (r < 0)
		return r;
	return at < 0 ? fail(err, -errno, "make the directory \"%s\" of the upper one", path)
		      : take_fd(&at);
}

/* What keeps the place of an open link: it has not been made, nor replaced, later in the layer. */
static bool has_whiteout(const struct upper *upper, const char *path)
{
	_cleanup_fd_ int fd =
		merged_open_in(upper->merged, upper->layer, path, O_PATH | O_NOFOLLOW);
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == 0;
}

static int note_link(struct upper *upper, const struct index_entry *line, struct error *err)
{
	/* A later line for the same path replaces what was there. */
	for (size_t i = 0; i < upper->link_count; i++) {
		struct open_link *link = &upper->links[i];

		if (link->layer == upper->layer && str_equal(link->path, line->path)) {
			free(link->target);
			link->target = xstrdup(line->target);
			return 0;
		}
	}
	if (upper->link_count == OPEN_LINKS_MAX)
		return refuse(err,
			      "more than %u hard links of the image lead to other layers; --flat "
			      "makes a root of it",
			      OPEN_LINKS_MAX);
	upper->links = xrealloc(upper->links, upper->link_count + 1, sizeof(*upper->links));
	upper->links[upper->link_count++] = (struct open_link){
		.layer = upper->layer,
		.path = xstrdup(line->path),
		.target = xstrdup(line->target),
	};
	return 0;
}

/* First reading of an index: what is implied, what is opaque, which links are open. */
static int note_line(void *context, const struct index_entry *line, struct error *err)
{
	struct upper *upper = context;
	struct path_set *implied = upper->implied[upper->layer];
	size_t count = path_set_count(implied);

	if (line->type == 'o')
		upper->has_opaque[upper->layer] = true;
	else if (line->type == 'i')
		path_set_add(implied, line->path);
	else
		path_set_remove(implied, line->path);
	upper->implied_count += path_set_count(implied) - count;
	if (upper->implied_count > IMPLIED_MAX)
		return refuse(err,
			      "more than %u directories of the image have no entry of their "
			      "own; --flat makes a root of it",
			      IMPLIED_MAX);
	return line->type == 'u' && has_whiteout(upper, line->path) ? note_link(upper, line, err)
								    : 0;
}

/* Second reading: directories that the overlay shows with what their layer makes up. */
static int correct_line(void *context, const struct index_entry *line, struct error *err)
{
	struct upper *upper = context;
	size_t top, source;
	int r, fd;

	if (line->type != 'i' || !*line->path ||
	    !path_set_has(upper->implied[upper->layer], line->path))
		return 0;
	r = find_directory(upper, line->path, &top, &source, err);
	if (r < 0 || top != upper->layer || source == top)
		return r;
	fd = make_directory(upper, line->path, err);
	fd_close(fd);
	return fd < 0 ? fd : 0;
}

static int read_indexes(struct upper *upper,
			int (*each)(void *context, const struct index_entry *line,
				    struct error *err),
			struct error *err)
{
	for (upper->layer = 0; upper->layer < upper->merged->count; upper->layer++) {
		_cleanup_fd_ int fd = index_open(upper->merged->layers[upper->layer], err);
		int r = fd < 0 ? fd : index_read(fd, each, upper, err);

		if (r < 0)
			return within(err, r, "layer %zu", upper->layer + 1);
	}
	return 0;
}

/* Whether no layer above says anything about the link's place: 1. */
static int is_shown(const struct upper *upper, const struct open_link *link, struct error *err)
{
	for (size_t i = upper->merged->count; i-- > link->layer + 1;) {
		enum view view = VIEW_NOTHING;
		int r = look(upper, i, link->path, &view);

		if (r < 0)
			return fail(err, r, "look at \"%s\" of layer %zu", link->path, i + 1);
		if (view != VIEW_NOTHING)
			return 0;
	}
	return 1;
}

/* What @target is below @layer: another such link it may be itself. O_PATH, or negative errno. */
static int open_target(const struct upper *upper, size_t layer, const char *target)
{
	struct merged below = *upper->merged;
	int fd;

	below.count = layer;
	fd = merged_open(&below, target, O_PATH | O_NOFOLLOW);
	if (fd != -ENOENT)
		return fd;
	for (size_t i = upper->link_count; i-- > 0;) {
		const struct open_link *link = &upper->links[i];

		if (link->layer < layer && str_equal(link->path, target))
			return open_target(upper, link->layer, link->target);
	}
	return -ENOENT;
}

static int reopen(int fd, const struct stat *st)
{
	char path[FD_PATH_MAX];
	int r;

	if (!S_ISREG(st->st_mode))
		return fd_dup(fd, &(struct error)ERROR_NONE);
	fd_path(fd, path);
	r = open(path, O_RDONLY | O_CLOEXEC);
	return r < 0 ? -errno : r;
}

static int copy_link(struct upper *upper, const struct open_link *link, struct error *err)
{
	_cleanup_fd_ int named = open_target(upper, link->layer, link->target);
	_cleanup_fd_ int from = -EBADF, directory = -EBADF;
	char *slash = strrchr(link->path, '/');
	struct stat st, before;
	int r;

	if (named < 0 || fstat(named, &st) < 0)
		return fail(err, named < 0 ? named : -errno,
			    "layer %zu: the hard link \"%s\" to \"%s\"", link->layer + 1,
			    link->path, link->target);
	if (S_ISDIR(st.st_mode))
		return refuse(err, "layer %zu: the hard link \"%s\" to a directory",
			      link->layer + 1, link->path);
	from = reopen(named, &st);
	if (from < 0)
		return fail(err, from, "open \"%s\" of a layer", link->target);
	if (slash)
		*slash = '\0';
	directory = make_directory(upper, slash ? link->path : "", err);
	if (slash)
		*slash = '/';
	if (directory < 0 || fstat(directory, &before) < 0)
		return directory < 0 ? directory : fail(err, -errno, "the upper directory");
	r = copy_file(&upper->copy, from, &st,
		      &(struct copy_place){
			      .dirfd = directory,
			      .name = slash ? slash + 1 : link->path,
			      .inherits = true,
			      .path = link->path,
		      },
		      err);
	return r < 0 ? r : restore_time(directory, &before, link->path, err);
}

static int copy_links(struct upper *upper, struct error *err)
{
	for (size_t i = upper->link_count; i-- > 0;) {
		const struct open_link *link = &upper->links[i];
		int r = is_shown(upper, link, err);

		if (r > 0)
			r = copy_link(upper, link, err);
		if (r < 0)
			return r;
	}
	return 0;
}

int merged_prepare_upper(const struct merged *merged, int upperfd, const struct id_maps *uids,
			 const struct id_maps *gids, struct error *err)
{
	__attribute__((cleanup(upper_done))) struct upper upper = {
		.merged = merged,
		.fd = upperfd,
		.copy = {.user_namespace = merged->user_namespace, .uids = uids, .gids = gids},
		.implied = xcalloc(merged->count + 1, sizeof(struct path_set *)),
		.has_opaque = xcalloc(merged->count + 1, sizeof(bool)),
	};
	_cleanup_fd_ int fd = openat(upperfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = fd < 0 ? fail(err, -errno, "open the upper directory") : 0;

	for (size_t i = 0; i < merged->count; i++)
		upper.implied[i] = path_set_new();
	if (r >= 0)
		r = read_indexes(&upper, note_line, err);
	if (r >= 0)
		r = describe(&upper, fd, "", err);
	if (r >= 0)
		r = read_indexes(&upper, correct_line, err);
	return r < 0 ? r : copy_links(&upper, err);
}
