/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The middle process: joins namespaces, clones the wanted process into them, and ends.
 *
 * Situation at entry: the parent's clone, in the container's cgroup, with the host's rights and in
 * all of the host's namespaces. It joins what the plan says, the user namespace among them, so that
 * what init's clone makes belongs to that; and it gives birth to init as a sibling of its own
 * (CLONE_PARENT): init is the parent's child, as ever. Its pidfd goes to the parent over a socket
 * pair of their own, since init is talking on the other one by then. The same way goes a process
 * of exec where the parent has no right to enter a pid namespace, not even around a clone.
 */
#include <errno.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include "berth/base/fd.h"
#include "berth/stage/message.h"

#include "stage-internal.h"

static int give_birth(const struct middle *middle, int report, struct error *err)
{
	_cleanup_pidref_ struct pidref born = PIDREF_UNSET;
	uint32_t pid;
	int r = die_with_parent(report, err);

	if (r >= 0)
		r = middle->give_birth(middle, report, &born, err);
	if (r < 0)
		return r;
	/* The number is the one that the parent knows, too: we are in its pid namespace. */
	pid = (uint32_t)born.pid;
	return message_send_fds(report, &born.fd, &pid, 1, err);
}

static _Noreturn void middle_main(const struct middle *middle, int report)
{
	struct error err = ERROR_NONE;

	if (give_birth(middle, report, &err) < 0)
		message_send_error(report, &err);
	_exit(0);
}

/* What @process, which may be born in a paused container, has made. */
static int receive_born(int report, const struct pidref *process, const int *signals,
			struct pidref *ret, struct error *err)
{
	const struct message_wait wait = {.peer = process, .timeout_ms = -1, .signals = signals};
	struct message message;
	int fds[MESSAGE_FDS_MAX];
	int r = message_await(report, &wait, &message, fds, err);

	if (r < 0)
		return r;
	if (r > 0 && message.type == MESSAGE_ERROR) {
		*err = message.error;
		return err->code < 0 ? err->code : -EIO;
	}
	if (r == 0 || message.type != MESSAGE_FDS || message.fds.count != 1)
		return refuse_as(err, -ECHILD, "the process that joins namespaces ended early");
	*ret = (struct pidref){.pid = (pid_t)message.fds.index[0], .fd = fds[0]};
	return 0;
}

int clone_by_middle(const struct middle *middle, struct pidref *ret, struct error *err)
{
	_cleanup_child_ struct pidref process = PIDREF_UNSET;
	_cleanup_fd_ int ours = -EBADF, theirs = -EBADF;
	const struct birth birth = {
		.cgroupfd = middle->cgroupfd,
		.unit = middle->unit,
		.subgroup = middle->subgroup,
		.pid_namespace = -EBADF,
		.procfd = middle->procfd,
		.what = "the process that joins the namespaces",
	};
	int pair[2], r;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return fail(err, -errno, "make a socket pair");
	ours = pair[0];
	theirs = pair[1];
	r = process_clone(&birth, &process, err);
	if (r == 0) {
		fd_close(ours);
		middle_main(middle, theirs);
	}
	/* Only the middle process may hold it: then its end is the end of the conversation. */
	fd_close(take_fd(&theirs));
	return r < 0 ? r : receive_born(ours, &process, middle->signals, ret, err);
}

static int give_birth_to_init(const struct middle *middle, int report, struct pidref *ret,
			      struct error *err)
{
	int r = namespaces_enter(middle->what, report, err);

	return r < 0 ? r : init_clone(middle->what, middle->sockets, report, ret, err);
}

int init_clone_by_middle(const struct launch *launch, const int sockets[static 2],
			 struct pidref *ret, struct error *err)
{
	const struct middle middle = {
		.cgroupfd = launch->cgroupfd,
		.unit = launch->unit,
		.procfd = launch->procfd,
		.give_birth = give_birth_to_init,
		.what = launch,
		.sockets = sockets,
	};

	return clone_by_middle(&middle, ret, err);
}

/*
 * In a process aside of the parent, whose only difference is where its children are born. 0 in the
 * one that is born: it goes on as if the parent had cloned it.
 */
static int give_birth_aside(const struct birth *birth, int report)
{
	_cleanup_pidref_ struct pidref born = PIDREF_UNSET;
	struct birth sibling = *birth;
	struct error err = ERROR_NONE;
	uint32_t pid;
	int r = die_with_parent(report, &err);

	sibling.flags |= CLONE_PARENT;
	if (r >= 0)
		r = process_clone(&sibling, &born, &err);
	if (r == 0)
		return 0;
	pid = (uint32_t)born.pid;
	if (r < 0 || message_send_fds(report, &born.fd, &pid, 1, &err) < 0)
		message_send_error(report, &err);
	_exit(0);
}

int clone_aside(const struct birth *birth, struct pidref *ret, struct error *err)
{
	_cleanup_child_ struct pidref aside = PIDREF_UNSET;
	_cleanup_fd_ int ours = -EBADF, theirs = -EBADF;
	const struct birth plain = {
		.cgroupfd = -EBADF,
		.pid_namespace = -EBADF,
		.what = "the process that joins the pid namespace",
	};
	int pair[2], r;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return fail(err, -errno, "make a socket pair");
	ours = pair[0];
	theirs = pair[1];
	r = process_clone(&plain, &aside, err);
	if (r == 0)
		return give_birth_aside(birth, theirs);
	fd_close(take_fd(&theirs));
	if (r > 0)
		r = receive_born(ours, &aside, birth->signals, ret, err);
	return r < 0 ? r : 1;
}
