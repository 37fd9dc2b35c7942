/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Networks of kind bridge: a bridge on the host, and a veth pair for each container.
 *
 * Theory of operation. A bridge that berth-net made says so in its alias, which is set in the same
 * sendmsg(2) as the bridge is made: no kill comes between. Any other bridge is the administrator's,
 * and is used as it is. The end of a pair on the host has a random name that the lease had before
 * the pair was made, so it can be deleted by that name without a doubt.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "berth/base/str.h"

#include "driver.h"
#include "forwarding.h"

#define ALIAS_PREFIX "berth-net "

static void alias_of(const struct network *network, char alias[static 128])
{
	snprintf(alias, 128, ALIAS_PREFIX "%s", network->name);
}

static bool is_ours(const struct link_info *bridge, const struct network *network)
{
	char alias[sizeof(bridge->alias)];

	alias_of(network, alias);
	return str_equal(bridge->kind, "bridge") && str_equal(bridge->alias, alias);
}

/* One of its own, by the same scheme as those of containers, so that it is not one of a port's,
 * which the bridge would change with its ports. */
static void choose_mac(const struct network *network, unsigned char mac[static MAC_SIZE])
{
	const struct subnet *subnet = &network->subnets[0];
	const struct address *address =
		subnet->gateway.family ? &subnet->gateway : &subnet->prefix.address;

	mac[0] = 0xbe;
	mac[1] = 0x27;
	memcpy(mac + 2, address->bytes + address_size(address) - 4, 4);
}

static int create(const struct attachment *attachment, struct link_info *ret, struct error *err)
{
	_cleanup_batch_ struct netlink_batch *batch = netlink_batch_new();
	const struct network *network = &attachment->lease->network;
	unsigned char mac[MAC_SIZE];
	char alias[128];
	int r;

	choose_mac(network, mac);
	alias_of(network, alias);
	link_add_bridge(batch, network->link, mac, network->mtu, alias);
	r = netlink_send(attachment->host, batch, err);
	return r < 0 ? r : link_find(attachment->host, network->link, ret, err);
}

/* What our bridge may lack, since a berth-net that was killed had no time for it. */
static int furnish(const struct attachment *attachment, const struct link_info *bridge,
		   struct error *err)
{
	_cleanup_batch_ struct netlink_batch *batch = netlink_batch_new();
	const struct network *network = &attachment->lease->network;
	int r = forwarding_prepare_bridge(network->link, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < network->subnet_count; i++) {
		const struct subnet *subnet = &network->subnets[i];
		struct prefix gateway = {.address = subnet->gateway,
					 .length = subnet->prefix.length};

		if (subnet->gateway.family)
			address_add(batch, bridge->index, network->link, &gateway);
	}
	if (!(bridge->flags & IFF_UP))
		link_set(batch, bridge->index, network->link, true, 0, NULL);
	return netlink_send(attachment->host, batch, err);
}

/* The bridge is the administrator's: what we would set on ours must be there where it is needed. */
static int check_foreign(const struct attachment *attachment, const struct link_info *bridge,
			 struct error *err)
{
	const struct network *network = &attachment->lease->network;
	const struct publish_list *publish = &attachment->lease->publish;

	if (!str_equal(bridge->kind, "bridge"))
		return refuse(err, "the link \"%s\" is not a bridge", network->link);
	if (str_starts(bridge->alias, ALIAS_PREFIX))
		return refuse_as(err, -EADDRINUSE, "the bridge \"%s\" is that of network \"%s\"",
				 network->link, bridge->alias + strlen(ALIAS_PREFIX));
	for (size_t i = 0; i < publish->count; i++) {
		const struct address *host = &publish->items[i].host;

		if (host->family == AF_INET && host->bytes[0] == 127)
			return forwarding_check_loopback(network->link, err);
	}
	return 0;
}

static int bridge_prepare(const struct attachment *attachment, struct error *err)
{
	const struct network *network = &attachment->lease->network;
	struct link_info bridge;
	int r = link_try_find(attachment->host, network->link, &bridge);

	if (r == -ENODEV)
		r = create(attachment, &bridge, err);
	else if (r < 0)
		fail(err, r, "look for the bridge \"%s\"", network->link);
	if (r < 0)
		return r;
	return is_ours(&bridge, network) ? furnish(attachment, &bridge, err)
					 : check_foreign(attachment, &bridge, err);
}

static int bridge_disconnect(const struct attachment *attachment, struct error *err)
{
	_cleanup_batch_ struct netlink_batch *batch = netlink_batch_new();

	/* Both ends of a pair go together. */
	link_delete(batch, attachment->lease->host_link);
	return netlink_send(attachment->host, batch, err);
}

static int bridge_connect(const struct attachment *attachment, struct error *err)
{
	_cleanup_batch_ struct netlink_batch *batch = netlink_batch_new();
	const struct lease *lease = attachment->lease;
	struct link_info bridge;
	struct error unused = ERROR_NONE;
	struct veth veth = {
		.host = lease->host_link,
		.nsfd = attachment->nsfd,
		.name = lease->link,
		.mac = lease->has_mac ? lease->mac : NULL,
		.mtu = lease->network.mtu,
	};
	int r = link_find(attachment->host, lease->network.link, &bridge, err);

	if (r < 0)
		return r;
	veth.master = bridge.index;
	link_add_veth(batch, &veth);
	link_set_hairpin(batch, lease->host_link);
	r = netlink_send(attachment->host, batch, err);
	if (r == -EEXIST)
		r = driver_check_name(attachment, err) < 0 ? -EEXIST : r;
	if (r < 0)
		ignore(bridge_disconnect(attachment, &unused)); /* the first error counts */
	return r;
}

static int bridge_retire(const struct attachment *attachment, struct error *err)
{
	_cleanup_batch_ struct netlink_batch *batch = netlink_batch_new();
	const struct network *network = &attachment->lease->network;
	struct link_info bridge;
	int r = link_try_find(attachment->host, network->link, &bridge);

	if (r == -ENODEV)
		return 0;
	if (r < 0)
		return fail(err, r, "look for the bridge \"%s\"", network->link);
	if (!is_ours(&bridge, network))
		return 0;
	link_delete(batch, network->link);
	return netlink_send(attachment->host, batch, err);
}

const struct driver bridge_driver = {
	.has_host_link = true,
	.has_firewall = true,
	.has_mac = true,
	.may_publish = true,
	.needs_subnet = true,
	.prepare = bridge_prepare,
	.connect = bridge_connect,
	.disconnect = bridge_disconnect,
	.retire = bridge_retire,
};
