/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cgroup of a process that exec adds, in this order: the one below the container's that
 * --cgroup names, and then no other; the container's; and where that takes no processes any more,
 * the one that the container's init has moved to, if it is below. A full one (pids.max) takes it.
 */
#include <errno.h>

#include "berth/base/fd.h"
#include "berth/base/path.h"

#include "container-internal.h"
#include "exec_cgroup-internal.h"

static bool is_within(const char *path, const char *parent)
{
	size_t length = strlen(parent);

	return strncmp(path, parent, length) == 0 && (path[length] == '\0' || path[length] == '/');
}

/*
 * The path in PATH or CONTROLLER[,CONTROLLER…]:PATH. All controllers are in one hierarchy, so
 * several of the second kind must agree.
 */
static int parse_one(const char *given, const char **path, struct error *err)
{
	const char *colon = strchr(given, ':');
	const char *found = colon ? colon + 1 : given;

	if (colon && (colon == given || given[0] == ',' || colon[-1] == ',' || strstr(given, ",,")))
		return refuse(err, "--cgroup: \"%s\" lacks the name of a controller", given);
	if (*path && !str_equal(*path, found))
		return refuse(err,
			      "--cgroup: \"%s\" and \"%s\" differ, and cgroup v2 has one hierarchy",
			      *path, found);
	*path = found;
	return 0;
}

static int open_named(const struct container *container, const struct strv *given,
		      const char **ret_below, struct error *err)
{
	const char *own = container->record.cgroup_path, *path = NULL;
	_cleanup_free_ char *whole = NULL;
	_cleanup_fd_ int root = -EBADF;
	int r = 0;

	for (size_t i = 0; r >= 0 && i < given->count; i++)
		r = parse_one(given->items[i], &path, err);
	if (r < 0)
		return r;
	if (!own)
		return refuse(err, "--cgroup: container \"%s\" has no cgroup",
			      container->record.id);
	whole = path_join(own, path ? path + strspn(path, "/") : "");
	if (!is_within(whole, own))
		return refuse(err, "--cgroup: \"%s\" is not a sub cgroup path", given->items[0]);
	*ret_below = arena_strdup(container->arena, whole + strlen(own));
	root = cgroup_open_root(container->procfd, err);
	r = root < 0 ? root : cgroup_open(root, whole, err);
	return r < 0 ? within(err, r, "--cgroup") : r;
}

int exec_cgroup_open(const struct container *container, const struct strv *given,
		     const char **ret_below, struct error *err)
{
	*ret_below = "";
	if (given->count)
		return open_named(container, given, ret_below, err);
	return container->record.cgroup_path ? container_cgroup_open(container, err) : -EBADF;
}

int exec_cgroup_open_of_init(const struct container *container, const char **ret_below,
			     struct error *err)
{
	_cleanup_fd_ int root = -EBADF;
	_cleanup_free_ char *path = NULL;
	int r = cgroup_of_process(container->procfd, container->init.pid, &path, err);

	if (r < 0)
		return r;
	if (!is_within(path, container->record.cgroup_path))
		return refuse(err, "the container's init is in cgroup \"%s\", outside of \"%s\"",
			      path, container->record.cgroup_path);
	*ret_below = arena_strdup(container->arena, path + strlen(container->record.cgroup_path));
	root = cgroup_open_root(container->procfd, err);
	return root < 0 ? root : cgroup_open(root, path, err);
}

struct exec_memory exec_memory_begin(const struct container *container, int cgroupfd,
				     const char *below)
{
	struct error unheard = ERROR_NONE;
	struct exec_memory memory = {.cgroupfd = -EBADF};

	/* A cgroup below need not have the controller. */
	if (cgroupfd >= 0)
		memory.cgroupfd = *below ? container_cgroup_open(container, &unheard)
					 : fd_dup(cgroupfd, &unheard);
	if (memory.cgroupfd >= 0)
		memory.before = cgroup_memory_events_of(memory.cgroupfd);
	return memory;
}

char *exec_memory_text(const struct exec_memory *memory)
{
	return memory->cgroupfd < 0 ? NULL : cgroup_oom_text(memory->cgroupfd, &memory->before);
}
