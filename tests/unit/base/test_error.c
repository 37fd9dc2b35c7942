/* SPDX-License-Identifier: Apache-2.0 */
/* Errors: what they say, how they grow, where they are cut. */
#include "unit.h"

#define LAST (ERROR_TEXT_MAX - 1)

static void test_fail(void **state)
{
	struct error err = ERROR_NONE;

	(void)state;
	assert_int_equal(err.code, 0);
	assert_int_equal(fail(&err, -ENOENT, "open \"%s\"", "/x"), -ENOENT);
	assert_int_equal(err.code, -ENOENT);
	assert_string_equal(err.text, "open \"/x\": No such file or directory");
	/* A second failure replaces the first. */
	assert_int_equal(fail(&err, -EACCES, "read"), -EACCES);
	assert_int_equal(err.code, -EACCES);
	assert_string_equal(err.text, "read: Permission denied");
}

/* errno of before has no say. */
static void test_fail_keeps_to_its_code(void **state)
{
	struct error err = ERROR_NONE;

	(void)state;
	errno = EBUSY;
	assert_int_equal(fail(&err, -EPERM, "this"), -EPERM);
	assert_string_equal(err.text, "this: Operation not permitted");
}

/* A code that means no failure must not come out as success. */
static void test_no_success(void **state)
{
	static const int codes[] = {0, 1, 2147483647};
	struct error err = ERROR_NONE;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		assert_int_equal(fail(&err, codes[i], "x"), -EIO);
		assert_int_equal(err.code, -EIO);
		assert_string_equal(err.text, "x: Input/output error");
		assert_int_equal(refuse_as(&err, codes[i], "y"), -EIO);
		assert_int_equal(err.code, -EIO);
		assert_string_equal(err.text, "y");
	}
}

static void test_refuse(void **state)
{
	struct error err = ERROR_NONE;

	(void)state;
	assert_int_equal(refuse(&err, "no %d%%", 5), -EINVAL);
	assert_int_equal(err.code, -EINVAL);
	assert_string_equal(err.text, "no 5%");
	assert_int_equal(refuse_as(&err, -ETIMEDOUT, "late"), -ETIMEDOUT);
	assert_int_equal(err.code, -ETIMEDOUT);
	assert_string_equal(err.text, "late");
}

static void test_within(void **state)
{
	struct error err = ERROR_NONE;
	int r = fail(&err, -ELOOP, "open \"a\"");

	(void)state;
	r = within(&err, r, "mounts[%zu]", (size_t)3);
	assert_int_equal(r, -ELOOP);
	r = within(&err, r, "create \"%s\"", "box");
	assert_int_equal(r, -ELOOP);
	assert_int_equal(err.code, -ELOOP);
	assert_string_equal(
		err.text,
		"create \"box\": mounts[3]: open \"a\": Too many levels of symbolic links");
}

/* The text is part of a format nowhere. */
static void test_percent(void **state)
{
	struct error err = ERROR_NONE;

	(void)state;
	refuse(&err, "%s", "%s%n%d");
	assert_int_equal(within(&err, -EINVAL, "%s", "%5$s"), -EINVAL);
	assert_string_equal(err.text, "%5$s: %s%n%d");
}

/* A text of @length characters. */
static char *long_text(size_t length, char c)
{
	char *text = xcalloc(length + 1, 1);

	memset(text, c, length);
	return text;
}

/* Around the longest text that fits: it is whole, or its beginning is. */
static void test_cut(void **state)
{
	(void)state;
	for (size_t length = LAST - 3; length <= LAST + 3; length++) {
		_cleanup_free_ char *text = long_text(length, 'a');
		struct error err = ERROR_NONE;
		size_t kept = length < LAST ? length : LAST;

		assert_int_equal(refuse(&err, "%s", text), -EINVAL);
		assert_int_equal(strlen(err.text), kept);
		assert_memory_equal(err.text, text, kept);
	}
}

/* The reason follows as far as there is room. */
static void test_cut_reason(void **state)
{
	static const char reason[] = ": No such file or directory";
	size_t room = sizeof(reason) - 1;

	(void)state;
	for (size_t length = LAST - room - 2; length <= LAST + 2; length++) {
		_cleanup_free_ char *text = long_text(length, 'b');
		struct error err = ERROR_NONE;
		size_t kept = length < LAST ? length : LAST;
		size_t rest = LAST - kept < room ? LAST - kept : room;

		assert_int_equal(fail(&err, -ENOENT, "%s", text), -ENOENT);
		assert_int_equal(strlen(err.text), kept + rest);
		assert_memory_equal(err.text, text, kept);
		assert_memory_equal(err.text + kept, reason, rest);
	}
}

/* The context stands, what does not fit of the inner text is lost at its end. */
static void test_cut_within(void **state)
{
	_cleanup_free_ char *text = long_text(LAST, 'c');
	_cleanup_free_ char *context = long_text(LAST + 10, 'd');
	struct error err = ERROR_NONE;

	(void)state;
	refuse(&err, "%s", text);
	assert_int_equal(within(&err, -EINVAL, "context"), -EINVAL);
	assert_int_equal(strlen(err.text), LAST);
	assert_memory_equal(err.text, "context: cccc", 13);
	assert_int_equal(err.text[LAST - 1], 'c');
	assert_int_equal(within(&err, -EINVAL, "%s", context), -EINVAL);
	assert_int_equal(strlen(err.text), LAST);
	assert_memory_equal(err.text, context, LAST);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(within(&err, -EINVAL, "level %d", i), -EINVAL);
	assert_int_equal(strlen(err.text), LAST);
	assert_memory_equal(err.text, "level 999: level 998: ", 22);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fail),	   cmocka_unit_test(test_fail_keeps_to_its_code),
		cmocka_unit_test(test_no_success), cmocka_unit_test(test_refuse),
		cmocka_unit_test(test_within),	   cmocka_unit_test(test_percent),
		cmocka_unit_test(test_cut),	   cmocka_unit_test(test_cut_reason),
		cmocka_unit_test(test_cut_within),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
