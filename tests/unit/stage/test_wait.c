/* SPDX-License-Identifier: Apache-2.0 */
/* Init's wait for its start, with more than one at its socket. */
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "berth/stage/message.h"

#include "stage-internal.h"

#include "../base/unit.h"

#define PATIENCE_MS 20000

static pid_t init; /* 0: none */

/* One that nobody has started would wait for ever. */
static int end_init(void **state)
{
	(void)state;
	if (init > 0) {
		kill(init, SIGKILL);
		waitpid(init, NULL, 0);
	}
	init = 0;
	return 0;
}

/* Where an init waits, which is a process of its own. */
struct waiting {
	struct sockaddr_un address;
	socklen_t size;
};

static _Noreturn void wait_as_init(int listenfd, int socket)
{
	const struct launch launch = {.listenfd = listenfd};
	struct error err = ERROR_NONE;
	int report = -EBADF;

	_exit(wait_for_start(&launch, socket, &report, &err) < 0);
}

static struct waiting begin(void)
{
	struct waiting waiting = {.address = {.sun_family = AF_UNIX}, .size = sizeof(sa_family_t)};
	int listenfd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), pair[2];
	struct error err = ERROR_NONE;

	assert_true(listenfd >= 0);
	/* The kernel finds an abstract name. */
	assert_int_equal(bind(listenfd, (struct sockaddr *)&waiting.address, waiting.size), 0);
	assert_int_equal(listen(listenfd, 16), 0);
	waiting.size = sizeof(waiting.address);
	assert_int_equal(getsockname(listenfd, (struct sockaddr *)&waiting.address, &waiting.size),
			 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	init = fork();
	assert_true(init >= 0);
	if (init == 0) {
		fd_close(pair[0]);
		wait_as_init(listenfd, pair[1]);
	}
	fd_close(listenfd);
	fd_close(pair[1]);
	assert_fine(message_send(pair[0], MESSAGE_COMMIT, &err), err);
	assert_fine(message_wait_ack(pair[0], NULL, PATIENCE_MS, &err), err);
	fd_close(pair[0]);
	return waiting;
}

static int connect_to(const struct waiting *waiting)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (const struct sockaddr *)&waiting->address, waiting->size), 0);
	return fd;
}

static void is_hung_up(int fd)
{
	struct message message;
	struct error err = ERROR_NONE;

	assert_int_equal(message_wait(fd, NULL, PATIENCE_MS, &message, &err), 0);
}

/* Nonsense is answered with a hang-up: whoever connected before has been let in by then. */
static void speak_nonsense(const struct waiting *waiting)
{
	_cleanup_fd_ int fd = connect_to(waiting);
	struct error err = ERROR_NONE;

	assert_fine(message_send(fd, MESSAGE_ACK, &err), err);
	is_hung_up(fd);
}

static void starts(int fd)
{
	struct error err = ERROR_NONE;
	int status = -1;

	assert_fine(message_send(fd, MESSAGE_GO, &err), err);
	assert_fine(message_wait_ack(fd, NULL, PATIENCE_MS, &err), err);
	assert_int_equal(waitpid(init, &status, 0), init);
	init = 0;
	assert_int_equal(status, 0);
}

/* `state` looks whether init waits between the connection of `start` and its word. */
static void test_look_in_between(void **state)
{
	struct waiting waiting = begin();
	_cleanup_fd_ int starter = connect_to(&waiting);

	(void)state;
	speak_nonsense(&waiting);
	fd_close(connect_to(&waiting));
	speak_nonsense(&waiting);
	starts(starter);
}

/* However many are stopped before they say a word: the next is heard. */
static void test_many_silent(void **state)
{
	struct waiting waiting = begin();
	int silent[12];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(silent); i++)
		silent[i] = connect_to(&waiting);
	speak_nonsense(&waiting);
	is_hung_up(silent[0]);
	starts(silent[ARRAY_SIZE(silent) - 1]);
	for (size_t i = 0; i < ARRAY_SIZE(silent); i++) {
		is_hung_up(silent[i]);
		fd_close(silent[i]);
	}
}

/* A limit that leaves init one number: the newest has it. */
static void test_few_descriptors(void **state)
{
	struct waiting waiting = begin();
	_cleanup_fd_ int silent = connect_to(&waiting), starter = -EBADF;
	struct rlimit limit = {0};
	char path[64];

	(void)state;
	speak_nonsense(&waiting);
	/* The lowest number that is free is the one of the nonsense. */
	for (;; limit.rlim_cur++) {
		snprintf(path, sizeof(path), "/proc/%d/fd/%d", init, (int)limit.rlim_cur);
		if (access(path, F_OK) < 0)
			break;
	}
	limit.rlim_max = limit.rlim_cur;
	assert_int_equal(prlimit(init, RLIMIT_NOFILE, &limit, NULL), 0);
	starter = connect_to(&waiting);
	is_hung_up(silent);
	starts(starter);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_look_in_between, end_init),
		cmocka_unit_test_teardown(test_many_silent, end_init),
		cmocka_unit_test_teardown(test_few_descriptors, end_init),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
