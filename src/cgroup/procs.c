/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The processes of a cgroup and of all below it: their numbers, and signals for them.
 *
 * Theory of operation. Cgroups below the container's are made by the container, whose owner may be
 * hostile: they are walked in a loop over a bounded list, one descriptor at a time. A number read
 * from cgroup.procs may be another process's a moment later; so it is pinned by a pidfd first and
 * signalled only if it is still listed after that.
 *
 * Freezing makes what the signal reaches one set; as with SIGSTOP and SIGCONT, some system calls
 * that wait return early with EINTR by it.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "berth/base/alloc.h"
#include "berth/base/fd.h"
#include "berth/base/root.h"
#include "berth/base/str.h"
#include "berth/base/sys.h"
#include "berth/cgroup/cgroup.h"

#include "cgroup-internal.h"

#define CGROUPS_MAX   65536
#define PROCS_MAX     (32u << 20)
#define BATCH	      64
#define FREEZE_MAX_MS 2000

static void add_pid(struct cgroup_pids *pids, const char *line)
{
	uint32_t pid;

	/* "0" stands for a process that our pid namespace does not show. */
	if (str_to_u32(line, &pid) < 0 || pid == 0 || pid > INT32_MAX) {
		pids->out_of_sight = true;
		return;
	}
	pids->items = xrealloc(pids->items, pids->count + 1, sizeof(*pids->items));
	pids->items[pids->count++] = (pid_t)pid;
}

/* A threaded cgroup (-EOPNOTSUPP) has its processes listed in one above it. */
static bool has_no_list(int code)
{
	return code == -ENOENT || code == -ENODEV || code == -EOPNOTSUPP;
}

static int add_pids_of(int fd, struct cgroup_pids *pids, struct error *err)
{
	_cleanup_free_ char *text = NULL;
	char *saved = NULL;
	struct error failed = ERROR_NONE;
	int r = file_read_at(fd, "cgroup.procs", PROCS_MAX, &text, NULL, &failed);

	if (r < 0 && has_no_list(r))
		return 0;
	if (r < 0) {
		*err = failed;
		return r;
	}
	for (char *line = strtok_r(text, "\n", &saved); line; line = strtok_r(NULL, "\n", &saved))
		add_pid(pids, line);
	return 0;
}

/* Adds the paths of the cgroups directly below @path to the list. Consumes @fd. */
static int add_children(int fd, const char *path, struct strv *paths, struct error *err)
{
	DIR *dir = fdopendir(fd);
	int r = 0;

	if (!dir) {
		r = fail(err, -errno, "list the cgroups below the container's");
		fd_close(fd);
		return r;
	}
	for (struct dirent *entry = readdir(dir); entry && r >= 0; entry = readdir(dir)) {
		_cleanup_free_ char *child = NULL;

		if (entry->d_type != DT_DIR || str_equal(entry->d_name, ".") ||
		    str_equal(entry->d_name, ".."))
			continue;
		child = xasprintf("%s/%s", path, entry->d_name);
		if (paths->count < CGROUPS_MAX)
			strv_add(paths, child);
		else
			r = refuse_as(err, -E2BIG, "the container has more than %d cgroups",
				      CGROUPS_MAX);
	}
	closedir(dir);
	return r;
}

static int visit(int cgroupfd, const char *path, struct strv *paths, struct cgroup_pids *pids,
		 struct error *err)
{
	_cleanup_fd_ int fd = *path ? root_try_open(cgroupfd, path, ROOT_NO_XDEV, CGROUP_OPEN_FLAGS)
				    : openat(cgroupfd, ".", CGROUP_OPEN_FLAGS);
	int r;

	/* Removed meanwhile. */
	if (fd == -ENOENT || fd == -ENODEV)
		return 0;
	if (fd < 0)
		return fail(err, *path ? fd : -errno, "open cgroup \".%s\" of the container", path);
	r = add_pids_of(fd, pids, err);
	return r < 0 ? r : add_children(take_fd(&fd), path, paths, err);
}

static int compare_pids(const void *a, const void *b)
{
	pid_t x = *(const pid_t *)a, y = *(const pid_t *)b;

	return (x > y) - (x < y);
}

/* Ascending, each once: one that moved between two cgroups may have been met twice. */
static void put_in_order(struct cgroup_pids *pids)
{
	size_t kept = 0;

	if (!pids->count)
		return;
	qsort(pids->items, pids->count, sizeof(*pids->items), compare_pids);
	for (size_t i = 0; i < pids->count; i++) {
		if (!kept || pids->items[kept - 1] != pids->items[i])
			pids->items[kept++] = pids->items[i];
	}
	pids->count = kept;
}

int cgroup_pids_read(int cgroupfd, struct cgroup_pids *ret, struct error *err)
{
	_cleanup_pids_ struct cgroup_pids pids = {.items = NULL};
	_cleanup_strv_ struct strv paths = {.items = NULL};
	int r = 0;

	strv_add(&paths, "");
	for (size_t i = 0; r >= 0 && i < paths.count; i++)
		r = visit(cgroupfd, paths.items[i], &paths, &pids, err);
	if (r < 0)
		return r;
	put_in_order(&pids);
	*ret = pids;
	pids.items = NULL;
	return 0;
}

bool cgroup_pids_contain(const struct cgroup_pids *pids, pid_t pid)
{
	return pids->count &&
	       bsearch(&pid, pids->items, pids->count, sizeof(pid), compare_pids) != NULL;
}

void cgroup_pids_done(struct cgroup_pids *pids)
{
	free(pids->items);
	*pids = (struct cgroup_pids){.items = NULL};
}

/* Signals those of @pids, at most BATCH, that are in the cgroup. */
static int signal_batch(int cgroupfd, const pid_t *pids, size_t count, int signal,
			struct error *err)
{
	_cleanup_pids_ struct cgroup_pids now = {.items = NULL};
	int fds[BATCH], r;

	for (size_t i = 0; i < count; i++)
		fds[i] = sys_pidfd_open(pids[i], 0);
	r = cgroup_pids_read(cgroupfd, &now, err);
	for (size_t i = 0; i < count; i++) {
		if (r >= 0 && fds[i] >= 0 && cgroup_pids_contain(&now, pids[i])) {
			r = sys_pidfd_send_signal(fds[i], signal);
			if (r == -ESRCH)
				r = 0;
			if (r < 0)
				r = fail(err, r, "send signal %d to process %d", signal, pids[i]);
		}
		fd_close(fds[i]);
	}
	return r;
}

static int signal_all(int cgroupfd, int signal, struct error *err)
{
	_cleanup_pids_ struct cgroup_pids pids = {.items = NULL};
	int r = cgroup_pids_read(cgroupfd, &pids, err);

	for (size_t i = 0; r >= 0 && i < pids.count; i += BATCH) {
		size_t left = pids.count - i;

		r = signal_batch(cgroupfd, pids.items + i, left < BATCH ? left : BATCH, signal,
				 err);
	}
	if (r >= 0 && pids.out_of_sight)
		r = refuse(err, "the container has processes that this pid namespace does not "
				"show: they got no signal");
	return r;
}

int cgroup_signal(int cgroupfd, int signal, struct error *err)
{
	struct error unheard = ERROR_NONE;
	struct cgroup_events events = {.frozen = false};
	bool frozen;
	int r = cgroup_events_of(cgroupfd, &events);

	if (r < 0)
		return fail(err, r, "read cgroup.events");
	/* Where it cannot be frozen in time, whoever forks right now may escape. */
	frozen = !events.frozen && cgroup_freeze(cgroupfd, true, FREEZE_MAX_MS, &unheard) >= 0;
	r = signal_all(cgroupfd, signal, err);
	if (frozen && cgroup_freeze(cgroupfd, false, FREEZE_MAX_MS, &unheard) < 0 && r >= 0) {
		*err = unheard;
		r = err->code;
	}
	return r;
}
