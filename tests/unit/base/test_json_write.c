/* SPDX-License-Identifier: Apache-2.0 */
/* Writing JSON: escapes, shapes, and that it reads back as what it was. */
#include "berth/base/json_write.h"

#include "json.h"

static void test_strings(void **state)
{
	static const struct {
		const char *text, *written;
	} cases[] = {
		{"", "\"\""},
		{"plain / <&>'", "\"plain / <&>'\""},
		{"\"\\", "\"\\\"\\\\\""},
		{"\n\r\t\b\f", "\"\\n\\r\\t\\b\\f\""},
		{"\x01\x0b\x1b\x1f", "\"\\u0001\\u000b\\u001b\\u001f\""},
		{"\x7f", "\"\x7f\""},
		{"ä€\xf0\x9f\x98\x80", "\"ä€\xf0\x9f\x98\x80\""},
		{"\u2028", "\"\u2028\""},
		/* The last of each length, and the highest of all. */
		{"\xdf\xbf\xef\xbf\xbf\xf4\x8f\xbf\xbf",
		 "\"\xdf\xbf\xef\xbf\xbf\xf4\x8f\xbf\xbf\""},
		{"\xed\x9f\xbf\xee\x80\x80", "\"\xed\x9f\xbf\xee\x80\x80\""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_buf_ struct buf out = BUF_EMPTY;
		struct json_writer w = JSON_WRITER(&out, false);

		json_string(&w, cases[i].text);
		assert_string_equal(out.data, cases[i].written);
	}
}

#define R "\xef\xbf\xbd" /* U+FFFD */

/* What is no UTF-8 is replaced, byte by byte, and what follows is not swallowed. */
static void test_not_utf8(void **state)
{
	static const struct {
		const char *text, *written;
	} cases[] = {
		{"a\xff"
		 "b",
		 "\"a" R "b\""},
		{"\x80\xbf", "\"" R R "\""},
		{"\xc3", "\"" R "\""},
		{"\xc3(", "\"" R "(\""},
		{"\xe2\x82", "\"" R R "\""},
		{"\xe2\x82\"", "\"" R R "\\\"\""},
		{"\xf0\x9f\x98", "\"" R R R "\""},
		{"\xf0\x9f\n", "\"" R R "\\n\""},
		/* Overlong forms of "/", of 0x7ff, of U+FFFF. */
		{"\xc0\xaf", "\"" R R "\""},
		{"\xc1\xbf", "\"" R R "\""},
		{"\xe0\x9f\xbf", "\"" R R R "\""},
		{"\xf0\x8f\xbf\xbf", "\"" R R R R "\""},
		/* Surrogates, beyond U+10FFFF, and forms that never were. */
		{"\xed\xa0\x80", "\"" R R R "\""},
		{"\xed\xbf\xbf", "\"" R R R "\""},
		{"\xf4\x90\x80\x80", "\"" R R R R "\""},
		{"\xf7\xbf\xbf\xbf", "\"" R R R R "\""},
		{"\xf8\x88\x80\x80\x80", "\"" R R R R R "\""},
		{"\xfe", "\"" R "\""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_arena_ struct arena *arena = arena_new();
		_cleanup_buf_ struct buf out = BUF_EMPTY;
		struct json_writer w = JSON_WRITER(&out, false);

		json_string(&w, cases[i].text);
		assert_string_equal(out.data, cases[i].written);
		assert_int_equal(read_json(arena, out.data)->type, JSON_STRING);
	}
}

/* Everything that a writer can write. */
static void write_all(struct json_writer *w)
{
	static const char *const list[] = {"x", "y\"", NULL};
	static const char *const none[] = {NULL};

	json_begin_object(w);
	json_member_string(w, "string", "s");
	json_member_bool(w, "yes", true);
	json_member_bool(w, "no", false);
	json_member_u64(w, "u", UINT64_MAX);
	json_member_i64(w, "i", INT64_MIN);
	json_member_strings(w, "list", list);
	json_member_strings(w, "none", none);
	json_key(w, "a\tkey");
	json_begin_array(w);
	json_null(w);
	json_begin_object(w);
	json_end_object(w);
	json_begin_array(w);
	json_u64(w, 0);
	json_i64(w, -1);
	json_end_array(w);
	json_bool(w, true);
	json_end_array(w);
	json_key(w, "last");
	json_null(w);
	json_end_object(w);
}

static void test_compact(void **state)
{
	_cleanup_buf_ struct buf out = BUF_EMPTY;
	struct json_writer w = JSON_WRITER(&out, false);

	(void)state;
	write_all(&w);
	assert_string_equal(out.data, "{\"string\":\"s\",\"yes\":true,\"no\":false,"
				      "\"u\":18446744073709551615,\"i\":-9223372036854775808,"
				      "\"list\":[\"x\",\"y\\\"\"],\"none\":[],"
				      "\"a\\tkey\":[null,{},[0,-1],true],\"last\":null}");
}

static void test_pretty(void **state)
{
	_cleanup_buf_ struct buf out = BUF_EMPTY;
	struct json_writer w = JSON_WRITER(&out, true);

	(void)state;
	write_all(&w);
	assert_string_equal(out.data, "{\n"
				      "  \"string\": \"s\",\n"
				      "  \"yes\": true,\n"
				      "  \"no\": false,\n"
				      "  \"u\": 18446744073709551615,\n"
				      "  \"i\": -9223372036854775808,\n"
				      "  \"list\": [\n"
				      "    \"x\",\n"
				      "    \"y\\\"\"\n"
				      "  ],\n"
				      "  \"none\": [],\n"
				      "  \"a\\tkey\": [\n"
				      "    null,\n"
				      "    {},\n"
				      "    [\n"
				      "      0,\n"
				      "      -1\n"
				      "    ],\n"
				      "    true\n"
				      "  ],\n"
				      "  \"last\": null\n"
				      "}");
}

/* It is appended to what is there, and one value alone is a document. */
static void test_appends(void **state)
{
	_cleanup_buf_ struct buf out = BUF_EMPTY;
	struct json_writer w = JSON_WRITER(&out, true);
	struct json_writer second = JSON_WRITER(&out, true);

	(void)state;
	buf_add_string(&out, "before ");
	json_u64(&w, 7);
	buf_add_char(&out, '\n');
	json_begin_array(&second);
	json_end_array(&second);
	assert_string_equal(out.data, "before 7\n[]");
}

/* A tree comes back as the compact text that it was read from. */
static void test_value(void **state)
{
	static const char *const texts[] = {
		"null",
		"true",
		"-1.50e+3",
		"123456789012345678901234567890",
		"\"a\\\"\\\\\\n\\u0001\xf0\x9f\x98\x80\"",
		"[]",
		"{}",
		"[[],[[]],{}]",
		"{\"z\":1,\"a\":[true,false,null,{\"\":\"\"}],\"m\":{\"x\":{\"y\":[1,2,3]}}}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		_cleanup_arena_ struct arena *arena = arena_new();
		_cleanup_buf_ struct buf out = BUF_EMPTY, pretty = BUF_EMPTY, again = BUF_EMPTY;
		struct json_writer w = JSON_WRITER(&out, false), p = JSON_WRITER(&pretty, true);
		struct json_writer a = JSON_WRITER(&again, false);

		json_value(&w, read_json(arena, texts[i]));
		assert_string_equal(out.data, texts[i]);
		json_value(&p, read_json(arena, texts[i]));
		json_value(&a, read_json(arena, pretty.data));
		assert_string_equal(again.data, texts[i]);
	}
}

/* A tree inside something that is written by hand. */
static void test_value_inside(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_buf_ struct buf out = BUF_EMPTY;
	struct json_writer w = JSON_WRITER(&out, true);

	(void)state;
	json_begin_object(&w);
	json_key(&w, "tree");
	json_value(&w, read_json(arena, "{\"a\":[1,{}]}"));
	json_key(&w, "list");
	json_begin_array(&w);
	json_value(&w, read_json(arena, "2"));
	json_value(&w, read_json(arena, "[]"));
	json_end_array(&w);
	json_end_object(&w);
	assert_string_equal(out.data, "{\n"
				      "  \"tree\": {\n"
				      "    \"a\": [\n"
				      "      1,\n"
				      "      {}\n"
				      "    ]\n"
				      "  },\n"
				      "  \"list\": [\n"
				      "    2,\n"
				      "    []\n"
				      "  ]\n"
				      "}");
}

/* Whatever bytes a string has, what is written can be read. */
static void test_any_bytes(void **state)
{
	uint32_t random = 12345;

	(void)state;
	for (int round = 0; round < 2000; round++) {
		_cleanup_arena_ struct arena *arena = arena_new();
		_cleanup_buf_ struct buf out = BUF_EMPTY, again = BUF_EMPTY;
		struct json_writer w = JSON_WRITER(&out, false), a = JSON_WRITER(&again, false);
		char text[17] = "";

		for (size_t i = 0; i < sizeof(text) - 1; i++) {
			random = random * 1664525u + 1013904223u;
			text[i] = (char)(random >> 24 ? random >> 24 : 1);
		}
		json_string(&w, text);
		json_value(&a, read_json(arena, out.data));
		assert_string_equal(again.data, out.data);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_strings),	     cmocka_unit_test(test_not_utf8),
		cmocka_unit_test(test_compact),	     cmocka_unit_test(test_pretty),
		cmocka_unit_test(test_appends),	     cmocka_unit_test(test_value),
		cmocka_unit_test(test_value_inside), cmocka_unit_test(test_any_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
