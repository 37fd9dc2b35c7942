/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a container: its processes, its cgroup, its state, its poststop hooks. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "berth/base/fd.h"
#include "berth/base/log.h"
#include "berth/linux/hooks.h"

#include "container-internal.h"
#include "oom_note-internal.h"
#include "resctrl-internal.h"

/* How long killed processes may take to be gone; then something holds them in the kernel. */
#define DEATH_TIMEOUT_MS 10000

struct systemd record_systemd(const struct runtime *runtime, const struct record *record)
{
	struct systemd systemd = runtime->systemd;

	systemd.user = record->unit_of_user;
	return systemd;
}

/* The scope is empty before systemd is asked, so that this takes no time; it may be gone already.
 */
static int destroy_unit(const struct remains *remains, int root, struct error *err)
{
	const struct record *record = remains->record;
	const struct systemd systemd = record_systemd(remains->runtime, record);
	const struct unit_ref unit = {.systemd = &systemd, .name = record->unit};
	struct error why = ERROR_NONE;
	int r = cgroup_empty(root, record->cgroup_path, DEATH_TIMEOUT_MS, err);

	if (r < 0 || unit_stop(&unit, &why) >= 0)
		return r;
	log_warning("container \"%s\": its cgroup is removed without systemd: %s", record->id,
		    why.text);
	return cgroup_destroy(root, record->cgroup_path, record->cgroup_keep - 1, DEATH_TIMEOUT_MS,
			      err);
}

static int destroy_cgroup(const struct remains *remains, struct error *err)
{
	_cleanup_fd_ int root = -EBADF;

	if (!remains->record->cgroup_path)
		return 0;
	root = cgroup_open_root(remains->procfd, err);
	if (root < 0)
		return root;
	oom_note_leave(remains->dirfd, root, remains->record->cgroup_path);
	if (remains->record->unit)
		return destroy_unit(remains, root, err);
	return cgroup_destroy(root, remains->record->cgroup_path, remains->record->cgroup_keep,
			      DEATH_TIMEOUT_MS, err);
}

static int kill_init(const struct pidref *init, struct error *err)
{
	int r;

	if (!init || init->fd < 0)
		return 0;
	r = pidref_signal(init, SIGKILL);
	if (r < 0 && r != -ESRCH)
		return fail(err, r, "kill the container's init %d", init->pid);
	r = pidref_wait_exit(init, DEATH_TIMEOUT_MS);
	if (r == 0)
		return refuse_as(err, -ETIMEDOUT, "the container's init %d does not end",
				 init->pid);
	return r < 0 ? fail(err, r, "wait for the container's init %d", init->pid) : 0;
}

static void run_poststop(const struct remains *remains)
{
	const struct record *record = remains->record;
	_cleanup_fd_ int cwd = open(record->bundle, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct state_document state = {
		.id = record->id,
		.status = STATUS_STOPPED,
		.bundle = record->bundle,
		.annotations = &record->annotations,
	};
	_cleanup_free_ char *text = state_document_for_hook(&state);

	hooks_run_all(remains->spec->hooks, HOOK_POSTSTOP, text, cwd);
}

int container_destroy(const struct remains *remains, struct error *err)
{
	int r = kill_init(remains->init, err);

	log_debug("container \"%s\": remove what it left", remains->record->id);
	if (r >= 0)
		r = destroy_cgroup(remains, err);
	if (r >= 0)
		r = record_resctrl_remove(remains->record, err);
	if (r >= 0)
		r = state_remove(remains->rootfd, remains->dirfd, remains->record->id, err);
	if (r >= 0 && remains->spec && remains->record->poststop)
		run_poststop(remains);
	return r;
}

int container_destroy_loaded(const struct runtime *runtime, struct container *container,
			     struct error *err)
{
	_cleanup_fd_ int rootfd = state_root_open(runtime, /* make= */ false, err);
	struct error unheard = ERROR_NONE;
	struct remains remains = {
		.runtime = runtime,
		.record = &container->record,
		.init = &container->init,
		.procfd = container->procfd,
		.rootfd = rootfd,
		.dirfd = container->dirfd,
	};

	if (rootfd < 0)
		return rootfd;
	/* Without the copy of config.json (its creator was killed early) no hook has run either. */
	if (container->record.poststop && container_spec(container, &remains.spec, &unheard) < 0)
		remains.spec = NULL;
	return container_destroy(&remains, err);
}
