/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Overlays: the layers of an image as one tree.
 *
 * Theory of operation. Current kernels take one lower directory after the other, by fsconfig(2).
 * Older ones take all of them in one string, separated by colons, which mount(2) limits to a page;
 * so there the directories are opened, and named by the numbers that they have in /proc/self/fd,
 * relative to that directory: up to 500 fit, which is also as many as the kernel stacks, and no
 * character of their names has a meaning. mount(2) needs a place: the scratch directory, from
 * which the mount is cloned and taken off again.
 *
 * KERNEL(6.7): until then "lowerdir+" is unknown.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "berth/base/alloc.h"
#include "berth/base/fd.h"
#include "berth/base/proc.h"
#include "berth/base/str.h"
#include "berth/base/sys.h"

#include "mount-internal.h"

#define LAYERS_MAX 500 /* of the kernel, OVL_MAX_STACK; only for the message */

/* One directory under a name that no parser takes apart, and the descriptor that it may hang on. */
struct layer_name {
	char text[FS_VALUE_MAX + 1];
	int fd; /* owned, or negative */
};

enum layer {
	LAYER_LOWER,
	LAYER_UPPER,
	LAYER_WORK,
	LAYER_MAX
};

/* What errors call a layer: the user's own word for it, where there is one. */
static const char *layer_name(const struct overlay *overlay, enum layer layer)
{
	static const char *const plain[LAYER_MAX] = {"lower", "upper", "work"};

	return overlay->names ? overlay->names[layer] : plain[layer];
}

static int open_layer(const char *path, const char *kind, struct error *err)
{
	int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? fail(err, -errno, "%s directory \"%s\"", kind, path) : fd;
}

/*
 * The path itself where it is short and plain. Otherwise the directory is opened, and named by its
 * descriptor, which the caller closes when the file system is made.
 */
static int name_layer(const char *path, const char *kind, struct layer_name *ret, struct error *err)
{
	int fd;

	if (strlen(path) <= FS_VALUE_MAX && !strpbrk(path, "\\,:")) {
		ret->fd = -EBADF;
		memcpy(ret->text, path, strlen(path) + 1);
		return 0;
	}
	fd = open_layer(path, kind, err);
	if (fd < 0)
		return fd;
	fd_path(fd, ret->text);
	ret->fd = fd;
	return 0;
}

static int set_layer(int fs, const char *key, const char *path, const char *kind, struct error *err)
{
	_cleanup_free_ char *what = xasprintf("%s directory \"%s\"", kind, path);
	struct layer_name name;
	int r = name_layer(path, kind, &name, err);

	if (r < 0)
		return r;
	r = fs_set_as(fs, key, name.text, what, err);
	/* The kernel resolved it already. */
	fd_close(name.fd);
	return r;
}

static int set_layers(int fs, const struct overlay *overlay, struct error *err)
{
	char path[FD_PATH_MAX];
	int r = 0;

	for (size_t i = 0; r >= 0 && i < overlay->lower_count; i++) {
		if (overlay->lower_fds)
			fd_path(overlay->lower_fds[i], path);
		r = set_layer(fs, "lowerdir+", overlay->lower_fds ? path : overlay->lower[i],
			      layer_name(overlay, LAYER_LOWER), err);
	}
	if (r >= 0 && overlay->upper)
		r = set_layer(fs, "upperdir", overlay->upper, layer_name(overlay, LAYER_UPPER),
			      err);
	if (r >= 0 && overlay->work)
		r = set_layer(fs, "workdir", overlay->work, layer_name(overlay, LAYER_WORK), err);
	return r;
}

/* A user namespace may not write trusted.* attributes: there the overlay's are user.*. */
static bool needs_userxattr(const struct overlay *overlay)
{
	for (size_t i = 0; overlay->options && overlay->options[i]; i++) {
		if (str_equal(overlay->options[i], "userxattr"))
			return false;
	}
	return !proc_in_first_user_namespace();
}

int overlay_open_by_parameters(const struct overlay *overlay, struct error *err)
{
	_cleanup_fd_ int fs = fs_open("overlay", err);
	int r;

	if (fs < 0)
		return fs;
	/* KERNEL(6.5): refused here, where the kernel's log does not get a line for each container.
	 */
	if (fs_is_legacy(fs))
		return refuse(err, "the kernel takes no parameters of overlays one by one");
	r = fs_set(fs, "source", "overlay", err);
	if (r >= 0)
		r = set_layers(fs, overlay, err);
	if (r >= 0 && needs_userxattr(overlay))
		r = fs_set(fs, "userxattr", NULL, err);
	for (size_t i = 0; r >= 0 && overlay->options && overlay->options[i]; i++)
		r = fs_set_option(fs, overlay->options[i], err);
	if (r >= 0 && overlay->label)
		r = fs_set_option(fs, overlay->label, err);
	return r < 0 ? r : fs_finish(fs, 0, err);
}

/* The descriptors behind the names of one mount(2). */
struct layer_fds {
	int *fds;
	size_t count;
};

static void layer_fds_done(struct layer_fds *layers)
{
	for (size_t i = 0; i < layers->count; i++)
		fd_close(layers->fds[i]);
	free(layers->fds);
}

/* Opens a directory, and adds its number to the options. */
static int add_layer(struct layer_fds *layers, struct buf *options, const char *separator,
		     const char *path, const char *kind, struct error *err)
{
	int fd = open_layer(path, kind, err);

	if (fd < 0)
		return fd;
	layers->fds[layers->count++] = fd;
	buf_printf(options, "%s%d", separator, fd);
	return 0;
}

static void add_option(struct buf *options, const char *option)
{
	_cleanup_free_ char *quoted =
		label_is_option(option) ? label_quoted(option) : xstrdup(option);

	buf_printf(options, ",%s", quoted);
}

static int add_layers(const struct overlay *overlay, struct layer_fds *layers, struct buf *options,
		      struct error *err)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < overlay->lower_count; i++) {
		const char *separator = i == 0 ? "lowerdir=" : ":";

		if (overlay->lower_fds)
			buf_printf(options, "%s%d", separator, overlay->lower_fds[i]);
		else
			r = add_layer(layers, options, separator, overlay->lower[i],
				      layer_name(overlay, LAYER_LOWER), err);
	}
	if (r >= 0 && overlay->upper)
		r = add_layer(layers, options, ",upperdir=", overlay->upper,
			      layer_name(overlay, LAYER_UPPER), err);
	if (r >= 0 && overlay->work)
		r = add_layer(layers, options, ",workdir=", overlay->work,
			      layer_name(overlay, LAYER_WORK), err);
	if (r < 0)
		return r;
	if (needs_userxattr(overlay))
		buf_add_string(options, ",userxattr");
	for (size_t i = 0; overlay->options && overlay->options[i]; i++)
		add_option(options, overlay->options[i]);
	if (overlay->label)
		add_option(options, overlay->label);
	return 0;
}

/* mount(2) with the working directory at /proc/self/fd, for the short names. */
static int mount_from_descriptors(const char *scratch, const char *options, struct error *err)
{
	_cleanup_fd_ int before = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (before < 0)
		return fail(err, -errno, "open the working directory");
	if (chdir("/proc/self/fd") < 0)
		return fail(err, -errno, "chdir \"/proc/self/fd\"");
	r = mount("overlay", scratch, "overlay", 0, options) < 0 ? -errno : 0;
	if (fchdir(before) < 0)
		return fail(err, -errno, "return to the working directory");
	return r < 0 ? fail(err, r, "mount the overlay") : 0;
}

int overlay_open_by_mount(const struct overlay *overlay, struct error *err)
{
	_cleanup_buf_ struct buf options = BUF_EMPTY;
	struct layer_fds layers = {0};
	int fd, r;

	layers.fds = xcalloc(overlay->lower_count + 2, sizeof(*layers.fds));
	r = add_layers(overlay, &layers, &options, err);
	if (r >= 0)
		r = mount_from_descriptors(overlay->scratch, options.data, err);
	layer_fds_done(&layers);
	if (r < 0)
		return r;
	fd = sys_open_tree(AT_FDCWD, overlay->scratch,
			   OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW);
	if (umount2(overlay->scratch, MNT_DETACH | UMOUNT_NOFOLLOW) < 0) {
		fd_close(fd);
		return fail(err, -errno, "unmount \"%s\"", overlay->scratch);
	}
	return fd < 0 ? fail(err, fd, "clone the overlay") : fd;
}

/* One lower directory and nothing to write to: the kernel stacks no single layer. */
static int open_single(const struct overlay *overlay, struct error *err)
{
	const struct mount_change readonly = {.set = MOUNT_ATTR_RDONLY};
	_cleanup_fd_ int at = open_layer(overlay->lower[0], layer_name(overlay, LAYER_LOWER), err);
	_cleanup_fd_ int fd = -EBADF;
	int r;

	if (at < 0)
		return at;
	fd = sys_open_tree(at, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
	if (fd < 0)
		return fail(err, fd, "clone the lower directory \"%s\"", overlay->lower[0]);
	r = mount_change(fd, &readonly);
	return r < 0 ? fail(err, r, "make the lower directory read-only") : take_fd(&fd);
}

/*
 * Whether the first way's error has the kernel's own words: then the second way could only fail
 * with less of them. An old kernel says nothing, or that it does not know the parameter.
 */
static bool is_explained(const struct error *first)
{
	return strstr(first->text, "overlay: ") && !strstr(first->text, "Unknown parameter");
}

/* What the kernel makes of an overlay, silently, if it can't prepare the work directory. */
static bool is_read_only(int mountfd)
{
	struct statfs fs;

	return fstatfs(mountfd, &fs) == 0 && (fs.f_flags & ST_RDONLY);
}

int overlay_open(const struct overlay *overlay, struct error *err)
{
	struct error second = ERROR_NONE;
	int fd;

	/* A clone has the labels of what it is a clone of. */
	if (overlay->lower_count == 1 && !overlay->upper)
		return overlay->label ? overlay_open_mapped(overlay, /* users= */ -EBADF, err)
				      : open_single(overlay, err);
	fd = overlay_open_by_parameters(overlay, err);
	if (fd == -EINVAL) {
		fd = overlay_open_by_mount(overlay, &second);
		if (fd < 0 && !is_explained(err))
			*err = second;
	}
	/* Where it is -EINVAL the kernel says more. */
	if (fd == -EACCES)
		return label_explain(overlay->label, fd, err);
	if (fd >= 0 && overlay->upper && is_read_only(fd)) {
		fd_close(fd);
		return refuse_as(err, -EACCES,
				 "%s directory \"%s\" cannot be written (is it another user's?), "
				 "which makes the overlay read-only",
				 layer_name(overlay, LAYER_WORK), overlay->work);
	}
	if (fd < 0 && overlay->lower_count > LAYERS_MAX)
		return within(err, fd, "%zu lower directories (the kernel takes %d at most)",
			      overlay->lower_count, LAYERS_MAX);
	return fd;
}

/* The lists that an entry of mounts[] is taken apart into. All in one arena. */
struct entry {
	struct arena *arena;
	const char **lower, **options;
	size_t lower_count, option_count;
	const char *upper, *work;
};

/* Copies @text up to its end or the first ":" without "\" before it; *ret_next: what follows. */
static const char *take_lower(struct arena *arena, const char *text, const char **ret_next)
{
	char *name = arena_alloc(arena, strlen(text) + 1, 1);
	size_t used = 0;

	while (*text && *text != ':') {
		if (text[0] == '\\' && text[1])
			text++;
		name[used++] = *text++;
	}
	*ret_next = *text ? text + 1 : NULL;
	return name;
}

static void split_lower(struct entry *entry, const char *list)
{
	entry->lower = arena_alloc(entry->arena, strlen(list) + 2, sizeof(*entry->lower));
	for (const char *rest = list; rest;)
		entry->lower[entry->lower_count++] = take_lower(entry->arena, rest, &rest);
}

static void split_option(struct entry *entry, const char *option)
{
	if (str_starts(option, "lowerdir="))
		split_lower(entry, option + strlen("lowerdir="));
	else if (str_starts(option, "upperdir="))
		entry->upper = option + strlen("upperdir=");
	else if (str_starts(option, "workdir="))
		entry->work = option + strlen("workdir=");
	else
		entry->options[entry->option_count++] = option;
}

int overlay_open_entry(const struct spec_mount *mount, const char *scratch, const char *label,
		       struct error *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct entry entry = {.arena = arena};
	struct overlay overlay = {.scratch = scratch, .label = label};
	size_t count = 0;

	while (mount->data && mount->data[count])
		count++;
	entry.options = arena_alloc(arena, count + 1, sizeof(*entry.options));
	for (size_t i = 0; i < count; i++)
		split_option(&entry, mount->data[i]);
	if (entry.lower_count == 0)
		return refuse(err, "an overlay needs the option lowerdir=");
	overlay.lower = entry.lower;
	overlay.lower_count = entry.lower_count;
	overlay.upper = entry.upper;
	overlay.work = entry.work;
	overlay.options = entry.options;
	return overlay_open(&overlay, err);
}
