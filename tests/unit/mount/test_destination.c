/* SPDX-License-Identifier: Apache-2.0 */
/* Destinations as text. */
#include "mount-internal.h"
#include "world.h"

static void test_clean(void **state)
{
	static const char *const cases[][2] = {
		{"/", "/"},
		{"", "/"},
		{"///", "/"},
		{"/.", "/"},
		{"/..", "/"},
		{"/../..", "/"},
		{"/a", "/a"},
		{"/a/", "/a"},
		{"a/b", "/a/b"},
		{"//a//b//", "/a/b"},
		{"/a/./b/.", "/a/b"},
		{"/a/b/..", "/a"},
		{"/a/../b", "/b"},
		{"/a/../../b", "/b"},
		{"/a/..b/...", "/a/..b/..."},
		{"/proc/../sys/./fs//cgroup/", "/sys/fs/cgroup"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char *clean = destination_clean(cases[i][0]);

		assert_string_equal(clean, cases[i][1]);
		assert_true(destination_is(cases[i][0], cases[i][1]));
		free(clean);
	}
	assert_false(destination_is("/dev/null", "/dev"));
	assert_false(destination_is("/device", "/dev"));
}

static void test_within(void **state)
{
	(void)state;
	assert_true(path_within("/proc", "/proc"));
	assert_true(path_within("/proc/sys", "/proc"));
	assert_false(path_within("/process", "/proc"));
	assert_false(path_within("/pro", "/proc"));
	assert_false(path_within("/", "/proc"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clean),
		cmocka_unit_test(test_within),
	};

	return cmocka_run_group_tests_name("destination", tests, NULL, NULL);
}
