/* SPDX-License-Identifier: Apache-2.0 */
/* Figures, read from a tree of files. */
#include <errno.h>

#include "berth/base/str.h"
#include "berth/cgroup/stats.h"

#include "fake.h"

static void begin(struct fake *fake)
{
	static const char *const files[][2] = {
		{"cpu.stat", "usage_usec 1500\nuser_usec 1000\nsystem_usec 500\nnice_usec 7\n"
			     "nr_periods 10\nnr_throttled 3\nthrottled_usec 99\n"},
		{"cpu.pressure", "some avg10=1.25 avg60=0.07 avg300=100.00 total=123456\n"
				 "full avg10=0.00 avg60=0.00 avg300=0.00 total=5\n"},
		{"memory.current", "4096\n"},
		{"memory.max", "max\n"},
		{"memory.peak", "8192\n"},
		{"memory.swap.current", "1\n"},
		{"memory.swap.max", "2\n"},
		{"memory.events", "low 1\nhigh 2\nmax 3\noom 4\noom_kill 5\noom_group_kill 6\n"},
		{"memory.stat", "anon 100\nfile 200\nkernel 300\n"},
		{"pids.current", "3\n"},
		{"pids.max", "10\n"},
		{"io.stat", "8:16 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6\n8:0\n"
			    "254:1 rbytes=7 wbytes=8 rios=9 wios=10\n"},
		{"hugetlb.2MB.current", "2097152\n"},
		{"hugetlb.2MB.rsvd.current", "0\n"},
		{"hugetlb.2MB.events", "max 6\n"},
		{"cpuset.cpus.effective", "0-1\n"},
	};

	fake_begin(fake);
	fake_cgroup(fake, ".", "\n");
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		fake_file(fake, files[i][0], files[i][1]);
}

static void test_all(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct error err = ERROR_NONE;
	struct cgroup_stats stats;
	struct fake fake;

	(void)state;
	begin(&fake);
	assert_int_equal(cgroup_stats_read(fake.rootfd, arena, &stats, &err), 0);
	assert_int_equal(stats.cpu.usage_us, 1500);
	assert_int_equal(stats.cpu.user_us, 1000);
	assert_int_equal(stats.cpu.system_us, 500);
	assert_int_equal(stats.cpu.periods, 10);
	assert_int_equal(stats.cpu.throttled_periods, 3);
	assert_int_equal(stats.cpu.throttled_us, 99);
	assert_true(stats.cpu.pressure.there && !stats.io.pressure.there);
	assert_int_equal(stats.cpu.pressure.some.avg10, 125);
	assert_int_equal(stats.cpu.pressure.some.avg60, 7);
	assert_int_equal(stats.cpu.pressure.some.avg300, 10000);
	assert_int_equal(stats.cpu.pressure.some.total_us, 123456);
	assert_int_equal(stats.cpu.pressure.full.total_us, 5);
	assert_true(stats.memory.there && stats.pids.there);
	assert_int_equal(stats.memory.current, 4096);
	assert_true(stats.memory.max == CGROUP_UNLIMITED);
	assert_int_equal(stats.memory.peak, 8192);
	assert_int_equal(stats.memory.swap_current, 1);
	assert_int_equal(stats.memory.swap_max, 2);
	assert_int_equal(stats.memory.events.oom, 4);
	assert_int_equal(stats.memory.events.oom_kill, 5);
	assert_int_equal(stats.memory.counter_count, 3);
	assert_int_equal(cgroup_stats_counter(&stats, "file"), 200);
	assert_int_equal(cgroup_stats_counter(&stats, "none"), 0);
	assert_int_equal(stats.pids.max, 10);
	assert_int_equal(stats.io.device_count, 2);
	assert_int_equal(stats.io.devices[0].major, 8);
	assert_int_equal(stats.io.devices[0].minor, 16);
	assert_int_equal(stats.io.devices[0].writes, 4);
	assert_int_equal(stats.io.devices[1].read_bytes, 7);
	assert_int_equal(stats.hugetlb_count, 1);
	assert_string_equal(stats.hugetlb[0].page_size, "2MB");
	assert_int_equal(stats.hugetlb[0].current_bytes, 2097152);
	assert_int_equal(stats.hugetlb[0].failures, 6);
	assert_string_equal(stats.cpus, "0-1");
	assert_null(stats.mems);
	fake_end(&fake);
}

/* Without controllers there are zeroes; without the cgroup an error. */
static void test_missing(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct error err = ERROR_NONE;
	struct cgroup_stats stats;
	struct fake fake;

	(void)state;
	fake_begin(&fake);
	fake_cgroup(&fake, ".", "\n");
	assert_int_equal(cgroup_stats_read(fake.rootfd, arena, &stats, &err), 0);
	assert_false(stats.memory.there);
	assert_int_equal(stats.cpu.usage_us, 0);
	assert_int_equal(stats.memory.counter_count, 0);
	assert_int_equal(stats.hugetlb_count, 0);
	assert_int_equal(unlinkat(fake.rootfd, "cgroup.events", 0), 0);
	assert_int_equal(cgroup_stats_read(fake.rootfd, arena, &stats, &err), -ENOENT);
	fake_end(&fake);
}

static void expect_oom(const struct fake *fake, const char *events, const char *text)
{
	_cleanup_free_ char *found = NULL;

	fake_file(fake, "memory.events", events);
	found = cgroup_oom_text(fake->rootfd, NULL);
	if (text)
		assert_string_equal(found, text);
	else
		assert_null(found);
}

static void expect_oom_since(const struct fake *fake, struct cgroup_memory_events before,
			     const char *text)
{
	_cleanup_free_ char *found = cgroup_oom_text(fake->rootfd, &before);

	if (text)
		assert_string_equal(found, text);
	else
		assert_null(found);
}

static void test_oom(void **state)
{
	struct fake fake;

	(void)state;
	begin(&fake);
	expect_oom(&fake, "oom 1\noom_kill 0\n", NULL);
	expect_oom(&fake, "oom 1\noom_kill 1\n",
		   "out of memory: the kernel killed 1 process at the memory limit, that of a "
		   "cgroup below it");
	fake_file(&fake, "memory.max", "1048576\n");
	expect_oom(&fake, "oom 2\noom_kill 3\n",
		   "out of memory: the kernel killed 3 processes at the memory limit, 1048576 "
		   "bytes");
	expect_oom(&fake, "oom 0\noom_kill 1\n",
		   "out of memory: the kernel killed 1 process, at a memory limit above the "
		   "container's, or for the whole host");
	fake_file(&fake, "memory.events", "oom 2\noom_kill 3\n");
	assert_int_equal(cgroup_oom_kills(fake.rootfd), 3);
	expect_oom_since(&fake, (struct cgroup_memory_events){.oom = 2, .oom_kill = 3}, NULL);
	expect_oom_since(&fake, (struct cgroup_memory_events){.oom = 1, .oom_kill = 2},
			 "out of memory: the kernel killed 1 process at the memory limit, 1048576 "
			 "bytes");
	expect_oom_since(&fake, (struct cgroup_memory_events){.oom = 2, .oom_kill = 1},
			 "out of memory: the kernel killed 2 processes, at a memory limit above "
			 "the container's, or for the whole host");
	assert_int_equal(unlinkat(fake.rootfd, "memory.events", 0), 0);
	assert_int_equal(cgroup_oom_kills(fake.rootfd), 0);
	assert_null(cgroup_oom_text(fake.rootfd, NULL));
	fake_end(&fake);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all),
		cmocka_unit_test(test_missing),
		cmocka_unit_test(test_oom),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
