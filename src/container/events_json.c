/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events in runc's shapes, one JSON object a line: {"type":"stats","id":…,"data":{…}} and
 * {"type":"oom","id":…}. Members that runc leaves out where they are zero may be there.
 */
#include <stdio.h>
#include <string.h>

#include "berth/base/json_write.h"
#include "berth/base/str.h"
#include "berth/cgroup/stats.h"

#include "events-internal.h"

#define NS_PER_US 1000

static void begin(struct json_writer *w, const char *key)
{
	json_key(w, key);
	json_begin_object(w);
}

/* Hundredths as a number: 125 is 1.25. */
static void add_hundredths(struct json_writer *w, const char *key, uint64_t value)
{
	char text[32];

	snprintf(text, sizeof(text), "%llu.%02u", (unsigned long long)(value / 100),
		 (unsigned)(value % 100));
	json_key(w, key);
	json_value(w, &(struct json){.type = JSON_NUMBER, .text = text});
}

static void add_pressure_line(struct json_writer *w, const char *key,
			      const struct cgroup_pressure_line *line)
{
	begin(w, key);
	add_hundredths(w, "avg10", line->avg10);
	add_hundredths(w, "avg60", line->avg60);
	add_hundredths(w, "avg300", line->avg300);
	json_member_u64(w, "total", line->total_us);
	json_end_object(w);
}

static void add_pressure(struct json_writer *w, const struct cgroup_pressure *pressure)
{
	if (!pressure->there)
		return;
	begin(w, "psi");
	add_pressure_line(w, "some", &pressure->some);
	add_pressure_line(w, "full", &pressure->full);
	json_end_object(w);
}

static void add_cpu(struct json_writer *w, const struct cgroup_stats *stats)
{
	begin(w, "cpu");
	begin(w, "usage");
	json_member_u64(w, "total", stats->cpu.usage_us * NS_PER_US);
	json_member_u64(w, "kernel", stats->cpu.system_us * NS_PER_US);
	json_member_u64(w, "user", stats->cpu.user_us * NS_PER_US);
	json_end_object(w);
	begin(w, "throttling");
	json_member_u64(w, "periods", stats->cpu.periods);
	json_member_u64(w, "throttledPeriods", stats->cpu.throttled_periods);
	json_member_u64(w, "throttledTime", stats->cpu.throttled_us * NS_PER_US);
	json_end_object(w);
	add_pressure(w, &stats->cpu.pressure);
	json_end_object(w);
}

/* "0-2,7" as [0,1,2,7]. Stops at what is no such list. */
static void add_list(struct json_writer *w, const char *key, const char *list)
{
	json_key(w, key);
	json_begin_array(w);
	while (*list) {
		char word[32];
		size_t length = strcspn(list, ",");
		uint32_t first, last;
		char *dash;

		snprintf(word, sizeof(word), "%.*s", (int)length, list);
		dash = strchr(word, '-');
		if (dash)
			*dash = '\0';
		if (str_to_u32(word, &first) < 0 || first > UINT16_MAX)
			break;
		if (!dash || str_to_u32(dash + 1, &last) < 0 || last > UINT16_MAX)
			last = first;
		for (uint32_t i = first; i <= last; i++)
			json_u64(w, i);
		list += length + (list[length] == ',');
	}
	json_end_array(w);
}

/* The numbers are cgroup v1's, and so 0, as runc has them. */
static void add_cpuset(struct json_writer *w, const struct cgroup_stats *stats)
{
	static const char *const zeroes[] = {
		"cpu_exclusive",   "mem_hardwall",	 "mem_exclusive",
		"memory_migrate",  "memory_spread_page", "memory_spread_slab",
		"memory_pressure", "sched_load_balance", "sched_relax_domain_level",
	};

	begin(w, "cpuset");
	if (stats->cpus)
		add_list(w, "cpus", stats->cpus);
	if (stats->mems)
		add_list(w, "mems", stats->mems);
	for (size_t i = 0; i < ARRAY_SIZE(zeroes); i++)
		json_member_u64(w, zeroes[i], 0);
	json_end_object(w);
}

static void add_memory_entry(struct json_writer *w, const char *key, uint64_t limit, uint64_t usage,
			     uint64_t peak, uint64_t failures)
{
	begin(w, key);
	json_member_u64(w, "limit", limit);
	json_member_u64(w, "usage", usage);
	json_member_u64(w, "max", peak);
	json_member_u64(w, "failcnt", failures);
	json_end_object(w);
}

static void add_memory_events(struct json_writer *w, const struct cgroup_memory_events *events)
{
	begin(w, "event_count");
	json_member_u64(w, "low", events->low);
	json_member_u64(w, "high", events->high);
	json_member_u64(w, "max", events->max);
	json_member_u64(w, "oom", events->oom);
	json_member_u64(w, "oom_kill", events->oom_kill);
	json_end_object(w);
}

static uint64_t add_limits(uint64_t a, uint64_t b)
{
	return a == CGROUP_UNLIMITED || b == CGROUP_UNLIMITED ? CGROUP_UNLIMITED : a + b;
}

/* Swap counts memory too, as with cgroup v1; runc does the sum, and so must we. */
static void add_memory(struct json_writer *w, const struct cgroup_stats *stats)
{
	begin(w, "memory");
	json_member_u64(w, "cache", cgroup_stats_counter(stats, "file"));
	add_memory_entry(w, "usage", stats->memory.max, stats->memory.current, stats->memory.peak,
			 stats->memory.events.max);
	add_memory_entry(w, "swap", add_limits(stats->memory.max, stats->memory.swap_max),
			 stats->memory.current + stats->memory.swap_current, 0, 0);
	add_memory_entry(w, "kernel", 0, cgroup_stats_counter(stats, "kernel"), 0, 0);
	add_memory_entry(w, "kernelTCP", 0, cgroup_stats_counter(stats, "sock"), 0, 0);
	begin(w, "raw");
	for (size_t i = 0; i < stats->memory.counter_count; i++)
		json_member_u64(w, stats->memory.counters[i].name, stats->memory.counters[i].value);
	json_end_object(w);
	add_pressure(w, &stats->memory.pressure);
	add_memory_events(w, &stats->memory.events);
	json_end_object(w);
}

/* No limit is 0 here. */
static void add_pids(struct json_writer *w, const struct cgroup_stats *stats)
{
	begin(w, "pids");
	json_member_u64(w, "current", stats->pids.current);
	if (stats->pids.max != CGROUP_UNLIMITED)
		json_member_u64(w, "limit", stats->pids.max);
	json_end_object(w);
}

static void add_io_entry(struct json_writer *w, const struct cgroup_io *device, const char *op,
			 uint64_t value)
{
	json_begin_object(w);
	json_member_u64(w, "major", device->major);
	json_member_u64(w, "minor", device->minor);
	json_member_string(w, "op", op);
	json_member_u64(w, "value", value);
	json_end_object(w);
}

static void add_block_io(struct json_writer *w, const struct cgroup_stats *stats)
{
	begin(w, "blkio");
	json_key(w, "ioServiceBytesRecursive");
	json_begin_array(w);
	for (size_t i = 0; i < stats->io.device_count; i++) {
		add_io_entry(w, &stats->io.devices[i], "Read", stats->io.devices[i].read_bytes);
		add_io_entry(w, &stats->io.devices[i], "Write", stats->io.devices[i].write_bytes);
	}
	json_end_array(w);
	json_key(w, "ioServicedRecursive");
	json_begin_array(w);
	for (size_t i = 0; i < stats->io.device_count; i++) {
		add_io_entry(w, &stats->io.devices[i], "Read", stats->io.devices[i].reads);
		add_io_entry(w, &stats->io.devices[i], "Write", stats->io.devices[i].writes);
	}
	json_end_array(w);
	add_pressure(w, &stats->io.pressure);
	json_end_object(w);
}

static void add_hugetlb(struct json_writer *w, const struct cgroup_stats *stats)
{
	begin(w, "hugetlb");
	for (size_t i = 0; i < stats->hugetlb_count; i++) {
		begin(w, stats->hugetlb[i].page_size);
		json_member_u64(w, "usage", stats->hugetlb[i].current_bytes);
		json_member_u64(w, "failcnt", stats->hugetlb[i].failures);
		json_end_object(w);
	}
	json_end_object(w);
}

void event_stats(const char *id, const struct cgroup_stats *stats, struct buf *out)
{
	struct json_writer w = JSON_WRITER(out, false);

	json_begin_object(&w);
	json_member_string(&w, "type", "stats");
	json_member_string(&w, "id", id);
	begin(&w, "data");
	add_cpu(&w, stats);
	add_cpuset(&w, stats);
	add_memory(&w, stats);
	add_pids(&w, stats);
	add_block_io(&w, stats);
	add_hugetlb(&w, stats);
	begin(&w, "intel_rdt");
	json_end_object(&w);
	json_key(&w, "network_interfaces");
	json_null(&w);
	json_end_object(&w);
	json_end_object(&w);
	buf_add_char(out, '\n');
}

void event_oom(const char *id, struct buf *out)
{
	struct json_writer w = JSON_WRITER(out, false);

	json_begin_object(&w);
	json_member_string(&w, "type", "oom");
	json_member_string(&w, "id", id);
	json_end_object(&w);
	buf_add_char(out, '\n');
}
