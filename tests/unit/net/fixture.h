/* SPDX-License-Identifier: Apache-2.0 */
/* A store in a directory of the test's own, with a network and leases. */
#ifndef BERTH_TESTS_NET_FIXTURE_H
#define BERTH_TESTS_NET_FIXTURE_H

#include "lease.h"
#include "pool.h"

#include "../base/unit.h"

/* Opens the world's directory as store. */
static inline struct store store_of(const struct world *world, enum store_access access)
{
	struct error err = ERROR_NONE;
	struct store store = STORE_CLOSED;

	assert_fine(store_open(world->path, access, &store, &err), err);
	return store;
}

static inline struct prefix prefix_of(const char *text)
{
	struct prefix prefix;

	assert_int_equal(prefix_parse(text, &prefix), 0);
	return prefix;
}

static inline struct address address_of(const char *text)
{
	struct address address;

	assert_int_equal(address_parse(text, &address), 0);
	return address;
}

static inline void assert_address(const struct address *address, const char *expected)
{
	char text[ADDRESS_TEXT_MAX];

	address_format(address, text);
	assert_string_equal(text, expected);
}

/* What pool_take() is asked for, of the network's first subnet. */
#define WISH(of, wanted, by)                                                                       \
	((const struct pool_wish){                                                                 \
		.network = &(of), .subnet = &(of).subnets[0], .address = (wanted), .owner = (by)})

/* A bridge with the subnets (NULL-terminated), complete. */
static inline struct network network_of(const char *name, const char *link,
					const char *const *subnets)
{
	struct error err = ERROR_NONE;
	struct network network = {.name = name, .driver = NETWORK_BRIDGE, .link = link};

	for (; subnets[network.subnet_count]; network.subnet_count++)
		network.subnets[network.subnet_count].prefix =
			prefix_of(subnets[network.subnet_count]);
	assert_fine(network_complete(&network, &err), err);
	return network;
}

/* A complete lease of "eth0" with one address; @names begin with the id. */
static inline struct lease lease_of(const struct network *network, const char *const *names,
				    const char *address)
{
	struct lease lease = {
		.id = names[0],
		.link = "eth0",
		.complete = true,
		.netns = {.pid = 17, .start_ticks = 4711, .cookie = 99},
		.network = *network,
		.address_count = 1,
		.names = names,
	};

	lease.addresses[0] = prefix_of(address);
	return lease;
}

#endif
