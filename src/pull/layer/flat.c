/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plain root file system of an image's layers.
 *
 * Theory of operation. The layers are copied over each other, the lowest first, each by a walk
 * through its tree: what is no directory replaces what the tree has under its name, a whiteout
 * removes it, an opaque directory is emptied first. A directory that its layer only implies keeps
 * what the tree has: owner, mode, attributes, and, once the layer is done with it, its time.
 *
 * Several names of one file are found by its inode: the first one that is copied is linked into a
 * directory for that, by its number, and the others are made of it. So the memory that is needed
 * does not grow with the layers. The same directory takes, before a layer is copied, what its open
 * links ("u" of the index) lead to: that is in the tree by then, and may go with this layer.
 *
 * The layers come from images and have hostile names and links; but they are at rest, and nothing
 * in them is followed. Links in the tree that is made are followed only on the way to what an open
 * link names, within the root.
 */
#include "flat.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "berth/base/alloc.h"
#include "berth/base/fd.h"
#include "berth/base/root.h"
#include "berth/base/str.h"

#include "common/path_set.h"
#include "common/tree.h"

#include "copy.h"
#include "index.h"
#include "metadata.h"

#define LINKS_NAME_MAX 64

struct flat {
	const struct merged *merged;
	int layerfd, rootfd;
	const struct path_set *implied; /* of the layer at hand */
	const atomic_bool *cancelled;
	struct copy copy;
	/* For several names of one file: the directory in the root, made when it is needed. */
	int linksfd;
	char links[LINKS_NAME_MAX];
	struct buf path; /* of what is copied just now */
};

/* One directory of the layer, and the one it goes to. */
struct pair {
	int from, to;
	bool fresh;    /* @to was made for it */
	bool inherits; /* what is made in it gets access lists */
};

static int make_links_directory(struct flat *flat, struct error *err)
{
	uint64_t number = 0;

	if (flat->linksfd >= 0)
		return 0;
	/* random(7): for so few bytes it does not fail. */
	ignore(getrandom(&number, sizeof(number), 0));
	snprintf(flat->links, sizeof(flat->links), ".berth-links-%016" PRIx64, number);
	if (mkdirat(flat->rootfd, flat->links, 0700) < 0)
		return fail(err, -errno, "make a directory for hard links");
	flat->linksfd =
		openat(flat->rootfd, flat->links, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return flat->linksfd < 0 ? fail(err, -errno, "open the directory for hard links") : 0;
}

/* Before the next layer, whose inodes are others. */
static int remove_links_directory(struct flat *flat, struct error *err)
{
	int r;

	if (flat->linksfd < 0)
		return 0;
	flat->linksfd = fd_close(flat->linksfd);
	r = tree_remove(flat->rootfd, flat->links, NULL);
	return r < 0 ? fail(err, r, "remove the directory for hard links") : 0;
}

static void metadata_of(const struct stat *st, struct metadata *ret)
{
	*ret = (struct metadata){
		.uid = st->st_uid,
		.gid = st->st_gid,
		.mode = st->st_mode & 07777,
		.mtime = st->st_mtim,
	};
}

static bool is_whiteout(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == 0;
}

static int remove_there(struct flat *flat, int dirfd, const char *name, struct error *err)
{
	int r = unlinkat(dirfd, name, 0) < 0 ? -errno : 0;

	if (r == -EISDIR || r == -EPERM)
		r = tree_remove(dirfd, name, NULL);
	return r < 0 && r != -ENOENT ? fail(err, r, "remove \"%s\"", flat->path.data) : 0;
}

/* What has several names: 1 if it has been copied by another one, and is linked now. */
static int link_copied(struct flat *flat, const struct pair *pair, const char *name,
		       const char *number, struct error *err)
{
	int r = make_links_directory(flat, err);

	if (r < 0)
		return r;
	if (linkat(flat->linksfd, number, pair->to, name, 0) == 0)
		return 1;
	return errno == ENOENT ? 0 : fail(err, -errno, "link \"%s\"", flat->path.data);
}

static int copy_other(struct flat *flat, const struct pair *pair, const char *name,
		      const struct stat *st, struct error *err)
{
	_cleanup_fd_ int from = -EBADF;
	char number[32];
	int r = 0;

	snprintf(number, sizeof(number), "%llx", (unsigned long long)st->st_ino);
	if (st->st_nlink > 1)
		r = link_copied(flat, pair, name, number, err);
	if (r != 0)
		return r < 0 ? r : 0;
	from = openat(pair->from, name,
		      (S_ISREG(st->st_mode) ? O_RDONLY : O_PATH) | O_NOFOLLOW | O_CLOEXEC);
	if (from < 0)
		return fail(err, -errno, "open \"%s\" of a layer", flat->path.data);
	r = copy_file(&flat->copy, from, st,
		      &(struct copy_place){
			      .dirfd = pair->to,
			      .name = name,
			      .inherits = pair->inherits,
			      .path = flat->path.data,
		      },
		      err);
	if (r >= 0 && st->st_nlink > 1 && linkat(pair->to, name, flat->linksfd, number, 0) < 0)
		return fail(err, -errno, "link \"%s\"", flat->path.data);
	return r;
}

/* Removes what the open directory has; its own metadata stay. */
static int empty(struct flat *flat, int dirfd, struct error *err)
{
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
	_cleanup_dir_ DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	if (!dir) {
		r = -errno;
		fd_close(fd);
		return fail(err, r, "list \"%s\"", flat->path.data);
	}
	while (r >= 0 && (errno = 0, entry = readdir(dir))) {
		if (!str_equal(entry->d_name, ".") && !str_equal(entry->d_name, "..") &&
		    !str_equal(entry->d_name, flat->links))
			r = tree_remove(dirfd, entry->d_name, NULL);
	}
	if (r >= 0 && errno)
		r = -errno;
	return r < 0 ? fail(err, r, "empty \"%s\"", flat->path.data) : 0;
}

static bool is_opaque(const struct flat *flat, int fd)
{
	char value = 0;

	return fgetxattr(fd, OVERLAY_XATTR(flat->merged->user_namespace, "opaque"), &value, 1) ==
		       1 &&
	       value == 'y';
}

static int copy_directory(struct flat *flat, struct pair *pair, bool inherits, struct error *err);

/* Opens both directories, the second one made where there is none. */
static int open_pair(struct flat *flat, const struct pair *above, const char *name,
		     struct pair *ret, struct error *err)
{
	const char *path = flat->path.data;

	ret->from = openat(above->from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (ret->from < 0)
		return fail(err, -errno, "open \"%s\" of a layer", path);
	ret->to = openat(above->to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (ret->to >= 0)
		return 0;
	ret->fresh = true;
	if (errno != ENOENT && unlinkat(above->to, name, 0) < 0)
		return fail(err, -errno, "remove \"%s\"", path);
	if (mkdirat(above->to, name, 0700) < 0)
		return fail(err, -errno, "make the directory \"%s\"", path);
	ret->to = openat(above->to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return ret->to < 0 ? fail(err, -errno, "open the directory \"%s\"", path) : 0;
}

static int copy_below(struct flat *flat, const struct pair *above, const char *name,
		      struct error *err)
{
	struct pair pair = {.from = -EBADF, .to = -EBADF};
	int r = open_pair(flat, above, name, &pair, err);

	if (r >= 0)
		r = copy_directory(flat, &pair, above->inherits, err);
	fd_close(pair.from);
	fd_close(pair.to);
	return r;
}

static int copy_entry(struct flat *flat, const struct pair *pair, const char *name,
		      struct error *err)
{
	struct stat st;
	int r;

	if (flat->cancelled && *flat->cancelled)
		return refuse_as(err, -ECANCELED, "cancelled");
	if (fstatat(pair->from, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return fail(err, -errno, "look at \"%s\" of a layer", flat->path.data);
	if (S_ISDIR(st.st_mode))
		return copy_below(flat, pair, name, err);
	if (!pair->fresh) {
		r = remove_there(flat, pair->to, name, err);
		if (r < 0)
			return r;
	}
	return is_whiteout(&st) ? 0 : copy_other(flat, pair, name, &st, err);
}

/* All entries; the path grows and shrinks. */
static int copy_entries(struct flat *flat, const struct pair *pair, struct error *err)
{
	const size_t size = flat->path.size;
	int fd = openat(pair->from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
	_cleanup_dir_ DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	if (!dir) {
		r = -errno;
		fd_close(fd);
		return fail(err, r, "list \"%s\" of a layer", flat->path.data);
	}
	while (r >= 0 && (errno = 0, entry = readdir(dir))) {
		if (str_equal(entry->d_name, ".") || str_equal(entry->d_name, ".."))
			continue;
		if (size)
			buf_add_char(&flat->path, '/');
		buf_add_string(&flat->path, entry->d_name);
		r = copy_entry(flat, pair, entry->d_name, err);
		flat->path.size = size;
		flat->path.data[size] = '\0';
	}
	if (r >= 0 && errno)
		r = fail(err, -errno, "list \"%s\" of a layer", flat->path.data);
	return r;
}

/* Calls @each, with @context, for the lines of the layer's index. */
static int read_index(const struct flat *flat,
		      int (*each)(void *context, const struct index_entry *line, struct error *err),
		      void *context, struct error *err)
{
	_cleanup_fd_ int fd = index_open(flat->layerfd, err);

	return fd < 0 ? fd : index_read(fd, each, context, err);
}

/* Open links, by their order in the index. */
struct open_links {
	struct flat *flat;
	unsigned number;
};

/* Whether the line is one, and stands: 1. The number of each is that of its line. */
static int is_open(struct open_links *links, const struct index_entry *line,
		   char name[static LINKS_NAME_MAX])
{
	_cleanup_free_ char *path = NULL;
	_cleanup_fd_ int fd = -EBADF;
	struct stat st;

	if (line->type != 'u')
		return 0;
	snprintf(name, LINKS_NAME_MAX, "u%u", links->number++);
	path = xasprintf("fs/%s", line->path);
	fd = root_try_open(links->flat->layerfd, path, ROOT_NO_SYMLINKS, O_PATH | O_NOFOLLOW);
	return fd >= 0 && fstat(fd, &st) == 0 && is_whiteout(&st);
}

/* The directory of @path, and *ret_name: its last component. Negative errno. */
static int open_directory_of(int rootfd, const char *path, enum root_policy policy,
			     const char **ret_name)
{
	const char *slash = strrchr(path, '/');
	_cleanup_free_ char *directory = xstrndup(path, slash ? (size_t)(slash - path) : 0);

	*ret_name = slash ? slash + 1 : path;
	return root_try_open(rootfd, directory, policy, O_RDONLY | O_DIRECTORY);
}

/* Keeps what the link leads to, before the layer changes anything. */
static int keep_target(void *context, const struct index_entry *line, struct error *err)
{
	struct open_links *links = context;
	struct flat *flat = links->flat;
	char kept[LINKS_NAME_MAX];
	_cleanup_fd_ int fd = -EBADF;
	const char *name;
	int r;

	if (!is_open(links, line, kept))
		return 0;
	r = make_links_directory(flat, err);
	if (r < 0)
		return r;
	fd = open_directory_of(flat->rootfd, line->target, ROOT_FOLLOW, &name);
	if (fd < 0 || linkat(fd, name, flat->linksfd, kept, 0) < 0)
		return fail(err, fd < 0 ? fd : -errno, "the hard link \"%s\" to \"%s\"", line->path,
			    line->target);
	return 0;
}

/* The directory that is made in the root for them is no change of the root's. */
static int keep_targets(struct flat *flat, struct error *err)
{
	struct open_links links = {.flat = flat};
	struct metadata metadata;
	struct stat st;
	int r;

	if (fstat(flat->rootfd, &st) < 0)
		return fail(err, -errno, "look at the root");
	metadata_of(&st, &metadata);
	r = read_index(flat, keep_target, &links, err);
	return r < 0 ? r : metadata_date(flat->rootfd, &metadata, "", err);
}

static int place_link(void *context, const struct index_entry *line, struct error *err)
{
	struct open_links *links = context;
	struct flat *flat = links->flat;
	char kept[LINKS_NAME_MAX];
	struct metadata metadata;
	_cleanup_fd_ int fd = -EBADF;
	const char *name;
	struct stat st;

	if (!is_open(links, line, kept))
		return 0;
	fd = open_directory_of(flat->rootfd, line->path, ROOT_NO_SYMLINKS, &name);
	if (fd < 0 || fstat(fd, &st) < 0)
		return fail(err, fd < 0 ? fd : -errno, "the directory of \"%s\"", line->path);
	if (renameat(flat->linksfd, kept, fd, name) < 0)
		return fail(err, -errno, "place the hard link \"%s\"", line->path);
	metadata_of(&st, &metadata);
	return metadata_date(fd, &metadata, line->path, err);
}

/* Owner, mode and attributes, before anything is put into the directory. */
static int describe(struct flat *flat, const struct pair *pair, const struct metadata *metadata,
		    bool inherits, struct error *err)
{
	const char *path = flat->path.data;
	int r = pair->fresh ? 0 : xattrs_clear(pair->to, true, path, err);

	if (r >= 0)
		r = metadata_own(pair->to, metadata, inherits && pair->fresh, path, err);
	if (r >= 0)
		r = xattrs_copy(pair->from, pair->to, flat->merged->user_namespace, true, path,
				err);
	return r;
}

/* @inherits: of the directory that it lies in. */
static int copy_directory(struct flat *flat, struct pair *pair, bool inherits, struct error *err)
{
	struct open_links links = {.flat = flat};
	const bool keeps = !pair->fresh && path_set_has(flat->implied, flat->path.data);
	struct metadata metadata;
	struct stat st;
	int r = 0;

	if (fstat(keeps ? pair->to : pair->from, &st) < 0)
		return fail(err, -errno, "look at \"%s\"", flat->path.data);
	metadata_of(&st, &metadata);
	if (!pair->fresh && is_opaque(flat, pair->from))
		r = empty(flat, pair->to, err);
	if (r >= 0 && !keeps)
		r = describe(flat, pair, &metadata, inherits, err);
	pair->inherits = fgetxattr(pair->to, "system.posix_acl_default", NULL, 0) > 0;
	if (r >= 0)
		r = copy_entries(flat, pair, err);
	/* In the root this makes and removes something. */
	if (r >= 0 && !flat->path.size && flat->linksfd >= 0)
		r = read_index(flat, place_link, &links, err);
	if (r >= 0 && !flat->path.size)
		r = remove_links_directory(flat, err);
	if (r >= 0)
		r = metadata_date(pair->to, &metadata, flat->path.data, err);
	return r;
}

static int note_implied(void *context, const struct index_entry *line, struct error *err)
{
	struct path_set *implied = context;

	(void)err;
	if (line->type == 'i')
		path_set_add(implied, line->path);
	else if (line->type != 'o')
		path_set_remove(implied, line->path);
	return 0;
}

static int copy_layer(struct flat *flat, size_t layer, struct error *err)
{
	_cleanup_path_set_ struct path_set *implied = path_set_new();
	_cleanup_fd_ int from = -EBADF;
	struct pair pair = {.to = flat->rootfd, .fresh = layer == 0};
	int r;

	flat->layerfd = flat->merged->layers[layer];
	flat->implied = implied;
	r = read_index(flat, note_implied, implied, err);
	if (r >= 0)
		r = keep_targets(flat, err);
	if (r < 0)
		return r;
	from = openat(flat->layerfd, "fs", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (from < 0)
		return fail(err, -errno, "open the tree of a layer");
	pair.from = from;
	return copy_directory(flat, &pair, true, err);
}

int flat_make(const struct merged *merged, int rootfd, const atomic_bool *cancelled,
	      struct error *err)
{
	_cleanup_fd_ int fd = openat(rootfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct flat flat = {
		.merged = merged,
		.rootfd = fd,
		.cancelled = cancelled,
		.copy = {.user_namespace = merged->user_namespace, .plain = true},
		.linksfd = -EBADF,
	};
	int r = 0;

	if (fd < 0)
		return fail(err, -errno, "open the directory of a root file system");
	buf_add(&flat.path, "", 0);
	for (size_t i = 0; i < merged->count && r >= 0; i++) {
		r = copy_layer(&flat, i, err);
		if (r < 0)
			r = within(err, r, "layer %zu", i + 1);
	}
	fd_close(flat.linksfd);
	copier_done(&flat.copy.copier);
	buf_done(&flat.path);
	return r;
}
