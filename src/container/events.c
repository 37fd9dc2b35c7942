/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happens in a container's cgroup, as it happens: its figures at intervals, and each time the
 * kernel has killed for want of memory. It ends when the last process in the cgroup has.
 */
#include <errno.h>

#include "berth/base/clock.h"
#include "berth/base/fd.h"
#include "berth/cgroup/stats.h"
#include "berth/container/resources.h"

#include "container-internal.h"
#include "events-internal.h"
#include "explain-internal.h"
#include "oom_note-internal.h"

static int print_stats(int cgroupfd, const struct events_options *options, struct error *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_buf_ struct buf line = BUF_EMPTY;
	struct cgroup_stats stats;
	int r = cgroup_stats_read(cgroupfd, arena, &stats, err);

	if (r < 0)
		return r;
	event_stats(options->id, &stats, &line);
	return options->print(line.data, err);
}

static int print_oom(const struct events_options *options, struct error *err)
{
	_cleanup_buf_ struct buf line = BUF_EMPTY;

	event_oom(options->id, &line);
	return options->print(line.data, err);
}

/* Milliseconds until @next, for poll(2). */
static int remaining_ms(int64_t next)
{
	int64_t left = next - clock_now_ms();

	return left < 0 ? 0 : left > INT32_MAX ? INT32_MAX : (int)left;
}

/* Until nothing lives in the cgroup, or it is gone. */
static int follow(int cgroupfd, struct cgroup_watch *watch, const struct events_options *options,
		  struct error *err)
{
	int64_t next = clock_now_ms() + options->interval_ms;
	int r = 0;

	while (r >= 0 && watch->populated) {
		uint64_t killed = watch->memory.oom_kill;

		r = cgroup_watch_wait(watch, remaining_ms(next), err);
		if (r >= 0 && watch->memory.oom_kill > killed)
			r = print_oom(options, err);
		if (r < 0 || !watch->populated || remaining_ms(next) > 0)
			continue;
		r = print_stats(cgroupfd, options, err);
		/* Removed since it was looked at. */
		if (r == -ENODEV || r == -ENOENT)
			return 0;
		next += options->interval_ms;
	}
	return r;
}

static int watch_to_the_end(int dirfd, int cgroupfd, const struct events_options *options,
			    struct error *err)
{
	_cleanup_watch_ struct cgroup_watch watch = CGROUP_WATCH_UNSET;
	_cleanup_fd_ int note = oom_note_open(dirfd);
	int r = cgroup_watch_open(cgroupfd, &watch, err);

	if (r >= 0)
		r = follow(cgroupfd, &watch, options, err);
	/* What happened after the last look. */
	if (r >= 0 && oom_note_read(note) > watch.memory.oom_kill)
		r = print_oom(options, err);
	return r;
}

static int check_running(const struct container *container, struct error *err)
{
	if (container->status == STATUS_STOPPED || container->status == STATUS_CREATING)
		return refuse(err, "container with id %s is not running", container->record.id);
	return 0;
}

int container_events(const struct runtime *runtime, const struct events_options *options,
		     struct error *err)
{
	_cleanup_container_ struct container container = CONTAINER_UNSET;
	_cleanup_fd_ int fd = -EBADF;
	int r;

	if (options->interval_ms <= 0)
		return refuse(err, "duration interval must be greater than 0");
	r = container_load(runtime, options->id, &container, err);
	if (r >= 0)
		r = check_running(&container, err);
	if (r < 0)
		return r;
	fd = container_cgroup_open(&container, err);
	if (fd < 0)
		r = within(err, fd, "events");
	else if (options->stats)
		r = print_stats(fd, options, err);
	else
		r = watch_to_the_end(container.dirfd, fd, options, err);
	return r < 0 ? container_explain(&container, r, check_running, err) : 0;
}
