/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The steps of init, from the clone to a container that only lacks its start. The order is the
 * argument: each line of the table says why it stands where it stands. Errors need no step's name:
 * they name the field of config.json and what was attempted.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "berth/base/alloc.h"
#include "berth/base/fd.h"
#include "berth/base/root.h"
#include "berth/base/str.h"
#include "berth/base/sys.h"
#include "berth/linux/console.h"
#include "berth/linux/hooks.h"
#include "berth/linux/namespaces.h"
#include "berth/linux/placement.h"
#include "berth/linux/process.h"
#include "berth/spec/state_document.h"
#include "berth/stage/message.h"

#include "stage-internal.h"

static bool joins_by_itself(const struct launch *launch)
{
	return launch->plan->join_count && !launch->plan->middle;
}

static int step_join(struct init *init, struct error *err)
{
	return namespaces_enter(init->launch, init->socket, err);
}

static bool wants_maps(const struct launch *launch)
{
	return launch->spec->linux.namespaces[NAMESPACE_USER].wanted;
}

static int step_maps(struct init *init, struct error *err)
{
	int r = message_ask(init->socket, MESSAGE_MAPS, err);

	/* Until here our ids are not mapped: from now on root of the new namespace. */
	if (r >= 0 && init->launch->plan->write_maps)
		r = become_root(init->socket, err);
	return r;
}

static bool wants_unshare(const struct launch *launch)
{
	return launch->plan->unshare_flags != 0;
}

static int step_unshare(struct init *init, struct error *err)
{
	const unsigned flags = init->launch->plan->unshare_flags;
	int r = 0;

	for (int kind = 0; r >= 0 && kind < NAMESPACE_MAX; kind++) {
		if (flags & namespace_flag((enum namespace_kind)kind))
			r = namespace_unshare((enum namespace_kind)kind, err);
	}
	return r;
}

static bool wants_time(const struct launch *launch)
{
	return launch->plan->new_time;
}

static int step_time(struct init *init, struct error *err)
{
	int r = message_ask(init->socket, MESSAGE_TIME, err);

	return r < 0 ? r : time_namespace_enter(init->launch->procfd, err);
}

static bool wants_loopback(const struct launch *launch)
{
	return launch->plan->new_network;
}

static int step_loopback(struct init *init, struct error *err)
{
	(void)init;
	return loopback_up(err);
}

static int step_session(struct init *init, struct error *err)
{
	(void)init;
	if (setsid() < 0)
		return fail(err, -errno, "make a session");
	return 0;
}

static bool owns_mounts(const struct launch *launch)
{
	return launch->plan->own_mounts;
}

static int step_propagation(struct init *init, struct error *err)
{
	return mount_propagation_prepare(init->launch->spec, err);
}

/* Where each received descriptor belongs: one past the mounts is the root. */
static int store_sources(struct init *init, const struct message_fds *list, const int *fds,
			 struct error *err)
{
	struct mount_sources *sources = &init->sources;

	for (uint32_t i = 0; i < list->count; i++) {
		if (list->index[i] < sources->count)
			sources->fds[list->index[i]] = fds[i];
		else if (list->index[i] == sources->count)
			sources->root = fds[i];
		else
			return refuse(err, "received a descriptor that nobody asked for");
	}
	return 0;
}

static int receive_sources(struct init *init, struct error *err)
{
	struct message message;
	int fds[MESSAGE_FDS_MAX];
	int r = message_send(init->socket, MESSAGE_SOURCES, err);

	init->sources.count = init->launch->spec->mount_count;
	init->sources.fds = xcalloc(init->sources.count, sizeof(int));
	for (size_t i = 0; i < init->sources.count; i++)
		init->sources.fds[i] = -EBADF;
	while (r >= 0) {
		r = message_receive(init->socket, &message, fds, err);
		if (r == 0)
			_exit(1); /* the parent ended */
		if (r < 0 || message.type == MESSAGE_ACK)
			break;
		if (message.type != MESSAGE_FDS)
			return refuse(err, "received a message of type %u instead of descriptors",
				      message.type);
		r = store_sources(init, &message.fds, fds, err);
	}
	return r;
}

static int step_sources(struct init *init, struct error *err)
{
	/* The container's own maps count where there is a user namespace: that is the parent's. */
	const struct mount_origin origin = {
		.own_users = init->launch->mount_users,
		.container_users = -EBADF,
		.label = init->launch->mount_label,
	};

	if (init->launch->plan->parent_sources)
		return receive_sources(init, err);
	return mount_sources_open(init->launch->spec, &origin, &init->sources, err);
}

static int step_root(struct init *init, struct error *err)
{
	if (!init->launch->plan->own_mounts) {
		init->mount.rootfd = mount_root_hold(&init->sources);
		return 0;
	}
	return mount_root_attach(init->launch->spec, &init->sources, &init->mount.rootfd, err);
}

static int step_mounts(struct init *init, struct error *err)
{
	int r = mount_all(&init->mount, init->launch->spec, &init->sources, err);

	/* KERNEL(6.15): until then nothing can be attached to a tree that is attached nowhere. */
	if (r < 0 && !init->launch->plan->own_mounts)
		r = within(err, r,
			   "linux.namespaces: without a new \"mount\" namespace (needs "
			   "Linux 6.15)");
	return r;
}

static bool wants_terminal(const struct launch *launch)
{
	return launch->spec->process && launch->spec->process->terminal;
}

static int step_terminal(struct init *init, struct error *err)
{
	struct console console = CONSOLE_UNSET;
	int r = console_open(init->mount.rootfd, init->launch->spec->process, &console, err);

	/* Closed when init drops what is the host's. */
	init->mount.consolefd = console.slave;
	return r < 0 ? r : enter_terminal(&console, init->socket, err);
}

static int step_dev(struct init *init, struct error *err)
{
	return mount_dev(&init->mount, init->launch->spec, err);
}

static int step_masks(struct init *init, struct error *err)
{
	return mount_masks(&init->mount, init->launch->spec, err);
}

static bool wants_uts(const struct launch *launch)
{
	return launch->spec->hostname || launch->spec->domainname;
}

static int step_uts(struct init *init, struct error *err)
{
	return uts_apply(init->launch->spec->hostname, init->launch->spec->domainname, err);
}

static bool wants_sysctl(const struct launch *launch)
{
	return launch->spec->linux.sysctl.count > 0;
}

static int step_sysctl(struct init *init, struct error *err)
{
	return sysctl_apply(init->launch->procfd, &init->launch->spec->linux.sysctl, err);
}

static bool needs_directory(const struct launch *launch)
{
	return launch->spec->process && launch->spec->root_readonly;
}

/* What can't be made is an error where it is entered, which says more. */
static int step_directory(struct init *init, struct error *err)
{
	struct error unheard = ERROR_NONE;

	(void)err;
	fd_close(root_make(init->mount.rootfd, init->launch->spec->process->cwd, ROOT_DIRECTORY,
			   &unheard));
	return 0;
}

static int step_root_finish(struct init *init, struct error *err)
{
	return mount_root_finish(&init->mount, init->launch->spec, err);
}

static bool wants_runtime_hooks(const struct launch *launch)
{
	return launch->spec->linux.net_devices.count || launch->spec->hooks[HOOK_PRESTART].count ||
	       launch->spec->hooks[HOOK_CREATE_RUNTIME].count;
}

static int step_runtime_hooks(struct init *init, struct error *err)
{
	return message_ask(init->socket, MESSAGE_HOOKS, err);
}

static bool wants_container_hooks(const struct launch *launch)
{
	return launch->spec->hooks[HOOK_CREATE_CONTAINER].count > 0;
}

static int step_container_hooks(struct init *init, struct error *err)
{
	const struct launch *launch = init->launch;
	_cleanup_free_ char *state = hook_state(launch, STATUS_CREATED, getpid());

	return hooks_run(launch->spec->hooks, HOOK_CREATE_CONTAINER, state, launch->bundlefd, err);
}

static int step_pivot(struct init *init, struct error *err)
{
	if (!init->launch->plan->own_mounts)
		return mount_enter_held(init->mount.rootfd, err);
	return mount_pivot(init->mount.rootfd, init->launch->no_pivot, err);
}

static int step_root_propagation(struct init *init, struct error *err)
{
	return mount_propagation_apply(init->launch->spec, err);
}

static bool wants_keyring(const struct launch *launch)
{
	return !launch->no_new_keyring;
}

static int step_keyring(struct init *init, struct error *err)
{
	const struct launch *launch = init->launch;
	/* What is labelled is what is made from then on; exec puts it back. */
	int r = lsm_label_keys(launch->procfd, launch->spec->process, launch->lsm_active, err);

	return r < 0 ? r : keyring_join(launch->id, err);
}

static bool wants_personality(const struct launch *launch)
{
	return launch->spec->linux.personality_set;
}

static int step_personality(struct init *init, struct error *err)
{
	return personality_apply(init->launch->spec->linux.personality, err);
}

static bool wants_memory_policy(const struct launch *launch)
{
	return launch->spec->linux.memory_policy != NULL;
}

static int step_memory_policy(struct init *init, struct error *err)
{
	return memory_policy_apply(init->launch->spec->linux.memory_policy, err);
}

static bool has_process(const struct launch *launch)
{
	return launch->spec->process != NULL;
}

static int step_cwd(struct init *init, struct error *err)
{
	return enter_cwd(init->mount.rootfd, init->launch->spec->process->cwd, err);
}

static int step_executable(struct init *init, struct error *err)
{
	const struct spec_process *process = init->launch->spec->process;
	_cleanup_free_ char *path = NULL;

	return executable_find(process->args[0], process->env, &path, err);
}

static int step_labels(struct init *init, struct error *err)
{
	const struct launch *launch = init->launch;

	return lsm_open(launch->procfd, launch->spec->process, launch->lsm_active, &init->lsm, err);
}

static bool wants_scheduling(const struct launch *launch)
{
	return launch->spec->process && asks_for_scheduling(&launch->spec->process->scheduling);
}

static int step_scheduling(struct init *init, struct error *err)
{
	return enter_scheduling(&init->launch->spec->process->scheduling, init->socket, err);
}

const struct step init_steps[] = {
	/* A user namespace that is joined owns what is made from here on. */
	{"join", joins_by_itself, step_join},
	/* Nothing can be done before the ids mean something. */
	{"maps", wants_maps, step_maps},
	/* After the clone put us into our cgroup: it becomes the root of the new cgroup namespace.
	 */
	{"unshare", wants_unshare, step_unshare},
	/* Its offsets are fixed as soon as a process is in it. */
	{"time", wants_time, step_time},
	{"loopback", wants_loopback, step_loopback},
	{"session", NULL, step_session},
	/* Before the first mount, so that none reaches the host. */
	{"propagation", owns_mounts, step_propagation},
	/* After the propagation: clones keep the group of peers that they were taken from. */
	{"sources", NULL, step_sources},
	{"root", NULL, step_root},
	{"mounts", NULL, step_mounts},
	/* In the devpts that the mounts brought; before /dev is filled, where it is the console. */
	{"terminal", wants_terminal, step_terminal},
	/* After the mounts: /dev usually is one of them. */
	{"devices", NULL, step_dev},
	/* After everything that might be mounted below a masked path. */
	{"masks", NULL, step_masks},
	/* By way of the host's procfs: the container's is read-only in places by now. */
	{"uts", wants_uts, step_uts},
	{"sysctl", wants_sysctl, step_sysctl},
	/* An image may name a working directory that it does not contain. */
	{"directory", needs_directory, step_directory},
	/* After the last file was made in the root. */
	{"root read-only", NULL, step_root_finish},
	/* The specification: after the mounts, before pivot_root. */
	{"network devices and runtime hooks", wants_runtime_hooks, step_runtime_hooks},
	{"container hooks", wants_container_hooks, step_container_hooks},
	{"pivot", NULL, step_pivot},
	{"root propagation", owns_mounts, step_root_propagation},
	{"keyring", wants_keyring, step_keyring},
	{"personality", wants_personality, step_personality},
	/* After the file system was made, whose memory is not the program's. */
	{"memory policy", wants_memory_policy, step_memory_policy},
	{"cwd", has_process, step_cwd},
	/* So that a program that is not there is an error of create, as with runc. */
	{"executable", has_process, step_executable},
	/* While the host's procfs is there. They are asked for right before the exec. */
	{"labels", has_process, step_labels},
	/*
	 * As with runc, an error of create, and what the startContainer hooks have, too; so it is
	 * before any filter and any loss of capabilities. The last step, since what comes before
	 * may be urgent when the container is not, and since SCHED_DEADLINE lets nobody fork.
	 */
	{"scheduling", wants_scheduling, step_scheduling},
};

const size_t init_step_count = ARRAY_SIZE(init_steps);
