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

/*
 * Processes that outlive init, which there are only without a pid namespace of the container's own.
 * Its cgroup still has them.
 */
static int kill_others(const struct container *container, struct error *err)
{
	_cleanup_fd_ int root = -EBADF;

	if (!container->record.cgroup_path)
		return 0;
	root = cgroup_open_root(container->procfd, err);
	return root < 0 ? root : cgroup_kill(root, container->record.cgroup_path, err);
}

int container_kill(const struct runtime *runtime, const char *id, int signal, bool all,
		   struct error *err)
{
	_cleanup_container_ struct container container = CONTAINER_UNSET;
	int r = container_load(runtime, id, &container, err);

	if (r < 0)
		return r;
	r = signal_init(&container, signal, err);
	/* As with runc: with --all it is fine that there is nobody. */
	if (all && r == -ESRCH)
		r = 0;
	if (r >= 0 && all && signal == SIGKILL)
		r = kill_others(&container, err);
	return r;
}
