/* SPDX-License-Identifier: Apache-2.0 */
/* The log: formats, levels, and that a message stays one line. */
#include "berth/base/log.h"

#include "json.h"

static int real_stderr = -EBADF;

/* The world's file "stderr" takes the place of standard error. */
static int log_world_make(void **state)
{
	int r = world_make(state);
	struct world *world = *state;
	int fd;

	if (r < 0)
		return r;
	real_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	fd = openat(world->fd, "stderr", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	r = dup2(fd, STDERR_FILENO);
	fd_close(fd);
	return r < 0 ? -1 : 0;
}

/* Puts the sink back; a log file that was opened stays open until the process ends. */
static int log_world_remove(void **state)
{
	struct error err = ERROR_NONE;
	struct world *world = *state;

	dup2(real_stderr, STDERR_FILENO);
	real_stderr = fd_close(real_stderr);
	if (log_open(NULL, LOG_FORMAT_TEXT, LOG_LEVEL_ERROR, &err) < 0)
		return -1;
	world->fds = count_fds() - 1;
	return world_remove(state);
}

#define log_test(function)                                                                         \
	cmocka_unit_test_setup_teardown(function, log_world_make, log_world_remove)

/* Opens the world's file "log" as the sink. */
static void open_file(const struct world *world, enum log_format format, enum log_level level)
{
	_cleanup_free_ char *path = xasprintf("%s/log", world->path);
	struct error err = ERROR_NONE;

	assert_fine(log_open(path, format, level, &err), err);
}

static void open_stderr(enum log_format format, enum log_level level)
{
	struct error err = ERROR_NONE;

	assert_fine(log_open(NULL, format, level, &err), err);
}

static void assert_stderr(const struct world *world, const char *expected)
{
	_cleanup_free_ char *text = get_file(world, "stderr");

	assert_string_equal(text, expected);
}

/* Before it is opened errors are text on standard error, and nothing else is said. */
static void test_unopened(void **state)
{
	struct error err = ERROR_NONE;

	refuse(&err, "it failed");
	log_warning("a warning");
	log_debug("a detail");
	log_error(&err);
	assert_stderr(*state, "berth: it failed\n");
}

static void test_text(void **state)
{
	struct error err = ERROR_NONE;

	refuse(&err, "it failed: 100%%");
	open_stderr(LOG_FORMAT_TEXT, LOG_LEVEL_DEBUG);
	log_error(&err);
	log_warning("%d things", 3);
	log_message(LOG_LEVEL_INFO, "news");
	log_debug("%s", "%s");
	assert_stderr(*state, "berth: it failed: 100%\nberth: warning: 3 things\n"
			      "berth: info: news\nberth: debug: %s\n");
}

static void test_levels(void **state)
{
	static const char *const expected[LOG_LEVEL_MAX] = {
		"berth: 0\n",
		"berth: 0\nberth: warning: 1\n",
		"berth: 0\nberth: warning: 1\nberth: info: 2\n",
		"berth: 0\nberth: warning: 1\nberth: info: 2\nberth: debug: 3\n",
	};

	for (int level = 0; level < LOG_LEVEL_MAX; level++) {
		assert_int_equal(ftruncate(STDERR_FILENO, 0), 0);
		open_stderr(LOG_FORMAT_TEXT, (enum log_level)level);
		for (int message = 0; message < LOG_LEVEL_MAX; message++)
			log_message((enum log_level)message, "%d", message);
		assert_stderr(*state, expected[level]);
	}
}

/* Whatever a message holds, a line of text comes of it, with nothing that moves a terminal. */
static void test_one_line(void **state)
{
	static const struct {
		const char *text, *line;
	} cases[] = {
		{"a\nb", "a b"},
		{"end\n", "end"},
		{"end \t\r\n\n", "end"},
		{"\033[31mred\033[0m", " [31mred [0m"},
		{"a\x01\x1f\x7f\tz", "a    z"},
		{"ä€", "ä€"},
		{"", ""},
		{"\n\n", ""},
		{"berth: \r\rforged", "berth:   forged"},
	};

	open_stderr(LOG_FORMAT_TEXT, LOG_LEVEL_ERROR);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *expected = xasprintf("berth: %s\n", cases[i].line);
		struct error err = ERROR_NONE;

		assert_int_equal(ftruncate(STDERR_FILENO, 0), 0);
		refuse(&err, "%s", cases[i].text);
		log_error(&err);
		assert_stderr(*state, expected);
	}
}

/* "2026-01-02T03:04:05.123456789Z" */
static void assert_stamp(const char *stamp)
{
	static const char form[] = "dddd-dd-ddTdd:dd:dd.dddddddddZ";

	for (size_t i = 0; i < sizeof(form) - 1; i++) {
		if (form[i] == 'd')
			assert_true(stamp[i] >= '0' && stamp[i] <= '9');
		else
			assert_int_equal(stamp[i], form[i]);
	}
}

static void test_file(void **state)
{
	_cleanup_free_ char *text = NULL;
	struct error err = ERROR_NONE;
	struct world *world = *state;
	const char *second;

	put_file(world, "log", "");
	refuse(&err, "it failed");
	open_file(world, LOG_FORMAT_TEXT, LOG_LEVEL_WARNING);
	log_error(&err);
	log_warning("careful");
	log_debug("nothing");
	text = get_file(world, "log");
	assert_stamp(text);
	assert_true(str_starts(text + 30, " error: it failed\n"));
	second = strchr(text, '\n') + 1;
	assert_stamp(second);
	assert_string_equal(second + 30, " warning: careful\n");
	/* An error is told on standard error too. */
	assert_stderr(world, "berth: it failed\n");
}

static void add_line(void *context, const char *line)
{
	buf_add_string(context, line);
	buf_add_char(context, '|');
}

/* Somebody draws on the terminal, and takes the lines for it; those in a file stay there. */
static void test_writer(void **state)
{
	struct world *world = *state;
	_cleanup_buf_ struct buf lines = BUF_EMPTY;
	_cleanup_free_ char *text = NULL;
	struct error err = ERROR_NONE;

	refuse(&err, "it failed");
	open_stderr(LOG_FORMAT_TEXT, LOG_LEVEL_WARNING);
	log_set_writer(add_line, &lines);
	log_warning("two\nlines");
	log_debug("nothing");
	open_file(world, LOG_FORMAT_JSON, LOG_LEVEL_WARNING);
	log_error(&err);
	log_set_writer(NULL, NULL);
	assert_string_equal(lines.data, "berth: warning: two lines|berth: it failed|");
	text = get_file(world, "log");
	assert_non_null(strstr(text, "it failed"));
	assert_stderr(world, "");
	open_stderr(LOG_FORMAT_TEXT, LOG_LEVEL_WARNING);
	log_warning("back");
	assert_stderr(world, "berth: warning: back\n");
}

/* The three members that engines look for. */
static void check_object(const char *line, const char *level, const char *message)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	const struct json *object = read_json(arena, line);

	assert_int_equal(object->type, JSON_OBJECT);
	assert_int_equal(object->count, 3);
	assert_string_equal(json_member(object, "level")->text, level);
	assert_string_equal(json_member(object, "msg")->text, message);
	assert_int_equal(strlen(json_member(object, "time")->text), 30);
	assert_stamp(json_member(object, "time")->text);
}

static void test_json(void **state)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{"plain", "plain"},
		{"a \"quoted\" \\ path", "a \"quoted\" \\ path"},
		{"two\nlines\n", "two lines"},
		{"bad \xff byte", "bad \xef\xbf\xbd byte"},
		{"", ""},
	};
	struct world *world = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *text = NULL;
		struct error err = ERROR_NONE;

		put_file(world, "log", "");
		open_file(world, LOG_FORMAT_JSON, LOG_LEVEL_ERROR);
		refuse(&err, "%s", cases[i].text);
		log_error(&err);
		text = get_file(world, "log");
		/* One line, ended. */
		assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
		check_object(text, "error", cases[i].message);
	}
}

/* On standard error it is the object alone. */
static void test_json_stderr(void **state)
{
	_cleanup_free_ char *text = NULL;
	struct error err = ERROR_NONE;

	refuse(&err, "once");
	open_stderr(LOG_FORMAT_JSON, LOG_LEVEL_ERROR);
	log_error(&err);
	log_warning("never");
	text = get_file(*state, "stderr");
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
	check_object(text, "error", "once");
}

/* The file is appended to, and made where it is missing. */
static void test_append(void **state)
{
	struct world *world = *state;
	_cleanup_free_ char *text = NULL;
	struct stat st;
	mode_t mask = umask(0);

	open_file(world, LOG_FORMAT_TEXT, LOG_LEVEL_WARNING);
	umask(mask);
	assert_int_equal(fstatat(world->fd, "log", &st, 0), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0644);
	log_warning("first");
	open_file(world, LOG_FORMAT_TEXT, LOG_LEVEL_WARNING);
	log_warning("second");
	text = get_file(world, "log");
	assert_contains(text, " warning: first\n");
	assert_contains(text, " warning: second\n");
	assert_stderr(world, "");
}

static void test_no_file(void **state)
{
	struct world *world = *state;
	struct error err = ERROR_NONE;
	_cleanup_free_ char *path = xasprintf("%s/no/log", world->path);
	_cleanup_free_ char *expected =
		xasprintf("open the log \"%s\": No such file or directory", path);

	assert_failed(log_open(path, LOG_FORMAT_JSON, LOG_LEVEL_DEBUG, &err), err, -ENOENT);
	assert_string_equal(err.text, expected);
	assert_failed(log_open(world->path, LOG_FORMAT_JSON, LOG_LEVEL_DEBUG, &err), err, -EISDIR);
	/* The sink stays what it was. */
	log_debug("nothing");
	log_error(&(struct error){.code = -EIO, .text = "said"});
	assert_stderr(world, "berth: said\n");
}

/* A log that cannot be written is nobody's trouble. */
static void test_full(void **state)
{
	struct error err = ERROR_NONE;

	refuse(&err, "heard");
	assert_fine(log_open("/dev/full", LOG_FORMAT_TEXT, LOG_LEVEL_ERROR, &err), err);
	log_error(&err);
	assert_stderr(*state, "berth: heard\n");
}

static void test_names(void **state)
{
	static const char *const names[LOG_LEVEL_MAX] = {"error", "warning", "info", "debug"};
	static const char *const none[] = {"", "Error", "warn", "debug ", "trace", "3"};
	enum log_format format = LOG_FORMAT_TEXT;
	enum log_level level;

	(void)state;
	for (int i = 0; i < LOG_LEVEL_MAX; i++) {
		level = LOG_LEVEL_MAX;
		assert_int_equal(log_level_parse(names[i], &level), 0);
		assert_int_equal(level, i);
	}
	level = LOG_LEVEL_MAX;
	for (size_t i = 0; i < ARRAY_SIZE(none); i++)
		assert_int_equal(log_level_parse(none[i], &level), -EINVAL);
	assert_int_equal(level, LOG_LEVEL_MAX);
	assert_int_equal(log_format_parse("json", &format), 0);
	assert_int_equal(format, LOG_FORMAT_JSON);
	assert_int_equal(log_format_parse("text", &format), 0);
	assert_int_equal(format, LOG_FORMAT_TEXT);
	assert_int_equal(log_format_parse("JSON", &format), -EINVAL);
	assert_int_equal(log_format_parse("", &format), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		log_test(test_unopened),    log_test(test_text),   log_test(test_levels),
		log_test(test_one_line),    log_test(test_file),   log_test(test_json),
		log_test(test_json_stderr), log_test(test_append), log_test(test_no_file),
		log_test(test_full),	    log_test(test_writer), cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
