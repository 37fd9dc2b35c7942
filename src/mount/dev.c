/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The container's /dev: default nodes, linux.devices, and the usual links.
 *
 * Theory of operation. Without a mount of its own /dev is whatever the image has there, so it is
 * opened once, in the root and without following links, and all its entries are made beneath that
 * descriptor: an image whose /dev is a link to a directory of the host gets an error, and nothing
 * is made or removed elsewhere (CVE-2026-41579, CVE-2026-47766, CVE-2026-88264). What exists
 * already is looked at without following it, and used only if it is the node that was asked for.
 *
 * A user namespace may not make nodes. There the host's node, checked on the descriptor that is
 * mounted, is bound over an empty file.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "berth/base/alloc.h"
#include "berth/base/fd.h"
#include "berth/base/root.h"
#include "berth/base/str.h"
#include "berth/base/sys.h"

#include "mount-internal.h"

#define TARGET_MAX 64

/* config-linux.md, "Default Devices". */
static const struct spec_device default_devices[] = {
	{.path = "/dev/null", .type = S_IFCHR, .major = 1, .minor = 3, .mode = 0666},
	{.path = "/dev/zero", .type = S_IFCHR, .major = 1, .minor = 5, .mode = 0666},
	{.path = "/dev/full", .type = S_IFCHR, .major = 1, .minor = 7, .mode = 0666},
	{.path = "/dev/random", .type = S_IFCHR, .major = 1, .minor = 8, .mode = 0666},
	{.path = "/dev/urandom", .type = S_IFCHR, .major = 1, .minor = 9, .mode = 0666},
	{.path = "/dev/tty", .type = S_IFCHR, .major = 5, .minor = 0, .mode = 0666},
};

/* runtime-linux.md, "Dev symbolic links". */
static const struct {
	const char *name, *target;
} links[] = {
	{"fd", "/proc/self/fd"},
	{"stdin", "/proc/self/fd/0"},
	{"stdout", "/proc/self/fd/1"},
	{"stderr", "/proc/self/fd/2"},
};

/* Where the entries are made. Descriptors are the caller's. */
struct dev {
	const struct mount_context *context;
	int fd; /* the container's /dev */
};

static int open_dev(int rootfd, struct error *err)
{
	int fd = root_try_open(rootfd, "/dev", ROOT_NO_SYMLINKS, O_PATH | O_DIRECTORY);

	if (fd == -ENOENT) {
		if (mkdirat(rootfd, "dev", 0755) < 0 && errno != EEXIST)
			return fail(err, -errno, "make \"/dev\" in the root");
		fd = root_try_open(rootfd, "/dev", ROOT_NO_SYMLINKS, O_PATH | O_DIRECTORY);
	}
	if (fd == -ELOOP)
		return refuse_as(err, fd, "\"/dev\" of the root is a symbolic link");
	return fd < 0 ? fail(err, fd, "open \"/dev\" of the root") : fd;
}

static bool is_node(const struct stat *st, const struct spec_device *device)
{
	if ((st->st_mode & S_IFMT) != device->type)
		return false;
	return device->type == S_IFIFO || st->st_rdev == makedev(device->major, device->minor);
}

static int refuse_existing(const struct spec_device *device, struct error *err)
{
	if (device->type == S_IFIFO)
		return refuse_as(err, -EEXIST, "\"%s\" exists and is no fifo", device->path);
	return refuse_as(err, -EEXIST, "\"%s\" exists and is not the %s device %u:%u", device->path,
			 device->type == S_IFBLK ? "block" : "character", device->major,
			 device->minor);
}

/* Clones the host's node of the same path, and makes sure that it is the right one. */
static int clone_host_node(const struct spec_device *device, struct error *err)
{
	_cleanup_fd_ int fd =
		sys_open_tree(AT_FDCWD, device->path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return fail(err, fd, "open the host's \"%s\"", device->path);
	if (fstat(fd, &st) < 0)
		return fail(err, -errno, "look at the host's \"%s\"", device->path);
	if (!is_node(&st, device))
		return refuse(err, "the host's \"%s\" is not the device %u:%u", device->path,
			      device->major, device->minor);
	return take_fd(&fd);
}

/* Opens the file that a node is bound over; makes an empty one if there is none. */
static int open_placeholder(int dirfd, const char *name)
{
	int fd;

	if (mknodat(dirfd, name, S_IFREG | 0644, 0) < 0 && errno != EEXIST)
		return -errno;
	fd = openat(dirfd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int bind_node(int dirfd, const char *name, const struct spec_device *device,
		     struct error *err)
{
	_cleanup_fd_ int at = open_placeholder(dirfd, name);
	_cleanup_fd_ int fd = -EBADF;
	struct stat st;

	if (at < 0)
		return fail(err, at, "make \"%s\"", device->path);
	if (fstat(at, &st) < 0)
		return fail(err, -errno, "look at \"%s\"", device->path);
	if (is_node(&st, device))
		return 0;
	if (!S_ISREG(st.st_mode))
		return refuse_existing(device, err);
	fd = clone_host_node(device, err);
	if (fd < 0)
		return fd;
	return mount_attach(fd, at, err);
}

/*
 * The terminal's slave as /dev/console: its descriptor is mounted, not its path, over a file that
 * is no link (CVE-2025-52565). What is there already belongs to the image, and is only covered.
 */
static int bind_console(const struct dev *dev, struct error *err)
{
	_cleanup_fd_ int at = open_placeholder(dev->fd, "console");
	_cleanup_fd_ int fd = -EBADF;
	struct stat st;
	int r;

	if (at < 0)
		return fail(err, at, "make \"/dev/console\"");
	if (fstat(at, &st) < 0)
		return fail(err, -errno, "look at \"/dev/console\"");
	if (S_ISLNK(st.st_mode))
		return refuse_as(err, -ELOOP, "\"/dev/console\" is a symbolic link");
	fd = sys_open_tree(dev->context->consolefd, "",
			   AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (fd < 0)
		return fail(err, fd, "take the terminal for \"/dev/console\"");
	r = mount_attach(fd, at, err);
	return r < 0 ? within(err, r, "mount the terminal on \"/dev/console\"") : 0;
}

static int check_existing(int dirfd, const char *name, const struct spec_device *device,
			  struct error *err)
{
	struct stat st;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return fail(err, -errno, "look at \"%s\"", device->path);
	return is_node(&st, device) ? 0 : refuse_existing(device, err);
}

static int make_node(const struct dev *dev, int dirfd, const char *name,
		     const struct spec_device *device, struct error *err)
{
	bool fifo = device->type == S_IFIFO;
	dev_t number = fifo ? 0 : makedev(device->major, device->minor);

	if (dev->context->user_namespace && !fifo)
		return bind_node(dirfd, name, device, err);
	if (mknodat(dirfd, name, device->type | device->mode, number) < 0) {
		if (errno == EEXIST)
			return check_existing(dirfd, name, device, err);
		/* Berth itself runs in a container that may not make nodes. */
		if (errno == EPERM && !fifo)
			return bind_node(dirfd, name, device, err);
		return fail(err, -errno, "make \"%s\"", device->path);
	}
	if ((device->uid || device->gid) &&
	    fchownat(dirfd, name, device->uid, device->gid, AT_SYMLINK_NOFOLLOW) < 0)
		return fail(err, -errno, "chown \"%s\"", device->path);
	return 0;
}

/* The name of @path within /dev if it lies directly there, else NULL. */
static const char *name_in_dev(const char *path)
{
	if (!str_starts(path, "/dev/") || strchr(path + 5, '/'))
		return NULL;
	return str_equal(path + 5, "") || path[5] == '.' ? NULL : path + 5;
}

/* A node anywhere in the root. */
static int make_device(const struct dev *dev, const struct spec_device *device, struct error *err)
{
	const char *name = name_in_dev(device->path);
	_cleanup_fd_ int parent = -EBADF;

	if (name)
		return make_node(dev, dev->fd, name, device, err);
	parent = root_make_parent(dev->context->rootfd, device->path, &name, err);
	return parent < 0 ? parent : make_node(dev, parent, name, device, err);
}

static bool is_configured(const struct spec *spec, const char *path)
{
	for (size_t i = 0; i < spec->linux.device_count; i++) {
		if (destination_is(spec->linux.devices[i].path, path))
			return true;
	}
	return false;
}

static int make_devices(const struct dev *dev, const struct spec *spec, struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(default_devices); i++) {
		int r = is_configured(spec, default_devices[i].path)
				? 0
				: make_device(dev, &default_devices[i], err);

		if (r < 0)
			return within(err, r, "default devices");
	}
	for (size_t i = 0; i < spec->linux.device_count; i++) {
		int r = make_device(dev, &spec->linux.devices[i], err);

		if (r < 0)
			return within(err, r, "linux.devices[%zu]", i);
	}
	return 0;
}

/* Makes a link. One that is there already may lead elsewhere: that is the image's own choice. */
static int make_link(const struct dev *dev, const char *name, const char *target, struct error *err)
{
	struct stat st;

	if (symlinkat(target, dev->fd, name) == 0)
		return 0;
	if (errno != EEXIST)
		return fail(err, -errno, "link \"/dev/%s\"", name);
	if (fstatat(dev->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return fail(err, -errno, "look at \"/dev/%s\"", name);
	if (!S_ISLNK(st.st_mode))
		return refuse_as(err, -EEXIST, "\"/dev/%s\" exists and is no symbolic link", name);
	return 0;
}

/* Whether /dev/pts of the container is a devpts. */
static bool has_devpts(const struct dev *dev, const struct spec *spec)
{
	_cleanup_fd_ int fd = -EBADF;
	struct statfs fs;

	for (size_t i = 0; i < spec->mount_count; i++) {
		if (str_equal(spec->mounts[i].type, "devpts") &&
		    destination_is(spec->mounts[i].destination, "/dev/pts"))
			return true;
	}
	fd = openat(dev->fd, "pts", O_PATH | O_NOFOLLOW | O_CLOEXEC);
	return fd >= 0 && fstatfs(fd, &fs) == 0 && fs.f_type == DEVPTS_SUPER_MAGIC;
}

/* /dev/ptmx must be the one of the container's own devpts, so anything else gives way to it. */
static int make_ptmx(const struct dev *dev, struct error *err)
{
	static const char target[] = "pts/ptmx";
	char found[TARGET_MAX];
	ssize_t n;

	if (symlinkat(target, dev->fd, "ptmx") == 0)
		return 0;
	if (errno != EEXIST)
		return fail(err, -errno, "link \"/dev/ptmx\"");
	n = readlinkat(dev->fd, "ptmx", found, sizeof(found));
	if (n == (ssize_t)strlen(target) && memcmp(found, target, (size_t)n) == 0)
		return 0;
	if (unlinkat(dev->fd, "ptmx", 0) < 0 || symlinkat(target, dev->fd, "ptmx") < 0)
		return fail(err, -errno, "replace \"/dev/ptmx\"");
	return 0;
}

static int make_links(const struct dev *dev, const struct spec *spec, struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(links); i++) {
		int r = make_link(dev, links[i].name, links[i].target, err);

		if (r < 0)
			return r;
	}
	if (faccessat(dev->context->procfd, "kcore", F_OK, 0) == 0) {
		int r = make_link(dev, "core", "/proc/kcore", err);

		if (r < 0)
			return r;
	}
	return has_devpts(dev, spec) ? make_ptmx(dev, err) : 0;
}

static int fill(const struct dev *dev, const struct spec *spec, struct error *err)
{
	/* Nodes get exactly the mode that they are to have. */
	mode_t mask = umask(0);
	int r = make_devices(dev, spec, err);

	umask(mask);
	if (r >= 0)
		r = make_links(dev, spec, err);
	if (r >= 0 && dev->context->consolefd >= 0)
		r = bind_console(dev, err);
	return r;
}

int mount_dev(const struct mount_context *context, const struct spec *spec, struct error *err)
{
	const struct mount_change readonly = {.set = MOUNT_ATTR_RDONLY};
	const struct spec_mount *mount = mount_on_dev(spec);
	_cleanup_fd_ int fd = -EBADF;
	struct dev dev = {.context = context};
	int r;

	/* A /dev that was bound belongs to whoever bound it, complete as it is. */
	if (mount && mount->bind)
		return 0;
	dev.fd = fd = open_dev(context->rootfd, err);
	if (fd < 0)
		return fd;
	r = fill(&dev, spec, err);
	if (r < 0 || !mount || !mount_is_late_readonly(mount))
		return r;
	r = mount_change(fd, &readonly);
	return r < 0 ? fail(err, r, "make \"/dev\" read-only") : 0;
}
