/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The user namespace of an ordinary user.
 *
 * The maps must be written from outside, so a child is made first; it waits until this process has
 * moved, has newuidmap(1) and newgidmap(1) write them, and tells how that went.
 */
#include "user_namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "berth/base/alloc.h"
#include "berth/base/fd.h"
#include "berth/base/id_map.h"
#include "berth/base/pidref.h"
#include "berth/base/str.h"
#include "berth/base/sys.h"

#include "common/id_maps.h"

#define RANGES_FILE_MAX (1u << 20)

struct ranges {
	struct id_map maps[ID_MAP_LINES_MAX];
	size_t count;
	uint32_t next; /* the first id inside that is not given yet */
};

/* The user's name; NULL where he has none. */
static char *own_name(void)
{
	char buffer[4096];
	struct passwd entry, *found = NULL;

	if (getpwuid_r(geteuid(), &entry, buffer, sizeof(buffer), &found) != 0 || !found)
		return NULL;
	return xstrdup(found->pw_name);
}

/* Puts the ranges that @owner has behind those that are there, from @next on. */
static void add_ranges(struct ranges *ranges, const char *text, const char *owner)
{
	struct id_map *new = ranges->maps + ranges->count;
	size_t count = subids_of(text, owner, new, ID_MAP_LINES_MAX - ranges->count);

	for (size_t i = 0; i < count && new[i].size <= UINT32_MAX - ranges->next; i++) {
		new[i].container_id = ranges->next;
		ranges->next += new[i].size;
		ranges->count++;
	}
}

static int read_ranges(const char *path, uint32_t own, const char *name, struct ranges *ret,
		       struct error *err)
{
	_cleanup_free_ char *number = xasprintf("%u", geteuid());
	_cleanup_free_ char *text = NULL;
	int r = file_read_at(AT_FDCWD, path, RANGES_FILE_MAX, &text, NULL, err);

	if (r < 0 && r != -ENOENT)
		return r;
	ret->maps[0] = (struct id_map){0, own, 1};
	ret->count = 1;
	ret->next = 1;
	if (text && name)
		add_ranges(ret, text, name);
	if (text)
		add_ranges(ret, text, number);
	if (ret->count > 1)
		return 0;
	return refuse(
		err,
		"user %u has no range of ids in %s, which the owners of an image's files need "
		"(usermod --add-subuids FIRST-LAST --add-subgids FIRST-LAST USER)",
		geteuid(), path);
}

/* What the child sends back. */
static int write_maps(const struct ranges *users, const struct ranges *groups, struct error *err)
{
	pid_t pid = getppid();
	int r = id_map_by_helper(ID_USERS, pid, users->maps, users->count, err);

	return r < 0 ? r : id_map_by_helper(ID_GROUPS, pid, groups->maps, groups->count, err);
}

static __attribute__((noreturn)) void serve(int socket, const struct ranges *users,
					    const struct ranges *groups)
{
	struct error err = ERROR_NONE;
	char go;

	/* End-of-file: the parent has given up. */
	if (read(socket, &go, 1) != 1)
		_exit(1);
	if (write_maps(users, groups, &err) >= 0)
		err.code = 0;
	_exit(write(socket, &err, sizeof(err)) == (ssize_t)sizeof(err) ? 0 : 1);
}

static int move(int socket, struct error *err)
{
	struct error answer = ERROR_NONE;

	if (unshare(CLONE_NEWUSER) < 0)
		return fail(err, -errno, "make a user namespace");
	if (write(socket, "", 1) != 1)
		return fail(err, -errno, "ask for the maps of the user namespace");
	if (read(socket, &answer, sizeof(answer)) != (ssize_t)sizeof(answer))
		return refuse_as(err, -EIO, "the maps of the user namespace were not written");
	if (answer.code < 0)
		*err = answer;
	return answer.code;
}

int user_namespace_enter(struct error *err)
{
	struct clone_args args = {.exit_signal = SIGCHLD};
	_cleanup_free_ struct ranges *users = xcalloc(1, sizeof(*users));
	_cleanup_free_ struct ranges *groups = xcalloc(1, sizeof(*groups));
	_cleanup_free_ char *name = own_name();
	_cleanup_child_ struct pidref child = PIDREF_UNSET;
	_cleanup_fd_ int ours = -EBADF, theirs = -EBADF;
	int sockets[2];
	int r = read_ranges("/etc/subuid", geteuid(), name, users, err);

	if (r >= 0)
		r = read_ranges("/etc/subgid", getegid(), name, groups, err);
	if (r < 0)
		return r;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) < 0)
		return fail(err, -errno, "make a pair of sockets");
	ours = sockets[0];
	theirs = sockets[1];
	args.flags = CLONE_PIDFD;
	args.pidfd = (uintptr_t)&child.fd;
	child.pid = sys_clone3(&args);
	if (child.pid == 0) {
		fd_close(ours);
		serve(theirs, users, groups);
	}
	if (child.pid < 0) {
		r = child.pid;
		child.pid = 0;
		return fail(err, r, "start a process for the maps of a user namespace");
	}
	fd_close(take_fd(&theirs));
	return move(ours, err);
}
