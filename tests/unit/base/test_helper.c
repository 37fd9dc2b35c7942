/* SPDX-License-Identifier: Apache-2.0 */
#include "berth/base/helper.h"

#include "unit.h"

/* No installation has a program of this name. */
#define NAME "berth-unit-helper"

static void put_program(const struct world *world, const char *name, mode_t mode)
{
	put_file(world, name, "#!/bin/sh\n");
	assert_int_equal(fchmodat(world->fd, name, mode, 0), 0);
}

static char *path_in(const struct world *world, const char *name)
{
	return xasprintf("%s/%s", world->path, name);
}

static void test_it_lies_beside_the_program(void **state)
{
	const struct world *world = *state;
	_cleanup_free_ char *program = path_in(world, "own"), *expected = path_in(world, NAME);
	_cleanup_free_ char *found = NULL;
	struct error err = ERROR_NONE;

	put_program(world, "own", 0755);
	put_program(world, NAME, 0755);
	assert_fine(helper_path(program, NAME, "--x", &found, &err), err);
	assert_string_equal(found, expected);
}

static void test_what_is_missing_is_named_with_the_option(void **state)
{
	const struct world *world = *state;
	_cleanup_free_ char *program = path_in(world, "own");
	_cleanup_free_ char *found = NULL;
	struct error err = ERROR_NONE;

	put_program(world, "own", 0755);
	assert_failed(helper_path(program, NAME, "--network bridge", &found, &err), err, -ENOENT);
	assert_null(found);
	assert_contains(err.text, "--network bridge needs the program \"" NAME "\"");
	assert_contains(err.text, program);
	assert_contains(err.text, "sbin/" NAME "\"");
	assert_contains(err.text, "libexec/berth/" NAME "\"");
}

/* A link, a directory, and a file that cannot be executed, are no programs of ours. */
static void test_what_cannot_be_executed_is_none(void **state)
{
	const struct world *world = *state;
	_cleanup_free_ char *program = path_in(world, "own");
	_cleanup_free_ char *found = NULL;
	struct error err = ERROR_NONE;

	put_program(world, "own", 0755);
	put_program(world, NAME, 0644);
	assert_failed(helper_path(program, NAME, "--x", &found, &err), err, -ENOENT);
	assert_int_equal(unlinkat(world->fd, NAME, 0), 0);
	put_directory(world, NAME);
	err = (struct error)ERROR_NONE;
	assert_failed(helper_path(program, NAME, "--x", &found, &err), err, -ENOENT);
	assert_int_equal(unlinkat(world->fd, NAME, AT_REMOVEDIR), 0);
	put_link(world, NAME, "/bin/sh");
	err = (struct error)ERROR_NONE;
	assert_failed(helper_path(program, NAME, "--x", &found, &err), err, -ENOENT);
}

static void test_a_file_of_somebody_else_is_not_run(void **state)
{
	const struct world *world = *state;
	_cleanup_free_ char *program = path_in(world, "own");
	_cleanup_free_ char *found = NULL;
	struct error err = ERROR_NONE;

	if (geteuid() != 0)
		skip_because("files of others can be made by root only");
	put_program(world, "own", 0755);
	put_program(world, NAME, 0755);
	assert_int_equal(fchownat(world->fd, NAME, 1000, 1000, 0), 0);
	assert_failed(helper_path(program, NAME, "--x", &found, &err), err, -ENOENT);

	/* Who has the program itself may have this one as well, and root may always. */
	assert_int_equal(fchownat(world->fd, "own", 1000, 1000, 0), 0);
	assert_fine(helper_path(program, NAME, "--x", &found, &err), err);
	free(take_ptr(&found));
	assert_int_equal(fchownat(world->fd, NAME, 0, 0, 0), 0);
	assert_fine(helper_path(program, NAME, "--x", &found, &err), err);
}

/* The test program's own directory holds this very program. */
static void test_the_own_file_is_found_by_proc(void **state)
{
	_cleanup_free_ char *found = NULL;
	struct error err = ERROR_NONE;

	(void)state;
	if (!has_call(SYS_openat2))
		skip_because("valgrind is the program that runs");
	assert_fine(helper_path(/* program= */ NULL, "unit_base_helper", "--x", &found, &err), err);
	assert_contains(found, "/unit_base_helper");
	assert_int_equal(found[0], '/');
}

static void test_the_own_name_must_be_the_own_file(void **state)
{
	const struct world *world = *state;
	_cleanup_free_ char *link = NULL, *other = NULL, *own = NULL;
	char exe[256];
	ssize_t length = readlink("/proc/self/exe", exe, sizeof(exe) - 1);

	/* First, since skipping frees nothing. */
	if (!has_call(SYS_openat2))
		skip_because("valgrind is the program that runs");
	link = path_in(world, "link");
	other = path_in(world, "other");
	assert_true(length > 0);
	exe[length] = '\0';
	own = helper_own_program(exe);
	assert_non_null(own);
	assert_string_equal(own, exe);
	assert_int_equal(symlink(exe, link), 0);
	free(take_ptr(&own));
	own = helper_own_program(link);
	assert_non_null(own);
	put_program(world, "other", 0755);
	assert_null(helper_own_program(other));
	assert_null(helper_own_program("unit_base_helper"));
	assert_null(helper_own_program("/no/such/file"));
	assert_null(helper_own_program(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(test_it_lies_beside_the_program),
		world_test(test_what_is_missing_is_named_with_the_option),
		world_test(test_what_cannot_be_executed_is_none),
		world_test(test_a_file_of_somebody_else_is_not_run),
		cmocka_unit_test(test_the_own_file_is_found_by_proc),
		world_test(test_the_own_name_must_be_the_own_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
