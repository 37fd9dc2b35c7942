/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One layer of an image, from a tar stream to a directory.
 *
 * Theory of operation. The archive is hostile: its names try to leave the root, its links lead
 * anywhere, and the same name may come again as something else. So:
 * - A name is brought into a normal form first, and refused if it has "..".
 * - The directory that an entry goes into is found by parents.c, as a descriptor within the root.
 * - The last component is never followed. It is made as something new (O_EXCL, mkdirat(2) …); what
 *   was there is removed before, but for a directory that a directory meets.
 * - What is made gets its owner, mode, attributes and time by its own descriptor, in this order,
 *   since a new owner takes bits of the mode and capabilities away, and all else changes the time.
 * - A layer is unpacked into an empty directory, so that nothing but itself can be in its way; what
 *   it says about other layers is noted (whiteouts.c, links.c, and "i" and "u" of the index).
 *
 * What must be remembered to the end of the layer lies in the index: the times of directories,
 * which change when something is put into them, and links that lead to something that comes later.
 * So the memory that is needed does not grow with the layer.
 */
#include "unpack.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "berth/base/alloc.h"
#include "berth/base/root.h"

#include "unpack-internal.h"

int path_normalise(const struct unpack *unpack, const char *path, struct buf *ret,
		   struct error *err)
{
	const struct limits *limits = unpack->options->limits;
	uint64_t depth = 0;

	ret->size = 0;
	buf_add(ret, "", 0);
	for (const char *at = path; *at;) {
		size_t length = strcspn(at, "/");

		if (length == 2 && at[0] == '.' && at[1] == '.')
			return refuse(err, "\"%s\" has \"..\" in it", path);
		if (length > 0 && !(length == 1 && at[0] == '.')) {
			if (ret->size)
				buf_add_char(ret, '/');
			buf_add(ret, at, length);
			depth++;
		}
		at += length;
		at += *at == '/';
	}
	if (depth > limits->path_depth)
		return refuse(err, "\"%.200s…\" lies deeper than %llu director%s (--max-depth)",
			      path, (unsigned long long)limits->path_depth,
			      limits->path_depth == 1 ? "y" : "ies");
	return 0;
}

int unpack_count(struct unpack *unpack, struct error *err)
{
	uint64_t limit = unpack->options->limits->entries;

	if (++unpack->result.entries > limit && limit)
		return refuse(err, "the layer has more than %llu entr%s (--max-files)",
			      (unsigned long long)limit, limit == 1 ? "y" : "ies");
	return 0;
}

static void note(struct unpack *unpack, struct index_entry *line, const struct metadata *metadata)
{
	line->uid = metadata->uid;
	line->gid = metadata->gid;
	line->mode = metadata->mode;
	line->mtime = metadata->mtime;
	index_writer_add(unpack->index, line);
}

void unpack_note(struct unpack *unpack, char type, const char *path, const char *target,
		 const struct metadata *metadata)
{
	static const struct metadata nothing = {.mode = 0};
	struct index_entry line = {.type = type, .path = path, .target = target};

	note(unpack, &line, metadata ? metadata : &nothing);
}

/* An entry's attributes, by a descriptor of either kind; what has come of them is put into @line.
 */
static int unpack_xattrs(struct unpack *unpack, int fd, const struct tar_entry *entry,
			 struct index_entry *line, struct error *err)
{
	const bool user_namespace = unpack->options->user_namespace;
	const char *path = line->path;

	for (size_t i = 0; i < entry->xattr_count; i++) {
		const struct tar_xattr *given = &entry->xattrs[i];
		char buffer[XATTR_NAME_ROOM];
		const struct xattr xattr = {
			.name = xattr_name_in_layer(given->name, user_namespace, buffer),
			.value = given->value,
			.size = given->size,
		};
		int r = 0;

		if (xattr_is_of_host(given->name))
			continue;
		if (xattr.name)
			r = xattr_set(fd, &xattr, user_namespace, path, err);
		if (r < 0)
			return r;
		unpack->result.skipped_xattrs += r == 0;
		/* The directory may be open by several names. */
		if (r > 0 && str_equal(xattr.name, "system.posix_acl_default"))
			unpack->default_acls = unpack->parents_stale = true;
	}
	/* Read again, since the kernel keeps some in another form, and an access list that says no
	 * more than the mode not at all. */
	return entry->xattr_count ? xattrs_check(fd, &line->attributes, path, err) : 0;
}

static int unpack_file(struct unpack *unpack, const struct place *place,
		       const struct tar_entry *entry, const struct metadata *metadata,
		       struct error *err)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	struct index_entry line = {.type = 'f', .path = place->path, .size = entry->size};
	_cleanup_fd_ int fd = openat(place->parent->fd, place->name, flags, metadata->mode & 0777);
	int r;

	if (fd < 0 && errno == EEXIST) {
		r = place_clear(unpack, place, false, err);
		if (r < 0)
			return r;
		fd = openat(place->parent->fd, place->name, flags, metadata->mode & 0777);
	}
	if (fd < 0)
		return fail(err, -errno, "make the file \"%s\"", place->path);
	r = content_unpack(unpack, fd, entry, &line.check, err);
	if (r >= 0)
		r = metadata_own(fd, metadata, place->parent->inherits, place->path, err);
	if (r >= 0)
		r = unpack_xattrs(unpack, fd, entry, &line, err);
	if (r >= 0)
		r = metadata_date(fd, metadata, place->path, err);
	if (r >= 0)
		note(unpack, &line, metadata);
	return r;
}

/* What all but files and directories get, once they are made. */
static int finish_node(struct unpack *unpack, const struct place *place,
		       const struct tar_entry *entry, const struct metadata *metadata,
		       struct index_entry *line, struct error *err)
{
	_cleanup_fd_ int fd =
		openat(place->parent->fd, place->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	int r;

	if (fd < 0)
		return fail(err, -errno, "open \"%s\"", place->path);
	r = metadata_own_node(fd, metadata, place->parent->inherits, place->path, err);
	if (r >= 0)
		r = unpack_xattrs(unpack, fd, entry, line, err);
	if (r >= 0)
		r = metadata_date(fd, metadata, place->path, err);
	return r;
}

static int unpack_symlink(struct unpack *unpack, const struct place *place,
			  const struct tar_entry *entry, const struct metadata *metadata,
			  struct error *err)
{
	const struct metadata of_link = {
		.uid = metadata->uid, .gid = metadata->gid, .mode = 0777, .mtime = metadata->mtime};
	struct index_entry line = {.type = 'l', .path = place->path, .target = entry->target};
	int r = symlinkat(entry->target, place->parent->fd, place->name) < 0 ? -errno : 0;

	if (r == -EEXIST) {
		r = place_clear(unpack, place, false, err);
		if (r < 0)
			return r;
		r = symlinkat(entry->target, place->parent->fd, place->name) < 0 ? -errno : 0;
	}
	if (r < 0)
		return fail(err, r, "make the link \"%s\"", place->path);
	r = entry->xattr_count
		    ? finish_node(unpack, place, entry, &of_link, &line, err)
		    : metadata_of_link(place->parent->fd, place->name, &of_link, place->path, err);
	if (r >= 0)
		note(unpack, &line, &of_link);
	return r;
}

static int unpack_link(struct unpack *unpack, const struct place *place,
		       const struct tar_entry *entry, const struct metadata *metadata,
		       struct error *err)
{
	(void)metadata;
	return link_unpack(unpack, place, entry, err);
}

/* In a user namespace there are no devices: a file that nobody may open keeps the place. */
static int unpack_no_device(struct unpack *unpack, const struct place *place,
			    const struct tar_entry *entry, const struct metadata *metadata,
			    struct error *err)
{
	const struct metadata closed = {
		.uid = metadata->uid, .gid = metadata->gid, .mtime = metadata->mtime};

	unpack->result.skipped_devices++;
	return unpack_file(unpack, place, entry, &closed, err);
}

static int unpack_node(struct unpack *unpack, const struct place *place,
		       const struct tar_entry *entry, const struct metadata *metadata,
		       struct error *err)
{
	static const struct {
		mode_t format;
		char note;
	} kinds[] = {
		[TAR_CHARACTER] = {S_IFCHR, 'c'},
		[TAR_BLOCK] = {S_IFBLK, 'b'},
		[TAR_FIFO] = {S_IFIFO, 'p'},
	};
	const dev_t device = entry->type == TAR_FIFO ? 0 : makedev(entry->major, entry->minor);
	struct index_entry line = {.type = kinds[entry->type].note, .path = place->path};
	char numbers[32];
	int r;

	/* It would act as a whiteout, which the layer has other means to say. */
	if (entry->type == TAR_CHARACTER && device == makedev(0, 0))
		return refuse(err, "\"%s\" is the character device 0:0, a whiteout of overlayfs",
			      place->path);
	if (entry->type != TAR_FIFO && unpack->options->user_namespace)
		return unpack_no_device(unpack, place, entry, metadata, err);
	r = place_clear(unpack, place, false, err);
	if (r < 0)
		return r;
	if (mknodat(place->parent->fd, place->name, kinds[entry->type].format, device) < 0)
		return fail(err, -errno, "make the device \"%s\"", place->path);
	r = finish_node(unpack, place, entry, metadata, &line, err);
	snprintf(numbers, sizeof(numbers), "%u:%u", entry->major, entry->minor);
	line.target = entry->type == TAR_FIFO ? NULL : numbers;
	if (r >= 0)
		note(unpack, &line, metadata);
	return r;
}

/* Metadata of the open directory @fd; its time comes at the end of the layer. */
static int describe_directory(struct unpack *unpack, int fd, const struct place *place,
			      const struct tar_entry *entry, const struct metadata *metadata,
			      struct error *err)
{
	struct index_entry line = {.type = 'd', .path = place->path};
	int r = metadata_own(fd, metadata, place->parent->inherits, place->path, err);

	if (r >= 0)
		r = unpack_xattrs(unpack, fd, entry, &line, err);
	if (r >= 0)
		note(unpack, &line, metadata);
	path_set_remove(unpack->implied, place->path);
	return r;
}

static int unpack_directory(struct unpack *unpack, const struct place *place,
			    const struct tar_entry *entry, const struct metadata *metadata,
			    struct error *err)
{
	_cleanup_fd_ int fd = -EBADF;
	int r, former = FORMER_NONE;

	if (mkdirat(place->parent->fd, place->name, 0700) < 0) {
		former = errno == EEXIST
				 ? place_clear(unpack, place, true, err)
				 : fail(err, -errno, "make the directory \"%s\"", place->path);
		if (former < 0)
			return former;
		if (former != FORMER_DIRECTORY && mkdirat(place->parent->fd, place->name, 0700) < 0)
			return fail(err, -errno, "make the directory \"%s\"", place->path);
	}
	fd = openat(place->parent->fd, place->name,
		    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return fail(err, -errno, "open the directory \"%s\"", place->path);
	r = former == FORMER_DIRECTORY ? xattrs_clear(fd, false, place->path, err) : 0;
	if (r >= 0)
		r = describe_directory(unpack, fd, place, entry, metadata, err);
	/* One that comes after a whiteout, or after something else, has nothing of what is below.
	 */
	if (r >= 0 && (former == FORMER_WHITEOUT || former == FORMER_OTHER))
		r = whiteout_make_opaque(unpack, fd, place->path, err);
	if (r >= 0 && former != FORMER_DIRECTORY)
		parents_add(unpack, place, take_fd(&fd));
	return r;
}

static int read_metadata(const struct tar_entry *entry, struct metadata *ret, struct error *err)
{
	/* -1 means "no change" to chown(2). */
	if (entry->uid >= UINT32_MAX || entry->gid >= UINT32_MAX)
		return refuse(err, "\"%s\" belongs to %llu:%llu, which are no ids", entry->path,
			      (unsigned long long)entry->uid, (unsigned long long)entry->gid);
	*ret = (struct metadata){
		.uid = (uint32_t)entry->uid,
		.gid = (uint32_t)entry->gid,
		.mode = entry->mode & 07777,
		.mtime = entry->mtime,
	};
	return 0;
}

static int unpack_root(struct unpack *unpack, const struct tar_entry *entry,
		       const struct metadata *metadata, struct error *err)
{
	const struct place place = {.parent = &unpack->root, .name = ".", .path = ""};
	int r;

	if (entry->type != TAR_DIRECTORY)
		return refuse(err, "\"%s\" would take the root's place, and is no directory",
			      entry->path);
	r = xattrs_clear(unpack->rootfd, false, "", err);
	if (r >= 0)
		r = describe_directory(unpack, unpack->rootfd, &place, entry, metadata, err);
	if (r >= 0 && unpack->default_acls)
		unpack->root.inherits =
			fgetxattr(unpack->rootfd, "system.posix_acl_default", NULL, 0) > 0;
	return r;
}

static int unpack_entry(struct unpack *unpack, const struct tar_entry *entry, struct error *err)
{
	static int (*const makers[])(struct unpack * unpack, const struct place *place,
				     const struct tar_entry *entry, const struct metadata *metadata,
				     struct error *err) = {
		[TAR_FILE] = unpack_file,	[TAR_HARDLINK] = unpack_link,
		[TAR_SYMLINK] = unpack_symlink, [TAR_CHARACTER] = unpack_node,
		[TAR_BLOCK] = unpack_node,	[TAR_DIRECTORY] = unpack_directory,
		[TAR_FIFO] = unpack_node,
	};
	struct place place;
	struct metadata metadata = {.mode = 0};
	char *slash;
	int r = path_normalise(unpack, entry->path, &unpack->name, err);

	if (r >= 0)
		r = read_metadata(entry, &metadata, err);
	if (r < 0)
		return r;
	if (!unpack->name.size)
		return unpack_root(unpack, entry, &metadata, err);
	slash = strrchr(unpack->name.data, '/');
	if (slash)
		*slash = '\0';
	place.name = slash ? slash + 1 : unpack->name.data;
	r = whiteout_unpack(unpack, slash ? unpack->name.data : "", place.name, err);
	if (r != 0)
		return r;
	r = parents_find(unpack, slash ? unpack->name.data : "", MISSING_MAKE, &place.parent, err);
	if (r < 0)
		return r;
	unpack->place_path.size = 0;
	if (*place.parent->path)
		buf_printf(&unpack->place_path, "%s/", place.parent->path);
	buf_add_string(&unpack->place_path, place.name);
	place.path = unpack->place_path.data;
	return makers[entry->type](unpack, &place, entry, &metadata, err);
}

/* The root, until the layer describes it. */
static int begin(struct unpack *unpack, struct error *err)
{
	static const struct metadata metadata = METADATA_IMPLIED;
	static char empty[] = ""; /* never written to */
	int r = metadata_own(unpack->rootfd, &metadata, true, "", err);

	unpack->root.fd = unpack->rootfd;
	unpack->root.name = unpack->root.path = empty;
	for (size_t i = 0; i < PARENTS_MAX; i++)
		unpack->parents[i].fd = -EBADF;
	unpack_note(unpack, 'i', "", NULL, &metadata);
	path_set_add(unpack->implied, "");
	return r;
}

/* The times of directories: a line of the index at a time. What is no directory any more has none.
 */
static int date_directory(void *context, const struct index_entry *line, struct error *err)
{
	const struct unpack *unpack = context;
	const struct metadata metadata = {.mtime = line->mtime};
	_cleanup_fd_ int fd = -EBADF;

	if (line->type != 'd' && line->type != 'i')
		return 0;
	fd = root_try_open(unpack->rootfd, line->path, ROOT_NO_SYMLINKS, O_PATH | O_DIRECTORY);
	if (fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP)
		return 0;
	if (fd < 0)
		return fail(err, fd, "open \"%s\"", line->path);
	return metadata_date(fd, &metadata, line->path, err);
}

static int unpack_all(struct unpack *unpack, struct error *err)
{
	const atomic_bool *cancelled = unpack->options->cancelled;
	struct tar_entry entry;
	int r = begin(unpack, err);

	while (r >= 0 && (r = tar_next(unpack->tar, &entry, err)) > 0) {
		r = unpack_count(unpack, err);
		if (r >= 0)
			r = unpack_entry(unpack, &entry, err);
		if (r >= 0 && cancelled && *cancelled)
			r = refuse_as(err, -ECANCELED, "cancelled");
	}
	if (r >= 0)
		r = link_finish(unpack, err);
	if (r >= 0)
		r = index_writer_flush(unpack->index, err);
	if (r >= 0)
		r = index_read(unpack->indexfd, date_directory, unpack, err);
	return r;
}

int unpack_layer(struct reader *layer, int rootfd, const struct unpack_options *options,
		 struct unpack_result *ret, struct error *err)
{
	_cleanup_tar_ struct tar *tar = tar_new(layer);
	_cleanup_path_set_ struct path_set *implied = path_set_new();
	_cleanup_index_writer_ struct index_writer *index = NULL;
	_cleanup_fd_ int own_indexfd = -EBADF, fd = -EBADF;
	struct unpack unpack = {
		.options = options, .tar = tar, .implied = implied, .indexfd = options->indexfd};
	int r;

	/* @rootfd may be one that only names the directory. */
	fd = openat(rootfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return fail(err, -errno, "open a layer's directory");
	if (options->indexfd < 0) {
		own_indexfd = memfd_create("index", MFD_CLOEXEC);
		if (own_indexfd < 0)
			return fail(err, -errno, "make a layer's index");
		unpack.indexfd = own_indexfd;
	}
	index = index_writer_new(unpack.indexfd);
	unpack.index = index;
	unpack.rootfd = fd;
	r = unpack_all(&unpack, err);
	parents_close(&unpack);
	links_forget(&unpack);
	buf_done(&unpack.name);
	buf_done(&unpack.link);
	buf_done(&unpack.place_path);
	if (r >= 0)
		*ret = unpack.result;
	return r < 0 ? r : 0;
}
