/* SPDX-License-Identifier: Apache-2.0 */
/* Where the cgroup of a user's container is, and what it has in common with his own. */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "berth/base/alloc.h"
#include "berth/base/fd.h"
#include "berth/base/proc.h"
#include "berth/cgroup/cgroup.h"

#include "cgroup-internal.h"
#include "fake.h"

static void test_common_depth(void **state)
{
	static const struct {
		const char *a, *b;
		unsigned depth;
	} cases[] = {
		{"/", "/a", 0},	       {"/a", "/a", 1},		{"/a", "/a/b", 1},
		{"/own", "/own2", 0},  {"/own/x", "/own/y", 1}, {"/ab/c", "/a/c", 0},
		{"/a/b/c", "/a/b", 2}, {"/a/bc", "/a/b", 1},	{"/a/b/x/y", "/a/b/z", 2},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(cgroup_common_depth(cases[i].a, cases[i].b), cases[i].depth);
		assert_int_equal(cgroup_common_depth(cases[i].b, cases[i].a), cases[i].depth);
	}
}

/* What is absolute stays where it is; the rest is below the own cgroup. */
static void test_path_of_user(void **state)
{
	_cleanup_free_ char *given = NULL, *usual = NULL, *relative = NULL, *refused = NULL;
	struct error err = ERROR_NONE;
	_cleanup_fd_ int procfd = proc_open(&err);

	(void)state;
	assert_true(procfd >= 0);
	assert_int_equal(cgroup_path_of_user(procfd, "/a//b", "one", false, &given, &err), 0);
	assert_string_equal(given, "/a/b");
	free(take_ptr(&given)); /* skip() returns to nobody who would do it */
	/* Not every machine that builds has cgroup v2. */
	if (cgroup_path_of_user(procfd, NULL, "one", false, &usual, &err) < 0)
		skip();
	assert_string_equal(strrchr(usual, '/'), "/berth-one");
	assert_int_equal(cgroup_path_of_user(procfd, "c/d", "one", false, &relative, &err), 0);
	assert_true(str_equal(relative + strlen(relative) - 4, "/c/d"));
	assert_int_equal(cgroup_path_of_user(procfd, "../x", "one", false, &refused, &err),
			 -EINVAL);
	assert_non_null(strstr(err.text, "linux.cgroupsPath: "));
}

static void test_limit_asked(void **state)
{
	struct spec_unified unified = {.file = "pids.max", .value = "10"};
	struct spec_resources resources = {.unified = NULL};
	_cleanup_free_ char *field = NULL;

	(void)state;
	assert_null(cgroup_limit_asked(&resources));
	resources.unified = &unified;
	resources.unified_count = 1;
	field = cgroup_limit_asked(&resources);
	assert_string_equal(field, "linux.resources.unified[\"pids.max\"]");
}

static uid_t owner_of(const struct fake *fake, const char *name)
{
	struct stat st;

	assert_int_equal(fstatat(fake->rootfd, name, &st, AT_SYMLINK_NOFOLLOW), 0);
	return st.st_uid;
}

/* Files that are not listed stay the maker's, and those that are not there are no error. */
static void test_give(void **state)
{
	struct error err = ERROR_NONE;
	struct fake fake;
	int cgroupfd;

	(void)state;
	if (geteuid() != 0)
		skip();
	fake_begin(&fake);
	fake_cgroup(&fake, "c", "");
	fake_file(&fake, "c/memory.max", "max\n");
	fake_file(&fake, "outside", "");
	cgroupfd = openat(fake.rootfd, "c", CGROUP_OPEN_FLAGS);
	assert_true(cgroupfd >= 0);
	assert_int_equal(cgroup_give(cgroupfd,
				     "cgroup.procs\nno.such.file\n../outside\n"
				     "cgroup.subtree_control",
				     4242, &err),
			 0);
	close(cgroupfd);
	assert_int_equal(owner_of(&fake, "c"), 4242);
	assert_int_equal(owner_of(&fake, "c/cgroup.procs"), 4242);
	assert_int_equal(owner_of(&fake, "c/cgroup.subtree_control"), 4242);
	assert_int_equal(owner_of(&fake, "c/cgroup.events"), 0);
	assert_int_equal(owner_of(&fake, "c/memory.max"), 0);
	assert_int_equal(owner_of(&fake, "outside"), 0);
	fake_end(&fake);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_common_depth),
		cmocka_unit_test(test_path_of_user),
		cmocka_unit_test(test_limit_asked),
		cmocka_unit_test(test_give),
	};

	return cmocka_run_group_tests_name("delegation", tests, NULL, NULL);
}
