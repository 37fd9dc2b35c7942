/* SPDX-License-Identifier: Apache-2.0 */
/* Starting a created container. */
#include <errno.h>
#include <unistd.h>

#include "berth/base/fd.h"
#include "berth/base/log.h"
#include "berth/stage/launch.h"

#include "container-internal.h"
#include "explain-internal.h"
#include "sockets-internal.h"

static int check_created(const struct container *container, struct error *err)
{
	switch (container->status) {
	case STATUS_CREATED:
		return 0;
	case STATUS_STOPPED:
		return refuse(err, "cannot start a container that has stopped");
	case STATUS_CREATING:
		return refuse(err, "cannot start a container that is still being created");
	case STATUS_PAUSED:
		return refuse(err, "cannot start a container in the paused state");
	case STATUS_RUNNING:
	case STATUS_MAX:
		break;
	}
	return refuse(err, "cannot start an already running container");
}

/* Unless somebody else has deleted it meanwhile: the name may be another container's by now. */
static void stop(const struct runtime *runtime, struct container *container)
{
	struct error second = ERROR_NONE;
	int r = state_lock(container->dirfd, /* wait= */ true, &second);

	if (r > 0)
		r = container_destroy_loaded(runtime, container, &second);
	if (r < 0)
		log_warning("delete \"%s\": %s", container->record.id, second.text);
}

/* runtime.md, step 9: a poststart hook that fails stops the container. */
static int after_start(const struct runtime *runtime, struct container *container,
		       struct error *err)
{
	const struct spec *spec;
	int r;

	if (!container->record.poststart)
		return 0;
	r = container_spec(container, &spec, err);
	if (r >= 0)
		r = run_poststart(spec, &container->record, container->init.pid, err);
	if (r < 0)
		stop(runtime, container);
	return r;
}

/* The agent finds "creating", as with runc: init has not executed its program yet. */
static int connect_agent(struct container *container, struct seccomp_agent *ret, struct error *err)
{
	struct state_document state;
	const struct spec *spec;
	int r;

	if (!container->record.seccomp_agent)
		return 0;
	r = container_spec(container, &spec, err);
	container_describe(container, &state);
	state.status = STATUS_CREATING;
	return r < 0 ? r : seccomp_agent_connect(spec->linux.seccomp, &state, ret, err);
}

/*
 * -EPIPE where nobody is there any more, as where it hangs up without an answer: another starter
 * was let through, or it has ended.
 */
static int connect_init(const struct container *container, int *ret_socket, struct error *err)
{
	int fd = state_connect(container->dirfd);
	bool gone = fd == -ENOENT || fd == -ECONNREFUSED;

	if (fd < 0)
		fd = fail(err, fd, "connect to the init of container \"%s\"", container->record.id);
	if (fd < 0)
		return gone ? -EPIPE : fd;
	*ret_socket = fd;
	return 0;
}

int container_start(const struct runtime *runtime, const char *id, struct error *err)
{
	_cleanup_container_ struct container container = CONTAINER_UNSET;
	_cleanup_notify_ struct notify notify = NOTIFY_UNSET;
	_cleanup_agent_ struct seccomp_agent agent = SECCOMP_AGENT_NONE;
	_cleanup_fd_ int socket = -EBADF;
	int r = container_load(runtime, id, &container, err);

	if (r >= 0)
		r = check_created(&container, err);
	if (r >= 0)
		r = connect_agent(&container, &agent, err);
	if (r >= 0)
		r = notify_open(runtime, container.dirfd, &notify, err);
	if (r < 0)
		return r;
	r = connect_init(&container, &socket, err);
	if (r >= 0)
		r = launch_go(container.procfd, socket, &container.init, &agent, err);
	if (r == -EPIPE) {
		ignore(refuse_as(err, r, "cannot start an already running container"));
		r = container_explain(&container, r, check_created, err);
	}
	if (r < 0)
		return r;
	/* Nobody listens there any more. */
	unlinkat(container.dirfd, STATE_SOCKET, 0);
	r = after_start(runtime, &container, err);
	return r < 0 ? r : notify_wait(&notify, &container.init, err);
}
