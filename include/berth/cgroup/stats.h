/* SPDX-License-Identifier: Apache-2.0 */
/* What a cgroup uses, as its files say it. */
#ifndef BERTH_CGROUP_STATS_H
#define BERTH_CGROUP_STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "berth/base/alloc.h"
#include "berth/base/error.h"

/* What a limit is where there is none. */
#define CGROUP_UNLIMITED UINT64_MAX

/* A line of a *.pressure file: shares of time in hundredths of a percent, and microseconds. */
struct cgroup_pressure_line {
	uint64_t avg10, avg60, avg300, total_us;
};

struct cgroup_pressure {
	bool there; /* the kernel has PSI, and the cgroup the file */
	struct cgroup_pressure_line some, full;
};

/* A line of memory.stat. */
struct cgroup_counter {
	const char *name;
	uint64_t value;
};

/* A line of io.stat. */
struct cgroup_io {
	uint64_t major, minor;
	uint64_t read_bytes, write_bytes, reads, writes;
};

struct cgroup_hugetlb {
	const char *page_size; /* "2MB" */
	uint64_t current_bytes, failures;
};

/* memory.events: how often; of the cgroup and all below it. */
struct cgroup_memory_events {
	uint64_t low, high, max;
	uint64_t oom;	   /* memory ran out at a limit of the cgroup or below */
	uint64_t oom_kill; /* processes killed for want of memory, here or anywhere above */
};

/* Zero where a controller is not there. */
struct cgroup_stats {
	struct {
		uint64_t usage_us, user_us, system_us;
		uint64_t periods, throttled_periods, throttled_us;
		struct cgroup_pressure pressure;
	} cpu;
	struct {
		bool there;
		uint64_t current, max, peak;
		uint64_t swap_current, swap_max, swap_peak;
		struct cgroup_memory_events events;
		const struct cgroup_counter *counters;
		size_t counter_count;
		struct cgroup_pressure pressure;
	} memory;
	struct {
		bool there;
		uint64_t current, max;
	} pids;
	struct {
		const struct cgroup_io *devices;
		size_t device_count;
		struct cgroup_pressure pressure;
	} io;
	const struct cgroup_hugetlb *hugetlb;
	size_t hugetlb_count;
	const char *cpus, *mems; /* lists, "0-3,7"; NULL without cpusets */
};

/* Reads everything; lists and texts live in @arena. -ENODEV and -ENOENT: the cgroup is gone. */
int cgroup_stats_read(int cgroupfd, struct arena *arena, struct cgroup_stats *ret,
		      struct error *err) must_check;

/* The value of a counter of memory.stat; 0 where there is none such. */
uint64_t cgroup_stats_counter(const struct cgroup_stats *stats, const char *name);

/*
 * Waits until memory.events or the population of the cgroup changes, @timeout_ms at most. Make one
 * with cgroup_watch_open(), which reads what there is first, so that no change is missed.
 */
struct cgroup_watch {
	int events_fd; /* cgroup.events; owned */
	int memory_fd; /* memory.events; owned; negative without that controller */
	struct cgroup_memory_events memory;
	bool populated; /* false: or gone */
};

#define CGROUP_WATCH_UNSET                                                                         \
	{                                                                                          \
		.events_fd = -EBADF, .memory_fd = -EBADF                                           \
	}

int cgroup_watch_open(int cgroupfd, struct cgroup_watch *ret, struct error *err) must_check;
int cgroup_watch_wait(struct cgroup_watch *watch, int timeout_ms, struct error *err) must_check;
void cgroup_watch_done(struct cgroup_watch *watch);
#define _cleanup_watch_ __attribute__((cleanup(cgroup_watch_done)))

/* memory.events of the cgroup; all zero where nobody counts, or it is gone. */
struct cgroup_memory_events cgroup_memory_events_of(int cgroupfd);

/* How many processes the kernel has killed in the cgroup for want of memory; 0 where nobody counts.
 */
uint64_t cgroup_oom_kills(int cgroupfd);

/*
 * In words, what the kernel killed in the cgroup for want of memory since @before (NULL: at all),
 * and at which limit; NULL: nothing, or unknown. The caller's.
 */
char *cgroup_oom_text(int cgroupfd, const struct cgroup_memory_events *before);

#endif
