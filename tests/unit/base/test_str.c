/* SPDX-License-Identifier: Apache-2.0 */
/* Strings: comparing, strict numbers, buffers, lists. */
#include <limits.h>

#include "unit.h"

/* No number in any of the three senses. */
static const char *const never[] = {
	"",
	" ",
	"+",
	"-",
	"+1",
	"--1",
	"-+1",
	" 1",
	"1 ",
	"\t1",
	"1\n",
	"1.0",
	"1e3",
	"0x10",
	"x",
	"1x",
	"x1",
	"00",
	"01",
	"-00",
	"-01",
	"1_000",
	"1,000",
	"٣",
	"\xb2",
	"- 1",
	"1-",
	"1\x01",
	"\x01",
	"/",
	":",
	"0:",
	"1/",
	"nan",
	"inf",
	"true",
	"0b1",
	"1u",
	"1L",
	"²",
	"18446744073709551615 ",
	"99999999999999999999999x",
	"18446744073709551616-",
	"-0x1",
};

static void test_no_number(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(never); i++) {
		uint64_t u64 = 7;
		int64_t i64 = 7;
		uint32_t u32 = 7;

		if (str_to_u64(never[i], &u64) != -EINVAL ||
		    str_to_i64(never[i], &i64) != -EINVAL || str_to_u32(never[i], &u32) != -EINVAL)
			fail_msg("\"%s\" is taken for a number", never[i]);
		assert_true(u64 == 7 && i64 == 7 && u32 == 7);
	}
}

static void test_u64(void **state)
{
	static const struct {
		const char *text;
		int r;
		uint64_t value;
	} cases[] = {
		{"0", 0, 0},
		{"1", 0, 1},
		{"9", 0, 9},
		{"10", 0, 10},
		{"4294967295", 0, 4294967295},
		{"4294967296", 0, 4294967296},
		{"9223372036854775807", 0, INT64_MAX},
		{"9223372036854775808", 0, (uint64_t)INT64_MAX + 1},
		{"18446744073709551609", 0, UINT64_MAX - 6},
		{"18446744073709551610", 0, UINT64_MAX - 5},
		{"18446744073709551615", 0, UINT64_MAX},
		{"18446744073709551616", -ERANGE, 0},
		{"18446744073709551619", -ERANGE, 0},
		{"18446744073709551620", -ERANGE, 0},
		{"20000000000000000000", -ERANGE, 0},
		{"36893488147419103232", -ERANGE, 0},
		{"100000000000000000000", -ERANGE, 0},
		{"184467440737095516150", -ERANGE, 0},
		{"-1", -EINVAL, 0},
		{"-0", -EINVAL, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t value = 0;

		if (str_to_u64(cases[i].text, &value) != cases[i].r || value != cases[i].value)
			fail_msg("\"%s\" became %llu", cases[i].text, (unsigned long long)value);
	}
}

static void test_i64(void **state)
{
	static const struct {
		const char *text;
		int r;
		int64_t value;
	} cases[] = {
		{"0", 0, 0},
		{"-1", 0, -1},
		{"1", 0, 1},
		{"-10", 0, -10},
		{"9223372036854775806", 0, INT64_MAX - 1},
		{"9223372036854775807", 0, INT64_MAX},
		{"9223372036854775808", -ERANGE, 0},
		{"-9223372036854775807", 0, -INT64_MAX},
		{"-9223372036854775808", 0, INT64_MIN},
		{"-9223372036854775809", -ERANGE, 0},
		{"18446744073709551615", -ERANGE, 0},
		{"-18446744073709551615", -ERANGE, 0},
		{"18446744073709551616", -ERANGE, 0},
		{"-18446744073709551616", -ERANGE, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int64_t value = 0;

		if (str_to_i64(cases[i].text, &value) != cases[i].r || value != cases[i].value)
			fail_msg("\"%s\" became %lld", cases[i].text, (long long)value);
	}
}

static void test_u32(void **state)
{
	static const struct {
		const char *text;
		int r;
		uint32_t value;
	} cases[] = {
		{"0", 0, 0},
		{"2147483647", 0, 2147483647},
		{"2147483648", 0, 2147483648},
		{"4294967294", 0, UINT32_MAX - 1},
		{"4294967295", 0, UINT32_MAX},
		{"4294967296", -ERANGE, 0},
		{"4294967305", -ERANGE, 0},
		{"18446744073709551615", -ERANGE, 0},
		{"18446744073709551616", -ERANGE, 0},
		{"-1", -EINVAL, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint32_t value = 0;

		if (str_to_u32(cases[i].text, &value) != cases[i].r || value != cases[i].value)
			fail_msg("\"%s\" became %u", cases[i].text, value);
	}
}

/* Every power of ten and its neighbours come back as they were printed. */
static void test_round_trip(void **state)
{
	(void)state;
	for (uint64_t power = 1; power <= 10000000000000000000u; power *= 10) {
		for (uint64_t value = power - 1; value <= power + 1; value++) {
			_cleanup_free_ char *text = xasprintf("%llu", (unsigned long long)value);
			uint64_t back = ~value;

			assert_int_equal(str_to_u64(text, &back), 0);
			assert_true(back == value);
		}
		if (power == 10000000000000000000u)
			break;
	}
}

static void test_compare(void **state)
{
	(void)state;
	assert_true(str_equal("", "") && str_equal("abc", "abc"));
	assert_false(str_equal("abc", "abd") || str_equal("abc", "ab") || str_equal("", "a") ||
		     str_equal("a", "A"));
	assert_true(str_starts("abc", "") && str_starts("abc", "ab") && str_starts("abc", "abc"));
	assert_false(str_starts("abc", "abcd") || str_starts("abc", "b") || str_starts("", "a"));
}

static void test_buf(void **state)
{
	_cleanup_buf_ struct buf buf = BUF_EMPTY;

	(void)state;
	assert_null(buf.data);
	buf_add(&buf, NULL, 0);
	assert_int_equal(buf.size, 0);
	assert_string_equal(buf.data, "");
	buf_add_string(&buf, "one");
	buf_add_char(&buf, ' ');
	buf_printf(&buf, "%d%s", 2, "!");
	buf_add(&buf, "\0x", 2);
	assert_int_equal(buf.size, 8);
	assert_memory_equal(buf.data, "one 2!\0x\0", 9);
	buf_done(&buf);
	assert_null(buf.data);
	assert_int_equal(buf.size, 0);
	buf_done(&buf);
}

/* It always ends with NUL, at every size, and what was there stays. */
static void test_buf_grows(void **state)
{
	_cleanup_buf_ struct buf buf = BUF_EMPTY;
	_cleanup_free_ char *much = xcalloc(100001, 1);

	(void)state;
	for (size_t i = 0; i < 3000; i++) {
		buf_add_char(&buf, (char)('a' + i % 26));
		assert_int_equal(buf.size, i + 1);
		assert_int_equal(strlen(buf.data), i + 1);
	}
	memset(much, 'z', 100000);
	buf_add_string(&buf, much);
	buf_printf(&buf, "%s", much);
	assert_int_equal(buf.size, 203000);
	assert_int_equal(strlen(buf.data), 203000);
	for (size_t i = 0; i < 203000; i++)
		assert_int_equal(buf.data[i], i < 3000 ? (char)('a' + i % 26) : 'z');
}

static void test_buf_take(void **state)
{
	struct buf buf = BUF_EMPTY;
	_cleanup_free_ char *nothing = buf_take(&buf), *text = NULL;

	(void)state;
	assert_string_equal(nothing, "");
	buf_add_string(&buf, "text");
	text = buf_take(&buf);
	assert_string_equal(text, "text");
	assert_null(buf.data);
	assert_int_equal(buf.size + buf.room, 0);
}

static void test_strv(void **state)
{
	_cleanup_strv_ struct strv list = {.items = NULL};
	char text[] = "0";

	(void)state;
	for (size_t i = 0; i < 100; i++) {
		text[0] = (char)('0' + i % 10);
		strv_add(&list, text);
		assert_int_equal(list.count, i + 1);
		assert_null(list.items[i + 1]);
	}
	strv_add(&list, "");
	for (size_t i = 0; i < 100; i++) {
		text[0] = (char)('0' + i % 10);
		assert_string_equal(list.items[i], text);
	}
	assert_string_equal(list.items[100], "");
	strv_done(&list);
	assert_null(list.items);
	assert_int_equal(list.count, 0);
	strv_done(&list);
	strv_add(&list, "again");
	assert_string_equal(list.items[0], "again");
}

static void test_bytes(void **state)
{
	static const struct {
		const char *text;
		int64_t bytes;
	} cases[] = {
		{"0", 0},
		{"-1", -1},
		{"67108864", 67108864},
		{"512b", 512},
		{"1k", 1024},
		{"1K", 1024},
		{"64m", 64 << 20},
		{"64MB", 64 << 20},
		{"64 MiB", 64 << 20},
		{"1.5g", 1610612736},
		{"0.25k", 256},
		{"2t", INT64_C(2) << 40},
		{"8191p", INT64_C(8191) << 50},
		{"1.0009765625k", 1025},
	};
	static const char *const wrong[] = {"",	   "-2",   "x",	   "1x", "1.m", ".5m",
					    "1ki", "1kbb", "1  m", "m",	 "1e3", "1,5g"};
	int64_t found;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(str_to_bytes(cases[i].text, &found), 0);
		assert_true(found == cases[i].bytes);
	}
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_int_equal(str_to_bytes(wrong[i], &found), -EINVAL);
	assert_int_equal(str_to_bytes("8192p", &found), -ERANGE);
	assert_int_equal(str_to_bytes("9223372036854775808", &found), -ERANGE);
}

static void test_ms(void **state)
{
	static const struct {
		const char *text;
		int64_t ms;
	} cases[] = {{"0", 0},	     {"0s", 0},	       {"5s", 5000},
		     {"500ms", 500}, {"1m30s", 90000}, {"1h", 3600000}};
	static const char *const wrong[] = {"", "5", "s", "5 s", "-5s", "1.5s", "5x", "5sm", "01s"};
	int64_t found;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(str_to_ms(cases[i].text, &found), 0);
		assert_int_equal(found, cases[i].ms);
	}
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_int_equal(str_to_ms(wrong[i], &found), -EINVAL);
	assert_int_equal(str_to_ms("99999999999h", &found), -ERANGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_number),  cmocka_unit_test(test_u64),
		cmocka_unit_test(test_i64),	   cmocka_unit_test(test_u32),
		cmocka_unit_test(test_round_trip), cmocka_unit_test(test_compare),
		cmocka_unit_test(test_buf),	   cmocka_unit_test(test_buf_grows),
		cmocka_unit_test(test_bytes),	   cmocka_unit_test(test_ms),
		cmocka_unit_test(test_buf_take),   cmocka_unit_test(test_strv),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
