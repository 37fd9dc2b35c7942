/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whiteouts: what a layer says about what it does not have (image-spec layer.md, "Whiteouts").
 *
 * Theory of operation. In the archive they are entries with special names, ".wh.NAME" and
 * ".wh..wh..opq"; in the tree they are what overlayfs knows: a character device 0:0, and an
 * attribute of the directory. They are about the layers below and about nothing else, wherever in
 * the archive they stand: so what this layer has under the same name stays, and hides more. An
 * opaque directory needs no whiteouts in it.
 *
 * overlayfs shows whiteouts in listings of a directory that only one layer has, since it does not
 * look for them there, unless the directory has the attribute that says that it was copied up
 * (ovl_path_check_origin_xattr()). An empty value of that attribute says that nobody knows from
 * where, so that nothing else follows from it: each directory with whiteouts has it.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "berth/base/alloc.h"

#include "unpack-internal.h"

#define PREFIX ".wh."
#define META   ".wh..wh."
#define OPAQUE ".wh..wh..opq"

bool whiteout_is(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == makedev(0, 0);
}

static int set_attribute(const struct unpack *unpack, int fd, const char *path, bool opaque,
			 struct error *err)
{
	const bool user_namespace = unpack->options->user_namespace;
	const char *name = opaque ? OVERLAY_XATTR(user_namespace, "opaque")
				  : OVERLAY_XATTR(user_namespace, "origin");

	if (fsetxattr(fd, name, "y", opaque ? 1 : 0, 0) < 0)
		return fail(err, -errno, "set the attribute %s of \"%s\", which whiteouts need",
			    name, path);
	return 0;
}

static bool is_opaque(const struct unpack *unpack, struct parent *parent)
{
	char value;

	if (parent->is_opaque == UNKNOWN)
		parent->is_opaque =
			fgetxattr(parent->fd,
				  OVERLAY_XATTR(unpack->options->user_namespace, "opaque"), &value,
				  1) == 1
				? YES
				: NO;
	return parent->is_opaque == YES;
}

/* In a directory that has become opaque they are of no use. */
static int remove_whiteouts(DIR *dir)
{
	for (;;) {
		const struct dirent *entry;
		struct stat st;

		errno = 0;
		entry = readdir(dir);
		if (!entry)
			return -errno;
		if (entry->d_type != DT_CHR && entry->d_type != DT_UNKNOWN)
			continue;
		if (fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return -errno;
		if (whiteout_is(&st) && unlinkat(dirfd(dir), entry->d_name, 0) < 0)
			return -errno;
	}
}

int whiteout_make_opaque(struct unpack *unpack, int fd, const char *path, struct error *err)
{
	int r = set_attribute(unpack, fd, path, true, err);

	if (r < 0)
		return r;
	/* The same directory may be open by several names. */
	unpack->root.is_opaque = UNKNOWN;
	for (size_t i = 0; i < PARENTS_MAX; i++)
		unpack->parents[i].is_opaque = UNKNOWN;
	unpack_note(unpack, 'o', path, NULL, NULL);
	return 0;
}

static int unpack_opaque(struct unpack *unpack, struct parent *parent, struct error *err)
{
	_cleanup_dir_ DIR *dir = NULL;
	int fd, r;

	if (is_opaque(unpack, parent))
		return 0;
	r = whiteout_make_opaque(unpack, parent->fd, parent->path, err);
	/* What keeps the place of a link looks the same, see links.c. */
	if (r < 0 || unpack->result.open_links)
		return r;
	fd = openat(parent->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return fail(err, -errno, "open \"%s\"", parent->path);
	dir = fdopendir(fd);
	if (!dir) {
		fd_close(fd);
		return fail(err, -ENOMEM, "list \"%s\"", parent->path);
	}
	r = remove_whiteouts(dir);
	return r < 0 ? fail(err, r, "remove the whiteouts of \"%s\"", parent->path) : 0;
}

int whiteout_make(struct unpack *unpack, const struct place *place)
{
	struct error err = ERROR_NONE;
	int r;

	if (mknodat(place->parent->fd, place->name, S_IFCHR, makedev(0, 0)) < 0)
		return -errno;
	if (place->parent->has_whiteouts)
		return 0;
	r = set_attribute(unpack, place->parent->fd, place->parent->path, false, &err);
	place->parent->has_whiteouts = r >= 0;
	return r;
}

/* The layer has something at @place already: a directory hides what is below it. */
static int hide_below(struct unpack *unpack, const struct place *place, struct error *err)
{
	static const struct metadata metadata = METADATA_IMPLIED;
	_cleanup_fd_ int fd = openat(place->parent->fd, place->name,
				     O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOTDIR || errno == ELOOP
			       ? 0
			       : fail(err, -errno, "open \"%s\"", place->path);
	/* What is below can no longer describe it. */
	if (path_set_has(unpack->implied, place->path)) {
		unpack_note(unpack, 'd', place->path, NULL, &metadata);
		path_set_remove(unpack->implied, place->path);
	}
	return whiteout_make_opaque(unpack, fd, place->path, err);
}

static int unpack_whiteout(struct unpack *unpack, struct parent *parent, const char *name,
			   struct error *err)
{
	static const struct metadata metadata = {.mode = 0};
	struct place place = {.parent = parent, .name = name};
	int r;

	if (is_opaque(unpack, parent))
		return 0;
	unpack->place_path.size = 0;
	if (*parent->path)
		buf_printf(&unpack->place_path, "%s/", parent->path);
	buf_add_string(&unpack->place_path, name);
	place.path = unpack->place_path.data;
	r = whiteout_make(unpack, &place);
	if (r == -EEXIST)
		return hide_below(unpack, &place, err);
	if (r < 0)
		return fail(err, r, "make the whiteout of \"%s\"", place.path);
	unpack_note(unpack, 'w', place.path, NULL, &metadata);
	return 0;
}

/* Components of @directory: those of aufs are passed over, others cannot be. Returns 1: pass. */
static int check_directory(const char *directory, struct error *err)
{
	for (const char *at = directory; at; at = strchr(at, '/')) {
		at += *at == '/';
		if (str_starts(at, META))
			return 1;
		if (str_starts(at, PREFIX))
			return refuse(err, "\"%s\": a whiteout is no directory", directory);
	}
	return 0;
}

int whiteout_unpack(struct unpack *unpack, const char *directory, const char *name,
		    struct error *err)
{
	struct parent *parent;
	int r = check_directory(directory, err);

	if (r != 0)
		return r;
	if (!str_starts(name, PREFIX))
		return 0;
	if (str_starts(name, META) && !str_equal(name, OPAQUE))
		return str_equal(name, META) ? refuse(err, "\"%s\" hides nothing", name) : 1;
	if (str_equal(name, PREFIX) || str_equal(name, PREFIX ".") || str_equal(name, PREFIX ".."))
		return refuse(err, "\"%s\" hides nothing", name);
	r = parents_find(unpack, directory, MISSING_MAKE, &parent, err);
	/* Below what this layer has there nothing of the layers below shows. */
	if (r == -ENOTDIR) {
		*err = (struct error)ERROR_NONE;
		return 1;
	}
	if (r >= 0 && str_equal(name, OPAQUE))
		r = unpack_opaque(unpack, parent, err);
	else if (r >= 0)
		r = unpack_whiteout(unpack, parent, name + strlen(PREFIX), err);
	return r < 0 ? r : 1;
}
