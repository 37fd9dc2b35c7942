/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paths that a container must not read (linux.maskedPaths) or not write (linux.readonlyPaths).
 *
 * Theory of operation. A masked file is covered by a null device. Were that the container's own
 * /dev/null, an image that has something else there would get that bound over the path, for
 * writing (CVE-2025-31133): so it is the host's, and checked to be one. A masked directory is
 * covered by an empty read-only tmpfs, one for all of them: the first is attached, and the others
 * are clones of it, because many small file systems cost much more when they go away again.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "berth/base/fd.h"
#include "berth/base/root.h"
#include "berth/base/sys.h"

#include "mount-internal.h"

/* What covers the masked paths; opened when first needed. */
struct covers {
	int null;  /* the host's null device, O_PATH */
	int empty; /* the first empty tmpfs, attached */
	const char *label;
};

/* Opens what is to be masked. Returns -ENOENT, without a text, if there is nothing. */
static int open_path(int rootfd, const char *path, struct error *err)
{
	int fd = root_try_open(rootfd, path, ROOT_FOLLOW, O_PATH);

	if (fd == -ENOENT || fd == -ENOTDIR)
		return -ENOENT;
	return fd < 0 ? fail(err, fd, "open \"%s\"", path) : fd;
}

static int clone_mount(int fd, unsigned flags, struct error *err)
{
	int r = sys_open_tree(fd, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | flags);

	return r < 0 ? fail(err, r, "open_tree") : r;
}

static int open_null(struct error *err)
{
	_cleanup_fd_ int fd = open("/dev/null", O_PATH | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return fail(err, -errno, "open the host's /dev/null");
	if (fstat(fd, &st) < 0)
		return fail(err, -errno, "look at the host's /dev/null");
	if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(1, 3))
		return refuse(err, "the host's /dev/null is not the null device");
	return take_fd(&fd);
}

static int mask_file(struct covers *covers, int at, struct error *err)
{
	_cleanup_fd_ int fd = -EBADF;

	if (covers->null < 0)
		covers->null = open_null(err);
	if (covers->null < 0)
		return covers->null;
	fd = clone_mount(covers->null, 0, err);
	return fd < 0 ? fd : mount_attach(fd, at, err);
}

static int mask_directory(struct covers *covers, int at, struct error *err)
{
	bool first = covers->empty < 0;
	_cleanup_fd_ int fd =
		first ? fs_open_empty(covers->label, err) : clone_mount(covers->empty, 0, err);
	int r;

	if (fd < 0)
		return fd;
	r = mount_attach(fd, at, err);
	if (r >= 0 && first)
		covers->empty = take_fd(&fd);
	return r;
}

static int mask(int rootfd, struct covers *covers, const char *path, struct error *err)
{
	_cleanup_fd_ int at = open_path(rootfd, path, err);
	struct stat st;

	if (at < 0)
		return at == -ENOENT ? 0 : at;
	if (fstat(at, &st) < 0)
		return fail(err, -errno, "look at \"%s\"", path);
	return S_ISDIR(st.st_mode) ? mask_directory(covers, at, err) : mask_file(covers, at, err);
}

static int mask_all(const struct mount_context *context, const char *const *paths,
		    struct error *err)
{
	struct covers covers = {.null = -EBADF, .empty = -EBADF, .label = context->label};
	int r = 0;

	for (size_t i = 0; r >= 0 && paths && paths[i]; i++) {
		r = mask(context->rootfd, &covers, paths[i], err);
		if (r < 0)
			r = within(err, r, "linux.maskedPaths[%zu]: mask \"%s\"", i, paths[i]);
	}
	fd_close(covers.null);
	fd_close(covers.empty);
	return r;
}

/* Binds the path onto itself, with what is mounted beneath it, and makes that read-only. */
static int make_readonly(int rootfd, const char *path, struct error *err)
{
	const struct mount_change readonly = {.set = MOUNT_ATTR_RDONLY, .recursive = true};
	_cleanup_fd_ int at = open_path(rootfd, path, err);
	_cleanup_fd_ int fd = -EBADF;
	int r;

	if (at < 0)
		return at == -ENOENT ? 0 : at;
	fd = clone_mount(at, AT_RECURSIVE, err);
	if (fd < 0)
		return fd;
	r = mount_change(fd, &readonly);
	return r < 0 ? fail(err, r, "mount_setattr") : mount_attach(fd, at, err);
}

int mount_masks(const struct mount_context *context, const struct spec *spec, struct error *err)
{
	const char *const *paths = spec->linux.readonly_paths;

	for (size_t i = 0; paths && paths[i]; i++) {
		int r = make_readonly(context->rootfd, paths[i], err);

		if (r < 0)
			return within(err, r, "linux.readonlyPaths[%zu]: make \"%s\" read-only", i,
				      paths[i]);
	}
	return mask_all(context, spec->linux.masked_paths, err);
}
