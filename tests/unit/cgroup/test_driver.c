/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making and ending real cgroups, below one of our own in the host's hierarchy. Where none can be
 * made (no cgroup v2, no right to), the tests are skipped.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "berth/base/alloc.h"
#include "berth/base/clock.h"
#include "berth/base/fd.h"
#include "berth/base/proc.h"
#include "berth/base/root.h"
#include "berth/base/sys.h"
#include "berth/cgroup/cgroup.h"

#include "cgroup-internal.h"
#include "unit.h"

#define TIMEOUT_MS 5000

/* Deeper than the descriptors that the test allows. */
#define NESTING		150
#define DESCRIPTORS_MAX 40

struct place {
	int rootfd;
	char *top; /* "/berth-unit-PID" */
};

static const struct spec_resources nothing = {.device_rule_count = 0};

static int setup(void **state)
{
	struct error err = ERROR_NONE;
	_cleanup_fd_ int procfd = proc_open(&err);
	struct place *place = xcalloc(1, sizeof(*place));

	*state = place;
	place->rootfd = -1;
	if (procfd >= 0 && !kernel_is_hidden())
		place->rootfd = cgroup_open_root(procfd, &err);
	place->top = xasprintf("/berth-unit-%d", (int)getpid());
	if (place->rootfd >= 0 && mkdirat(place->rootfd, place->top + 1, 0755) < 0) {
		close(place->rootfd);
		place->rootfd = -1;
	}
	return 0;
}

static int teardown(void **state)
{
	struct place *place = *state;
	struct error err = ERROR_NONE;
	int r = 0;

	if (place->rootfd >= 0)
		r = cgroup_destroy(place->rootfd, place->top, 0, TIMEOUT_MS, &err);
	if (r < 0)
		print_error("%s\n", err.text);
	if (place->rootfd >= 0)
		close(place->rootfd);
	free(place->top);
	free(place);
	return r;
}

static struct place *place_of(void **state)
{
	struct place *place = *state;

	if (place->rootfd < 0)
		skip();
	return place;
}

static char *below(const struct place *place, const char *path)
{
	return xasprintf("%s%s", place->top, path);
}

static bool exists(const struct place *place, const char *path)
{
	_cleanup_fd_ int fd = root_try_open(place->rootfd, path, ROOT_NO_XDEV, O_PATH);

	return fd >= 0;
}

/* A child in the cgroup that waits to be killed. */
static pid_t start_in(int cgroupfd)
{
	struct clone_args args = {
		.flags = CLONE_INTO_CGROUP,
		.exit_signal = SIGCHLD,
		.cgroup = (uint64_t)cgroupfd,
	};
	pid_t pid = sys_clone3(&args);

	if (pid == 0) {
		for (;;)
			pause();
	}
	assert_true(pid > 0);
	return pid;
}

static void expect_signal(pid_t pid, int signal)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), signal);
}

static void expect_killed(pid_t pid)
{
	expect_signal(pid, SIGKILL);
}

static int make_ok(const struct place *place, const char *path)
{
	struct error err = ERROR_NONE;
	int fd = cgroup_make(place->rootfd, path, &nothing, &err);

	if (fd < 0)
		fail_msg("%s", err.text);
	return fd;
}

static void destroy_ok(const struct place *place, const char *path, unsigned keep)
{
	struct error err = ERROR_NONE;

	if (cgroup_destroy(place->rootfd, path, keep, TIMEOUT_MS, &err) < 0)
		fail_msg("%s", err.text);
}

static void test_make_and_remove(void **state)
{
	struct place *place = place_of(state);
	_cleanup_free_ char *path = below(place, "/a/b/c");
	_cleanup_free_ char *middle = below(place, "/a");
	struct error err = ERROR_NONE;
	unsigned depth;

	assert_int_equal(cgroup_existing_depth(place->rootfd, path, &depth, &err), 0);
	assert_int_equal(depth, 1);
	close(make_ok(place, path));
	assert_true(exists(place, path));
	destroy_ok(place, path, depth);
	assert_false(exists(place, middle));
	assert_true(exists(place, place->top));
	/* Once more: what is gone is fine. */
	destroy_ok(place, path, depth);
}

static void test_parent_in_use(void **state)
{
	struct place *place = place_of(state);
	_cleanup_free_ char *one = below(place, "/p/one");
	_cleanup_free_ char *two = below(place, "/p/two");
	_cleanup_free_ char *parent = below(place, "/p");

	close(make_ok(place, one));
	close(make_ok(place, two));
	destroy_ok(place, one, 1);
	assert_true(exists(place, two));
	destroy_ok(place, two, 1);
	assert_false(exists(place, parent));
}

static void test_kill_and_remove(void **state)
{
	struct place *place = place_of(state);
	_cleanup_free_ char *path = below(place, "/busy");
	_cleanup_free_ char *child = below(place, "/busy/deep/er");
	_cleanup_fd_ int fd = make_ok(place, path);
	_cleanup_fd_ int child_fd = make_ok(place, child);
	pid_t pids[2] = {start_in(fd), start_in(child_fd)};
	int64_t begin = clock_now_ms();

	destroy_ok(place, path, 1);
	assert_true(clock_now_ms() - begin < TIMEOUT_MS / 2);
	expect_killed(pids[0]);
	expect_killed(pids[1]);
	assert_false(exists(place, path));
}

static void test_kill_alone(void **state)
{
	struct place *place = place_of(state);
	_cleanup_free_ char *path = below(place, "/kill");
	struct error err = ERROR_NONE;
	_cleanup_fd_ int fd = make_ok(place, path);
	pid_t pid = start_in(fd);

	assert_int_equal(cgroup_kill(place->rootfd, path, &err), 0);
	expect_killed(pid);
	assert_true(exists(place, path));
	destroy_ok(place, path, 1);
	assert_int_equal(cgroup_kill(place->rootfd, path, &err), 0);
}

/* Frozen processes die too, and so does a cgroup that nobody thaws. */
static void test_frozen(void **state)
{
	struct place *place = place_of(state);
	_cleanup_free_ char *path = below(place, "/frozen");
	struct error err = ERROR_NONE;
	_cleanup_fd_ int fd = make_ok(place, path);
	pid_t pid = start_in(fd);
	_cleanup_fd_ int events = openat(fd, "cgroup.events", O_RDONLY | O_CLOEXEC);
	struct cgroup_events now = {.frozen = false};
	bool frozen = true;

	assert_int_equal(cgroup_is_frozen(fd, &frozen, &err), 0);
	assert_false(frozen);
	assert_int_equal(file_write_at(fd, "cgroup.freeze", "1", 1, "freeze", &err), 0);
	while (cgroup_events_read(events, &now) == 0 && !now.frozen) {
		struct pollfd waited = {.fd = events, .events = POLLPRI};

		assert_true(poll(&waited, 1, TIMEOUT_MS) > 0);
	}
	assert_int_equal(cgroup_is_frozen(fd, &frozen, &err), 0);
	assert_true(frozen);
	assert_int_equal(cgroup_make(place->rootfd, path, &nothing, &err), -EBUSY);
	destroy_ok(place, path, 1);
	expect_killed(pid);
}

/* A cgroup that was there before is emptied, kept, and good for the next container. */
static void test_existing(void **state)
{
	struct place *place = place_of(state);
	_cleanup_free_ char *path = below(place, "/old");
	_cleanup_free_ char *inner = below(place, "/old/inner");
	struct error err = ERROR_NONE;
	_cleanup_fd_ int fd = -EBADF, inner_fd = -EBADF;
	bool frozen = true;
	pid_t pid, inner_pid;

	close(make_ok(place, path));
	inner_fd = make_ok(place, inner);
	fd = make_ok(place, path);
	pid = start_in(fd);
	assert_int_equal(cgroup_make(place->rootfd, path, &nothing, &err), -EBUSY);
	assert_non_null(strstr(err.text, "exists and has processes"));
	inner_pid = start_in(inner_fd);
	destroy_ok(place, path, 2);
	expect_killed(pid);
	expect_killed(inner_pid);
	assert_true(exists(place, path));
	assert_false(exists(place, inner));
	assert_int_equal(cgroup_is_frozen(fd, &frozen, &err), 0);
	assert_false(frozen);
	pid = start_in(fd);
	/* Had the kernel killed it at birth, this signal would not be the one. */
	kill(pid, SIGTERM);
	expect_signal(pid, SIGTERM);
	destroy_ok(place, path, 1);
}

/* A process that is killed, not reaped, and still ending when we come. */
static void test_just_killed(void **state)
{
	struct place *place = place_of(state);
	_cleanup_free_ char *path = below(place, "/ending");

	for (int i = 0; i < 50; i++) {
		_cleanup_fd_ int fd = make_ok(place, path);
		pid_t pid = start_in(fd);

		kill(pid, SIGKILL);
		destroy_ok(place, path, 1);
		assert_false(exists(place, path));
		expect_killed(pid);
	}
}

/* Nested as deep as a container may, without a descriptor or a stack frame for each. */
static void test_deep(void **state)
{
	struct place *place = place_of(state);
	_cleanup_free_ char *path = below(place, "/deep");
	_cleanup_fd_ int at = make_ok(place, path);
	struct rlimit before, low;
	pid_t pid;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	low = (struct rlimit){.rlim_cur = DESCRIPTORS_MAX, .rlim_max = before.rlim_max};
	for (int i = 0; i < NESTING; i++) {
		int next;

		assert_int_equal(mkdirat(at, "d", 0755), 0);
		assert_int_equal(mkdirat(at, "side", 0755), 0);
		next = openat(at, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_true(next >= 0);
		close(at);
		at = next;
	}
	pid = start_in(at);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	destroy_ok(place, path, 1);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	expect_killed(pid);
	assert_false(exists(place, path));
}

static void test_failure_leaves_nothing(void **state)
{
	static const struct spec_unified unified[] = {{"cgroup.nonsense", "1"}};
	const struct spec_resources wrong = {.unified = unified, .unified_count = 1};
	struct place *place = place_of(state);
	_cleanup_free_ char *path = below(place, "/f/g/h");
	_cleanup_free_ char *first = below(place, "/f");
	_cleanup_free_ char *kept = below(place, "/f/g");
	struct error err = ERROR_NONE;

	assert_int_equal(cgroup_make(place->rootfd, path, &wrong, &err), -ENOENT);
	assert_false(exists(place, first));
	close(make_ok(place, kept));
	assert_int_equal(cgroup_make(place->rootfd, path, &wrong, &err), -ENOENT);
	assert_true(exists(place, kept));
	assert_false(exists(place, path));
	destroy_ok(place, kept, 1);
}

/* Passing a controller on from a cgroup with processes: the kernel says only EBUSY. */
static void test_internal_processes(void **state)
{
	const struct spec_unified unified[] = {{"hugetlb.2MB.max", "0"}};
	const struct spec_resources limited = {.unified = unified, .unified_count = 1};
	struct place *place = place_of(state);
	_cleanup_free_ char *parent = below(place, "/inner");
	_cleanup_free_ char *path = below(place, "/inner/leaf");
	struct error err = ERROR_NONE;
	_cleanup_free_ char *text = NULL;
	_cleanup_fd_ int fd = make_ok(place, parent);
	pid_t pid = start_in(fd);
	int r = cgroup_make(place->rootfd, path, &limited, &err);

	text = xasprintf("(pids %d)", (int)pid);
	destroy_ok(place, parent, 1);
	expect_killed(pid);
	if (r == -EOPNOTSUPP)
		skip(); /* no such controller here */
	assert_int_equal(r, -EBUSY);
	assert_non_null(strstr(err.text, text));
	assert_non_null(strstr(err.text, parent));
}

/* Real limits, where the hierarchy has a controller for them. */
static void test_real_limit(void **state)
{
	const struct spec_unified unified[] = {{"hugetlb.2MB.max", "4194304"}};
	const struct spec_resources good = {.unified = unified, .unified_count = 1};
	const struct spec_unified worse[] = {{"hugetlb.2MB.max", "many"}};
	const struct spec_resources bad = {.unified = worse, .unified_count = 1};
	struct place *place = place_of(state);
	_cleanup_free_ char *path = below(place, "/limited/leaf");
	_cleanup_free_ char *first = below(place, "/limited");
	_cleanup_free_ char *text = NULL;
	struct error err = ERROR_NONE;
	_cleanup_fd_ int fd = cgroup_make(place->rootfd, path, &good, &err);

	if (fd == -EOPNOTSUPP)
		skip(); /* no such controller here */
	assert_true(fd >= 0);
	assert_int_equal(file_read_at(fd, "hugetlb.2MB.max", 64, &text, NULL, &err), 0);
	assert_string_equal(text, "4194304\n");
	destroy_ok(place, path, 1);
	assert_int_equal(cgroup_make(place->rootfd, path, &bad, &err), -EINVAL);
	assert_non_null(strstr(err.text, ": write \"many\" to \"/"));
	assert_non_null(strstr(err.text, "/hugetlb.2MB.max\" (controllers of the parent: "));
	assert_non_null(strstr(err.text, "hugetlb): Invalid argument"));
	assert_false(exists(place, first));
}

/* In a child in the cgroup: 0 if the device can be opened, else errno. */
static int try_open(int cgroupfd, dev_t device, int flags)
{
	struct clone_args args = {
		.flags = CLONE_INTO_CGROUP,
		.exit_signal = SIGCHLD,
		.cgroup = (uint64_t)cgroupfd,
	};
	char path[] = "/tmp/berth-device-XXXXXX";
	pid_t pid;
	int status, fd = mkstemp(path);

	assert_true(fd >= 0);
	close(fd);
	unlink(path);
	assert_int_equal(mknod(path, S_IFCHR | 0600, device), 0);
	pid = sys_clone3(&args);
	if (pid == 0)
		_exit(open(path, flags | O_CLOEXEC) < 0 ? errno : 0);
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	unlink(path);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void test_devices(void **state)
{
	static const struct spec_device_rule rules[] = {
		{.allow = false, .type = 'a', .major = -1, .minor = -1, .access = 7},
		{.allow = true, .type = 'c', .major = 1, .minor = 11, .access = 2}, /* kmsg */
	};
	struct place *place = place_of(state);
	_cleanup_free_ char *path = below(place, "/devices");
	_cleanup_fd_ int fd = make_ok(place, path);
	struct error err = ERROR_NONE;
	bool skipped = false;
	int r = cgroup_devices_attach(fd, rules, ARRAY_SIZE(rules), &skipped, &err);

	if (skipped || r == -EPERM) {
		destroy_ok(place, path, 1);
		skip();
	}
	if (r < 0)
		fail_msg("%s", err.text);
	assert_int_equal(try_open(fd, makedev(1, 3), O_RDWR), 0);
	assert_int_equal(try_open(fd, makedev(1, 11), O_RDONLY | O_NONBLOCK), 0);
	assert_int_equal(try_open(fd, makedev(1, 11), O_WRONLY | O_NONBLOCK), EPERM);
	assert_int_equal(try_open(fd, makedev(10, 229), O_RDWR), EPERM);
	/* A cgroup that is kept is given back without the program. */
	destroy_ok(place, path, 2);
	assert_int_not_equal(try_open(fd, makedev(10, 229), O_RDWR), EPERM);
	destroy_ok(place, path, 1);
}

static void test_bad_attach(void **state)
{
	const struct spec_device_rule rule = {.type = 'a', .major = -1, .minor = -1, .access = 7};
	struct error err = ERROR_NONE;
	bool skipped = false;

	(void)state;
	if (cgroup_devices_attach(-1, &rule, 1, &skipped, &err) == -EPERM || skipped)
		skip();
	assert_non_null(strstr(err.text, "linux.resources.devices: attach the device program: "));
	assert_int_equal(err.code, -EBADF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_make_and_remove),
		cmocka_unit_test(test_parent_in_use),
		cmocka_unit_test(test_kill_and_remove),
		cmocka_unit_test(test_kill_alone),
		cmocka_unit_test(test_frozen),
		cmocka_unit_test(test_existing),
		cmocka_unit_test(test_just_killed),
		cmocka_unit_test(test_deep),
		cmocka_unit_test(test_failure_leaves_nothing),
		cmocka_unit_test(test_internal_processes),
		cmocka_unit_test(test_real_limit),
		cmocka_unit_test(test_devices),
		cmocka_unit_test(test_bad_attach),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
