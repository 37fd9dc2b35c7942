/* SPDX-License-Identifier: Apache-2.0 */
#include "publish.h"

#include "../base/unit.h"

static struct publish publish(const char *text)
{
	struct error err = ERROR_NONE;
	struct publish item;

	assert_fine(publish_parse("--publish", text, &item, &err), err);
	return item;
}

static void what_is_read_is_written(void **state)
{
	static const struct {
		const char *text, *same; /* NULL: the text itself */
	} rows[] = {
		{"8080:80", "8080:80/tcp"},
		{"53:53/udp", NULL},
		{"1-65:1001-1065", "1-65:1001-1065/tcp"},
		{"127.0.0.1:8080:80/tcp", NULL},
		{"0.0.0.0:8080:80/tcp", NULL},
		{"[::1]:8080:80/udp", NULL},
		{"[::]:65535:65535/tcp", NULL},
		{"[fe80:0::1]:1:1/tcp", "[fe80::1]:1:1/tcp"},
	};
	_cleanup_arena_ struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct publish item = publish(rows[i].text);

		assert_string_equal(publish_format(arena, &item),
				    rows[i].same ? rows[i].same : rows[i].text);
	}
}

static void parts_come_where_they_belong(void **state)
{
	struct publish item = publish("10.0.0.1:8000-8009:80-89/udp");

	(void)state;
	assert_int_equal(item.host.family, AF_INET);
	assert_int_equal(item.host_port, 8000);
	assert_int_equal(item.container_port, 80);
	assert_int_equal(item.count, 10);
	assert_int_equal(item.protocol, IPPROTO_UDP);
	assert_int_equal(publish("1:2").host.family, 0);
}

static void errors_name_the_part_that_is_wrong(void **state)
{
	static const struct {
		const char *text, *part;
	} rows[] = {
		{"", "\"\" is not of the form"},
		{"80", "\"80\" is not of the form"},
		{"8080:80/sctp", "\"sctp\""},
		{"8080:80/", "\"\" is no protocol"},
		{"0:80", "\"0\" is no port"},
		{"80:65536", "\"65536\""},
		{":80", "\"\" is no port"},
		{"127.0.0.1::80", "\"\" is no port"},
		{"a:80", "\"a\""},
		{"080:80", "\"080\""},
		{"-1:80", "\"-1\""},
		{"1-2-3:1-3", "\"1-2-3\""},
		{"9-8:1-2", "\"9-8\" is a range that ends"},
		{"1-3:1-2", "different lengths"},
		{"1-2:1", "different lengths"},
		{"1-65535:1-65535", "more than 16384"},
		{"::1:80:80", "\"\" is no address"},
		{"[::1]80:80", "has no \"]:\""},
		{"[::1:80:80", "has no \"]:\""},
		{"[127.0.0.1]:80:80", "\"127.0.0.1\" is no address"},
		{"fe80::1:80", "brackets"},
		{"localhost:80:80", "\"localhost\""},
		{"224.0.0.1:80:80", "no port is published"},
		{"255.255.255.255:80:80", "no port is published"},
		{"[ff02::1]:80:80", "no port is published"},
		{"[::ffff:1.2.3.4]:80:80", "no port is published"},
		{"80:80;reboot", "\"80;reboot\""},
		{"80:80\n", "\"80?\""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct error err = ERROR_NONE;
		struct publish item;

		assert_failed(publish_parse("--publish", rows[i].text, &item, &err), err, -EINVAL);
		assert_contains(err.text, "--publish \"");
		assert_contains(err.text, rows[i].part);
	}
}

static void a_text_of_any_length_is_refused_in_one_short_line(void **state)
{
	char text[4097];
	struct error err = ERROR_NONE;
	struct publish item;

	(void)state;
	memset(text, '8', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_failed(publish_parse("--publish", text, &item, &err), err, -EINVAL);
	assert_true(strlen(err.text) < 300);
}

static void ports_collide_where_a_packet_is_for_both(void **state)
{
	static const struct {
		const char *a, *b;
		bool collide;
	} rows[] = {
		{"80:1", "80:2", true},
		{"80:1", "81:1", false},
		{"80:1/udp", "80:1/tcp", false},
		{"80-90:1-11", "90:1", true},
		{"80-90:1-11", "91:1", false},
		{"127.0.0.1:80:1", "80:2", true},
		{"127.0.0.1:80:1", "127.0.0.2:80:2", false},
		{"127.0.0.1:80:1", "127.0.0.1:80:2", true},
		{"0.0.0.0:80:1", "127.0.0.1:80:2", true},
		{"0.0.0.0:80:1", "[::]:80:2", false},
		{"0.0.0.0:80:1", "[::1]:80:2", false},
		{"[::]:80:1", "[::1]:80:2", true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct publish a = publish(rows[i].a), b = publish(rows[i].b);

		if (publish_collide(&a, &b) != rows[i].collide ||
		    publish_collide(&b, &a) != rows[i].collide)
			fail_msg("%s, %s", rows[i].a, rows[i].b);
	}
}

static void a_list_has_no_port_twice_and_an_end(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct publish_list list = {.count = 0};
	struct publish item = publish("1-16384:1-16384"), one = publish("20000:1"),
		       same = publish("[::1]:20000:2");
	struct error err = ERROR_NONE;

	(void)state;
	item.count--;
	assert_fine(publish_add(arena, &list, &item, &err), err);
	assert_fine(publish_add(arena, &list, &one, &err), err);
	assert_failed(publish_add(arena, &list, &same, &err), err, -EINVAL);
	assert_contains(err.text, "\"20000:1/tcp\" and \"[::1]:20000:2/tcp\"");
	same.host_port++;
	assert_failed(publish_add(arena, &list, &same, &err), err, -EINVAL);
	assert_contains(err.text, "16384");
	assert_int_equal(list.count, 2);
}

static void a_list_keeps_what_it_had(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct publish_list list = {.count = 0};
	struct publish item = publish("1:1");
	struct error err = ERROR_NONE;

	(void)state;
	for (uint16_t i = 1; i <= 100; i++) {
		item.host_port = i;
		assert_fine(publish_add(arena, &list, &item, &err), err);
	}
	for (uint16_t i = 1; i <= 100; i++)
		assert_int_equal(list.items[i - 1].host_port, i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_read_is_written),
		cmocka_unit_test(parts_come_where_they_belong),
		cmocka_unit_test(errors_name_the_part_that_is_wrong),
		cmocka_unit_test(a_text_of_any_length_is_refused_in_one_short_line),
		cmocka_unit_test(ports_collide_where_a_packet_is_for_both),
		cmocka_unit_test(a_list_has_no_port_twice_and_an_end),
		cmocka_unit_test(a_list_keeps_what_it_had),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
