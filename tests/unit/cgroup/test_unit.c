/* SPDX-License-Identifier: Apache-2.0 */
/* Scopes of systemd: their names, and what of config.json becomes which property. */
#include <stdio.h>
#include <string.h>

#include "berth/base/json_write.h"
#include "berth/cgroup/cgroup.h"

#include "unit-internal.h"
#include "unit.h"

#define SET(number)                                                                                \
	{                                                                                          \
		.set = true, .value = (number)                                                     \
	}

#define RULE(allowed, kind, a, b, bits)                                                            \
	{                                                                                          \
		.allow = (allowed), .type = (kind), .major = (a), .minor = (b), .access = (bits)   \
	}
#define R   DEVICE_ACCESS_READ
#define RWM (DEVICE_ACCESS_READ | DEVICE_ACCESS_WRITE | DEVICE_ACCESS_MKNOD)

static const struct spec_resources nothing = {.unified_count = 0};

/* "NAME in SLICE", or the error; the caller's. */
static char *name_of(const char *path, bool user)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	const struct unit_wanted wanted = {.cgroups_path = path, .id = "web+1", .user = user};
	struct error err = ERROR_NONE;
	struct unit unit;

	return unit_name_of(arena, &wanted, &unit, &err) < 0
		       ? xasprintf("error %s", err.text)
		       : xasprintf("%s in %s", unit.name, unit.slice);
}

static void test_names(void **state)
{
	static const char *const rows[][2] = {
		{NULL, "berth-web\\x2b1.scope in system.slice"},
		{"", "berth-web\\x2b1.scope in system.slice"},
		{"machine.slice:libpod:abc", "libpod-abc.scope in machine.slice"},
		{"system.slice:cri-containerd:x", "cri-containerd-x.scope in system.slice"},
		{":docker:x", "docker-x.scope in system.slice"},
		{"a-b.slice::x", "x.scope in a-b.slice"},
		{"-:p:x", "p-x.scope in -.slice"},
		{"-.slice:p:x", "p-x.scope in -.slice"},
		{"a.slice:p:x y/z@", "p-x\\x20y\\x2fz\\x40.scope in a.slice"},
		{"a.slice:p:x\\x2d", "p-x\\x2d.scope in a.slice"},
	};
	_cleanup_free_ char *user = name_of(NULL, true);

	(void)state;
	assert_string_equal(user, "berth-web\\x2b1.scope in user.slice");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_free_ char *found = name_of(rows[i][0], false);

		assert_string_equal(found, rows[i][1]);
	}
}

static void test_names_refused(void **state)
{
	static const char *const rows[][2] = {
		{"/a/b", "takes \"SLICE:PREFIX:NAME\""},
		{"a.slice:b", "takes \"SLICE:PREFIX:NAME\""},
		{"a.slice:b:c:d", "takes \"SLICE:PREFIX:NAME\""},
		{"a.slice:b:", "the name after the second colon is missing"},
		{"a:b:c", "not the name of a slice"},
		{".slice:b:c", "not the name of a slice"},
		{"a--b.slice:b:c", "systemd allows no slice"},
		{"-a.slice:b:c", "systemd allows no slice"},
		{"a-.slice:b:c", "systemd allows no slice"},
		{"/a.slice:b:c", "systemd allows no slice"},
		{"../a.slice:b:c", "systemd allows no slice"},
		{"a.slice:b:c.slice", "a slice, which holds no processes"},
		{"a.slice::.c", "systemd allows no unit"},
	};
	char longest[400];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_free_ char *found = name_of(rows[i][0], false);

		if (strncmp(found, "error linux.cgroupsPath: \"", 26) != 0 ||
		    !strstr(found, rows[i][0]) || !strstr(found, rows[i][1]))
			fail_msg("%s: \"%s\", not \"%s\"\n", rows[i][0], found, rows[i][1]);
	}
	for (size_t length = 247; length <= 248; length++) {
		_cleanup_free_ char *found = NULL;

		snprintf(longest, sizeof(longest), "::%.*d", (int)length, 0);
		found = name_of(longest, false);
		/* Seven bytes more, ".scope" and "-"'s absence: 255 are allowed. */
		assert_int_equal(strstr(found, "longer than") != NULL, length + 6 > 255);
	}
}

static void test_usual_cgroup(void **state)
{
	static const char *const rows[][2] = {
		{NULL, "/system.slice/berth-id.scope"},
		{"a-b-c.slice:p:x", "/a.slice/a-b.slice/a-b-c.slice/p-x.scope"},
		{"-:p:x", "/p-x.scope"},
	};
	struct error err = ERROR_NONE;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_free_ char *path = NULL;

		assert_int_equal(unit_usual_cgroup(rows[i][0], "id", &path, &err), 0);
		assert_string_equal(path, rows[i][1]);
	}
	assert_true(unit_is_named("a.slice:b:c"));
	assert_false(unit_is_named("/a:b:c"));
	assert_false(unit_is_named("a:b"));
	assert_false(unit_is_named(NULL));
}

/* The properties as "NAME SIGNATURE JSON;…"; the caller's. */
static char *text_of(const struct unit_property *items, size_t count)
{
	struct buf out = BUF_EMPTY;

	for (size_t i = 0; i < count; i++) {
		struct json_writer w = JSON_WRITER(&out, false);

		buf_printf(&out, "%s%s %s ", i ? ";" : "", items[i].name, items[i].signature);
		json_value(&w, items[i].value);
	}
	return buf_take(&out);
}

static char *limits_of(const struct spec_resources *resources)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_settings_ struct settings settings = settings_of(resources);
	struct unit_properties list = {.arena = arena};

	unit_limits(&list, &settings);
	return text_of(list.items, list.count);
}

static void expect_limits(const struct spec_resources *resources, const char *expected)
{
	_cleanup_free_ char *found = limits_of(resources);

	assert_string_equal(found, expected);
}

static void test_limits(void **state)
{
	static const struct spec_io_device rate = {.major = 8, .minor = 16, .value = 1000};
	static const struct spec_io_device weight = {.major = 8, .minor = 0, .value = 10};
	const struct spec_resources unlimited = {
		.memory_limit = SET(-1), .cpu_quota_us = SET(-1), .pids_limit = SET(-1)};
	struct spec_resources io = {.io_weight = SET(1000)};

	(void)state;
	expect_limits(&nothing, "");
	expect_limits(&(struct spec_resources){.memory_limit = SET(1000),
					       .memory_swap = SET(1500),
					       .memory_reservation = SET(10)},
		      "MemoryMax t 1000;MemorySwapMax t 500;MemoryLow t 10");
	expect_limits(&unlimited,
		      "MemoryMax t 18446744073709551615;MemorySwapMax t 18446744073709551615;"
		      "CPUQuotaPerSecUSec t 18446744073709551615;CPUQuotaPeriodUSec t 100000;"
		      "TasksMax t 18446744073709551615");
	expect_limits(&(struct spec_resources){.cpu_quota_us = SET(33333), .cpu_shares = SET(1024)},
		      "CPUWeight t 100;CPUQuotaPerSecUSec t 340000;CPUQuotaPeriodUSec t 100000");
	expect_limits(
		&(struct spec_resources){.cpu_quota_us = SET(10000), .cpu_period_us = SET(30000)},
		"CPUQuotaPerSecUSec t 340000;CPUQuotaPeriodUSec t 30000");
	expect_limits(&(struct spec_resources){.cpu_quota_us = SET(250000)},
		      "CPUQuotaPerSecUSec t 2500000;CPUQuotaPeriodUSec t 100000");
	expect_limits(
		&(struct spec_resources){.cpu_quota_us = SET(1000), .cpu_period_us = SET(1000000)},
		"CPUQuotaPerSecUSec t 10000;CPUQuotaPeriodUSec t 1000000");
	expect_limits(&(struct spec_resources){.cpu_idle = SET(1), .cpu_shares = SET(1024)},
		      "CPUWeight t 0");
	expect_limits(&(struct spec_resources){.cpu_idle = SET(0), .cpu_shares = SET(1024)},
		      "CPUWeight t 18446744073709551615;CPUWeight t 100");
	expect_limits(&(struct spec_resources){.pids_limit = SET(0)}, "TasksMax t 1");
	expect_limits(&(struct spec_resources){.cpu_cpus = "0-2,9", .cpu_mems = "0"},
		      "AllowedCPUs ay [7,2];AllowedMemoryNodes ay [1]");
	expect_limits(&(struct spec_resources){.cpu_cpus = "0-7:2/4", .cpu_mems = "1-0"}, "");
	expect_limits(&(struct spec_resources){.cpu_cpus = "8192", .cpu_mems = "0,x"}, "");
	/* As the kernel reads it. */
	expect_limits(&(struct spec_resources){.cpu_cpus = "1, 15-16,"},
		      "AllowedCPUs ay [2,128,1]");
	io.io_weights = (struct spec_io_devices){&weight, 1};
	io.io_max[IO_READ_BPS] = (struct spec_io_devices){&rate, 1};
	io.io_max[IO_WRITE_IOPS] = (struct spec_io_devices){&rate, 1};
	expect_limits(&io, "IOWeight t 10000;IODeviceWeight a(st) [[\"/dev/block/8:0\",1]];"
			   "IOReadBandwidthMax a(st) [[\"/dev/block/8:16\",1000]];"
			   "IOWriteIOPSMax a(st) [[\"/dev/block/8:16\",1000]]");
}

static void test_unified(void **state)
{
	static const struct spec_unified files[] = {
		{"memory.high", "64M"},
		{"memory.min", "max"},
		{"memory.max", "0"},
		{"cpu.max", "50000"},
		{"cpuset.cpus", ""},
		{"io.weight", "default 200\n8:0 300"},
		{"io.max", "8:0 rbps=1 wbps=max nonsense=3 riops=x"},
		{"pids.max", "what"},
		{"hugetlb.2MB.max", "0"},
		{"memory.oom.group", "1"},
		{"io.bfq.weight", "50"},
		{"cpu.idle", "1"},
	};

	(void)state;
	expect_limits(
		&(struct spec_resources){.unified = files, .unified_count = ARRAY_SIZE(files)},
		"MemoryHigh t 67108864;MemoryMin t 18446744073709551615;MemoryMax t 1;"
		"CPUQuotaPerSecUSec t 500000;AllowedCPUs ay [];IOWeight t 200;"
		"IODeviceWeight a(st) [[\"/dev/block/8:0\",300]];"
		"IOReadBandwidthMax a(st) [[\"/dev/block/8:0\",1]];"
		"IOWriteBandwidthMax a(st) [[\"/dev/block/8:0\",18446744073709551615]];"
		"CPUWeight t 0");
}

/* Only what was asked for is changed, but with all that makes up its property. */
static void test_changes(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	const struct spec_resources now = {
		.cpu_idle = SET(0), .cpu_shares = SET(2048), .memory_limit = SET(7)};
	const struct spec_resources asked = {.cpu_idle = SET(0)};
	_cleanup_settings_ struct settings all = settings_of(&now), changed = settings_of(&asked);
	struct unit_properties list = {.arena = arena};
	_cleanup_free_ char *found = NULL;

	(void)state;
	unit_limits_changed(&list, &all, &changed);
	found = text_of(list.items, list.count);
	assert_string_equal(found, "CPUWeight t 18446744073709551615;CPUWeight t 174");
}

#define DEFAULTS                                                                                   \
	"[\"char-*\",\"m\"],[\"block-*\",\"m\"],[\"/dev/char/5:2\",\"rwm\"],"                      \
	"[\"/dev/char/5:0\",\"rwm\"],[\"char-pts\",\"rwm\"],[\"/dev/char/1:9\",\"rwm\"],"          \
	"[\"/dev/char/1:8\",\"rwm\"],[\"/dev/char/1:7\",\"rwm\"],[\"/dev/char/1:5\",\"rwm\"],"     \
	"[\"/dev/char/1:3\",\"rwm\"]"

static void expect_devices(const struct spec_device_rule *rules, size_t count, bool reset,
			   const char *expected)
{
	static const char devices[] = "Character devices:\n  1 mem\n 10 misc\n195 nvidia*\n\n"
				      "Block devices:\n  8 sd\n259 blkext\n";
	const struct spec_resources resources = {.device_rules = rules, .device_rule_count = count};
	_cleanup_arena_ struct arena *arena = arena_new();
	struct unit_properties list = {.arena = arena};
	_cleanup_free_ char *found = NULL;

	unit_devices(&list, &resources, devices, reset);
	found = text_of(list.items, list.count);
	assert_string_equal(found, expected);
}

static void test_devices(void **state)
{
	static const struct spec_device_rule list[] = {
		RULE(true, 'c', 1, 1, RWM), /* overruled by what follows */
		RULE(false, 'a', -1, -1, RWM),
		RULE(false, 'c', 1, 1, RWM), /* says nothing new */
		RULE(true, 'c', 10, 229, RWM),
		RULE(true, 'b', 8, -1, R),
		RULE(true, 'c', 10, -1, R),
		RULE(true, 'a', 9, 1, R),
		RULE(true, 'c', UINT32_MAX + INT64_C(1), 0, RWM),
	};

	(void)state;
	expect_devices(list, ARRAY_SIZE(list), false,
		       "DevicePolicy s \"strict\";DeviceAllow a(ss) [" DEFAULTS
		       ",[\"/dev/char/10:229\",\"rwm\"],[\"block-sd\",\"r\"],[\"char-misc\",\"r\"],"
		       "[\"/dev/char/9:1\",\"r\"],[\"/dev/block/9:1\",\"r\"]]");
	expect_devices(list, 2, true,
		       "DeviceAllow a(ss) [];DevicePolicy s \"strict\";"
		       "DeviceAllow a(ss) [" DEFAULTS "]");
	/* Without a rule for everything the default is to deny. */
	expect_devices(list + 3, 1, false,
		       "DevicePolicy s \"strict\";DeviceAllow a(ss) [" DEFAULTS
		       ",[\"/dev/char/10:229\",\"rwm\"]]");
}

/* What a list cannot say is left to berth's own program. */
static void test_devices_unsaid(void **state)
{
	static const struct spec_device_rule sets[][3] = {
		{RULE(true, 'a', -1, -1, RWM)},
		{RULE(false, 'a', -1, -1, RWM), RULE(true, 'c', -1, 5, R)},
		{RULE(false, 'a', -1, -1, RWM), RULE(true, 'c', 10, -1, R),
		 RULE(false, 'c', 10, 1, R)},
		{RULE(false, 'a', -1, -1, RWM), RULE(true, 'c', 99, -1, R)},
		{RULE(false, 'a', -1, -1, RWM), RULE(true, 'c', 8, -1, R)},
		{RULE(false, 'a', -1, -1, RWM), RULE(true, 'c', 195, -1, R)},
	};
	static const size_t counts[] = {1, 2, 3, 2, 2, 2};

	(void)state;
	expect_devices(NULL, 0, false, "DevicePolicy s \"auto\"");
	for (size_t i = 0; i < ARRAY_SIZE(sets); i++)
		expect_devices(sets[i], counts[i], true,
			       "DeviceAllow a(ss) [];DevicePolicy s \"auto\"");
}

/* The annotation as properties, or the error. */
static char *annotated(const char *key, const char *value)
{
	struct spec_string_pair pair = {key, value};
	const struct spec_strings annotations = {&pair, 1};
	_cleanup_arena_ struct arena *arena = arena_new();
	struct unit_properties list = {.arena = arena};
	struct error err = ERROR_NONE;

	return unit_annotations(&list, &annotations, &err) < 0 ? xasprintf("error %s", err.text)
							       : text_of(list.items, list.count);
}

static void test_annotations(void **state)
{
	static const char *const rows[][3] = {
		{"org.systemd.property.TimeoutStopUSec", "uint64 5", "TimeoutStopUSec t 5"},
		{"org.systemd.property.TimeoutStopSec", "5", "TimeoutStopUSec t 5000000"},
		{"org.systemd.property.RuntimeMaxSec", "1.25", "RuntimeMaxUSec t 1250000"},
		{"org.systemd.property.RuntimeMaxSec", ".0000019", "RuntimeMaxUSec t 1"},
		{"org.systemd.property.CollectMode", "'inactive'", "CollectMode s \"inactive\""},
		{"org.systemd.property.After", "['a.service']", "After as [\"a.service\"]"},
		{"org.systemd.propertyless", "5", ""},
		{"com.example.x", "no value at all", ""},
		/* Not a time: no small letter before "Sec". */
		{"org.systemd.property.USec", "5", "USec i 5"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_free_ char *found = annotated(rows[i][0], rows[i][1]);

		assert_string_equal(found, rows[i][2]);
	}
}

static void test_annotations_refused(void **state)
{
	static const char *const rows[][3] = {
		{"org.systemd.property.", "5", "not the name of a property"},
		{"org.systemd.property.Ab", "5", "not the name of a property"},
		{"org.systemd.property.A_b", "5", "not the name of a property"},
		{"org.systemd.property.PIDs", "[uint32 1]", "berth itself sets this"},
		{"org.systemd.property.TimeoutStopSec", "'5'", "a number of seconds is needed"},
		{"org.systemd.property.TimeoutStopSec", "true", "a number of seconds is needed"},
		{"org.systemd.property.TimeoutStopSec", "[5]", "a number of seconds is needed"},
		{"org.systemd.property.TimeoutStopSec", "-5", "is not a number of seconds"},
		{"org.systemd.property.TimeoutStopSec", "1e3", "is not a number of seconds"},
		{"org.systemd.property.TimeoutStopSec", "uint64 18446744073709551615",
		 "seconds are too many"},
		{"org.systemd.property.CollectMode", "inactive", "texts stand in quotes"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_free_ char *found = annotated(rows[i][0], rows[i][1]);
		_cleanup_free_ char *begin = xasprintf("error annotations[\"%s\"]: ", rows[i][0]);

		if (strncmp(found, begin, strlen(begin)) != 0 || !strstr(found, rows[i][2]))
			fail_msg("%s: \"%s\", not \"%s\"\n", rows[i][0], found, rows[i][2]);
	}
}

static void test_plan(void **state)
{
	static const struct spec_device_rule deny = RULE(false, 'a', -1, -1, RWM);
	struct spec_string_pair pair = {"org.systemd.property.CollectMode", "'inactive'"};
	const struct spec_strings annotations = {&pair, 1};
	const struct spec_resources resources = {
		.pids_limit = SET(5), .device_rules = &deny, .device_rule_count = 1};
	struct unit_wanted wanted = {
		.id = "web", .resources = &resources, .annotations = &annotations};
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_free_ char *system = NULL, *user = NULL;
	struct error err = ERROR_NONE;
	struct unit unit;

	(void)state;
	assert_int_equal(unit_plan(arena, &wanted, &unit, &err), 0);
	system = text_of(unit.properties, unit.property_count);
	assert_string_equal(system,
			    "Description s \"berth container web\";Slice s \"system.slice\";"
			    "Delegate b true;CPUAccounting b true;IOAccounting b true;"
			    "MemoryAccounting b true;TasksAccounting b true;"
			    "DefaultDependencies b false;CollectMode s \"inactive-or-failed\";"
			    "DevicePolicy s \"strict\";DeviceAllow a(ss) [" DEFAULTS "];"
			    "TasksMax t 5;CollectMode s \"inactive\"");
	wanted.user = true;
	assert_int_equal(unit_plan(arena, &wanted, &unit, &err), 0);
	user = text_of(unit.properties, unit.property_count);
	assert_null(strstr(user, "Device"));
	assert_non_null(strstr(user, "Slice s \"user.slice\""));
	pair.value = "?";
	assert_true(unit_plan(arena, &wanted, &unit, &err) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),	     cmocka_unit_test(test_names_refused),
		cmocka_unit_test(test_usual_cgroup), cmocka_unit_test(test_limits),
		cmocka_unit_test(test_unified),	     cmocka_unit_test(test_changes),
		cmocka_unit_test(test_devices),	     cmocka_unit_test(test_devices_unsaid),
		cmocka_unit_test(test_annotations),  cmocka_unit_test(test_annotations_refused),
		cmocka_unit_test(test_plan),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
