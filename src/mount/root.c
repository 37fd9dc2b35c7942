/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The root's mount: attached to root.path, and made read-only at the end.
 *
 * Theory of operation. A clone of the tree at root.path is attached over root.path itself, so the
 * container's root is a mount of its own (which pivot_root(2) demands), and hooks that run before
 * the pivot find the container's mounts under the path that they read in config.json. The
 * descriptor of the clone is the descriptor of the attached root: no path is looked up again.
 */
#include <errno.h>
#include <fcntl.h>

#include "berth/base/alloc.h"
#include "berth/base/fd.h"
#include "berth/base/sys.h"

#include "mount-internal.h"

int mount_root_attach(const struct spec *spec, struct mount_sources *sources, int *ret_rootfd,
		      struct error *err)
{
	/* A link at the end is not followed, as it was not when the tree was cloned. */
	int r = sys_move_mount(sources->root, "", AT_FDCWD, spec->root_path,
			       MOVE_MOUNT_F_EMPTY_PATH);

	/*
	 * In a user namespace the way to root.path may be barred (a directory with mode 0700),
	 * while the clone was handed over by a parent who may walk it. Then "/" serves as well: the
	 * pivot needs a place for the root, not a certain one.
	 */
	if (r == -EACCES)
		r = sys_move_mount(sources->root, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH);
	if (r < 0)
		return fail(err, r, "root.path: attach the root to \"%s\"", spec->root_path);
	*ret_rootfd = take_fd(&sources->root);
	return 0;
}

int mount_root_hold(struct mount_sources *sources)
{
	return take_fd(&sources->root);
}

int mount_root_finish(const struct mount_context *context, const struct spec *spec,
		      struct error *err)
{
	const struct mount_change readonly = {.set = MOUNT_ATTR_RDONLY};
	int r;

	if (!spec->root_readonly)
		return 0;
	r = mount_change(context->rootfd, &readonly);
	return r < 0 ? fail(err, r, "root.readonly: make the root read-only") : 0;
}
