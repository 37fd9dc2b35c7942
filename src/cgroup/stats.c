/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The figures of a cgroup. Files that are not there (a controller that is not passed on, a kernel
 * without pressure figures) leave zeroes; a cgroup that is gone is an error.
 */
#include "berth/cgroup/stats.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "berth/base/fd.h"
#include "berth/base/str.h"

#include "cgroup-internal.h"

/* memory.stat and io.stat of machines with many devices. */
#define STAT_MAX (1u << 20)

/* Which name of a text goes where. */
struct place {
	const char *name;
	size_t offset;
};

/* The text of a file, in the arena; NULL where there is none. */
static char *read_text(int cgroupfd, const char *file, struct arena *arena)
{
	_cleanup_free_ char *text = NULL;
	struct error unheard = ERROR_NONE;

	if (file_read_at(cgroupfd, file, STAT_MAX, &text, NULL, &unheard) < 0)
		return NULL;
	return arena_strdup(arena, text);
}

/* "max" is unlimited, and what is no number 0. */
static uint64_t to_number(const char *text)
{
	uint64_t number;

	if (str_equal(text, "max"))
		return CGROUP_UNLIMITED;
	return str_to_u64(text, &number) < 0 ? 0 : number;
}

/* A file with one number. False: there is no such file. */
static bool read_number(int cgroupfd, const char *file, struct arena *arena, uint64_t *ret)
{
	char *text = read_text(cgroupfd, file, arena);

	if (!text)
		return false;
	text[strcspn(text, "\n")] = '\0';
	*ret = to_number(text);
	return true;
}

static void put(void *base, const struct place *places, size_t count, const char *name,
		uint64_t value)
{
	for (size_t i = 0; i < count; i++) {
		if (str_equal(places[i].name, name))
			*(uint64_t *)((char *)base + places[i].offset) = value;
	}
}

/* Lines of a name, a blank and a number. Cuts @text. */
static void read_lines(char *text, void *base, const struct place *places, size_t count)
{
	char *saved = NULL;

	for (char *line = text ? strtok_r(text, "\n", &saved) : NULL; line;
	     line = strtok_r(NULL, "\n", &saved)) {
		char *blank = strchr(line, ' ');

		if (!blank)
			continue;
		*blank = '\0';
		put(base, places, count, line, to_number(blank + 1));
	}
}

static void read_cpu(int cgroupfd, struct arena *arena, struct cgroup_stats *stats)
{
	static const struct place places[] = {
		{"usage_usec", offsetof(struct cgroup_stats, cpu.usage_us)},
		{"user_usec", offsetof(struct cgroup_stats, cpu.user_us)},
		{"system_usec", offsetof(struct cgroup_stats, cpu.system_us)},
		{"nr_periods", offsetof(struct cgroup_stats, cpu.periods)},
		{"nr_throttled", offsetof(struct cgroup_stats, cpu.throttled_periods)},
		{"throttled_usec", offsetof(struct cgroup_stats, cpu.throttled_us)},
	};

	read_lines(read_text(cgroupfd, "cpu.stat", arena), stats, places, ARRAY_SIZE(places));
}

static void parse_memory_events(char *text, struct cgroup_memory_events *ret)
{
	static const struct place places[] = {
		{"low", offsetof(struct cgroup_memory_events, low)},
		{"high", offsetof(struct cgroup_memory_events, high)},
		{"max", offsetof(struct cgroup_memory_events, max)},
		{"oom", offsetof(struct cgroup_memory_events, oom)},
		{"oom_kill", offsetof(struct cgroup_memory_events, oom_kill)},
	};

	read_lines(text, ret, places, ARRAY_SIZE(places));
}

static size_t count_lines(const char *text)
{
	size_t count = 0;

	for (; text && *text; text++)
		count += *text == '\n';
	return count + 1;
}

static void read_counters(int cgroupfd, struct arena *arena, struct cgroup_stats *stats)
{
	char *text = read_text(cgroupfd, "memory.stat", arena), *saved = NULL;
	struct cgroup_counter *counters = arena_alloc(arena, count_lines(text), sizeof(*counters));
	size_t count = 0;

	for (char *line = text ? strtok_r(text, "\n", &saved) : NULL; line;
	     line = strtok_r(NULL, "\n", &saved)) {
		char *blank = strchr(line, ' ');

		if (!blank)
			continue;
		*blank = '\0';
		counters[count++] = (struct cgroup_counter){line, to_number(blank + 1)};
	}
	stats->memory.counters = counters;
	stats->memory.counter_count = count;
}

static void read_memory(int cgroupfd, struct arena *arena, struct cgroup_stats *stats)
{
	stats->memory.there =
		read_number(cgroupfd, "memory.current", arena, &stats->memory.current);
	read_number(cgroupfd, "memory.max", arena, &stats->memory.max);
	read_number(cgroupfd, "memory.peak", arena, &stats->memory.peak);
	read_number(cgroupfd, "memory.swap.current", arena, &stats->memory.swap_current);
	read_number(cgroupfd, "memory.swap.max", arena, &stats->memory.swap_max);
	read_number(cgroupfd, "memory.swap.peak", arena, &stats->memory.swap_peak);
	parse_memory_events(read_text(cgroupfd, "memory.events", arena), &stats->memory.events);
	read_counters(cgroupfd, arena, stats);
}

/* The words NAME=NUMBER of a line after its first. Cuts it. */
static void read_words(char *line, void *base, const struct place *places, size_t count)
{
	char *saved = NULL;

	for (char *word = strtok_r(line, " ", &saved); word; word = strtok_r(NULL, " ", &saved)) {
		char *equals = strchr(word, '=');

		if (!equals)
			continue;
		*equals = '\0';
		put(base, places, count, word, to_number(equals + 1));
	}
}

static bool read_device(char *line, struct cgroup_io *ret)
{
	static const struct place places[] = {
		{"rbytes", offsetof(struct cgroup_io, read_bytes)},
		{"wbytes", offsetof(struct cgroup_io, write_bytes)},
		{"rios", offsetof(struct cgroup_io, reads)},
		{"wios", offsetof(struct cgroup_io, writes)},
	};
	char *colon = strchr(line, ':'), *blank = strchr(line, ' ');

	if (!colon || !blank || blank < colon)
		return false;
	*colon = *blank = '\0';
	*ret = (struct cgroup_io){.major = to_number(line), .minor = to_number(colon + 1)};
	read_words(blank + 1, ret, places, ARRAY_SIZE(places));
	return true;
}

static void read_io(int cgroupfd, struct arena *arena, struct cgroup_stats *stats)
{
	char *text = read_text(cgroupfd, "io.stat", arena), *saved = NULL;
	struct cgroup_io *devices = arena_alloc(arena, count_lines(text), sizeof(*devices));
	size_t count = 0;

	for (char *line = text ? strtok_r(text, "\n", &saved) : NULL; line;
	     line = strtok_r(NULL, "\n", &saved))
		count += read_device(line, &devices[count]);
	stats->io.devices = devices;
	stats->io.device_count = count;
}

/* "1.25" as 125. Cuts the text. */
static uint64_t to_hundredths(char *text)
{
	char *point = strchr(text, '.');

	if (!point || strlen(point) != 3)
		return 0;
	*point = '\0';
	return to_number(text) * 100 + (uint64_t)(point[1] - '0') * 10 + (uint64_t)(point[2] - '0');
}

static void read_pressure_line(char *line, struct cgroup_pressure_line *ret)
{
	char *saved = NULL;

	for (char *word = strtok_r(line, " ", &saved); word; word = strtok_r(NULL, " ", &saved)) {
		char *value = strchr(word, '=');

		if (!value)
			continue;
		*value++ = '\0';
		if (str_equal(word, "avg10"))
			ret->avg10 = to_hundredths(value);
		else if (str_equal(word, "avg60"))
			ret->avg60 = to_hundredths(value);
		else if (str_equal(word, "avg300"))
			ret->avg300 = to_hundredths(value);
		else if (str_equal(word, "total"))
			ret->total_us = to_number(value);
	}
}

/* Where PSI is switched off, opening the file works and reading it fails. */
static void read_pressure(int cgroupfd, const char *file, struct arena *arena,
			  struct cgroup_pressure *ret)
{
	char *text = read_text(cgroupfd, file, arena), *saved = NULL;

	ret->there = text != NULL;
	for (char *line = text ? strtok_r(text, "\n", &saved) : NULL; line;
	     line = strtok_r(NULL, "\n", &saved)) {
		if (str_starts(line, "some "))
			read_pressure_line(line, &ret->some);
		else if (str_starts(line, "full "))
			read_pressure_line(line, &ret->full);
	}
}

/* "hugetlb.2MB.current": the page size of such a file's name, in the arena; NULL: another file. */
static char *page_size_of(const char *name, struct arena *arena)
{
	static const char begin[] = "hugetlb.", end[] = ".current";
	size_t length = strlen(name), around = strlen(begin) + strlen(end);

	if (!str_starts(name, begin) || length <= around ||
	    !str_equal(name + length - strlen(end), end) || strstr(name, ".rsvd."))
		return NULL;
	return arena_strndup(arena, name + strlen(begin), length - around);
}

static struct cgroup_hugetlb read_page_size(int cgroupfd, struct arena *arena, const char *size)
{
	static const struct place places[] = {{"max", offsetof(struct cgroup_hugetlb, failures)}};
	struct cgroup_hugetlb found = {.page_size = size};

	read_number(cgroupfd, arena_printf(arena, "hugetlb.%s.current", size), arena,
		    &found.current_bytes);
	read_lines(read_text(cgroupfd, arena_printf(arena, "hugetlb.%s.events", size), arena),
		   &found, places, ARRAY_SIZE(places));
	return found;
}

/* The page sizes that the kernel has, by the files that there are. */
static void read_hugetlb(int cgroupfd, struct arena *arena, struct cgroup_stats *stats)
{
	enum {
		SIZES_MAX = 16
	};
	int copy = openat(cgroupfd, ".", CGROUP_OPEN_FLAGS);
	_cleanup_dir_ DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	struct cgroup_hugetlb *sizes = arena_alloc(arena, SIZES_MAX, sizeof(*sizes));

	if (!dir) {
		fd_close(copy);
		return;
	}
	stats->hugetlb = sizes;
	for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
		const char *size = page_size_of(entry->d_name, arena);

		if (size && stats->hugetlb_count < SIZES_MAX)
			sizes[stats->hugetlb_count++] = read_page_size(cgroupfd, arena, size);
	}
}

static const char *read_list(int cgroupfd, const char *file, struct arena *arena)
{
	char *text = read_text(cgroupfd, file, arena);

	if (text)
		text[strcspn(text, "\n")] = '\0';
	return text;
}

int cgroup_stats_read(int cgroupfd, struct arena *arena, struct cgroup_stats *ret,
		      struct error *err)
{
	struct cgroup_stats stats = {.cpus = NULL};
	struct cgroup_events events;
	int r = cgroup_events_of(cgroupfd, &events);

	if (r < 0)
		return fail(err, r, "read cgroup.events");
	read_cpu(cgroupfd, arena, &stats);
	read_memory(cgroupfd, arena, &stats);
	stats.pids.there = read_number(cgroupfd, "pids.current", arena, &stats.pids.current);
	read_number(cgroupfd, "pids.max", arena, &stats.pids.max);
	read_io(cgroupfd, arena, &stats);
	read_hugetlb(cgroupfd, arena, &stats);
	read_pressure(cgroupfd, "cpu.pressure", arena, &stats.cpu.pressure);
	read_pressure(cgroupfd, "memory.pressure", arena, &stats.memory.pressure);
	read_pressure(cgroupfd, "io.pressure", arena, &stats.io.pressure);
	stats.cpus = read_list(cgroupfd, "cpuset.cpus.effective", arena);
	stats.mems = read_list(cgroupfd, "cpuset.mems.effective", arena);
	*ret = stats;
	return 0;
}

uint64_t cgroup_stats_counter(const struct cgroup_stats *stats, const char *name)
{
	for (size_t i = 0; i < stats->memory.counter_count; i++) {
		if (str_equal(stats->memory.counters[i].name, name))
			return stats->memory.counters[i].value;
	}
	return 0;
}

int memory_events_read(int fd, struct cgroup_memory_events *ret)
{
	char text[512];
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

	if (n < 0)
		return -errno;
	text[n] = '\0';
	parse_memory_events(text, ret);
	return 0;
}
