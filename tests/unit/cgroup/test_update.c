/* SPDX-License-Identifier: Apache-2.0 */
/* Updates on a tree of files: what is merged, what is written, what is set back. */
#include <errno.h>

#include "berth/cgroup/cgroup.h"

#include "cgroup-internal.h"
#include "fake.h"
#include "limits-internal.h"

#define SET(number)                                                                                \
	{                                                                                          \
		.set = true, .value = (number)                                                     \
	}

static const struct spec_resources nothing = {.unified_count = 0};

/* A cgroup "c" with what a kernel would say there. Written over, a text keeps its old end. */
static void begin(struct fake *fake)
{
	static const char *const files[][2] = {
		{"c/memory.max", "1000"},
		{"c/memory.swap.max", "500"},
		{"c/cpu.max", "50000 100000"},
		{"c/cpu.max.burst", "0"},
		{"c/cpu.weight", "100"},
		{"c/cpu.idle", "0"},
		{"c/pids.max", "77"},
		{"c/io.max", "8:16 rbps=max wbps=5 riops=max wiops=max"},
		{"c/io.bfq.weight", "default 100\n8:16 200"},
		{"c/memory.high", "900"},
	};

	if (kernel_is_hidden())
		skip(); /* paths are resolved by openat2(2) */
	fake_begin(fake);
	fake_cgroup(fake, ".", "cpu io memory pids\n");
	fake_file(fake, "cgroup.subtree_control", "cpu io memory pids\n");
	fake_cgroup(fake, "c", "cpu io memory pids\n");
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		fake_file(fake, files[i][0], files[i][1]);
}

static int update_in(const struct fake *fake, const struct spec_resources *saved,
		     const struct spec_resources *asked, struct error *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct spec_resources merged;
	const struct cgroup_change change = {.saved = saved, .asked = asked, .merged = &merged};

	cgroup_resources_merge(arena, saved, asked, &merged);
	return cgroup_update(fake->rootfd, "/c", &change, err);
}

static void update_ok(const struct fake *fake, const struct spec_resources *saved,
		      const struct spec_resources *asked)
{
	struct error err = ERROR_NONE;

	if (update_in(fake, saved, asked, &err) < 0)
		fail_msg("%s", err.text);
}

/* Fields that depend on others: the file of one changes with another's. */
static void test_dependent(void **state)
{
	const struct spec_resources memory = {.memory_limit = SET(1000), .memory_swap = SET(1500)};
	const struct spec_resources quota = {.cpu_quota_us = SET(50000)};
	const struct spec_resources idle = {.cpu_idle = SET(1), .cpu_shares = SET(2048)};
	struct fake fake;

	(void)state;
	begin(&fake);
	update_ok(&fake, &memory, &(struct spec_resources){.memory_limit = SET(1200)});
	fake_expect(&fake, "c/memory.max", "1200");
	fake_expect(&fake, "c/memory.swap.max", "300");
	update_ok(&fake, &quota, &(struct spec_resources){.cpu_period_us = SET(200000)});
	fake_expect(&fake, "c/cpu.max", "50000 200000");
	/* An idle one has its weight when it is idle no longer. */
	fake_file(&fake, "c/cpu.idle", "1");
	fake_file(&fake, "c/cpu.weight", "000");
	update_ok(&fake, &idle, &(struct spec_resources){.cpu_idle = SET(0)});
	fake_expect(&fake, "c/cpu.idle", "0");
	fake_expect(&fake, "c/cpu.weight", "174");
	update_ok(&fake, &memory, &(struct spec_resources){.memory_limit = SET(-1)});
	fake_expect(&fake, "c/memory.max", "max0");
	fake_expect(&fake, "c/memory.swap.max", "max");
	fake_end(&fake);
}

/* What was not asked for, and does not change, is left as somebody else may have set it. */
static void test_untouched(void **state)
{
	const struct spec_resources saved = {.memory_limit = SET(1000), .pids_limit = SET(50)};
	struct fake fake;

	(void)state;
	begin(&fake);
	update_ok(&fake, &saved, &(struct spec_resources){.memory_limit = SET(2000)});
	fake_expect(&fake, "c/memory.max", "2000");
	fake_expect(&fake, "c/pids.max", "77");
	/* The same again is asked for, and so written. */
	update_ok(&fake, &saved, &(struct spec_resources){.memory_limit = SET(1000)});
	fake_expect(&fake, "c/memory.max", "1000");
	fake_end(&fake);
}

/* A field that is asked for is no match for what `unified` said about its file before. */
static void test_unified(void **state)
{
	static const struct spec_unified before[] = {{"pids.max", "11"}, {"memory.high", "800"}};
	static const struct spec_unified now[] = {{"memory.high", "700"}};
	const struct spec_resources saved = {.unified = before, .unified_count = 2};
	struct fake fake;

	(void)state;
	begin(&fake);
	update_ok(&fake, &saved, &(struct spec_resources){.pids_limit = SET(22)});
	fake_expect(&fake, "c/pids.max", "22");
	fake_expect(&fake, "c/memory.high", "900");
	update_ok(&fake, &saved, &(struct spec_resources){.unified = now, .unified_count = 1});
	fake_expect(&fake, "c/memory.high", "700");
	fake_end(&fake);
}

static void test_merge(void **state)
{
	static const struct spec_io_device had[] = {{8, 0, 1}, {8, 16, 2}};
	static const struct spec_io_device asked[] = {{8, 16, 3}, {9, 0, 4}};
	static const struct spec_rdma had_rdma[] = {{"a", SET(1), SET(2)},
						    {"b", SET(3), {.set = false}}};
	static const struct spec_rdma asked_rdma[] = {{"a", {.set = false}, SET(9)}};
	static const struct spec_hugepage_limit had_huge[] = {{"2MB", 1}, {"1GB", 2}};
	static const struct spec_hugepage_limit asked_huge[] = {{"2MB", 3}};
	const struct spec_resources saved = {
		.cpu_shares = SET(5),
		.cpu_cpus = "0-3",
		.io_max = {[IO_READ_BPS] = {had, 2}},
		.rdma = had_rdma,
		.rdma_count = 2,
		.hugepage_limits = had_huge,
		.hugepage_limit_count = 2,
	};
	const struct spec_resources change = {
		.cpu_shares = SET(0), /* says nothing */
		.cpu_cpus = "",
		.pids_limit = SET(0), /* a limit */
		.io_max = {[IO_READ_BPS] = {asked, 2}},
		.rdma = asked_rdma,
		.rdma_count = 1,
		.hugepage_limits = asked_huge,
		.hugepage_limit_count = 1,
	};
	_cleanup_arena_ struct arena *arena = arena_new();
	struct spec_resources merged;
	const struct spec_io_devices *io = &merged.io_max[IO_READ_BPS];

	(void)state;
	cgroup_resources_merge(arena, &saved, &change, &merged);
	assert_int_equal(merged.cpu_shares.value, 5);
	assert_string_equal(merged.cpu_cpus, "0-3");
	assert_true(merged.pids_limit.set && merged.pids_limit.value == 0);
	assert_int_equal(io->count, 3);
	assert_true(io->items[0].minor == 0 && io->items[0].value == 1);
	assert_true(io->items[1].minor == 16 && io->items[1].value == 3);
	assert_true(io->items[2].major == 9);
	assert_int_equal(merged.rdma_count, 2);
	assert_string_equal(merged.rdma[1].device, "a");
	assert_int_equal(merged.rdma[1].hca_handles.value, 1);
	assert_int_equal(merged.rdma[1].hca_objects.value, 9);
	assert_int_equal(merged.hugepage_limit_count, 2);
	assert_string_equal(merged.hugepage_limits[0].page_size, "1GB");
	assert_int_equal(merged.hugepage_limits[1].limit, 3);
}

/* The file that fails is the last; all before it are as they were. */
static void test_set_back(void **state)
{
	static const struct spec_io_device device = {8, 16, 7};
	static const struct spec_io_device weight = {8, 16, 300};
	static const struct spec_unified unified[] = {{"memory.high", "1"}};
	const struct spec_resources asked = {
		.memory_limit = SET(2000),
		.cpu_quota_us = SET(60000),
		.cpu_burst_us = SET(1000),
		.io_weight = SET(300),
		.io_weights = {&weight, 1},
		.io_max = {[IO_WRITE_BPS] = {&device, 1}},
		.unified = unified,
		.unified_count = 1,
	};
	struct error err = ERROR_NONE;
	struct fake fake;

	(void)state;
	begin(&fake);
	assert_int_equal(unlinkat(fake.rootfd, "c/memory.high", 0), 0);
	assert_int_equal(symlinkat("/dev/full", fake.rootfd, "c/memory.high"), 0);
	assert_int_equal(update_in(&fake, &nothing, &asked, &err), -ELOOP);
	assert_true(str_starts(err.text, "linux.resources.unified[\"memory.high\"]: write \"1\""));
	assert_non_null(strstr(err.text, "; what was changed before is set back"));
	fake_expect(&fake, "c/memory.max", "1000");
	fake_expect(&fake, "c/cpu.max", "50000 100000");
	fake_expect(&fake, "c/cpu.max.burst", "0000");
	fake_expect(&fake, "c/io.max", "8:16 rbps=max wbps=5 riops=max wiops=max");
	fake_end(&fake);
}

/* What can be known beforehand keeps the first file from being written. */
static void test_checked_first(void **state)
{
	static const struct spec_unified missing[] = {{"memory.nonsense", "1"}};
	const struct spec_resources file = {
		.memory_limit = SET(2000), .unified = missing, .unified_count = 1};
	const struct spec_resources below = {
		.memory_limit = SET(10), .pids_limit = SET(5), .memory_check_before_update = true};
	const struct spec_resources clash = {.memory_limit = SET(2000)};
	const struct spec_resources swap = {.memory_limit = SET(1000), .memory_swap = SET(1500)};
	struct error err = ERROR_NONE;
	struct fake fake;

	(void)state;
	begin(&fake);
	assert_int_equal(update_in(&fake, &nothing, &file, &err), -ENOENT);
	assert_string_equal(err.text,
			    "linux.resources.unified[\"memory.nonsense\"]: cgroup \"/c\" has "
			    "no file \"memory.nonsense\"");
	fake_file(&fake, "c/memory.current", "11\n");
	assert_int_equal(update_in(&fake, &nothing, &below, &err), -EINVAL);
	assert_int_equal(update_in(&fake, &swap, &clash, &err), -EINVAL);
	assert_true(str_starts(err.text, "linux.resources.memory.swap: 1500 is below memory.limit, "
					 "2000"));
	fake_expect(&fake, "c/memory.max", "1000");
	fake_expect(&fake, "c/pids.max", "77");
	fake_end(&fake);
}

/* A controller that no limit needed so far. */
static void test_enabled(void **state)
{
	struct fake fake;

	(void)state;
	begin(&fake);
	fake_file(&fake, "cgroup.subtree_control", "");
	update_ok(&fake, &nothing, &(struct spec_resources){.pids_limit = SET(22)});
	fake_expect(&fake, "cgroup.subtree_control", "+pids");
	fake_end(&fake);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dependent), cmocka_unit_test(test_untouched),
		cmocka_unit_test(test_unified),	  cmocka_unit_test(test_merge),
		cmocka_unit_test(test_set_back),  cmocka_unit_test(test_checked_first),
		cmocka_unit_test(test_enabled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
