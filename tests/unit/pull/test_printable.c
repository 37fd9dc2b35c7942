/* SPDX-License-Identifier: Apache-2.0 */
/* Texts for terminals: what writes to one in other ways than by letters is written out. */
#include "common/printable.h"

#include "../base/unit.h"

static void test_printable(void **state)
{
	static const struct {
		const char *text, *expected;
	} table[] = {
		{"", ""},
		{"a b\\c", "a b\\c"},
		{"\x1b[2J", "\\033[2J"},
		{"\t\r\n\x7f", "\\011\\015\\012\\177"},
		{"\xc2\x9b"
		 "1m\xc2\xa0\xc3\xa4",
		 "\\302\\2331m\xc2\xa0\xc3\xa4"},
		{"\xff\xc3", "\\377\\303"},
		{"\xe2\x82\xac\xf0\x9f\x98\x80", "\xe2\x82\xac\xf0\x9f\x98\x80"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		_cleanup_buf_ struct buf out = BUF_EMPTY;

		buf_add_string(&out, "");
		printable_write(&out, table[i].text);
		assert_string_equal(out.data ? out.data : "", table[i].expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_printable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
