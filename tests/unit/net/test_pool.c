/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"
#include "pool.h"

static const struct address any;

/* Takes one and gives its text, the caller's; NULL where there is none, with the errno. */
static char *take(const struct store *store, const struct network *network,
		  const struct address *wanted, const char *owner)
{
	struct error err = ERROR_NONE;
	struct address address;
	char text[ADDRESS_TEXT_MAX];
	int r = pool_take(store, &WISH(*network, *wanted, owner), &address, &err);

	if (r < 0) {
		assert_failed(r, err, r);
		errno = -r;
		return NULL;
	}
	address_format(&address, text);
	return xstrdup(text);
}

static void assert_next(const struct store *store, const struct network *network,
			const char *expected)
{
	_cleanup_free_ char *text = take(store, network, &any, "a@eth0");

	assert_non_null(text);
	assert_string_equal(text, expected);
}

static void assert_none(const struct store *store, const struct network *network,
			const struct address *wanted, int code)
{
	_cleanup_free_ char *text = take(store, network, wanted, "other@eth0");

	assert_null(text);
	assert_int_equal(errno, code);
}

static void give_back(const struct store *store, const char *address, const char *owner)
{
	struct error err = ERROR_NONE;
	struct address parsed = address_of(address);

	assert_fine(pool_return(store, "n", &parsed, owner, &err), err);
}

static void an_address_is_not_given_again_soon(void **state)
{
	_cleanup_store_ struct store store = store_of(*state, STORE_CHANGE);
	struct network network = network_of("n", "br", (const char *const[]){"10.1.2.0/29", NULL});

	/* .1 is the bridge's. */
	assert_next(&store, &network, "10.1.2.2");
	assert_next(&store, &network, "10.1.2.3");
	give_back(&store, "10.1.2.2", "a@eth0");
	assert_next(&store, &network, "10.1.2.4");
	assert_next(&store, &network, "10.1.2.5");
	assert_next(&store, &network, "10.1.2.6");
	assert_next(&store, &network, "10.1.2.2");
	assert_none(&store, &network, &any, EADDRNOTAVAIL);
	give_back(&store, "10.1.2.4", "a@eth0");
	assert_next(&store, &network, "10.1.2.4");
}

static void small_networks_give_what_they_have(void **state)
{
	static const struct {
		const char *subnet;
		enum network_driver driver;
		const char *given[4];
	} rows[] = {
		{"10.1.2.0/30", NETWORK_BRIDGE, {"10.1.2.2"}},
		{"10.1.2.0/31", NETWORK_BRIDGE, {"10.1.2.1"}},
		{"10.1.2.8/31", NETWORK_MACVLAN, {"10.1.2.8", "10.1.2.9"}},
		{"10.1.2.7/32", NETWORK_MACVLAN, {"10.1.2.7"}},
		{"10.1.3.0/30", NETWORK_MACVLAN, {"10.1.3.1", "10.1.3.2"}},
		{"fd00::/127", NETWORK_BRIDGE, {"fd00::1"}},
		{"fd00::5/128", NETWORK_IPVLAN, {"fd00::5"}},
		{"fd00::/126", NETWORK_BRIDGE, {"fd00::2", "fd00::3"}},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_store_ struct store store = store_of(*state, STORE_CHANGE);
		_cleanup_free_ char *name = xasprintf("n%zu", i);
		struct error err = ERROR_NONE;
		struct network network = {
			.name = name, .link = "br", .driver = rows[i].driver, .subnet_count = 1};

		network.subnets[0].prefix = prefix_of(rows[i].subnet);
		assert_fine(network_complete(&network, &err), err);
		for (size_t j = 0; j < 4 && rows[i].given[j]; j++)
			assert_next(&store, &network, rows[i].given[j]);
		assert_none(&store, &network, &any, EADDRNOTAVAIL);
	}
}

static void the_pool_bounds_what_is_given(void **state)
{
	_cleanup_store_ struct store store = store_of(*state, STORE_CHANGE);
	struct error err = ERROR_NONE;
	struct network network = {.name = "n", .link = "br", .subnet_count = 1};
	struct address outside = address_of("10.1.0.9");
	_cleanup_free_ char *text = NULL;

	network.subnets[0] = (struct subnet){.prefix = prefix_of("10.1.0.0/16"),
					     .gateway = address_of("10.1.0.255"),
					     .first = address_of("10.1.0.254"),
					     .last = address_of("10.1.1.0")};
	assert_fine(network_complete(&network, &err), err);
	assert_next(&store, &network, "10.1.0.254");
	assert_next(&store, &network, "10.1.1.0");
	assert_none(&store, &network, &any, EADDRNOTAVAIL);
	text = take(&store, &network, &outside, "a@eth0");
	assert_string_equal(text, "10.1.0.9");
}

static void wanted_addresses_must_be_free_and_of_the_subnet(void **state)
{
	_cleanup_store_ struct store store = store_of(*state, STORE_CHANGE);
	struct network network = network_of("n", "br", (const char *const[]){"10.1.2.0/24", NULL});
	static const char *const wrong[] = {"10.1.3.1", "10.1.2.0", "10.1.2.255", "10.1.2.1",
					    "fd00::1"};
	struct address wanted = address_of("10.1.2.77");
	struct error err = ERROR_NONE;
	struct lease lease = lease_of(&network, (const char *const[]){"a", NULL}, "10.1.2.77/24");
	_cleanup_free_ char *first = take(&store, &network, &wanted, "a@eth0"),
			    *again = take(&store, &network, &wanted, "a@eth0"), *other = NULL;
	struct address address;

	assert_string_equal(first, "10.1.2.77");
	/* The same owner may have it twice: he was killed in between. */
	assert_string_equal(again, "10.1.2.77");
	assert_fine(lease_write(&store, &lease, &err), err);
	assert_fine(pool_take(&store, &WISH(network, wanted, "a@eth0"), &address, &err), err);
	assert_failed(pool_take(&store, &WISH(network, wanted, "b@eth0"), &address, &err), err,
		      -EADDRINUSE);
	assert_contains(err.text, "10.1.2.77 is taken by \"a@eth0\"");
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		wanted = address_of(wrong[i]);
		assert_none(&store, &network, &wanted, EINVAL);
	}
	/* What no lease stands for is free. */
	assert_fine(lease_remove(&store, &lease, &err), err);
	wanted = address_of("10.1.2.77");
	other = take(&store, &network, &wanted, "b@eth0");
	assert_string_equal(other, "10.1.2.77");
}

static void a_hint_that_makes_no_sense_is_none(void **state)
{
	static const char *const hints[] = {
		"", "x", "10.9.9.9", "10.1.2.14 \n", "10.1.2.1 10.1.2.9", "fd00::1"};
	const struct world *world = *state;
	_cleanup_store_ struct store store = store_of(*state, STORE_CHANGE);
	struct network network = network_of("n", "br", (const char *const[]){"10.1.2.0/28", NULL});

	for (size_t i = 0; i < ARRAY_SIZE(hints); i++) {
		assert_next(&store, &network, "10.1.2.2");
		give_back(&store, "10.1.2.2", "a@eth0");
		put_file(world, "addresses/n/.last-10.1.2.0", hints[i]);
	}
}

static void only_the_owner_gives_back(void **state)
{
	_cleanup_store_ struct store store = store_of(*state, STORE_CHANGE);
	struct network network = network_of("n", "br", (const char *const[]){"10.1.2.0/30", NULL});

	give_back(&store, "10.1.2.2", "a@eth0");
	assert_next(&store, &network, "10.1.2.2");
	give_back(&store, "10.1.2.2", "b@eth0");
	assert_none(&store, &network, &any, EADDRNOTAVAIL);
	give_back(&store, "10.1.2.2", "a@eth0");
	give_back(&store, "10.1.2.2", "a@eth0");
	assert_next(&store, &network, "10.1.2.2");
}

static void a_network_is_in_use_while_an_address_is_taken(void **state)
{
	_cleanup_store_ struct store store = store_of(*state, STORE_CHANGE);
	struct network network = network_of("n", "br", (const char *const[]){"10.1.2.0/24", NULL});
	struct error err = ERROR_NONE;

	assert_int_equal(pool_in_use(&store, "n", &err), 0);
	assert_next(&store, &network, "10.1.2.2");
	assert_int_equal(pool_in_use(&store, "n", &err), 1);
	give_back(&store, "10.1.2.2", "a@eth0");
	assert_int_equal(pool_in_use(&store, "n", &err), 0);
}

static void a_sweep_leaves_what_leases_stand_for(void **state)
{
	const struct world *world = *state;
	_cleanup_store_ struct store store = store_of(*state, STORE_CHANGE);
	struct network network = network_of("n", "br", (const char *const[]){"10.1.2.0/24", NULL}),
		       unused = network_of("unused", "br",
					   (const char *const[]){"10.1.2.0/24", NULL});
	struct lease lease = lease_of(&network, (const char *const[]){"b", NULL}, "10.1.2.3/24");
	struct error err = ERROR_NONE;
	_cleanup_free_ char *second = NULL;
	size_t count;

	assert_next(&store, &network, "10.1.2.2");
	second = take(&store, &network, &any, "b@eth0");
	assert_string_equal(second, "10.1.2.3");
	assert_next(&store, &network, "10.1.2.4");
	assert_next(&store, &unused, "10.1.2.2");
	assert_fine(lease_write(&store, &lease, &err), err);
	put_file(world, "leases/.x@eth0.json.new", "{");
	put_file(world, "networks/.x.json.new", "{");
	put_file(world, "hosts/x.new", "127.0.0.1 localhost\n");

	assert_fine(pool_sweep(&store, &count, &err), err);
	assert_int_equal(count, 3);
	assert_int_equal(faccessat(world->fd, "addresses/unused", F_OK, 0), -1);
	assert_int_equal(faccessat(world->fd, "addresses/n/10.1.2.3", F_OK, AT_SYMLINK_NOFOLLOW),
			 0);
	assert_int_equal(faccessat(world->fd, "leases/.x@eth0.json.new", F_OK, 0), -1);
	assert_int_equal(faccessat(world->fd, "networks/.x.json.new", F_OK, 0), -1);
	assert_int_equal(faccessat(world->fd, "hosts/x.new", F_OK, 0), 0);
	/* The hint stays with the network. */
	assert_next(&store, &network, "10.1.2.5");
	assert_fine(pool_sweep(&store, NULL, &err), err);
}

static void a_thousand_addresses_are_all_different(void **state)
{
	_cleanup_store_ struct store store = store_of(*state, STORE_CHANGE);
	struct network network = network_of("n", "br", (const char *const[]){"10.1.0.0/22", NULL});
	struct error err = ERROR_NONE;
	struct address address, last = address_of("10.1.0.1");

	for (size_t i = 0; i < 1021; i++) {
		assert_fine(pool_take(&store, &WISH(network, any, "a@eth0"), &address, &err), err);
		assert_true(address_compare(&last, &address) < 0);
		last = address;
	}
	assert_none(&store, &network, &any, EADDRNOTAVAIL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(an_address_is_not_given_again_soon),
		world_test(small_networks_give_what_they_have),
		world_test(the_pool_bounds_what_is_given),
		world_test(wanted_addresses_must_be_free_and_of_the_subnet),
		world_test(a_hint_that_makes_no_sense_is_none),
		world_test(only_the_owner_gives_back),
		world_test(a_network_is_in_use_while_an_address_is_taken),
		world_test(a_sweep_leaves_what_leases_stand_for),
		world_test(a_thousand_addresses_are_all_different),
	};

	if (skip_all_without(SYS_openat2, "openat2"))
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
