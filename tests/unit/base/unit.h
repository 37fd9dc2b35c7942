/* SPDX-License-Identifier: Apache-2.0 */
/* What the unit tests of base, stage and container include first: cmocka, directories, children. */
#ifndef BERTH_TESTS_BASE_UNIT_H
#define BERTH_TESTS_BASE_UNIT_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* cmocka.h includes nothing of what it needs, so it stays below. */

#include <cmocka.h>

/* berth has a function of this name; fail_msg() of cmocka would call it. */
#undef fail
#undef fail_msg
#define fail_msg(...)                                                                              \
	do {                                                                                       \
		print_error(__VA_ARGS__);                                                          \
		print_error("\n");                                                                 \
		_fail(__FILE__, __LINE__);                                                         \
	} while (0)

#include "berth/base/alloc.h"
#include "berth/base/error.h"
#include "berth/base/fd.h"
#include "berth/base/str.h"

/* Fails with the text of @err unless @r is 0 or more. */
#define assert_fine(r, err)                                                                        \
	do {                                                                                       \
		int result_ = (r);                                                                 \
		if (result_ < 0)                                                                   \
			fail_msg("%d: %s", result_, (err).text);                                   \
	} while (0)

/* @r and the code of @err are @expected, and there is a text. */
#define assert_failed(r, err, expected)                                                            \
	do {                                                                                       \
		assert_int_equal((r), (expected));                                                 \
		assert_int_equal((err).code, (expected));                                          \
		assert_true((err).text[0] != '\0');                                                \
	} while (0)

#define assert_contains(haystack, needle)                                                          \
	do {                                                                                       \
		if (!strstr((haystack), (needle)))                                                 \
			fail_msg("\"%s\" does not contain \"%s\"", (haystack), (needle));          \
	} while (0)

/* Ends the test as skipped, with the reason on standard error. */
#define skip_because(reason)                                                                       \
	do {                                                                                       \
		print_message("skipped: %s\n", (reason));                                          \
		skip();                                                                            \
	} while (0)

/*
 * Whether there is this system call, asked with arguments that it does not accept. Below valgrind
 * 3.19 there is no openat2(2), pidfd_open(2) or clone3(2).
 */
static inline bool has_call(long number)
{
	return syscall(number, -1L, 0L, 0L, 0L) >= 0 || errno != ENOSYS;
}

/* For main(): true, and the reason is printed, where the system call is not there. */
static inline bool skip_all_without(long number, const char *name)
{
	if (has_call(number))
		return false;
	print_message("skipped, all tests: there is no %s(2) here\n", name);
	return true;
}

/* A directory of the test's own, made and removed by the fixture below; the state of the test. */
struct world {
	char *path;
	int fd;	 /* O_PATH */
	int fds; /* descriptors that were open before the test began */
};

/* Number of descriptors that the process has open. */
static inline int count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int count = 0;

	assert_non_null(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

static inline int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline int world_make(void **state)
{
	struct world *world = xcalloc(1, sizeof(*world));

	world->fds = count_fds();
	world->path = xstrdup("/tmp/berth-unit-XXXXXX");
	if (!mkdtemp(world->path))
		return -1;
	world->fd = open(world->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	*state = world;
	return world->fd < 0 ? -1 : 0;
}

/* Fails where the test left a descriptor open. */
static inline int world_remove(void **state)
{
	struct world *world = *state;
	int fds;

	fd_close(world->fd);
	fds = count_fds();
	if (fds != world->fds)
		print_error("%d descriptors were left open\n", fds - world->fds);
	nftw(world->path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	fds -= world->fds;
	free(world->path);
	free(world);
	return fds ? -1 : 0;
}

#define world_test(function) cmocka_unit_test_setup_teardown(function, world_make, world_remove)

/* Makes the file @name of the world with this content. */
static inline void put_file(const struct world *world, const char *name, const char *content)
{
	int fd = openat(world->fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, content, strlen(content)), 0);
	fd_close(fd);
}

/* The content of the file @name of the world, the caller's; NULL if there is none. */
static inline char *get_file(const struct world *world, const char *name)
{
	struct error err = ERROR_NONE;
	char *data = NULL;

	return file_read_at(world->fd, name, 1u << 20, &data, NULL, &err) < 0 ? NULL : data;
}

static inline void put_directory(const struct world *world, const char *name)
{
	assert_int_equal(mkdirat(world->fd, name, 0755), 0);
}

static inline void put_link(const struct world *world, const char *name, const char *target)
{
	assert_int_equal(symlinkat(target, world->fd, name), 0);
}

/* A child that does nothing until it is killed, or, if @status is not negative, exits with it. */
static inline pid_t child_make(int status)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		while (status < 0)
			pause();
		_exit(status);
	}
	return pid;
}

static inline void child_end(pid_t pid)
{
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/*
 * Runs @what(@argument) in a child, whose descriptors and limits end with it: there cmocka is out
 * of reach, so it returns the number of the line that failed, below 256, or 0.
 */
static inline void in_child(int (*what)(void *argument), void *argument)
{
	int status = 0;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(what(argument));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (status)
		fail_msg("the child ended with status 0x%x", status);
}

#endif
