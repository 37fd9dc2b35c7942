/* SPDX-License-Identifier: Apache-2.0 */
/*
 * User namespaces as the holders of id maps: mount_setattr(2) takes the maps of a mount from one.
 *
 * A namespace comes with a process, and stays as long as its descriptor does. So a child is born in
 * it, gets its maps, and ends: it waits for nothing but the end of the parent's side of a pipe,
 * which comes with the parent's death, too.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <unistd.h>

#include "berth/base/fd.h"
#include "berth/base/pidref.h"
#include "berth/base/sys.h"
#include "berth/linux/namespaces.h"
#include "berth/linux/process.h"

static _Noreturn void wait_for_end(int pipe_fd)
{
	char nothing;

	while (read(pipe_fd, &nothing, 1) < 0 && errno == EINTR)
		;
	_exit(0);
}

static int clone_holder(const int pipe_fds[static 2], struct pidref *ret, struct error *err)
{
	int pidfd = -EBADF;
	struct clone_args args = {
		.flags = CLONE_NEWUSER | CLONE_PIDFD,
		.pidfd = (uintptr_t)&pidfd,
		.exit_signal = SIGCHLD,
	};
	int pid = sys_clone3(&args);

	if (pid < 0)
		return fail(err, pid, "make a user namespace");
	if (pid == 0) {
		fd_close(pipe_fds[1]);
		wait_for_end(pipe_fds[0]);
	}
	*ret = (struct pidref){.pid = pid, .fd = pidfd};
	return 0;
}

int idmap_hold(int procfd, const struct spec_id_maps *maps, const char *owner, struct error *err)
{
	_cleanup_child_ struct pidref holder = PIDREF_UNSET;
	int pipe_fds[2], r;

	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return fail(err, -errno, "make a pipe");
	r = clone_holder(pipe_fds, &holder, err);
	if (r >= 0)
		r = idmap_write(procfd, holder.pid, maps, owner, err);
	if (r >= 0)
		r = user_namespace_open(procfd, holder.pid, err);
	fd_close(pipe_fds[0]);
	fd_close(pipe_fds[1]);
	return r;
}
