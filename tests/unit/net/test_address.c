/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "address.h"

#include "../base/unit.h"

static struct prefix prefix(const char *text)
{
	struct prefix prefix;

	assert_int_equal(prefix_parse(text, &prefix), 0);
	return prefix;
}

static void prefixes_are_read_and_written(void **state)
{
	static const char *const same[] = {"10.1.2.3/24", "0.0.0.0/0", "fd00::1/64", "::/0",
					   "255.255.255.255/32"};
	static const char *const wrong[] = {
		"10.1.2.3",   "10.1.2.3/33", "10.1.2/24",   "/24",	   "10.1.2.3/",
		"fd00::/129", "x/1",	     "10.1.2.3/-1", "10.1.2.3/08", "::1%lo/64"};
	char text[ADDRESS_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(same); i++) {
		struct prefix read = prefix(same[i]);

		prefix_format(&read, text);
		assert_string_equal(text, same[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		struct prefix read;

		assert_int_equal(prefix_parse(wrong[i], &read), -EINVAL);
	}
}

static void check_edges(const char *text, const char *first, const char *last)
{
	struct prefix read = prefix(text);
	struct address low = prefix_first(&read), high = prefix_last(&read);
	char out[ADDRESS_TEXT_MAX];

	address_format(&low, out);
	assert_string_equal(out, first);
	address_format(&high, out);
	assert_string_equal(out, last);
	assert_true(prefix_contains(&read, &low));
	assert_true(prefix_contains(&read, &high));
	if (address_next(&high))
		assert_false(prefix_contains(&read, &high));
}

static void a_network_goes_from_its_first_to_its_last_address(void **state)
{
	(void)state;
	check_edges("10.1.2.3/24", "10.1.2.0", "10.1.2.255");
	check_edges("10.1.2.3/20", "10.1.0.0", "10.1.15.255");
	check_edges("10.1.2.3/32", "10.1.2.3", "10.1.2.3");
	check_edges("10.1.2.3/0", "0.0.0.0", "255.255.255.255");
	check_edges("fd00::1:2/112", "fd00::1:0", "fd00::1:ffff");
}

static void networks_overlap_where_one_is_in_the_other(void **state)
{
	struct prefix wide = prefix("10.0.0.0/8"), narrow = prefix("10.2.0.0/16"),
		      other = prefix("11.0.0.0/8"), six = prefix("::/0");

	(void)state;
	assert_true(prefix_overlap(&wide, &narrow));
	assert_true(prefix_overlap(&narrow, &wide));
	assert_false(prefix_overlap(&wide, &other));
	assert_false(prefix_overlap(&wide, &six));
}

static void the_next_address_carries(void **state)
{
	struct address address, last;
	char text[ADDRESS_TEXT_MAX];

	(void)state;
	assert_int_equal(address_parse("10.0.255.255", &address), 0);
	assert_true(address_next(&address));
	address_format(&address, text);
	assert_string_equal(text, "10.1.0.0");
	assert_int_equal(address_parse("255.255.255.255", &last), 0);
	assert_false(address_next(&last));
	assert_true(address_compare(&address, &last) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prefixes_are_read_and_written),
		cmocka_unit_test(a_network_goes_from_its_first_to_its_last_address),
		cmocka_unit_test(networks_overlap_where_one_is_in_the_other),
		cmocka_unit_test(the_next_address_carries),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
