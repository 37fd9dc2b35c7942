/* SPDX-License-Identifier: Apache-2.0 */
/* Reading JSON: what is accepted, and the tree that it becomes. */
#include "json.h"

static void test_scalars(void **state)
{
	static const struct {
		const char *text;
		enum json_type type;
		const char *value;
	} cases[] = {
		{"null", JSON_NULL, NULL},
		{"true", JSON_BOOL, NULL},
		{"false", JSON_BOOL, NULL},
		{"0", JSON_NUMBER, "0"},
		{" \t\r\n7 \t\r\n", JSON_NUMBER, "7"},
		{"\"\"", JSON_STRING, ""},
		{"\"a b\"", JSON_STRING, "a b"},
		{"[]", JSON_ARRAY, NULL},
		{"{}", JSON_OBJECT, NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_arena_ struct arena *arena = arena_new();
		const struct json *value = read_json(arena, cases[i].text);

		assert_int_equal(value->type, cases[i].type);
		assert_int_equal(value->boolean, str_equal(cases[i].text, "true"));
		assert_null(value->key);
		assert_null(value->next);
		assert_null(value->item);
		assert_int_equal(value->count, 0);
		if (cases[i].value)
			assert_string_equal(value->text, cases[i].value);
		else
			assert_null(value->text);
	}
}

/* Numbers are kept as they were written, digit for digit. */
static void test_numbers_as_written(void **state)
{
	static const char *const numbers[] = {
		"0",
		"-0",
		"18446744073709551615",
		"18446744073709551616",
		"-9223372036854775808",
		"-9223372036854775809",
		"9007199254740993",
		"123456789012345678901234567890123456789012345678901234567890",
		"1.10",
		"-1.0e5",
		"1E+2",
		"1e-400",
		"0.1e400",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		_cleanup_arena_ struct arena *arena = arena_new();
		_cleanup_free_ char *in_array = xasprintf("[%s]", numbers[i]);
		const struct json *value = read_json(arena, numbers[i]);

		assert_int_equal(value->type, JSON_NUMBER);
		assert_string_equal(value->text, numbers[i]);
		assert_string_equal(read_json(arena, in_array)->item->text, numbers[i]);
	}
}

static void test_strings(void **state)
{
	static const struct {
		const char *text, *value;
	} cases[] = {
		{"\"\\\" \\\\ \\/ \\b \\f \\n \\r \\t\"", "\" \\ / \b \f \n \r \t"},
		{"\"\\u0041\\u00e4\\u20AC\"", "Aä€"},
		{"\"\\u0001\\u001f\\u007f\"", "\x01\x1f\x7f"},
		{"\"\\u07ff\\u0800\\uffff\"", "\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf"},
		{"\"\\ud83d\\ude00\"", "\xf0\x9f\x98\x80"},
		{"\"\\uD800\\uDC00\\uDBFF\\uDFFF\"", "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"},
		{"\"ä€\xf0\x9f\x98\x80\"", "ä€\xf0\x9f\x98\x80"},
		{"\"\\u005cu0000\"", "\\u0000"},
		{"\"\\\\u0000\"", "\\u0000"},
		{"\"\x7f\"", "\x7f"},
		{"\"// no comment /* */\"", "// no comment /* */"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_arena_ struct arena *arena = arena_new();
		const struct json *value = read_json(arena, cases[i].text);

		assert_int_equal(value->type, JSON_STRING);
		assert_string_equal(value->text, cases[i].value);
	}
}

static void test_tree(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	const struct json *root = read_json(
		arena, "{\"b\": [1, \"two\", null, [], {}], \"a\": {\"b\": true}, \"\": 3}");
	const struct json *list = root->item, *inner = list->next, *last = inner->next;
	static const enum json_type types[] = {JSON_NUMBER, JSON_STRING, JSON_NULL, JSON_ARRAY,
					       JSON_OBJECT};
	size_t count = 0;

	(void)state;
	assert_int_equal(root->type, JSON_OBJECT);
	assert_int_equal(root->count, 3);
	assert_string_equal(list->key, "b");
	assert_int_equal(list->type, JSON_ARRAY);
	assert_int_equal(list->count, 5);
	for (const struct json *item = list->item; item; item = item->next) {
		assert_null(item->key);
		assert_int_equal(item->type, types[count++]);
	}
	assert_int_equal(count, 5);
	assert_string_equal(inner->key, "a");
	assert_int_equal(inner->count, 1);
	assert_string_equal(inner->item->key, "b");
	assert_true(inner->item->boolean);
	assert_string_equal(last->key, "");
	assert_null(last->next);
}

static void test_member(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	const struct json *root = read_json(arena, "{\"a\": 1, \"ab\": 2, \"A\": 3, \"ä\": 4}");

	(void)state;
	assert_string_equal(json_member(root, "a")->text, "1");
	assert_string_equal(json_member(root, "ab")->text, "2");
	assert_string_equal(json_member(root, "A")->text, "3");
	assert_string_equal(json_member(root, "ä")->text, "4");
	assert_null(json_member(root, ""));
	assert_null(json_member(root, "b"));
	assert_null(json_member(read_json(arena, "{}"), "a"));
}

/* The offset of a value is where it ends; arrays and objects have that of their bracket. */
static void test_offsets(void **state)
{
	static const char text[] = "{\"a\": true,\n \"b\": [\"cd\", 12, null] }";
	_cleanup_arena_ struct arena *arena = arena_new();
	const struct json *root = read_json(arena, text), *list = root->item->next;

	(void)state;
	assert_int_equal(root->offset, 1);
	assert_int_equal(root->item->offset, strstr(text, "true") + 4 - text);
	assert_int_equal(list->offset, strchr(text, '[') + 1 - text);
	assert_int_equal(list->item->offset, strstr(text, "\"cd\"") + 4 - text);
	assert_int_equal(list->item->next->offset, strstr(text, "12") + 2 - text);
	assert_int_equal(list->item->next->next->offset, strstr(text, "null") + 4 - text);
}

static void test_type_names(void **state)
{
	static const char *const names[JSON_TYPE_MAX] = {"null",     "a boolean", "a number",
							 "a string", "an array",  "an object"};

	(void)state;
	for (int type = 0; type < JSON_TYPE_MAX; type++)
		assert_string_equal(json_type_name((enum json_type)type), names[type]);
}

static void test_whole_numbers(void **state)
{
	static const struct {
		const char *text;
		int unsigned_r, signed_r;
		uint64_t value;
	} cases[] = {
		{"0", 0, 0, 0},
		{"-0", 0, 0, 0},
		{"1", 0, 0, 1},
		{"9223372036854775807", 0, 0, INT64_MAX},
		{"9223372036854775808", 0, -ERANGE, (uint64_t)INT64_MAX + 1},
		{"18446744073709551615", 0, -ERANGE, UINT64_MAX},
		{"18446744073709551616", -ERANGE, -ERANGE, 0},
		{"1000000000000000000000", -ERANGE, -ERANGE, 0},
		{"-1", -ERANGE, 0, UINT64_MAX},
		{"-9223372036854775808", -ERANGE, 0, (uint64_t)INT64_MAX + 1},
		{"-9223372036854775809", -ERANGE, -ERANGE, 0},
		{"-99999999999999999999", -ERANGE, -ERANGE, 0},
		{"1.0", -EINVAL, -EINVAL, 0},
		{"-1.5", -EINVAL, -EINVAL, 0},
		{"1e3", -EINVAL, -EINVAL, 0},
		{"-1E0", -EINVAL, -EINVAL, 0},
		{"\"1\"", -EINVAL, -EINVAL, 0},
		{"true", -EINVAL, -EINVAL, 0},
		{"null", -EINVAL, -EINVAL, 0},
		{"[1]", -EINVAL, -EINVAL, 0},
		{"{\"a\":1}", -EINVAL, -EINVAL, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_arena_ struct arena *arena = arena_new();
		const struct json *value = read_json(arena, cases[i].text);
		uint64_t u64 = 0;
		int64_t i64 = 0;

		assert_int_equal(json_to_u64(value, &u64), cases[i].unsigned_r);
		assert_int_equal(json_to_i64(value, &i64), cases[i].signed_r);
		/* Nothing is written where it failed. */
		assert_true(u64 == (cases[i].unsigned_r == 0 ? cases[i].value : 0));
		assert_true(i64 == (cases[i].signed_r == 0 ? (int64_t)cases[i].value : 0));
	}
}

/* Only @size bytes are looked at. */
static void test_size(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	const struct json *value = NULL;
	struct error err = ERROR_NONE;

	(void)state;
	assert_fine(json_read(arena, "[1]]]]", 3, "x", &value, &err), err);
	assert_int_equal(value->count, 1);
	assert_fine(json_read(arena, "123456", 3, "x", &value, &err), err);
	assert_string_equal(value->text, "123");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scalars),	   cmocka_unit_test(test_numbers_as_written),
		cmocka_unit_test(test_strings),	   cmocka_unit_test(test_tree),
		cmocka_unit_test(test_member),	   cmocka_unit_test(test_offsets),
		cmocka_unit_test(test_type_names), cmocka_unit_test(test_whole_numbers),
		cmocka_unit_test(test_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
