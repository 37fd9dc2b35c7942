/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which mounts the container and the host see of each other.
 *
 * Theory of operation. A new mount namespace begins as a copy of the host's, and its mounts are
 * peers of the host's. Before anything is mounted that tie is cut: "/" becomes private, or a slave
 * where something in config.json wants to see later mounts of the host. Only where a mount is to
 * pass its own mounts on to the host ("shared") the tie has to stay until the sources of the bind
 * mounts are cloned, because the clone inherits it. It is cut right after that: what remains tied
 * are the clones alone. So attaching the root, and detaching the old one after the pivot, which
 * would take the host's mounts with it, happen in a tree that the host does not see.
 */
#include <sys/mount.h>

#include "berth/base/error.h"

#include "mount-internal.h"

#define PROPAGATION_FLAGS (MS_SHARED | MS_SLAVE | MS_PRIVATE | MS_UNBINDABLE)

uint64_t propagation_mode(const struct spec *spec)
{
	uint64_t asked = spec->linux.rootfs_propagation;

	for (size_t i = 0; i < spec->mount_count; i++)
		asked |= spec->mounts[i].propagation;
	if (asked & MS_SHARED)
		return MS_SHARED;
	return asked & MS_SLAVE ? MS_SLAVE : MS_PRIVATE;
}

static int set_root(uint64_t propagation, bool recursive, struct error *err)
{
	const struct mount_change change = {
		.propagation = propagation & PROPAGATION_FLAGS,
		.recursive = recursive,
	};
	int r = mount_change_root(&change);

	return r < 0 ? fail(err, r, "set the propagation of \"/\"") : 0;
}

int mount_propagation_prepare(const struct spec *spec, struct error *err)
{
	uint64_t mode = propagation_mode(spec);

	return mode == MS_SHARED ? 0 : set_root(mode, /* recursive= */ true, err);
}

int propagation_cut(const struct spec *spec, struct error *err)
{
	bool slave = spec->linux.rootfs_propagation & MS_SLAVE;

	if (propagation_mode(spec) != MS_SHARED)
		return 0;
	return set_root(slave ? MS_SLAVE : MS_PRIVATE, /* recursive= */ true, err);
}

int mount_propagation_apply(const struct spec *spec, struct error *err)
{
	uint64_t wanted = spec->linux.rootfs_propagation;
	int r;

	if (!(wanted & PROPAGATION_FLAGS))
		return 0;
	r = set_root(wanted, wanted & MS_REC, err);
	return r < 0 ? within(err, r, "linux.rootfsPropagation") : 0;
}
