/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of processors and NUMA nodes. */
#include <errno.h>

#include "berth/base/number_set.h"
#include "berth/base/str.h"

#include "unit.h"

static void test_lists(void **state)
{
	static const struct {
		const char *text;
		size_t end, count;
	} lists[] = {
		{"0", 1, 1},
		{"7", 8, 1},
		{"0-3,7", 8, 5},
		{"7,0-3", 8, 5},
		{"0-3,2-5,3", 6, 6},
		{"63,64,127-129", 130, 5},
		{"1023-1025,4000", 4001, 4},
		{"8191", 8192, 1},
		{"0-8191", 8192, 8192},
		{" 1 ,\t3-4\n", 5, 3},
		{",1,,2,", 3, 2},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		struct number_set set;
		size_t count = 0;

		assert_int_equal(number_set_parse(lists[i].text, &set), 0);
		assert_int_equal(set.end, lists[i].end);
		for (size_t number = 0; number < NUMBER_SET_MAX + 100; number++)
			count += number_set_has(&set, number);
		assert_int_equal(count, lists[i].count);
		assert_true(number_set_has(&set, set.end - 1));
	}
}

/* System calls take the words as they are. */
static void test_words(void **state)
{
	struct number_set set;

	(void)state;
	assert_int_equal(number_set_parse("0-3,7", &set), 0);
	assert_int_equal(set.words[0], 0x8f);
	assert_int_equal(number_set_parse("2000", &set), 0);
	assert_int_equal(set.words[0], 0);
	assert_int_equal(set.words[2000 / NUMBER_SET_WORD_BITS],
			 1ul << 2000 % NUMBER_SET_WORD_BITS);
	assert_false(number_set_has(&set, 7));
	assert_true(number_set_has(&set, 2000));
}

static void test_refused(void **state)
{
	static const char *const bad[] = {
		"",    " ",   ",",     ", ,",  "x",    "0-",   "-3",	"3-1",	 "1-2-3",
		"0 1", "+1",  "1.5",   "0x1",  "-",    "0-3:", "0 - 3", "1,x",	 "all",
		"01",  "1;2", "1-\t2", "\x7f", "0--1", "1,-",  "0,1-x", "2,1-0",
	};
	static const char *const high[] = {
		"8192", "0-8192", "1,8192", "99999999999999999999", "0-18446744073709551615",
	};
	struct number_set set;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(number_set_parse(bad[i], &set), -EINVAL);
	for (size_t i = 0; i < ARRAY_SIZE(high); i++)
		assert_int_equal(number_set_parse(high[i], &set), -ERANGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
