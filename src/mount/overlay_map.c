/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Overlays of clones: with lower layers that are id-mapped, one unpacked image for containers of
 * all users; or with a label over a single layer.
 *
 * Theory of operation. Each lower directory is cloned as a mount of its own, and its ids are mapped
 * while it is attached nowhere. The overlay takes the clones by descriptor. The upper directory
 * stays plain: an overlay on a mapped one would be read-only without a word. So what is written
 * there has the host's ids, which are those that the lower layers show: the two agree.
 *
 * The kernel stacks no single layer: one that shall have a label lies on an empty directory.
 *
 * KERNEL(6.14): until then overlays take no directory that is attached nowhere, and the clones are
 * attached for the moment, stacked on the scratch directory of the container's mount namespace.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mount.h>

#include "berth/base/alloc.h"
#include "berth/base/fd.h"
#include "berth/base/sys.h"

#include "mount-internal.h"

struct layers {
	int *fds; /* owned */
	size_t count;
};

static void layers_done(struct layers *layers)
{
	for (size_t i = 0; i < layers->count; i++)
		fd_close(layers->fds[i]);
	free(layers->fds);
}

static int open_layer(const char *path, int users, struct error *err)
{
	_cleanup_fd_ int fd = sys_open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	int r;

	if (fd < 0)
		return fail(err, fd, "open \"%s\"", path);
	r = users < 0 ? 0 : mount_map_ids(fd, users, /* recursive= */ false, err);
	return r < 0 ? within(err, r, "\"%s\"", path) : take_fd(&fd);
}

static bool is_single(const struct overlay *overlay)
{
	return overlay->lower_count == 1 && !overlay->upper;
}

static int open_layers(const struct overlay *overlay, int users, struct layers *ret,
		       struct error *err)
{
	ret->fds = xcalloc(overlay->lower_count + 1, sizeof(*ret->fds));
	for (; ret->count < overlay->lower_count; ret->count++) {
		int fd = open_layer(overlay->lower[ret->count], users, err);

		if (fd < 0)
			return within(err, fd, "%s",
				      overlay->names ? overlay->names[0] : "lower directory");
		ret->fds[ret->count] = fd;
	}
	if (is_single(overlay) && overlay->label) {
		ret->fds[ret->count] = fs_open_empty(/* label= */ NULL, err);
		if (ret->fds[ret->count] < 0)
			return ret->fds[ret->count];
		ret->count++;
	}
	return 0;
}

/* As overlay_open() with the layers attached meanwhile. */
static int open_attached(const struct overlay *overlay, struct error *err)
{
	size_t attached = 0;
	int fd = 0;

	for (; fd >= 0 && attached < overlay->lower_count; attached += fd >= 0)
		fd = sys_move_mount(overlay->lower_fds[attached], "", AT_FDCWD, overlay->scratch,
				    MOVE_MOUNT_F_EMPTY_PATH);
	if (fd < 0)
		fail(err, fd, "attach a lower directory to \"%s\"", overlay->scratch);
	else
		fd = overlay_open(overlay, err);
	for (; attached > 0; attached--) {
		if (umount2(overlay->scratch, MNT_DETACH | UMOUNT_NOFOLLOW) < 0 && fd >= 0) {
			fd_close(fd);
			fd = fail(err, -errno, "unmount \"%s\"", overlay->scratch);
		}
	}
	return fd;
}

static int open_stacked(const struct overlay *overlay, struct layers *layers, struct error *err)
{
	const struct mount_change readonly = {.set = MOUNT_ATTR_RDONLY};
	struct overlay by_fds = *overlay;
	struct error first = ERROR_NONE;
	int r;

	if (layers->count == 1 && !overlay->upper) {
		r = mount_change(layers->fds[0], &readonly);
		return r < 0 ? fail(err, r, "make the lower directory read-only")
			     : take_fd(&layers->fds[0]);
	}
	by_fds.lower_fds = layers->fds;
	by_fds.lower_count = layers->count;
	r = overlay_open(&by_fds, &first);
	if (r == -EINVAL)
		r = open_attached(&by_fds, err);
	else if (r < 0)
		*err = first;
	return r;
}

int overlay_open_mapped(const struct overlay *overlay, int users, struct error *err)
{
	struct layers layers = {.fds = NULL};
	int r = open_layers(overlay, users, &layers, err);

	if (r >= 0)
		r = open_stacked(overlay, &layers, err);
	layers_done(&layers);
	return r;
}
