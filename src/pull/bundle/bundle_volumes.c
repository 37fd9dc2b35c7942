/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The volumes that an image declares: what is written there is kept apart from the root.
 *
 * Theory of operation. Each becomes a directory of the bundle, volumes/PLACE, with what the image
 * has there, and is bound to its place, so that it is there again the next time, and writable even
 * where the root is not. It keeps the image's own ids; where the container has others, the mount
 * maps them. The image is not trusted: a volume must not hide what keeps the container in bounds.
 *
 * What a container sees at the place is the merged tree with its upper directory, so one is made
 * for looking only.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "berth/base/fd.h"
#include "berth/base/path.h"
#include "berth/base/root.h"

#include "common/tree.h"

#include "bundle-internal.h"

#define VOLUMES	    "volumes"
#define VOLUMES_MAX 256

/* The upper directory for looking, as if it were one layer more. */
#define LOOK	".look"
#define LOOK_FS ".look/fs"

/* Where the runtime has something to say. */
static const char *const reserved[] = {"/proc", "/sys", "/dev"};

static bool is_at_or_below(const char *path, const char *above)
{
	const size_t length = strlen(above);

	return strncmp(path, above, length) == 0 && (path[length] == '\0' || path[length] == '/');
}

static bool has_dot_dot(const char *path)
{
	while (*path) {
		const size_t length = strcspn(path, "/");

		if (length == 2 && strncmp(path, "..", 2) == 0)
			return true;
		path += length + (path[length] == '/');
	}
	return false;
}

static int check_place(const char *text, const char *place, struct error *err)
{
	bool is_bad = has_dot_dot(text) || str_equal(place, "/");

	for (size_t i = 0; i < ARRAY_SIZE(reserved); i++)
		is_bad = is_bad || is_at_or_below(place, reserved[i]);
	if (is_bad)
		return refuse(err,
			      "the image's volume \"%s\" has a place that none can have; "
			      "--image-volumes ignore does without it",
			      text);
	return 0;
}

/* Whether the user has something there, or above it. */
static bool is_taken(const struct bundle_plan *plan, const char *place)
{
	for (size_t i = 0; i < plan->mount_count; i++) {
		if (is_at_or_below(place, plan->mounts[i].destination))
			return true;
	}
	return false;
}

/* Opens the new directory for the volume; -EEXIST where a volume above it has it already. */
static int make_directory(const struct bundle_work *work, const char *path, struct error *err)
{
	const char *name;
	_cleanup_fd_ int parent = root_make_parent(work->fd, path, &name, err);
	int fd;

	if (parent < 0)
		return parent;
	if (mkdirat(parent, name, 0755) < 0)
		return errno == EEXIST ? -EEXIST
				       : fail(err, -errno, "make the directory \"%s\"", path);
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? fail(err, -errno, "open \"%s\"", path) : fd;
}

static int fill(const struct bundle_work *work, const struct merged *view, const char *place,
		const char *path, struct error *err)
{
	_cleanup_fd_ int fd = make_directory(work, path, err);
	int r;

	if (fd < 0)
		return fd == -EEXIST ? 0 : fd;
	r = merged_copy(view, place, fd, work->store->cancelled, err);
	if (r == -ENOTDIR)
		return refuse(err, "the image's volume \"%s\" is no directory", place);
	return r == -ENOENT ? 0 : r;
}

static int bind_volume(struct bundle_work *work, const struct merged *view, const char *place,
		       struct bundle_mount *ret, struct error *err)
{
	static const char *const plain[] = {"rbind", "rprivate", "nosuid", "nodev", NULL};
	static const char *const mapped[] = {"rbind", "rprivate", "nosuid", "nodev", "idmap", NULL};
	const char *path = arena_printf(work->arena, VOLUMES "%s", place);

	*ret = (struct bundle_mount){
		.destination = place,
		.type = "bind",
		.source = path,
		.options = work->plan->map_layers ? mapped : plain,
	};
	return fill(work, view, place, path, err);
}

static void mount_tmpfs(const char *place, struct bundle_mount *ret)
{
	static const char *const options[] = {"nosuid", "nodev", "tmpcopyup", NULL};

	*ret = (struct bundle_mount){
		.destination = place, .type = "tmpfs", .source = "tmpfs", .options = options};
}

static int make_volumes(struct bundle_work *work, const struct merged *view, struct error *err)
{
	const enum image_volumes kind = work->plan->image_volumes;
	int r = 0;

	for (const char *const *text = work->image->volumes; r >= 0 && *text; text++) {
		_cleanup_free_ char *clean = path_join("/", *text);
		const char *place = arena_strdup(work->arena, clean);
		struct bundle_mount *mount = &work->volumes[work->volume_count];

		r = check_place(*text, place, err);
		if (r < 0 || is_taken(work->plan, place))
			continue;
		if (work->volume_count == VOLUMES_MAX)
			return refuse(err, "the image has more than %d volumes", VOLUMES_MAX);
		work->volume_count++;
		if (kind == IMAGE_VOLUMES_TMPFS)
			mount_tmpfs(place, mount);
		else
			r = bind_volume(work, view, place, mount, err);
	}
	return r;
}

/* The layers, and above them what corrects them. */
static int look(const struct bundle_work *work, int *layers, struct merged *ret, struct error *err)
{
	const struct merged *merged = &work->layers->merged;
	_cleanup_fd_ int fs = -EBADF;

	if (mkdirat(work->fd, LOOK, 0700) < 0 || mkdirat(work->fd, LOOK_FS, 0700) < 0)
		return fail(err, -errno, "make the directory \"" LOOK_FS "\"");
	fs = openat(work->fd, LOOK_FS, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fs < 0)
		return fail(err, -errno, "open \"" LOOK_FS "\"");
	for (size_t i = 0; i < merged->count; i++)
		layers[i] = merged->layers[i];
	layers[merged->count] = openat(work->fd, LOOK, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (layers[merged->count] < 0)
		return fail(err, -errno, "open \"" LOOK "\"");
	*ret = *merged;
	ret->layers = layers;
	ret->count++;
	return merged_prepare_upper(merged, fs, NULL, NULL, err);
}

int bundle_volumes_make(struct bundle_work *work, struct error *err)
{
	const size_t count = work->layers->merged.count;
	_cleanup_free_ int *layers = xcalloc(count + 1, sizeof(*layers));
	struct merged view = {.count = 0};
	int r;

	work->volumes = arena_alloc(work->arena, VOLUMES_MAX, sizeof(*work->volumes));
	if (!work->image->volumes || work->plan->image_volumes == IMAGE_VOLUMES_IGNORE)
		return 0;
	if (work->plan->image_volumes == IMAGE_VOLUMES_TMPFS || count == 0)
		return make_volumes(work, &view, err);
	layers[count] = -EBADF;
	r = look(work, layers, &view, err);
	if (r >= 0)
		r = make_volumes(work, &view, err);
	fd_close(layers[count]);
	if (r < 0)
		return r;
	r = tree_remove(work->fd, LOOK, NULL);
	return r < 0 ? fail(err, r, "remove \"" LOOK "\"") : 0;
}
