/* SPDX-License-Identifier: Apache-2.0 */
/* What every unit test of the linux room includes: cmocka, children, and files to test with. */
#ifndef BERTH_TESTS_LINUX_UNIT_H
#define BERTH_TESTS_LINUX_UNIT_H

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
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
		_fail(__FILE__, __LINE__);                                                         \
	} while (0)

#include "berth/base/alloc.h"
#include "berth/base/error.h"
#include "berth/base/fd.h"
#include "berth/base/sys.h"

/*
 * Skips a test that needs calls which valgrind (3.19) answers by itself, or not at all: openat2,
 * seccomp, setdomainname, prlimit, execve of what cannot be executed. Every kernel that berth runs
 * on has openat2.
 */
static inline void needs_kernel(void)
{
	const struct open_how how = {.flags = O_PATH};
	int fd = sys_openat2(AT_FDCWD, "/", &how);

	if (fd == -ENOSYS)
		skip();
	fd_close(fd);
}

/* What a child says where the machine lacks what the test needs. */
#define CHILD_SKIP 77

/* For children, which have no cmocka: says which line did not hold, and ends. */
#define child_assert(condition)                                                                    \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: %s (errno %d)\n", __FILE__, __LINE__, #condition,  \
				errno);                                                            \
			_exit(1);                                                                  \
		}                                                                                  \
	} while (0)

/* Fails with the text of @err unless @r is 0 or more. */
#define assert_fine(r, err)                                                                        \
	do {                                                                                       \
		if ((r) < 0)                                                                       \
			fail_msg("%s\n", (err).text);                                              \
	} while (0)

#define assert_contains(text, part)                                                                \
	do {                                                                                       \
		if (!strstr((text), (part)))                                                       \
			fail_msg("\"%s\" does not contain \"%s\"\n", (text), (part));              \
	} while (0)

/* Runs @what(@argument) in a child, whose own ids, sets and namespaces end with it. */
static inline void in_child(void (*what)(void *argument), void *argument)
{
	int status = 0;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		what(argument);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == CHILD_SKIP)
		skip();
	if (status != 0)
		fail_msg("the child ended with status 0x%x\n", status);
}

/* A directory of the test's own; the caller's text. */
static inline char *directory_make(void)
{
	char *path = xstrdup("/tmp/berth-unit.XXXXXX");

	assert_non_null(mkdtemp(path));
	return path;
}

static inline int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline void directory_remove(char **path)
{
	nftw(*path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(*path);
}

#define _cleanup_directory_ __attribute__((cleanup(directory_remove)))

/* Writes a file of the directory; returns its path, the caller's. */
static inline char *file_put(const char *directory, const char *name, const void *data, size_t size,
			     unsigned mode)
{
	char *path = xasprintf("%s/%s", directory, name);
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, mode), 0);
	return path;
}

#endif
