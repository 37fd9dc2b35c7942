/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A part of the merged tree, copied: what an image has where a volume is to be.
 *
 * Theory of operation. A directory is listed in each layer that has a part in it; a name is copied
 * when it is met first, from where the merged tree has it. Names that are hidden are found nowhere.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "berth/base/alloc.h"
#include "berth/base/fd.h"
#include "berth/base/str.h"

#include "common/path_set.h"

#include "copy.h"
#include "merged-internal.h"

struct work {
	const struct merged *merged;
	const atomic_bool *cancelled;
	struct copy copy;
};

static int copy_tree(struct work *work, const struct merged_place *place, int tofd,
		     struct error *err);

static int copy_directory(struct work *work, const struct merged_place *place, int tofd,
			  const char *name, struct error *err)
{
	_cleanup_fd_ int fd = -EBADF;

	if (mkdirat(tofd, name, 0700) < 0)
		return fail(err, -errno, "make the directory \"%s\"", place->path);
	fd = openat(tofd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return fail(err, -errno, "open the directory \"%s\"", place->path);
	return copy_tree(work, place, fd, err);
}

static int copy_name(struct work *work, const struct merged_place *dir, int tofd, const char *name,
		     struct error *err)
{
	_cleanup_merged_place_ struct merged_place place = MERGED_NOWHERE;
	_cleanup_fd_ int from = -EBADF;
	struct stat st;
	int r = merged_place_in(work->merged, dir, name, &place);

	if (work->cancelled && *work->cancelled)
		return refuse_as(err, -ECANCELED, "cancelled");
	/* A whiteout, or what one hides. */
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return fail(err, r, "look at \"%s/%s\" of the layers", dir->path, name);
	if (S_ISDIR(place.mode))
		return copy_directory(work, &place, tofd, name, err);
	from = merged_open_in(work->merged, place.layers[0], place.path,
			      S_ISREG(place.mode) ? O_RDONLY | O_NOFOLLOW : O_PATH | O_NOFOLLOW);
	if (from < 0 || fstat(from, &st) < 0)
		return fail(err, from < 0 ? from : -errno, "open \"%s\" of a layer", place.path);
	return copy_file(&work->copy, from, &st,
			 &(struct copy_place){
				 .dirfd = tofd,
				 .name = name,
				 .inherits = true,
				 .path = place.path,
			 },
			 err);
}

static int copy_names(struct work *work, const struct merged_place *place, size_t layer, int tofd,
		      struct path_set *seen, struct error *err)
{
	int fd = merged_open_in(work->merged, layer, place->path, O_RDONLY | O_DIRECTORY), r = 0;
	_cleanup_dir_ DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	if (!dir) {
		r = fd < 0 ? fd : -errno;
		fd_close(fd);
		return fail(err, r, "list \"%s\" of a layer", place->path);
	}
	while (r >= 0 && (errno = 0, entry = readdir(dir))) {
		if (str_equal(entry->d_name, ".") || str_equal(entry->d_name, "..") ||
		    path_set_has(seen, entry->d_name))
			continue;
		path_set_add(seen, entry->d_name);
		r = copy_name(work, place, tofd, entry->d_name, err);
	}
	if (r >= 0 && errno)
		r = fail(err, -errno, "list \"%s\" of a layer", place->path);
	return r;
}

/* The directory's own metadata, its time last. */
static int copy_own(struct work *work, const struct merged_place *place, int tofd,
		    struct error *err)
{
	_cleanup_fd_ int from =
		merged_open_in(work->merged, place->layers[0], place->path, O_RDONLY | O_DIRECTORY);
	struct metadata metadata;
	struct stat st;
	int r;

	if (from < 0 || fstat(from, &st) < 0)
		return fail(err, from < 0 ? from : -errno, "open \"%s\" of a layer", place->path);
	r = copy_metadata(&work->copy, &st, place->path, &metadata, err);
	if (r >= 0)
		r = metadata_own(tofd, &metadata, true, place->path, err);
	if (r >= 0)
		r = xattrs_copy(from, tofd, work->copy.user_namespace, true, place->path, err);
	return r < 0 ? r : metadata_date(tofd, &metadata, place->path, err);
}

static int copy_tree(struct work *work, const struct merged_place *place, int tofd,
		     struct error *err)
{
	_cleanup_path_set_ struct path_set *seen = path_set_new();
	int r = 0;

	for (size_t i = 0; r >= 0 && i < place->count; i++)
		r = copy_names(work, place, place->layers[i], tofd, seen, err);
	return r < 0 ? r : copy_own(work, place, tofd, err);
}

int merged_copy(const struct merged *merged, const char *path, int tofd,
		const atomic_bool *cancelled, struct error *err)
{
	_cleanup_merged_place_ struct merged_place place = MERGED_NOWHERE;
	struct work work = {
		.merged = merged,
		.cancelled = cancelled,
		.copy = {.user_namespace = merged->user_namespace, .plain = true},
	};
	int r = merged_place_find(merged, path, /* keeps_last= */ false, &place);

	if (r < 0)
		return r == -ENOENT || r == -ENOTDIR ? r
						     : fail(err, r, "\"%s\" of the image", path);
	if (!S_ISDIR(place.mode))
		return -ENOTDIR;
	r = copy_tree(&work, &place, tofd, err);
	copier_done(&work.copy.copier);
	return r;
}
