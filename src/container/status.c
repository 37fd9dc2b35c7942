/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container as it is now. Nothing that can change by itself is written down: whether the process
 * lives is asked of the kernel (number and start time), whether it still waits for its start of its
 * socket (init's exec closes it), whether it is paused of its cgroup.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "berth/base/fd.h"
#include "berth/base/json_read.h"
#include "berth/base/proc.h"
#include "berth/linux/hooks.h"

#include "container-internal.h"
#include "limits-internal.h"

void container_done(struct container *container)
{
	pidref_done(&container->init);
	container->dirfd = fd_close(container->dirfd);
	container->procfd = fd_close(container->procfd);
	container->arena = arena_free(container->arena);
}

/*
 * Somebody works on the directory right now: a creator, as long as there is no process yet, or the
 * caller itself. Asked by a descriptor of its own: by @dirfd a lock of the caller would be lost.
 */
static bool is_locked(int dirfd)
{
	_cleanup_fd_ int own = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return own >= 0 && flock(own, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK;
}

static bool is_waiting(int dirfd)
{
	int fd = state_connect(dirfd);

	fd_close(fd);
	/* -EAGAIN: its queue is full of starters, so it still listens. */
	return fd >= 0 || fd == -EAGAIN;
}

static bool is_paused(const struct container *container)
{
	struct error unheard = ERROR_NONE;
	_cleanup_fd_ int root = -EBADF, fd = -EBADF;
	bool frozen = false;

	if (!container->record.cgroup_path)
		return false;
	root = cgroup_open_root(container->procfd, &unheard);
	fd = root < 0 ? -EBADF : cgroup_open(root, container->record.cgroup_path, &unheard);
	if (fd >= 0 && cgroup_is_frozen(fd, &frozen, &unheard) < 0)
		return false;
	return frozen;
}

/* Only a process that is known to be gone is stopped: what fails otherwise says nothing of it. */
static int find_status(struct container *container, enum container_status *ret, struct error *err)
{
	const struct record *record = &container->record;
	int r;

	/* The intent alone: its writer still works, or was killed and left nothing alive. */
	if (!record->pid) {
		*ret = is_locked(container->dirfd) ? STATUS_CREATING : STATUS_STOPPED;
		return 0;
	}
	r = pidref_open(container->procfd, record->pid, record->start_ticks, &container->init);
	if (r < 0 && r != -ESRCH)
		return fail(err, r, "look at the container's init %d", record->pid);
	if (r < 0)
		*ret = STATUS_STOPPED;
	else if (is_paused(container)) /* one that waits for its start may be, too */
		*ret = STATUS_PAUSED;
	else
		*ret = is_waiting(container->dirfd) ? STATUS_CREATED : STATUS_RUNNING;
	return 0;
}

int container_load_from(int dirfd, struct container *ret, struct error *err)
{
	struct container container = CONTAINER_UNSET;
	int r;

	container.dirfd = dirfd;
	container.arena = arena_new();
	container.procfd = proc_open(err);
	r = container.procfd < 0 ? container.procfd
				 : record_read(dirfd, container.arena, &container.record, err);
	if (r >= 0)
		r = find_status(&container, &container.status, err);
	if (r < 0) {
		container_done(&container);
		return r;
	}
	*ret = container;
	return 0;
}

/*
 * A directory without a record: of a container that is being deleted, or has only begun to be made;
 * or what a creator left that was killed before it could write anything.
 */
static int refuse_absent(const struct runtime *runtime, const char *id, struct error *err)
{
	_cleanup_fd_ int dirfd = state_open(runtime, id, err);
	struct stat st;
	bool left;

	if (dirfd < 0)
		return dirfd;
	left = !is_locked(dirfd) && fstat(dirfd, &st) == 0 && st.st_nlink > 0 &&
	       !state_has_record(dirfd);
	return refuse_as(err, -ENOENT, "container \"%s\" does not exist%s", id,
			 left ? " (delete removes what is left of it)" : "");
}

int container_load(const struct runtime *runtime, const char *id, struct container *ret,
		   struct error *err)
{
	int dirfd = state_open(runtime, id, err);
	int r;

	if (dirfd < 0)
		return dirfd;
	r = container_load_from(dirfd, ret, err);
	if (r == -ENODATA)
		return refuse_absent(runtime, id, err);
	return r < 0 ? within(err, r, "container \"%s\"", id) : r;
}

/* What `update` changed. */
static int take_updates(struct container *container, const struct spec **spec, struct error *err)
{
	const struct spec_resources *resources = NULL;
	int r = resources_read(container, &resources, err);
	struct spec *changed;

	if (r < 0 || !resources)
		return r;
	changed = arena_alloc(container->arena, 1, sizeof(*changed));
	*changed = **spec;
	changed->linux.resources = *resources;
	*spec = changed;
	return 0;
}

int container_spec(struct container *container, const struct spec **ret, struct error *err)
{
	_cleanup_free_ char *text = NULL;
	size_t size;
	int r = file_read_at(container->dirfd, STATE_CONFIG, JSON_SIZE_MAX, &text, &size, err);

	if (r < 0)
		return r;
	/* Decoded strings point into the tree, which has copies of its own. */
	r = spec_decode(container->arena, text, size, container->record.bundle, ret, err);
	return r < 0 ? r : take_updates(container, ret, err);
}

void container_describe(const struct container *container, struct state_document *ret)
{
	const struct record *record = &container->record;

	*ret = (struct state_document){
		.id = record->id,
		.status = container->status,
		.pid = container->init.pid,
		.bundle = record->bundle,
		.annotations = &record->annotations,
		.rootfs = record->rootfs,
		.created = record->created,
		.owner = "",
	};
}

int run_poststart(const struct spec *spec, const struct record *record, pid_t pid,
		  struct error *err)
{
	struct state_document state = {
		.id = record->id,
		.status = STATUS_RUNNING,
		.pid = pid,
		.bundle = record->bundle,
		.annotations = &record->annotations,
	};
	_cleanup_free_ char *text = state_document_for_hook(&state);
	_cleanup_fd_ int cwd = open(record->bundle, O_PATH | O_DIRECTORY | O_CLOEXEC);

	return hooks_run(spec->hooks, HOOK_POSTSTART, text, cwd, err);
}
