/* SPDX-License-Identifier: Apache-2.0 */
/* Namespaces: opening by path, joining, making; the names of UTS; the loopback interface. */
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/utsname.h>

#include "berth/base/str.h"
#include "berth/linux/namespaces.h"

#include "unit.h"

static void test_flags(void **state)
{
	unsigned all = 0;

	(void)state;
	assert_int_equal(namespace_flag(NAMESPACE_MOUNT), CLONE_NEWNS);
	assert_int_equal(namespace_flag(NAMESPACE_TIME), CLONE_NEWTIME);
	for (int kind = 0; kind < NAMESPACE_MAX; kind++) {
		assert_false(all & namespace_flag((enum namespace_kind)kind));
		all |= namespace_flag((enum namespace_kind)kind);
	}
	assert_int_equal(__builtin_popcount(all), NAMESPACE_MAX);
}

static void test_open(void **state)
{
	struct spec_namespace namespaces[NAMESPACE_MAX] = {
		[NAMESPACE_NETWORK] = {.wanted = true, .path = "/proc/self/ns/net"},
		[NAMESPACE_PID] = {.wanted = true},
		[NAMESPACE_UTS] = {.path = "/no/such/path"}, /* not wanted: not looked at */
	};
	int fds[NAMESPACE_MAX];
	struct error err = ERROR_NONE;

	(void)state;
	assert_fine(namespaces_open(namespaces, fds, &err), err);
	for (int kind = 0; kind < NAMESPACE_MAX; kind++)
		assert_int_equal(fds[kind] >= 0, kind == NAMESPACE_NETWORK);
	assert_int_equal(fcntl(fds[NAMESPACE_NETWORK], F_GETFD), FD_CLOEXEC);
	fd_close(fds[NAMESPACE_NETWORK]);
}

static void assert_refused(const char *path, int code, const char *text)
{
	struct spec_namespace namespaces[NAMESPACE_MAX] = {
		[NAMESPACE_IPC] = {.wanted = true, .path = "/proc/self/ns/ipc", .index = 1},
		[NAMESPACE_NETWORK] = {.wanted = true, .path = path, .index = 4},
	};
	int fds[NAMESPACE_MAX];
	int before = dup(0);
	struct error err = ERROR_NONE;

	close(before);
	assert_int_equal(namespaces_open(namespaces, fds, &err), code);
	assert_contains(err.text, "linux.namespaces[4].path: ");
	assert_contains(err.text, text);
	for (int kind = 0; kind < NAMESPACE_MAX; kind++)
		assert_true(fds[kind] < 0);
	/* Nothing is left open: the same number is the next one again. */
	assert_int_equal(dup(0), before);
	close(before);
}

static void test_open_refuses(void **state)
{
	_cleanup_directory_ char *dir = directory_make();
	_cleanup_free_ char *plain = file_put(dir, "plain", "x", 1, 0644);
	_cleanup_free_ char *fifo = xasprintf("%s/fifo", dir);

	(void)state;
	assert_int_equal(mkfifo(fifo, 0644), 0);
	assert_refused("/no/such/path", -ENOENT, "\"/no/such/path\"");
	assert_refused("/proc/self/ns/uts", -EINVAL, "is a namespace of kind uts, not network");
	assert_refused(plain, -EINVAL, "is not a namespace");
	assert_refused(fifo, -EINVAL, "is not a namespace");
	assert_refused("/proc/self/status", -EINVAL, "is not a namespace");
}

static void child_join(void *argument)
{
	struct error err = ERROR_NONE;
	_cleanup_fd_ int home = open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC);
	struct utsname before, inside, after;

	(void)argument;
	if (geteuid() != 0)
		_exit(CHILD_SKIP);
	child_assert(home >= 0 && uname(&before) == 0);
	child_assert(namespace_unshare(NAMESPACE_UTS, &err) == 0);
	child_assert(uts_apply("a-host.example", "a-domain", &err) == 0);
	child_assert(uname(&inside) == 0);
	child_assert(str_equal(inside.nodename, "a-host.example"));
	child_assert(str_equal(inside.domainname, "a-domain"));
	child_assert(uts_apply(NULL, "other", &err) == 0);
	child_assert(uname(&inside) == 0);
	child_assert(str_equal(inside.nodename, "a-host.example"));
	child_assert(str_equal(inside.domainname, "other"));
	child_assert(namespace_join(home, NAMESPACE_UTS, &err) == 0);
	child_assert(uname(&after) == 0 && str_equal(after.nodename, before.nodename));
	child_assert(namespace_join(home, NAMESPACE_NETWORK, &err) == -EINVAL);
	child_assert(strstr(err.text, "join the network namespace"));
}

static void test_join(void **state)
{
	(void)state;
	needs_kernel();

	in_child(child_join, NULL);
}

static void child_long_name(void *argument)
{
	char name[80];
	struct error err = ERROR_NONE;

	(void)argument;
	if (geteuid() != 0)
		_exit(CHILD_SKIP);
	memset(name, 'x', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	child_assert(namespace_unshare(NAMESPACE_UTS, &err) == 0);
	child_assert(uts_apply(name, NULL, &err) == -EINVAL);
	child_assert(str_starts(err.text, "hostname: "));
	child_assert(uts_apply(NULL, name, &err) == -EINVAL);
	child_assert(str_starts(err.text, "domainname: "));
}

static void test_name_too_long(void **state)
{
	(void)state;
	needs_kernel();

	in_child(child_long_name, NULL);
}

static bool loopback_is_up(void)
{
	struct ifreq request = {.ifr_name = "lo"};
	_cleanup_fd_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	child_assert(fd >= 0 && ioctl(fd, SIOCGIFFLAGS, &request) == 0);
	return request.ifr_flags & IFF_UP;
}

static void child_loopback(void *argument)
{
	struct error err = ERROR_NONE;

	(void)argument;
	if (geteuid() != 0)
		_exit(CHILD_SKIP);
	child_assert(namespace_unshare(NAMESPACE_NETWORK, &err) == 0);
	child_assert(!loopback_is_up());
	child_assert(loopback_up(&err) == 0);
	child_assert(loopback_is_up());
	child_assert(loopback_up(&err) == 0);
	child_assert(setuid(1234) == 0);
	child_assert(loopback_up(&err) == 0); /* it is up: nothing is to be done */
	child_assert(namespace_unshare(NAMESPACE_UTS, &err) == -EPERM);
	child_assert(strstr(err.text, "CAP_SYS_ADMIN"));
}

static void test_loopback(void **state)
{
	(void)state;
	in_child(child_loopback, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_flags),	      cmocka_unit_test(test_open),
		cmocka_unit_test(test_open_refuses),  cmocka_unit_test(test_join),
		cmocka_unit_test(test_name_too_long), cmocka_unit_test(test_loopback),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
