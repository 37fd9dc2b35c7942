/* SPDX-License-Identifier: Apache-2.0 */
/* Executing a further process in a running container. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>

#include "berth/base/fd.h"
#include "berth/base/json_read.h"
#include "berth/base/log.h"
#include "berth/linux/lsm.h"
#include "berth/linux/process.h"
#include "berth/linux/seccomp.h"
#include "berth/stage/launch.h"

#include "container-internal.h"
#include "exec_cgroup-internal.h"
#include "explain-internal.h"
#include "resctrl-internal.h"
#include "sockets-internal.h"
#include "terminal-internal.h"

static int check_alive(const struct container *container, struct error *err)
{
	if (container->status == STATUS_STOPPED || container->status == STATUS_CREATING)
		return refuse(err, "cannot exec in a container that is %s",
			      container_status_names[container->status]);
	return 0;
}

static int check_state(const struct container *container, const struct exec_options *options,
		       struct error *err)
{
	if (container->status == STATUS_PAUSED && !options->ignore_paused)
		return refuse(err, "cannot exec in a paused container (use --ignore-paused to "
				   "override)");
	/* Its namespaces are found by init, which nobody without such rights may look into yet. */
	if (container->status == STATUS_CREATED && !capabilities_of_root())
		return refuse_as(err, -EPERM,
				 "cannot exec in a container that is created, but not started, "
				 "without rights over the host");
	return check_alive(container, err);
}

static int read_process(struct container *container, const char *path,
			const struct spec_process **ret, struct error *err)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_fd_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	size_t size;
	int r;

	if (fd < 0)
		return fail(err, -errno, "open \"%s\"", path);
	r = file_read_fd(fd, path, JSON_SIZE_MAX, &text, &size, err);
	if (r < 0)
		return r;
	return spec_decode_process(container->arena, text, size, path, ret, err);
}

/* Labels that the document leaves open are the container's, as with runc: exec leads nowhere else.
 */
static const struct spec_process *add_labels(struct arena *arena,
					     const struct spec_process *process,
					     const struct spec_process *of_container)
{
	struct spec_process *labelled = arena_alloc(arena, 1, sizeof(*labelled));

	*labelled = *process;
	if (!labelled->apparmor_profile)
		labelled->apparmor_profile = of_container->apparmor_profile;
	if (!labelled->selinux_label)
		labelled->selinux_label = of_container->selinux_label;
	return labelled;
}

/* The container's environment with the new variables after it: the last of a name wins. */
static const char *const *add_env(struct arena *arena, const char *const *base,
				  const struct strv *added)
{
	const char **list;
	size_t count = 0, used = 0;

	while (base[count])
		count++;
	list = arena_alloc(arena, count + added->count + 1, sizeof(*list));
	for (size_t i = 0; i < count; i++) {
		size_t name = strcspn(base[i], "=") + 1;
		bool replaced = false;

		for (size_t k = 0; k < added->count; k++)
			replaced |= strncmp(added->items[k], base[i], name) == 0;
		if (!replaced)
			list[used++] = base[i];
	}
	for (size_t i = 0; i < added->count; i++)
		list[used++] = added->items[i];
	return list;
}

static int add_groups(struct arena *arena, const struct strv *added, struct spec_process *process,
		      struct error *err)
{
	gid_t *groups;

	if (!added->count)
		return 0;
	groups = arena_alloc(arena, process->group_count + added->count, sizeof(*groups));
	for (size_t i = 0; i < process->group_count; i++)
		groups[i] = process->groups[i];
	for (size_t i = 0; i < added->count; i++) {
		uint32_t group;

		if (str_to_u32(added->items[i], &group) < 0 || group == (uint32_t)-1)
			return refuse(err, "--additional-gids: \"%s\" is not a group id",
				      added->items[i]);
		groups[process->group_count + i] = group;
	}
	process->groups = groups;
	process->group_count += added->count;
	return 0;
}

/*
 * Never the inheritable set (CVE-2022-29162), and so never the ambient one, which needs it, beyond
 * what the container's own process has there.
 */
static int add_caps(const struct strv *added, struct spec_capabilities *caps, struct error *err)
{
	for (size_t i = 0; i < added->count; i++) {
		int number = capability_number(added->items[i]);
		uint64_t bit;

		if (number < 0)
			return refuse(err, "--cap: \"%s\" is not a capability", added->items[i]);
		bit = UINT64_C(1) << number;
		caps->given = true;
		caps->sets[CAPABILITY_BOUNDING] |= bit;
		caps->sets[CAPABILITY_EFFECTIVE] |= bit;
		caps->sets[CAPABILITY_PERMITTED] |= bit;
		caps->sets[CAPABILITY_AMBIENT] |= bit & caps->sets[CAPABILITY_INHERITABLE];
	}
	return 0;
}

static int check_env(const struct strv *env, struct error *err)
{
	for (size_t i = 0; i < env->count; i++) {
		if (env->items[i][0] == '=' || !strchr(env->items[i], '='))
			return refuse(err, "--env: \"%s\" is not NAME=VALUE", env->items[i]);
	}
	return 0;
}

/* The container's own process with what the options change. */
static int derive_process(struct container *container, const struct spec *spec,
			  const struct exec_options *options, const struct spec_process **ret,
			  struct error *err)
{
	struct spec_process *process;
	int r = check_env(&options->env, err);

	if (r < 0)
		return r;
	if (!spec->process)
		return refuse(err, "process: the container has none to take defaults from; use "
				   "--process");
	process = arena_alloc(container->arena, 1, sizeof(*process));
	*process = *spec->process;
	process->args = options->args;
	process->terminal = options->tty;
	process->env = add_env(container->arena, process->env, &options->env);
	process->no_new_privileges |= options->no_new_privileges;
	if (options->apparmor)
		process->apparmor_profile = options->apparmor;
	if (options->process_label)
		process->selinux_label = options->process_label;
	if (options->cwd)
		process->cwd = options->cwd;
	if (process->cwd[0] != '/')
		return refuse(err, "--cwd: \"%s\" is not absolute", process->cwd);
	if (options->user)
		r = spec_parse_user(options->user, &process->uid, &process->gid, err);
	if (r >= 0)
		r = add_groups(container->arena, &options->groups, process, err);
	if (r >= 0)
		r = add_caps(&options->caps, &process->capabilities, err);
	*ret = process;
	return r;
}

static int prepare_filter(const struct runtime *runtime, const struct spec *spec,
			  struct seccomp_program *ret, struct error *err)
{
	_cleanup_fd_ int rootfd = -EBADF, cache = -EBADF;
	struct error unheard = ERROR_NONE;

	if (spec->linux.seccomp) {
		rootfd = state_root_open(runtime, /* make= */ false, &unheard);
		cache = rootfd < 0 ? -EBADF : state_cache_open(rootfd);
	}
	return seccomp_prepare(spec->linux.seccomp, cache, ret, err);
}

/* The state is the container's, which runs. */
static int connect_agent(const struct container *container, const struct spec *spec,
			 struct seccomp_agent *ret, struct error *err)
{
	struct state_document state;

	container_describe(container, &state);
	return seccomp_agent_connect(spec->linux.seccomp, &state, ret, err);
}

/* What is around the process. */
struct around {
	int pidfd, console;	    /* of whoever waits for it; owned, -1: nobody */
	int signals;		    /* that end the wait for it; owned */
	struct seccomp_agent agent; /* of its filter; owned */
	struct exec_memory memory;
};

#define AROUND_UNSET                                                                               \
	{                                                                                          \
		.pidfd = -EBADF, .console = -EBADF, .signals = -EBADF,                             \
		.agent = SECCOMP_AGENT_NONE, .memory.cgroupfd = -EBADF                             \
	}

static void around_done(struct around *around)
{
	around->pidfd = fd_close(around->pidfd);
	around->console = fd_close(around->console);
	around->signals = fd_close(around->signals);
	seccomp_agent_done(&around->agent);
	around->memory.cgroupfd = fd_close(around->memory.cgroupfd);
}

#define _cleanup_around_ __attribute__((cleanup(around_done)))

/*
 * In a paused container the process is frozen from its birth on, and answers when that is resumed.
 * Whoever is tired of waiting may end us, and then the process must not stay either, which could
 * not even see its parent's end. What has come too late for that is passed on, as in attend().
 */
static int interruptible(struct around *around, struct error *err)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return fail(err, -errno, "block signals");
	around->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (around->signals < 0)
		return fail(err, -errno, "receive signals");
	return 0;
}

/* The process exists, and executes its program if nothing fails any more. */
static int release(const struct container *container, const struct exec_options *options,
		   struct around *around, struct launched *launched, struct error *err)
{
	int r = record_resctrl_assign(&container->record, launched->init.pid, err);

	if (r >= 0)
		r = console_send(around->console, launched->terminal.master, err);
	if (r >= 0)
		r = launch_exec_go(container->procfd, launched, &around->agent, &around->signals,
				   err);
	if (r >= 0)
		r = pidfd_socket_send(around->pidfd, &launched->init, /* is_init= */ false, err);
	if (r >= 0 && options->pid_file)
		r = pid_file_write(options->pid_file, launched->init.pid, err);
	return r;
}

static int finish(const struct container *container, const struct exec_options *options,
		  struct around *around, struct launched *launched, int *ret_status,
		  struct error *err)
{
	_cleanup_proxy_ struct proxy proxy = PROXY_UNSET;
	int r = options->detach ? 0 : proxy_open(&launched->terminal, &proxy, err);

	if (r >= 0)
		r = release(container, options, around, launched, err);
	if (r < 0) {
		launched_undo(launched);
		return r;
	}
	if (!options->detach)
		r = attend(&launched->init, &proxy, /* notify= */ NULL, ret_status, err);
	launched_done(launched);
	return r;
}

static bool own_mounts(const struct spec *spec)
{
	const struct spec_namespace *mount = &spec->linux.namespaces[NAMESPACE_MOUNT];

	return mount->wanted && !mount->path;
}

/*
 * The container's cgroup takes no processes any more, since controllers are passed on from it or it
 * has become part of a threaded one: its init has moved on into one below it.
 */
static int launch_beside_init(const struct container *container, struct joining *joining,
			      struct launched *ret, struct error *err)
{
	int fd = exec_cgroup_open_of_init(container, &joining->subgroup, err);

	if (fd < 0)
		return fd;
	fd_close(joining->cgroupfd);
	joining->cgroupfd = fd;
	return launch_exec(joining, ret, err);
}

/* Where it was the cgroup that took no process, says why it takes none. */
static int explain_refusal(const struct container *container, const struct joining *joining,
			   int code, struct error *err)
{
	_cleanup_free_ char *path = NULL;
	struct error unheard = ERROR_NONE;
	_cleanup_fd_ int root =
		joining->cgroupfd < 0 ? -EBADF : cgroup_open_root(container->procfd, &unheard);

	if (root < 0)
		return code;
	path = xasprintf("%s%s", container->record.cgroup_path, joining->subgroup);
	ignore(cgroup_refuses(root, path, code, err)); /* the text that there is, otherwise */
	return code;
}

/* What systemd is refused where it moves for us, it says in words only. */
static bool takes_none(const struct joining *joining, int code)
{
	return code == -EBUSY || code == -EOPNOTSUPP || (code == -EIO && joining->unit);
}

static int launch(const struct runtime *runtime, struct container *container,
		  const struct exec_options *options, struct around *around, struct launched *ret,
		  struct error *err)
{
	struct seccomp_program filter = {.instructions = NULL};
	const struct systemd systemd = record_systemd(runtime, &container->record);
	const struct unit_ref unit = {.systemd = &systemd, .name = container->record.unit};
	struct joining joining = {
		.seccomp = &filter,
		.id = options->id,
		.init = &container->init,
		.procfd = container->procfd,
		.unit = unit.name ? &unit : NULL,
		.preserve_fds = options->preserve_fds,
		.own_keyring = container->record.own_keyring,
		.signals = &around->signals,
		.listening = &runtime->listening,
		.by_middle = !capabilities_of_root(),
	};
	int r = container_spec(container, &joining.spec, err);

	if (r < 0)
		return r;
	if (!own_mounts(joining.spec))
		return refuse(err, "exec needs a container with a mount namespace of its own");
	if (options->process_file)
		r = read_process(container, options->process_file, &joining.process, err);
	else
		r = derive_process(container, joining.spec, options, &joining.process, err);
	if (r >= 0 && options->process_file && joining.spec->process)
		joining.process =
			add_labels(container->arena, joining.process, joining.spec->process);
	if (r >= 0)
		r = lsm_check(joining.process, /* mount_label= */ NULL, &joining.lsm_active, err);
	if (r >= 0)
		r = console_check(joining.process->terminal, options->detach,
				  options->console_socket, err);
	if (r >= 0)
		r = console_connect(options->console_socket, &around->console, err);
	if (r < 0)
		return r;
	joining.cgroupfd = exec_cgroup_open(container, &options->cgroups, &joining.subgroup, err);
	if (joining.cgroupfd < 0 && joining.cgroupfd != -EBADF)
		return joining.cgroupfd;
	around->memory = exec_memory_begin(container, joining.cgroupfd, joining.subgroup);
	r = prepare_filter(runtime, joining.spec, &filter, err);
	if (r >= 0)
		r = connect_agent(container, joining.spec, &around->agent, err);
	if (r >= 0)
		r = launch_exec(&joining, ret, err);
	if (takes_none(&joining, r) && !options->cgroups.count)
		r = launch_beside_init(container, &joining, ret, err);
	if (r < 0)
		r = explain_refusal(container, &joining, r, err);
	seccomp_program_done(&filter);
	fd_close(joining.cgroupfd);
	return r;
}

/* A process that failed, or never was, may have been killed for want of memory. */
static int tell_of_oom(const char *id, const struct exec_memory *memory, int code, int status,
		       struct error *err)
{
	_cleanup_free_ char *oom = code < 0 || status ? exec_memory_text(memory) : NULL;

	if (oom && code < 0)
		return within(err, code, "%s", oom);
	if (oom)
		log_message(LOG_LEVEL_ERROR, "container \"%s\": %s", id, oom);
	return code;
}

int container_exec(const struct runtime *runtime, const struct exec_options *options,
		   int *ret_status, struct error *err)
{
	_cleanup_container_ struct container container = CONTAINER_UNSET;
	_cleanup_around_ struct around around = AROUND_UNSET;
	struct launched launched = LAUNCHED_UNSET;
	int r = container_load(runtime, options->id, &container, err);

	*ret_status = 0;
	if (r >= 0)
		r = check_state(&container, options, err);
	if (r >= 0)
		r = pidfd_socket_connect(options->pidfd_socket, &around.pidfd, err);
	if (r >= 0 && !options->detach)
		r = attend_prepare(!options->no_subreaper, err);
	/* In one that runs the wait is short, and what comes meanwhile is for the process. */
	if (r >= 0 && container.status == STATUS_PAUSED)
		r = interruptible(&around, err);
	if (r >= 0)
		r = launch(runtime, &container, options, &around, &launched, err);
	if (r >= 0)
		r = finish(&container, options, &around, &launched, ret_status, err);
	if (r < 0 && container.dirfd >= 0)
		r = container_explain(&container, r, check_alive, err);
	return tell_of_oom(options->id, &around.memory, r, *ret_status, err);
}
