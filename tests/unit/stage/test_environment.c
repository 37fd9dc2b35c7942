/* SPDX-License-Identifier: Apache-2.0 */
/* The environment of the program: its own, HOME, and sockets that are passed on. */
#include <fcntl.h>

#include "berth/base/fd.h"
#include "berth/base/str.h"

#include "stage-internal.h"

#include "../base/unit.h"

static const char *const own[] = {
	"PATH=/bin",	    "HOME=/srv", "LISTEN_FDS=7", "LISTEN_PID=7", "LISTEN_FDNAMES=x",
	"LISTEN_FDS_NOT=1", NULL};

static const char *const *make(const char *const *env, const struct listening *listening)
{
	struct spec_process process = {.env = env};
	struct entry entry = {.process = &process, .rootfd = -EBADF, .listening = listening};

	return environment_make(&entry);
}

/* The program never comes that would make away with it. */
static void done(const char *const *env, const char *const *base)
{
	for (size_t i = 0; env[i]; i++) {
		bool ours = true;

		for (size_t k = 0; base[k]; k++)
			ours = ours && env[i] != base[k];
		if (ours)
			free((void *)env[i]);
	}
	free((void *)env);
}

static size_t count_of(const char *const *env, const char *start)
{
	size_t count = 0;

	for (; *env; env++)
		count += str_starts(*env, start);
	return count;
}

static void test_as_it_is(void **state)
{
	const struct listening nobody = {.count = 0, .names = "ignored"};
	const char *const *env = make(own, &nobody);

	(void)state;
	for (size_t i = 0; own[i]; i++)
		assert_string_equal(env[i], own[i]);
	assert_null(env[ARRAY_SIZE(own) - 1]);
	done(env, own);
}

static void test_home(void **state)
{
	static const char *const without[] = {"A=1", NULL};
	const struct listening nobody = {.count = 0};
	const char *const *env = make(without, &nobody);

	(void)state;
	/* There is no root to look into. */
	assert_string_equal(env[1], "HOME=/");
	assert_null(env[2]);
	done(env, without);
}

static void test_listening(void **state)
{
	const struct listening two = {.count = 2, .names = "web:control"};
	const char *const *env = make(own, &two);
	char pid[32];

	(void)state;
	snprintf(pid, sizeof(pid), "LISTEN_PID=%d", getpid());
	assert_int_equal(count_of(env, "LISTEN_FDS="), 1);
	assert_int_equal(count_of(env, "LISTEN_FDS=2"), 1);
	assert_int_equal(count_of(env, "LISTEN_PID="), 1);
	assert_int_equal(count_of(env, pid), 1);
	assert_int_equal(count_of(env, "LISTEN_FDNAMES=web:control"), 1);
	assert_int_equal(count_of(env, "LISTEN_FDS_NOT=1"), 1);
	assert_int_equal(count_of(env, ""), 6);
	done(env, own);
}

static void test_without_names(void **state)
{
	const struct listening one = {.count = 1};
	const char *const *env = make(own, &one);

	(void)state;
	assert_int_equal(count_of(env, "LISTEN_FDNAMES="), 0);
	done(env, own);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_as_it_is),
		cmocka_unit_test(test_home),
		cmocka_unit_test(test_listening),
		cmocka_unit_test(test_without_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
