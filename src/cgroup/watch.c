/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Waiting for what happens in a cgroup: memory that runs out, and the end of its last process. The
 * kernel wakes poll(2) on both files after a change; reading a file arms it again.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "berth/base/alloc.h"
#include "berth/base/fd.h"
#include "berth/base/str.h"
#include "berth/cgroup/stats.h"

#include "cgroup-internal.h"

void cgroup_watch_done(struct cgroup_watch *watch)
{
	watch->events_fd = fd_close(watch->events_fd);
	watch->memory_fd = fd_close(watch->memory_fd);
}

/* Memory first: what is killed there ends a moment later. */
static int look(struct cgroup_watch *watch, struct error *err)
{
	struct cgroup_events events = {.populated = false};
	int r;

	if (watch->memory_fd >= 0)
		ignore(memory_events_read(watch->memory_fd, &watch->memory)); /* gone: below */
	r = cgroup_events_read(watch->events_fd, &events);
	if (r < 0 && r != -ENODEV)
		return fail(err, r, "read cgroup.events");
	watch->populated = events.populated;
	return 0;
}

int cgroup_watch_open(int cgroupfd, struct cgroup_watch *ret, struct error *err)
{
	_cleanup_watch_ struct cgroup_watch watch = CGROUP_WATCH_UNSET;
	int flags = O_RDONLY | O_NOFOLLOW | O_CLOEXEC, r;

	watch.events_fd = openat(cgroupfd, "cgroup.events", flags);
	if (watch.events_fd < 0)
		return fail(err, -errno, "open cgroup.events");
	watch.memory_fd = openat(cgroupfd, "memory.events", flags);
	r = look(&watch, err);
	if (r < 0)
		return r;
	*ret = watch;
	watch = (struct cgroup_watch)CGROUP_WATCH_UNSET;
	return 0;
}

int cgroup_watch_wait(struct cgroup_watch *watch, int timeout_ms, struct error *err)
{
	struct pollfd polls[] = {
		{.fd = watch->events_fd, .events = POLLPRI},
		{.fd = watch->memory_fd, .events = POLLPRI},
	};

	if (poll(polls, ARRAY_SIZE(polls), timeout_ms) < 0 && errno != EINTR)
		return fail(err, -errno, "wait for the cgroup");
	return look(watch, err);
}

/* "; the limit is 4096 bytes", where there is one. */
static char *limit_text(int cgroupfd)
{
	_cleanup_free_ char *text = NULL;
	struct error unheard = ERROR_NONE;
	uint64_t limit;

	if (file_read_at(cgroupfd, "memory.max", CGROUP_FILE_MAX, &text, NULL, &unheard) < 0)
		return xstrdup("");
	text[strcspn(text, "\n")] = '\0';
	return str_to_u64(text, &limit) < 0 ? xstrdup(", that of a cgroup below it")
					    : xasprintf(", %" PRIu64 " bytes", limit);
}

struct cgroup_memory_events cgroup_memory_events_of(int cgroupfd)
{
	_cleanup_fd_ int fd = openat(cgroupfd, "memory.events", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct cgroup_memory_events events = {.oom_kill = 0};

	if (fd >= 0)
		ignore(memory_events_read(fd, &events)); /* gone: as above */
	return events;
}

uint64_t cgroup_oom_kills(int cgroupfd)
{
	return cgroup_memory_events_of(cgroupfd).oom_kill;
}

char *cgroup_oom_text(int cgroupfd, const struct cgroup_memory_events *before)
{
	struct cgroup_memory_events events = cgroup_memory_events_of(cgroupfd);
	uint64_t kills = events.oom_kill - (before ? before->oom_kill : 0);
	_cleanup_free_ char *limit = NULL;
	const char *what = kills == 1 ? "process" : "processes";

	/* Gone or never counted: 0 by now. */
	if (!events.oom_kill || !kills)
		return NULL;
	if (events.oom == (before ? before->oom : 0))
		return xasprintf("out of memory: the kernel killed %" PRIu64 " %s, at a memory "
				 "limit above the container's, or for the whole host",
				 kills, what);
	limit = limit_text(cgroupfd);
	return xasprintf("out of memory: the kernel killed %" PRIu64 " %s at the memory limit%s",
			 kills, what, limit);
}
