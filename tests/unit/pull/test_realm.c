/* SPDX-License-Identifier: Apache-2.0 */
/* Where a registry may send us for a token, and where not. */
#include "registry/realm.h"

#include "../base/unit.h"

/* Whether @registry may name @host of @scheme. */
static bool accepts(const char *registry_scheme, const char *registry, const char *scheme,
		    const char *host)
{
	const struct http_url from = {.scheme = (char *)(uintptr_t)registry_scheme,
				      .host = (char *)(uintptr_t)registry,
				      .port = 443};
	const struct http_url to = {
		.scheme = (char *)(uintptr_t)scheme, .host = (char *)(uintptr_t)host, .port = 444};
	struct error err = ERROR_NONE;
	int r = realm_check(&from, &to, &err);

	if (r < 0)
		assert_contains(err.text, host);
	return r >= 0;
}

static void test_scheme(void **state)
{
	(void)state;
	assert_true(accepts("https", "e.com", "https", "auth.e.com"));
	assert_false(accepts("https", "e.com", "http", "auth.e.com"));
	assert_false(accepts("https", "e.com", "http", "e.com"));
	assert_true(accepts("http", "e.com", "http", "auth.e.com"));
	assert_true(accepts("http", "e.com", "https", "auth.e.com"));
}

static const char *const good[] = {
	"auth.docker.io", "e.com.",	     "1.example",      "xn--bcher-kva.example",
	"8.8.8.8",	  "172.15.0.1",	     "172.32.0.1",     "100.63.255.255",
	"192.0.1.1",	  "[2001:db8::1]",   "[2606:4700::1]", "[2002:808:808::]",
	"notlocalhost",	  "localhost.e.com",
};
static const char *const bad[] = {
	"localhost",
	"localhost.",
	"x.localhost",
	"0.0.0.0",
	"0.1.2.3",
	"127.0.0.1",
	"127.255.255.255",
	"127.0.0.1.",
	"10.0.0.1",
	"100.64.0.1",
	"100.100.100.200",
	"169.254.169.254",
	"172.16.0.1",
	"172.31.255.255",
	"192.168.0.1",
	"192.0.0.1",
	"198.18.0.1",
	"198.19.255.255",
	"224.0.0.1",
	"240.0.0.1",
	"255.255.255.255",
	/* Other spellings of an address. */
	"127.1",
	"127.0.1",
	"2130706433",
	"0x7f000001",
	"0x7f.0.0.1",
	"0177.0.0.1",
	"1.2.3.4.5",
	"1.2.3.08",
	"8.8.8.8.",
	"300.1.1.1",
	"169.254.169.254.",
	/* IPv6: loopback, none, local, mapped, translated, multicast, with a zone. */
	"[::1]",
	"[::]",
	"[fe80::1]",
	"[febf::1]",
	"[fc00::1]",
	"[fdff::1]",
	"[fec0::1]",
	"[::ffff:127.0.0.1]",
	"[::ffff:a9fe:a9fe]",
	"[::127.0.0.1]",
	"[64:ff9b::7f00:1]",
	"[2002:7f00:1::]",
	"[2002:a9fe:a9fe::1]",
	"[ff02::1]",
	"[fe80::1%25eth0]",
	"[2001:db8::1%25eth0]",
	"[]",
	"[",
	"[::1",
	"[127.0.0.1]",
	"[x]",
	"::1",
	"[2001:db8:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0001]",
	/* No names. */
	"a b",
	"a/b",
	"a@b",
	"a%62",
	"\xef\xbc\x91.2.3.4",
	"E.com",
	"",
};

static void test_hosts(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		if (!accepts("https", "registry.example", "https", good[i]))
			fail_msg("refused: %s", good[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		if (accepts("https", "registry.example", "https", bad[i]))
			fail_msg("accepted: %s", bad[i]);
		if (accepts("http", "127.0.0.9", "http", bad[i]))
			fail_msg("accepted by a local registry: %s", bad[i]);
	}
}

/* The registry's own host is no way to anywhere new. */
static void test_own_host(void **state)
{
	static const char *const hosts[] = {"127.0.0.1", "localhost", "[::1]", "192.168.0.5"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(hosts); i++) {
		assert_true(accepts("http", hosts[i], "http", hosts[i]));
		assert_true(accepts("https", hosts[i], "https", hosts[i]));
		assert_false(accepts("https", hosts[i], "http", hosts[i]));
	}
	assert_false(accepts("http", "127.0.0.1", "http", "127.0.0.2"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scheme),
		cmocka_unit_test(test_hosts),
		cmocka_unit_test(test_own_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
