/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors: ownership, inheritance, closing. */
#include "unit.h"

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static int any_fd(void)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static void test_close(void **state)
{
	int fd = any_fd();

	(void)state;
	errno = EXDEV;
	assert_true(fd_close(fd) < 0);
	assert_int_equal(errno, EXDEV);
	assert_false(is_open(fd));
	errno = EXDEV;
	/* An unset one, and one that is closed already. */
	assert_true(fd_close(-EBADF) < 0 && fd_close(-1) < 0 && fd_close(fd) < 0);
	assert_int_equal(errno, EXDEV);
}

static int leave_scope(int fd, bool take)
{
	_cleanup_fd_ int owned = fd;

	return take ? take_fd(&owned) : -1;
}

static void test_scope(void **state)
{
	int fd = any_fd();

	(void)state;
	assert_int_equal(leave_scope(fd, true), fd);
	assert_true(is_open(fd));
	assert_int_equal(leave_scope(fd, false), -1);
	assert_false(is_open(fd));
}

static void test_dup(void **state)
{
	struct error err = ERROR_NONE;
	int fd = any_fd(), copy = fd_dup(fd, &err);

	(void)state;
	assert_fine(copy, err);
	assert_true(copy >= 3 && copy != fd);
	assert_int_equal(fcntl(copy, F_GETFD), FD_CLOEXEC);
	fd_close(copy);
	fd_close(fd);
	assert_failed(fd_dup(fd, &err), err, -EBADF);
}

/* With 0 to 2 closed, the copy still does not take their place. */
static int dup_without_stdio(void *argument)
{
	struct error err = ERROR_NONE;
	int fd;

	(void)argument;
	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	close(0);
	close(1);
	return fd_dup(fd, &err) < 3 || fd_dup(0, &err) != -EBADF;
}

static void test_dup_is_high(void **state)
{
	(void)state;
	in_child(dup_without_stdio, NULL);
}

static void test_cloexec(void **state)
{
	struct error err = ERROR_NONE;
	int fd = any_fd();

	(void)state;
	assert_fine(fd_set_cloexec(fd, false, &err), err);
	assert_int_equal(fcntl(fd, F_GETFD), 0);
	assert_fine(fd_set_cloexec(fd, true, &err), err);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	fd_close(fd);
	assert_failed(fd_set_cloexec(fd, true, &err), err, -EBADF);
}

static int mark_all(void *argument)
{
	struct error err = ERROR_NONE;
	int low, high;

	(void)argument;
	low = dup2(0, 20);
	high = dup2(0, 90);
	if (low < 0 || high < 0 || fd_cloexec_from(21, &err) < 0)
		return 1;
	return fcntl(low, F_GETFD) != 0 || fcntl(high, F_GETFD) != FD_CLOEXEC;
}

static void test_cloexec_from(void **state)
{
	(void)state;
	in_child(mark_all, NULL);
}

/* What fd_close_others() is called with. */
struct closing {
	int first;
	size_t count;
	int keep[FD_KEEP_MAX];
	const int *left; /* which of 10 to 19 are open afterwards, ended by -1 */
};

static int close_others(void *argument)
{
	const struct closing *closing = argument;
	struct error err = ERROR_NONE;
	const int *left = closing->left;

	for (int fd = 10; fd < 20; fd++) {
		if (dup2(0, fd) < 0)
			return 1;
	}
	if (fd_close_others(closing->first, closing->keep, closing->count, &err) < 0)
		return 2;
	for (int fd = 10; fd < 20; fd++) {
		bool expected = *left == fd;

		left += expected;
		if (is_open(fd) != expected)
			return fd;
	}
	return !is_open(0);
}

static void test_close_others(void **state)
{
#define LEFT(...) ((const int[]){__VA_ARGS__ __VA_OPT__(, ) - 1})
	struct closing cases[] = {
		{3, 0, {0}, LEFT()},
		{3, 1, {12}, LEFT(12)},
		{3, 3, {14, 10, 19}, LEFT(10, 14, 19)},
		{3, 4, {11, 12, 13, 12}, LEFT(11, 12, 13)},
		{3, 4, {-1, 15, -EBADF, 1}, LEFT(15)},
		{12, 1, {17}, LEFT(10, 11, 17)},
		{15, 2, {11, 15}, LEFT(10, 11, 12, 13, 14, 15)},
		{3, 1, {1000}, LEFT()},
		{3, 8, {19, 18, 17, 16, 15, 14, 13, 12}, LEFT(12, 13, 14, 15, 16, 17, 18, 19)},
		{20, 0, {0}, LEFT(10, 11, 12, 13, 14, 15, 16, 17, 18, 19)},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		in_child(close_others, &cases[i]);
}

static void test_close_too_many(void **state)
{
	static const int keep[FD_KEEP_MAX + 1];
	struct error err = ERROR_NONE;
	int fd = any_fd();

	(void)state;
	assert_failed(fd_close_others(3, keep, ARRAY_SIZE(keep), &err), err, -EINVAL);
	assert_true(is_open(fd));
	fd_close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(test_close),	       world_test(test_scope),
		world_test(test_dup),	       world_test(test_dup_is_high),
		world_test(test_cloexec),      world_test(test_cloexec_from),
		world_test(test_close_others), world_test(test_close_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
