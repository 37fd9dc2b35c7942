/* SPDX-License-Identifier: Apache-2.0 */
/* What makes a network: its driver, its subnets, and which of them cannot be. */
#include "network.h"

#include <errno.h>
#include <string.h>

#include "berth/base/str.h"

#include "names.h"
#include "network-internal.h"

/* RFC 791 3.2 and RFC 8200 5: what every link must carry. */
#define MTU_MIN	     68
#define MTU_MIN_IPV6 1280
#define MTU_MAX	     65535

static const char *const macvlan_modes[] = {"bridge", "private", "vepa", "passthru", NULL};
static const char *const ipvlan_modes[] = {"l2", "l3", "l3s", NULL};
static const char *const no_modes[] = {NULL};

static const struct {
	const char *name;
	const char *const *modes;
} drivers[NETWORK_DRIVER_MAX] = {
	[NETWORK_BRIDGE] = {"bridge", no_modes},
	[NETWORK_MACVLAN] = {"macvlan", macvlan_modes},
	[NETWORK_IPVLAN] = {"ipvlan", ipvlan_modes},
	[NETWORK_HOST_DEVICE] = {"host-device", no_modes},
};

const char *network_driver_name(enum network_driver driver)
{
	return drivers[driver].name;
}

enum network_driver network_driver_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(drivers); i++) {
		if (str_equal(name, drivers[i].name))
			return (enum network_driver)i;
	}
	return NETWORK_DRIVER_MAX;
}

bool network_name_is_reserved(const char *name)
{
	static const char *const names[] = {"none", "host", "pasta", "slirp4netns"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (str_equal(name, names[i]))
			return true;
	}
	return network_driver_find(name) != NETWORK_DRIVER_MAX && !str_equal(name, NETWORK_DEFAULT);
}

/* How many addresses a prefix leaves: RFC 3021 and RFC 6164 use both of two. */
static bool is_tiny(const struct prefix *prefix)
{
	return prefix->length + 1 >= address_size(&prefix->address) * 8;
}

bool subnet_is_usable(const struct subnet *subnet, const struct address *address)
{
	struct address first = prefix_first(&subnet->prefix), last = prefix_last(&subnet->prefix);

	if (!prefix_contains(&subnet->prefix, address))
		return false;
	if (is_tiny(&subnet->prefix))
		return true;
	/* IPv6 knows no broadcast; the first address is that of all routers (RFC 4291 2.6.1). */
	return address_compare(address, &first) != 0 &&
	       (address->family == AF_INET6 || address_compare(address, &last) != 0);
}

/* The address before, in a subnet where there is one. */
static struct address address_before(struct address address)
{
	for (size_t i = address_size(&address); i > 0; i--) {
		address.bytes[i - 1]--;
		if (address.bytes[i - 1] != 0xff)
			break;
	}
	return address;
}

/* Addresses that mean something else everywhere, so that no network can be of them. */
static const char *special_range(const struct prefix *prefix)
{
	static const struct {
		const char *prefix, *what;
	} ranges[] = {
		{"0.0.0.0/8", "this host"},
		{"127.0.0.0/8", "loopback"},
		{"169.254.0.0/16", "link-local addresses"},
		{"224.0.0.0/3", "multicast"},
		{"::/127", "loopback"},
		{"fe80::/10", "link-local addresses"},
		{"ff00::/8", "multicast"},
		{"::ffff:0:0/96", "IPv4"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++) {
		struct prefix range;

		if (prefix_parse(ranges[i].prefix, &range) >= 0 && prefix_overlap(&range, prefix))
			return ranges[i].what;
	}
	return NULL;
}

static int check_prefix(const struct subnet *subnet, const char *text, struct error *err)
{
	struct address first = prefix_first(&subnet->prefix);
	struct prefix clean = {.address = first, .length = subnet->prefix.length};
	char clean_text[ADDRESS_TEXT_MAX];
	const char *special;

	prefix_format(&clean, clean_text);
	if (address_compare(&first, &subnet->prefix.address) != 0)
		return refuse(err, "subnet %s: the network is %s", text, clean_text);
	special = special_range(&subnet->prefix);
	if (special)
		return refuse(err, "subnet %s: there are addresses for %s in it", text, special);
	return 0;
}

/* Fills in the bridge's own address, and the ends of the pool. */
static void fill_subnet(enum network_driver driver, struct subnet *subnet)
{
	struct address first = prefix_first(&subnet->prefix), last = prefix_last(&subnet->prefix);

	if (!subnet_is_usable(subnet, &first))
		ignore(address_next(&first)); /* it has one: the network is not tiny */
	if (!subnet_is_usable(subnet, &last))
		last = address_before(last);
	if (driver == NETWORK_BRIDGE && subnet->gateway.family == 0)
		subnet->gateway = first;
	if (subnet->first.family == 0)
		subnet->first = first;
	if (subnet->last.family == 0)
		subnet->last = last;
}

static int check_address(const struct subnet *subnet, const char *text, const char *what,
			 const struct address *address, struct error *err)
{
	char address_text[ADDRESS_TEXT_MAX];

	if (subnet_is_usable(subnet, address))
		return 0;
	address_format(address, address_text);
	return refuse(err, "subnet %s: %s %s is no address for a link of it", text, what,
		      address_text);
}

static int complete_subnet(enum network_driver driver, struct subnet *subnet, struct error *err)
{
	char text[ADDRESS_TEXT_MAX];
	int r;

	prefix_format(&subnet->prefix, text);
	r = check_prefix(subnet, text, err);
	if (r < 0)
		return r;
	fill_subnet(driver, subnet);
	if (subnet->gateway.family != 0)
		r = check_address(subnet, text, "the gateway", &subnet->gateway, err);
	if (r >= 0)
		r = check_address(subnet, text, "the pool's first address", &subnet->first, err);
	if (r >= 0)
		r = check_address(subnet, text, "the pool's last address", &subnet->last, err);
	if (r < 0)
		return r;
	if (address_compare(&subnet->first, &subnet->last) > 0)
		return refuse(err, "subnet %s: the pool ends before it begins", text);
	if (address_compare(&subnet->first, &subnet->last) == 0 &&
	    address_compare(&subnet->first, &subnet->gateway) == 0)
		return refuse(err, "subnet %s: the gateway leaves no address for containers", text);
	return 0;
}

static int complete_subnets(struct network *network, struct error *err)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < network->subnet_count; i++) {
		struct subnet *subnet = &network->subnets[i];

		r = complete_subnet(network->driver, subnet, err);
		for (size_t j = 0; r >= 0 && j < i; j++) {
			if (prefix_overlap(&network->subnets[j].prefix, &subnet->prefix))
				r = refuse(err, "subnets %zu and %zu overlap", j + 1, i + 1);
		}
	}
	return r;
}

static int check_mode(const struct network *network, struct error *err)
{
	const char *const *modes = drivers[network->driver].modes;

	if (!network->mode)
		return 0;
	for (size_t i = 0; modes[i]; i++) {
		if (str_equal(network->mode, modes[i]))
			return 0;
	}
	return refuse(err, "driver \"%s\" has no mode \"%s\"", drivers[network->driver].name,
		      name_show(network->mode).text);
}

static bool has_ipv6(const struct network *network)
{
	for (size_t i = 0; i < network->subnet_count; i++) {
		if (network->subnets[i].prefix.address.family == AF_INET6)
			return true;
	}
	return false;
}

static int check_mtu(const struct network *network, struct error *err)
{
	uint32_t least = has_ipv6(network) ? MTU_MIN_IPV6 : MTU_MIN;

	if (network->mtu != 0 && (network->mtu < least || network->mtu > MTU_MAX))
		return refuse(err, "mtu %u: %u to %u are possible%s", network->mtu, least, MTU_MAX,
			      least == MTU_MIN_IPV6 ? " with IPv6" : "");
	return 0;
}

/* What only a bridge's firewall can keep. */
static int check_bridge_only(const struct network *network, struct error *err)
{
	const struct {
		bool set;
		const char *name;
	} members[] = {
		{network->internal, "internal"},
		{network->no_isolation, "isolation"},
		{network->no_masquerade, "masquerade"},
	};

	for (size_t i = 0; network->driver != NETWORK_BRIDGE && i < ARRAY_SIZE(members); i++) {
		if (members[i].set)
			return refuse(err, "driver \"%s\" has no choice of \"%s\"",
				      drivers[network->driver].name, members[i].name);
	}
	if (network->driver == NETWORK_BRIDGE && network->subnet_count == 0)
		return refuse(err, "a bridge needs a subnet");
	return 0;
}

int network_complete(struct network *network, struct error *err)
{
	int r = name_check_network("network", network->name, err);

	if (r >= 0 && network_name_is_reserved(network->name))
		r = refuse(err, "the name means something else");
	if (r >= 0 && !network->link)
		r = refuse(err, "driver \"%s\" needs a link", drivers[network->driver].name);
	if (r >= 0)
		r = name_check_link("link", network->link, err);
	if (r >= 0)
		r = check_mode(network, err);
	if (r >= 0)
		r = check_mtu(network, err);
	if (r >= 0)
		r = check_bridge_only(network, err);
	if (r >= 0)
		r = complete_subnets(network, err);
	return r < 0 ? within(err, r, "network \"%s\"", name_show(network->name).text) : 0;
}
