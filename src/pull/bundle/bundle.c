/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making a bundle.
 *
 * Theory of operation. All is made in a directory beside the bundle, under a name of its own and of
 * mode 0700 (set-user-id programs of the image are nobody's on the host), and moved into place when
 * it is whole: rename(2) takes a name that is free, or an empty directory, and nothing else. On a
 * failure the directory goes again; after a kill, with the next command that writes to the store.
 */
#include "bundle.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "berth/base/fd.h"
#include "berth/base/path.h"

#include "common/random_name.h"
#include "common/tree.h"
#include "store/store_outside.h"

#include "bundle-internal.h"

/* The directory in which the bundle is made, until it is in its place. */
struct workplace {
	int parentfd;			 /* where the bundle is to be */
	char name[RANDOM_NAME_MAX + 16]; /* "" when there is nothing to remove */
	const char *path, *last;	 /* of the bundle; its last component */
	struct store_outside note;
};

static void workplace_done(struct workplace *place)
{
	if (place->name[0])
		ignore(tree_remove(place->parentfd, place->name, NULL)); /* it failed before */
	store_outside_end(&place->note);
	fd_close(place->parentfd);
}
#define _cleanup_workplace_ __attribute__((cleanup(workplace_done)))

/* An empty directory is replaced: it must not be one that is known by more than its name. */
static int check_replaceable(const char *path, int fd, struct error *err)
{
	struct stat there, here;
	struct statx more;

	if (fstat(fd, &there) < 0)
		return fail(err, -errno, "bundle \"%s\"", path);
	if (stat(".", &here) == 0 && here.st_dev == there.st_dev && here.st_ino == there.st_ino)
		return refuse_as(
			err, -EBUSY,
			"bundle \"%s\": is the working directory, whose name would lead to "
			"another one; name one that is not there",
			path);
	if (statx(fd, "", AT_EMPTY_PATH, 0, &more) == 0 &&
	    (more.stx_attributes & STATX_ATTR_MOUNT_ROOT))
		return refuse_as(err, -EBUSY,
				 "bundle \"%s\": is a mount point; name a directory below it",
				 path);
	return 0;
}

/* Whether the place is free: nothing there, or an empty directory. */
static int check_place(const char *path, struct error *err)
{
	_cleanup_fd_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_dir_ DIR *dir = NULL;
	const struct dirent *entry;

	if (fd < 0)
		return errno == ENOENT ? 0 : fail(err, -errno, "bundle \"%s\"", path);
	dir = fdopendir(fd);
	if (!dir)
		return fail(err, -errno, "bundle \"%s\"", path);
	take_fd(&fd);
	while ((entry = readdir(dir))) {
		if (!str_equal(entry->d_name, ".") && !str_equal(entry->d_name, ".."))
			return refuse_as(err, -ENOTEMPTY, "bundle \"%s\": is there, and not empty",
					 path);
	}
	return check_replaceable(path, dirfd(dir), err);
}

/* The directory that the bundle is to lie in, writable. */
static int open_parent(const char *path, struct error *err)
{
	const char *slash = strrchr(path, '/');
	_cleanup_free_ char *parent = xstrndup(path, slash == path ? 1 : (size_t)(slash - path));
	_cleanup_fd_ int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return fail(err, -errno, "bundle \"%s\": open \"%s\"", path, parent);
	if (faccessat(fd, ".", W_OK | X_OK, AT_EACCESS) < 0)
		return fail(err, -errno, "bundle \"%s\": write to \"%s\"", path, parent);
	return take_fd(&fd);
}

int bundle_check_place(const char *path, struct error *err)
{
	_cleanup_free_ char *absolute = path_absolute(path);
	_cleanup_fd_ int parentfd = -EBADF;
	int r;

	if (!absolute)
		return fail(err, -errno, "find the working directory");
	r = check_place(absolute, err);
	if (r < 0)
		return r;
	parentfd = open_parent(absolute, err);
	return parentfd < 0 ? parentfd : 0;
}

/* Makes the directory, empty, with a note of it in the store. Returns its descriptor. */
static int make_workplace(const struct store *store, struct workplace *place, struct error *err)
{
	_cleanup_free_ char *path =
		xasprintf("%.*s%s", (int)(place->last - place->path), place->path, place->name);
	_cleanup_fd_ int fd = -EBADF;
	int r = store_outside_begin(store, path, &place->note, err);

	if (r >= 0 && mkdirat(place->parentfd, place->name, 0700) < 0)
		r = fail(err, -errno, "make a directory beside it");
	if (r < 0) {
		place->name[0] = '\0';
		return r;
	}
	fd = openat(place->parentfd, place->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return fail(err, -errno, "open the directory beside it");
	r = store_outside_made(&place->note, fd, err);
	return r < 0 ? r : take_fd(&fd);
}

static int open_workplace(const struct store *store, const char *path, struct workplace *ret,
			  struct error *err)
{
	char random[RANDOM_NAME_MAX];
	int r;

	ret->path = path;
	ret->last = strrchr(path, '/') + 1;
	if (ret->last[0] == '\0')
		return refuse(err, "bundle \"/\": is there, and not empty");
	ret->parentfd = open_parent(path, err);
	if (ret->parentfd < 0)
		return ret->parentfd;
	r = random_name(random);
	if (r < 0)
		return fail(err, r, "name a directory");
	snprintf(ret->name, sizeof(ret->name), ".berth-bundle-%s", random);
	r = make_workplace(store, ret, err);
	return r < 0 ? within(err, r, "bundle \"%s\"", path) : r;
}

static int move_into_place(struct workplace *place, struct error *err)
{
	if (renameat(place->parentfd, place->name, place->parentfd, place->last) < 0)
		return fail(err, -errno, "bundle \"%s\"", place->path);
	place->name[0] = '\0';
	return 0;
}

static int write_config(const struct bundle_work *work, const struct bundle_user *user,
			struct error *err)
{
	const struct bundle_contents contents = {
		.plan = work->plan,
		.image = work->image,
		.user = user,
		.lower = work->lower,
		.volumes = work->volumes,
		.volume_count = work->volume_count,
		.has_hosts = work->has_hosts,
	};
	_cleanup_free_ char *text = bundle_config_text(&contents);

	return file_create_at(work->fd, "config.json", 0644, text, strlen(text), err);
}

/* A file of the bundle that is the container's root's, who may change it. */
static int write_for_root(const struct bundle_work *work, const char *name, const char *text,
			  struct error *err)
{
	const struct bundle_plan *plan = work->plan;
	uint32_t uid = 0, gid = 0;
	int r = file_create_at(work->fd, name, 0644, text, strlen(text), err);

	if (r < 0 || !plan->map_layers)
		return r;
	if (!id_maps_find(&plan->uids, 0, &uid) || !id_maps_find(&plan->gids, 0, &gid) ||
	    fchownat(work->fd, name, uid, gid, AT_SYMLINK_NOFOLLOW) < 0)
		return fail(err, -errno, "give \"%s\" to %u:%u", name, uid, gid);
	return 0;
}

/* berth-net fills it when the container is made. */
static int write_resolv(const struct bundle_work *work, struct error *err)
{
	return bundle_network_has_resolv(work->plan) ? write_for_root(work, "resolv.conf", "", err)
						     : 0;
}

/* Whether the image says nothing of names: many rely on the engine, as Docker's have it. */
static bool lacks_hosts(const struct merged *merged)
{
	_cleanup_fd_ int fd = merged_open(merged, "/etc/hosts", O_PATH | O_NOFOLLOW);
	struct stat st;

	if (fd < 0)
		return fd == -ENOENT;
	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == 0;
}

/* Without a network there are still the names of loopback and of the container. */
static int write_hosts(struct bundle_work *work, struct error *err)
{
	const char *hostname = work->plan->hostname ? work->plan->hostname : DEFAULT_HOSTNAME;
	_cleanup_free_ char *text = xasprintf("127.0.0.1\tlocalhost\n"
					      "::1\tlocalhost ip6-localhost ip6-loopback\n"
					      "127.0.0.1\t%s\n",
					      hostname);

	work->has_hosts =
		bundle_network_may_have_hosts(work->plan) && lacks_hosts(&work->layers->merged);
	return work->has_hosts ? write_for_root(work, "hosts", text, err) : 0;
}

/* Of further groups those that the container has no place for are left out, as with podman: the
 * image may list any for root. */
static void keep_mapped_groups(const struct id_maps *gids, struct bundle_user *user)
{
	size_t kept = 0;
	uint32_t id;

	for (size_t i = 0; i < user->group_count; i++) {
		if (id_maps_find(gids, user->groups[i], &id))
			user->groups[kept++] = user->groups[i];
	}
	user->group_count = kept;
}

/* What is in the bundle. */
static int fill(struct bundle_work *work, struct error *err)
{
	const char *user_text =
		work->plan->options->user ? work->plan->options->user : work->image->user;
	struct bundle_user user;
	uint32_t id;
	int r = bundle_user_find(work->arena, &work->layers->merged, user_text, &user, err);

	if (r < 0)
		return r;
	if (!id_maps_find(&work->plan->uids, user.uid, &id) ||
	    !id_maps_find(&work->plan->gids, user.gid, &id))
		return refuse(err, "user \"%s\": %u:%u is not among the ids of the container",
			      user_text, user.uid, user.gid);
	keep_mapped_groups(&work->plan->gids, &user);
	r = bundle_root_make(work, err);
	if (r >= 0)
		r = bundle_volumes_make(work, err);
	if (r >= 0)
		r = write_resolv(work, err);
	if (r >= 0)
		r = write_hosts(work, err);
	return r < 0 ? r : write_config(work, &user, err);
}

/* --hostname, or the bundle's name, where it can be one; or NULL. */
static const char *hostname_of(const struct bundle_options *options, const char *last)
{
	if (options->hostname)
		return options->hostname;
	return bundle_is_hostname(last) ? last : NULL;
}

static int make(const struct bundle_work *start, const char *path, struct error *err)
{
	_cleanup_workplace_ struct workplace place = {.parentfd = -EBADF, .note = {.fd = -EBADF}};
	_cleanup_fd_ int fd = open_workplace(start->store, path, &place, err);
	struct bundle_work work = *start;
	int r;

	if (fd < 0)
		return fd;
	work.fd = fd;
	r = fill(&work, err);
	if (r < 0)
		return within(err, r, "bundle \"%s\"", path);
	if (work.lower)
		r = store_bundle_put(work.store, path, fd, work.image->diff_ids,
				     work.image->diff_id_count, err);
	return r < 0 ? r : move_into_place(&place, err);
}

int bundle_make(const struct store *store, const struct image_config *config,
		const struct bundle_options *options, const char *path, struct error *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_bundle_layers_ struct bundle_layers layers = {.fds = NULL};
	_cleanup_free_ char *absolute = path_absolute(path);
	struct bundle_plan plan;
	const struct bundle_work work = {
		.arena = arena, .store = store, .image = config, .plan = &plan, .layers = &layers};
	int r;

	if (!absolute)
		return fail(err, -errno, "find the working directory");
	r = bundle_plan_read(arena, options, &plan, err);
	if (r < 0)
		return r;
	plan.hostname = hostname_of(options, strrchr(absolute, '/') + 1);
	r = check_place(absolute, err);
	if (r >= 0)
		r = bundle_network_prepare(arena, &plan, err);
	if (r >= 0)
		r = bundle_layers_open(store, config, options->user_namespace, &layers, err);
	return r < 0 ? r : make(&work, absolute, err);
}
