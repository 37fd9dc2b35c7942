/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is no JSON for berth, and where it says that the text is wrong: within the token
 * that is out of place, or one after the end of a text that ends too early.
 */
#include "json.h"

#define EARLY	 "parse error: premature EOF"
#define UNWANTED "parse error: unallowed token at this point in JSON text"
#define TRAILING "parse error: trailing garbage"
#define CHAR	 "lexical error: invalid char in json text."
#define WORD	 "lexical error: invalid string in json text."
#define NAME	 "parse error: invalid object key (must be a string)"
#define COLON	 "parse error: object key and value must be separated by a colon (':')"
#define MEMBER	 "parse error: after key and value, inside map, I expect ',' or '}'"
#define ELEMENT	 "parse error: after array element, I expect ',' or ']'"
#define ESCAPE	 "lexical error: inside a string, '\\' occurs before a character which it may not."
#define HEX	 "lexical error: invalid (non-hex) character occurs after '\\u' inside string."
#define CONTROL	 "lexical error: invalid character inside string."
#define UTF8	 "lexical error: invalid bytes in UTF8 string."
#define COMMENT	 "lexical error: probable comment found in input text, comments are not enabled."
#define MINUS	 "lexical error: malformed number, a digit is required after the minus sign."
#define POINT	 "lexical error: malformed number, a digit is required after the decimal point."
#define EXPONENT "lexical error: malformed number, a digit is required after the exponent."
#define NUL	 "a string contains \\u0000"

static void refuse_all(const struct bad_json *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		refuse_json(&list[i]);
}

static void test_early_end(void **state)
{
	static const struct bad_json list[] = {
		{" ", 1, 2, EARLY},	     {"\n", 2, 1, EARLY},	{"\n\n  ", 3, 3, EARLY},
		{"{", 1, 2, EARLY},	     {"[", 1, 2, EARLY},	{"[1", 1, 3, EARLY},
		{"[1,", 1, 4, EARLY},	     {"[1,\n", 2, 1, EARLY},	{"{\"a\"", 1, 5, EARLY},
		{"{\"a\":", 1, 6, EARLY},    {"{\"a\":1", 1, 7, EARLY}, {"{\"a\":1,", 1, 8, EARLY},
		{"{\"a\":[{}", 1, 9, EARLY}, {"\"a", 1, 3, EARLY},	{"\"abc", 1, 5, EARLY},
		{"[\n\"abc", 2, 5, EARLY},   {"tru", 1, 4, WORD},	{"nul", 1, 4, WORD},
		{"fals", 1, 5, WORD},	     {"-", 1, 2, MINUS},	{"1.", 1, 3, POINT},
		{"1e", 1, 3, EXPONENT},	     {"1e+", 1, 4, EXPONENT},
	};

	(void)state;
	refuse_all(list, ARRAY_SIZE(list));
}

static void test_wrong_token(void **state)
{
	static const struct bad_json list[] = {
		{"}", 1, 1, UNWANTED},
		{"]", 1, 1, UNWANTED},
		{",", 1, 1, UNWANTED},
		{":", 1, 1, UNWANTED},
		{"[,1]", 1, 2, UNWANTED},
		{"[1,]", 1, 4, UNWANTED},
		{"[1,,2]", 1, 4, UNWANTED},
		{"{\"a\"::1}", 1, 6, UNWANTED},
		{"{\"a\":}", 1, 6, UNWANTED},
		{"{\"k\":[1,2,{\"z\":}]}", 1, 16, UNWANTED},
		{"[\n1,\n2,\n]", 4, 1, UNWANTED},
		{"[1}", 1, 3, ELEMENT},
		{"[1 2]", 1, 4, ELEMENT},
		{"[1\n\t2]", 2, 2, ELEMENT},
		{"[1 \"abc\"]", 1, 8, ELEMENT},
		{"[\"x\" true]", 1, 9, ELEMENT},
		{"[1:2]", 1, 3, ELEMENT},
		{"{\"a\":1 ]", 1, 8, MEMBER},
		{"{\"a\":\"b\" \"c\"}", 1, 11, MEMBER},
		{"{\n  \"a\": 1\n  \"b\": 2\n}", 3, 4, MEMBER},
		{"{\"a\":1 \"long name\":2}", 1, 9, MEMBER},
		{"{\"a\" 1}", 1, 6, COLON},
		{"{\"a\"}", 1, 5, COLON},
		{"{\"a\",1}", 1, 5, COLON},
		{"{,}", 1, 2, NAME},
		{"{1:2}", 1, 2, NAME},
		{"{null:1}", 1, 5, NAME},
		{"{[]:1}", 1, 2, NAME},
		{"{\"a\":1,}", 1, 8, NAME},
		{"{\"a\":1, ,\"b\":2}", 1, 9, NAME},
	};

	(void)state;
	refuse_all(list, ARRAY_SIZE(list));
}

static void test_no_token(void **state)
{
	static const struct bad_json list[] = {
		{"'a'", 1, 1, CHAR},
		{"{a:1}", 1, 2, CHAR},
		{"+1", 1, 1, CHAR},
		{".5", 1, 1, CHAR},
		{"NaN", 1, 1, CHAR},
		{"Infinity", 1, 1, CHAR},
		{"True", 1, 1, CHAR},
		{"#", 1, 1, CHAR},
		{"\xef\xbb\xbf{}", 1, 1, CHAR},
		{"[truee]", 1, 6, CHAR},
		{"[1.2.3]", 1, 5, CHAR},
		{"[1e5x]", 1, 5, CHAR},
		{"[0x10]", 1, 3, CHAR},
		{"{\n  \"a\": 1,\n  \"b\": x\n}", 3, 8, CHAR},
		{"[1,\x01 2]", 1, 4, CHAR},
		{"[1,\xc2\xa0 2]", 1, 4, CHAR},
	};

	(void)state;
	refuse_all(list, ARRAY_SIZE(list));
}

static void test_strings(void **state)
{
	static const struct bad_json list[] = {
		{"\"a\\q\"", 1, 3, ESCAPE},
		{"\"\\x41\"", 1, 2, ESCAPE},
		{"[\"abcdef\\'\"]", 1, 9, ESCAPE},
		{"[\n\"\\\n\"]", 2, 2, ESCAPE},
		{"[\"a\\u12\"]", 1, 7, HEX},
		{"\"\\u12g4\"", 1, 5, HEX},
		{"\"\\u 123\"", 1, 3, HEX},
		{"\"\xff\"", 1, 2, UTF8},
		{"\"\x80\"", 1, 2, UTF8},
		{"[\"abcdef\xffgh\"]", 1, 9, UTF8},
		{"[\"abcdef\xe2\x28\xa1\"]", 1, 10, UTF8},
		{"[\"abcdef\xe2\x82\"]", 1, 11, UTF8},
		{"[\"abcdef\xf0\x9f\x98\"]", 1, 12, UTF8},
		{"{\"\xc3(\":1}", 1, 4, UTF8},
		{"\"\\u0000\"", 1, 8, NUL},
		{"{\"\\u0000\":1}", 1, 9, NUL},
		{"[\n \"a\\u0000b\"]", 2, 11, NUL},
	};

	(void)state;
	refuse_all(list, ARRAY_SIZE(list));
}

/* Within a string or number, and after a number, it is the character before the wrong one. */
static void test_character_before(void **state)
{
	static const struct bad_json list[] = {
		{"\"a\tb\"", 1, 2, CONTROL},
		{"\"a\nb\"", 1, 2, CONTROL},
		{"[1,\n  \"a\n b\"]", 2, 4, CONTROL},
		{"\"a\x1f\"", 1, 2, CONTROL},
		{"-a", 1, 1, MINUS},
		{"[--1]", 1, 2, MINUS},
		{"[1.]", 1, 3, POINT},
		{"[1.e5]", 1, 3, POINT},
		{"[1ee]", 1, 3, EXPONENT},
		{"[\n 1e+]", 2, 4, EXPONENT},
		{"{\"a\":1]", 1, 6, MEMBER},
	};

	(void)state;
	refuse_all(list, ARRAY_SIZE(list));
}

/* Bytes that are no UTF-8, though each of them looks like a part of it. */
static void test_false_utf8(void **state)
{
	static const char *const texts[] = {
		"\"\xc0\xaf\"",	    "\"\xe0\x9f\xbf\"",	    "\"\xf0\x8f\xbf\xbf\"",
		"\"\xed\xa0\x80\"", "\"\xf4\x90\x80\x80\"", "\"\xf7\xbf\xbf\xbf\"",
		"{\"\xc0\xaf\":1}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		_cleanup_arena_ struct arena *arena = arena_new();
		const struct json *value = NULL;
		struct error err = ERROR_NONE;

		assert_failed(json_read(arena, texts[i], strlen(texts[i]), "x", &value, &err), err,
			      -EINVAL);
		assert_contains(err.text, "a string is not UTF-8");
	}
}

/* A half of a pair of \u escapes is no character: a path would silently become another one. */
static void test_lone_surrogates(void **state)
{
	static const char *const texts[] = {
		"\"\\ud800\"",
		"\"\\udfff\"",
		"\"a\\ud83dz\"",
		"\"\\ud83d\\u0041\"",
		"\"\\ud83d\\ud83d\\ude00\"",
		"\"\\ude00\\ud83d\"",
		"{\"\\uDBFF\":1}",
	};
	_cleanup_arena_ struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		const struct json *value = NULL;
		struct error err = ERROR_NONE;

		assert_failed(json_read(arena, texts[i], strlen(texts[i]), "x", &value, &err), err,
			      -EINVAL);
		assert_contains(err.text, "half of a surrogate pair");
	}
	assert_string_equal(read_json(arena, "\"?\\\\ud800\"")->text, "?\\ud800");
}

/* A string after the end, and no more after it. */
static void test_trailing_string(void **state)
{
	static const struct bad_json list[] = {
		{"{} \"abc", 1, 4, TRAILING},
		{"{}\n \"", 2, 2, TRAILING},
		{"1\"", 1, 2, TRAILING},
		{"[\"\\\"\"]\"\\\"", 1, 7, TRAILING},
		{"[] \"\xe2\x82", 1, 7, TRAILING},
		{"[] \"\\ud83d", 1, 5, "a string has a half of a surrogate pair"},
	};

	(void)state;
	refuse_all(list, ARRAY_SIZE(list));
}

/* Blank is what RFC 8259 calls so, not what isspace(3) does. */
static void test_false_blanks(void **state)
{
	static const char *const texts[] = {"[1,\v2]", "\f1", "{\"a\"\f:1}", "1\v", "[\"\\\"\"\f]"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		_cleanup_arena_ struct arena *arena = arena_new();
		const struct json *value = NULL;
		struct error err = ERROR_NONE;

		assert_failed(json_read(arena, texts[i], strlen(texts[i]), "x", &value, &err), err,
			      -EINVAL);
	}
}

/* What is wrong at the beginning of a line is reported there, not on the line before. */
static void test_line_begin(void **state)
{
	static const struct bad_json list[] = {
		{"[1,\n// c\n 2]", 2, 1, COMMENT}, {"\n// c", 2, 1, COMMENT},
		{"[\n\t\t// c", 2, 3, COMMENT},	   {"{\"a\":1\n]", 2, 1, MEMBER},
		{"{\"a\":1\n\t]", 2, 2, MEMBER},
	};

	(void)state;
	refuse_all(list, ARRAY_SIZE(list));
}

static void test_trailing(void **state)
{
	static const struct bad_json list[] = {
		{"truex", 1, 5, TRAILING},	   {"1,2", 1, 2, TRAILING},
		{"{} x", 1, 4, TRAILING},	   {"{}}", 1, 3, TRAILING},
		{"{}{}", 1, 3, TRAILING},	   {"[] ]", 1, 4, TRAILING},
		{"[]\n\n ]", 3, 2, TRAILING},	   {"\n\n  {}\n x", 4, 2, TRAILING},
		{"\"x\" \"abc\"", 1, 9, TRAILING}, {"[] 1 ", 1, 4, TRAILING},
		{"01 ", 1, 2, TRAILING},	   {"{}\n,\n", 2, 1, TRAILING},
	};

	(void)state;
	refuse_all(list, ARRAY_SIZE(list));
}

static void test_comments(void **state)
{
	static const struct bad_json list[] = {
		{"// c\n1", 1, 1, COMMENT},	    {"/* c */ 1", 1, 1, COMMENT},
		{"[1, /* c */ 2]", 1, 5, COMMENT},  {"[1,\n  // c\n 2]", 2, 3, COMMENT},
		{"{\"a\":1} // c", 1, 9, TRAILING},
	};

	(void)state;
	refuse_all(list, ARRAY_SIZE(list));
}

static void test_twice(void **state)
{
	static const struct bad_json list[] = {
		{"{\"a\":1,\"a\":2}", 1, 13, "the name \"a\" occurs twice in one object"},
		{"{\"b\":{\"a\":1,\"c\":2,\"a\":3}}", 1, 24,
		 "the name \"a\" occurs twice in one object"},
		{"{\"\":1,\n\"\":2\n}", 3, 1, "the name \"\" occurs twice in one object"},
		{"{\"a\":1,\"b\":2,\"\\u0061\":3}", 1, 24,
		 "the name \"a\" occurs twice in one object"},
	};
	_cleanup_arena_ struct arena *arena = arena_new();
	const struct json *fine;

	(void)state;
	refuse_all(list, ARRAY_SIZE(list));
	/* Only within one object. */
	fine = read_json(arena, "{\"a\":{\"a\":1},\"b\":[{\"a\":1},{\"a\":2}],\"A\":2}");
	assert_int_equal(fine->count, 3);
}

/* Among many names, wherever the two stand. */
static void test_twice_among_many(void **state)
{
	static const unsigned pairs[][2] = {{0, 1}, {0, 999}, {499, 500}, {998, 999}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		_cleanup_arena_ struct arena *arena = arena_new();
		_cleanup_buf_ struct buf text = BUF_EMPTY;
		const struct json *value = NULL;
		struct error err = ERROR_NONE;

		for (unsigned j = 0; j < 1000; j++)
			buf_printf(&text, "%s\"n%u\":%u", j ? "," : "{",
				   j == pairs[i][1] ? pairs[i][0] : j, j);
		buf_add_char(&text, '}');
		assert_int_equal(json_read(arena, text.data, text.size, "x", &value, &err),
				 -EINVAL);
		assert_contains(err.text, " occurs twice");
	}
}

/* @depth arrays and objects in turn, around a number. */
static char *nested(unsigned depth)
{
	struct buf text = BUF_EMPTY;

	for (unsigned i = 0; i < depth; i++)
		buf_add_string(&text, i % 2 ? "{\"a\":" : "[");
	buf_add_char(&text, '1');
	while (depth--)
		buf_add_char(&text, depth % 2 ? '}' : ']');
	return buf_take(&text);
}

static void test_depth(void **state)
{
	static const unsigned deep[] = {JSON_DEPTH_MAX + 1, JSON_DEPTH_MAX + 2, 200000};
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_free_ char *deepest = nested(JSON_DEPTH_MAX);
	const struct json *value = read_json(arena, deepest);
	unsigned depth = 0;

	(void)state;
	for (; value->item; value = value->item)
		depth++;
	assert_int_equal(depth, JSON_DEPTH_MAX);
	assert_string_equal(value->text, "1");
	for (size_t i = 0; i < ARRAY_SIZE(deep); i++) {
		_cleanup_free_ char *text = nested(deep[i]);
		const struct bad_json bad = {text, 1, 32 + 32 * 5 + 1, "nested deeper than 64"};

		refuse_json(&bad);
	}
}

/* Reads [0,0,…] of @count values. */
static int read_many(size_t count, struct error *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_free_ char *text = xcalloc(2 * count + 2, 1);
	const struct json *value = NULL;
	int r;

	memset(text, ',', 2 * count);
	for (size_t i = 0; i < count; i++)
		text[2 * i + 1] = '0';
	text[0] = '[';
	text[2 * count] = ']';
	r = json_read(arena, text, 2 * count + 1, "many", &value, err);
	if (r >= 0)
		assert_int_equal(value->count, count);
	return r;
}

static void test_too_many(void **state)
{
	struct error err = ERROR_NONE;

	(void)state;
	assert_fine(read_many(JSON_NODES_MAX - 1, &err), err);
	assert_failed(read_many(JSON_NODES_MAX, &err), err, -EINVAL);
	assert_string_equal(err.text, "many: line 1, column 2097152: more than 1048576 values");
}

static void test_size(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_free_ char *text = xcalloc(JSON_SIZE_MAX + 1, 1);
	const struct json *value = NULL;
	struct error err = ERROR_NONE;

	(void)state;
	memset(text, ' ', JSON_SIZE_MAX + 1);
	text[5] = '1';
	assert_fine(json_read(arena, text, JSON_SIZE_MAX, "large", &value, &err), err);
	assert_string_equal(value->text, "1");
	assert_failed(json_read(arena, text, JSON_SIZE_MAX + 1, "large", &value, &err), err,
		      -EINVAL);
	assert_string_equal(err.text, "large: larger than 16777216 bytes");
	assert_failed(json_read(arena, text, 0, "none", &value, &err), err, -EINVAL);
	assert_string_equal(err.text, "none: line 1, column 1: empty");
}

/* A byte 0 is no end of the text. */
static void test_nul_byte(void **state)
{
	static const char *const texts[] = {"[1]\0[2]", "[1,\0 2]", "\"a\0b\"!", "\0[1]   "};
	_cleanup_arena_ struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		const struct json *value = NULL;
		struct error err = ERROR_NONE;

		assert_failed(json_read(arena, texts[i], 7 - (i > 1), "x", &value, &err), err,
			      -EINVAL);
		assert_null(value);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_early_end),
		cmocka_unit_test(test_wrong_token),
		cmocka_unit_test(test_no_token),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_character_before),
		cmocka_unit_test(test_trailing),
		cmocka_unit_test(test_false_utf8),
		cmocka_unit_test(test_trailing_string),
		cmocka_unit_test(test_lone_surrogates),
		cmocka_unit_test(test_false_blanks),
		cmocka_unit_test(test_line_begin),
		cmocka_unit_test(test_comments),
		cmocka_unit_test(test_twice),
		cmocka_unit_test(test_twice_among_many),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_size),
		cmocka_unit_test(test_nul_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
