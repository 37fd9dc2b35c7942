/* SPDX-License-Identifier: Apache-2.0 */
/* What `top` makes of two looks. */
#include "top-internal.h"

#include "../base/unit.h"

static const struct cgroup_io io_before[] = {{.read_bytes = 1000, .write_bytes = 5}};
static const struct cgroup_io io_now[] = {{.read_bytes = 3000, .write_bytes = 5},
					  {.write_bytes = 1536000}};

/* Half a second: 0.1 s of CPU time, 3 of 4 periods throttled. */
static struct top_row busy(void)
{
	struct top_row row = {.id = "busy", .status = "running", .pid = 12, .elapsed_ms = 500};

	row.before.cpu.usage_us = 50000;
	row.now.cpu.usage_us = 150000;
	row.before.cpu.periods = 6;
	row.now.cpu.periods = 10;
	row.now.cpu.throttled_periods = 3;
	row.now.cpu.pressure.there = true;
	row.now.cpu.pressure.some.avg10 = 1205;
	row.now.memory.there = row.now.pids.there = true;
	row.now.memory.current = 1572864;
	row.now.memory.max = 1073741824;
	row.now.pids.current = 7;
	row.now.pids.max = CGROUP_UNLIMITED;
	row.before.io.devices = io_before;
	row.before.io.device_count = 1;
	row.now.io.devices = io_now;
	row.now.io.device_count = 2;
	return row;
}

static void test_table(void **state)
{
	struct top_row rows[] = {busy(), {.id = "quiet", .elapsed_ms = 1}};
	const struct top_rows all = {rows, ARRAY_SIZE(rows)};
	_cleanup_buf_ struct buf out = BUF_EMPTY;

	(void)state;
	top_print_table(&all, &out);
	assert_string_equal(
		out.data,
		"ID      CPU%  THROTTLED%  MEMORY  LIMIT  PIDS  LIMIT  READ/s  WRITE/s  CPU-WAIT%  "
		"MEMORY-WAIT%  IO-WAIT%\n"
		"busy   20.00       75.00    1.5M   1.0G     7      -    3.9K     2.9M      12.05  "
		"           -         -\n"
		"quiet   0.00        0.00       -      -     -      -      0B       0B          -  "
		"           -         -\n");
}

static void test_json(void **state)
{
	struct top_row row = busy();
	const struct top_rows all = {&row, 1}, none = {NULL, 0};
	_cleanup_buf_ struct buf out = BUF_EMPTY;

	(void)state;
	top_print_json(&none, &out);
	top_print_json(&all, &out);
	assert_string_equal(
		out.data,
		"[]\n"
		"[{\"id\":\"busy\",\"status\":\"running\",\"pid\":12,\"cpu\":{\"percent\":20.00,"
		"\"usageNs\":150000000,\"throttledPercent\":75.00},\"memory\":{\"usage\":1572864,"
		"\"limit\":1073741824},\"pids\":{\"current\":7,\"limit\":null},"
		"\"io\":{\"readBytes\":3000,\"writeBytes\":1536005,\"readBytesPerSecond\":4000,"
		"\"writeBytesPerSecond\":3072000},"
		"\"pressurePercent\":{\"cpu\":12.05,\"memory\":null,\"io\":null}}]\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
