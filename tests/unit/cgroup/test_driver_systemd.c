/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The conversation with berth-systemd. The one here is a script beside a hard link of this program:
 * it writes down what it is asked, and answers what the test says.
 */
#include <errno.h>

#include "berth/base/fd.h"
#include "berth/base/str.h"
#include "berth/cgroup/cgroup.h"

#include "fake.h"
#include "unit-internal.h"

struct lab {
	char path[512];
	char program[600];
	int fd;
	const char *env[6];
	struct systemd systemd;
	struct unit_ref unit;
};

static const char script[] = "#!/bin/sh\n"
			     "d=${0%/*}\n"
			     "dd bs=70000 count=1 <&0 2>/dev/null >\"$d/question\"\n"
			     "echo \"$*\" >\"$d/arguments\"\n"
			     "tr '\\0' '\\n' </proc/$$/environ >\"$d/environment\"\n"
			     "cat \"$d/stderr\" >&2\n"
			     "dd bs=70000 count=1 >&0 <\"$d/answer\" 2>/dev/null\n"
			     "dd bs=1 count=1 <&0 >/dev/null 2>&1\n";

static void put(const struct lab *lab, const char *name, const char *content, mode_t mode)
{
	int fd = openat(lab->fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, content, strlen(content)), strlen(content));
	close(fd);
}

/* Without its last line break; the caller's. */
static char *get(const struct lab *lab, const char *name)
{
	struct error err = ERROR_NONE;
	char *text = NULL;

	if (file_read_at(lab->fd, name, 1u << 20, &text, NULL, &err) < 0)
		fail_msg("%s\n", err.text);
	if (*text && text[strlen(text) - 1] == '\n')
		text[strlen(text) - 1] = '\0';
	return text;
}

static int begin(void **state)
{
	struct lab *lab = xcalloc(1, sizeof(*lab));
	ssize_t n = readlink("/proc/self/exe", lab->path, sizeof(lab->path) - 32);
	char *own;

	assert_true(n > 0);
	own = xstrdup(lab->path);
	/* Beside this program, since a link cannot go to another file system. */
	strcpy(lab->path + n, "-XXXXXX");
	assert_non_null(mkdtemp(lab->path));
	lab->fd = open(lab->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	snprintf(lab->program, sizeof(lab->program), "%s/berth", lab->path);
	assert_int_equal(link(own, lab->program), 0);
	free(own);
	put(lab, "berth-systemd", script, 0755);
	put(lab, "stderr", "", 0644);
	put(lab, "answer", "{}", 0644);
	lab->env[0] = "PATH=/tmp";
	lab->env[1] = "XDG_RUNTIME_DIR=/run/user/7";
	lab->env[2] = "XDG_RUNTIME_DIR=/second";
	lab->env[3] = "DBUS_SESSION_BUS_ADDRESS=unix:path=/x";
	lab->systemd = (struct systemd){.program = lab->program, .env = lab->env};
	lab->unit = (struct unit_ref){&lab->systemd, "berth-web.scope"};
	*state = lab;
	return 0;
}

static int end(void **state)
{
	static const char *const names[] = {"berth",	"berth-systemd", "stderr",     "answer",
					    "question", "arguments",	 "environment"};
	struct lab *lab = *state;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		unlinkat(lab->fd, names[i], 0);
	close(lab->fd);
	assert_int_equal(rmdir(lab->path), 0);
	free(lab);
	return 0;
}

static void test_questions(void **state)
{
	struct lab *lab = *state;
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_free_ char *stop = NULL, *attach = NULL, *below = NULL, *set = NULL;
	struct unit_properties list = {.arena = arena};
	struct error err = ERROR_NONE;

	assert_int_equal(unit_stop(&lab->unit, &err), 0);
	stop = get(lab, "question");
	assert_string_equal(stop, "{\"stop\":{\"unit\":\"berth-web.scope\"}}");
	assert_int_equal(unit_attach(&lab->unit, "", 77, &err), 0);
	attach = get(lab, "question");
	assert_string_equal(attach, "{\"attach\":{\"unit\":\"berth-web.scope\",\"pid\":77}}");
	assert_int_equal(unit_attach(&lab->unit, "/a", 77, &err), 0);
	below = get(lab, "question");
	assert_string_equal(below, "{\"attach\":{\"unit\":\"berth-web.scope\",\"pid\":77,"
				   "\"subcgroup\":\"/a\"}}");
	property_add(&list, "TasksMax", "t", value_of_u64(arena, UINT64_MAX));
	property_add(&list, "Delegate", "b", value_of_bool(arena, true));
	assert_int_equal(unit_set(&lab->unit, &list, &err), 0);
	set = get(lab, "question");
	assert_string_equal(set, "{\"set\":{\"unit\":\"berth-web.scope\",\"properties\":["
				 "[\"TasksMax\",\"t\",18446744073709551615],"
				 "[\"Delegate\",\"b\",true]]}}");
}

/* Nothing to say: nobody is asked, and nobody needs to be there. */
static void test_nothing_to_set(void **state)
{
	struct lab *lab = *state;
	const struct unit_properties none = {.count = 0};
	struct error err = ERROR_NONE;

	assert_int_equal(unlinkat(lab->fd, "berth-systemd", 0), 0);
	assert_int_equal(unit_set(&lab->unit, &none, &err), 0);
}

static void test_start(void **state)
{
	struct lab *lab = *state;
	_cleanup_companion_ struct companion holder = COMPANION_UNSET;
	const struct unit unit = {.name = "a.scope", .slice = "b.slice"};
	_cleanup_free_ char *path = NULL, *question = NULL;
	struct error err = ERROR_NONE;

	put(lab, "answer", "{\"cgroup\": \"/b.slice/a.scope\"}", 0644);
	assert_int_equal(unit_start(&lab->systemd, &unit, &holder, &path, &err), 0);
	assert_string_equal(path, "/b.slice/a.scope");
	question = get(lab, "question");
	assert_string_equal(question, "{\"start\":{\"unit\":\"a.scope\",\"properties\":[]}}");
	/* It lives until it is not needed any more. */
	assert_int_equal(pidref_wait_exit(&holder.ref, 50), 0);
}

/* Whom it speaks to is said by argument, where that is by environment, and nothing else is. */
static void test_situation(void **state)
{
	struct lab *lab = *state;
	_cleanup_free_ char *arguments = NULL, *environment = NULL, *of_user = NULL;
	struct error err = ERROR_NONE;

	assert_int_equal(unit_stop(&lab->unit, &err), 0);
	arguments = get(lab, "arguments");
	environment = get(lab, "environment");
	assert_string_equal(arguments, "");
	assert_string_equal(environment, "XDG_RUNTIME_DIR=/run/user/7\n"
					 "DBUS_SESSION_BUS_ADDRESS=unix:path=/x");
	lab->systemd.user = true;
	assert_int_equal(unit_stop(&lab->unit, &err), 0);
	of_user = get(lab, "arguments");
	assert_string_equal(of_user, "--user");
}

static void test_errors(void **state)
{
	static const struct {
		const char *answer, *text;
		int code;
	} rows[] = {
		{"{\"error\": \"start unit: no\"}", "start unit: no", -EIO},
		{"{\"error\": 5}", "berth-systemd answered \"{\"error\": 5}\"", -EPROTO},
		{"{}", "berth-systemd answered \"{}\"", -EPROTO},
		{"[]", "berth-systemd answered \"[]\"", -EPROTO},
		{"{\"cgroup\": 1}", "berth-systemd answered", -EPROTO},
		{"{\"cgroup\": \"/a/../b\"}", "the answer of berth-systemd: cgroup \"/a/../b\"",
		 -EINVAL},
		{"{\"cgroup\": \"/\"}", "the root of the hierarchy", -EINVAL},
		{"what", "the answer of berth-systemd", -EINVAL},
		{"", "has ended without an answer: no library", -ECHILD},
	};
	struct lab *lab = *state;
	const struct unit unit = {.name = "a.scope"};

	put(lab, "stderr", "no library\n", 0644);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_companion_ struct companion holder = COMPANION_UNSET;
		struct error err = ERROR_NONE;
		char *path = NULL;

		put(lab, "answer", rows[i].answer, 0644);
		if (!*rows[i].answer)
			put(lab, "berth-systemd", "#!/bin/sh\necho no library >&2\n", 0755);
		assert_int_equal(unit_start(&lab->systemd, &unit, &holder, &path, &err),
				 rows[i].code);
		if (!strstr(err.text, rows[i].text))
			fail_msg("%s: \"%s\"\n", rows[i].answer, err.text);
		assert_null(path);
		assert_int_equal(holder.ref.pid, 0);
	}
}

static void test_not_installed(void **state)
{
	struct lab *lab = *state;
	struct error err = ERROR_NONE;

	assert_int_equal(systemd_check(&lab->systemd, &err), 0);
	assert_int_equal(unlinkat(lab->fd, "berth-systemd", 0), 0);
	if (systemd_check(&lab->systemd, &err) == 0)
		skip(); /* an installed one */
	assert_int_equal(err.code, -ENOENT);
	assert_non_null(strstr(err.text, "--systemd-cgroup needs the program \"berth-systemd\""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_questions, begin, end),
		cmocka_unit_test_setup_teardown(test_nothing_to_set, begin, end),
		cmocka_unit_test_setup_teardown(test_start, begin, end),
		cmocka_unit_test_setup_teardown(test_situation, begin, end),
		cmocka_unit_test_setup_teardown(test_errors, begin, end),
		cmocka_unit_test_setup_teardown(test_not_installed, begin, end),
	};

	/* Without clone3(2), as below valgrind 3.19. */
	if (kernel_is_hidden())
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
