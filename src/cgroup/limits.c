/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The limits of linux.resources: from the field of config.json to the file of cgroup v2.
 *
 * Theory of operation. One table has a row for each field, in the order of writing; the controller
 * is the first word of the file's name, for the table as for linux.resources.unified. A field that
 * says what a new cgroup has anyway (unlimited, not idle) needs no controller: it is written where
 * the file is there, since the cgroup may be an older one, and passed over where it is not.
 * linux.resources.unified comes last and may overrule the table.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "berth/base/alloc.h"
#include "berth/base/fd.h"
#include "berth/base/str.h"
#include "berth/cgroup/cgroup.h"

#include "cgroup-internal.h"

#define VALUE_MAX 64

/* The kernel's period where none is given, and its bounds, in microseconds. */
#define CPU_PERIOD_DEFAULT_US 100000
#define CPU_PERIOD_MIN_US     1000
#define CPU_PERIOD_MAX_US     1000000
#define CPU_QUOTA_MIN_US      1000

/* cpu.shares of config.json and cpu.weight of cgroup v2. */
#define SHARES_MIN 2
#define SHARES_MAX 262144
#define WEIGHT_MIN 1
#define WEIGHT_MAX 10000

/* The kernel's PID_MAX_LIMIT. */
#define PIDS_LIMIT_MAX 4194304

enum asked {
	ASKED_NOTHING,
	ASKED_DEFAULT, /* what a new cgroup has anyway */
	ASKED_LIMIT
};

/* One field: converts it to the file's text, or says that nothing is asked; or has that text. */
struct limit {
	const char *field; /* beneath linux.resources */
	const char *file;
	enum asked (*convert)(const struct spec_resources *resources, char value[static VALUE_MAX]);
	bool absent_is_zero; /* where the file is missing, "0" holds already */
	const char *(*text)(const struct spec_resources *resources);
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

/* config.json counts memory and swap together, cgroup v2 swap alone. */
static enum asked memory_swap_max(const struct spec_resources *r, char value[static VALUE_MAX])
{
	if (!r->memory_swap.set || r->memory_swap.value == 0)
		return ASKED_NOTHING;
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

static enum asked cpu_weight(const struct spec_resources *r, char value[static VALUE_MAX])
{
	if (!r->cpu_shares.set || r->cpu_shares.value == 0)
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

/* The order matters where a row says so. */
static const struct limit limits[] = {
	{"memory.limit", "memory.max", memory_max, false, NULL},
	/* without swap accounting there is no such file, and a limit of zero is not refused */
	{"memory.swap", "memory.swap.max", memory_swap_max, true, NULL},
	{"memory.reservation", "memory.low", memory_low, false, NULL},
	/* an idle cgroup takes no weight: it stops being idle before, or becomes idle after it */
	{"cpu.idle", "cpu.idle", cpu_not_idle, false, NULL},
	{"cpu.shares", "cpu.weight", cpu_weight, false, NULL},
	{"cpu.idle", "cpu.idle", cpu_idle, false, NULL},
	/* the kernel refuses a burst above the quota: the quota comes first */
	{"cpu.quota", "cpu.max", cpu_max, false, NULL},
	{"cpu.period", "cpu.max", cpu_max_period, false, NULL},
	{"cpu.burst", "cpu.max.burst", cpu_max_burst, false, NULL},
	{"pids.limit", "pids.max", pids_max, false, NULL},
	{"cpu.cpus", "cpuset.cpus", NULL, false, cpuset_cpus},
	{"cpu.mems", "cpuset.mems", NULL, false, cpuset_mems},
};

/* What a row asks for. The text is the specification's, or in @number. */
static enum asked limit_value(const struct limit *limit, const struct spec_resources *resources,
			      char number[static VALUE_MAX], const char **ret)
{
	if (limit->convert) {
		*ret = number;
		return limit->convert(resources, number);
	}
	*ret = limit->text(resources);
	return *ret && **ret ? ASKED_LIMIT : ASKED_NOTHING;
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

bool word_listed(const char *list, const char *word)
{
	size_t length = strlen(word);

	for (const char *at = list; *at;) {
		size_t found = strcspn(at, " \n");

		if (found == length && strncmp(at, word, length) == 0)
			return true;
		at += found;
		at += strspn(at, " \n");
	}
	return false;
}

/* Notes the controller of @file, unless it is there already or the file is one of the core's. */
static void add_need(struct limit_needs *needs, const char *file, const char *field)
{
	_cleanup_free_ char *controller = xstrndup(file, strcspn(file, "."));

	if (str_equal(controller, "cgroup"))
		return;
	for (size_t i = 0; i < needs->count; i++) {
		if (str_equal(needs->items[i].controller, controller))
			return;
	}
	needs->items = xrealloc(needs->items, needs->count + 1, sizeof(*needs->items));
	needs->items[needs->count++] = (struct limit_need){
		.controller = take_ptr(&controller),
		.field = xstrdup(field),
	};
}

/* "linux.resources.memory.limit"; the caller's. */
static char *field_path(const struct limit *limit)
{
	return xasprintf("linux.resources.%s", limit->field);
}

static char *unified_path(const struct spec_unified *unified)
{
	return xasprintf("linux.resources.unified[\"%s\"]", unified->file);
}

struct limit_needs limits_need(const struct spec_resources *resources)
{
	struct limit_needs needs = {.items = NULL};
	char number[VALUE_MAX];
	const char *value;

	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		_cleanup_free_ char *field = NULL;

		if (limit_value(&limits[i], resources, number, &value) != ASKED_LIMIT)
			continue;
		field = field_path(&limits[i]);
		add_need(&needs, limits[i].file, field);
	}
	if (block_io_asked(resources)) {
		_cleanup_free_ char *field =
			xasprintf("linux.resources.%s", block_io_asked(resources));

		add_need(&needs, "io.", field);
	}
	for (size_t i = 0; i < resources->unified_count; i++) {
		_cleanup_free_ char *field = unified_path(&resources->unified[i]);

		add_need(&needs, resources->unified[i].file, field);
	}
	return needs;
}

void limit_needs_done(struct limit_needs *needs)
{
	for (size_t i = 0; i < needs->count; i++) {
		free(needs->items[i].controller);
		free(needs->items[i].field);
	}
	free(needs->items);
	*needs = (struct limit_needs){.items = NULL};
}

bool cgroup_limits_asked(const struct spec_resources *resources)
{
	char number[VALUE_MAX];
	const char *value;

	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		if (limit_value(&limits[i], resources, number, &value) == ASKED_LIMIT)
			return true;
	}
	return block_io_asked(resources) || resources->unified_count > 0;
}

char *cgroup_limit_asked(const struct spec_resources *resources)
{
	char number[VALUE_MAX];
	const char *value;

	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		if (limit_value(&limits[i], resources, number, &value) == ASKED_LIMIT)
			return field_path(&limits[i]);
	}
	if (block_io_asked(resources))
		return xasprintf("linux.resources.%s", block_io_asked(resources));
	return resources->unified_count ? unified_path(&resources->unified[0]) : NULL;
}

int limit_write_file(int cgroupfd, const char *path, const char *file, const char *value,
		     struct error *err)
{
	_cleanup_free_ char *what =
		xasprintf("%s of cgroup \"%s\" (value \"%s\")", file, path, value);

	return file_write_at(cgroupfd, file, value, strlen(value), what, err);
}

static int write_limit(int cgroupfd, const char *path, const struct limit *limit,
		       const struct spec_resources *resources, struct error *err)
{
	char number[VALUE_MAX];
	const char *value;
	enum asked asked = limit_value(limit, resources, number, &value);
	int r;

	if (asked == ASKED_NOTHING)
		return 0;
	r = limit_write_file(cgroupfd, path, limit->file, value, err);
	if (r == -ENOENT &&
	    (asked == ASKED_DEFAULT || (limit->absent_is_zero && str_equal(value, "0"))))
		return 0;
	return r < 0 ? within(err, r, "linux.resources.%s", limit->field) : 0;
}

static int write_unified(int cgroupfd, const char *path, const struct spec_unified *unified,
			 struct error *err)
{
	_cleanup_free_ char *field = unified_path(unified);
	int r = limit_write_file(cgroupfd, path, unified->file, unified->value, err);

	if (r == -ENOENT)
		return refuse_as(err, r, "%s: cgroup \"%s\" has no such file", field, path);
	return r < 0 ? within(err, r, "%s", field) : 0;
}

/* The kernel would kill processes to get below a lower limit; some callers want an error. */
static int check_usage(int cgroupfd, const char *path, const struct spec_resources *resources,
		       struct error *err)
{
	_cleanup_free_ char *text = NULL;
	uint64_t usage;
	int r;

	if (!resources->memory_check_before_update || !resources->memory_limit.set ||
	    resources->memory_limit.value <= 0)
		return 0;
	r = file_read_at(cgroupfd, "memory.current", CGROUP_FILE_MAX, &text, NULL, err);
	if (r < 0)
		return within(err, r, "cgroup \"%s\"", path);
	text[strcspn(text, "\n")] = '\0';
	if (str_to_u64(text, &usage) < 0)
		return refuse(err, "cgroup \"%s\": memory.current says \"%s\"", path, text);
	if (usage > (uint64_t)resources->memory_limit.value)
		return refuse(err,
			      "linux.resources.memory.limit: %" PRId64
			      " is below the current usage "
			      "of cgroup \"%s\", %" PRIu64 ", and checkBeforeUpdate is set",
			      resources->memory_limit.value, path, usage);
	return 0;
}

int limits_write(int cgroupfd, const char *path, const struct spec_resources *resources,
		 struct error *err)
{
	int r = check_usage(cgroupfd, path, resources, err);

	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(limits); i++)
		r = write_limit(cgroupfd, path, &limits[i], resources, err);
	if (r >= 0)
		r = block_io_write(cgroupfd, path, resources, err);
	for (size_t i = 0; r >= 0 && i < resources->unified_count; i++)
		r = write_unified(cgroupfd, path, &resources->unified[i], err);
	return r;
}

static int check_memory(const struct spec_resources *r, struct error *err)
{
	const struct {
		const char *name;
		const struct spec_i64 *bytes;
	} fields[] = {
		{"limit", &r->memory_limit},
		{"reservation", &r->memory_reservation},
		{"swap", &r->memory_swap},
	};

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		if (fields[i].bytes->set && fields[i].bytes->value < -1)
			return refuse(err,
				      "linux.resources.memory.%s: %" PRId64
				      " is neither a number of bytes nor -1 (unlimited)",
				      fields[i].name, fields[i].bytes->value);
	}
	if (!r->memory_swap.set || r->memory_swap.value <= 0)
		return 0;
	if (!r->memory_limit.set || r->memory_limit.value <= 0)
		return refuse(err, "linux.resources.memory.swap: needs memory.limit, since it "
				   "counts memory and swap together");
	if (r->memory_swap.value < r->memory_limit.value)
		return refuse(err,
			      "linux.resources.memory.swap: %" PRId64 " is below memory.limit, "
			      "%" PRId64 ", although it counts memory and swap together",
			      r->memory_swap.value, r->memory_limit.value);
	return 0;
}

static int check_cpu(const struct spec_resources *r, struct error *err)
{
	bool quota = r->cpu_quota_us.set && r->cpu_quota_us.value > 0;

	if (r->cpu_period_us.set && r->cpu_period_us.value &&
	    (r->cpu_period_us.value < CPU_PERIOD_MIN_US ||
	     r->cpu_period_us.value > CPU_PERIOD_MAX_US))
		return refuse(err,
			      "linux.resources.cpu.period: %" PRIu64 " is not between %d and %d",
			      r->cpu_period_us.value, CPU_PERIOD_MIN_US, CPU_PERIOD_MAX_US);
	if (quota && r->cpu_quota_us.value < CPU_QUOTA_MIN_US)
		return refuse(err, "linux.resources.cpu.quota: %" PRId64 " is below %d",
			      r->cpu_quota_us.value, CPU_QUOTA_MIN_US);
	if (quota && r->cpu_burst_us.set && r->cpu_burst_us.value > (uint64_t)r->cpu_quota_us.value)
		return refuse(err,
			      "linux.resources.cpu.burst: %" PRIu64 " is above cpu.quota, %" PRId64,
			      r->cpu_burst_us.value, r->cpu_quota_us.value);
	if (r->cpu_idle.set && r->cpu_idle.value != 0 && r->cpu_idle.value != 1)
		return refuse(err, "linux.resources.cpu.idle: %" PRId64 " is neither 0 nor 1",
			      r->cpu_idle.value);
	return 0;
}

static int check_pids(const struct spec_resources *r, struct error *err)
{
	if (r->pids_limit.set && (r->pids_limit.value < -1 || r->pids_limit.value > PIDS_LIMIT_MAX))
		return refuse(err,
			      "linux.resources.pids.limit: %" PRId64
			      " is neither -1 (unlimited) nor between 0 and %d",
			      r->pids_limit.value, PIDS_LIMIT_MAX);
	return 0;
}

static int check_devices(const struct spec_resources *r, struct error *err)
{
	for (size_t i = 0; i < r->device_rule_count; i++) {
		const struct spec_device_rule *rule = &r->device_rules[i];

		if (rule->major < -1)
			return refuse(err,
				      "linux.resources.devices[%zu].major: %" PRId64 " is negative",
				      i, rule->major);
		if (rule->minor < -1)
			return refuse(err,
				      "linux.resources.devices[%zu].minor: %" PRId64 " is negative",
				      i, rule->minor);
	}
	return 0;
}

static int check_unified(const struct spec_resources *r, struct error *err)
{
	for (size_t i = 0; i < r->unified_count; i++) {
		const char *file = r->unified[i].file;

		if (file[0] == '.' || !strchr(file, '.') || strchr(file, '/') ||
		    strlen(file) > CGROUP_NAME_LENGTH_MAX)
			return refuse(err,
				      "linux.resources.unified[\"%s\"]: not the name of a cgroup "
				      "v2 file, such as \"memory.high\"",
				      file);
	}
	return 0;
}

int cgroup_check(const struct spec_resources *resources, struct error *err)
{
	static int (*const checks[])(const struct spec_resources *, struct error *) = {
		check_memory, check_cpu, check_pids, block_io_check, check_devices, check_unified,
	};

	for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
		int r = checks[i](resources, err);

		if (r < 0)
			return r;
	}
	return 0;
}
