/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The processes of a container that has no cgroup: those in its pid namespace. Processes in further
 * pid namespaces that were made inside are not found this way.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "berth/base/alloc.h"
#include "berth/base/fd.h"
#include "berth/base/str.h"

#include "container-internal.h"

/* The pid namespace of process @name of the procfs. False: it has ended, or is not to be seen. */
static bool pid_namespace_of(int procfd, const char *name, struct stat *ret)
{
	_cleanup_free_ char *path = xasprintf("%s/ns/pid", name);

	return fstatat(procfd, path, ret, 0) == 0;
}

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

static void add_pid(struct cgroup_pids *pids, pid_t pid)
{
	pids->items = xrealloc(pids->items, pids->count + 1, sizeof(*pids->items));
	pids->items[pids->count++] = pid;
}

/* All that are in the namespace @wanted, in the order of their numbers, as /proc lists them. */
static void collect(int procfd, DIR *list, const struct stat *wanted, struct cgroup_pids *ret)
{
	for (struct dirent *entry = readdir(list); entry; entry = readdir(list)) {
		struct stat found;
		uint32_t pid;

		if (str_to_u32(entry->d_name, &pid) == 0 && pid <= INT32_MAX &&
		    pid_namespace_of(procfd, entry->d_name, &found) && is_same(&found, wanted))
			add_pid(ret, (pid_t)pid);
	}
}

int namespace_pids_read(const struct container *container, struct cgroup_pids *ret,
			struct error *err)
{
	struct stat own, wanted;
	char init[16];
	DIR *list;
	int fd;

	if (container->init.fd < 0)
		return 0;
	snprintf(init, sizeof(init), "%d", container->init.pid);
	if (!pid_namespace_of(container->procfd, "self", &own))
		return fail(err, -errno, "look at the own pid namespace");
	if (!pid_namespace_of(container->procfd, init, &wanted))
		return fail(err, -errno, "look at the pid namespace of the container's init");
	if (is_same(&own, &wanted))
		return refuse(err,
			      "container \"%s\" has neither a cgroup nor a pid namespace of its "
			      "own",
			      container->record.id);
	fd = openat(container->procfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	list = fd < 0 ? NULL : fdopendir(fd);
	if (!list) {
		int r = fail(err, -errno, "list /proc");

		fd_close(fd);
		return r;
	}
	collect(container->procfd, list, &wanted, ret);
	closedir(list);
	return 0;
}
