/* SPDX-License-Identifier: Apache-2.0 */
/* Signals for a container. */
#include <errno.h>
#include <signal.h>

#include "berth/base/fd.h"

#include "container-internal.h"

static int signal_init(const struct container *container, int signal, struct error *err)
{
	int r = -ESRCH;

	if (container->status != STATUS_STOPPED && container->status != STATUS_CREATING)
		r = pidref_signal(&container->init, signal);
	if (r == -ESRCH)
		return refuse_as(err, r, "container not running");
	return r < 0 ? fail(err, r, "send signal %d to process %d", signal, container->init.pid)
		     : 0;
}

static bool is_gone(int root, const char *path)
{
	struct error unheard = ERROR_NONE;
	_cleanup_fd_ int fd = cgroup_open(root, path, &unheard);

	return fd == -ENOENT;
}

/*
 * Everything in its cgroup: also processes that outlive init, which there are only without a pid
 * namespace of the container's own. As with runc it is fine that there is nobody.
 */
static int signal_all(const struct container *container, int signal, struct error *err)
{
	_cleanup_fd_ int root = cgroup_open_root(container->procfd, err), fd = -EBADF;
	struct error failed = ERROR_NONE;
	int r;

	if (root < 0)
		return root;
	if (signal == SIGKILL)
		return cgroup_kill(root, container->record.cgroup_path, err);
	fd = cgroup_open(root, container->record.cgroup_path, &failed);
	r = fd < 0 ? fd : cgroup_signal(fd, signal, &failed);
	if (r >= 0 || is_gone(root, container->record.cgroup_path))
		return 0;
	*err = failed;
	return r;
}

int container_kill(const struct runtime *runtime, const char *id, int signal, bool all,
		   struct error *err)
{
	_cleanup_container_ struct container container = CONTAINER_UNSET;
	int r = container_load(runtime, id, &container, err);

	if (r < 0)
		return r;
	if (all && container.record.cgroup_path)
		return signal_all(&container, signal, err);
	r = signal_init(&container, signal, err);
	return all && r == -ESRCH ? 0 : r;
}
