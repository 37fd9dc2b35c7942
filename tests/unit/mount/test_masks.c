/* SPDX-License-Identifier: Apache-2.0 */
/* Masked and read-only paths. */
#include "world.h"

static int mask_all(const char *const *masked, const char *const *readonly)
{
	world.spec.linux.masked_paths = masked;
	world.spec.linux.readonly_paths = readonly;
	return mount_masks(&world.context, &world.spec, &world.err);
}

static void make_tree(void)
{
	make_dir(at("root/a"));
	make_dir(at("root/b"));
	make_dir(at("root/b/c"));
	make_file(at("root/a/file"), "secret");
	make_file(at("root/b/file"), "secret");
	make_file(at("root/b/c/file"), "secret");
	make_file(at("root/file"), "secret");
}

static void check_empty_readonly(const char *path, dev_t *ret_device)
{
	struct stat st;

	CHECK(rmdir(path) < 0 && errno == EBUSY);
	CHECK(stat(path, &st) == 0 && S_ISDIR(st.st_mode) && st.st_nlink == 2);
	CHECK((mount_flags(path) & (ST_RDONLY | ST_NOSUID | ST_NODEV | ST_NOEXEC)) ==
	      (ST_RDONLY | ST_NOSUID | ST_NODEV | ST_NOEXEC));
	*ret_device = st.st_dev;
}

/* Files and directories in any order, some of them missing, some beneath a masked one. */
static void check_mix(void)
{
	const char *const masked[] = {
		"/none", "/a", "/file", "/file/below", "/b/file", "/b/c", "/a/file", NULL,
	};
	dev_t first, second;
	struct stat st;
	int before;

	make_tree();
	attach_root();
	before = count_fds();
	CHECK_OK(mask_all(masked, NULL));
	CHECK(count_fds() == before);
	check_empty_readonly(at("root/a"), &first);
	check_empty_readonly(at("root/b/c"), &second);
	/* One tmpfs for all. */
	CHECK(first == second);
	CHECK(stat(at("root/file"), &st) == 0);
	CHECK(S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3));
	CHECK(stat(at("root/b/file"), &st) == 0 && S_ISCHR(st.st_mode));
	CHECK(!exists(at("root/a/file")));
}

static void test_mix(void **state)
{
	(void)state;
	run_in_world(0, check_mix);
	run_in_world(CLONE_NEWUSER, check_mix);
}

/* Read-only with everything beneath; other flags stay; what is masked stays masked. */
static void check_readonly(void)
{
	const char *const masked[] = {"/b/c", NULL};
	const char *const readonly[] = {"/a", "/b", "/file", "/none", NULL};

	make_tree();
	CHECK(mount("below", at("root/a"), "tmpfs", MS_NOSUID | MS_NODEV, NULL) == 0);
	make_dir(at("root/a/deep"));
	CHECK(mount("deep", at("root/a/deep"), "tmpfs", MS_NOEXEC, NULL) == 0);
	attach_root();
	CHECK_OK(mask_all(masked, readonly));
	CHECK((mount_flags(at("root/a")) & (ST_RDONLY | ST_NOSUID | ST_NODEV | ST_NOEXEC)) ==
	      (ST_RDONLY | ST_NOSUID | ST_NODEV));
	CHECK((mount_flags(at("root/a/deep")) & (ST_RDONLY | ST_NOEXEC | ST_NODEV)) ==
	      (ST_RDONLY | ST_NOEXEC));
	CHECK(file_begins(at("root/b/file"), "secret"));
	CHECK(open(at("root/b/file"), O_WRONLY | O_CLOEXEC) < 0 && errno == EROFS);
	CHECK(open(at("root/file"), O_WRONLY | O_CLOEXEC) < 0 && errno == EROFS);
	CHECK(!exists(at("root/b/c/file")));
	CHECK(!(mount_flags(world.root) & ST_RDONLY));
}

static void test_readonly(void **state)
{
	(void)state;
	run_in_world(0, check_readonly);
	run_in_world(CLONE_NEWUSER, check_readonly);
}

/* A link that leads round in circles is no missing path. */
static void check_loop(void)
{
	const char *const paths[] = {"/loop", NULL};

	CHECK(symlink("loop", at("root/loop")) == 0);
	attach_root();
	CHECK_FAILS(mask_all(paths, NULL), "linux.maskedPaths[0]: mask \"/loop\": ");
	CHECK_FAILS(mask_all(NULL, paths), "linux.readonlyPaths[0]: make \"/loop\" read-only: ");
}

static void test_loop(void **state)
{
	(void)state;
	run_in_world(0, check_loop);
}

/* Where the host's /dev/null is something else, nothing is masked with it. */
static void check_false_null(void)
{
	const char *const paths[] = {"/file", NULL};

	make_tree();
	attach_root();
	CHECK(mount("dev", "/dev", "tmpfs", 0, NULL) == 0);
	make_file("/dev/null", "not empty");
	CHECK_FAILS(mask_all(paths, NULL), "the host's /dev/null is not the null device");
}

static void test_false_null(void **state)
{
	(void)state;
	run_in_world(0, check_false_null);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mix),
		cmocka_unit_test(test_readonly),
		cmocka_unit_test(test_loop),
		cmocka_unit_test(test_false_null),
	};

	return cmocka_run_group_tests_name("masks", tests, NULL, NULL);
}
