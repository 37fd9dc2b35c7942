/* SPDX-License-Identifier: Apache-2.0 */
/* The pid file: digits only, whole or not at all. */
#include "container-internal.h"

#include "../base/unit.h"

static void test_write(void **state)
{
	const struct world *world = *state;
	_cleanup_free_ char *path = xasprintf("%s/pid", world->path);
	_cleanup_free_ char *first = NULL, *second = NULL;
	struct error err = ERROR_NONE;
	struct stat st;
	mode_t mask = umask(022);

	assert_fine(pid_file_write(path, 1234567, &err), err);
	umask(mask);
	first = get_file(world, "pid");
	assert_string_equal(first, "1234567");
	assert_int_equal(fstatat(world->fd, "pid", &st, 0), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0644);
	/* One that is there already is replaced whole. */
	assert_fine(pid_file_write(path, 1, &err), err);
	second = get_file(world, "pid");
	assert_string_equal(second, "1");
	assert_int_equal(faccessat(world->fd, ".pid.new", F_OK, 0), -1);
}

static int write_relative(void *argument)
{
	const struct world *world = argument;
	struct error err = ERROR_NONE;

	if (fchdir(world->fd) < 0 || pid_file_write("a pid", 7, &err) < 0 ||
	    pid_file_write("./dir/../b", 8, &err) < 0)
		return 1;
	pid_file_remove("b");
	return faccessat(world->fd, "b", F_OK, 0) == 0;
}

static void test_relative(void **state)
{
	const struct world *world = *state;
	_cleanup_free_ char *content = NULL;

	in_child(write_relative, *state);
	content = get_file(world, "a pid");
	assert_string_equal(content, "7");
}

static int write_nowhere(void *argument)
{
	const struct world *world = argument;
	struct error err = ERROR_NONE;

	put_directory(world, "gone");
	if (fchdir(world->fd) < 0 || chdir("gone") < 0 ||
	    unlinkat(world->fd, "gone", AT_REMOVEDIR) < 0)
		return 1;
	if (pid_file_write("pid", 7, &err) != -ENOENT)
		return 2;
	return !str_equal(err.text, "write the pid file \"pid\": No such file or directory");
}

static void test_refused(void **state)
{
	const struct world *world = *state;
	_cleanup_free_ char *missing = xasprintf("%s/no/pid", world->path);
	_cleanup_free_ char *below = xasprintf("%s/file/pid", world->path);
	_cleanup_free_ char *directory = xasprintf("%s/dir", world->path);
	_cleanup_free_ char *expected =
		xasprintf("write the pid file \"%s\": No such file or directory", missing);
	struct error err = ERROR_NONE;

	put_file(world, "file", "");
	put_directory(world, "dir");
	assert_failed(pid_file_write(missing, 1, &err), err, -ENOENT);
	assert_string_equal(err.text, expected);
	assert_failed(pid_file_write(below, 1, &err), err, -ENOTDIR);
	assert_failed(pid_file_write(directory, 1, &err), err, -EISDIR);
	assert_contains(err.text, directory);
	in_child(write_nowhere, *state);
}

/* A link is replaced: what it names is not written to. */
static void test_link(void **state)
{
	const struct world *world = *state;
	_cleanup_free_ char *path = xasprintf("%s/link", world->path);
	_cleanup_free_ char *target = NULL, *content = NULL;
	struct error err = ERROR_NONE;

	put_file(world, "target", "kept");
	put_link(world, "link", "target");
	assert_fine(pid_file_write(path, 9, &err), err);
	target = get_file(world, "target");
	content = get_file(world, "link");
	assert_string_equal(target, "kept");
	assert_string_equal(content, "9");
}

static void test_remove(void **state)
{
	const struct world *world = *state;
	_cleanup_free_ char *path = xasprintf("%s/pid", world->path);
	struct error err = ERROR_NONE;

	assert_fine(pid_file_write(path, 9, &err), err);
	pid_file_remove(path);
	assert_int_equal(faccessat(world->fd, "pid", F_OK, 0), -1);
	pid_file_remove(path);
	pid_file_remove(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(test_write), world_test(test_relative), world_test(test_refused),
		world_test(test_link),	world_test(test_remove),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
