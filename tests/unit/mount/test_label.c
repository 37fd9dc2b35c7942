/* SPDX-License-Identifier: Apache-2.0 */
/* Which mounts get a label, and how the option is written. */
#include "mount-internal.h"

#include "../base/unit.h"

static const char label[] = "context=u:r:t:s0:c1,c2";

static void test_types(void **state)
{
	static const char *const labelled[] = {"tmpfs", "devpts", "overlay", "ext4", "fuse"};
	static const char *const plain[] = {"proc", "sysfs", "cgroup", "cgroup2", "mqueue"};
	struct spec_mount mount = {.destination = "/x"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(labelled); i++) {
		mount.type = labelled[i];
		assert_ptr_equal(label_for(label, &mount), label);
		assert_null(label_for(NULL, &mount));
	}
	for (size_t i = 0; i < ARRAY_SIZE(plain); i++) {
		mount.type = plain[i];
		assert_null(label_for(label, &mount));
	}
}

static void test_own_option(void **state)
{
	static const struct {
		const char *option;
		bool is_one;
	} cases[] = {
		{"context=a", true},	 {"fscontext=a", true}, {"defcontext=a", true},
		{"rootcontext=a", true}, {"context", false},	{"contextual=a", false},
		{"mode=755", false},	 {"xcontext=a", false}, {"", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *const data[] = {"size=1k", cases[i].option, NULL};
		const struct spec_mount mount = {.type = "tmpfs", .data = data};

		assert_int_equal(label_is_option(cases[i].option), cases[i].is_one);
		assert_int_equal(!label_for(label, &mount), cases[i].is_one);
	}
}

static void test_quotes(void **state)
{
	static const char *const cases[][3] = {
		/* As given, for fsconfig(2), for mount(2). */
		{"context=a:s0:c1,c2", "context=a:s0:c1,c2", "context=\"a:s0:c1,c2\""},
		{"context=\"a:s0:c1,c2\"", "context=a:s0:c1,c2", "context=\"a:s0:c1,c2\""},
		{"context=\"a", "context=a", "context=\"a\""},
		{"fscontext=a\",lowerdir=/,x=\"",
		 "fscontext=a,lowerdir=/,x=", "fscontext=\"a,lowerdir=/,x=\""},
		{"defcontext=", "defcontext=", "defcontext=\"\""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *unquoted = label_unquoted(cases[i][0]);
		_cleanup_free_ char *quoted = label_quoted(cases[i][0]);

		assert_string_equal(unquoted, cases[i][1]);
		assert_string_equal(quoted, cases[i][2]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_own_option),
		cmocka_unit_test(test_quotes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
