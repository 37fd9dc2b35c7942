/* SPDX-License-Identifier: Apache-2.0 */
/* Mounts that are descriptors: attaching them, changing them. */
#include <errno.h>
#include <fcntl.h>

#include "berth/base/sys.h"

#include "mount-internal.h"

int mount_attach(int mountfd, int at, struct error *err)
{
	int r = sys_move_mount(mountfd, "", at, "",
			       MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);

	/* The kernel's answer to both is the same as to a mount that must not be moved. */
	if (r == -EINVAL || r == -ENOTDIR)
		return fail(err, r,
			    "attach (a directory goes only on a directory, a file only on a file)");
	return r < 0 ? fail(err, r, "attach") : 0;
}

static int change(int dirfd, const char *path, unsigned flags, const struct mount_change *what)
{
	struct mount_attr attributes = {
		.attr_set = what->set,
		.attr_clr = what->clear,
		.propagation = what->propagation,
	};

	return sys_mount_setattr(dirfd, path, flags | (what->recursive ? AT_RECURSIVE : 0),
				 &attributes);
}

int mount_change(int mountfd, const struct mount_change *asked)
{
	return change(mountfd, "", AT_EMPTY_PATH, asked);
}

int mount_change_root(const struct mount_change *asked)
{
	return change(AT_FDCWD, "/", 0, asked);
}

int mount_map_ids(int mountfd, int users, bool recursive, struct error *err)
{
	struct mount_attr attributes = {
		.attr_set = MOUNT_ATTR_IDMAP,
		.userns_fd = (uint64_t)users,
	};
	int r = sys_mount_setattr(mountfd, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0),
				  &attributes);

	if (r == -EINVAL)
		return fail(err, r, "map the ids (%s cannot do that)",
			    recursive ? "its file system, or that of a mount below it,"
				      : "its file system");
	if (r == -EPERM)
		return fail(err, r,
			    "map the ids (that needs CAP_SYS_ADMIN where the file system was "
			    "mounted, and ids that are not mapped already)");
	return r < 0 ? fail(err, r, "map the ids") : 0;
}
