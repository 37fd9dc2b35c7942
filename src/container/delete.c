/* SPDX-License-Identifier: Apache-2.0 */
/* Deleting a container. */
#include <errno.h>
#include <fcntl.h>

#include "berth/base/fd.h"
#include "berth/base/json_read.h"
#include "berth/base/log.h"
#include "berth/base/proc.h"

#include "container-internal.h"

/* How long a container that runs gets, when it is to be deleted, to turn out to be ending. */
#define ENDING_TIMEOUT_MS 100

/* How long a cgroup may stay busy with processes that are ending. */
#define CGROUP_TIMEOUT_MS 10000

/*
 * A container that is being created by a living berth: its init is killed by way of the cgroup,
 * its creator sees that and undoes everything.
 */
static void interrupt_creation(int dirfd)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_fd_ int procfd = -EBADF, root = -EBADF;
	struct error unheard = ERROR_NONE;
	struct record record;

	if (record_read(dirfd, arena, &record, &unheard) < 0 || !record.cgroup_path || record.pid)
		return;
	procfd = proc_open(&unheard);
	root = procfd < 0 ? -EBADF : cgroup_open_root(procfd, &unheard);
	if (root >= 0 && cgroup_kill(root, record.cgroup_path, &unheard) < 0)
		log_debug("kill \"%s\": %s", record.cgroup_path, unheard.text);
}

/* 1: the lock is ours; 0: somebody else has deleted the container meanwhile. */
static int take_lock(int dirfd, bool force, struct error *err)
{
	int r = state_lock(dirfd, /* wait= */ false, err);

	if (r != -EBUSY)
		return r;
	if (force)
		interrupt_creation(dirfd);
	return state_lock(dirfd, /* wait= */ true, err);
}

/* All of the path but its last component is kept: who made it is not known any more. */
static int destroy_at(int root, const char *path, struct error *err)
{
	return cgroup_destroy(root, path, cgroup_path_depth(path) - 1, CGROUP_TIMEOUT_MS, err);
}

/* systemd takes a unit away once its cgroup is gone. */
static int destroy_by_config(int root, const char *cgroups_path, const char *id, struct error *err)
{
	_cleanup_free_ char *path = NULL, *of_unit = NULL;
	bool named = cgroups_path && *cgroups_path, unit = named && unit_is_named(cgroups_path);
	int r = 0;

	if (unit || !named)
		r = unit_usual_cgroup(cgroups_path, id, &of_unit, err);
	if (r >= 0 && of_unit)
		r = destroy_at(root, of_unit, err);
	if (r < 0 || unit)
		return r;
	r = cgroup_path_of(cgroups_path, id, &path, err);
	return r < 0 ? r : destroy_at(root, path, err);
}

/*
 * A record that was damaged no longer says where the cgroup is; the copy of config.json may still,
 * and where that is of no use either, the places that a container has by default are tried.
 */
static int destroy_guessed_cgroup(const struct runtime *runtime, const char *id, int dirfd,
				  struct error *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_fd_ int procfd = proc_open(err), root = -EBADF;
	_cleanup_free_ char *text = NULL;
	struct error unheard = ERROR_NONE;
	const struct spec *spec = NULL;
	size_t size;

	if (file_read_at(dirfd, STATE_CONFIG, JSON_SIZE_MAX, &text, &size, &unheard) >= 0 &&
	    spec_decode(arena, text, size, "/", &spec, &unheard) < 0)
		spec = NULL;
	root = procfd < 0 ? procfd : cgroup_open_root(procfd, err);
	/* Without rights over the host there was none, then. */
	if (root == -ENODEV && runtime->rootless)
		return 0;
	if (root < 0)
		return root;
	return destroy_by_config(root, spec ? spec->linux.cgroups_path : NULL, id, err);
}

/*
 * A directory without a readable record. Without any (@damaged false) its creator was killed before
 * the first side effect.
 */
static int delete_unrecorded(const struct runtime *runtime, const char *id, int dirfd, bool damaged,
			     struct error *err)
{
	_cleanup_fd_ int rootfd = state_root_open(runtime, /* make= */ false, err);
	int r = rootfd < 0 ? rootfd : 0;

	if (r >= 0 && damaged)
		r = destroy_guessed_cgroup(runtime, id, dirfd, err);
	return r < 0 ? r : state_remove(rootfd, dirfd, id, err);
}

static int delete_loaded(const struct runtime *runtime, struct container *container, bool force,
			 struct error *err)
{
	/* The lock is ours, so nobody creates it any more: its creator was killed. */
	if (!container->record.pid)
		container->status = STATUS_STOPPED;
	/* Whoever has just killed it need not wait himself until the kernel is done with that. */
	if (!force && container->init.fd >= 0 &&
	    pidref_wait_exit(&container->init, ENDING_TIMEOUT_MS) == 1) {
		pidref_done(&container->init);
		container->status = STATUS_STOPPED;
	}
	if (!force && container->status != STATUS_STOPPED)
		return refuse(err, "cannot delete container %s that is not stopped: %s",
			      container->record.id, container_status_names[container->status]);
	return container_destroy_loaded(runtime, container, err);
}

int container_delete(const struct runtime *runtime, const char *id, bool force, struct error *err)
{
	_cleanup_container_ struct container container = CONTAINER_UNSET;
	_cleanup_fd_ int dirfd = state_open(runtime, id, err);
	struct error unreadable = ERROR_NONE;
	int r, copy;

	if (dirfd == -ENOENT && force)
		return 0;
	if (dirfd < 0)
		return dirfd;
	r = take_lock(dirfd, force, err);
	if (r < 0)
		return r;
	if (r == 0)
		return force ? 0 : refuse_as(err, -ENOENT, "container \"%s\" does not exist", id);
	copy = fd_dup(dirfd, err);
	if (copy < 0)
		return copy;
	r = container_load_from(copy, &container, &unreadable);
	/* Only what is wrong with the record itself is no reason to stop, where force is used. */
	if (r == -ENODATA || (force && (r == -EINVAL || r == -EFBIG)))
		return delete_unrecorded(runtime, id, dirfd, /* damaged= */ r != -ENODATA, err);
	if (r < 0) {
		*err = unreadable;
		return r;
	}
	return delete_loaded(runtime, &container, force, err);
}
