/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Init: the first process of a container, from its clone to its exec.
 *
 * Situation at entry: the new namespaces of the plan are ours, those to be joined and the cgroup
 * namespace are not yet; the cgroup is the container's; ids, capabilities, cwd and root are the
 * parent's; open are 0 to 2, the preserved descriptors, and what the parent had opened, all of it
 * close-on-exec; signals as in the parent, until the start puts them back to the default.
 * Situation at exit: everything is the container's, and nothing of the host is open or mapped but
 * berth's own text, from a read-only copy.
 *
 * From the first irreversible step on nothing is undone here: init dies, and its parent undoes.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "berth/base/fd.h"
#include "berth/base/str.h"
#include "berth/linux/hooks.h"
#include "berth/spec/state_document.h"
#include "berth/stage/message.h"

#include "stage-internal.h"

int die_with_parent(int socket, struct error *err)
{
	struct pollfd parent = {.fd = socket};

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return fail(err, -errno, "arrange to end with the parent");
	/* It ended before that took hold: its end of the socket is closed. */
	if (poll(&parent, 1, 0) > 0 && (parent.revents & POLLHUP))
		_exit(1);
	return 0;
}

char *hook_state(const struct launch *launch, int status, pid_t pid)
{
	struct state_document state = {
		.id = launch->id,
		.status = (enum container_status)status,
		.pid = pid,
		.bundle = launch->bundle,
		.annotations = &launch->spec->annotations,
	};

	return state_document_for_hook(&state);
}

static int walk_steps(struct init *init, struct error *err)
{
	for (size_t i = 0; i < init_step_count; i++) {
		const struct step *step = &init_steps[i];
		int r = 0;

		if (!step->needed || step->needed(init->launch))
			r = step->run(init, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/*
 * A container that is created but not started may get processes by exec: nothing of the host may
 * be found in init by then (CVE-2016-9962, CVE-2024-21626).
 */
static int drop_host(const struct init *init, struct error *err)
{
	const int keep[] = {init->socket, init->launch->listenfd, init->mount.rootfd,
			    init->lsm.apparmor, init->lsm.selinux};
	int r = fd_close_others(3 + (int)init->launch->preserve_fds, keep, ARRAY_SIZE(keep), err);

	if (r >= 0 && prctl(PR_SET_DUMPABLE, 0) < 0)
		r = fail(err, -errno, "switch dumping off");
	return r;
}

static int run_start_hooks(const struct launch *launch, struct error *err)
{
	char *state;
	int r;

	if (!launch->spec->hooks[HOOK_START_CONTAINER].count)
		return 0;
	state = hook_state(launch, STATUS_CREATED, getpid());
	r = hooks_run(launch->spec->hooks, HOOK_START_CONTAINER, state, -1, err);
	free(state);
	return r;
}

/*
 * A config.json without a process: there is nothing to execute, and the container ends, which the
 * starter is told (runtime-tools' `start` asks for that, as crun does it).
 */
static _Noreturn void end_without_program(int report, struct error *err)
{
	ignore(message_send(report, MESSAGE_ACK, err)); /* a starter that is gone needs no answer */
	_exit(0);
}

/* From the start to exec; returns only where that fails. */
static int start_program(struct init *init, int report, struct error *err)
{
	struct entry entry = {
		.process = init->launch->spec->process,
		.seccomp = init->launch->seccomp,
		.socket = report,
		.rootfd = init->mount.rootfd,
		.preserve_fds = init->launch->preserve_fds,
		.listening = init->launch->listening,
		.lsm = init->lsm,
	};
	int r;

	r = run_start_hooks(init->launch, err);
	if (r >= 0 && !entry.process)
		end_without_program(report, err);
	return r < 0 ? r : enter_program(&entry, err);
}

_Noreturn void init_main(const struct launch *launch, int socket, int parent_socket)
{
	const struct spec_namespace *namespaces = launch->spec->linux.namespaces;
	struct error err = ERROR_NONE;
	struct init init = {
		.launch = launch,
		.socket = socket,
		.sources = MOUNT_SOURCES_NONE,
		.lsm = LSM_EXEC_UNSET,
		.mount =
			{
				.procfd = launch->procfd,
				.rootfd = -EBADF,
				.consolefd = -EBADF,
				.cgroupfd = launch->cgroupfd,
				.user_namespace = namespaces[NAMESPACE_USER].wanted,
				.cgroup_namespace = namespaces[NAMESPACE_CGROUP].wanted,
				.ipc_namespace = namespaces[NAMESPACE_IPC].wanted,
				.label = launch->mount_label,
				.bundle = launch->bundle,
			},
	};
	int report = socket;
	int r;

	fd_close(parent_socket);
	r = die_with_parent(socket, &err);
	if (r >= 0)
		r = walk_steps(&init, &err);
	if (r >= 0)
		r = drop_host(&init, &err);
	if (r >= 0)
		r = message_send(socket, MESSAGE_CREATED, &err);
	if (r >= 0)
		r = wait_for_start(launch, socket, &report, &err);
	if (r >= 0)
		ignore(start_program(&init, report,
				     &err)); /* returns where it failed: err says why */
	message_send_error(report, &err);
	_exit(1);
}
