/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config.json's mounts[]: one after the other, each made as a detached mount and then attached.
 *
 * Theory of operation. The tree under the root is the image's, and with shared volumes another
 * container may be changing it right now. So a destination is resolved exactly once, within the
 * root, to a descriptor; the mount is attached to that descriptor, and not to a path
 * (CVE-2021-30465). /proc and /sys, and what lies beneath them, are what the rest of berth and the
 * security modules rely on: there a symbolic link anywhere in the destination is refused
 * (CVE-2019-19921, CVE-2023-28642).
 *
 * A tmpfs that is to be read-only becomes so only after all mounts are in place, because mount
 * points (and the nodes of /dev) may still have to be made on it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "berth/base/alloc.h"
#include "berth/base/fd.h"
#include "berth/base/proc.h"
#include "berth/base/root.h"
#include "berth/base/str.h"
#include "berth/base/sys.h"

#include "mount-internal.h"

#define PROPAGATION_FLAGS (MS_SHARED | MS_SLAVE | MS_PRIVATE | MS_UNBINDABLE)

/* One entry of mounts[] while it is carried out. Descriptors belong to mount_one(). */
struct job {
	const struct mount_context *context;
	const struct spec_mount *mount;
	int source;	/* the clone of mount_sources_open(), or negative */
	int at;		/* the mount point, O_PATH */
	bool at_is_new; /* the mount point may have been missing, and was made */
};

bool mount_is_late_readonly(const struct spec_mount *mount)
{
	return !mount->bind && !mount->remount && str_equal(mount->type, "tmpfs") &&
	       (mount->attributes_set | mount->recursive_set) & MOUNT_ATTR_RDONLY;
}

const struct spec_mount *mount_on_dev(const struct spec *spec)
{
	for (size_t i = spec->mount_count; i > 0; i--) {
		const struct spec_mount *mount = &spec->mounts[i - 1];

		if (!mount->remount && destination_is(mount->destination, "/dev"))
			return mount;
	}
	return NULL;
}

/* Whether a symbolic link in the destination must be refused. */
static bool is_guarded(const struct spec_mount *mount, const char *clean)
{
	if (!mount->bind && (str_equal(mount->type, "proc") || str_equal(mount->type, "sysfs")))
		return true;
	return path_within(clean, "/proc") || path_within(clean, "/sys");
}

static int refuse_link(struct error *err)
{
	return refuse_as(err, -ELOOP,
			 "the destination is a symbolic link, or leads through one, which is "
			 "refused for /proc and /sys");
}

/* As open_mountpoint() where no link may be followed: /proc, /sys. */
static int open_guarded(const struct job *job, const char *path, enum root_kind kind,
			struct error *err)
{
	int rootfd = job->context->rootfd;
	int fd = root_try_open(rootfd, path, ROOT_NO_SYMLINKS, O_PATH);

	if (fd == -ENOENT) {
		fd = root_make(rootfd, path, kind, err);
		if (fd < 0)
			return within(err, fd, "make the mount point");
		fd_close(fd);
		fd = root_try_open(rootfd, path, ROOT_NO_SYMLINKS, O_PATH);
	}
	if (fd == -ELOOP)
		return refuse_link(err);
	return fd < 0 ? fail(err, fd, "open the mount point") : fd;
}

static bool has_option(const struct spec_mount *mount, const char *prefix)
{
	for (size_t i = 0; mount->data && mount->data[i]; i++) {
		if (str_starts(mount->data[i], prefix))
			return true;
	}
	return false;
}

/* A tmpfs over a directory that exists looks like that directory, unless a mode is given. */
static bool takes_mode_along(const struct spec_mount *mount)
{
	return !mount->bind && str_equal(mount->type, "tmpfs") && !has_option(mount, "mode=");
}

/* Opens the mount point, and makes it if it is missing. */
static int open_mountpoint(struct job *job, enum root_kind kind, struct error *err)
{
	const struct spec_mount *mount = job->mount;
	_cleanup_free_ char *clean = destination_clean(mount->destination);
	int fd = -ENOENT;

	if (str_equal(clean, "/"))
		return refuse(err, "a mount over the root itself: use root.path");
	if (is_guarded(mount, clean))
		return open_guarded(job, clean, kind, err);
	/* Only a tmpfs has to know whether there was anything. */
	if (takes_mode_along(mount))
		fd = root_try_open(job->context->rootfd, mount->destination, ROOT_FOLLOW, O_PATH);
	if (fd != -ENOENT)
		return fd < 0 ? fail(err, fd, "open the mount point") : fd;
	job->at_is_new = true;
	fd = root_make(job->context->rootfd, mount->destination, kind, err);
	return fd < 0 ? within(err, fd, "make the mount point") : fd;
}

/* Feeds the options of an entry, but "ro" where @skip_readonly, to a file-system context. */
static int set_options(int fs, const struct spec_mount *mount, bool skip_readonly,
		       struct error *err)
{
	int r = mount->source ? fs_set(fs, "source", mount->source, err) : 0;

	for (size_t i = 0; r >= 0 && mount->sb_flags && mount->sb_flags[i]; i++) {
		if (!skip_readonly || !str_equal(mount->sb_flags[i], "ro"))
			r = fs_set(fs, mount->sb_flags[i], NULL, err);
	}
	for (size_t i = 0; r >= 0 && mount->data && mount->data[i]; i++)
		r = fs_set_option(fs, mount->data[i], err);
	return r;
}

/* The last option is the label; whether it may be is seen when the file system is made. */
static int finish(int fs, const struct job *job, uint64_t attributes, struct error *err)
{
	const char *label = label_for(job->context->label, job->mount);
	int r = label ? fs_set_option(fs, label, err) : 0;

	if (r >= 0)
		r = fs_finish(fs, attributes, err);
	return label_explain(label, r, err);
}

static uint64_t new_attributes(const struct spec_mount *mount)
{
	return mount->attributes_set | mount->recursive_set;
}

/* Any file system that needs nothing special. */
static int take_plain(const struct job *job, struct error *err)
{
	const struct spec_mount *mount = job->mount;
	_cleanup_fd_ int fs = fs_open(mount->type, err);
	int r;

	if (fs < 0)
		return fs;
	r = set_options(fs, mount, /* skip_readonly= */ false, err);
	return r < 0 ? r : finish(fs, job, new_attributes(mount), err);
}

/* What the host has mounted at @path, recursively, and read-only whatever was asked. */
static int take_host_tree(const struct job *job, const char *path, struct error *err)
{
	const struct mount_change change = {
		.set = new_attributes(job->mount) | MOUNT_ATTR_RDONLY,
		.recursive = true,
	};
	/* Where there is a source it was staged for this. */
	_cleanup_fd_ int fd = job->source >= 0 ? fd_dup(job->source, err)
					       : clone_tree(path, /* recursive= */ true);
	int r;

	if (fd < 0)
		return fail(err, fd, "clone the host's %s", path);
	r = mount_change(fd, &change);
	return r < 0 ? fail(err, r, "make the host's %s read-only", path) : take_fd(&fd);
}

/*
 * A sysfs shows the network devices of a network namespace, so a user namespace may only mount one
 * for a network namespace that it owns. Without one, be it the host's or one that was joined, the
 * host's is shown instead.
 */
static int take_sysfs(const struct job *job, struct error *err)
{
	struct error first = ERROR_NONE;
	int fd = take_plain(job, &first);

	if (fd == -EPERM && job->context->user_namespace)
		return take_host_tree(job, "/sys", err);
	if (fd < 0)
		*err = first;
	return fd;
}

static int set_tmpfs_mode(int fs, const struct job *job, struct error *err)
{
	char mode[16];
	struct stat st;

	if (job->at_is_new || !takes_mode_along(job->mount))
		return 0;
	if (fstat(job->at, &st) < 0)
		return fail(err, -errno, "look at the mount point");
	snprintf(mode, sizeof(mode), "%o", st.st_mode & 07777u);
	return fs_set(fs, "mode", mode, err);
}

static int take_tmpfs(const struct job *job, struct error *err)
{
	const struct spec_mount *mount = job->mount;
	_cleanup_fd_ int fs = fs_open(mount->type, err);
	_cleanup_fd_ int fd = -EBADF;
	int r;

	if (fs < 0)
		return fs;
	r = set_tmpfs_mode(fs, job, err);
	if (r >= 0)
		r = set_options(fs, mount, /* skip_readonly= */ true, err);
	if (r < 0)
		return r;
	fd = finish(fs, job, new_attributes(mount) & ~(uint64_t)MOUNT_ATTR_RDONLY, err);
	if (fd < 0 || !mount->copy_up)
		return take_fd(&fd);
	r = copy_up(job->at, fd, err);
	return r < 0 ? within(err, r, "tmpcopyup") : take_fd(&fd);
}

/*
 * An IPC namespace has one from its beginning, which a mount only shows: too late for an option.
 * The host's keeps the label that it has.
 */
static int take_mqueue(const struct job *job, struct error *err)
{
	const struct mount_context *context = job->context;
	_cleanup_fd_ int fd = take_plain(job, err);
	int r = fd;

	if (r >= 0 && context->label && context->ipc_namespace)
		r = label_root(fd, context->label, err);
	return r < 0 ? r : take_fd(&fd);
}

/*
 * The path of the directory @dirfd in the mount namespace that it was opened in. It is the same in
 * ours, which is a copy; the caller checks.
 */
static int directory_path(int dirfd, char **ret, struct error *err)
{
	char self[FD_PATH_MAX], target[4096];
	ssize_t n;

	fd_path(dirfd, self);
	n = readlink(self, target, sizeof(target) - 1);
	if (n < 0)
		return fail(err, -errno, "read link \"%s\"", self);
	*ret = xstrndup(target, (size_t)n);
	return 0;
}

/* Without a cgroup namespace: the container's own cgroup directory alone, bound. */
static int take_cgroup_directory(const struct job *job, struct error *err)
{
	const struct mount_change change = {.set = new_attributes(job->mount)};
	_cleanup_free_ char *path = NULL;
	_cleanup_fd_ int fd = -EBADF;
	struct stat wanted, found;
	int r;

	r = directory_path(job->context->cgroupfd, &path, err);
	if (r < 0)
		return r;
	/* A descriptor of the host's mount namespace can't be cloned in ours, so by path. */
	fd = sys_open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (fd < 0)
		return fail(err, fd, "clone the cgroup \"%s\"", path);
	if (fstat(job->context->cgroupfd, &wanted) < 0 || fstat(fd, &found) < 0)
		return fail(err, -errno, "look at the cgroup \"%s\"", path);
	if (wanted.st_dev != found.st_dev || wanted.st_ino != found.st_ino)
		return refuse(err, "\"%s\" is not the container's cgroup", path);
	r = mount_change(fd, &change);
	return r < 0 ? fail(err, r, "set the attributes") : take_fd(&fd);
}

/*
 * "cgroup" means the one hierarchy that berth works with, as "cgroup2" does. Without a namespace
 * and without a cgroup of its own, a container sees the hierarchy as berth's caller does, whose
 * cgroup it is in.
 */
static int take_cgroup(const struct job *job, struct error *err)
{
	const bool namespaced = job->context->cgroup_namespace;
	struct spec_mount mount = *job->mount;
	struct job as_cgroup2 = *job;
	struct error first = ERROR_NONE;
	int fd;

	if (!namespaced && job->context->cgroupfd >= 0)
		return take_cgroup_directory(job, err);
	/* All mounts share one superblock, which flags would not change: the attributes do it. */
	mount.sb_flags = NULL;
	mount.type = "cgroup2";
	as_cgroup2.mount = &mount;
	fd = take_plain(&as_cgroup2, &first);
	/* In a user namespace, be it the container's or an engine's. */
	if (fd == -EPERM && !namespaced)
		return take_host_tree(job, "/sys/fs/cgroup", err);
	if (fd < 0)
		*err = first;
	return fd;
}

static const struct {
	const char *type;
	int (*take)(const struct job *job, struct error *err);
} kinds[] = {
	{"sysfs", take_sysfs},	 {"tmpfs", take_tmpfs},	   {"mqueue", take_mqueue},
	{"cgroup", take_cgroup}, {"cgroup2", take_cgroup},
};

/* Puts before an error what it means in a user namespace, where it says little by itself. */
static int explain(const struct job *job, int code, struct error *err)
{
	const struct spec_mount *mount = job->mount;

	if (code >= 0 || !job->context->user_namespace)
		return code;
	if (code == -EINVAL && (has_option(mount, "uid=") || has_option(mount, "gid=")))
		return within(err, code,
			      "are the ids of uid= and gid= mapped in the user namespace?");
	if (code == -EPERM)
		return within(err, code,
			      "a user namespace must own the namespace that this file system shows "
			      "(pid, network, ipc), and see the host's own mount of it uncovered");
	return code;
}

/* Makes the file system of an entry, and yields a detached mount of it. */
static int take_new(const struct job *job, struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (str_equal(kinds[i].type, job->mount->type))
			return explain(job, kinds[i].take(job, err), err);
	}
	return explain(job, take_plain(job, err), err);
}

static int change_attributes(int fd, uint64_t set, uint64_t clear, bool recursive,
			     struct error *err)
{
	const struct mount_change change = {.set = set, .clear = clear, .recursive = recursive};
	int r;

	if (!set && !clear)
		return 0;
	r = mount_change(fd, &change);
	/*
	 * In a user namespace what the host has set stays. Engines write "rw" for every volume,
	 * also for one that is on a read-only mount: peers leave it so.
	 */
	if (r == -EPERM && (clear & HOST_FLAGS))
		return change_attributes(fd, set, clear & ~HOST_FLAGS, recursive, err);
	if (r == -EPERM && clear)
		return fail(err, r,
			    "set the attributes: what the host has set can't be changed in a user "
			    "namespace");
	return r < 0 ? fail(err, r, "set the attributes") : 0;
}

/* Sets what the options ask for on a mount that exists already: a clone, or a remount. */
static int apply_attributes(int fd, const struct spec_mount *mount, struct error *err)
{
	int r = change_attributes(fd, mount->recursive_set, mount->recursive_clear,
				  /* recursive= */ true, err);

	if (r >= 0)
		r = change_attributes(fd, mount->attributes_set, mount->attributes_clear,
				      /* recursive= */ false, err);
	return r;
}

static int remount(const struct job *job, struct error *err)
{
	const struct spec_mount *mount = job->mount;
	_cleanup_fd_ int fd = -EBADF;
	int r;

	if (!mount->bind && mount->data && mount->data[0])
		return refuse(err, "remount changes only the mount's attributes, not \"%s\"",
			      mount->data[0]);
	fd = root_try_open(job->context->rootfd, mount->destination, ROOT_FOLLOW, O_PATH);
	if (fd < 0)
		return fail(err, fd, "open the mount point");
	r = apply_attributes(fd, mount, err);
	if (r == -EINVAL)
		return within(err, r, "remount: is anything mounted there?");
	return r;
}

/*
 * Sets the propagation that an entry asks for. Where the whole namespace is private nothing needs
 * to be made so.
 */
static int apply_propagation(int fd, const struct spec_mount *mount, uint64_t mode,
			     struct error *err)
{
	const struct mount_change change = {
		.propagation = mount->propagation & PROPAGATION_FLAGS,
		.recursive = mount->propagation & MS_REC,
	};
	int r;

	if (!change.propagation || (change.propagation == MS_PRIVATE && mode == MS_PRIVATE))
		return 0;
	r = mount_change(fd, &change);
	return r < 0 ? fail(err, r, "set the propagation") : 0;
}

/* What kind of mount point an entry needs: that of a bound file is a file. */
static int mountpoint_kind(const struct job *job, enum root_kind *ret, struct error *err)
{
	struct stat st;

	*ret = ROOT_DIRECTORY;
	if (!job->mount->bind)
		return 0;
	if (job->source < 0)
		return refuse(err, "the source was not opened");
	if (fstat(job->source, &st) < 0)
		return fail(err, -errno, "look at the source");
	if (!S_ISDIR(st.st_mode))
		*ret = ROOT_FILE;
	return 0;
}

/* Attaches the mount of an entry, and yields its descriptor. */
static int place(struct job *job, struct error *err)
{
	_cleanup_fd_ int fd = -EBADF;
	enum root_kind kind;
	int r = mountpoint_kind(job, &kind, err);

	if (r < 0)
		return r;
	job->at = open_mountpoint(job, kind, err);
	if (job->at < 0)
		return job->at;
	/* That of a sysfs only stands in for it. */
	if (job->source >= 0 && !str_equal(job->mount->type, "sysfs")) {
		fd = take_fd(&job->source);
		r = apply_attributes(fd, job->mount, err);
	} else {
		r = fd = take_new(job, err);
	}
	if (r >= 0)
		r = mount_attach(fd, job->at, err);
	return r < 0 ? r : take_fd(&fd);
}

/* *source: what the entry takes; afterwards the attached mount where it is needed later. */
static int mount_one(const struct mount_context *context, const struct spec_mount *mount,
		     uint64_t mode, int *source, struct error *err)
{
	struct job job = {.context = context, .mount = mount, .source = -EBADF, .at = -EBADF};
	_cleanup_fd_ int fd = -EBADF;
	int r;

	if (mount->remount)
		return remount(&job, err);
	job.source = take_fd(source);
	fd = place(&job, err);
	fd_close(job.source);
	fd_close(job.at);
	if (fd < 0)
		return fd;
	r = apply_propagation(fd, mount, mode, err);
	if (r >= 0 && mount_is_late_readonly(mount))
		*source = take_fd(&fd);
	return r;
}

static int fail_entry(struct error *err, int code, const struct spec_mount *mount)
{
	return within(err, code, "mounts[%zu]: mount \"%s\" on \"%s\"", mount->index,
		      mount->bind ? "bind" : mount->type, mount->destination);
}

/* Makes those mounts read-only that had to wait. /dev waits longer, for its nodes. */
static int finish_readonly(const struct spec *spec, struct mount_sources *sources,
			   struct error *err)
{
	for (size_t i = 0; i < spec->mount_count; i++) {
		const struct spec_mount *mount = &spec->mounts[i];
		int r;

		if (!mount_is_late_readonly(mount) || mount == mount_on_dev(spec))
			continue;
		r = change_attributes(sources->fds[i], MOUNT_ATTR_RDONLY, 0,
				      /* recursive= */ false, err);
		if (r < 0)
			return fail_entry(err, r, mount);
	}
	return 0;
}

/*
 * The kernel lists mounts by their ids since 6.8, and the sources of bind mounts were cloned before
 * any other mount was made. A clone of the clone, made when its turn has come, puts it where its
 * entry of mounts[] stands. Not in a user namespace, where the clones are not ours.
 * KERNEL(6.15): before, what is attached nowhere cannot be cloned; then the first clone serves.
 */
static void renew_source(const struct spec_mount *mount, int *fd)
{
	unsigned flags = OPEN_TREE_CLONE | AT_EMPTY_PATH;
	int fresh;

	if (!mount->bind || *fd < 0)
		return;
	fresh = sys_open_tree(*fd, "", flags | (mount->bind_recursive ? AT_RECURSIVE : 0));
	if (fresh < 0)
		return;
	fd_close(*fd);
	*fd = fresh;
}

int mount_all(const struct mount_context *context, const struct spec *spec,
	      struct mount_sources *sources, struct error *err)
{
	uint64_t mode = propagation_mode(spec);

	if (sources->count != spec->mount_count)
		return refuse(err, "%zu sources for %zu mounts", sources->count, spec->mount_count);
	for (size_t i = 0; i < spec->mount_count; i++) {
		const struct spec_mount *mount = &spec->mounts[i];
		int r;

		if (!context->user_namespace)
			renew_source(mount, &sources->fds[i]);
		r = mount_one(context, mount, mode, &sources->fds[i], err);
		if (r < 0)
			return fail_entry(err, r, mount);
	}
	return finish_readonly(spec, sources, err);
}
