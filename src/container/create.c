/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making a container.
 *
 * Theory of operation. First everything that can be found wrong without touching anything is looked
 * for: config.json whole, the plan, limits, the filter, the namespaces to join. Then the name is
 * claimed and the intent written down, and only then come the side effects: cgroup, process,
 * mounts. From the claim on creation_free() undoes what there is; should we be killed, init dies
 * with us and the intent tells `delete --force` the rest.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "berth/base/clock.h"
#include "berth/base/fd.h"
#include "berth/base/json_read.h"
#include "berth/base/log.h"
#include "berth/base/path.h"
#include "berth/base/proc.h"
#include "berth/cgroup/stats.h"
#include "berth/linux/lsm.h"
#include "berth/linux/namespaces.h"
#include "berth/linux/netdevices.h"
#include "berth/linux/process.h"
#include "berth/linux/seccomp.h"
#include "berth/stage/launch.h"

#include "container-internal.h"
#include "delegate-internal.h"
#include "limits-internal.h"
#include "own_cgroup-internal.h"
#include "sockets-internal.h"
#include "terminal-internal.h"

struct creation {
	const struct create_options *options;
	struct arena *arena;
	char *bundle; /* absolute; owned */
	char *config; /* config.json as it was read; owned */
	size_t config_size;
	const struct spec *spec;
	struct plan plan;
	struct seccomp_program seccomp;
	int namespace_fds[NAMESPACE_MAX]; /* owned */
	int *mount_users;		  /* by entry of mounts[]; owned; NULL before */
	int procfd, bundlefd, rootfd;	  /* owned */
	struct own_cgroup cgroup;	  /* owned */
	int dirfd;			  /* the claimed state directory, owned; -1 before */
	int listenfd;			  /* owned */
	int console_socket;		  /* owned; -1: nobody waits for a terminal */
	int pidfd_socket;		  /* owned; -1: nobody waits for a pidfd */
	struct notify notify;		  /* owned */
	const struct runtime *runtime;
	unsigned lsm_active;
	char *mount_label; /* owned; NULL: none */
	char stamp[CLOCK_STAMP_MAX];
	char *netdevices_helper; /* owned; NULL: no devices */
	struct resctrl resctrl;	 /* owned */
	struct record record;
	struct launched launched;
	bool launched_once; /* so that hooks may have run */
	bool pid_file_written;
};

static struct creation *creation_new(const struct create_options *options)
{
	struct creation *c = xcalloc(1, sizeof(*c));

	c->options = options;
	c->arena = arena_new();
	c->procfd = c->bundlefd = c->rootfd = -EBADF;
	c->dirfd = c->listenfd = c->pidfd_socket = c->console_socket = -EBADF;
	c->cgroup = (struct own_cgroup)OWN_CGROUP_UNSET;
	c->notify = (struct notify)NOTIFY_UNSET;
	c->launched = (struct launched)LAUNCHED_UNSET;
	c->resctrl = (struct resctrl)RESCTRL_UNSET;
	for (int i = 0; i < NAMESPACE_MAX; i++)
		c->namespace_fds[i] = -EBADF;
	return c;
}

static bool notifies(const struct creation *c)
{
	return c->runtime->notify_socket && c->spec->process;
}

static int read_bundle(struct creation *c, struct error *err)
{
	const char *path = c->options->bundle;
	int r;

	c->bundle = path_absolute(path);
	if (!c->bundle)
		return fail(err, -errno, "find the bundle \"%s\"", path);
	c->bundlefd = open(c->bundle, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (c->bundlefd < 0)
		return fail(err, -errno, "open the bundle \"%s\"", c->bundle);
	r = file_read_at(c->bundlefd, STATE_CONFIG, JSON_SIZE_MAX, &c->config, &c->config_size,
			 err);
	if (r < 0)
		return within(err, r, "bundle \"%s\"", c->bundle);
	r = spec_decode(c->arena, c->config, c->config_size, c->bundle, &c->spec, err);
	if (r >= 0 && notifies(c))
		c->spec = notify_extend(c->arena, c->spec, c->runtime->root, c->options->id);
	return r;
}

static void warn_of_capabilities(const struct spec *spec)
{
	const char *const *name = spec->process ? spec->process->capabilities.unknown : NULL;

	for (; name && *name; name++)
		log_warning("process.capabilities: \"%s\" is not known and left out", *name);
}

/* root.path is looked at early: a missing one is the commonest mistake of all. */
static int check_root(const struct creation *c, struct error *err)
{
	const char *path = c->spec->root_path;
	_cleanup_fd_ int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return fail(err, -errno, "root.path: open \"%s\"", path);
	if (fstat(fd, &st) < 0)
		return fail(err, -errno, "root.path: look at \"%s\"", path);
	if (S_ISLNK(st.st_mode))
		return refuse(err, "root.path: \"%s\" is a symbolic link", path);
	return S_ISDIR(st.st_mode) ? 0 : fail(err, -ENOTDIR, "root.path: open \"%s\"", path);
}

static struct own_cgroup_wanted cgroup_wanted(const struct creation *c)
{
	return (struct own_cgroup_wanted){
		.runtime = c->runtime,
		.spec = c->spec,
		.id = c->options->id,
		.procfd = c->procfd,
		.arena = c->arena,
	};
}

static int prepare_cgroup(struct creation *c, struct error *err)
{
	const struct own_cgroup_wanted wanted = cgroup_wanted(c);

	return own_cgroup_prepare(&wanted, &c->cgroup, err);
}

static int prepare_console(struct creation *c, bool attached, struct error *err)
{
	const struct create_options *options = c->options;
	bool terminal = c->spec->process && c->spec->process->terminal;
	int r = console_check(terminal, !attached || options->detach, options->console_socket, err);

	return r < 0 ? r : console_connect(options->console_socket, &c->console_socket, err);
}

/* User namespaces with the maps that mounts have of their own. */
static int prepare_mount_users(struct creation *c, struct error *err)
{
	c->mount_users = xcalloc(c->spec->mount_count + 1, sizeof(*c->mount_users));
	for (size_t i = 0; i < c->spec->mount_count; i++)
		c->mount_users[i] = -EBADF;
	for (size_t i = 0; i < c->spec->mount_count; i++) {
		const struct spec_mount *mount = &c->spec->mounts[i];
		char name[32];

		if (!mount->id_maps.uid_count)
			continue;
		snprintf(name, sizeof(name), "mounts[%zu]", mount->index);
		c->mount_users[i] = idmap_hold(c->procfd, &mount->id_maps, name, err);
		if (c->mount_users[i] < 0)
			return c->mount_users[i];
	}
	return 0;
}

/* Everything that can fail without having done anything. */
static int prepare(struct creation *c, const struct runtime *runtime, bool attached,
		   struct error *err)
{
	int r = container_id_check(c->options->id, err);

	if (r >= 0)
		r = read_bundle(c, err);
	if (r >= 0)
		r = check_root(c, err);
	if (r >= 0)
		r = prepare_console(c, attached, err);
	if (r >= 0)
		r = plan_make(c->spec, &c->plan, err);
	if (r >= 0 && !capabilities_of_root())
		r = plan_restrict(c->spec, getegid(), &c->plan, err);
	if (r >= 0)
		r = sysctl_check(&c->spec->linux.sysctl, c->spec->linux.namespaces, err);
	if (r >= 0)
		r = netdevices_prepare(&c->spec->linux.net_devices, runtime->program,
				       &c->netdevices_helper, err);
	if (r >= 0)
		r = lsm_check(c->spec->process, c->spec->linux.mount_label, &c->lsm_active, err);
	if (r >= 0)
		c->mount_label = lsm_mount_option(&c->spec->linux, c->lsm_active);
	if (r >= 0)
		r = resctrl_find(c->spec->linux.intel_rdt, c->options->id, &c->resctrl, err);
	if (r >= 0)
		r = pidfd_socket_connect(c->options->pidfd_socket, &c->pidfd_socket, err);
	if (r >= 0)
		r = namespaces_open(c->spec->linux.namespaces, c->namespace_fds, err);
	if (r < 0)
		return r;
	warn_of_capabilities(c->spec);
	c->procfd = proc_open(err);
	r = c->procfd < 0 ? c->procfd : prepare_cgroup(c, err);
	return r < 0 ? r : prepare_mount_users(c, err);
}

static int prepare_seccomp(struct creation *c, struct error *err)
{
	const struct spec_seccomp *spec = c->spec->linux.seccomp;
	_cleanup_fd_ int cache = spec ? state_cache_open(c->rootfd) : -EBADF;

	return seccomp_prepare(spec, cache, &c->seccomp, err);
}

static int write_intent(struct creation *c, const struct runtime *runtime, struct error *err)
{
	const struct spec *spec = c->spec;
	int r;

	clock_stamp(c->stamp);
	c->record = (struct record){
		.id = c->options->id,
		.bundle = c->bundle,
		.rootfs = spec->root_path,
		.created = c->stamp,
		.owner = geteuid(),
		.cgroup_manager = runtime->cgroup_manager,
		.poststart = spec->hooks[HOOK_POSTSTART].count > 0,
		.poststop = spec->hooks[HOOK_POSTSTOP].count > 0,
		.seccomp_agent = spec->linux.seccomp && spec->linux.seccomp->notifies,
		.own_keyring = !c->options->no_new_keyring,
		.annotations = spec->annotations,
	};
	r = own_cgroup_record(&c->cgroup, &c->record, err);
	if (r >= 0)
		r = resctrl_plan(&c->resctrl, &c->record.resctrl, err);
	return r < 0 ? r : record_write(c->dirfd, &c->record, /* first= */ true, err);
}

static int make_cgroup(struct creation *c, struct error *err)
{
	const struct own_cgroup_wanted wanted = cgroup_wanted(c);

	return own_cgroup_make(&wanted, &c->cgroup, c->dirfd, &c->record, err);
}

static bool cgroup_was_there(const struct creation *c)
{
	return !c->cgroup.unit && c->record.cgroup_keep == cgroup_path_depth(c->cgroup.path);
}

/*
 * Only what berth or systemd has made for it, and what goes with it. A user without rights over the
 * host has none to give away, and is the container's root already.
 */
static int delegate_cgroup(struct creation *c, struct error *err)
{
	if (c->cgroup.fd < 0 || cgroup_was_there(c) || !capabilities_of_root() ||
	    !delegation_is_asked(c->spec))
		return 0;
	return container_delegate(c->spec, c->procfd, &c->launched.init, c->cgroup.fd, err);
}

static int launch(struct creation *c, struct error *err)
{
	_cleanup_free_ char *stage = path_join(c->runtime->root, STATE_STAGE);
	const struct unit_ref unit = {&c->runtime->systemd, c->record.unit};
	struct launch launch = {
		.spec = c->spec,
		.plan = &c->plan,
		.seccomp = &c->seccomp,
		.id = c->options->id,
		.bundle = c->bundle,
		.namespace_fds = c->namespace_fds,
		.mount_users = c->mount_users,
		.stage = stage,
		.netdevices_helper = c->netdevices_helper,
		.procfd = c->procfd,
		.bundlefd = c->bundlefd,
		.cgroupfd = c->cgroup.fd,
		.unit = unit.name ? &unit : NULL,
		.listenfd = c->listenfd,
		.preserve_fds = c->options->preserve_fds,
		.listening = &c->runtime->listening,
		.lsm_active = c->lsm_active,
		.mount_label = c->mount_label,
		.no_pivot = c->options->no_pivot,
		.no_new_keyring = c->options->no_new_keyring,
	};
	int r = c->plan.stage ? state_stage_make(c->rootfd, err) : 0;

	if (r >= 0)
		r = launch_begin(&launch, &c->launched, err);
	own_cgroup_settled(&c->cgroup);
	if (r < 0)
		return r;
	c->launched_once = true;
	log_debug("container \"%s\": init is process %d", c->options->id, c->launched.init.pid);
	r = resctrl_assign(&c->resctrl, c->launched.init.pid, err);
	if (r < 0)
		return r;
	/* Beside init's work. It must be there before a hook runs: poststop hooks are in it. */
	r = file_create_at(c->dirfd, STATE_CONFIG, 0600, c->config, c->config_size, err);
	if (r >= 0)
		r = launch_serve(&launch, &c->launched, err);
	if (r >= 0)
		r = delegate_cgroup(c, err);
	return r < 0 ? r : console_send(c->console_socket, c->launched.terminal.master, err);
}

static int write_outcome(struct creation *c, struct error *err)
{
	int r = pidref_start_time(c->procfd, c->launched.init.pid, &c->record.start_ticks, NULL);

	if (r < 0)
		return fail(err, r, "find out when the container's init began");
	c->record.pid = c->launched.init.pid;
	r = record_write(c->dirfd, &c->record, /* first= */ false, err);
	if (r >= 0)
		r = pidfd_socket_send(c->pidfd_socket, &c->launched.init, /* is_init= */ true, err);
	if (r >= 0 && c->options->pid_file) {
		r = pid_file_write(c->options->pid_file, c->record.pid, err);
		c->pid_file_written = r >= 0;
	}
	return r;
}

/*
 * A limit too small for the container's beginning shows as an init that died of SIGKILL, and a
 * cgroup that takes no process as one that was not born.
 */
static int explain(struct creation *c, int code, struct error *err)
{
	_cleanup_free_ char *oom = c->cgroup.fd >= 0 ? cgroup_oom_text(c->cgroup.fd, NULL) : NULL;

	if (oom)
		return within(err, code, "%s", oom);
	if (c->launched_once || c->cgroup.fd < 0 ||
	    !cgroup_refuses(c->cgroup.root, c->cgroup.path, code, err))
		return code;
	/* Another's, in which nothing of ours ever was, stays as it is, with all below it. */
	if (cgroup_was_there(c))
		c->record.cgroup_path = NULL;
	return within(err, code, "linux.cgroupsPath");
}

/* From the claim of the name to an init that waits for its start. */
static int build(struct creation *c, const struct runtime *runtime, bool attached,
		 struct error *err)
{
	int r;

	c->dirfd = state_claim(c->rootfd, c->options->id, err);
	if (c->dirfd < 0)
		return c->dirfd;
	c->record.id = c->options->id;
	r = write_intent(c, runtime, err);
	if (r < 0)
		return within(err, r, "state root \"%s\"", runtime->root);
	r = notifies(c) ? notify_make_directory(c->dirfd, err) : 0;
	if (r >= 0 && attached)
		r = notify_open(runtime, c->dirfd, &c->notify, err);
	if (r >= 0)
		r = make_cgroup(c, err);
	if (r >= 0)
		r = resctrl_make(&c->resctrl, &c->record.resctrl, err);
	if (r >= 0 && !attached) {
		c->listenfd = state_listen(c->dirfd, err);
		r = c->listenfd < 0 ? c->listenfd : 0;
	}
	if (r >= 0) {
		r = launch(c, err);
		r = r < 0 ? explain(c, r, err) : 0;
	}
	return r < 0 ? r : write_outcome(c, err);
}

int creation_start(const struct runtime *runtime, const struct create_options *options,
		   bool attached, struct creation **ret, struct error *err)
{
	struct creation *c = creation_new(options);
	int r;

	c->runtime = runtime;
	r = prepare(c, runtime, attached, err);

	if (r >= 0) {
		c->rootfd = state_root_open(runtime, /* make= */ true, err);
		r = c->rootfd < 0 ? c->rootfd : prepare_seccomp(c, err);
	}
	if (r >= 0)
		r = build(c, runtime, attached, err);
	if (r < 0) {
		creation_free(c, /* destroy= */ true);
		return r;
	}
	*ret = c;
	return 0;
}

int creation_commit(struct creation *c, struct error *err)
{
	return launch_commit(&c->launched, err);
}

int creation_go(struct creation *c, struct error *err)
{
	_cleanup_agent_ struct seccomp_agent agent = SECCOMP_AGENT_NONE;
	const struct state_document state = {
		.id = c->record.id,
		.status = STATUS_CREATING,
		.pid = c->record.pid,
		.bundle = c->record.bundle,
		.annotations = &c->record.annotations,
	};
	int r = seccomp_agent_connect(c->spec->linux.seccomp, &state, &agent, err);

	return r < 0 ? r : launch_go(c->procfd, c->launched.socket, &c->launched.init, &agent, err);
}

struct console *creation_terminal(struct creation *c)
{
	return &c->launched.terminal;
}

struct notify *creation_notify(struct creation *c)
{
	return &c->notify;
}

int creation_cgroup(const struct creation *c)
{
	return c->cgroup.fd;
}

const struct pidref *creation_init(const struct creation *c)
{
	return &c->launched.init;
}

const struct spec *creation_spec(const struct creation *c)
{
	return c->spec;
}

const struct record *creation_record(const struct creation *c)
{
	return &c->record;
}

int creation_directory(const struct creation *c)
{
	return c->dirfd;
}

int creation_destroy(struct creation *c, struct error *err)
{
	struct remains remains = {
		.runtime = c->runtime,
		.record = &c->record,
		.spec = c->launched_once ? c->spec : NULL,
		.procfd = c->procfd,
		.rootfd = c->rootfd,
		.dirfd = c->dirfd,
	};

	launched_undo(&c->launched);
	own_cgroup_settled(&c->cgroup);
	return container_destroy(&remains, err);
}

static void undo(struct creation *c)
{
	struct error second = ERROR_NONE;

	if (c->pid_file_written)
		pid_file_remove(c->options->pid_file);
	/* The first failure is what the user hears of; this one only leaves something behind. */
	if (c->dirfd >= 0 && creation_destroy(c, &second) < 0)
		log_warning("undo the creation of \"%s\": %s", c->options->id, second.text);
}

void creation_free(struct creation *c, bool destroy)
{
	if (destroy)
		undo(c);
	launched_done(&c->launched);
	fd_close(c->console_socket);
	fd_close(c->listenfd);
	fd_close(c->pidfd_socket);
	notify_done(&c->notify);
	fd_close(c->dirfd);
	own_cgroup_done(&c->cgroup);
	resctrl_done(&c->resctrl);
	fd_close(c->rootfd);
	fd_close(c->bundlefd);
	fd_close(c->procfd);
	for (int i = 0; i < NAMESPACE_MAX; i++)
		fd_close(c->namespace_fds[i]);
	for (size_t i = 0; c->mount_users && i < c->spec->mount_count; i++)
		fd_close(c->mount_users[i]);
	free(c->mount_users);
	seccomp_program_done(&c->seccomp);
	free(c->netdevices_helper);
	free(c->mount_label);
	free(c->config);
	free(c->bundle);
	arena_free(c->arena);
	free(c);
}

int container_create(const struct runtime *runtime, const struct create_options *options,
		     struct error *err)
{
	struct creation *c;
	int r = creation_start(runtime, options, /* attached= */ false, &c, err);

	if (r < 0)
		return r;
	r = creation_commit(c, err);
	creation_free(c, /* destroy= */ r < 0);
	return r;
}
