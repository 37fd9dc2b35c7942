/* SPDX-License-Identifier: Apache-2.0 */
/* Pinned processes: who they are, waiting, reaping. */
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/time.h>

#include "berth/base/clock.h"
#include "berth/base/pidref.h"
#include "berth/base/sys.h"

#include "unit.h"

static int procfd = -EBADF;

static int proc_make(void **state)
{
	(void)state;
	procfd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return procfd < 0;
}

static int proc_remove(void **state)
{
	(void)state;
	procfd = fd_close(procfd);
	return 0;
}

/* Pins a child of ours. */
static struct pidref pin(pid_t pid)
{
	struct pidref ref = PIDREF_UNSET;
	uint64_t start = 0;

	assert_int_equal(pidref_start_time(procfd, pid, &start, NULL), 0);
	assert_int_equal(pidref_open(procfd, pid, start, &ref), 0);
	assert_int_equal(ref.pid, pid);
	assert_int_equal(fcntl(ref.fd, F_GETFD), FD_CLOEXEC);
	return ref;
}

/* Waits until a child has ended, and leaves it as a zombie. */
static void await_zombie(pid_t pid)
{
	siginfo_t info;

	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
}

static void test_start_time(void **state)
{
	uint64_t ours = 0, again = 0, first = 0, theirs = 0;
	bool zombie = true;
	pid_t pid;

	(void)state;
	assert_int_equal(pidref_start_time(procfd, getpid(), &ours, &zombie), 0);
	assert_false(zombie);
	assert_int_equal(pidref_start_time(procfd, getpid(), &again, NULL), 0);
	assert_true(ours > 0 && ours == again);
	assert_int_equal(pidref_start_time(procfd, 1, &first, NULL), 0);
	assert_true(first <= ours);
	pid = child_make(-1);
	assert_int_equal(pidref_start_time(procfd, pid, &theirs, NULL), 0);
	assert_true(theirs >= ours);
	child_end(pid);
	assert_int_equal(pidref_start_time(procfd, pid, &theirs, NULL), -ESRCH);
	assert_int_equal(pidref_start_time(-EBADF, pid, &theirs, NULL), -EBADF);
}

/* The name of a process may hold anything, what looks like further fields too. */
static void test_strange_names(void **state)
{
	static const char *const names[] = {") Z 1 2 3", "a b", "((", "\n) R 1", ")", " "};
	uint64_t before = 0, after = 0;
	char name[16];

	(void)state;
	assert_int_equal(prctl(PR_GET_NAME, name), 0);
	assert_int_equal(pidref_start_time(procfd, getpid(), &before, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		bool zombie = true;

		assert_int_equal(prctl(PR_SET_NAME, names[i]), 0);
		assert_int_equal(pidref_start_time(procfd, getpid(), &after, &zombie), 0);
		assert_true(before == after && !zombie);
		assert_false(pidref_never_executed(procfd, getpid()));
	}
	assert_int_equal(prctl(PR_SET_NAME, name), 0);
}

static void test_zombie(void **state)
{
	struct pidref ref = PIDREF_UNSET;
	uint64_t start = 0;
	bool zombie = false;
	pid_t pid = child_make(3);

	(void)state;
	await_zombie(pid);
	assert_int_equal(pidref_start_time(procfd, pid, &start, &zombie), 0);
	assert_true(zombie);
	assert_int_equal(pidref_open(procfd, pid, start, &ref), -ESRCH);
	assert_int_equal(ref.pid, 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(pidref_open(procfd, pid, start, &ref), -ESRCH);
	assert_true(ref.fd < 0);
}

static void test_open(void **state)
{
	struct pidref ref = PIDREF_UNSET;
	uint64_t start = 0;
	pid_t pid = child_make(-1);

	(void)state;
	assert_int_equal(pidref_start_time(procfd, pid, &start, NULL), 0);
	/* The same number, another process. */
	assert_int_equal(pidref_open(procfd, pid, start + 1, &ref), -ESRCH);
	assert_int_equal(pidref_open(procfd, pid, 0, &ref), -ESRCH);
	assert_int_equal(pidref_open(procfd, 0, start, &ref), -ESRCH);
	assert_int_equal(pidref_open(procfd, -1, start, &ref), -ESRCH);
	assert_true(ref.fd < 0 && ref.pid == 0);
	assert_int_equal(pidref_open(procfd, pid, start, &ref), 0);
	pidref_done(&ref);
	assert_true(ref.fd < 0 && ref.pid == 0);
	pidref_done(&ref);
	child_end(pid);
}

static void test_signal_and_reap(void **state)
{
	pid_t pid = child_make(-1);
	struct pidref ref = pin(pid);
	int status = 0;

	(void)state;
	assert_int_equal(pidref_signal(&ref, 0), 0);
	assert_int_equal(pidref_wait_exit(&ref, 0), 0);
	assert_int_equal(pidref_signal(&ref, SIGUSR1), 0);
	assert_int_equal(pidref_wait_exit(&ref, -1), 1);
	/* It is still to be reaped, and can be waited for again. */
	assert_int_equal(pidref_wait_exit(&ref, 0), 1);
	assert_int_equal(pidref_reap(&ref, &status), 0);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGUSR1);
	assert_int_equal(exit_code_of(status), 128 + SIGUSR1);
	assert_int_equal(pidref_signal(&ref, 0), -ESRCH);
	assert_int_equal(pidref_reap(&ref, &status), -ECHILD);
	pidref_done(&ref);
	assert_int_equal(pidref_signal(&ref, 0), -EBADF);
	assert_int_equal(pidref_reap(&ref, NULL), -EINVAL);
}

static void test_exit_status(void **state)
{
	static const int codes[] = {0, 1, 77, 127, 255};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		pid_t pid = child_make(codes[i]);
		struct pidref ref = {.pid = pid, .fd = sys_pidfd_open(pid, 0)};
		int status = -1;

		assert_int_equal(pidref_reap(&ref, &status), 0);
		assert_true(WIFEXITED(status));
		assert_int_equal(exit_code_of(status), codes[i]);
		pidref_done(&ref);
	}
	assert_int_equal(exit_code_of(W_EXITCODE(0, SIGKILL)), 137);
	assert_int_equal(exit_code_of(W_EXITCODE(0, SIGSEGV) | 0x80), 139);
}

static void ignore_signal(int number)
{
	(void)number;
}

/* The time runs on, however often a signal comes in between. */
static void test_wait_time(void **state)
{
	struct sigaction action = {.sa_handler = ignore_signal}, old;
	const struct itimerval often = {{0, 5000}, {0, 5000}}, never = {{0, 0}, {0, 0}};
	pid_t pid = child_make(-1);
	struct pidref ref = pin(pid);
	int64_t start;

	(void)state;
	start = clock_now_ms();
	assert_int_equal(pidref_wait_exit(&ref, 50), 0);
	assert_true(clock_now_ms() - start >= 49);
	assert_int_equal(sigaction(SIGALRM, &action, &old), 0);
	assert_int_equal(setitimer(ITIMER_REAL, &often, NULL), 0);
	start = clock_now_ms();
	assert_int_equal(pidref_wait_exit(&ref, 100), 0);
	assert_true(clock_now_ms() - start >= 99);
	assert_true(clock_now_ms() - start < 20000);
	assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
	assert_int_equal(sigaction(SIGALRM, &old, NULL), 0);
	pidref_kill_and_reap(&ref);
}

static void test_cleanup(void **state)
{
	pid_t pid = child_make(-1), dead = child_make(0);
	struct pidref unset = PIDREF_UNSET;

	(void)state;
	{
		_cleanup_child_ __attribute__((unused)) struct pidref ref =
			pin(pid); /* killed at the end */
		_cleanup_child_ struct pidref zombie = {.pid = dead, .fd = sys_pidfd_open(dead, 0)};

		assert_true(zombie.fd >= 0);
		await_zombie(dead);
	}
	assert_int_equal(waitpid(pid, NULL, WNOHANG), -1);
	assert_int_equal(waitpid(dead, NULL, WNOHANG), -1);
	pidref_kill_and_reap(&unset);
	pid = child_make(-1);
	{
		_cleanup_child_ struct pidref ref = pin(pid);

		unset = take_pidref(&ref);
	}
	assert_int_equal(unset.pid, pid);
	assert_int_equal(pidref_signal(&unset, 0), 0);
	pidref_kill_and_reap(&unset);
}

/* A child that says on which side of its exec it is. */
static void test_never_executed(void **state)
{
	int fds[2];
	char byte;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		char *const argv[] = {(char[]){"sleep"}, (char[]){"1000"}, NULL};

		pause();
		execv("/bin/sleep", argv);
		_exit(127);
	}
	assert_true(pidref_never_executed(procfd, pid));
	child_end(pid);
	assert_false(pidref_never_executed(procfd, pid));
	assert_false(pidref_never_executed(-EBADF, pid));
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		char *const argv[] = {(char[]){"sleep"}, (char[]){"1000"}, NULL};

		execv("/bin/sleep", argv);
		_exit(127);
	}
	/* Its end of the pipe closes at the exec. */
	fd_close(fds[1]);
	assert_int_equal(read(fds[0], &byte, 1), 0);
	fd_close(fds[0]);
	assert_false(pidref_never_executed(procfd, pid));
	kill(pid, SIGKILL);
	await_zombie(pid);
	assert_false(pidref_never_executed(procfd, pid));
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	/* And a zombie that never did. */
	pid = child_make(0);
	await_zombie(pid);
	assert_true(pidref_never_executed(procfd, pid));
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* A SIGKILL counts from the moment on when it was sent. */
static void test_doomed(void **state)
{
	pid_t pid = child_make(-1);

	(void)state;
	assert_false(pidref_is_doomed(procfd, pid));
	kill(pid, SIGSTOP);
	assert_false(pidref_is_doomed(procfd, pid));
	assert_false(pidref_is_ending(procfd, pid));
	kill(pid, SIGKILL);
	assert_true(pidref_is_doomed(procfd, pid));
	assert_true(pidref_is_ending(procfd, pid));
	await_zombie(pid);
	assert_true(pidref_is_doomed(procfd, pid));
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_false(pidref_is_doomed(procfd, pid));
	assert_false(pidref_is_doomed(-EBADF, pid));
	assert_false(pidref_is_ending(-EBADF, pid));
	/* Another signal counts once it has ended the process. */
	pid = child_make(-1);
	kill(pid, SIGTERM);
	await_zombie(pid);
	assert_true(pidref_is_doomed(procfd, pid));
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	/* One that has done its work is not, but is ending. */
	pid = child_make(0);
	await_zombie(pid);
	assert_false(pidref_is_doomed(procfd, pid));
	assert_true(pidref_is_ending(procfd, pid));
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void *be_a_thread(void *fds)
{
	pid_t tid = (pid_t)syscall(SYS_gettid);
	char byte;

	if (write(((const int *)fds)[1], &tid, sizeof(tid)) != sizeof(tid))
		return NULL;
	ignore(read(((const int *)fds)[2], &byte, 1));
	return NULL;
}

/* A number that a thread has by now is no process: the one that had it is gone. */
static void test_thread(void **state)
{
	int fds[4];
	pthread_t thread;
	pid_t tid = 0;
	uint64_t start = 0;
	struct pidref ref = PIDREF_UNSET;

	(void)state;
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_int_equal(pipe2(fds + 2, O_CLOEXEC), 0);
	assert_int_equal(pthread_create(&thread, NULL, be_a_thread, fds), 0);
	assert_int_equal(read(fds[0], &tid, sizeof(tid)), sizeof(tid));
	assert_int_equal(pidref_start_time(procfd, tid, &start, NULL), 0);
	assert_int_equal(pidref_open(procfd, tid, start, &ref), -ESRCH);
	assert_int_equal(pidref_open(procfd, tid, 1, &ref), -ESRCH);
	assert_int_equal(ref.pid, 0);
	fd_close(fds[3]);
	assert_int_equal(pthread_join(thread, NULL), 0);
	for (int i = 0; i < 3; i++)
		fd_close(fds[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(test_start_time),	  world_test(test_strange_names),
		world_test(test_zombie),	  world_test(test_open),
		world_test(test_signal_and_reap), world_test(test_exit_status),
		world_test(test_wait_time),	  world_test(test_cleanup),
		world_test(test_never_executed),  world_test(test_thread),
		world_test(test_doomed),
	};

	if (skip_all_without(SYS_pidfd_open, "pidfd_open"))
		return 0;
	return cmocka_run_group_tests(tests, proc_make, proc_remove);
}
