/* SPDX-License-Identifier: Apache-2.0 */
/* What is said of cgroups that take no process. */
#include <errno.h>

#include "berth/base/alloc.h"
#include "berth/cgroup/cgroup.h"

#include "cgroup-internal.h"
#include "fake.h"

/* The types of /a, /a/b and /a/b/c, what is said after EOPNOTSUPP from the last (NULL: nothing). */
static const struct {
	const char *types[3];
	const char *text;
} cases[] = {
	{{"domain", "domain", "domain"}, NULL},
	{{"domain", "threaded", "domain invalid"},
	 "cgroup \"/a/b/c\" takes no process: cgroup \"/a/b\" above it is threaded (cgroup.type)"},
	{{"threaded", "domain invalid", "domain invalid"},
	 "cgroup \"/a/b/c\" takes no process: cgroup \"/a\" above it is threaded (cgroup.type)"},
	{{"domain", "domain threaded", "domain invalid"},
	 "cgroup \"/a/b/c\" takes no process: cgroup \"/a/b\" above it has threaded cgroups"},
	{{"domain threaded", "threaded", "threaded"},
	 "cgroup \"/a/b/c\" takes no process: cgroup \"/a/b/c\" is threaded (cgroup.type)"},
};

static void set_types(const struct fake *fake, const char *const types[static 3])
{
	fake_file(fake, "a/cgroup.type", types[0]);
	fake_file(fake, "a/b/cgroup.type", types[1]);
	fake_file(fake, "a/b/c/cgroup.type", types[2]);
}

static void begin(struct fake *fake)
{
	if (kernel_is_hidden())
		skip();
	fake_begin(fake);
	fake_cgroup(fake, "a", "");
	fake_cgroup(fake, "a/b", "");
	fake_cgroup(fake, "a/b/c", "");
}

static void test_threads(void **state)
{
	struct fake fake;

	(void)state;
	begin(&fake);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error err = {.code = -EOPNOTSUPP, .text = "as it was"};
		bool found;

		set_types(&fake, cases[i].types);
		found = cgroup_refuses(fake.rootfd, "/a/b/c", -EOPNOTSUPP, &err);
		assert_int_equal(found, cases[i].text != NULL);
		if (!strstr(err.text, cases[i].text ? cases[i].text : "as it was"))
			fail_msg("case %zu: %s", i, err.text);
	}
	fake_end(&fake);
}

static void test_controllers(void **state)
{
	struct error err = {.code = -EBUSY, .text = "as it was"};
	struct fake fake;

	(void)state;
	begin(&fake);
	assert_false(cgroup_refuses(fake.rootfd, "/a/b", -EBUSY, &err));
	assert_string_equal(err.text, "as it was");
	fake_file(&fake, "a/b/cgroup.subtree_control", "memory pids\n");
	assert_true(cgroup_refuses(fake.rootfd, "/a/b", -EBUSY, &err));
	assert_int_equal(err.code, -EBUSY);
	assert_non_null(strstr(err.text, "(cgroup.subtree_control: memory pids)"));
	/* Other errors, and a cgroup that has gone, are none of its business. */
	err = (struct error){.code = -EPERM, .text = "as it was"};
	assert_false(cgroup_refuses(fake.rootfd, "/a/b", -EPERM, &err));
	assert_false(cgroup_refuses(fake.rootfd, "/a/gone", -EBUSY, &err));
	assert_string_equal(err.text, "as it was");
	fake_end(&fake);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_controllers),
	};

	return cmocka_run_group_tests_name("refusal", tests, NULL, NULL);
}
