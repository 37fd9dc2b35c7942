/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Programs in the background. They are shell scripts that tell what they see through descriptor 3,
 * whose end-of-file is theirs.
 */
#include <poll.h>
#include <time.h>

#include "berth/base/background.h"

#include "unit.h"

/* Tests that hang are ended by this many seconds. */
#define PATIENCE 60

static void prepare(const char *text, int keepfd, struct background *ret)
{
	const char *const argv[] = {"sh", "-c", text, NULL};
	const char *const path[] = {"PATH=/usr/bin:/bin", NULL};
	const struct spawn spawn = {.path = "/bin/sh", .argv = argv, .envp = path, .cwdfd = -1};
	struct error err = ERROR_NONE;

	assert_fine(background_prepare(&spawn, keepfd, ret, &err), err);
}

/* All that comes from the pipe; the caller's. */
static char *hear(int fd)
{
	_cleanup_buf_ struct buf heard = BUF_EMPTY;
	char chunk[256];
	ssize_t n;

	while ((n = read(fd, chunk, sizeof(chunk))) > 0)
		buf_add(&heard, chunk, (size_t)n);
	assert_int_equal(n, 0);
	return buf_take(&heard);
}

/* Runs the script as far as it goes by itself; what it said, the caller's. */
static char *run(const char *text)
{
	_cleanup_background_ struct background background = BACKGROUND_UNSET;
	struct error err = ERROR_NONE;
	int fds[2];
	char *heard;

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	prepare(text, fds[1], &background);
	fd_close(fds[1]);
	assert_fine(background_go(&background, &err), err);
	heard = hear(fds[0]);
	fd_close(fds[0]);
	return heard;
}

static void test_its_situation(void **state)
{
	_cleanup_free_ char *fds = run("ls /proc/self/fd >&3");
	_cleanup_free_ char *stdio = run("readlink /proc/$$/fd/0 /proc/$$/fd/1 | cat >&3");
	_cleanup_free_ char *session = run("read pid a b c pgrp sid rest </proc/self/stat;"
					   "echo $(($$ - pgrp)) $(($$ - sid)) >&3");

	(void)state;
	/* 4 is the directory that ls reads. */
	assert_string_equal(fds, "0\n1\n2\n3\n4\n");
	assert_string_equal(stdio, "/dev/null\n/dev/null\n");
	assert_string_equal(session, "0 0\n");
}

/* It is not the program before the word to go, and never without one. */
static void test_waits_for_go(void **state)
{
	const struct world *world = *state;
	_cleanup_free_ char *text = xasprintf("echo ran >%s/ran", world->path);
	struct background background = BACKGROUND_UNSET;
	int status = 0;

	prepare(text, -1, &background);
	assert_int_equal(pidref_wait_exit(&background.ref, 50), 0);
	/* As if this process had ended. */
	background.gofd = fd_close(background.gofd);
	assert_int_equal(pidref_wait_exit(&background.ref, PATIENCE * 1000), 1);
	assert_int_equal(pidref_reap(&background.ref, &status), 0);
	assert_null(get_file(world, "ran"));
	background_done(&background);
}

/* What it writes to its standard error is for the error, until it is left to itself. */
static void test_errors(void **state)
{
	_cleanup_background_ struct background background = BACKGROUND_UNSET;
	struct error err = ERROR_NONE;

	(void)state;
	prepare("echo one >&2; echo two >&2; exit 3", -1, &background);
	assert_fine(background_go(&background, &err), err);
	assert_int_equal(pidref_wait_exit(&background.ref, PATIENCE * 1000), 1);
	assert_failed(background_fail(&background, &err, -ECHILD, "it %s", "failed"), err, -ECHILD);
	assert_string_equal(err.text, "it failed: one two");
}

static void test_no_program(void **state)
{
	const struct spawn spawn = {.path = "/no/such/program", .cwdfd = -1};
	_cleanup_background_ struct background background = BACKGROUND_UNSET;
	struct error err = ERROR_NONE;

	(void)state;
	assert_fine(background_prepare(&spawn, -1, &background, &err), err);
	assert_fine(background_go(&background, &err), err);
	assert_int_equal(pidref_wait_exit(&background.ref, PATIENCE * 1000), 1);
	assert_failed(background_fail(&background, &err, -ENOENT, "run it"), err, -ENOENT);
	assert_string_equal(err.text, "run it: No such file or directory");
}

/* Nobody reads its standard error any more: that does not end it. */
static void test_left_to_itself(void **state)
{
	const struct world *world = *state;
	struct background background = BACKGROUND_UNSET;
	struct error err = ERROR_NONE;
	int go[2], done[2];
	_cleanup_free_ char *text =
		xasprintf("cd %s; read word <go; echo lost >&2; echo went on >&3", world->path);
	_cleanup_free_ char *fifo = xasprintf("%s/go", world->path);
	_cleanup_free_ char *heard = NULL;
	pid_t pid;

	assert_int_equal(mkfifo(fifo, 0600), 0);
	go[0] = open(fifo, O_RDWR | O_CLOEXEC);
	assert_true(go[0] >= 0);
	assert_int_equal(pipe2(done, O_CLOEXEC), 0);
	prepare(text, done[1], &background);
	fd_close(done[1]);
	assert_fine(background_go(&background, &err), err);
	pid = background.ref.pid;
	background_done(&background);
	assert_int_equal(fd_write_all(go[0], "go\n", 3), 0);
	heard = hear(done[0]);
	assert_string_equal(heard, "went on\n");
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	fd_close(go[0]);
	fd_close(done[0]);
}

static void test_killed(void **state)
{
	struct background background = BACKGROUND_UNSET;
	struct error err = ERROR_NONE;

	(void)state;
	background_kill(&background);
	prepare("exec sleep 1000", -1, &background);
	assert_fine(background_go(&background, &err), err);
	background_kill(&background);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	background_kill(&background);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(test_its_situation),	 world_test(test_waits_for_go),
		world_test(test_errors),	 world_test(test_no_program),
		world_test(test_left_to_itself), world_test(test_killed),
	};

	if (skip_all_without(SYS_clone3, "clone3"))
		return 0;
	alarm(PATIENCE);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
