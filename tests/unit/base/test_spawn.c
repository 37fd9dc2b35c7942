/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Running programs to their end. The programs are shell scripts, which tell what they see through
 * their standard error and exit status.
 */
#include <poll.h>
#include <pthread.h>
#include <time.h>

#include "berth/base/clock.h"
#include "berth/base/spawn.h"

#include "unit.h"

/* Tests that hang are ended by this many seconds. */
#define PATIENCE 60

/* Runs "sh -c SCRIPT" with these. */
struct script {
	const char *text, *input;
	int timeout_ms; /* 0: none */
	int cwdfd;	/* 0: the test's */
	const char *const *envp;
	const atomic_bool *cancelled;
};

static int run_script(const struct script *script, struct error *err)
{
	const char *const argv[] = {"sh", "-c", script->text, NULL};
	const char *const path[] = {"PATH=/usr/bin:/bin", NULL};
	const struct spawn spawn = {
		.path = "/bin/sh",
		.argv = argv,
		.envp = script->envp ? script->envp : path,
		.input = script->input,
		.input_size = script->input ? strlen(script->input) : 0,
		.cwdfd = script->cwdfd ? script->cwdfd : -1,
		.timeout_ms = script->timeout_ms ? script->timeout_ms : -1,
		.cancelled = script->cancelled,
	};

	return spawn_wait(&spawn, err);
}

static void succeed(const char *text)
{
	const struct script script = {.text = text};
	struct error err = ERROR_NONE;
	int r = run_script(&script, &err);

	if (r != 0)
		fail_msg("%s: %d %s", text, r, err.text);
	assert_int_equal(err.code, 0);
}

/* What the script says on its standard error before it exits with 9; the caller's text. */
static char *hear(const struct script *script)
{
	static const char head[] = "\"/bin/sh\" exited with status 9: ";
	struct error err = ERROR_NONE;

	assert_failed(run_script(script, &err), err, -ECHILD);
	if (!str_starts(err.text, head))
		fail_msg("%s: %s", script->text, err.text);
	return xstrdup(err.text + sizeof(head) - 1);
}

static void test_success(void **state)
{
	(void)state;
	succeed("exit 0");
	succeed("echo noise; echo noise >&2");
}

static void test_status(void **state)
{
	static const struct {
		const char *text, *error;
	} cases[] = {
		{"exit 1", "\"/bin/sh\" exited with status 1"},
		{"exit 255", "\"/bin/sh\" exited with status 255"},
		{"echo why >&2; exit 3", "\"/bin/sh\" exited with status 3: why\n"},
		{"kill -TERM $$", "\"/bin/sh\" was killed by signal 15 (SIGTERM)"},
		{"echo last >&2; kill -KILL $$",
		 "\"/bin/sh\" was killed by signal 9 (SIGKILL): last\n"},
		{"kill -40 $$", "\"/bin/sh\" was killed by signal 40 (real-time)"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct script script = {.text = cases[i].text};
		struct error err = ERROR_NONE;

		assert_failed(run_script(&script, &err), err, -ECHILD);
		if (strncmp(err.text, cases[i].error, strcspn(cases[i].error, "\n")) != 0)
			fail_msg("%s: %s", cases[i].text, err.text);
	}
}

static void test_no_program(void **state)
{
	const struct world *world = *state;
	_cleanup_free_ char *plain = xasprintf("%s/plain", world->path);
	_cleanup_free_ char *missing = xasprintf("%s/missing", world->path);
	_cleanup_free_ char *broken = xasprintf("%s/broken", world->path);
	struct {
		const char *path;
		int r;
	} cases[] = {
		{missing, -ENOENT},
		{plain, -EACCES},
		{broken, -ENOENT},
		{world->path, -EACCES},
	};

	put_file(world, "plain", "text");
	put_file(world, "broken", "#!/no/such/interpreter\n");
	assert_int_equal(chmod(broken, 0755), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct spawn spawn = {.path = cases[i].path, .cwdfd = -1, .timeout_ms = -1};
		_cleanup_free_ char *expected =
			xasprintf("execute \"%s\": %s", cases[i].path, strerror(-cases[i].r));
		struct error err = ERROR_NONE;

		assert_failed(spawn_wait(&spawn, &err), err, cases[i].r);
		assert_string_equal(err.text, expected);
	}
}

/* The input comes whole, ends, and may be ignored. */
static void test_input(void **state)
{
	const struct script echo = {.text = "cat >&2; exit 9", .input = "{\"a\":\n1}"};
	const struct script none = {.text = "wc -c >&2; exit 9"};
	const size_t size = 1u << 20;
	_cleanup_free_ char *heard = NULL, *nothing = NULL, *counted = NULL;
	_cleanup_free_ char *much = xcalloc(size + 1, 1);
	struct script large = {.text = "wc -c >&2; exit 9", .input = much};
	struct error err = ERROR_NONE;

	(void)state;
	heard = hear(&echo);
	nothing = hear(&none);
	assert_string_equal(heard, "{\"a\": 1}");
	assert_int_equal(nothing[0], '0');
	memset(much, 'x', size);
	counted = hear(&large);
	assert_int_equal(strncmp(counted, "1048576", 7), 0);
	large.text = "exit 0";
	assert_fine(run_script(&large, &err), err);
}

static void test_surroundings(void **state)
{
	const struct world *world = *state;
	static const char *const environment[] = {"ONE=1", "TWO=two words", NULL};
	static const char *const nothing[] = {NULL};
	const struct script env = {.text = "echo \"$ONE|$TWO\" >&2; exit 9", .envp = environment};
	const struct script bare = {.text = "/usr/bin/env >&2; exit 9", .envp = nothing};
	const struct script cwd = {.text = "pwd >&2; exit 9", .cwdfd = world->fd};
	_cleanup_free_ char *values = NULL, *own = NULL, *directory = NULL;

	values = hear(&env);
	assert_true(str_starts(values, "1|two words"));
	/* What a shell adds by itself, and nothing of the test's. */
	own = hear(&bare);
	assert_null(strstr(own, "PATH=/usr"));
	assert_null(strstr(own, "HOME="));
	directory = hear(&cwd);
	assert_true(str_starts(directory, world->path));
}

/* A directory that is none is said before anything runs. */
static void test_bad_directory(void **state)
{
	const struct world *world = *state;
	_cleanup_fd_ int fd = -EBADF;
	struct error err = ERROR_NONE;

	put_file(world, "file", "");
	fd = openat(world->fd, "file", O_PATH | O_CLOEXEC);
	{
		const struct script script = {.text = "exit 0", .cwdfd = fd};

		assert_failed(run_script(&script, &err), err, -ENOTDIR);
		assert_string_equal(err.text, "execute \"/bin/sh\": Not a directory");
	}
}

/* Without argv and envp it is the path alone, and no variable. */
static void test_defaults(void **state)
{
	const struct world *world = *state;
	_cleanup_free_ char *path = xasprintf("%s/script", world->path);
	_cleanup_free_ char *expected = NULL;
	const struct spawn spawn = {.path = path, .cwdfd = -1, .timeout_ms = -1};
	struct error err = ERROR_NONE;

	put_file(world, "script", "#!/bin/sh\necho \"$# $0\" >&2\nexit 4\n");
	assert_int_equal(chmod(path, 0755), 0);
	expected = xasprintf("\"%s\" exited with status 4: 0 %s", path, path);
	assert_failed(spawn_wait(&spawn, &err), err, -ECHILD);
	assert_true(str_starts(err.text, expected));
}

/* Only 0 to 2 are open in the program, whatever was inheritable here. */
static void test_descriptors(void **state)
{
	static const struct script list = {
		.text = "for fd in /proc/$$/fd/*; do n=${fd##*/}; "
			"[ -h \"$fd\" ] && [ \"$n\" -gt 2 ] && echo "
			"\"$n: $(readlink \"$fd\")\" >&2; done; "
			"out=$(readlink /proc/$$/fd/1); echo \"$out\" >&2; exit 9"};
	struct error err = ERROR_NONE;
	_cleanup_free_ char *heard = NULL;
	int leaky;

	(void)state;
	leaky = fcntl(STDERR_FILENO, F_DUPFD, 50);
	assert_true(leaky >= 50);
	assert_fine(fd_set_cloexec(leaky, false, &err), err);
	heard = hear(&list);
	fd_close(leaky);
	if (!str_equal(heard, "/dev/null"))
		fail_msg("open in the program: %s", heard);
}

/* Signals that were ignored or blocked here are not there; it leads a group of its own. */
static void test_signals(void **state)
{
	/* Without a child, around whose start a shell blocks signals itself. */
	static const struct script look = {
		.text = "while read key value; do "
			"case $key in SigBlk:|SigIgn:) echo $key $value >&2; esac; "
			"done </proc/$$/status; "
			"read pid name status parent group rest </proc/$$/stat; "
			"[ \"$group\" = \"$$\" ] && echo leader >&2; exit 9"};
	struct sigaction ignored = {.sa_handler = SIG_IGN}, old;
	_cleanup_free_ char *heard = NULL;
	sigset_t set, old_set;

	(void)state;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	assert_int_equal(sigprocmask(SIG_BLOCK, &set, &old_set), 0);
	assert_int_equal(sigaction(SIGUSR1, &ignored, &old), 0);
	heard = hear(&look);
	assert_int_equal(sigaction(SIGUSR1, &old, NULL), 0);
	assert_int_equal(sigprocmask(SIG_SETMASK, &old_set, NULL), 0);
	assert_contains(heard, "SigBlk: 0000000000000000");
	assert_contains(heard, "SigIgn: 0000000000000000");
	assert_contains(heard, "leader");
}

/* Whether a process that wrote its number to the file @name is still there, for 10 s at most. */
static bool is_gone(const struct world *world, const char *name)
{
	_cleanup_free_ char *text = get_file(world, name);
	uint32_t pid = 0;

	assert_non_null(text);
	text[strcspn(text, "\n")] = '\0';
	assert_int_equal(str_to_u32(text, &pid), 0);
	assert_true(pid > 1);
	for (int i = 0; i < 1000; i++) {
		_cleanup_free_ char *stat = xasprintf("/proc/%u/stat", pid);
		char content[256] = "";
		_cleanup_fd_ int fd = open(stat, O_RDONLY | O_CLOEXEC);
		const struct timespec moment = {0, 10000000};

		/* A zombie is dead, and for its parent, which is not us, to bury. */
		if (fd < 0 || read(fd, content, sizeof(content) - 1) <= 0 || strstr(content, ") Z"))
			return true;
		nanosleep(&moment, NULL);
	}
	kill((pid_t)pid, SIGKILL);
	return false;
}

static void test_timeout(void **state)
{
	const struct world *world = *state;
	const struct script script = {
		.text = "sh -c 'echo $$ >grandchild; exec sleep 1000' & "
			"until [ -s grandchild ]; do :; done; echo $$ >child; sleep 1000",
		.cwdfd = world->fd,
		.timeout_ms = 2000,
	};
	struct error err = ERROR_NONE;
	int64_t start = clock_now_ms();

	assert_failed(run_script(&script, &err), err, -ETIMEDOUT);
	assert_true(clock_now_ms() - start >= 1999);
	assert_true(clock_now_ms() - start < 30000);
	assert_true(str_starts(err.text, "\"/bin/sh\" did not end within 2 s and was killed"));
	assert_true(is_gone(world, "child"));
	assert_true(is_gone(world, "grandchild"));
}

/* Sets what it is given once the world has a file "grandchild". */
struct canceller {
	const struct world *world;
	atomic_bool cancelled;
};

static void *cancel(void *argument)
{
	struct canceller *canceller = argument;

	for (int i = 0; i < PATIENCE * 100; i++) {
		if (faccessat(canceller->world->fd, "grandchild", F_OK, 0) == 0)
			break;
		poll(NULL, 0, 10);
	}
	atomic_store(&canceller->cancelled, true);
	return NULL;
}

static void test_cancelled(void **state)
{
	const struct world *world = *state;
	struct canceller canceller = {.world = world};
	const struct script script = {
		.text = "sh -c 'echo $$ >made; mv made grandchild; exec sleep 1000' & "
			"echo $$ >child; sleep 1000",
		.cwdfd = world->fd,
		.timeout_ms = PATIENCE * 1000,
		.cancelled = &canceller.cancelled,
	};
	struct error err = ERROR_NONE;
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, cancel, &canceller), 0);
	assert_failed(run_script(&script, &err), err, -ECANCELED);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_true(is_gone(world, "child"));
	assert_true(is_gone(world, "grandchild"));
}

/* What it started in another session is out of reach, and holds nobody up. */
static void test_timeout_stubborn(void **state)
{
	const struct world *world = *state;
	const struct script script = {
		.text = "trap '' TERM HUP INT; setsid sh -c 'echo $$ >escaped; exec sleep 1000' & "
			"until [ -s escaped ]; do :; done; while :; do sleep 1000; done",
		.cwdfd = world->fd,
		.timeout_ms = 2000,
	};
	_cleanup_free_ char *text = NULL;
	struct error err = ERROR_NONE;
	uint32_t escaped = 0;
	int r = run_script(&script, &err);

	text = get_file(world, "escaped");
	assert_non_null(text);
	text[strcspn(text, "\n")] = '\0';
	assert_int_equal(str_to_u32(text, &escaped), 0);
	assert_int_equal(kill((pid_t)escaped, SIGKILL), 0);
	assert_failed(r, err, -ETIMEDOUT);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

/* A time that is long enough does not disturb. */
static void test_in_time(void **state)
{
	const struct script script = {.text = "sleep 0.1", .timeout_ms = 100000};
	struct error err = ERROR_NONE;
	int64_t start = clock_now_ms();

	(void)state;
	assert_fine(run_script(&script, &err), err);
	assert_true(clock_now_ms() - start < 50000);
}

/* The end is that of the program, not of what it leaves behind with its standard error. */
static void test_daemon(void **state)
{
	const struct world *world = *state;
	const struct script script = {
		.text = "setsid sh -c 'echo $$ >daemon; exec sleep 1000' & "
			"until [ -s daemon ]; do :; done; echo done >&2; exit 9",
		.cwdfd = world->fd,
	};
	_cleanup_free_ char *heard = NULL, *pid = NULL;
	int64_t start = clock_now_ms();
	uint32_t number = 0;

	heard = hear(&script);
	assert_true(clock_now_ms() - start < 50000);
	assert_true(str_starts(heard, "done"));
	pid = get_file(world, "daemon");
	pid[strcspn(pid, "\n")] = '\0';
	assert_int_equal(str_to_u32(pid, &number), 0);
	/* It still runs: nobody asked for its end. */
	assert_int_equal(kill((pid_t)number, SIGKILL), 0);
}

/* Of more than is kept the beginning goes. */
static void test_much_noise(void **state)
{
	const struct script script = {
		.text = "i=0; while [ $i -lt 20000 ]; do echo \"line $i of many\"; i=$((i+1)); "
			"done >&2; exit 9"};
	_cleanup_free_ char *heard = NULL;

	(void)state;
	heard = hear(&script);
	assert_null(strstr(heard, "line 0 of many"));
	assert_contains(heard, " of many");
}

/* What is kept is the last part, whole to its end: there the reason stands. */
static void test_last_words(void **state)
{
	const struct script script = {
		.text = "i=0; while [ $i -lt 2000 ]; do echo \"line $i of many\"; i=$((i+1)); "
			"done >&2; echo the reason >&2; exit 9"};
	_cleanup_free_ char *heard = NULL;

	(void)state;
	heard = hear(&script);
	assert_contains(heard, "line 1999 of many");
	assert_contains(heard, "the reason");
}

/* A program that never stops talking neither outlives its time nor keeps us from leaving. */
static void test_endless_noise(void **state)
{
	const struct script itself = {.text = "exec yes >&2", .timeout_ms = 300};
	const struct script left = {.text = "setsid yes >&2 & exit 9", .timeout_ms = 20000};
	struct error err = ERROR_NONE;
	int64_t start = clock_now_ms();

	(void)state;
	assert_failed(run_script(&itself, &err), err, -ETIMEDOUT);
	assert_contains(err.text, "killed: ");
	assert_true(clock_now_ms() - start < 10000);
	/* It ends with SIGPIPE once nobody listens. */
	assert_failed(run_script(&left, &err), err, -ECHILD);
	assert_true(clock_now_ms() - start < 20000);
}

/* One line, in which nothing is cut by a byte 0. */
static void test_binary_noise(void **state)
{
	const struct script script = {.text = "printf 'a\\0b\\nc\\n\\n' >&2; exit 9"};
	_cleanup_free_ char *heard = hear(&script);

	(void)state;
	assert_string_equal(heard, "a b c");
}

static int without_stdio(void *argument)
{
	const struct script script = {.text = "cat >&2; exit 9", .input = "input"};
	struct error err = ERROR_NONE;

	(void)argument;
	for (int fd = 0; fd < 3; fd++)
		close(fd);
	if (run_script(&script, &err) != -ECHILD)
		return 1;
	if (!str_equal(err.text, "\"/bin/sh\" exited with status 9: input"))
		return 2;
	/* The three are closed again afterwards. */
	for (int fd = 0; fd < 3; fd++) {
		if (fcntl(fd, F_GETFD) >= 0)
			return 3;
	}
	return 0;
}

static void test_closed_stdio(void **state)
{
	(void)state;
	in_child(without_stdio, NULL);
}

/* No descriptor is left: one that runs out here is told. */
static int without_descriptors(void *argument)
{
	const struct script script = {.text = "exit 0"};
	struct error err = ERROR_NONE;

	(void)argument;
	while (fcntl(0, F_DUPFD_CLOEXEC, 0) >= 0)
		;
	for (int room = 0; room < 12; room++) {
		int r = run_script(&script, &err);

		if (r == 0)
			return 0;
		if (r != -EMFILE || err.code != -EMFILE)
			return 2;
		close(room + 3);
	}
	return 3;
}

static void test_no_descriptors(void **state)
{
	(void)state;
	in_child(without_descriptors, NULL);
}

/* The program dies with its caller. */
static void test_caller_dies(void **state)
{
	const struct world *world = *state;
	const struct script script = {
		.text = "echo $$ >child.new; mv child.new child; exec sleep 1000",
		.cwdfd = world->fd,
	};
	struct error err = ERROR_NONE;
	pid_t pid;

	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(run_script(&script, &err) < 0);
	while (faccessat(world->fd, "child", F_OK, 0) < 0)
		assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
	child_end(pid);
	assert_true(is_gone(world, "child"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(test_success),	world_test(test_status),
		world_test(test_no_program),	world_test(test_input),
		world_test(test_surroundings),	world_test(test_bad_directory),
		world_test(test_defaults),	world_test(test_descriptors),
		world_test(test_signals),	world_test(test_timeout),
		world_test(test_cancelled),	world_test(test_timeout_stubborn),
		world_test(test_in_time),	world_test(test_daemon),
		world_test(test_much_noise),	world_test(test_last_words),
		world_test(test_endless_noise), world_test(test_binary_noise),
		world_test(test_closed_stdio),	world_test(test_no_descriptors),
		world_test(test_caller_dies),
	};

	if (skip_all_without(SYS_clone3, "clone3"))
		return 0;
	alarm(PATIENCE);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
