/* SPDX-License-Identifier: Apache-2.0 */
/* How the wait for a program that is to be executed ends: of a container's init, and of exec. */
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "berth/base/sys.h"
#include "berth/stage/launch.h"
#include "berth/stage/message.h"

#include "../base/unit.h"

/* What a process does when it is told to go. */
enum conduct {
	DIES_AT_ONCE,
	DIES_BEFORE_EXEC,
	EXECUTES,
	REPORTS,
	REPORTS_EARLY,
};

/* Waits for MESSAGE_GO at @socket, and then never returns. */
static void conduct(int socket, enum conduct conduct)
{
	static const struct error reported = {.code = -ENOEXEC, .text = "execute \"x\": no"};
	struct message message;
	struct error err = ERROR_NONE;

	if (conduct == REPORTS_EARLY) {
		message_send_error(socket, &reported);
		_exit(1);
	}
	if (message_wait(socket, NULL, -1, &message, &err) <= 0 || conduct == DIES_AT_ONCE)
		raise(SIGKILL);
	if (message_send(socket, MESSAGE_ACK, &err) < 0 || conduct == DIES_BEFORE_EXEC)
		raise(SIGKILL);
	if (conduct == EXECUTES)
		execl("/bin/true", "true", NULL);
	message_send_error(socket, &reported);
	_exit(1);
}

/* A child of that conduct. */
static struct launched begin(enum conduct what)
{
	struct launched launched = LAUNCHED_UNSET;
	int sockets[2];
	pid_t pid;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		fd_close(sockets[0]);
		conduct(sockets[1], what);
	}
	fd_close(sockets[1]);
	launched.socket = sockets[0];
	launched.init.pid = pid;
	launched.init.fd = sys_pidfd_open(pid, 0);
	assert_true(launched.init.fd >= 0);
	return launched;
}

static void check(enum conduct what, bool is_exec, int code, const char *text)
{
	if (!has_call(SYS_pidfd_open))
		skip_because("there is no pidfd_open(2)");

	int procfd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct launched launched = begin(what);
	struct pollfd end = {.fd = launched.init.fd, .events = POLLIN};
	struct error err = ERROR_NONE;
	int r;

	if (what == REPORTS_EARLY)
		assert_int_equal(poll(&end, 1, 10000), 1);
	r = is_exec ? launch_exec_go(procfd, &launched, /* agent= */ NULL, NULL, &err)
		    : launch_go(procfd, launched.socket, &launched.init, /* agent= */ NULL, &err);

	assert_int_equal(r, code);
	assert_string_equal(err.text, text);
	launched_undo(&launched);
	fd_close(procfd);
}

static void test_executed(void **state)
{
	(void)state;
	check(EXECUTES, /* is_exec= */ false, 0, "");
	check(EXECUTES, /* is_exec= */ true, 0, "");
}

static void test_reported(void **state)
{
	(void)state;
	check(REPORTS, /* is_exec= */ false, -ENOEXEC, "execute \"x\": no");
	check(REPORTS, /* is_exec= */ true, -ENOEXEC, "execute \"x\": no");
}

/* It failed, and has ended, before it was told to go: what it said counts. */
static void test_reported_early(void **state)
{
	(void)state;
	check(REPORTS_EARLY, /* is_exec= */ false, -ENOEXEC, "execute \"x\": no");
	check(REPORTS_EARLY, /* is_exec= */ true, -ENOEXEC, "execute \"x\": no");
}

/* Each is called what it is: the init of a container may be well while a process of exec dies. */
static void test_killed(void **state)
{
	(void)state;
	check(DIES_BEFORE_EXEC, /* is_exec= */ false, -ECHILD,
	      "the container's init was killed before it executed the program");
	check(DIES_BEFORE_EXEC, /* is_exec= */ true, -ECHILD,
	      "the process was killed before it executed the program");
	check(DIES_AT_ONCE, /* is_exec= */ false, -EPIPE, "the other side ended without an answer");
	check(DIES_AT_ONCE, /* is_exec= */ true, -EPIPE,
	      "the process was killed before it executed the program");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_executed),
		cmocka_unit_test(test_reported),
		cmocka_unit_test(test_reported_early),
		cmocka_unit_test(test_killed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
