/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>

#include "fixture.h"
#include "network_defaults.h"

static void bridges_are_named_after_networks(void **state)
{
	char link[IFNAMSIZ], other[IFNAMSIZ];

	(void)state;
	network_default_bridge("web", link);
	assert_string_equal(link, "br-web");
	network_default_bridge("twelve-bytes", link);
	assert_string_equal(link, "br-twelve-bytes");
	network_default_bridge("thirteen-byte", link);
	assert_int_equal(strlen(link), 15);
	assert_int_equal(strspn(link + 3, "0123456789abcdef"), 12);
	network_default_bridge("thirteen-bytf", other);
	assert_string_not_equal(link, other);
	network_default_bridge("thirteen-byte", other);
	assert_string_equal(link, other);
}

static void assert_chosen(struct prefix *items, size_t count, const char *expected)
{
	const struct prefix_list taken = {.items = items, .count = count};
	struct network network = {.name = "n", .link = "br"};
	char text[ADDRESS_TEXT_MAX];
	struct error err = ERROR_NONE;

	assert_fine(network_choose_subnets(&network, &taken, &err), err);
	assert_int_equal(network.subnet_count, 2);
	prefix_format(&network.subnets[0].prefix, text);
	assert_string_equal(text, expected);
	assert_int_equal(network.subnets[1].prefix.length, 64);
	assert_int_equal(network.subnets[1].prefix.address.bytes[0], 0xfd);
	assert_fine(network_complete(&network, &err), err);
}

static void subnets_are_those_that_nothing_has(void **state)
{
	struct prefix taken[] = {prefix_of("10.188.0.128/25"), prefix_of("10.188.2.0/23"),
				 prefix_of("fd00::/16"), prefix_of("10.188.1.0/24"),
				 prefix_of("10.188.0.0/15")};
	struct network network = {.name = "n"};
	const struct prefix_list all = {.items = taken, .count = 5};
	struct error err = ERROR_NONE;

	(void)state;
	assert_chosen(taken, 0, "10.188.0.0/24");
	assert_chosen(taken, 1, "10.188.1.0/24");
	assert_chosen(taken, 3, "10.188.1.0/24");
	assert_chosen(taken, 4, "10.188.4.0/24");
	assert_failed(network_choose_subnets(&network, &all, &err), err, -EADDRNOTAVAIL);
	assert_contains(err.text, "--subnet");
}

/* The number as the kernel prints an address: of the processor's order. */
static uint32_t number_of(const char *text)
{
	struct in_addr address;

	assert_int_equal(inet_pton(AF_INET, text, &address), 1);
	return address.s_addr;
}

static void routes_are_read_as_the_kernel_writes_them(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct prefix_list list = {.count = 0};
	_cleanup_free_ char *text = xasprintf(
		"Iface\tDestination\tGateway "
		"\tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
		"eth0\t00000000\t%08X\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
		"eth0\t%08X\t00000000\t0001\t0\t0\t0\t%08X\t0\t0\t0\n"
		"eth0\t%08X\t00000000\t0001\t0\t0\t0\t%08X\t0\t0\t0\n"
		"eth0\t0000000\t00000000\n"
		"eth0\tZZZZZZZZ\t00000000\t0001\t0\t0\t0\tFFFFFFFF\t0\t0\t0\n"
		"eth0\t0",
		number_of("10.0.0.1"), number_of("10.188.4.0"), number_of("255.255.254.0"),
		number_of("10.1.2.3"), number_of("255.255.255.255"));
	char prefix[ADDRESS_TEXT_MAX];

	(void)state;
	network_read_routes(arena, text, &list);
	assert_int_equal(list.count, 2);
	prefix_format(&list.items[0], prefix);
	assert_string_equal(prefix, "10.188.4.0/23");
	prefix_format(&list.items[1], prefix);
	assert_string_equal(prefix, "10.1.2.3/32");
}

static void what_networks_have_is_taken(void **state)
{
	_cleanup_store_ struct store store = store_of(*state, STORE_CHANGE);
	_cleanup_arena_ struct arena *arena = arena_new();
	struct network network =
		network_of("n", "br", (const char *const[]){"10.188.0.0/24", NULL});
	struct prefix_list taken;
	struct error err = ERROR_NONE;

	assert_fine(network_create(&store, &network, &err), err);
	assert_fine(network_find_taken(&store, arena, &taken, &err), err);
	assert_true(taken.count >= 3);
	assert_fine(network_choose_subnets(&network, &taken, &err), err);
	assert_false(prefix_overlap(&network.subnets[0].prefix, &taken.items[2]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bridges_are_named_after_networks),
		cmocka_unit_test(subnets_are_those_that_nothing_has),
		cmocka_unit_test(routes_are_read_as_the_kernel_writes_them),
		world_test(what_networks_have_is_taken),
	};

	if (skip_all_without(SYS_openat2, "openat2"))
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
