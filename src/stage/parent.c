/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parent's side of a launch.
 *
 * Situation: everything is the host's and stays so, but for short visits: the pid namespace to be
 * joined is entered around the clone (clone.c); and for a container with another user namespace
 * init's mount namespace while the mount sources are opened, so that the flags of the host's mounts
 * stay locked there, and a copy of the own one around the clone where a mount is to be read-only,
 * so that this is locked, too (mount/stage.c). All are left again before anything else.
 *
 * Every wait watches init's pidfd besides the socket: init's death is an answer.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "berth/base/alloc.h"
#include "berth/base/fd.h"
#include "berth/base/log.h"
#include "berth/base/proc.h"
#include "berth/cgroup/cgroup.h"
#include "berth/linux/hooks.h"
#include "berth/linux/namespaces.h"
#include "berth/linux/netdevices.h"
#include "berth/linux/process.h"
#include "berth/linux/scheduling.h"
#include "berth/spec/state_document.h"
#include "berth/stage/message.h"

#include "going-internal.h"
#include "stage-internal.h"
#include "visit.h"

/* How long an init that waits for its start may take to answer: it has nothing else to do. */
#define ANSWER_TIMEOUT_MS 30000

/* How long an init that has hung up may take to end. */
#define END_TIMEOUT_MS 1000

/* What only the host's rights can do to init; it goes on meanwhile. */
static int equip(const struct launch *launch, const struct pidref *init, struct error *err)
{
	const struct spec_process *process = launch->spec->process;
	const struct spec_resources *resources = &launch->spec->linux.resources;
	bool skipped = false;
	int r = 0;

	if (process && process->oom_score_adj_set)
		r = oom_score_adj_write(launch->procfd, init->pid, process->oom_score_adj, err);
	if (r >= 0 && process)
		r = rlimits_raise(init->pid, process->rlimits, process->rlimit_count, err);
	if (r >= 0 && launch->cgroupfd >= 0)
		r = cgroup_devices_attach(launch->cgroupfd, resources->device_rules,
					  resources->device_rule_count, &skipped, err);
	if (skipped)
		log_warning("linux.resources.devices: not applied, the kernel refuses device "
			    "programs here");
	return r;
}

static int clone_init(const struct launch *launch, const int sockets[static 2], struct pidref *ret,
		      struct error *err)
{
	return launch->plan->middle ? init_clone_by_middle(launch, sockets, ret, err)
				    : init_clone(launch, sockets, /* report= */ -EBADF, ret, err);
}

/* From a mount namespace that is the host's, but not its own, so that flags get locked. */
static int clone_staged_init(const struct launch *launch, const int sockets[static 2],
			     struct pidref *ret, struct error *err)
{
	struct visit visit = VISIT_NONE;
	int r = visit_begin(launch->procfd, &visit, err);

	if (r < 0)
		return r;
	r = namespace_unshare(NAMESPACE_MOUNT, err);
	if (r >= 0)
		r = mount_stage(launch->spec, launch->stage, err);
	if (r >= 0)
		r = clone_init(launch, sockets, ret, err);
	return visit_end(&visit, r, err);
}

int launch_begin(const struct launch *launch, struct launched *ret, struct error *err)
{
	struct launched launched = LAUNCHED_UNSET;
	int sockets[2], r;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) < 0)
		return fail(err, -errno, "make a socket pair");
	launched.socket = sockets[0];
	r = launch->plan->stage ? clone_staged_init(launch, sockets, &launched.init, err)
				: clone_init(launch, sockets, &launched.init, err);
	fd_close(sockets[1]);
	if (r >= 0)
		r = equip(launch, &launched.init, err);
	if (r < 0) {
		struct message message;
		struct error earlier = ERROR_NONE;

		/* Init may have failed first, and have said so: then that is the cause. */
		if (launched.init.fd >= 0 && r == -ESRCH &&
		    message_wait(launched.socket, &launched.init, 0, &message, &earlier) > 0 &&
		    message.type == MESSAGE_ERROR) {
			*err = message.error;
			r = err->code;
		}
		launched_undo(&launched);
		return r;
	}
	*ret = launched;
	return 0;
}

void launched_undo(struct launched *launched)
{
	pidref_kill_and_reap(&launched->init);
	launched_done(launched);
}

void launched_done(struct launched *launched)
{
	pidref_done(&launched->init);
	launched->socket = fd_close(launched->socket);
	launched->terminal.master = fd_close(launched->terminal.master);
	launched->terminal.slave = fd_close(launched->terminal.slave);
}

int store_terminal(struct launched *launched, const struct message *message, const int *fds,
		   struct error *err)
{
	bool wanted = message->fds.count == 2 && launched->terminal.master < 0;

	for (uint32_t i = 0; !wanted && i < message->fds.count; i++)
		fd_close(fds[i]);
	if (!wanted)
		return refuse_as(err, -EPROTO, "received %u descriptors instead of a terminal",
				 message->fds.count);
	launched->terminal = (struct console){.master = fds[0], .slave = fds[1]};
	return 0;
}

static int serve_maps(const struct launch *launch, const struct launched *launched,
		      struct error *err)
{
	const struct spec_id_maps *maps = &launch->spec->linux.id_maps;

	if (!launch->plan->write_maps)
		return idmap_compare(launch->procfd, launched->init.pid, maps, err);
	return idmap_write(launch->procfd, launched->init.pid, maps, "linux", err);
}

static int serve_time(const struct launch *launch, const struct launched *launched,
		      struct error *err)
{
	return time_offsets_write(launch->procfd, launched->init.pid,
				  &launch->spec->linux.time_offsets, err);
}

static int send_sources(const struct launched *launched, const struct mount_sources *sources,
			struct error *err)
{
	int fds[MESSAGE_FDS_MAX];
	uint32_t index[MESSAGE_FDS_MAX];
	size_t count = 0;
	int r = 0;

	/* One past the mounts is the root. */
	for (size_t i = 0; r >= 0 && i <= sources->count; i++) {
		int fd = i < sources->count ? sources->fds[i] : sources->root;

		if (fd >= 0) {
			fds[count] = fd;
			index[count++] = (uint32_t)i;
		}
		if (count == MESSAGE_FDS_MAX || (count && i == sources->count)) {
			r = message_send_fds(launched->socket, fds, index, count, err);
			count = 0;
		}
	}
	return r;
}

static int open_sources(const struct launch *launch, int init_users, struct mount_sources *ret,
			struct error *err)
{
	const struct mount_origin origin = {
		.own_users = launch->mount_users,
		.container_users = init_users,
		.stage = launch->plan->stage ? launch->stage : NULL,
		.label = launch->mount_label,
	};

	return mount_sources_open(launch->spec, &origin, ret, err);
}

static int serve_sources(const struct launch *launch, const struct launched *launched,
			 struct error *err)
{
	_cleanup_fd_ int users = user_namespace_open(launch->procfd, launched->init.pid, err);
	struct mount_sources sources = MOUNT_SOURCES_NONE;
	struct visit visit = VISIT_NONE;
	int r = users;

	if (r >= 0)
		r = visit_begin(launch->procfd, &visit, err);
	if (r < 0)
		return r;
	if (setns(launched->init.fd, CLONE_NEWNS) < 0)
		r = fail(err, -errno, "enter the container's mount namespace");
	else
		r = open_sources(launch, users, &sources, err);
	r = visit_end(&visit, r, err);
	if (r >= 0)
		r = send_sources(launched, &sources, err);
	mount_sources_done(&sources);
	return r;
}

static int serve_hooks(const struct launch *launch, const struct launched *launched,
		       struct error *err)
{
	_cleanup_free_ char *state = hook_state(launch, STATUS_CREATED, launched->init.pid);
	const struct spec_hooks *hooks = launch->spec->hooks;
	int r = netdevices_move(&launch->spec->linux.net_devices, launch->netdevices_helper,
				launched->init.pid, err);

	/* They find the devices in place. */
	if (r >= 0)
		r = hooks_run(hooks, HOOK_PRESTART, state, launch->bundlefd, err);
	if (r >= 0)
		r = hooks_run(hooks, HOOK_CREATE_RUNTIME, state, launch->bundlefd, err);
	return r;
}

static int serve_scheduler(const struct launch *launch, const struct launched *launched,
			   struct error *err)
{
	return scheduler_apply(launched->init.pid, launch->spec->process->scheduling.scheduler,
			       err);
}

static int serve_io_priority(const struct launch *launch, const struct launched *launched,
			     struct error *err)
{
	return io_priority_apply(launched->init.pid, launch->spec->process->scheduling.io_priority,
				 err);
}

/* What init may ask for, and who does it. */
static int (*const servants[MESSAGE_TYPE_MAX])(const struct launch *, const struct launched *,
					       struct error *) = {
	[MESSAGE_MAPS] = serve_maps,	       [MESSAGE_SOURCES] = serve_sources,
	[MESSAGE_HOOKS] = serve_hooks,	       [MESSAGE_TIME] = serve_time,
	[MESSAGE_SCHEDULER] = serve_scheduler, [MESSAGE_IO_PRIORITY] = serve_io_priority,
};

/* Init is gone without a word: says how. */
static int died(const struct launched *launched, const char *doing, struct error *err)
{
	siginfo_t info = {.si_pid = 0};

	/* Its end of the socket is closed a moment before it has ended. */
	ignore(pidref_wait_exit(&launched->init, END_TIMEOUT_MS));
	ignore(waitid(P_PIDFD, (id_t)launched->init.fd, &info, WEXITED | WNOWAIT | WNOHANG));
	if (info.si_pid && info.si_code != CLD_EXITED)
		return refuse_as(err, -ECHILD, "the container's init was killed by signal %d %s",
				 info.si_status, doing);
	return refuse_as(err, -ECHILD, "the container's init ended %s", doing);
}

/* Does what init asks for, and acknowledges it. */
static int serve(const struct launch *launch, const struct launched *launched,
		 enum message_type type, struct error *err)
{
	int r;

	if (!servants[type])
		return refuse_as(err, -EPROTO, "init sent a message of type %u", type);
	r = servants[type](launch, launched, err);
	return r < 0 ? r : message_send(launched->socket, MESSAGE_ACK, err);
}

int launch_serve(const struct launch *launch, struct launched *launched, struct error *err)
{
	const struct message_wait wait = {.peer = &launched->init, .timeout_ms = -1};
	struct message message;
	int fds[MESSAGE_FDS_MAX];

	for (;;) {
		int r = message_await(launched->socket, &wait, &message, fds, err);

		if (r < 0)
			return r;
		if (r == 0)
			return died(launched, "while it was created", err);
		if (message.type == MESSAGE_CREATED)
			return 0;
		if (message.type == MESSAGE_ERROR) {
			*err = message.error;
			return err->code < 0 ? err->code : -EIO;
		}
		/* It needs no answer: init goes on meanwhile. */
		if (message.type == MESSAGE_FDS)
			r = store_terminal(launched, &message, fds, err);
		else
			r = serve(launch, launched, message.type, err);
		if (r < 0)
			return r;
	}
}

int launch_commit(const struct launched *launched, struct error *err)
{
	int r = message_send(launched->socket, MESSAGE_COMMIT, err);

	if (r >= 0)
		r = message_wait_ack(launched->socket, &launched->init, ANSWER_TIMEOUT_MS, err);
	return r < 0 ? within(err, r, "commit the container") : r;
}

int launch_go(int procfd, int socket, const struct pidref *init, struct seccomp_agent *agent,
	      struct error *err)
{
	const struct going going = {
		.procfd = procfd,
		.socket = socket,
		.wait = {.peer = init, .timeout_ms = ANSWER_TIMEOUT_MS},
		.agent = agent,
		.who = "the container's init",
	};

	return go_and_wait(&going, err);
}

/* What comes after the ACK: a message, or 0 at end-of-file. A listener on the way is passed on. */
static int wait_for_outcome(const struct going *going, struct message *ret, struct error *err)
{
	/* From here on only the hooks of startContainer take time, and they have time-outs. */
	const struct message_wait wait = {.timeout_ms = -1, .signals = going->wait.signals};
	int fds[MESSAGE_FDS_MAX];
	int r = message_await(going->socket, &wait, ret, fds, err);

	if (r <= 0 || ret->type != MESSAGE_FDS)
		return r;
	r = listener_take(going, ret, fds, err);
	/* And what an agent takes to answer: whoever ends the container ends this, too. */
	return r < 0 ? r : message_await(going->socket, &wait, ret, /* ret_fds= */ NULL, err);
}

int go_and_wait(const struct going *going, struct error *err)
{
	struct message message;
	struct error unsent = ERROR_NONE;
	int r = message_send(going->socket, MESSAGE_GO, &unsent);

	if (r < 0 && r != -EPIPE)
		*err = unsent;
	else /* It may have hung up already, and have said why before. */
		r = message_await_ack(going->socket, &going->wait, err);
	if (r >= 0)
		r = wait_for_outcome(going, &message, err);
	if (r < 0)
		return r;
	/* There was no program to execute, and it has ended. */
	if (r > 0 && message.type == MESSAGE_ACK)
		return 0;
	if (r > 0) {
		*err = message.error;
		return message.type == MESSAGE_ERROR && err->code < 0 ? err->code : -EIO;
	}
	/* End-of-file: its exec closed the socket, or its death did. */
	if (pidref_never_executed(going->procfd, going->wait.peer->pid))
		return refuse_as(err, -ECHILD, "%s was killed before it executed the program",
				 going->who);
	return 0;
}
