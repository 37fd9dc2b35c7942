/* SPDX-License-Identifier: Apache-2.0 */
/* config.json's mounts[]: each option turned into what the kernel's calls take. */
#ifndef BERTH_SPEC_MOUNT_H
#define BERTH_SPEC_MOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "berth/base/error.h"
#include "berth/spec/linux.h"

/*
 * The three families of flags are three fields, and never mixed: attributes of a mount
 * (MOUNT_ATTR_* of mount_setattr(2)), flags of a superblock (names for fsconfig(2)), propagation
 * (MS_SHARED and so on).
 */
struct spec_mount {
	const char *destination; /* absolute; "." and ".." are left to the resolution in the root */
	const char *type;	 /* "" where not given */
	const char *source;  /* bind: absolute, or NULL with remount; otherwise as given, or NULL */
	bool bind;	     /* "bind" or "rbind", or the type "bind" */
	bool bind_recursive; /* "rbind" */
	bool remount;
	bool copy_up; /* "tmpcopyup" */

	/* MOUNT_ATTR_*: what the options switch on, and off. Any option of the atime family has
	 * all of MOUNT_ATTR__ATIME in clear. */
	uint64_t attributes_set, attributes_clear;
	/* The same from the recursive options (rro, rnoexec …). */
	uint64_t recursive_set, recursive_clear;

	/* Flags for fsconfig(2), in the options' order: "sync", "async", "dirsync", "lazytime",
	 * "nolazytime", "mand", "nomand". "ro" is an attribute of the mount and never among them.
	 */
	const char *const *sb_flags;
	/* File-system options as given: "mode=755", "size=65536k" …; empty for a bind mount. */
	const char *const *data;

	/* MS_SHARED, MS_SLAVE, MS_PRIVATE or MS_UNBINDABLE, with MS_REC or without; 0: none. */
	uint64_t propagation;

	bool id_map;	       /* "idmap", or maps of its own */
	bool id_map_recursive; /* "ridmap" */
	/* Owner in the file system (containerID) and owner in the mount (hostID); empty: the maps
	 * of the container's user namespace. */
	struct spec_id_maps id_maps;

	size_t index; /* which entry of mounts[], for messages */
};

/*
 * Turns one option string into fields of @mount, as the table of mount options says; unknown ones
 * go to its data. Lists in @mount are not touched: *ret_sb_flag or *ret_data is set to what is to
 * be added to them, or NULL. -EINVAL for an option that berth refuses (idmap=…), with a text.
 */
int mount_option_apply(const char *option, struct spec_mount *mount, const char **ret_sb_flag,
		       const char **ret_data, struct error *err) must_check;

/* The names of all options in the table, sorted, NULL-terminated: for `features`. */
extern const char *const mount_option_names[];

#endif
