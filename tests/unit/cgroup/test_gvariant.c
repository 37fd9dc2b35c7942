/* SPDX-License-Identifier: Apache-2.0 */
/* GVariant's text format: what is read, and what is refused where. */
#include <string.h>

#include "berth/base/json_write.h"

#include "unit-internal.h"
#include "unit.h"

/* "SIGNATURE JSON", or the error. The caller's. */
static char *read_as_text(const char *text)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_buf_ struct buf out = BUF_EMPTY;
	struct json_writer w = JSON_WRITER(&out, false);
	struct error err = ERROR_NONE;
	struct gvariant value;

	if (gvariant_read(arena, text, &value, &err) < 0)
		return xasprintf("error %s", err.text);
	json_value(&w, value.value);
	return xasprintf("%s %s", value.signature, out.data);
}

static void expect(const char *const (*rows)[2])
{
	for (; (*rows)[0]; rows++) {
		_cleanup_free_ char *found = read_as_text((*rows)[0]);

		if (strcmp(found, (*rows)[1]) != 0)
			fail_msg("%s: \"%s\", not \"%s\"\n", (*rows)[0], found, (*rows)[1]);
	}
}

static void test_scalars(void **state)
{
	static const char *const rows[][2] = {
		{"true", "b true"},
		{" false ", "b false"},
		{"boolean true", "b true"},
		{"5", "i 5"},
		{"-5", "i -5"},
		{"+5", "i 5"},
		{"0x1F", "i 31"},
		{"010", "i 8"},
		{"0", "i 0"},
		{"-0", "i 0"},
		{"byte 255", "y 255"},
		{"int16 -32768", "n -32768"},
		{"uint16 65535", "q 65535"},
		{"uint32 4294967295", "u 4294967295"},
		{"int64 -9223372036854775808", "x -9223372036854775808"},
		{"uint64 18446744073709551615", "t 18446744073709551615"},
		{"@t 7", "t 7"},
		{"1.5", "d 1.5"},
		{"-.5", "d -0.5"},
		{"2.", "d 2"},
		{"1e3", "d 1e3"},
		{"double 3", "d 3"},
		{"'it'", "s \"it\""},
		{"\"it's\"", "s \"it's\""},
		{"'a\\'b\\\\c\\n\\u00e4\\U0001f600'", "s \"a'b\\\\c\\n\xc3\xa4\xf0\x9f\x98\x80\""},
		{"string 'x'", "s \"x\""},
		{"objectpath '/a'", "o \"/a\""},
		{"signature 'as'", "g \"as\""},
		{"''", "s \"\""},
		{NULL, NULL},
	};

	(void)state;
	expect(rows);
}

static void test_composites(void **state)
{
	static const char *const rows[][2] = {
		{"['a', 'b']", "as [\"a\",\"b\"]"},
		{"['a']", "as [\"a\"]"},
		{"[uint64 1, 2]", "at [1,2]"},
		{"@as []", "as []"},
		{"@a(ss) [('/dev/null', 'rw')]", "a(ss) [[\"/dev/null\",\"rw\"]]"},
		{"[('/dev/null', 'rw'), ('char-pts', 'r')]",
		 "a(ss) [[\"/dev/null\",\"rw\"],[\"char-pts\",\"r\"]]"},
		{"(true, ['SIGHUP'])", "(bas) [true,[\"SIGHUP\"]]"},
		{"@(bas) (true, [])", "(bas) [true,[]]"},
		{"(1,)", "(i) [1]"},
		{"@(ti) (1, 2)", "(ti) [1,2]"},
		{"@a(st) [('a', 5)]", "a(st) [[\"a\",5]]"},
		{"[[1], [2, 3]]", "aai [[1],[2,3]]"},
		{"@ad [1, 2.5]", "ad [1,2.5]"},
		{NULL, NULL},
	};

	(void)state;
	expect(rows);
}

static void test_refused(void **state)
{
	static const char *const rows[][2] = {
		{"", "a value is missing"},
		{"yes", "not a value of GVariant's text format"},
		{"True", "not a value of GVariant's text format"},
		{"5x", "not a value of GVariant's text format"},
		{"09", "not a value of GVariant's text format"},
		{"0x", "not a value of GVariant's text format"},
		{"-", "not a value of GVariant's text format"},
		{"1.2.3", "not a number"},
		{"1e", "not a number"},
		{"5 6", "at byte 3: something follows the value"},
		{"'a", "the text has no end"},
		{"'a\\", "the text has no end"},
		{"'\\u12'", "a hexadecimal digit is missing"},
		{"'\\u0000'", "no character of a text"},
		{"'\\ud800'", "no character of a text"},
		{"2147483648", "out of range for type \"i\""},
		{"byte 256", "out of range for type \"y\""},
		{"byte -1", "out of range for type \"y\""},
		{"uint64 18446744073709551616", "not a value"},
		{"uint32 'a'", "a value of type \"s\" where \"u\" is needed"},
		{"uint32 true", "a value of type \"b\" where \"u\" is needed"},
		{"uint32 1.5", "a value of type \"d\" where \"u\" is needed"},
		{"string 5", "a value of type \"i\" where \"s\" is needed"},
		{"uint32 [1]", "where \"u\" is needed"},
		{"[]", "an empty array needs its type"},
		{"[1, 'a']", "a value of type \"s\" where \"i\" is needed"},
		{"[1 2]", "\",\" or \"]\" is missing"},
		{"[1,", "a value is missing"},
		{"()", "the tuple lacks items"},
		{"(1 2)", "\",\" or \")\" is missing"},
		{"@(ii) (1,)", "the tuple lacks items"},
		{"@(i) (1, 2)", "the tuple has more items than its type"},
		{"@z 5", "not a type"},
		{"@a{sv} {}", "not a type"},
		{"@(i 5", "not a type"},
		{"{'a': 1}", "not a value"},
		{"<5>", "not a value"},
		{"nothing", "not a value"},
		{"just 5", "not a value"},
		{"b'abc'", "not a value"},
		{"[[[[[[[[[1]]]]]]]]]", "nested too deeply"},
		{"@aaaaaaaaaai []", "not a type"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_free_ char *found = read_as_text(rows[i][0]);

		if (strncmp(found, "error at byte ", 14) != 0 || !strstr(found, rows[i][1]))
			fail_msg("%s: \"%s\", not \"%s\"\n", rows[i][0], found, rows[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scalars),
		cmocka_unit_test(test_composites),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
