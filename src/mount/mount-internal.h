/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of src/mount share among themselves: mounts as descriptors, and paths as text. */
#ifndef BERTH_MOUNT_INTERNAL_H
#define BERTH_MOUNT_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "berth/base/error.h"
#include "berth/mount/filesystem.h"

/* Longest value that fsconfig(2) takes, in bytes without the NUL. */
#define FS_VALUE_MAX 255

/*
 * new_fs.c: a new file system, made in steps. fs_open() yields its context; fs_set() gives it one
 * parameter (@value NULL: a flag); fs_finish() makes the file system and yields a detached mount
 * of it with @attributes (MOUNT_ATTR_*). Errors carry what the kernel logged in the context.
 */
int fs_open(const char *type, struct error *err) must_check;
int fs_set(int fs, const char *key, const char *value, struct error *err) must_check;
/* As fs_set(), with @what instead of the option in errors. */
int fs_set_as(int fs, const char *key, const char *value, const char *what,
	      struct error *err) must_check;
/*
 * Whether the context is one that takes parameters unseen, and hands all of them to the file system
 * at the end. To be asked before any other use of a context, which is of no use where it is true.
 */
bool fs_is_legacy(int fs);
int fs_finish(int fs, uint64_t attributes, struct error *err) must_check;
/* As fs_set(), for an option as config.json has it: "key=value" or "flag". */
int fs_set_option(int fs, const char *option, struct error *err) must_check;

/*
 * label.c: SELinux contexts of file systems. @label is the option that asks for one, "context=…".
 * label_for(): it, or NULL where the new file system of an entry takes none, or has one of its own.
 */
const char *label_for(const char *label, const struct spec_mount *mount);
/* Whether an option is one of these. Its value's quotes are mount(2)'s, since it may have commas;
 * fsconfig(2) wants none. Both texts are the caller's.
 */
bool label_is_option(const char *option);
char *label_quoted(const char *option) __attribute__((returns_nonnull));
char *label_unquoted(const char *option) __attribute__((returns_nonnull));
/* Puts before the error of a file system that was to be made with @label, or NULL, whose it may be.
 */
int label_explain(const char *label, int code, struct error *err) must_check;
/* Labels the root of a mount, whose file system exists already. */
int label_root(int mountfd, const char *label, struct error *err) must_check;

/* attach.c: attaches the detached mount @mountfd on what the O_PATH descriptor @at names. */
int mount_attach(int mountfd, int at, struct error *err) must_check;

/* What mount_change() does to a mount; all zero: nothing. */
struct mount_change {
	uint64_t set, clear;  /* MOUNT_ATTR_* */
	uint64_t propagation; /* one of MS_SHARED, MS_SLAVE, MS_PRIVATE, MS_UNBINDABLE, or 0 */
	bool recursive;
};

/* attach.c: mount_setattr(2) on the mount whose root @mountfd is. Returns the raw result. */
int mount_change(int mountfd, const struct mount_change *asked) must_check;
/*
 * attach.c: MOUNT_ATTR_IDMAP by the maps of the user namespace @users on a mount that is attached
 * nowhere yet.
 */
int mount_map_ids(int mountfd, int users, bool recursive, struct error *err) must_check;
/* As mount_change() for the calling process's "/". */
int mount_change_root(const struct mount_change *asked) must_check;

/*
 * propagation.c: how "/" of the new mount namespace stands to the host's while the sources are
 * cloned: MS_PRIVATE, MS_SLAVE, or MS_SHARED where anything asks for that.
 */
uint64_t propagation_mode(const struct spec *spec);
/*
 * Ends MS_SHARED once the bind mounts' sources are cloned, so that nothing that berth attaches or
 * detaches reaches the host. Nothing to do in the other modes.
 */
int propagation_cut(const struct spec *spec, struct error *err) must_check;

/* Flags that keep something from a container, and that a user namespace cannot
 * take away where they are the host's. */
#define HOST_FLAGS                                                                                 \
	((uint64_t)(MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC))

/* sources.c: open_tree(2) of the tree at @path of the host. Returns the raw result. */
int clone_tree(const char *path, bool recursive) must_check;

/* stage.c: whether mount_stage() sets up the entry: a read-only bind, or what stands in for a
 * sysfs.
 */
bool mount_is_staged(const struct spec *spec, const struct spec_mount *mount);

/* The layers of one overlay. Directories of the host; nothing is owned. */
struct overlay {
	const char *const *lower; /* the top one first */
	size_t lower_count;
	const int *lower_fds;	    /* descriptors to take instead of the paths, or NULL */
	const char *upper, *work;   /* both or neither */
	const char *const *options; /* more options, NULL-terminated, or NULL */
	const char *const *names;   /* of lower, upper and work in errors; NULL: those words */
	const char *scratch;	    /* directory of the host to mount on for a moment, if need be */
	const char *label;	    /* one more option, see label.c; or NULL */
};

/* overlay.c: yields a detached mount of the overlay. */
int overlay_open(const struct overlay *overlay, struct error *err) must_check;
/*
 * The two ways of overlay_open(), which takes the second where the first is -EINVAL: one
 * fsconfig(2) for each layer, which older kernels do not know; or mount(2) on the scratch
 * directory.
 */
int overlay_open_by_parameters(const struct overlay *overlay, struct error *err) must_check;
int overlay_open_by_mount(const struct overlay *overlay, struct error *err) must_check;
/*
 * overlay_map.c: overlay_open() with the ids in all lower directories mapped by the user namespace
 * @users; negative: as they are. Runs in a mount namespace of the container's own.
 */
int overlay_open_mapped(const struct overlay *overlay, int users, struct error *err) must_check;
/* overlay.c: overlay_open() for an entry of mounts[] of the type "overlay". */
int overlay_open_entry(const struct spec_mount *mount, const char *scratch, const char *label,
		       struct error *err) must_check;
/* new_fs.c: an empty tmpfs that nobody may write to or execute from. @label may be NULL. */
int fs_open_empty(const char *label, struct error *err) must_check;

/*
 * copy_up.c: copies what is in the directory @from (O_PATH) into the directory @to: files,
 * directories, links, nodes, with owner, mode, times and extended attributes.
 */
int copy_up(int from, int to, struct error *err) must_check;

/*
 * destination.c: @path with ".", ".." and doubled slashes resolved as text; absolute; the caller's.
 * Where no link is followed the kernel means the same by it.
 */
char *destination_clean(const char *path) __attribute__((returns_nonnull));
/* destination.c: True if the absolute @path is the clean absolute path @clean, however it is
 * written. */
bool destination_is(const char *path, const char *clean);
/* destination.c: True if clean @path is @parent or lies beneath it. */
bool path_within(const char *path, const char *parent);

/* mounts.c: the entry of mounts[] that is mounted on /dev last, or NULL. */
const struct spec_mount *mount_on_dev(const struct spec *spec);
/* mounts.c: True for a tmpfs that is to be read-only: made so only after it has been filled. */
bool mount_is_late_readonly(const struct spec_mount *mount);

#endif
