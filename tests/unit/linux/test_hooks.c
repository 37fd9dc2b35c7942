/* SPDX-License-Identifier: Apache-2.0 */
/* Hooks: order, standard input, environment, failures, time-outs. */
#include <fcntl.h>

#include "berth/base/clock.h"
#include "berth/base/str.h"
#include "berth/base/sys.h"
#include "berth/linux/hooks.h"

#include "unit.h"

#define STATE "{\"id\":\"one\"}"

/* Under a checker that knows no clone3(2) no program can be started. */
static int check_clone3(void **state)
{
	struct clone_args args = {.exit_signal = 0, .flags = ~0ull};

	(void)state;
	return sys_clone3(&args) == -ENOSYS ? -1 : 0;
}

static struct spec_hook shell(const char *const *argv)
{
	return (struct spec_hook){.path = "/bin/sh", .argv = argv};
}

static char *read_back(const char *directory, const char *name)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", directory, name);
	char *text = NULL;
	struct error err = ERROR_NONE;

	assert_fine(file_read_at(AT_FDCWD, path, 4096, &text, NULL, &err), err);
	return text;
}

static void test_order_input_environment(void **state)
{
	_cleanup_directory_ char *dir = directory_make();
	_cleanup_fd_ int cwd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	const char *const first[] = {"sh", "-c", "cat > input; echo one $A >> log", NULL};
	const char *const second[] = {"sh", "-c", "echo two $0 >> log", "zero", NULL};
	const char *const other[] = {"sh", "-c", "echo wrong kind >> log", NULL};
	const char *const env[] = {"A=b", "PATH=/bin:/usr/bin", NULL};
	struct spec_hook items[] = {shell(first), shell(second)}, wrong = shell(other);
	struct spec_hooks hooks[HOOK_MAX] = {
		[HOOK_CREATE_RUNTIME] = {.items = items, .count = 2},
		[HOOK_PRESTART] = {.items = &wrong, .count = 1},
	};
	_cleanup_free_ char *input = NULL, *log = NULL;
	struct error err = ERROR_NONE;

	(void)state;
	items[0].envp = env;
	assert_fine(hooks_run(hooks, HOOK_CREATE_RUNTIME, STATE, cwd, &err), err);
	assert_fine(hooks_run(hooks, HOOK_POSTSTART, STATE, cwd, &err), err);
	input = read_back(dir, "input");
	log = read_back(dir, "log");
	assert_string_equal(input, STATE);
	assert_string_equal(log, "one b\ntwo zero\n");
}

static void test_failure_stops_and_is_named(void **state)
{
	_cleanup_directory_ char *dir = directory_make();
	_cleanup_fd_ int cwd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	const char *const good[] = {"sh", "-c", ":", NULL};
	const char *const bad[] = {"sh", "-c", "echo it broke >&2; exit 3", NULL};
	const char *const late[] = {"sh", "-c", "echo > late", NULL};
	struct spec_hook items[] = {shell(good), shell(bad), shell(late)};
	struct spec_hooks hooks[HOOK_MAX] = {[HOOK_PRESTART] = {.items = items, .count = 3}};
	struct error err = ERROR_NONE;

	(void)state;
	assert_int_equal(hooks_run(hooks, HOOK_PRESTART, STATE, cwd, &err), -ECHILD);
	assert_contains(err.text, "hooks.prestart[1]: \"/bin/sh\" ");
	assert_contains(err.text, "status 3");
	assert_contains(err.text, "it broke");
	assert_int_equal(faccessat(cwd, "late", F_OK, 0), -1);

	/* For poststop the others run all the same. */
	hooks[HOOK_POSTSTOP] = hooks[HOOK_PRESTART];
	hooks_run_all(hooks, HOOK_POSTSTOP, STATE, cwd);
	assert_int_equal(faccessat(cwd, "late", F_OK, 0), 0);
}

static void test_missing_program(void **state)
{
	struct spec_hook item = {.path = "/no/such/hook"};
	struct spec_hooks hooks[HOOK_MAX] = {[HOOK_POSTSTART] = {.items = &item, .count = 1}};
	struct error err = ERROR_NONE;

	(void)state;
	assert_int_equal(hooks_run(hooks, HOOK_POSTSTART, STATE, -1, &err), -ENOENT);
	assert_contains(err.text, "hooks.poststart[0]: ");
	assert_contains(err.text, "/no/such/hook");
}

static void test_timeout(void **state)
{
	const char *const slow[] = {"sh", "-c", "exec sleep 60", NULL};
	struct spec_hook item = shell(slow);
	struct spec_hooks hooks[HOOK_MAX] = {[HOOK_PRESTART] = {.items = &item, .count = 1}};
	int64_t start = clock_now_ms();
	struct error err = ERROR_NONE;

	(void)state;
	item.timeout_s = 1;
	assert_int_equal(hooks_run(hooks, HOOK_PRESTART, STATE, -1, &err), -ETIMEDOUT);
	assert_true(clock_now_ms() - start < 20000);
	assert_contains(err.text, "hooks.prestart[0]: ");
	assert_contains(err.text, "1 s");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order_input_environment),
		cmocka_unit_test(test_failure_stops_and_is_named),
		cmocka_unit_test(test_missing_program),
		cmocka_unit_test(test_timeout),
	};

	if (check_clone3(NULL) < 0) {
		fprintf(stderr, "skipped: no clone3(2) here\n");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
