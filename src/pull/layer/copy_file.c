/* SPDX-License-Identifier: Apache-2.0 */
/* Copying whole files, whatever they are: content, owner, mode, attributes, time. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "berth/base/alloc.h"
#include "berth/base/fd.h"

#include "common/id_maps.h"

#include "copy.h"

int copy_metadata(const struct copy *copy, const struct stat *st, const char *path,
		  struct metadata *ret, struct error *err)
{
	*ret = (struct metadata){
		.uid = st->st_uid,
		.gid = st->st_gid,
		.mode = st->st_mode & 07777,
		.mtime = st->st_mtim,
	};
	if ((copy->uids && !id_maps_find(copy->uids, st->st_uid, &ret->uid)) ||
	    (copy->gids && !id_maps_find(copy->gids, st->st_gid, &ret->gid)))
		return refuse(err, "the owner of \"%s\", %u:%u, is not mapped", path, st->st_uid,
			      st->st_gid);
	return 0;
}

static int copy_regular(struct copy *copy, int from, const struct stat *st,
			const struct copy_place *place, struct error *err)
{
	int to = openat(place->dirfd, place->name,
			O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int r;

	if (to < 0)
		return fail(err, -errno, "make the file \"%s\"", place->path);
	r = copy_content(&copy->copier, from, to, st, place->path, err);
	if (r < 0)
		fd_close(to);
	return r < 0 ? r : to;
}

/* A symbolic link, device or fifo. */
static int copy_node(int from, const struct stat *st, const struct copy_place *place,
		     struct error *err)
{
	_cleanup_free_ char *target = NULL;
	const size_t size = (size_t)st->st_size;
	int r, to;

	if (S_ISLNK(st->st_mode)) {
		target = xcalloc(size + 1, 1);
		if (readlinkat(from, "", target, size + 1) != st->st_size)
			return fail(err, -EIO, "read the link \"%s\" of a layer", place->path);
		r = symlinkat(target, place->dirfd, place->name);
	} else {
		r = mknodat(place->dirfd, place->name, st->st_mode & S_IFMT, st->st_rdev);
	}
	if (r < 0)
		return fail(err, -errno, "make \"%s\"", place->path);
	to = openat(place->dirfd, place->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	return to < 0 ? fail(err, -errno, "open \"%s\"", place->path) : to;
}

int copy_file(struct copy *copy, int from, const struct stat *st, const struct copy_place *place,
	      struct error *err)
{
	const bool regular = S_ISREG(st->st_mode);
	struct metadata metadata;
	_cleanup_fd_ int to = -EBADF;
	int r = copy_metadata(copy, st, place->path, &metadata, err);

	if (r < 0)
		return r;
	to = regular ? copy_regular(copy, from, st, place, err) : copy_node(from, st, place, err);
	if (to < 0)
		return to;
	r = regular ? metadata_own(to, &metadata, place->inherits, place->path, err)
		    : metadata_own_node(to, &metadata, place->inherits, place->path, err);
	if (r >= 0)
		r = xattrs_copy(from, to, copy->user_namespace, copy->plain, place->path, err);
	if (r >= 0)
		r = metadata_date(to, &metadata, place->path, err);
	return r;
}
