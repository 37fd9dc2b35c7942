/* SPDX-License-Identifier: Apache-2.0 */
/* Pausing and resuming a container: its cgroup's freezer. */
#include <errno.h>

#include "berth/base/fd.h"

#include "container-internal.h"
#include "explain-internal.h"

/* How long the processes may take to reach a place where they can be frozen. */
#define FREEZE_TIMEOUT_MS 10000

int container_cgroup_open(const struct container *container, struct error *err)
{
	_cleanup_fd_ int root = -EBADF;

	if (!container->record.cgroup_path)
		return refuse_as(err, -ENOMEDIUM, "container \"%s\" has no cgroup",
				 container->record.id);
	root = cgroup_open_root(container->procfd, err);
	return root < 0 ? root : cgroup_open(root, container->record.cgroup_path, err);
}

static int check_to_pause(const struct container *container, struct error *err)
{
	if (container->status == STATUS_PAUSED)
		return refuse(err, "container paused: \"%s\"", container->record.id);
	if (container->status != STATUS_RUNNING && container->status != STATUS_CREATED)
		return refuse(err, "container not running: \"%s\" is %s", container->record.id,
			      container_status_names[container->status]);
	return 0;
}

static int check_to_resume(const struct container *container, struct error *err)
{
	if (container->status != STATUS_PAUSED)
		return refuse(err, "container not paused: \"%s\" is %s", container->record.id,
			      container_status_names[container->status]);
	return 0;
}

static int set_frozen(const struct runtime *runtime, const char *id, bool frozen, struct error *err)
{
	_cleanup_container_ struct container container = CONTAINER_UNSET;
	const container_check check = frozen ? check_to_pause : check_to_resume;
	_cleanup_fd_ int fd = -EBADF;
	int r = container_load(runtime, id, &container, err);

	if (r >= 0)
		r = check(&container, err);
	if (r < 0)
		return r;
	fd = container_cgroup_open(&container, err);
	r = fd < 0 ? fd : cgroup_freeze(fd, frozen, FREEZE_TIMEOUT_MS, err);
	if (r >= 0)
		return 0;
	r = within(err, r, frozen ? "pause" : "resume");
	return container_explain(&container, r, check, err);
}

int container_pause(const struct runtime *runtime, const char *id, struct error *err)
{
	return set_frozen(runtime, id, /* frozen= */ true, err);
}

int container_resume(const struct runtime *runtime, const char *id, struct error *err)
{
	return set_frozen(runtime, id, /* frozen= */ false, err);
}
