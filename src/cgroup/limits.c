/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The limits of linux.resources: from the field of config.json to the file of cgroup v2.
 *
 * Theory of operation. One table has a row for each field, in the order of writing, with the file
 * and the conversion. What a configuration asks for becomes a list of settings, each a write to a
 * file; all else works on that list: which controllers are needed (the first word of the file's
 * name), whether there is a limit at all, the writing itself, and what an update changes. A field
 * that says what a new cgroup has anyway (unlimited, not idle) needs no controller: it is written
 * where the file is there, since the cgroup may be an older one, and passed over where it is not.
 * linux.resources.unified comes last; what it says about a file takes the place of what the table
 * says, but for files that have a line for each device.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "berth/base/alloc.h"
#include "berth/base/str.h"
#include "berth/cgroup/cgroup.h"

#include "cgroup-internal.h"
#include "limits-internal.h"

#define VALUE_MAX 64

/* The kernel's period where none is given, in microseconds. */
#define CPU_PERIOD_DEFAULT_US 100000

/* cpu.shares of config.json and cpu.weight of cgroup v2. */
#define SHARES_MIN 2
#define SHARES_MAX 262144
#define WEIGHT_MIN 1
#define WEIGHT_MAX 10000

/* One field of linux.resources: its conversion is one of the three functions. */
struct limit {
	const char *field; /* beneath linux.resources */
	const char *file;
	bool absent_is_zero; /* where the file is missing, "0" holds already */
	enum asked (*convert)(const struct spec_resources *resources, char value[static VALUE_MAX]);
	const char *(*text)(const struct spec_resources *resources); /* as it stands */
	void (*list)(const struct spec_resources *resources, struct settings *settings);
};

static enum asked say(char *value, enum asked asked, const char *text)
{
	snprintf(value, VALUE_MAX, "%s", text);
	return asked;
}

static enum asked say_number(char *value, int64_t number)
{
	snprintf(value, VALUE_MAX, "%" PRId64, number);
	return ASKED_LIMIT;
}

/* A number of bytes: 0 (engines write it for "no limit was given") is not set, -1 is unlimited. */
static enum asked say_bytes(char *value, const struct spec_i64 *bytes)
{
	if (!bytes->set || bytes->value == 0)
		return ASKED_NOTHING;
	return bytes->value < 0 ? say(value, ASKED_DEFAULT, "max")
				: say_number(value, bytes->value);
}

static enum asked memory_max(const struct spec_resources *r, char value[static VALUE_MAX])
{
	return say_bytes(value, &r->memory_limit);
}

/*
 * config.json counts memory and swap together, cgroup v2 swap alone. As with cgroup v1, unlimited
 * memory alone means unlimited swap too.
 */
static enum asked memory_swap_max(const struct spec_resources *r, char value[static VALUE_MAX])
{
	if (!r->memory_swap.set || r->memory_swap.value == 0)
		return r->memory_limit.set && r->memory_limit.value < 0
			       ? say(value, ASKED_DEFAULT, "max")
			       : ASKED_NOTHING;
	if (r->memory_swap.value < 0)
		return say(value, ASKED_DEFAULT, "max");
	return say_number(value, r->memory_swap.value - r->memory_limit.value);
}

/* A new cgroup has memory.low 0, so that "unlimited" asks for something here. */
static enum asked memory_low(const struct spec_resources *r, char value[static VALUE_MAX])
{
	enum asked asked = say_bytes(value, &r->memory_reservation);

	return asked == ASKED_DEFAULT ? ASKED_LIMIT : asked;
}

static enum asked cpu_not_idle(const struct spec_resources *r, char value[static VALUE_MAX])
{
	if (!r->cpu_idle.set || r->cpu_idle.value != 0)
		return ASKED_NOTHING;
	return say(value, ASKED_DEFAULT, "0");
}

static enum asked cpu_idle(const struct spec_resources *r, char value[static VALUE_MAX])
{
	if (!r->cpu_idle.set || r->cpu_idle.value == 0)
		return ASKED_NOTHING;
	return say(value, ASKED_LIMIT, "1");
}

/* An idle cgroup has no weight, and takes none. */
static enum asked cpu_weight(const struct spec_resources *r, char value[static VALUE_MAX])
{
	if (!r->cpu_shares.set || r->cpu_shares.value == 0 ||
	    (r->cpu_idle.set && r->cpu_idle.value != 0))
		return ASKED_NOTHING;
	return say_number(value, weight_of_shares(r->cpu_shares.value));
}

static uint64_t cpu_period_us(const struct spec_resources *r)
{
	return r->cpu_period_us.set && r->cpu_period_us.value ? r->cpu_period_us.value
							      : CPU_PERIOD_DEFAULT_US;
}

static enum asked cpu_max(const struct spec_resources *r, char value[static VALUE_MAX])
{
	if (!r->cpu_quota_us.set || r->cpu_quota_us.value == 0)
		return ASKED_NOTHING;
	if (r->cpu_quota_us.value < 0) {
		snprintf(value, VALUE_MAX, "max %" PRIu64, cpu_period_us(r));
		return ASKED_DEFAULT;
	}
	snprintf(value, VALUE_MAX, "%" PRId64 " %" PRIu64, r->cpu_quota_us.value, cpu_period_us(r));
	return ASKED_LIMIT;
}

/* A period without a quota limits nothing yet. */
static enum asked cpu_max_period(const struct spec_resources *r, char value[static VALUE_MAX])
{
	if (!r->cpu_period_us.set || r->cpu_period_us.value == 0 ||
	    (r->cpu_quota_us.set && r->cpu_quota_us.value != 0))
		return ASKED_NOTHING;
	snprintf(value, VALUE_MAX, "max %" PRIu64, r->cpu_period_us.value);
	return ASKED_DEFAULT;
}

static enum asked cpu_max_burst(const struct spec_resources *r, char value[static VALUE_MAX])
{
	if (!r->cpu_burst_us.set)
		return ASKED_NOTHING;
	if (r->cpu_burst_us.value == 0)
		return say(value, ASKED_DEFAULT, "0");
	snprintf(value, VALUE_MAX, "%" PRIu64, r->cpu_burst_us.value);
	return ASKED_LIMIT;
}

/* Zero is a limit: no process at all. */
static enum asked pids_max(const struct spec_resources *r, char value[static VALUE_MAX])
{
	if (!r->pids_limit.set)
		return ASKED_NOTHING;
	return r->pids_limit.value < 0 ? say(value, ASKED_DEFAULT, "max")
				       : say_number(value, r->pids_limit.value);
}

static const char *cpuset_cpus(const struct spec_resources *r)
{
	return r->cpu_cpus;
}

static const char *cpuset_mems(const struct spec_resources *r)
{
	return r->cpu_mems;
}

bool limit_file_is_keyed(const char *file)
{
	static const char *const names[] = {"io.max",	  "io.weight", "io.bfq.weight",
					    "io.latency", "rdma.max",  "misc.max"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (str_equal(names[i], file))
			return true;
	}
	return false;
}

static void overrule(struct settings *settings, const char *file)
{
	for (size_t i = settings->count; i > 0 && !limit_file_is_keyed(file); i--) {
		if (str_equal(settings->items[i - 1].file, file))
			settings_remove(settings, i - 1);
	}
}

/* The kernel takes one line at a time; an empty text becomes a line too, or it would not arrive. */
static void unified(const struct spec_resources *r, struct settings *settings)
{
	for (size_t i = 0; i < r->unified_count; i++) {
		const char *file = r->unified[i].file, *at = r->unified[i].value;

		overrule(settings, file);
		do {
			size_t length = strcspn(at, "\n");

			*settings_add(settings) = (struct setting){
				.asked = ASKED_LIMIT,
				.unified = true,
				.field = xasprintf("linux.resources.unified[\"%s\"]", file),
				.file = xstrdup(file),
				.value = length ? xstrndup(at, length) : xstrdup("\n"),
			};
			at += length;
			at += strspn(at, "\n");
		} while (*at);
	}
}

/* Both numbers are optional; the kernel's greatest is its "max". */
static void add_rdma_number(struct buf *line, const char *key, const struct spec_u64 *number)
{
	if (!number->set)
		return;
	if (number->value >= INT32_MAX)
		buf_printf(line, " %s=max", key);
	else
		buf_printf(line, " %s=%" PRIu64, key, number->value);
}

static void rdma_max(const struct spec_resources *r, struct settings *settings)
{
	for (size_t i = 0; i < r->rdma_count; i++) {
		_cleanup_buf_ struct buf line = BUF_EMPTY;

		buf_add_string(&line, r->rdma[i].device);
		add_rdma_number(&line, "hca_handle", &r->rdma[i].hca_handles);
		add_rdma_number(&line, "hca_object", &r->rdma[i].hca_objects);
		*settings_add(settings) = (struct setting){
			.asked = ASKED_LIMIT,
			.field = xasprintf("linux.resources.rdma[\"%s\"]", r->rdma[i].device),
			.file = xstrdup("rdma.max"),
			.value = buf_take(&line),
		};
	}
}

/* What is used and what is reserved; without the second, the kernel is older than 5.7. */
static void hugetlb_max(const struct spec_resources *r, struct settings *settings)
{
	for (size_t i = 0; i < r->hugepage_limit_count; i++) {
		const struct spec_hugepage_limit *limit = &r->hugepage_limits[i];

		for (int reserved = 0; reserved < 2; reserved++)
			*settings_add(settings) = (struct setting){
				.asked = ASKED_LIMIT,
				.may_lack = reserved,
				.field = xasprintf("linux.resources.hugepageLimits[%zu]", i),
				.file = xasprintf("hugetlb.%s%s.max", limit->page_size,
						  reserved ? ".rsvd" : ""),
				.value = xasprintf("%" PRIu64, limit->limit),
			};
	}
}

/* The order matters where a row says so. */
static const struct limit limits[] = {
	{"memory.limit", "memory.max", .convert = memory_max},
	/* without swap accounting there is no such file, and a limit of zero is not refused */
	{"memory.swap", "memory.swap.max", .convert = memory_swap_max, .absent_is_zero = true},
	{"memory.reservation", "memory.low", .convert = memory_low},
	/* an idle cgroup takes no weight: it stops being idle before */
	{"cpu.idle", "cpu.idle", .convert = cpu_not_idle},
	{"cpu.shares", "cpu.weight", .convert = cpu_weight},
	{"cpu.idle", "cpu.idle", .convert = cpu_idle},
	/* the kernel refuses a burst above the quota: the quota comes first */
	{"cpu.quota", "cpu.max", .convert = cpu_max},
	{"cpu.period", "cpu.max", .convert = cpu_max_period},
	{"cpu.burst", "cpu.max.burst", .convert = cpu_max_burst},
	{"pids.limit", "pids.max", .convert = pids_max},
	{"cpu.cpus", "cpuset.cpus", .text = cpuset_cpus},
	{"cpu.mems", "cpuset.mems", .text = cpuset_mems},
	{"blockIO.weight", "io.bfq.weight", .list = io_weight},
	{"blockIO.weightDevice", "io.bfq.weight", .list = io_device_weights},
	{"blockIO.throttle*Device", "io.max", .list = io_throttles},
	{"hugepageLimits", "hugetlb.*.max", .list = hugetlb_max},
	{"rdma", "rdma.max", .list = rdma_max},
	/* whatever file; takes the place of what the rows above say */
	{"unified", "*", .list = unified},
};

/* Adds what a row asks for. */
static void add_limit(const struct limit *limit, const struct spec_resources *resources,
		      struct settings *settings)
{
	char number[VALUE_MAX];
	const char *value = number;
	enum asked asked;

	if (limit->list) {
		limit->list(resources, settings);
		return;
	}
	if (limit->convert) {
		asked = limit->convert(resources, number);
	} else {
		value = limit->text(resources);
		asked = value && *value ? ASKED_LIMIT : ASKED_NOTHING;
	}
	if (asked == ASKED_NOTHING)
		return;
	*settings_add(settings) = (struct setting){
		.asked = asked,
		.may_lack = limit->absent_is_zero && str_equal(value, "0"),
		.field = xasprintf("linux.resources.%s", limit->field),
		.file = xstrdup(limit->file),
		.value = xstrdup(value),
	};
}

struct settings settings_of(const struct spec_resources *resources)
{
	struct settings settings = {.items = NULL};

	for (size_t i = 0; i < ARRAY_SIZE(limits); i++)
		add_limit(&limits[i], resources, &settings);
	return settings;
}

struct setting *settings_add(struct settings *settings)
{
	settings->items = xrealloc(settings->items, settings->count + 1, sizeof(*settings->items));
	return &settings->items[settings->count++];
}

static void setting_done(struct setting *setting)
{
	free(setting->field);
	free(setting->file);
	free(setting->value);
	free(setting->other_file);
	free(setting->other_value);
}

void settings_remove(struct settings *settings, size_t index)
{
	setting_done(&settings->items[index]);
	settings->count--;
	memmove(settings->items + index, settings->items + index + 1,
		(settings->count - index) * sizeof(*settings->items));
}

void settings_done(struct settings *settings)
{
	for (size_t i = 0; i < settings->count; i++)
		setting_done(&settings->items[i]);
	free(settings->items);
	*settings = (struct settings){.items = NULL};
}

/* The logarithm to base 2 of @x >= 1, bit by bit: squaring doubles a logarithm. */
static double logarithm2(double x)
{
	double result = 0, bit = 1;

	while (x >= 2) {
		x /= 2;
		result++;
	}
	for (int i = 0; i < 52; i++) {
		x *= x;
		bit /= 2;
		if (x >= 2) {
			x /= 2;
			result += bit;
		}
	}
	return result;
}

/*
 * A weight that grows with the shares, through the three points that must meet: the least (2 to
 * 1), the default (1024 to 100) and the most (262144 to 10000). In log-log scale that is a
 * parabola: log10(weight) = (l² + 125 l) / 612 - 7/34, where l = log2(shares). The result is the
 * least weight that is not below it; looked for rather than computed, so that the static binary
 * needs no mathematical library for one power.
 */
unsigned weight_of_shares(uint64_t shares)
{
	unsigned low = WEIGHT_MIN, high = WEIGHT_MAX;
	double l, wanted;

	if (shares <= SHARES_MIN)
		return WEIGHT_MIN;
	if (shares >= SHARES_MAX)
		return WEIGHT_MAX;
	l = logarithm2((double)shares);
	/* In base 2, less a rounding error: 1024 must not become 101. */
	wanted = ((l * l + 125 * l) / 612 - 7.0 / 34) * logarithm2(10) - 1e-12;
	while (low < high) {
		unsigned middle = (low + high) / 2;

		if (logarithm2(middle) >= wanted)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}
