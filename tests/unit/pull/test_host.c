/* SPDX-License-Identifier: Apache-2.0 */
/* Which hosts are loopback, and which are reached without a proxy. */
#include "registry/host.h"

#include "../base/unit.h"

static void test_loopback(void **state)
{
	static const char *const here[] = {"localhost",	     "LocalHost:5000", "127.0.0.1",
					   "127.1.2.3:5000", "[::1]",	       "[::1]:5000/v2"};
	static const char *const elsewhere[] = {"localhost.e.com", "127.e.com", "1.127.0.0",
						"[::2]",	   "[::1",	"128.0.0.1",
						"e.com/localhost", ""};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(here); i++)
		assert_true(host_is_loopback(here[i]));
	for (size_t i = 0; i < ARRAY_SIZE(elsewhere); i++)
		assert_false(host_is_loopback(elsewhere[i]));
}

/* For a host at port 5000. */
static const struct {
	const char *list, *host, *made;
} rows[] = {
	{NULL, "e.com", ""},
	{"", "e.com", ""},
	{" , ,", "e.com", ""},
	{"a.com,.b.com c.com", "e.com", "a.com,.b.com,c.com"},
	{"*.b.com", "e.com", ".b.com"},
	{"a.com:5000,b.com:5001,c.com:,d.com:x", "e.com", "a.com"},
	{"*.b.com:5000", "e.com", ".b.com"},
	{"a.com, *", "e.com", "*"},
	{"*:5000", "e.com", "*"},
	{"*:80", "e.com", ""},
	{"10.0.0.0/8,10.1.2.3:5000", "10.1.2.3", "10.0.0.0/8,10.1.2.3"},
	{"[fd00::1],fd00::2,[fd00::3]:5000,[fd00::4]:80", "[fd00::1]", "fd00::1,fd00::2,fd00::3"},
	{"fd00::/8", "[fd00::1]", "fd00::/8"},
	{"[", "e.com", ""},
	{"", "localhost", "*"},
	{NULL, "127.0.0.2", "*"},
	{"e.com", "[::1]", "*"},
};

static void test_no_proxy(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct http_url url = {.host = (char *)(uintptr_t)rows[i].host, .port = 5000};
		_cleanup_free_ char *made = host_no_proxy(rows[i].list, &url);

		assert_string_equal(made, rows[i].made);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_loopback),
		cmocka_unit_test(test_no_proxy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
