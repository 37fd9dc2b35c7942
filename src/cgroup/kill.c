/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of a cgroup: kill what is in it, wait until it is empty, remove it.
 *
 * Theory of operation. Most containers leave an empty cgroup without children, so rmdir comes
 * first. The kernel answers EBUSY while a process or a child cgroup is left; processes that were
 * killed a moment ago count until they have ended. Then cgroup.kill reaches everything below,
 * forks in progress included, and cgroup.events tells when the last one has ended: poll(2) wakes
 * us, there is no sleeping and asking again. Child cgroups were made by the container, whose owner
 * may be hostile and nest them as deep as the kernel allows; they are therefore removed in a loop,
 * with a constant number of descriptors and no recursion.
 *
 * A cgroup that was there before the container stays, and there cgroup.kill is avoided: since Linux
 * 6.14 (and the stable kernels of that time) clone3(2) with CLONE_INTO_CGROUP compares the caller's
 * count of kills with the target's, and kills the newborn in a cgroup that was killed once. So its
 * own processes are frozen, signalled one by one, and what remains is thawed.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "berth/base/alloc.h"
#include "berth/base/clock.h"
#include "berth/base/fd.h"
#include "berth/base/root.h"
#include "berth/base/str.h"
#include "berth/base/sys.h"
#include "berth/cgroup/cgroup.h"
#include "berth/cgroup/unit.h"

#include "cgroup-internal.h"
#include "limits-internal.h"

/* Bound for a list of processes; where there are more, cgroup.kill has to do. */
#define PROCS_MAX 65536

/* True if the error says that the cgroup was removed: from its parent, or under an open file. */
static bool is_gone(int code)
{
	return code == -ENOENT || code == -ENODEV;
}

/* Milliseconds until @deadline_ms, 0 if it has passed; -1 where there is none. */
static int remaining_ms(int64_t deadline_ms)
{
	int64_t left;

	if (deadline_ms < 0)
		return -1;
	left = deadline_ms - clock_now_ms();
	return left > 0 ? (int)left : 0;
}

/* A stream over the entries of the cgroup; NULL and errno if there can be none. */
static DIR *open_children(int dirfd)
{
	int fd = openat(dirfd, ".", CGROUP_OPEN_FLAGS);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir)
		fd_close(fd);
	return dir;
}

/* The next child cgroup, NULL after the last. */
static struct dirent *next_child(DIR *dir)
{
	for (;;) {
		struct dirent *entry = readdir(dir);

		if (!entry || (entry->d_type == DT_DIR && !str_equal(entry->d_name, ".") &&
			       !str_equal(entry->d_name, "..")))
			return entry;
	}
}

/* SIGKILL for everything in the cgroup of @dirfd and below. */
static int kill_all(int dirfd, const char *path, struct error *err)
{
	_cleanup_fd_ int fd = openat(dirfd, "cgroup.kill", O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
	int r = fd < 0 ? -errno : write(fd, "1", 1) < 0 ? -errno : 0;

	return r < 0 && !is_gone(r)
		       ? fail(err, r, "write \"1\" to cgroup.kill of cgroup \"%s\"", path)
		       : 0;
}

/* SIGKILL for each cgroup directly below, and so for all below. */
static int kill_children(int dirfd, const char *path, struct error *err)
{
	_cleanup_dir_ DIR *dir = open_children(dirfd);
	int r = dir ? 0 : -errno;

	if (!dir)
		return fail(err, r, "list the cgroups below \"%s\"", path);
	for (struct dirent *entry = next_child(dir); r >= 0 && entry; entry = next_child(dir)) {
		_cleanup_fd_ int fd = openat(dirfd, entry->d_name, CGROUP_OPEN_FLAGS);

		if (fd >= 0)
			r = kill_all(fd, path, err);
	}
	return r;
}

/*
 * Opens and kills the process of each line of @first that stands in @second too, which is read
 * after the opening: a number that was given to a stranger meanwhile is not in it, and a pidfd
 * whose process has ended signals nobody.
 */
static int signal_listed(int dirfd, const char *path, char *first, struct error *err)
{
	char *saved = NULL;

	for (char *line = strtok_r(first, "\n", &saved); line;
	     line = strtok_r(NULL, "\n", &saved)) {
		_cleanup_free_ char *second = NULL;
		_cleanup_fd_ int pidfd = -EBADF;
		uint32_t pid;
		int r;

		/* "0" stands for a process that our pid namespace does not show. */
		if (str_to_u32(line, &pid) < 0 || pid == 0 || pid > INT32_MAX)
			return refuse(err, "cgroup \"%s\" has a process out of sight", path);
		pidfd = sys_pidfd_open((pid_t)pid, 0);
		r = file_read_at(dirfd, "cgroup.procs", PROCS_MAX, &second, NULL, err);
		if (r < 0)
			return r;
		if (pidfd < 0 || !word_listed(second, line))
			continue;
		r = sys_pidfd_send_signal(pidfd, SIGKILL);
		if (r < 0 && r != -ESRCH)
			return fail(err, r, "kill process %s of cgroup \"%s\"", line, path);
	}
	return 0;
}

/* Kills everything in a cgroup that stays, without cgroup.kill on itself. */
static int kill_one_by_one(int dirfd, const char *path, struct error *err)
{
	_cleanup_free_ char *list = NULL;
	int r = file_write_at(dirfd, "cgroup.freeze", "1", 1, "cgroup.freeze", err);

	/* Frozen or not yet: whoever forks meanwhile is met in the next round. */
	if (r >= 0)
		r = kill_children(dirfd, path, err);
	if (r >= 0)
		r = file_read_at(dirfd, "cgroup.procs", PROCS_MAX, &list, NULL, err);
	return r < 0 ? r : signal_listed(dirfd, path, list, err);
}

int cgroup_kill(int rootfd, const char *path, struct error *err)
{
	_cleanup_fd_ int dirfd = cgroup_open(rootfd, path, err);

	if (dirfd < 0)
		return is_gone(dirfd) ? 0 : dirfd;
	return kill_all(dirfd, path, err);
}

static int fail_to_empty(int dirfd, const char *path, struct error *err)
{
	_cleanup_free_ char *pids = cgroup_pids_text(dirfd);

	return refuse_as(err, -EBUSY,
			 "cgroup \"%s\" is still in use after SIGKILL to all its processes (%s)",
			 path, pids);
}

/* Waits until no process is left in the cgroup and below. */
static int wait_empty(int dirfd, const char *path, int64_t deadline_ms, struct error *err)
{
	_cleanup_fd_ int fd = openat(dirfd, "cgroup.events", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	int r = fd < 0 ? -errno : 0;

	while (r >= 0) {
		struct pollfd waited = {.fd = fd, .events = POLLPRI};
		struct cgroup_events events = {.populated = true};
		int left = remaining_ms(deadline_ms);

		/* Reading arms the poll: a change after this read is not missed. */
		r = cgroup_events_read(fd, &events);
		if (r < 0 || !events.populated)
			break;
		if (left == 0)
			return fail_to_empty(dirfd, path, err);
		if (poll(&waited, 1, left) < 0 && errno != EINTR)
			r = -errno;
	}
	if (is_gone(r))
		return 0;
	return r < 0 ? fail(err, r, "wait for the end of cgroup \"%s\"", path) : 0;
}

/*
 * Removes the children of the cgroup of @dirfd that have none themselves. Returns the number of
 * those removed, and the name of one that is busy in @busy, "" if there is none.
 */
static int remove_leaves(int dirfd, char busy[static CGROUP_NAME_LENGTH_MAX + 1])
{
	_cleanup_dir_ DIR *dir = open_children(dirfd);
	int count = 0;

	if (!dir)
		return -errno;
	busy[0] = '\0';
	for (struct dirent *entry = next_child(dir); entry; entry = next_child(dir)) {
		if (unlinkat(dirfd, entry->d_name, AT_REMOVEDIR) == 0)
			count++;
		else if (errno == EBUSY || errno == ENOTEMPTY)
			snprintf(busy, CGROUP_NAME_LENGTH_MAX + 1, "%s", entry->d_name);
		else if (errno != ENOENT)
			return -errno;
	}
	return count;
}

/*
 * Removes everything below the cgroup of @dirfd, depth first: down into a busy child as long as
 * there is one, up again when all children of a level are gone. -EAGAIN, without a text, if a
 * cgroup without children cannot be removed, because a process has come into it.
 */
static int remove_below(int dirfd, const char *path, struct error *err)
{
	_cleanup_fd_ int at = fd_dup(dirfd, err);
	bool came_down = false;
	size_t depth = 0;

	if (at < 0)
		return at;
	for (;;) {
		char busy[CGROUP_NAME_LENGTH_MAX + 1] = "";
		int fd, removed = remove_leaves(at, busy);

		if (removed < 0)
			return fail(err, removed, "remove the cgroups below \"%s\"", path);
		if (!*busy && depth == 0)
			return 0;
		if (!*busy && came_down && !removed)
			return -EAGAIN;
		came_down = *busy;
		depth += *busy ? 1 : (size_t)-1;
		fd = openat(at, *busy ? busy : "..", CGROUP_OPEN_FLAGS);
		if (fd < 0)
			return fail(err, -errno, "open a cgroup below \"%s\"", path);
		fd_close(at);
		at = fd;
	}
}

/* One round: kill, wait, remove what is below. -EAGAIN, without a text: another one is needed. */
static int empty(int dirfd, const char *path, int64_t deadline_ms, struct error *err)
{
	int r = kill_all(dirfd, path, err);

	if (r >= 0)
		r = wait_empty(dirfd, path, deadline_ms, err);
	return r < 0 ? r : remove_below(dirfd, path, err);
}

/* As empty(), and removes the cgroup itself. */
static int empty_and_remove(int rootfd, int dirfd, const char *path, int64_t deadline_ms,
			    struct error *err)
{
	int r = empty(dirfd, path, deadline_ms, err);

	if (r < 0 || unlinkat(rootfd, path + 1, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return r;
	return errno == EBUSY ? -EAGAIN : fail(err, -errno, "remove cgroup \"%s\"", path);
}

/* As empty(), for a cgroup that stays; also takes away what berth attached to it. */
static int empty_and_keep(int dirfd, const char *path, int64_t deadline_ms, struct error *err)
{
	struct cgroup_events events = {.populated = false};
	struct error unused = ERROR_NONE;
	int r = cgroup_events_of(dirfd, &events);

	if (r < 0)
		return is_gone(r) ? 0 : fail(err, r, "read cgroup.events of cgroup \"%s\"", path);
	if (events.populated) {
		r = kill_one_by_one(dirfd, path, err);
		/* Dead is more important than usable again. */
		r = r < 0 ? kill_all(dirfd, path, err) : 0;
		if (r >= 0)
			r = wait_empty(dirfd, path, deadline_ms, err);
		/* Gone, or cannot be frozen at all: then it is not frozen either. */
		ignore(file_write_at(dirfd, "cgroup.freeze", "0", 1, "cgroup.freeze", &unused));
	}
	if (r >= 0)
		r = remove_below(dirfd, path, err);
	if (r >= 0)
		devices_detach(dirfd);
	return r;
}

/* Empties the cgroup and removes it if it is @ours. */
static int end(int rootfd, const char *path, bool ours, int64_t deadline_ms, struct error *err)
{
	_cleanup_fd_ int dirfd = cgroup_open(rootfd, path, err);
	int r = -EAGAIN;

	if (dirfd < 0)
		return is_gone(dirfd) ? 0 : dirfd;
	while (r == -EAGAIN) {
		r = ours ? empty_and_remove(rootfd, dirfd, path, deadline_ms, err)
			 : empty_and_keep(dirfd, path, deadline_ms, err);
		if (r == -EAGAIN && remaining_ms(deadline_ms) == 0)
			return fail_to_empty(dirfd, path, err);
	}
	return r;
}

int cgroup_empty(int rootfd, const char *path, int timeout_ms, struct error *err)
{
	_cleanup_fd_ int dirfd = cgroup_open(rootfd, path, err);
	int64_t deadline_ms = clock_now_ms() + timeout_ms;
	int r = -EAGAIN;

	if (dirfd < 0)
		return is_gone(dirfd) ? 0 : dirfd;
	while (r == -EAGAIN) {
		r = empty(dirfd, path, deadline_ms, err);
		if (r == -EAGAIN && remaining_ms(deadline_ms) == 0)
			return fail_to_empty(dirfd, path, err);
	}
	/* systemd takes an empty one away at once. */
	return is_gone(r) ? 0 : r;
}

int cgroup_destroy(int rootfd, const char *path, unsigned keep_depth, int timeout_ms,
		   struct error *err)
{
	unsigned depth;
	int r = cgroup_path_check(path, err);

	if (r < 0)
		return r;
	depth = cgroup_path_depth(path);
	if (depth <= keep_depth ||
	    (unlinkat(rootfd, path + 1, AT_REMOVEDIR) < 0 && errno != ENOENT))
		r = end(rootfd, path, depth > keep_depth,
			timeout_ms < 0 ? -1 : clock_now_ms() + timeout_ms, err);
	if (r < 0 || depth <= keep_depth)
		return r;
	return cgroup_remove_upwards(rootfd, path, depth - 1, keep_depth, err);
}
