/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Adding a process to a running container.
 *
 * Situation of the child. Before it joins: everything is the host's but the pid namespace, which
 * the parent entered around the clone, and the cgroup, into which it was born; what is open of the
 * host is closed and dumping is off before the first namespace is joined, since from then on
 * processes of the container can see it (CVE-2016-9962, CVE-2024-21626). After: all namespaces of
 * the container's init at once, setns(2) with its pidfd; root and cwd are that mount namespace's
 * root. The parent sets limits meanwhile, and its "go" tells that they stand.
 *
 * A parent without rights over the host may not enter the pid namespace: there a middle process
 * (middle.c) joins everything, and is not seen in the container; it sets the limits for the child.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "berth/base/fd.h"
#include "berth/base/signals.h"
#include "berth/base/str.h"
#include "berth/base/sys.h"
#include "berth/linux/console.h"
#include "berth/linux/placement.h"
#include "berth/linux/process.h"
#include "berth/linux/scheduling.h"
#include "berth/stage/message.h"

#include "going-internal.h"
#include "stage-internal.h"

/* As with runc: a process that brings none has the container's. */
static const struct spec_exec_affinity *affinity(const struct joining *joining)
{
	const struct spec_exec_affinity *own = &joining->process->exec_affinity;
	const struct spec_process *container = joining->spec->process;

	return own->initial.set || own->final.set || !container ? own : &container->exec_affinity;
}

/* The same for these, each for itself. */
static struct spec_scheduling scheduling(const struct joining *joining)
{
	struct spec_scheduling own = joining->process->scheduling;

	if (!own.scheduler && joining->spec->process)
		own.scheduler = joining->spec->process->scheduling.scheduler;
	if (!own.io_priority && joining->spec->process)
		own.io_priority = joining->spec->process->scheduling.io_priority;
	return own;
}

/* Nothing of the host may come along into the container. */
static int leave_host(const struct joining *joining, int socket, const struct lsm_exec *lsm,
		      struct error *err)
{
	const int keep[] = {socket, joining->init->fd, lsm->apparmor, lsm->selinux};

	return fd_close_others(3 + (int)joining->preserve_fds, keep, ARRAY_SIZE(keep), err);
}

static int join(const struct joining *joining, unsigned flags, int socket, struct error *err)
{
	int r;

	if (setns(joining->init->fd, (int)flags) < 0)
		return fail(err, -errno, "join the container's namespaces");
	if (!(flags & CLONE_NEWUSER))
		return 0;
	r = sys_setresgid(0);
	if (r >= 0)
		r = sys_setresuid(0);
	if (r < 0)
		return fail(err, r, "become root of the container's user namespace");
	return die_with_parent(socket, err);
}

static int join_without_middle(const struct joining *joining, int socket, struct error *err)
{
	if (joining->by_middle)
		return 0;
	return join(joining, plan_exec_flags(joining->spec) & ~(unsigned)CLONE_NEWPID, socket, err);
}

/* What init did in its steps, as far as a further process has it of its own. */
static int settle(const struct joining *joining, int rootfd, struct error *err)
{
	int r = 0;

	if (setsid() < 0)
		return fail(err, -errno, "make a session");
	if (joining->own_keyring)
		r = keyring_join(joining->id, err);
	if (r >= 0 && joining->spec->linux.personality_set)
		r = personality_apply(joining->spec->linux.personality, err);
	if (r >= 0 && joining->spec->linux.memory_policy)
		r = memory_policy_apply(joining->spec->linux.memory_policy, err);
	return r < 0 ? r : enter_cwd(rootfd, joining->process->cwd, err);
}

static int settle_terminal(const struct joining *joining, int rootfd, int socket, struct error *err)
{
	struct console console = CONSOLE_UNSET;
	int r = console_open(rootfd, joining->process, &console, err);

	if (r >= 0)
		r = enter_terminal(&console, socket, err);
	fd_close(console.master);
	fd_close(console.slave);
	return r;
}

/* The parent serves what is asked for until it hears that nothing is any more. */
static int settle_scheduling(const struct joining *joining, int socket, struct error *err)
{
	const struct spec_scheduling wanted = scheduling(joining);
	int r;

	if (!asks_for_scheduling(&wanted))
		return 0;
	r = enter_scheduling(&wanted, socket, err);
	return r < 0 ? r : message_send(socket, MESSAGE_CREATED, err);
}

static int wait_for_go(int socket, struct error *err)
{
	struct message message;
	int r = message_wait(socket, NULL, -1, &message, err);

	if (r < 0)
		return r;
	if (r == 0 || message.type != MESSAGE_GO)
		_exit(1);
	prctl(PR_SET_PDEATHSIG, 0);
	return message_send(socket, MESSAGE_ACK, err);
}

static int child(const struct joining *joining, int socket, struct error *err)
{
	struct entry entry = {
		.process = joining->process,
		.seccomp = joining->seccomp,
		.socket = socket,
		.preserve_fds = joining->preserve_fds,
		.listening = joining->listening,
		.lsm = LSM_EXEC_UNSET,
	};
	int r = die_with_parent(socket, err);

	signals_reset();
	/* In the cgroup since its birth, and the less it runs elsewhere the better. */
	if (r >= 0)
		r = cpu_affinity_apply(&affinity(joining)->final, "final", err);
	if (r >= 0)
		r = lsm_open(joining->procfd, joining->process, joining->lsm_active, &entry.lsm,
			     err);
	/* By way of the host's procfs, as the other labels. */
	if (r >= 0 && joining->own_keyring)
		r = lsm_label_keys(joining->procfd, joining->process, joining->lsm_active, err);
	if (r >= 0)
		r = leave_host(joining, socket, &entry.lsm, err);
	if (r >= 0)
		r = join_without_middle(joining, socket, err);
	if (r < 0)
		return r;
	entry.rootfd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (entry.rootfd < 0)
		return fail(err, -errno, "open the container's root");
	r = settle(joining, entry.rootfd, err);
	if (r >= 0 && joining->process->terminal)
		r = settle_terminal(joining, entry.rootfd, socket, err);
	if (r >= 0)
		r = settle_scheduling(joining, socket, err);
	if (r >= 0)
		r = wait_for_go(socket, err);
	return r < 0 ? r : enter_program(&entry, err);
}

static _Noreturn void child_main(const struct joining *joining, int socket, int parent_socket)
{
	struct error err = ERROR_NONE;

	fd_close(parent_socket);
	ignore(child(joining, socket, &err)); /* it returns only where it failed: err says why */
	message_send_error(socket, &err);
	_exit(1);
}

static int equip(const struct joining *joining, pid_t pid, struct error *err)
{
	const struct spec_process *process = joining->process;
	int r = rlimits_raise(pid, process->rlimits, process->rlimit_count, err);

	if (r >= 0 && process->oom_score_adj_set)
		r = oom_score_adj_write(joining->procfd, pid, process->oom_score_adj, err);
	return r;
}

/* The child is in the container, and this is its terminal; or it says what went wrong. */
static int receive_terminal(const struct message_wait *wait, struct launched *launched,
			    struct error *err)
{
	struct message message;
	int fds[MESSAGE_FDS_MAX];
	int r = message_await(launched->socket, wait, &message, fds, err);

	if (r < 0)
		return r;
	if (r == 0)
		return refuse_as(err, -ECHILD, "the process ended before it had its terminal");
	if (message.type == MESSAGE_FDS)
		return store_terminal(launched, &message, fds, err);
	if (message.type != MESSAGE_ERROR)
		return refuse_as(err, -EPROTO,
				 "received a message of type %u instead of a terminal",
				 message.type);
	*err = message.error;
	return err->code < 0 ? err->code : -EIO;
}

static int serve(const struct spec_scheduling *wanted, const struct launched *launched,
		 const struct message *message, struct error *err)
{
	int r;

	if (message->type == MESSAGE_SCHEDULER)
		r = scheduler_apply(launched->init.pid, wanted->scheduler, err);
	else if (message->type == MESSAGE_IO_PRIORITY)
		r = io_priority_apply(launched->init.pid, wanted->io_priority, err);
	else
		return refuse_as(err, -EPROTO, "received a message of type %u", message->type);
	return r < 0 ? r : message_send(launched->socket, MESSAGE_ACK, err);
}

/* The child may need our rights for its scheduling, which is set when it says so. */
static int serve_scheduling(const struct joining *joining, const struct message_wait *wait,
			    const struct launched *launched, struct error *err)
{
	const struct spec_scheduling wanted = scheduling(joining);
	struct message message;

	while (asks_for_scheduling(&wanted)) {
		int r = message_await(launched->socket, wait, &message, NULL, err);

		if (r < 0)
			return r;
		if (r == 0)
			return refuse_as(err, -ECHILD,
					 "the process ended before its scheduling was set");
		if (message.type == MESSAGE_CREATED)
			return 0;
		if (message.type == MESSAGE_ERROR) {
			*err = message.error;
			return err->code < 0 ? err->code : -EIO;
		}
		r = serve(&wanted, launched, &message, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* In the middle process: the child is born where it is to be, with the limits that it is to have.
 */
static int give_birth(const struct middle *middle, int report, struct pidref *ret,
		      struct error *err)
{
	const struct joining *joining = middle->what;
	const struct birth birth = {
		.flags = CLONE_PARENT,
		.cgroupfd = -EBADF,
		.pid_namespace = -EBADF,
		.procfd = joining->procfd,
		.what = "a process into the container",
	};
	/* Before dumping is off: then our files in /proc are root's. */
	int r = equip(joining, getpid(), err);

	if (r >= 0 && prctl(PR_SET_DUMPABLE, 0) < 0)
		r = fail(err, -errno, "switch dumping off");
	if (r >= 0)
		r = join(joining, plan_exec_flags(joining->spec), report, err);
	if (r < 0)
		return r;
	r = process_clone(&birth, ret, err);
	if (r == 0) {
		fd_close(report);
		child_main(joining, middle->sockets[1], middle->sockets[0]);
	}
	return r;
}

static int clone_child_by_middle(const struct joining *joining, const int sockets[static 2],
				 struct pidref *ret, struct error *err)
{
	const struct middle middle = {
		.cgroupfd = joining->cgroupfd,
		.unit = joining->unit,
		.subgroup = joining->subgroup,
		.procfd = joining->procfd,
		.signals = joining->signals,
		.give_birth = give_birth,
		.what = joining,
		.sockets = sockets,
	};

	return clone_by_middle(&middle, ret, err);
}

static int clone_child(const struct joining *joining, const int sockets[static 2],
		       struct pidref *ret, struct error *err)
{
	/* Its pidfd stands for its namespaces. */
	bool own_pids = joining->spec->linux.namespaces[NAMESPACE_PID].wanted;
	const struct birth birth = {
		.cgroupfd = joining->cgroupfd,
		.unit = joining->unit,
		.subgroup = joining->subgroup,
		.pid_namespace = own_pids ? joining->init->fd : -EBADF,
		.procfd = joining->procfd,
		.signals = joining->signals,
		.what = "a process into the container",
	};
	int r;

	/* The child must not be open to the container between its clone and its own first step. */
	if (prctl(PR_SET_DUMPABLE, 0) < 0)
		return fail(err, -errno, "switch dumping off");
	r = process_clone(&birth, ret, err);
	if (r == 0)
		child_main(joining, sockets[1], sockets[0]);
	return r < 0 ? r : equip(joining, ret->pid, err);
}

int launch_exec(const struct joining *joining, struct launched *ret, struct error *err)
{
	struct launched launched = LAUNCHED_UNSET;
	/* In a paused container it says a word once that is resumed; if it dies, the wait ends. */
	const struct message_wait wait = {
		.peer = &launched.init,
		.timeout_ms = -1,
		.signals = joining->signals,
	};
	/*
	 * The specification speaks of the runtime's own process; its clone begins there, and the
	 * kernel then fits that to the cpuset of the cgroup. We stay there: nothing waits for us.
	 */
	int sockets[2], r = cpu_affinity_apply(&affinity(joining)->initial, "initial", err);

	if (r < 0)
		return r;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) < 0)
		return fail(err, -errno, "make a socket pair");
	launched.socket = sockets[0];
	r = joining->by_middle ? clone_child_by_middle(joining, sockets, &launched.init, err)
			       : clone_child(joining, sockets, &launched.init, err);
	fd_close(sockets[1]);
	if (r >= 0 && joining->process->terminal)
		r = receive_terminal(&wait, &launched, err);
	if (r >= 0)
		r = serve_scheduling(joining, &wait, &launched, err);
	if (r < 0) {
		launched_undo(&launched);
		return r;
	}
	*ret = launched;
	return 0;
}

int launch_exec_go(int procfd, const struct launched *launched, struct seccomp_agent *agent,
		   const int *signals, struct error *err)
{
	const struct going going = {
		.procfd = procfd,
		.socket = launched->socket,
		/* As at the launch: a paused one answers once it is resumed. */
		.wait = {.peer = &launched->init, .timeout_ms = -1, .signals = signals},
		.agent = agent,
		.who = "the process",
	};
	int r = go_and_wait(&going, err);

	return r == -EPIPE ? refuse_as(err, r, "%s was killed before it executed the program",
				       going.who)
			   : r;
}
