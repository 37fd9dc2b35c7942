/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Networks of kind macvlan and ipvlan: a link in the container that stands on one of the host's.
 *
 * Theory of operation. The link has no end on the host by whose name it could be deleted. So it is
 * known for ours in the container by its kind and parent, and where we gave it one by its MAC.
 */
#include <errno.h>
#include <string.h>

#include "berth/base/str.h"

#include "driver.h"

static const char *kind_of(const struct network *network)
{
	return network->driver == NETWORK_MACVLAN ? "macvlan" : "ipvlan";
}

/* With passthru the link has its parent's MAC: to give it another would change the parent's. */
static const unsigned char *mac_of(const struct lease *lease)
{
	const char *mode = lease->network.mode;

	if (!lease->has_mac || lease->network.driver != NETWORK_MACVLAN ||
	    (mode && str_equal(mode, "passthru")))
		return NULL;
	return lease->mac;
}

static int child_connect(const struct attachment *attachment, struct error *err)
{
	_cleanup_batch_ struct netlink_batch *batch = netlink_batch_new();
	struct lease *lease = attachment->lease;
	struct child_link child = {
		.kind = kind_of(&lease->network),
		.mode = lease->network.mode,
		.nsfd = attachment->nsfd,
		.name = lease->link,
		.mac = mac_of(lease),
		.mtu = lease->network.mtu,
	};
	struct link_info parent;
	int r = driver_check_name(attachment, err);

	if (r >= 0)
		r = link_find(attachment->host, lease->network.link, &parent, err);
	if (r < 0)
		return r;
	child.parent = parent.index;
	r = link_add_child(batch, &child, err);
	if (r < 0)
		return r;
	/* What the link does not have is not asked of it later. */
	lease->has_mac = child.mac != NULL;
	r = netlink_send(attachment->host, batch, err);
	if (r == -EOPNOTSUPP)
		return within(err, r, "the kernel has no %s (modprobe %s)", child.kind, child.kind);
	return r;
}

static bool is_ours(const struct attachment *attachment, const struct link_info *link)
{
	const struct lease *lease = attachment->lease;
	const unsigned char *mac = mac_of(lease);
	struct link_info parent = {.index = 0};

	if (!str_equal(link->kind, kind_of(&lease->network)))
		return false;
	if (mac)
		return memcmp(link->mac, mac, MAC_SIZE) == 0;
	return link_try_find(attachment->host, lease->network.link, &parent) >= 0 &&
	       link->parent == parent.index;
}

static int child_disconnect(const struct attachment *attachment, struct error *err)
{
	_cleanup_batch_ struct netlink_batch *batch = netlink_batch_new();
	_cleanup_netlink_ struct netlink own = NETLINK_CLOSED;
	const struct lease *lease = attachment->lease;
	struct netlink *inside;
	struct link_info link;
	int r;

	/* It went with its namespace. */
	if (attachment->nsfd < 0)
		return 0;
	r = driver_inside(attachment, &own, &inside, err);
	if (r < 0)
		return r;
	r = link_try_find(inside, lease->link, &link);
	if (r == -ENODEV || (r >= 0 && !is_ours(attachment, &link)))
		return 0;
	if (r < 0)
		return fail(err, r, "look for the link \"%s\" in the container", lease->link);
	link_delete(batch, lease->link);
	return netlink_send(inside, batch, err);
}

const struct driver macvlan_driver = {
	.has_mac = true,
	.prepare = driver_nothing,
	.connect = child_connect,
	.disconnect = child_disconnect,
	.retire = driver_nothing,
};

const struct driver ipvlan_driver = {
	.prepare = driver_nothing,
	.connect = child_connect,
	.disconnect = child_disconnect,
	.retire = driver_nothing,
};
