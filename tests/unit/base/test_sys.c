/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The raw system calls: each answers with its result or with negative errno, never with -1 and
 * errno. Arguments that the kernel must refuse show that the right call was made: each call checks
 * its arguments in an order of its own.
 */
#include <linux/bpf.h>
#include <linux/close_range.h>
#include <linux/seccomp.h>
#include <sys/mount.h>

#include "berth/base/sys.h"

#include "unit.h"

#define refused(call, expected)                                                                    \
	do {                                                                                       \
		int r_ = (call);                                                                   \
		if (r_ == -ENOSYS)                                                                 \
			print_message("%s: not in this kernel or valgrind\n", #call);              \
		else if (r_ != (expected))                                                         \
			fail_msg("%s: %d instead of %d", #call, r_, (expected));                   \
	} while (0)

static void test_files(void **state)
{
	struct open_how how = {.flags = O_RDONLY | O_CLOEXEC}, strange = {.resolve = 1u << 31};

	(void)state;
	refused(sys_openat2(AT_FDCWD, "/no/such", &how), -ENOENT);
	refused(sys_openat2(AT_FDCWD, "/", &strange), -EINVAL);
	refused(sys_close_range(5, 4, 0), -EINVAL);
	refused(sys_close_range(5, 4, 1u << 31), -EINVAL);
}

static void test_processes(void **state)
{
	const char *const argv[] = {"x", NULL}, *const envp[] = {NULL};
	struct clone_args args = {.exit_signal = 1000};

	(void)state;
	refused(sys_clone3(&args), -EINVAL);
	refused(sys_pidfd_open(-1, 0), -EINVAL);
	refused(sys_pidfd_open(getpid(), 1u << 31), -EINVAL);
	refused(sys_pidfd_send_signal(-1, 0), -EBADF);
	refused(sys_execveat(AT_FDCWD, "/no/such", argv, envp, 0), -ENOENT);
	refused(sys_execveat(-1, "x", argv, envp, 0), -EBADF);
}

static void test_mounts(void **state)
{
	struct mount_attr attributes = {.attr_set = 0};

	(void)state;
	if (geteuid() != 0)
		skip_because("the kernel asks for root first");
	refused(sys_open_tree(AT_FDCWD, "/no/such", 0), -ENOENT);
	refused(sys_open_tree(AT_FDCWD, "/", 1u << 31), -EINVAL);
	refused(sys_move_mount(-1, "x", -1, "y", 0), -EBADF);
	refused(sys_move_mount(-1, "x", -1, "y", 1u << 31), -EINVAL);
	refused(sys_fsopen("no-such-file-system", 0), -ENODEV);
	refused(sys_fsconfig(-1, FSCONFIG_SET_FLAG, "ro", NULL, 0), -EINVAL);
	refused(sys_fsmount(-1, 0, 0), -EBADF);
	refused(sys_fsmount(-1, 1u << 31, 0), -EINVAL);
	refused(sys_mount_setattr(AT_FDCWD, "/no/such", 0, &attributes), 0);
	attributes.attr_set = MOUNT_ATTR_RDONLY;
	refused(sys_mount_setattr(AT_FDCWD, "/no/such", 0, &attributes), -ENOENT);
	refused(sys_pivot_root("/no/such", "/no/such"), -ENOENT);
}

/* What is opened by these is close-on-exec without being asked to be. */
static void test_cloexec(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip_because("the kernel asks for root first");
	{
		_cleanup_fd_ int tree = sys_open_tree(AT_FDCWD, "/", 0);
		_cleanup_fd_ int fs = sys_fsopen("tmpfs", 0);
		_cleanup_fd_ int mount = -EBADF;

		if (tree == -ENOSYS)
			skip_because("these calls are not in this kernel or valgrind");
		assert_int_equal(fcntl(tree, F_GETFD), FD_CLOEXEC);
		assert_int_equal(fcntl(fs, F_GETFD), FD_CLOEXEC);
		assert_int_equal(sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0), 0);
		mount = sys_fsmount(fs, 0, 0);
		assert_int_equal(fcntl(mount, F_GETFD), FD_CLOEXEC);
	}
}

static void test_others(void **state)
{
	(void)state;
	refused(sys_bpf(-1, NULL, 0), -EINVAL);
	refused(sys_seccomp(1000, 0, NULL), -EINVAL);
	refused(sys_keyctl(1000, 0, 0, 0), -EOPNOTSUPP);
}

static int change_ids(void *argument)
{
	const gid_t groups[] = {4001, 4002};
	gid_t found[4];
	uid_t a, b, c;

	(void)argument;
	if (sys_setgroups(2, groups) != 0 || getgroups(4, found) != 2 || found[1] != 4002)
		return 1;
	if (sys_setresgid(4003) != 0 || getresgid(&a, &b, &c) != 0 || a != 4003 || b != a || c != a)
		return 2;
	if (sys_setresuid(4004) != 0 || getresuid(&a, &b, &c) != 0 || a != 4004 || b != a || c != a)
		return 3;
	/* The rights are gone. */
	if (sys_setresuid(0) != -EPERM || sys_setresgid(0) != -EPERM)
		return 4;
	return sys_setgroups(0, NULL) == -EPERM ? 0 : 5;
}

static void test_ids(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip_because("changing ids needs root");
	in_child(change_ids, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(test_files),	  world_test(test_processes), world_test(test_mounts),
		world_test(test_cloexec), world_test(test_others),    world_test(test_ids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
