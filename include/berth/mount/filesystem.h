/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file system of a container, built by its init in its own mount namespace, in this order:
 * propagation, root, mounts, devices, masks, root read-only, (createContainer hooks), pivot,
 * propagation of the root. Each function is one step; no path of the container's root is ever
 * resolved by string (known defence: CVE-2021-30465, CVE-2024-45310, CVE-2025-31133).
 */
#ifndef BERTH_MOUNT_FILESYSTEM_H
#define BERTH_MOUNT_FILESYSTEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "berth/base/error.h"
#include "berth/spec/spec.h"

/* Detached clones of the trees that bind mounts take, one for each entry of mounts[]. */
struct mount_sources {
	int *fds; /* owned; negative where the entry needs none; `count` of them */
	size_t count;
	int root; /* detached clone of root.path, or of the overlay over it; owned */
};

#define MOUNT_SOURCES_NONE                                                                         \
	{                                                                                          \
		.root = -1                                                                         \
	}

/* What sources are opened with besides the spec. Nothing is owned. */
struct mount_origin {
	/* User namespaces whose maps mounts take: one for each entry of mounts[] with maps of its
	 * own, else -1 (or NULL); and the container's, or -1. */
	const int *own_users;
	int container_users;
	const char *stage; /* where mount_stage() has put trees, or NULL */
	const char *label; /* as in struct mount_context */
};

/* What the steps need besides their slice of the spec. Descriptors are the caller's. */
struct mount_context {
	int procfd;	       /* pinned procfs of the host (base/proc.h) */
	int rootfd;	       /* the attached root, O_PATH; -1 before mount_root_attach() */
	int cgroupfd;	       /* the container's cgroup directory, or -1 */
	int consolefd;	       /* the slave of its terminal, to be /dev/console, or -1 */
	bool user_namespace;   /* in a user namespace that is not the host's: no device nodes */
	bool cgroup_namespace; /* in a cgroup namespace of its own */
	bool ipc_namespace;    /* in an IPC namespace that is not the host's */
	const char *label;     /* the option that gives new file systems their label, or NULL */
	const char *bundle;    /* absolute */
};

/*
 * Read-only binds for a container with another user namespace: whether there are any, and setting
 * them up as attached mounts below a tmpfs at the directory @stage, in a mount namespace of the
 * caller's own that belongs to the host's user namespace. In the copy of it that the container
 * gets their flags are locked, and no capability there takes them away (mount_namespaces(7)).
 * Errors name `mounts[N].source`.
 */
bool mount_stage_wanted(const struct spec *spec);
int mount_stage(const struct spec *spec, const char *stage, struct error *err) must_check;

/*
 * Clones the sources of all bind mounts and of the root, recursively where asked, and makes the
 * overlays, that of the root and those in mounts[]. Where "/" stayed shared it is cut off now.
 * Runs in the container's mount namespace, but with the rights of whoever calls: init itself where
 * there is no new user namespace; otherwise the parent after entering the child's mount namespace
 * (so that the flags of the host's mounts stay locked), which then sends the descriptors.
 * Ids are mapped here, too. @origin may be NULL where nothing of it is needed.
 * *ret is the caller's, mount_sources_done() frees it.
 * Errors name `mounts[N].source`, `root.path` or the overlay's annotation.
 */
int mount_sources_open(const struct spec *spec, const struct mount_origin *origin,
		       struct mount_sources *ret, struct error *err) must_check;
void mount_sources_done(struct mount_sources *sources);

/*
 * Cuts the new mount namespace off from the host's: "/" becomes private, or slave where a mount
 * or the root asks for propagation from the host, or stays shared where it asks for that too;
 * recursive always. Reads spec's rootfs_propagation and the mounts' propagation.
 */
int mount_propagation_prepare(const struct spec *spec, struct error *err) must_check;

/*
 * Attaches the root's clone at root.path, or over "/" where the way to root.path is barred in a
 * user namespace, and yields the O_PATH descriptor of the attached root, to become
 * context->rootfd; the caller's. @sources gives it up.
 */
int mount_root_attach(const struct spec *spec, struct mount_sources *sources, int *ret_rootfd,
		      struct error *err) must_check;

/*
 * The root of a container that shares its mount namespace with the host, or with another container:
 * the clone is attached nowhere, so that the mount table of that namespace stays as it is. Mounts
 * beneath it can be attached all the same from Linux 6.15 on; before, the error says so. Returns
 * the descriptor of the root; the tree lasts as long as a process has it as its root.
 */
int mount_root_hold(struct mount_sources *sources) must_check;

/*
 * Carries out mounts[] in order: makes the mount point inside the root where it is missing, makes
 * or takes the mount, sets its attributes, attaches it to the mount point's descriptor, applies
 * propagation and recursive attributes. @sources is used up as far as it gets. A symbolic link in
 * a destination is followed within the root, but refused at and beneath /proc and /sys.
 * Errors: `mounts[N]: mount "TYPE" on "DESTINATION": …`.
 */
int mount_all(const struct mount_context *context, const struct spec *spec,
	      struct mount_sources *sources, struct error *err) must_check;

/*
 * Fills /dev of the root (opened once, without following links): the default devices of
 * config-linux.md, linux.devices, the links fd, stdin, stdout, stderr, ptmx, core. Nodes are made
 * with mknodat(2), or bound from the host's in a user namespace. What exists there already must be
 * the right kind and number, else the error names it. Over /dev/console, which may be there or not,
 * goes the terminal's slave. A /dev that is a link is refused; one that mounts[] binds is left
 * alone.
 */
int mount_dev(const struct mount_context *context, const struct spec *spec,
	      struct error *err) must_check;

/*
 * Masks linux.maskedPaths (a directory by one shared empty read-only tmpfs, a file by the host's
 * null device, checked to be one) and makes linux.readonlyPaths read-only. Missing paths are
 * skipped, as runc does. Paths are resolved in the root.
 */
int mount_masks(const struct mount_context *context, const struct spec *spec,
		struct error *err) must_check;

/* Makes the root mount itself read-only where root.readonly asks for it. */
int mount_root_finish(const struct mount_context *context, const struct spec *spec,
		      struct error *err) must_check;

/*
 * Makes the root the process's root: pivot_root(".", ".") and detaching the old one, or, with
 * @no_pivot (an initramfs), moving it over "/" and chroot(2). Afterwards cwd is "/", and nothing
 * of the host's tree is reachable.
 */
int mount_pivot(int rootfd, bool no_pivot, struct error *err) must_check;

/* The same for a root of mount_root_hold(): chroot(2), since there is nothing to pivot. */
int mount_enter_held(int rootfd, struct error *err) must_check;

/* Sets linux.rootfsPropagation on the new "/". After the pivot. */
int mount_propagation_apply(const struct spec *spec, struct error *err) must_check;

#endif
