/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Read-only binds that no capability in a user namespace can make writable.
 *
 * Theory of operation. A flag of a mount can be taken away by whoever has CAP_SYS_ADMIN in the user
 * namespace that the mount namespace belongs to: so what the container's init makes read-only, its
 * root can make writable again. The kernel locks flags in one case only: when a mount namespace is
 * copied for another user namespace (mount_namespaces(7)). So these mounts are set up, flags and
 * all, in a copy of the host's mount namespace that is the host's still, below a tmpfs that covers
 * a directory nobody else needs; init's mount namespace is copied from that one, and the sources
 * are taken from there, locked. Submounts of a bind are locked to each other as well.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "berth/base/alloc.h"
#include "berth/base/fd.h"
#include "berth/base/str.h"
#include "berth/base/sys.h"

#include "mount-internal.h"

/* The host's tree that is shown where no sysfs may be mounted. */
#define SYS_TREE "/sys"

static bool is_readonly_bind(const struct spec_mount *mount)
{
	return mount->bind && !mount->remount &&
	       (mount->attributes_set | mount->recursive_set) & MOUNT_ATTR_RDONLY;
}

/* A sysfs needs a network namespace that the new user namespace owns; else see take_sysfs(). */
static bool is_foreign_sysfs(const struct spec *spec, const struct spec_mount *mount)
{
	const struct spec_namespace *network = &spec->linux.namespaces[NAMESPACE_NETWORK];

	return !mount->bind && !mount->remount && str_equal(mount->type, "sysfs") &&
	       (!network->wanted || network->path);
}

bool mount_is_staged(const struct spec *spec, const struct spec_mount *mount)
{
	return is_readonly_bind(mount) || is_foreign_sysfs(spec, mount);
}

bool mount_stage_wanted(const struct spec *spec)
{
	for (size_t i = 0; i < spec->mount_count; i++) {
		if (mount_is_staged(spec, &spec->mounts[i]))
			return true;
	}
	return false;
}

static int cut_off(struct error *err)
{
	const struct mount_change slave = {.propagation = MS_SLAVE, .recursive = true};
	int r = mount_change_root(&slave);

	return r < 0 ? fail(err, r, "set the propagation of \"/\"") : 0;
}

/* An empty tmpfs over @stage; its descriptor. */
static int cover(const char *stage, struct error *err)
{
	_cleanup_fd_ int fs = fs_open("tmpfs", err);
	_cleanup_fd_ int fd = -EBADF;
	int r;

	if (fs < 0)
		return fs;
	fd = fs_finish(fs, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC, err);
	if (fd < 0)
		return fd;
	r = sys_move_mount(fd, "", AT_FDCWD, stage, MOVE_MOUNT_F_EMPTY_PATH);
	return r < 0 ? fail(err, r, "mount a tmpfs on \"%s\"", stage) : take_fd(&fd);
}

/* All flags that the kernel can lock, since these mounts are staged anyway. */
static int set_flags(int fd, const struct spec_mount *mount)
{
	struct mount_change whole = {.set = mount->recursive_set & HOST_FLAGS, .recursive = true};
	struct mount_change top = {.set = mount->attributes_set & HOST_FLAGS};
	int r = 0;

	if (!mount->bind) {
		whole.set |= top.set | MOUNT_ATTR_RDONLY;
		top.set = 0;
	}
	if (whole.set)
		r = mount_change(fd, &whole);
	return r >= 0 && top.set ? mount_change(fd, &top) : r;
}

/* A place for what @fd is, on the stage. */
static int make_place(int stagefd, const char *name, int fd)
{
	_cleanup_fd_ int file = -EBADF;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return mkdirat(stagefd, name, 0700) < 0 ? -errno : 0;
	file = openat(stagefd, name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
	return file < 0 ? -errno : 0;
}

static int stage_one(const struct spec_mount *mount, int stagefd, size_t i, struct error *err)
{
	const bool is_bind = mount->bind;
	const char *path = is_bind ? mount->source : SYS_TREE;
	_cleanup_fd_ int fd = clone_tree(path, !is_bind || mount->bind_recursive);
	char name[24];
	int r;

	if (fd < 0)
		return fail(err, fd, "open \"%s\"", path);
	snprintf(name, sizeof(name), "%zu", i);
	r = set_flags(fd, mount);
	if (r >= 0)
		r = make_place(stagefd, name, fd);
	if (r >= 0)
		r = sys_move_mount(fd, "", stagefd, name, MOVE_MOUNT_F_EMPTY_PATH);
	return r < 0 ? fail(err, r, "make \"%s\" read-only", path) : 0;
}

int mount_stage(const struct spec *spec, const char *stage, struct error *err)
{
	_cleanup_fd_ int stagefd = -EBADF;
	int r = cut_off(err);

	if (r < 0)
		return r;
	stagefd = cover(stage, err);
	if (stagefd < 0)
		return stagefd;
	for (size_t i = 0; i < spec->mount_count; i++) {
		const struct spec_mount *mount = &spec->mounts[i];

		if (!mount_is_staged(spec, mount))
			continue;
		r = stage_one(mount, stagefd, i, err);
		if (r < 0)
			return within(err, r, "mounts[%zu].source", mount->index);
	}
	return 0;
}
