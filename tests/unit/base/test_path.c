/* SPDX-License-Identifier: Apache-2.0 */
/* Host paths as text. */
#include "berth/base/path.h"

#include "unit.h"

static void test_join(void **state)
{
	static const struct {
		const char *base, *path, *expected;
	} cases[] = {
		{"/", "", "/"},
		{"/", ".", "/"},
		{"/", "..", "/"},
		{"/", "/", "/"},
		{"/", "a", "/a"},
		{"/a", "", "/a"},
		{"/a/", "b", "/a/b"},
		{"/a", "b/", "/a/b"},
		{"/a", "/b", "/b"},
		{"/a", "//b", "/b"},
		{"/a//b", "c//d", "/a/b/c/d"},
		{"/a/./b", "./c/.", "/a/b/c"},
		{"/a/b", "../c", "/a/c"},
		{"/a/b", "../../c", "/c"},
		{"/a/b", "../../../../c", "/c"},
		{"/a/../b", "c", "/b/c"},
		{"/a", "b/..", "/a"},
		{"/a", "b/../..", "/"},
		{"/a", "b/../../..", "/"},
		{"/a", "..b", "/a/..b"},
		{"/a", "b..", "/a/b.."},
		{"/a", "...", "/a/..."},
		{"/a", ".b", "/a/.b"},
		{"/a", "b.", "/a/b."},
		{"/a", "/b/./../c/", "/c"},
		{"/a", "/..//../b///", "/b"},
		{"/..", "a", "/a"},
		{"//", "//", "/"},
		{"/a b", "c\nd", "/a b/c\nd"},
		{"/ä", "\xff", "/ä/\xff"},
		{"", "a", "/a"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *joined = path_join(cases[i].base, cases[i].path);

		if (!str_equal(joined, cases[i].expected))
			fail_msg("\"%s\" and \"%s\" make \"%s\"", cases[i].base, cases[i].path,
				 joined);
	}
}

/* Paths have any length. */
static void test_long(void **state)
{
	_cleanup_buf_ struct buf path = BUF_EMPTY;
	_cleanup_free_ char *joined = NULL, *up = NULL;

	(void)state;
	for (int i = 0; i < 5000; i++)
		buf_add_string(&path, "/component");
	joined = path_join("/ignored", path.data);
	assert_string_equal(joined, path.data);
	for (int i = 0; i < 5000; i++)
		buf_add_string(&path, "/..");
	up = path_join("/", path.data);
	assert_string_equal(up, "/");
}

static void test_absolute(void **state)
{
	_cleanup_free_ char *cwd = getcwd(NULL, 0), *here = path_absolute(".");
	_cleanup_free_ char *file = path_absolute("x/../y"), *other = path_absolute("/a/../b");
	_cleanup_free_ char *expected = path_join(cwd, "y");

	(void)state;
	assert_string_equal(here, cwd);
	assert_string_equal(file, expected);
	assert_string_equal(other, "/b");
}

static int look_from_nowhere(void *argument)
{
	struct world *world = argument;
	_cleanup_free_ char *absolute = NULL;

	put_directory(world, "gone");
	if (fchdir(world->fd) < 0 || chdir("gone") < 0 ||
	    unlinkat(world->fd, "gone", AT_REMOVEDIR) < 0)
		return 1;
	errno = 0;
	if (path_absolute("x") || errno != ENOENT)
		return 2;
	absolute = path_absolute("/x");
	return absolute && str_equal(absolute, "/x") ? 0 : 3;
}

/* A working directory that was removed. */
static void test_no_directory(void **state)
{
	in_child(look_from_nowhere, *state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_join),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_absolute),
		world_test(test_no_directory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
