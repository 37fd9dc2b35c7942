/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Limits as properties of a unit: from the writes to files that limits.c makes to what systemd
 * calls the same.
 *
 * Theory of operation. systemd writes the files of its units again whenever it likes: so it has to
 * know the limits. What it has no word for (hugetlb, rdma, bursts, any other file of `unified`), or
 * what one of its words cannot say, is only written to the file, which systemd then leaves alone. A
 * limit that systemd does not take, such as none of any process, is given to it as the next one
 * that it does; the file has the exact value.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "berth/base/alloc.h"
#include "berth/base/number_set.h"
#include "berth/base/str.h"

#include "unit-internal.h"

/* The kernel's period where none is given, in microseconds. */
#define CPU_PERIOD_DEFAULT_US 100000

/* systemd keeps quotas in whole percents of a processor over a reload: of a second, this. */
#define PERCENT_US 10000
#define SECOND_US  1000000

struct limit_property {
	const char *file;
	void (*add)(struct unit_properties *to, const struct limit_property *row,
		    const char *value);
	const char *name;
	uint64_t least; /* that systemd takes */
};

static void add_u64(struct unit_properties *to, const char *name, uint64_t number)
{
	property_add(to, name, "t", value_of_u64(to->arena, number));
}

static void add_bytes(struct unit_properties *to, const struct limit_property *row,
		      const char *value)
{
	int64_t bytes;

	if (str_equal(value, "max"))
		add_u64(to, row->name, UINT64_MAX);
	else if (str_to_bytes(value, &bytes) == 0 && bytes >= 0)
		add_u64(to, row->name, (uint64_t)bytes > row->least ? (uint64_t)bytes : row->least);
}

static void add_number(struct unit_properties *to, const struct limit_property *row,
		       const char *value)
{
	uint64_t number;

	if (str_equal(value, "max"))
		add_u64(to, row->name, UINT64_MAX);
	else if (str_to_u64(value, &number) == 0)
		add_u64(to, row->name, number > row->least ? number : row->least);
}

/* A weight of 0 is what systemd calls idle; none at all is the default. */
static void add_idle(struct unit_properties *to, const struct limit_property *row,
		     const char *value)
{
	add_u64(to, row->name, str_equal(value, "0") ? UINT64_MAX : 0);
}

/* What @quota of @period is in a second, in whole percents: rounded up, since down is stricter. */
static uint64_t per_second(uint64_t quota, uint64_t period)
{
	uint64_t whole, step = period * PERCENT_US;

	if (__builtin_mul_overflow(quota, SECOND_US, &whole) ||
	    __builtin_add_overflow(whole, step - 1, &whole))
		return UINT64_MAX;
	return whole / step * PERCENT_US;
}

static void add_cpu_max(struct unit_properties *to, const struct limit_property *row,
			const char *value)
{
	size_t length = strcspn(value, " ");
	_cleanup_free_ char *quota = xstrndup(value, length);
	uint64_t quota_us, period_us = CPU_PERIOD_DEFAULT_US;
	bool whole = value[length] == '\0', unlimited = str_equal(quota, "max");

	if ((!whole && (str_to_u64(value + length + 1, &period_us) < 0 || period_us == 0 ||
			period_us > SECOND_US)) ||
	    (!unlimited && str_to_u64(quota, &quota_us) < 0))
		return;
	add_u64(to, row->name, unlimited ? UINT64_MAX : per_second(quota_us, period_us));
	if (!whole)
		add_u64(to, "CPUQuotaPeriodUSec", period_us);
}

/*
 * The bits of a list such as "0-3,7", the lowest first. An empty line means that there is none;
 * what is no list is not said to systemd.
 */
static void add_cpuset(struct unit_properties *to, const struct limit_property *row,
		       const char *value)
{
	struct json *list = value_of_list(to->arena);
	struct number_set set = {.end = 0};

	if (!str_equal(value, "\n") && number_set_parse(value, &set) < 0)
		return;
	for (size_t i = 0; i < set.end; i += 8) {
		unsigned long word = set.words[i / NUMBER_SET_WORD_BITS];

		value_add(list, value_of_u64(to->arena, word >> i % NUMBER_SET_WORD_BITS & 0xff));
	}
	property_add(to, row->name, "ay", list);
}

/* A number for one device, "MAJOR:MINOR". */
static void add_device_number(struct unit_properties *to, const char *name, const char *device,
			      uint64_t number)
{
	struct json *list = value_of_list(to->arena), *pair = value_of_list(to->arena);

	value_add(pair, value_of_text(to->arena, arena_printf(to->arena, "/dev/block/%s", device)));
	value_add(pair, value_of_u64(to->arena, number));
	value_add(list, pair);
	property_add(to, name, "a(st)", list);
}

static void add_io_weight(struct unit_properties *to, const struct limit_property *row,
			  const char *value)
{
	const char *blank = strchr(value, ' '), *number = blank ? blank + 1 : value;
	_cleanup_free_ char *device = blank ? xstrndup(value, (size_t)(blank - value)) : NULL;
	uint64_t weight;

	if (str_to_u64(number, &weight) < 0)
		return;
	if (device && !str_equal(device, "default"))
		add_device_number(to, "IODeviceWeight", device, weight);
	else
		add_u64(to, row->name, weight);
}

static void add_io_rate(struct unit_properties *to, const char *device, const char *rate)
{
	static const struct {
		const char *key, *name;
	} rates[] = {
		{"rbps=", "IOReadBandwidthMax"},
		{"wbps=", "IOWriteBandwidthMax"},
		{"riops=", "IOReadIOPSMax"},
		{"wiops=", "IOWriteIOPSMax"},
	};
	uint64_t number = UINT64_MAX;

	for (size_t i = 0; i < ARRAY_SIZE(rates); i++) {
		const char *text = rate + strlen(rates[i].key);

		if (str_starts(rate, rates[i].key) &&
		    (str_equal(text, "max") || str_to_u64(text, &number) == 0))
			add_device_number(to, rates[i].name, device, number);
	}
}

static void add_io_max(struct unit_properties *to, const struct limit_property *row,
		       const char *value)
{
	_cleanup_free_ char *copy = xstrdup(value);
	char *saved = NULL, *device = strtok_r(copy, " ", &saved);

	(void)row; /* there is a property for each key */
	for (char *rate = strtok_r(NULL, " ", &saved); device && rate;
	     rate = strtok_r(NULL, " ", &saved))
		add_io_rate(to, device, rate);
}

static const struct limit_property rows[] = {
	{"memory.max", add_bytes, "MemoryMax", 1},
	{"memory.high", add_bytes, "MemoryHigh", 1},
	{"memory.low", add_bytes, "MemoryLow", 0},
	{"memory.min", add_bytes, "MemoryMin", 0},
	{"memory.swap.max", add_bytes, "MemorySwapMax", 0},
	{"cpu.idle", add_idle, "CPUWeight", 0},
	{"cpu.weight", add_number, "CPUWeight", 1},
	{"cpu.max", add_cpu_max, "CPUQuotaPerSecUSec", 0},
	{"cpuset.cpus", add_cpuset, "AllowedCPUs", 0},
	{"cpuset.mems", add_cpuset, "AllowedMemoryNodes", 0},
	{"pids.max", add_number, "TasksMax", 1},
	{"io.weight", add_io_weight, "IOWeight", 1},
	{"io.max", add_io_max, NULL, 0},
};

/* The scale of IOWeight is that of io.weight, which io.bfq.weight's stand-in has. */
static void add_setting(struct unit_properties *to, const struct setting *setting)
{
	bool stand_in = setting->other_file && str_equal(setting->other_file, "io.weight");
	const char *file = stand_in ? setting->other_file : setting->file;
	const char *value = stand_in ? setting->other_value : setting->value;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (str_equal(rows[i].file, file))
			rows[i].add(to, &rows[i], value);
	}
}

void unit_limits(struct unit_properties *to, const struct settings *all)
{
	for (size_t i = 0; i < all->count; i++)
		add_setting(to, &all->items[i]);
}

static bool is_named(const struct unit_properties *list, const char *name)
{
	for (size_t i = 0; i < list->count; i++) {
		if (str_equal(list->items[i].name, name))
			return true;
	}
	return false;
}

/* One property may stand for several files, of which only one has changed: all have their say. */
void unit_limits_changed(struct unit_properties *to, const struct settings *all,
			 const struct settings *changed)
{
	struct unit_properties touched = {.arena = to->arena}, whole = {.arena = to->arena};

	unit_limits(&touched, changed);
	unit_limits(&whole, all);
	for (size_t i = 0; i < whole.count; i++) {
		const struct unit_property *item = &whole.items[i];

		if (is_named(&touched, item->name))
			property_add(to, item->name, item->signature, item->value);
	}
}
