/* SPDX-License-Identifier: Apache-2.0 */
/* Profiles and labels: what is written where, on a tree that looks like procfs. */
#include "berth/base/str.h"
#include "berth/linux/lsm.h"

#include "unit.h"

static const struct spec_process process = {
	.apparmor_profile = "container-default",
	.selinux_label = "system_u:system_r:container_t:s0:c1,c2",
};

/* A directory with "self" and the two files of process 42. Returns its descriptor. */
static int make_tree(char directory[static 64])
{
	static const char *const directories[] = {"42", "42/attr", "42/attr/apparmor"};
	static const char *const files[] = {"42/attr/exec", "42/attr/apparmor/exec",
					    "42/attr/keycreate"};
	int fd;

	snprintf(directory, 64, "/tmp/unit-lsm-XXXXXX");
	assert_non_null(mkdtemp(directory));
	fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(symlinkat("42", fd, "self"), 0);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(mkdirat(fd, directories[i], 0755), 0);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		fd_close(openat(fd, files[i], O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
	return fd;
}

static void remove_tree(int fd, const char *directory)
{
	static const char *const names[] = {"42/attr/exec", "42/attr/apparmor/exec",
					    "42/attr/keycreate", "self"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		unlinkat(fd, names[i], 0);
	unlinkat(fd, "42/attr/apparmor", AT_REMOVEDIR);
	unlinkat(fd, "42/attr", AT_REMOVEDIR);
	unlinkat(fd, "42", AT_REMOVEDIR);
	fd_close(fd);
	rmdir(directory);
}

static void assert_content(int dirfd, const char *name, const char *expected)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_fd_ int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC);
	struct error err = ERROR_NONE;

	assert_int_equal(file_read_fd(fd, name, 4096, &text, NULL, &err), 0);
	assert_string_equal(text, expected);
}

/* Opens and applies for @active modules, and returns what was opened. */
static struct lsm_exec apply(int procfd, unsigned active)
{
	struct lsm_exec files = LSM_EXEC_UNSET;
	struct error err = ERROR_NONE;

	assert_int_equal(lsm_open(procfd, &process, active, &files, &err), 0);
	assert_int_equal(lsm_apply(&files, &process, &err), 0);
	fd_close(files.apparmor);
	fd_close(files.selinux);
	return files;
}

static void test_apparmor(void **state)
{
	char directory[64];
	int fd;

	(void)state;
	needs_kernel();
	fd = make_tree(directory);
	assert_true(apply(fd, LSM_APPARMOR).selinux < 0);
	assert_content(fd, "42/attr/apparmor/exec", "exec container-default");
	assert_content(fd, "42/attr/exec", "");
	remove_tree(fd, directory);
}

static void test_selinux(void **state)
{
	char directory[64];
	int fd;

	(void)state;
	needs_kernel();
	fd = make_tree(directory);
	assert_true(apply(fd, LSM_SELINUX).apparmor < 0);
	assert_content(fd, "42/attr/exec", process.selinux_label);
	assert_content(fd, "42/attr/apparmor/exec", "");
	remove_tree(fd, directory);
}

static void test_inactive_and_unset(void **state)
{
	const struct spec_process plain = {.apparmor_profile = "", .selinux_label = NULL};
	struct lsm_exec files = LSM_EXEC_UNSET;
	struct error err = ERROR_NONE;

	(void)state;
	/* Nothing is opened: the directory need not exist. */
	assert_int_equal(lsm_open(-1, &process, 0, &files, &err), 0);
	assert_true(files.apparmor < 0 && files.selinux < 0);
	assert_int_equal(lsm_open(-1, &plain, LSM_APPARMOR | LSM_SELINUX, &files, &err), 0);
	assert_true(files.apparmor < 0 && files.selinux < 0);
	assert_int_equal(lsm_apply(&files, &plain, &err), 0);
}

static void test_keys(void **state)
{
	const struct spec_process plain = {.selinux_label = NULL};
	struct error err = ERROR_NONE;
	char directory[64];
	int fd;

	(void)state;
	needs_kernel();
	fd = make_tree(directory);
	assert_int_equal(lsm_label_keys(fd, &process, LSM_APPARMOR, &err), 0);
	assert_int_equal(lsm_label_keys(fd, &plain, LSM_SELINUX, &err), 0);
	assert_int_equal(lsm_label_keys(fd, NULL, LSM_SELINUX, &err), 0);
	assert_content(fd, "42/attr/keycreate", "");
	assert_int_equal(lsm_label_keys(fd, &process, LSM_SELINUX, &err), 0);
	assert_content(fd, "42/attr/keycreate", process.selinux_label);
	unlinkat(fd, "42/attr/keycreate", 0);
	assert_int_equal(lsm_label_keys(fd, &process, LSM_SELINUX, &err), -ENOENT);
	assert_non_null(strstr(err.text, "process.selinuxLabel"));
	remove_tree(fd, directory);
}

static void test_mount_option(void **state)
{
	const struct spec_linux none = {.mount_context = "context"};
	const struct spec_linux given = {.mount_context = "fscontext", .mount_label = "u:r:t:s0"};
	_cleanup_free_ char *option = lsm_mount_option(&given, LSM_SELINUX);

	(void)state;
	assert_string_equal(option, "fscontext=u:r:t:s0");
	assert_null(lsm_mount_option(&none, LSM_SELINUX));
	assert_null(lsm_mount_option(&given, LSM_APPARMOR));
}

/* A link in the place of the file must not lead the write elsewhere. */
static void test_redirected(void **state)
{
	struct lsm_exec files = LSM_EXEC_UNSET;
	struct error err = ERROR_NONE;
	char directory[64];
	int fd;

	(void)state;
	needs_kernel();
	fd = make_tree(directory);
	unlinkat(fd, "42/attr/apparmor/exec", 0);
	assert_int_equal(symlinkat("../exec", fd, "42/attr/apparmor/exec"), 0);
	assert_int_equal(lsm_open(fd, &process, LSM_APPARMOR, &files, &err), -ELOOP);
	assert_non_null(strstr(err.text, "process.apparmorProfile"));
	remove_tree(fd, directory);
}

static void test_refused_write(void **state)
{
	struct lsm_exec files = {.apparmor = open("/dev/null", O_RDONLY | O_CLOEXEC),
				 .selinux = -EBADF};
	struct error err = ERROR_NONE;

	(void)state;
	assert_int_equal(lsm_apply(&files, &process, &err), -EBADF);
	assert_non_null(strstr(err.text, "`/proc/self/attr/apparmor/exec`"));
	assert_non_null(strstr(err.text, "container-default"));
	fd_close(files.apparmor);
	files = (struct lsm_exec){.apparmor = -EBADF,
				  .selinux = open("/dev/full", O_WRONLY | O_CLOEXEC)};
	assert_int_equal(lsm_apply(&files, &process, &err), -ENOSPC);
	assert_non_null(strstr(err.text, "process.selinuxLabel"));
	fd_close(files.selinux);
}

static void test_check(void **state)
{
	struct error err = ERROR_NONE;
	unsigned active = 7;

	(void)state;
	assert_int_equal(lsm_check(NULL, NULL, &active, &err), 0);
	assert_int_equal(active, 0);
	assert_int_equal(lsm_check(&process, NULL, &active, &err), 0);
	assert_int_equal(active & ~(LSM_APPARMOR | LSM_SELINUX), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_apparmor),
		cmocka_unit_test(test_selinux),
		cmocka_unit_test(test_inactive_and_unset),
		cmocka_unit_test(test_redirected),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_mount_option),
		cmocka_unit_test(test_refused_write),
		cmocka_unit_test(test_check),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
