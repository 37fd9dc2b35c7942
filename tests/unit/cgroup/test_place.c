/* SPDX-License-Identifier: Apache-2.0 */
/* Paths of cgroups, and where the hierarchy is. */
#include <errno.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>

#include "berth/base/alloc.h"
#include "berth/base/fd.h"
#include "berth/base/proc.h"
#include "berth/cgroup/cgroup.h"

#include "cgroup-internal.h"
#include "fake.h"
#include "limits-internal.h"

static void test_path_of(void **state)
{
	static const struct {
		const char *asked;
		const char *path; /* NULL: refused */
		const char *text;
	} cases[] = {
		{NULL, "/berth-one", NULL},
		{"", "/berth-one", NULL},
		{"/a/b", "/a/b", NULL},
		{"a/b", "/a/b", NULL},
		{"//a///b/./c/", "/a/b/c", NULL},
		{"/machine.slice:x/y:z", "/machine.slice:x/y:z", NULL},
		{"a:b", "/a:b", NULL},
		{"/a/..", NULL, "linux.cgroupsPath: \"/a/..\": \"..\" is not allowed"},
		{"..", NULL, "linux.cgroupsPath: \"..\": \"..\" is not allowed"},
		{"/", NULL,
		 "linux.cgroupsPath: \"/\": the root of the hierarchy is no place for a "
		 "container"},
		{"./.", NULL,
		 "linux.cgroupsPath: \"./.\": the root of the hierarchy is no place for a "
		 "container"},
		{"system.slice:berth:one", NULL,
		 "linux.cgroupsPath: \"system.slice:berth:one\" is the form of the systemd "
		 "driver; the cgroupfs driver takes a path"},
		{"/a\nb", NULL,
		 "linux.cgroupsPath: \"/a\nb\": the kernel allows no line break in a cgroup's "
		 "name"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *path = NULL;
		struct error err = ERROR_NONE;
		int r = cgroup_path_of(cases[i].asked, "one", &path, &err);

		assert_int_equal(r, cases[i].path ? 0 : -EINVAL);
		if (cases[i].path)
			assert_string_equal(path, cases[i].path);
		else
			assert_string_equal(err.text, cases[i].text);
	}
}

/* A path of @length bytes in components of @component bytes; test_free() it. */
static char *long_path(size_t length, size_t component)
{
	char *path = test_malloc(length + 1);

	memset(path, 'x', length);
	path[length] = '\0';
	for (size_t i = 0; i < length; i += component + 1)
		path[i] = '/';
	return path;
}

static void test_path_length(void **state)
{
	static const struct {
		size_t length;
		size_t component;
		bool fine;
	} cases[] = {
		{256, 255, true},
		{257, 256, false},
		{4000, 100, true},
		{4001, 101, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char *asked = long_path(cases[i].length, cases[i].component);
		_cleanup_free_ char *path = NULL;
		struct error err = ERROR_NONE;

		assert_int_equal(cgroup_path_of(asked, "one", &path, &err),
				 cases[i].fine ? 0 : -EINVAL);
		test_free(asked);
	}
}

static void test_path_check(void **state)
{
	static const char *const bad[] = {"a", "/a/", "//a", "/a/../b", "/", "", "/./a"};
	struct error err = ERROR_NONE;

	(void)state;
	assert_int_equal(cgroup_path_check("/a/b", &err), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(cgroup_path_check(bad[i], &err), -EINVAL);
		assert_int_equal(cgroup_open(-1, bad[i], &err), -EINVAL);
		assert_int_equal(cgroup_kill(-1, bad[i], &err), -EINVAL);
		assert_int_equal(cgroup_destroy(-1, bad[i], 0, 0, &err), -EINVAL);
	}
}

static void test_prefix(void **state)
{
	static const char *const prefixes[] = {"/", "/a", "/a/bc", "/a/bc/d"};

	(void)state;
	assert_int_equal(cgroup_path_depth("/a/bc/d"), 3);
	for (unsigned i = 0; i < ARRAY_SIZE(prefixes); i++) {
		_cleanup_free_ char *prefix = cgroup_path_prefix("/a/bc/d", i);

		assert_string_equal(prefix, prefixes[i]);
	}
}

static void test_existing_depth(void **state)
{
	struct error err = ERROR_NONE;
	struct fake fake;
	unsigned depth = 9;

	(void)state;
	if (kernel_is_hidden())
		skip();
	fake_begin(&fake);
	assert_int_equal(mkdirat(fake.rootfd, "a", 0755), 0);
	assert_int_equal(mkdirat(fake.rootfd, "a/b", 0755), 0);
	assert_int_equal(symlinkat("a", fake.rootfd, "link"), 0);
	fake_file(&fake, "file", "");
	assert_int_equal(cgroup_existing_depth(fake.rootfd, "/a/b/c/d", &depth, &err), 0);
	assert_int_equal(depth, 2);
	assert_int_equal(cgroup_existing_depth(fake.rootfd, "/a/b", &depth, &err), 0);
	assert_int_equal(depth, 2);
	assert_int_equal(cgroup_existing_depth(fake.rootfd, "/x/b", &depth, &err), 0);
	assert_int_equal(depth, 0);
	assert_int_equal(cgroup_existing_depth(fake.rootfd, "/link/b", &depth, &err), -ELOOP);
	assert_int_equal(cgroup_existing_depth(fake.rootfd, "/file", &depth, &err), -ENOTDIR);
	assert_int_equal(depth, 0);
	fake_end(&fake);
}

static void test_open_root(void **state)
{
	struct error err = ERROR_NONE;
	_cleanup_fd_ int procfd = proc_open(&err);
	_cleanup_fd_ int fd = -EBADF;
	struct statfs fs;

	(void)state;
	assert_true(procfd >= 0);
	fd = cgroup_open_root(procfd, &err);
	if (fd == -ENODEV) {
		assert_string_equal(err.text, "no cgroup v2 file system is mounted");
		skip();
	}
	assert_true(fd >= 0);
	assert_int_equal(fstatfs(fd, &fs), 0);
	assert_int_equal(fs.f_type, CGROUP2_SUPER_MAGIC);
}

static void test_word_listed(void **state)
{
	(void)state;
	assert_true(word_listed("cpu memory pids\n", "cpu"));
	assert_true(word_listed("cpu memory pids\n", "pids"));
	assert_false(word_listed("cpuset memory\n", "cpu"));
	assert_false(word_listed("cpu", "cpuset"));
	assert_false(word_listed("", "cpu"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_path_of),	       cmocka_unit_test(test_path_length),
		cmocka_unit_test(test_path_check),     cmocka_unit_test(test_prefix),
		cmocka_unit_test(test_existing_depth), cmocka_unit_test(test_open_root),
		cmocka_unit_test(test_word_listed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
