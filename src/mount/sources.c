/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The trees of the host that a container gets, cloned: sources of bind mounts, overlays, the root.
 *
 * Theory of operation. Source paths are the host's, named by whoever wrote config.json, and are
 * resolved in the host's tree as it stands in the container's new mount namespace, before anything
 * of the container is attached. A clone keeps what it showed then, whatever happens to its path.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "berth/base/alloc.h"
#include "berth/base/fd.h"
#include "berth/base/str.h"
#include "berth/base/sys.h"

#include "mount-internal.h"

int clone_tree(const char *path, bool recursive)
{
	return sys_open_tree(AT_FDCWD, path,
			     OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (recursive ? AT_RECURSIVE : 0));
}

/* The mount's own maps, or the container's. */
static int map_ids(const struct spec_mount *mount, const struct mount_origin *origin, size_t i,
		   int fd, struct error *err)
{
	int users = origin ? origin->container_users : -EBADF;

	if (origin && origin->own_users && origin->own_users[i] >= 0)
		users = origin->own_users[i];
	if (users < 0)
		return refuse(err, "map the ids: there is no user namespace with its maps");
	return mount_map_ids(fd, users, mount->id_map_recursive, err);
}

/* The first directory on the way to @path that may not be searched, or NULL; the caller's text. */
static char *barrier_on(const char *path)
{
	for (const char *end = strchr(path + 1, '/'); end; end = strchr(end + 1, '/')) {
		char *directory = xstrndup(path, (size_t)(end - path));

		if (faccessat(AT_FDCWD, directory, X_OK, AT_EACCESS) < 0 && errno == EACCES)
			return directory;
		free(directory);
	}
	return NULL;
}

/* Says which directory it was: root of a user namespace may not enter those of all users. */
static int fail_to_open(struct error *err, int code, const char *path)
{
	_cleanup_free_ char *barrier = code == -EACCES ? barrier_on(path) : NULL;

	if (barrier)
		return fail(err, code, "open \"%s\" (the container's root may not enter \"%s\")",
			    path, barrier);
	return fail(err, code, "open \"%s\"", path);
}

/* One that was staged is taken from there, with its flags locked. */
static int open_bind(const struct spec *spec, size_t i, const struct mount_origin *origin,
		     bool is_staged, struct error *err)
{
	const struct spec_mount *mount = &spec->mounts[i];
	_cleanup_free_ char *staged = NULL;
	int fd;

	if (is_staged)
		staged = xasprintf("%s/%zu", origin->stage, i);
	fd = clone_tree(staged ? staged : mount->source, staged || mount->bind_recursive);
	if (fd < 0)
		return within(err, fail_to_open(err, fd, staged ? staged : mount->source),
			      "mounts[%zu].source", mount->index);
	if (mount->id_map) {
		int r = map_ids(mount, origin, i, fd, err);

		if (r < 0) {
			fd_close(fd);
			return within(err, r, "mounts[%zu].source: \"%s\"", mount->index,
				      mount->source);
		}
	}
	return fd;
}

static int open_binds(const struct spec *spec, const struct mount_origin *origin,
		      struct mount_sources *sources, struct error *err)
{
	for (size_t i = 0; i < spec->mount_count; i++) {
		const struct spec_mount *mount = &spec->mounts[i];
		bool staged = origin && origin->stage && mount_is_staged(spec, mount);

		if (staged || (mount->bind && !mount->remount)) {
			sources->fds[i] = open_bind(spec, i, origin, staged, err);
			if (sources->fds[i] < 0)
				return sources->fds[i];
		}
	}
	return 0;
}

static int open_overlays(const struct spec *spec, const char *label, struct mount_sources *sources,
			 struct error *err)
{
	for (size_t i = 0; i < spec->mount_count; i++) {
		const struct spec_mount *mount = &spec->mounts[i];
		int fd;

		if (mount->bind || mount->remount || !str_equal(mount->type, "overlay"))
			continue;
		fd = overlay_open_entry(mount, spec->root_path, label_for(label, mount), err);
		if (fd < 0)
			return within(err, fd, "mounts[%zu]", mount->index);
		sources->fds[i] = fd;
	}
	return 0;
}

/* A link is refused, as runc does: nobody may lead the root elsewhere by exchanging it. */
static int clone_root(const char *path, struct error *err)
{
	_cleanup_fd_ int fd = sys_open_tree(AT_FDCWD, path,
					    OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE |
						    AT_SYMLINK_NOFOLLOW);
	struct stat st;

	if (fd < 0)
		return within(err, fail_to_open(err, fd, path), "root.path");
	if (fstat(fd, &st) < 0)
		return fail(err, -errno, "root.path: look at \"%s\"", path);
	if (!S_ISDIR(st.st_mode))
		return fail(err, -ENOTDIR, "root.path: open \"%s\"", path);
	return take_fd(&fd);
}

static bool is_mapped(const struct id_map *maps, size_t count, uint32_t id)
{
	for (size_t i = 0; i < count; i++) {
		if (id >= maps[i].host_id && id - maps[i].host_id < maps[i].size)
			return true;
	}
	return false;
}

/*
 * The upper directory is the container's "/", in which nobody could write if its owner were nobody
 * there. The maps of a namespace that is joined need not be known.
 */
static int check_upper(const struct spec *spec, struct error *err)
{
	const struct spec_id_maps *maps = &spec->linux.id_maps;
	const char *upper = spec->overlay.upper;
	struct stat st;

	if (!upper || !maps->uid_count || !maps->gid_count)
		return 0;
	if (stat(upper, &st) < 0)
		return fail(err, -errno, "org.berth.overlay.upper: look at \"%s\"", upper);
	if (is_mapped(maps->uid, maps->uid_count, st.st_uid) &&
	    is_mapped(maps->gid, maps->gid_count, st.st_gid))
		return 0;
	return refuse(err,
		      "org.berth.overlay.upper: \"%s\" belongs to %u:%u, who are not mapped in the "
		      "container's user namespace",
		      upper, st.st_uid, st.st_gid);
}

static int open_mapped_root(const struct spec *spec, const struct overlay *overlay,
			    const struct mount_origin *origin, struct error *err)
{
	int r = check_upper(spec, err);

	if (r < 0)
		return r;
	if (!origin || origin->container_users < 0)
		return refuse(err, "org.berth.overlay.idmap: there is no user namespace with maps");
	return overlay_open_mapped(overlay, origin->container_users, err);
}

static int open_root(const struct spec *spec, const struct mount_origin *origin, struct error *err)
{
	static const char *const annotations[] = {
		"org.berth.overlay.lower", "org.berth.overlay.upper", "org.berth.overlay.work"};
	const struct overlay overlay = {
		.lower = spec->overlay.lower,
		.lower_count = spec->overlay.lower_count,
		.upper = spec->overlay.upper,
		.work = spec->overlay.work,
		.scratch = spec->root_path,
		.label = origin ? origin->label : NULL,
		.names = annotations,
	};

	if (spec->overlay.map_lower)
		return open_mapped_root(spec, &overlay, origin, err);
	if (spec->overlay.lower)
		return overlay_open(&overlay, err);
	return clone_root(spec->root_path, err);
}

static int open_all(const struct spec *spec, const struct mount_origin *origin,
		    struct mount_sources *sources, struct error *err)
{
	int r = open_binds(spec, origin, sources, err);

	/* From here on nothing may reach the host; overlays may have to be attached for a moment.
	 */
	if (r >= 0)
		r = propagation_cut(spec, err);
	if (r >= 0)
		r = open_overlays(spec, origin ? origin->label : NULL, sources, err);
	if (r >= 0)
		r = sources->root = open_root(spec, origin, err);
	return r;
}

int mount_sources_open(const struct spec *spec, const struct mount_origin *origin,
		       struct mount_sources *ret, struct error *err)
{
	struct mount_sources sources = MOUNT_SOURCES_NONE;
	int r;

	sources.fds = xcalloc(spec->mount_count + 1, sizeof(*sources.fds));
	sources.count = spec->mount_count;
	for (size_t i = 0; i < sources.count; i++)
		sources.fds[i] = -EBADF;
	r = open_all(spec, origin, &sources, err);
	if (r < 0) {
		mount_sources_done(&sources);
		return r;
	}
	*ret = sources;
	return 0;
}

void mount_sources_done(struct mount_sources *sources)
{
	for (size_t i = 0; i < sources->count; i++)
		sources->fds[i] = fd_close(sources->fds[i]);
	free(sources->fds);
	sources->fds = NULL;
	sources->count = 0;
	sources->root = fd_close(sources->root);
}
