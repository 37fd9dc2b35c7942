/* SPDX-License-Identifier: Apache-2.0 */
/* Limits: what is written where, what is refused beforehand, and what the errors say. */
#include <errno.h>

#include "berth/base/fd.h"
#include "berth/cgroup/cgroup.h"

#include "cgroup-internal.h"
#include "fake.h"
#include "limits-internal.h"

#define SET(number)                                                                                \
	{                                                                                          \
		.set = true, .value = (number)                                                     \
	}

#define FILES_MAX 6

static void test_weight(void **state)
{
	/* Shares, and the weights that the formula of the peers gives. */
	static const struct {
		uint64_t shares;
		unsigned weight;
	} cases[] = {
		{0, 1},		 {1, 1},	  {2, 1},	   {3, 2},
		{4, 2},		 {10, 4},	  {64, 12},	   {100, 17},
		{102, 17},	 {256, 35},	  {512, 59},	   {1000, 99},
		{1023, 100},	 {1024, 100},	  {1025, 101},	   {2048, 174},
		{4096, 303},	 {10000, 627},	  {65536, 3023},   {131072, 5478},
		{262143, 10000}, {262144, 10000}, {262145, 10000}, {UINT64_MAX, 10000},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		if (weight_of_shares(cases[i].shares) != cases[i].weight)
			fail_msg("%llu shares: %u", (unsigned long long)cases[i].shares,
				 weight_of_shares(cases[i].shares));
	}
	/* More shares never weigh less. */
	for (uint64_t s = 2; s < 262144; s += 7)
		assert_true(weight_of_shares(s) <= weight_of_shares(s + 7));
}

struct written {
	const char *file;
	const char *value;
};

static const struct spec_io_device devices[] = {{8, 16, 100}, {7, 1, 0}};

static const struct spec_hugepage_limit huge = {"2MB", 4194304};
static const struct spec_rdma rdma[] = {{"mlx5_1", SET(3), {.set = false}},
					{"rxe0", SET(UINT32_MAX), SET(20)}};
static const struct spec_unified misc[] = {{"misc.max", "sev 10"}};
static const struct spec_unified overruling[] = {{"memory.max", "9"}, {"io.max", "8:0 wbps=7"}};

static const struct {
	struct spec_resources resources;
	const char *controllers; /* what the root is asked to pass on */
	struct written files[FILES_MAX];
} written_cases[] = {
	{{.memory_limit = SET(1000000)}, "+memory", {{"memory.max", "1000000"}}},
	{{.memory_limit = SET(-1)}, "", {{"memory.max", "max"}, {"memory.swap.max", "max"}}},
	{{.memory_limit = SET(0)}, "", {{"memory.max", ""}}},
	{{.memory_limit = SET(1000), .memory_swap = SET(1500)},
	 "+memory",
	 {{"memory.max", "1000"}, {"memory.swap.max", "500"}}},
	{{.memory_limit = SET(1000), .memory_swap = SET(1000)},
	 "+memory",
	 {{"memory.max", "1000"}, {"memory.swap.max", "0"}}},
	{{.memory_limit = SET(1000), .memory_swap = SET(-1)},
	 "+memory",
	 {{"memory.swap.max", "max"}}},
	{{.memory_reservation = SET(4096)}, "+memory", {{"memory.low", "4096"}}},
	{{.memory_reservation = SET(-1)}, "+memory", {{"memory.low", "max"}}},
	{{.cpu_shares = SET(1024)}, "+cpu", {{"cpu.weight", "100"}}},
	{{.cpu_shares = SET(0)}, "", {{"cpu.weight", ""}}},
	{{.cpu_quota_us = SET(50000)}, "+cpu", {{"cpu.max", "50000 100000"}}},
	{{.cpu_quota_us = SET(50000), .cpu_period_us = SET(20000)},
	 "+cpu",
	 {{"cpu.max", "50000 20000"}}},
	{{.cpu_quota_us = SET(-1), .cpu_period_us = SET(20000)}, "", {{"cpu.max", "max 20000"}}},
	{{.cpu_period_us = SET(20000)}, "", {{"cpu.max", "max 20000"}}},
	{{.cpu_quota_us = SET(50000), .cpu_burst_us = SET(7000)},
	 "+cpu",
	 {{"cpu.max", "50000 100000"}, {"cpu.max.burst", "7000"}}},
	{{.cpu_burst_us = SET(0)}, "", {{"cpu.max.burst", "0"}}},
	{{.cpu_idle = SET(1)}, "+cpu", {{"cpu.idle", "1"}}},
	{{.cpu_idle = SET(0)}, "", {{"cpu.idle", "0"}}},
	{{.pids_limit = SET(100)}, "+pids", {{"pids.max", "100"}}},
	{{.pids_limit = SET(0)}, "+pids", {{"pids.max", "0"}}},
	{{.pids_limit = SET(-1)}, "", {{"pids.max", "max"}}},
	{{.cpu_cpus = "0-3,7", .cpu_mems = "0"},
	 "+cpuset",
	 {{"cpuset.cpus", "0-3,7"}, {"cpuset.mems", "0"}}},
	{{.cpu_cpus = "", .cpu_mems = ""}, "", {{"cpuset.cpus", ""}, {"cpuset.mems", ""}}},
	{{.io_weight = SET(500)}, "+io", {{"io.bfq.weight", "500"}, {"io.weight", ""}}},
	{{.io_weight = SET(0)}, "", {{"io.bfq.weight", ""}}},
	{{.io_weights = {devices, 1}}, "+io", {{"io.bfq.weight", "8:16 100"}}},
	{{.io_max = {[IO_READ_BPS] = {devices, 1}}}, "+io", {{"io.max", "8:16 rbps=100"}}},
	{{.io_max = {[IO_WRITE_BPS] = {devices, 1}}}, "+io", {{"io.max", "8:16 wbps=100"}}},
	{{.io_max = {[IO_READ_IOPS] = {devices, 1}}}, "+io", {{"io.max", "8:16 riops=100"}}},
	{{.io_max = {[IO_WRITE_IOPS] = {devices + 1, 1}}}, "+io", {{"io.max", "7:1 wiops=max"}}},
	{{.cpu_shares = SET(2048), .cpu_idle = SET(1)},
	 "+cpu",
	 {{"cpu.idle", "1"}, {"cpu.weight", ""}}},
	{{.hugepage_limits = &huge, .hugepage_limit_count = 1},
	 "+hugetlb",
	 {{"hugetlb.2MB.max", "4194304"}, {"hugetlb.2MB.rsvd.max", "4194304"}}},
	{{.rdma = rdma, .rdma_count = 1}, "+rdma", {{"rdma.max", "mlx5_1 hca_handle=3"}}},
	{{.rdma = rdma + 1, .rdma_count = 1},
	 "+rdma",
	 {{"rdma.max", "rxe0 hca_handle=max hca_object=20"}}},
	{{.unified = misc, .unified_count = 1}, "+misc", {{"misc.max", "sev 10"}}},
	{{.memory_limit = SET(1), .unified = overruling, .unified_count = 2},
	 "+memory +io",
	 {{"memory.max", "9"}, {"io.max", "8:0 wbps=7"}}},
	{{.memory_limit = SET(1), .cpu_shares = SET(2), .pids_limit = SET(3)},
	 "+memory +cpu +pids",
	 {{"memory.max", "1"}, {"cpu.weight", "1"}, {"pids.max", "3"}}},
};

static const char *const limit_files[] = {
	"memory.max",	 "memory.swap.max", "memory.low", "cpu.weight",	     "cpu.max",
	"cpu.max.burst", "cpu.idle",	    "pids.max",	  "cpuset.cpus",     "cpuset.mems",
	"io.bfq.weight", "io.weight",	    "io.max",	  "hugetlb.2MB.max", "hugetlb.2MB.rsvd.max",
	"rdma.max",	 "misc.max"};

/* A tree with one cgroup, "c", that has all files. */
static void begin_with_files(struct fake *fake)
{
	char name[64];

	fake_begin(fake);
	fake_cgroup(fake, ".", "cpuset cpu io memory hugetlb pids rdma misc\n");
	fake_cgroup(fake, "c", "cpuset cpu io memory hugetlb pids rdma misc\n");
	for (size_t i = 0; i < ARRAY_SIZE(limit_files); i++) {
		snprintf(name, sizeof(name), "c/%s", limit_files[i]);
		fake_file(fake, name, "");
	}
}

static void make_in(const struct fake *fake, const struct spec_resources *resources)
{
	struct error err = ERROR_NONE;
	int fd = cgroup_make(fake->rootfd, "/c", resources, &err);

	if (fd < 0)
		fail_msg("%s", err.text);
	close(fd);
}

static void test_written(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(written_cases); i++) {
		const struct spec_resources *resources = &written_cases[i].resources;
		const struct written *files = written_cases[i].files;
		struct error err = ERROR_NONE;
		struct fake fake;
		char name[64];

		begin_with_files(&fake);
		assert_int_equal(cgroup_check(resources, &err), 0);
		assert_int_equal(cgroup_limits_asked(resources),
				 written_cases[i].controllers[0] != '\0');
		make_in(&fake, resources);
		fake_expect(&fake, "cgroup.subtree_control", written_cases[i].controllers);
		/* The container's own cgroup passes nothing on. */
		fake_expect(&fake, "c/cgroup.subtree_control", "");
		for (size_t j = 0; j < FILES_MAX && files[j].file; j++) {
			snprintf(name, sizeof(name), "c/%s", files[j].file);
			fake_expect(&fake, name, files[j].value);
		}
		fake_end(&fake);
	}
}

/* Where the kernel has no BFQ the other file takes the weight, on its own scale. */
static void test_io_weight(void **state)
{
	const struct spec_resources resources = {.io_weight = SET(500), .io_weights = {devices, 1}};
	struct fake fake;

	(void)state;
	assert_int_equal(io_weight_of(10), 1);
	assert_int_equal(io_weight_of(1000), 10000);
	begin_with_files(&fake);
	assert_int_equal(unlinkat(fake.rootfd, "c/io.bfq.weight", 0), 0);
	make_in(&fake, &resources);
	fake_expect(&fake, "c/io.weight", "8:16 910");
	fake_end(&fake);
}

/* The order and the number of writes: each line of unified is one, and a file is not written twice.
 */
static void test_settings(void **state)
{
	static const struct spec_unified unified[] = {
		{"io.max", "8:0 rbps=1\n8:16 wbps=2\n"},
		{"pids.max", "7"},
		{"cpuset.cpus", ""},
	};
	const struct spec_resources resources = {
		.pids_limit = SET(5),
		.io_max = {[IO_READ_BPS] = {devices, 1}},
		.unified = unified,
		.unified_count = ARRAY_SIZE(unified),
	};
	static const char *const expected[][2] = {
		{"io.max", "8:16 rbps=100"}, {"io.max", "8:0 rbps=1"}, {"io.max", "8:16 wbps=2"},
		{"pids.max", "7"},	     {"cpuset.cpus", "\n"},
	};
	_cleanup_settings_ struct settings settings = settings_of(&resources);

	(void)state;
	assert_int_equal(settings.count, ARRAY_SIZE(expected));
	for (size_t i = 0; i < settings.count; i++) {
		assert_string_equal(settings.items[i].file, expected[i][0]);
		assert_string_equal(settings.items[i].value, expected[i][1]);
	}
}

/* A kernel without reservations; a page size that it does not have. */
static void test_hugetlb(void **state)
{
	const struct spec_resources resources = {.hugepage_limits = &huge,
						 .hugepage_limit_count = 1};
	struct error err = ERROR_NONE;
	struct fake fake;

	(void)state;
	begin_with_files(&fake);
	assert_int_equal(unlinkat(fake.rootfd, "c/hugetlb.2MB.rsvd.max", 0), 0);
	make_in(&fake, &resources);
	fake_expect(&fake, "c/hugetlb.2MB.max", "4194304");
	assert_int_equal(unlinkat(fake.rootfd, "c/hugetlb.2MB.max", 0), 0);
	assert_int_equal(cgroup_make(fake.rootfd, "/c", &resources, &err), -ENOENT);
	assert_true(str_starts(err.text, "linux.resources.hugepageLimits[0]: "));
	assert_non_null(strstr(err.text, "/c/hugetlb.2MB.max\" does not exist (value \"4194304\"; "
					 "controllers of the parent: "));
	fake_end(&fake);
}

static void test_refused(void **state)
{
	static const struct spec_io_device light = {8, 0, 9};
	static const struct spec_device_rule negative[] = {{.type = 'c', .major = -2}};
	static const struct spec_unified bad[] = {{"memory", "1"}};
	static const struct {
		struct spec_resources resources;
		const char *text;
	} cases[] = {
		{{.memory_limit = SET(-2)}, "linux.resources.memory.limit: -2 "},
		{{.io_weight = SET(1001)}, "linux.resources.blockIO.weight: 1001 "},
		{{.io_weights = {&light, 1}}, "linux.resources.blockIO.weightDevice[0].weight: 9 "},
		{{.memory_reservation = SET(-7)}, "linux.resources.memory.reservation: -7 "},
		{{.memory_swap = SET(-2)}, "linux.resources.memory.swap: -2 "},
		{{.memory_swap = SET(5)}, "linux.resources.memory.swap: needs memory.limit"},
		{{.memory_swap = SET(5), .memory_limit = SET(-1)},
		 "linux.resources.memory.swap: needs memory.limit"},
		{{.memory_swap = SET(5), .memory_limit = SET(6)},
		 "linux.resources.memory.swap: 5 is below memory.limit, 6"},
		{{.cpu_period_us = SET(999)}, "linux.resources.cpu.period: 999 "},
		{{.cpu_period_us = SET(1000001)}, "linux.resources.cpu.period: 1000001 "},
		{{.cpu_quota_us = SET(999)}, "linux.resources.cpu.quota: 999 is below 1000"},
		{{.cpu_quota_us = SET(1000), .cpu_burst_us = SET(1001)},
		 "linux.resources.cpu.burst: 1001 is above cpu.quota, 1000"},
		{{.cpu_idle = SET(2)}, "linux.resources.cpu.idle: 2 "},
		{{.pids_limit = SET(-2)}, "linux.resources.pids.limit: -2 "},
		{{.pids_limit = SET(4194305)}, "linux.resources.pids.limit: 4194305 "},
		{{.device_rules = negative, .device_rule_count = 1},
		 "linux.resources.devices[0].major: -2 is negative"},
		{{.unified = bad, .unified_count = 1}, "linux.resources.unified[\"memory\"]: "},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error err = ERROR_NONE;

		assert_int_equal(cgroup_check(&cases[i].resources, &err), -EINVAL);
		if (!str_starts(err.text, cases[i].text))
			fail_msg("case %zu: %s", i, err.text);
	}
}

/* Fails to make "/c/d" in a tree where "/c" exists, and expects the message. */
static void expect_failure(const struct fake *fake, const struct spec_resources *resources,
			   int code, const char *text)
{
	struct error err = ERROR_NONE;

	assert_int_equal(cgroup_make(fake->rootfd, "/c/d", resources, &err), code);
	assert_string_equal(err.text, text);
}

static void test_missing_controller(void **state)
{
	static const struct spec_unified unified[] = {{"io.max", "8:0 rbps=1"}};
	const struct spec_resources memory = {.memory_limit = SET(1000)};
	const struct spec_resources io = {.unified = unified, .unified_count = 1};
	struct fake fake;

	(void)state;
	fake_begin(&fake);
	fake_cgroup(&fake, ".", "cpu memory\n");
	fake_cgroup(&fake, "c", "hugetlb misc\n");
	expect_failure(&fake, &memory, -EOPNOTSUPP,
		       "linux.resources.memory.limit: the \"memory\" controller is not available "
		       "in cgroup \"/c\" (available there: hugetlb misc)");
	fake_file(&fake, "c/cgroup.controllers", "\n");
	expect_failure(&fake, &memory, -EOPNOTSUPP,
		       "linux.resources.memory.limit: the \"memory\" controller is not available "
		       "in cgroup \"/c\" (available there: none)");
	expect_failure(
		&fake, &io, -EOPNOTSUPP,
		"linux.resources.unified[\"io.max\"]: the \"io\" controller is not available "
		"in cgroup \"/\" (available there: cpu memory)");
	fake_expect(&fake, "c/d/cgroup.events", NULL);
	fake_end(&fake);
}

static void test_enabled_already(void **state)
{
	const struct spec_resources some = {.memory_limit = SET(9), .pids_limit = SET(8)};
	struct error err = ERROR_NONE;
	struct fake fake;

	(void)state;
	fake_begin(&fake);
	fake_cgroup(&fake, ".", "cpu memory pids\n");
	fake_cgroup(&fake, "c", "memory pids\n");
	fake_file(&fake, "cgroup.subtree_control", "cpu memory\n");
	fake_file(&fake, "c/memory.max", "");
	fake_file(&fake, "c/pids.max", "");
	{
		_cleanup_fd_ int fd = cgroup_make(fake.rootfd, "/c", &some, &err);

		assert_true(fd >= 0);
	}
	/* Over the beginning of what stood there: only the missing one was asked for. */
	fake_expect(&fake, "cgroup.subtree_control", "+pidsemory\n");
	fake_end(&fake);
}

static void test_unified(void **state)
{
	static const struct spec_unified unified[] = {
		{"memory.high", "500"},
		{"cgroup.max.depth", "1"},
		{"memory.max", "max"},
	};
	const struct spec_resources resources = {
		.memory_limit = SET(7), .unified = unified, .unified_count = ARRAY_SIZE(unified)};
	static const struct spec_unified missing[] = {{"memory.nonsense", "1"}};
	const struct spec_resources wrong = {.unified = missing, .unified_count = 1};
	struct error err = ERROR_NONE;
	struct fake fake;

	(void)state;
	fake_begin(&fake);
	fake_cgroup(&fake, ".", "memory\n");
	fake_cgroup(&fake, "c", "memory\n");
	fake_file(&fake, "c/memory.high", "");
	fake_file(&fake, "c/memory.max", "");
	fake_file(&fake, "c/cgroup.max.depth", "");
	{
		_cleanup_fd_ int fd = cgroup_make(fake.rootfd, "/c", &resources, &err);

		if (fd < 0)
			fail_msg("%s", err.text);
	}
	fake_expect(&fake, "cgroup.subtree_control", "+memory");
	fake_expect(&fake, "c/memory.high", "500");
	fake_expect(&fake, "c/memory.max", "max"); /* in place of the table's */
	fake_expect(&fake, "c/cgroup.max.depth", "1");
	assert_int_equal(cgroup_make(fake.rootfd, "/c", &wrong, &err), -ENOENT);
	assert_true(str_starts(err.text, "linux.resources.unified[\"memory.nonsense\"]: \""));
	assert_non_null(strstr(err.text, "/c/memory.nonsense\" does not exist (value \"1\"; "
					 "controllers of the parent: memory)"));
	fake_end(&fake);
}

static void test_write_errors(void **state)
{
	const struct spec_resources pids = {.pids_limit = SET(5)};
	const struct spec_resources swap = {.memory_limit = SET(5), .memory_swap = SET(6)};
	const struct spec_resources no_swap = {.memory_limit = SET(5), .memory_swap = SET(5)};
	struct error err = ERROR_NONE;
	struct fake fake;

	(void)state;
	fake_begin(&fake);
	fake_cgroup(&fake, ".", "memory pids\n");
	fake_cgroup(&fake, "c", "memory pids\n");
	assert_int_equal(symlinkat("/dev/full", fake.rootfd, "c/pids.max"), 0);
	assert_int_equal(cgroup_make(fake.rootfd, "/c", &pids, &err), -ELOOP);
	assert_true(str_starts(err.text, "linux.resources.pids.limit: write \"5\" to \"/tmp/"));
	assert_non_null(strstr(err.text, "/c/pids.max\" (controllers of the parent: memory pids): "
					 "Too many levels of symbolic links"));
	fake_file(&fake, "c/memory.max", "");
	assert_int_equal(cgroup_make(fake.rootfd, "/c", &swap, &err), -ENOENT);
	assert_true(str_starts(err.text, "linux.resources.memory.swap: "));
	{
		_cleanup_fd_ int fd = cgroup_make(fake.rootfd, "/c", &no_swap, &err);

		assert_true(fd >= 0);
	}
	fake_end(&fake);
}

static void test_check_before_update(void **state)
{
	const struct spec_resources resources = {.memory_limit = SET(4096),
						 .memory_check_before_update = true};
	struct error err = ERROR_NONE;
	struct fake fake;

	(void)state;
	fake_begin(&fake);
	fake_cgroup(&fake, ".", "memory\n");
	fake_cgroup(&fake, "c", "memory\n");
	fake_file(&fake, "c/memory.max", "");
	fake_file(&fake, "c/memory.current", "4097\n");
	assert_int_equal(cgroup_make(fake.rootfd, "/c", &resources, &err), -EINVAL);
	assert_string_equal(err.text,
			    "linux.resources.memory.limit: 4096 is below the current usage of "
			    "cgroup \"/c\", 4097, and checkBeforeUpdate is set");
	fake_expect(&fake, "c/memory.max", "");
	fake_end(&fake);
}

/* An existing cgroup with somebody in it, or a frozen one, is not taken. */
static void test_not_usable(void **state)
{
	const struct spec_resources nothing = {.device_rule_count = 0};
	struct error err = ERROR_NONE;
	struct fake fake;

	(void)state;
	fake_begin(&fake);
	fake_cgroup(&fake, ".", "\n");
	fake_cgroup(&fake, "c", "\n");
	fake_file(&fake, "c/cgroup.events", "populated 1\nfrozen 0\n");
	fake_file(&fake, "c/cgroup.procs", "12\n13\n");
	assert_int_equal(cgroup_make(fake.rootfd, "/c", &nothing, &err), -EBUSY);
	assert_string_equal(
		err.text,
		"linux.cgroupsPath: cgroup \"/c\" exists and has processes (pids 12, 13)");
	fake_file(&fake, "c/cgroup.procs", "1\n2\n3\n4\n5\n6\n7\n8\n9\n");
	assert_int_equal(cgroup_make(fake.rootfd, "/c", &nothing, &err), -EBUSY);
	assert_string_equal(
		err.text,
		"linux.cgroupsPath: cgroup \"/c\" exists and has processes (pids 1, 2, 3, 4, 5, "
		"6, 7, 8 and others)");
	fake_file(&fake, "c/cgroup.events", "populated 0\nfrozen 1\n");
	assert_int_equal(cgroup_make(fake.rootfd, "/c", &nothing, &err), -EBUSY);
	assert_string_equal(err.text, "linux.cgroupsPath: cgroup \"/c\" exists and is frozen");
	fake_end(&fake);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_weight),
		cmocka_unit_test(test_written),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_io_weight),
		cmocka_unit_test(test_settings),
		cmocka_unit_test(test_hugetlb),
		cmocka_unit_test(test_missing_controller),
		cmocka_unit_test(test_enabled_already),
		cmocka_unit_test(test_unified),
		cmocka_unit_test(test_write_errors),
		cmocka_unit_test(test_check_before_update),
		cmocka_unit_test(test_not_usable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
