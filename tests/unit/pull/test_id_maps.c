/* SPDX-License-Identifier: Apache-2.0 */
/* Whose ranges of ids there are, and what an id is outside. */
#include "common/id_maps.h"

#include "../base/unit.h"

static void test_subids(void **state)
{
	static const char text[] = "one:100000:65536\n"
				   "# one:1:1\n"
				   "two:200000:0\n"
				   "one:300000\n"
				   "one:x:5\n"
				   "\n"
				   "1000:400000:10\n"
				   "one:500000:7";
	struct id_map ranges[3];

	(void)state;
	assert_int_equal(subids_of(text, "one", ranges, 3), 2);
	assert_int_equal(ranges[0].host_id, 100000);
	assert_int_equal(ranges[0].size, 65536);
	assert_int_equal(ranges[1].host_id, 500000);
	assert_int_equal(ranges[1].size, 7);
	assert_int_equal(subids_of(text, "one", ranges, 1), 1);
	assert_int_equal(subids_of(text, "1000", ranges, 3), 1);
	assert_int_equal(ranges[0].host_id, 400000);
	assert_int_equal(subids_of(text, "two", ranges, 3), 0);
	assert_int_equal(subids_of("", "one", ranges, 3), 0);
}

static void test_find(void **state)
{
	struct id_map lines[] = {{0, 1000, 1}, {1, 100000, 10}};
	const struct id_maps map = {lines, 2}, none = {NULL, 0};
	uint32_t id;

	(void)state;
	assert_true(id_maps_find(&map, 0, &id));
	assert_int_equal(id, 1000);
	assert_true(id_maps_find(&map, 10, &id));
	assert_int_equal(id, 100009);
	assert_false(id_maps_find(&map, 11, &id));
	assert_true(id_maps_find(&none, 4711, &id));
	assert_int_equal(id, 4711);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_subids),
		cmocka_unit_test(test_find),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
