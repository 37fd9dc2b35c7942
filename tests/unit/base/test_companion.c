/* SPDX-License-Identifier: Apache-2.0 */
/* Questions to programs: here shell scripts that read a message with dd(1), whole. */
#include "berth/base/companion.h"
#include "berth/base/sys.h"

#include "unit.h"

#define PATIENCE_MS 60000
#define READ	    "dd bs=70000 count=1 2>/dev/null <&0"

static void start(const char *text, struct companion *ret)
{
	const char *const argv[] = {"sh", "-c", text, NULL};
	const char *const path[] = {"PATH=/usr/bin:/bin", NULL};
	const struct spawn spawn = {.path = "/bin/sh", .argv = argv, .envp = path, .cwdfd = -1};
	struct error err = ERROR_NONE;

	assert_fine(companion_start(&spawn, ret, &err), err);
}

static int ask(struct companion *companion, const char *question, char **ret, struct error *err)
{
	return companion_ask(companion, question, strlen(question), PATIENCE_MS, ret, err);
}

static void test_answers(void **state)
{
	_cleanup_companion_ struct companion companion = COMPANION_UNSET;
	_cleanup_free_ char *first = NULL, *second = NULL;
	struct error err = ERROR_NONE;

	(void)state;
	start("while q=$(" READ ") && [ -n \"$q\" ]; do printf '<%s>' \"$q\" >&0; done",
	      &companion);
	assert_fine(ask(&companion, "one", &first, &err), err);
	assert_fine(ask(&companion, "and two", &second, &err), err);
	assert_string_equal(first, "<one>");
	assert_string_equal(second, "<and two>");
}

static void test_size(void **state)
{
	_cleanup_companion_ struct companion companion = COMPANION_UNSET;
	_cleanup_free_ char *question = xcalloc(COMPANION_MESSAGE_MAX + 2, 1), *answer = NULL;
	struct error err = ERROR_NONE;

	(void)state;
	memset(question, 'x', COMPANION_MESSAGE_MAX + 1);
	/* In a pipeline descriptor 0 is another one. */
	start("exec 3<&0; " READ " | wc -c | tr -d '\\n ' | dd bs=100 2>/dev/null >&3", &companion);
	assert_int_equal(ask(&companion, question, &answer, &err), -E2BIG);
	question[COMPANION_MESSAGE_MAX] = '\0';
	assert_fine(ask(&companion, question, &answer, &err), err);
	assert_string_equal(answer, "65536");
}

static void test_too_long_an_answer(void **state)
{
	_cleanup_companion_ struct companion companion = COMPANION_UNSET;
	_cleanup_free_ char *answer = NULL;
	struct error err = ERROR_NONE;

	(void)state;
	start(READ " >/dev/null; dd if=/dev/zero bs=70000 count=1 >&0 2>/dev/null", &companion);
	assert_int_equal(ask(&companion, "?", &answer, &err), -EMSGSIZE);
	assert_null(answer);
}

/* What the program said on its way out is told; afterwards nobody is asked. */
static void test_end(void **state)
{
	_cleanup_companion_ struct companion companion = COMPANION_UNSET;
	_cleanup_free_ char *answer = NULL;
	struct error err = ERROR_NONE;

	(void)state;
	start(READ " >/dev/null; echo 'no bus here' >&2; exit 3", &companion);
	assert_int_equal(ask(&companion, "?", &answer, &err), -ECHILD);
	assert_string_equal(err.text, "\"/bin/sh\" has ended without an answer: no bus here");
	assert_int_equal(ask(&companion, "?", &answer, &err), -ECHILD);
	assert_int_equal(companion.ref.pid, 0);
}

static void test_early_end(void **state)
{
	_cleanup_companion_ struct companion companion = COMPANION_UNSET;
	_cleanup_free_ char *answer = NULL;
	struct error err = ERROR_NONE;

	(void)state;
	start("echo early >&2", &companion);
	assert_int_equal(pidref_wait_exit(&companion.ref, PATIENCE_MS), 1);
	assert_int_equal(ask(&companion, "?", &answer, &err), -ECHILD);
	assert_non_null(strstr(err.text, "early"));
}

static void test_no_program(void **state)
{
	_cleanup_companion_ struct companion companion = COMPANION_UNSET;
	const struct spawn spawn = {.path = "/nonexistent/program", .cwdfd = -1};
	_cleanup_free_ char *answer = NULL;
	struct error err = ERROR_NONE;

	(void)state;
	assert_fine(companion_start(&spawn, &companion, &err), err);
	assert_int_equal(ask(&companion, "?", &answer, &err), -ENOENT);
	assert_non_null(strstr(err.text, "execute \"/nonexistent/program\""));
}

static void test_time_out(void **state)
{
	_cleanup_companion_ struct companion companion = COMPANION_UNSET;
	_cleanup_free_ char *answer = NULL;
	struct error err = ERROR_NONE;
	pid_t pid;

	(void)state;
	start("echo stuck >&2; exec sleep 1000", &companion);
	pid = companion.ref.pid;
	assert_int_equal(companion_ask(&companion, "?", 1, 200, &answer, &err), -ETIMEDOUT);
	assert_non_null(strstr(err.text, "has not answered within 0 s and was killed"));
	assert_int_equal(kill(pid, 0), -1);
	assert_int_equal(errno, ESRCH);
}

/* A starter that is killed takes it along. */
static void test_dies_with_starter(void **state)
{
	struct pidref orphan = PIDREF_UNSET;
	pid_t starter;
	int fds[2];
	char word;

	(void)state;
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	starter = fork();
	if (starter == 0) {
		struct companion companion = COMPANION_UNSET;
		_cleanup_free_ char *answer = NULL;
		struct error err = ERROR_NONE;

		start(READ " >/dev/null; printf x >&0; exec sleep 1000", &companion);
		ignore(ask(&companion, "?", &answer, &err));
		ignore(fd_write_all(fds[1], &companion.ref.pid, sizeof(companion.ref.pid)));
		pause();
	}
	fd_close(fds[1]);
	assert_int_equal(read(fds[0], &orphan.pid, sizeof(orphan.pid)), sizeof(orphan.pid));
	orphan.fd = sys_pidfd_open(orphan.pid, 0);
	assert_true(orphan.fd >= 0);
	child_end(starter);
	assert_int_equal(pidref_wait_exit(&orphan, PATIENCE_MS), 1);
	assert_int_equal(read(fds[0], &word, 1), 0);
	pidref_done(&orphan);
	fd_close(fds[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(test_answers),
		world_test(test_size),
		world_test(test_too_long_an_answer),
		world_test(test_end),
		world_test(test_early_end),
		world_test(test_no_program),
		world_test(test_time_out),
		world_test(test_dies_with_starter),
	};

	if (skip_all_without(SYS_clone3, "clone3"))
		return 0;
	alarm(PATIENCE_MS / 1000);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
