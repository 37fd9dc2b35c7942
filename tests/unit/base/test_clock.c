/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time. The tests set the clock themselves: clock_gettime() below takes the place of the C
 * library's for the code under test.
 */
#include <poll.h>
#include <sys/syscall.h>
#include <time.h>

#include "berth/base/clock.h"

#include "unit.h"

static struct {
	bool set;
	struct timespec now;
} clocks[2]; /* CLOCK_REALTIME, CLOCK_MONOTONIC */

int clock_gettime(clockid_t id, struct timespec *ret)
{
	if (id < 2 && clocks[id].set) {
		*ret = clocks[id].now;
		return 0;
	}
	return (int)syscall(SYS_clock_gettime, id, ret);
}

static void set_clock(clockid_t id, time_t seconds, long nanoseconds)
{
	clocks[id].set = true;
	clocks[id].now = (struct timespec){seconds, nanoseconds};
}

static int clock_restore(void **state)
{
	(void)state;
	clocks[0].set = clocks[1].set = false;
	return 0;
}

static void test_stamps(void **state)
{
	static const struct {
		time_t seconds;
		long nanoseconds;
		const char *stamp;
	} cases[] = {
		{0, 0, "1970-01-01T00:00:00.000000000Z"},
		{86399, 999999999, "1970-01-01T23:59:59.999999999Z"},
		{951782399, 1, "2000-02-28T23:59:59.000000001Z"},
		{951782400, 0, "2000-02-29T00:00:00.000000000Z"},
		{951868800, 0, "2000-03-01T00:00:00.000000000Z"},
		{978307199, 0, "2000-12-31T23:59:59.000000000Z"},
		{978307200, 0, "2001-01-01T00:00:00.000000000Z"},
		{1709164800, 0, "2024-02-29T00:00:00.000000000Z"},
		{1767323045, 123456789, "2026-01-02T03:04:05.123456789Z"},
		{2147483648, 0, "2038-01-19T03:14:08.000000000Z"},
		{4107542399, 0, "2100-02-28T23:59:59.000000000Z"},
		{4107542400, 0, "2100-03-01T00:00:00.000000000Z"},
		{13574563200, 0, "2400-02-29T00:00:00.000000000Z"},
		{253402300799, 0, "9999-12-31T23:59:59.000000000Z"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char stamp[CLOCK_STAMP_MAX];

		set_clock(CLOCK_REALTIME, cases[i].seconds, cases[i].nanoseconds);
		clock_stamp(stamp);
		assert_string_equal(stamp, cases[i].stamp);
	}
}

/* Every day of 500 years, as the C library counts. */
static void test_every_day(void **state)
{
	(void)state;
	for (time_t day = 0; day < 183000; day++) {
		char stamp[CLOCK_STAMP_MAX], expected[CLOCK_STAMP_MAX];
		time_t seconds = day * 86400 + day % 86400;
		struct tm tm;

		set_clock(CLOCK_REALTIME, seconds, 0);
		clock_stamp(stamp);
		assert_non_null(gmtime_r(&seconds, &tm));
		assert_true(strftime(expected, sizeof(expected), "%Y-%m-%dT%H:%M:%S.000000000Z",
				     &tm) > 0);
		if (!str_equal(stamp, expected))
			fail_msg("%s instead of %s", stamp, expected);
	}
}

static void test_now(void **state)
{
	int64_t before, after;

	(void)state;
	set_clock(CLOCK_MONOTONIC, 5, 999999);
	assert_int_equal(clock_now_ms(), 5000);
	set_clock(CLOCK_MONOTONIC, 5, 1000000);
	assert_int_equal(clock_now_ms(), 5001);
	set_clock(CLOCK_MONOTONIC, (time_t)1 << 40, 999999999);
	assert_true(clock_now_ms() == ((int64_t)1 << 40) * 1000 + 999);
	clock_restore(NULL);
	before = clock_now_ms();
	poll(NULL, 0, 20);
	after = clock_now_ms();
	assert_true(after - before >= 19 && after - before < 60000);
}

/* The real clock, read by both. */
static void test_real(void **state)
{
	char stamp[CLOCK_STAMP_MAX], earlier[CLOCK_STAMP_MAX];
	time_t now = time(NULL);
	struct tm tm;

	(void)state;
	assert_non_null(gmtime_r(&now, &tm));
	assert_true(strftime(earlier, sizeof(earlier), "%Y-%m-%dT%H:%M:%S", &tm) > 0);
	clock_stamp(stamp);
	/* Such stamps sort as time does. */
	assert_true(strcmp(stamp, earlier) > 0);
	assert_int_equal(strlen(stamp), 30);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_stamps, clock_restore),
		cmocka_unit_test_teardown(test_every_day, clock_restore),
		cmocka_unit_test_teardown(test_now, clock_restore),
		cmocka_unit_test_teardown(test_real, clock_restore),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
