/* SPDX-License-Identifier: Apache-2.0 */
/* The pinned procfs. */
#include <sched.h>
#include <sys/mount.h>

#include "berth/base/proc.h"

#include "unit.h"

static int open_proc(void)
{
	struct error err = ERROR_NONE;
	int fd = proc_open(&err);

	assert_fine(fd, err);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	return fd;
}

static void test_self(void **state)
{
	_cleanup_fd_ int proc = open_proc(), fd = -EBADF;
	struct error err = ERROR_NONE;
	_cleanup_free_ char *text = NULL, *expected = xasprintf("%d (", getpid());

	(void)state;
	fd = proc_open_self(proc, "stat", O_RDONLY, &err);
	assert_fine(fd, err);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_fine(file_read_fd(fd, "stat", 4096, &text, NULL, &err), err);
	assert_true(str_starts(text, expected));
}

static void test_open(void **state)
{
	_cleanup_fd_ int proc = open_proc(), fd = -EBADF;
	struct error err = ERROR_NONE;
	static const struct {
		const char *path;
		int r;
	} refused[] = {
		{"self/stat", -ELOOP}, {"thread-self/stat", -ELOOP}, {"mounts", -ELOOP},
		{"../etc", -EXDEV},    {"no/such", -ENOENT},	     {"version/x", -ENOTDIR},
		{"sys/../..", -EXDEV},
	};

	(void)state;
	fd = proc_open_at(proc, "sys/kernel/ostype", O_RDONLY, &err);
	assert_fine(fd, err);
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		_cleanup_free_ char *name = xasprintf("open \"/proc/%s\": ", refused[i].path);

		assert_failed(proc_open_at(proc, refused[i].path, O_RDONLY, &err), err,
			      refused[i].r);
		assert_true(str_starts(err.text, name));
	}
	assert_failed(proc_open_self(proc, "root/etc", O_PATH, &err), err, -ELOOP);
	assert_failed(proc_open_self(proc, "none", O_PATH, &err), err, -ENOENT);
}

static int write_values(void *argument)
{
	struct error err = ERROR_NONE;
	int proc = proc_open(&err), fd;
	char path[64], text[16] = "";

	(void)argument;
	if (proc < 0 || proc_write_self(proc, "oom_score_adj", "321", &err) < 0)
		return 1;
	fd = proc_open_self(proc, "oom_score_adj", O_RDONLY, &err);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) != 4 || !str_equal(text, "321\n"))
		return 2;
	snprintf(path, sizeof(path), "%d/comm", getpid());
	if (proc_write(proc, path, "berthed", &err) < 0)
		return 3;
	fd = proc_open_at(proc, path, O_RDONLY, &err);
	if (fd < 0 || read(fd, text, 8) != 8 || memcmp(text, "berthed\n", 8) != 0)
		return 4;
	return 0;
}

static void test_write(void **state)
{
	_cleanup_fd_ int proc = open_proc();
	_cleanup_free_ char *expected = NULL;
	struct error err = ERROR_NONE;

	(void)state;
	in_child(write_values, NULL);
	expected = xasprintf("write \"many\" to \"/proc/%d/oom_score_adj\": Invalid argument",
			     getpid());
	assert_failed(proc_write_self(proc, "oom_score_adj", "many", &err), err, -EINVAL);
	assert_string_equal(err.text, expected);
	assert_failed(proc_write(proc, "none", "x", &err), err, -ENOENT);
	assert_failed(proc_write_self(-EBADF, "x", "x", &err), err, -EBADF);
	assert_failed(proc_open_self(-EBADF, "x", O_PATH, &err), err, -EBADF);
}

/* Something that is no procfs, or not its root, in the place of /proc. */
static int with_false_proc(void *argument)
{
	struct error err = ERROR_NONE;
	_cleanup_free_ char *one = xasprintf("/proc/%d", getpid());

	(void)argument;
	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return 1;
	if (mount(one, "/proc", NULL, MS_BIND, NULL) < 0)
		return 2;
	if (proc_open(&err) != -EXDEV || !strstr(err.text, "not the root of a procfs"))
		return 3;
	if (mount("none", "/proc", "tmpfs", 0, NULL) < 0)
		return 4;
	return proc_open(&err) != -EXDEV || err.code != -EXDEV ? 5 : 0;
}

/* A file of procfs that somebody has mounted over is not used. */
static int with_covered_file(void *argument)
{
	struct error err = ERROR_NONE;
	int proc;

	(void)argument;
	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return 1;
	proc = proc_open(&err);
	if (proc < 0 || mount("/dev/null", "/proc/sys/kernel/ostype", NULL, MS_BIND, NULL) < 0)
		return 2;
	/* The descriptor is of this mount namespace: what was mounted later shows. */
	if (proc_open_at(proc, "sys/kernel/ostype", O_RDONLY, &err) != -EXDEV)
		return 3;
	return proc_write(proc, "sys/kernel/ostype", "x", &err) != -EXDEV ? 4 : 0;
}

static void test_hostile(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip_because("mounting needs root");
	in_child(with_false_proc, NULL);
	in_child(with_covered_file, NULL);
}

static void test_fd_path(void **state)
{
	struct world *world = *state;
	char path[FD_PATH_MAX];
	struct stat a, b;

	fd_path(world->fd, path);
	assert_int_equal(stat(path, &a), 0);
	assert_int_equal(fstat(world->fd, &b), 0);
	assert_true(a.st_ino == b.st_ino && a.st_dev == b.st_dev);
	fd_path(2147483647, path);
	assert_string_equal(path, "/proc/self/fd/2147483647");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(test_self),	  world_test(test_open),    world_test(test_write),
		world_test(test_hostile), world_test(test_fd_path),
	};

	if (skip_all_without(SYS_openat2, "openat2"))
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
