/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Joining a container to a network, and parting them.
 *
 * Theory of operation. The lease is written before anything is made, so whatever happens after it,
 * a failure here or a kill from outside, is undone by attach_remove() on that lease: by the first
 * at once, after the second by gc. Only the addresses are taken before; those without a lease are
 * swept by gc. The store's lock is held from the first to the last step.
 */
#include "attach.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "berth/base/str.h"

#include "driver.h"
#include "firewall.h"
#include "forwarding.h"
#include "hosts.h"
#include "pool.h"
#include "port_probe.h"

/* --- The lease ----------------------------------------------------------------------------- */

/* This end of a pair: nothing of the container is in it, so nobody can choose another's. */
static int choose_host_link(struct arena *arena, struct lease *lease, struct error *err)
{
	unsigned char random[6];

	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		return fail(err, -EIO, "choose a name for the link of container \"%s\"", lease->id);
	lease->host_link = arena_printf(arena, "bth%02x%02x%02x%02x%02x%02x", random[0], random[1],
					random[2], random[3], random[4], random[5]);
	return 0;
}

/* From the address, so that neighbours' tables stay true when the address comes again. */
static void choose_mac(struct lease *lease)
{
	static const unsigned char begin[2] = {0xbe, 0x27};
	const struct address *address = &lease->addresses[0].address;

	if (lease->has_mac || lease->address_count == 0)
		return;
	for (size_t i = 0; i < lease->address_count; i++) {
		if (lease->addresses[i].address.family == AF_INET) {
			address = &lease->addresses[i].address;
			break;
		}
	}
	memcpy(lease->mac, begin, sizeof(begin));
	memcpy(lease->mac + 2, address->bytes + address_size(address) - 4, 4);
	lease->has_mac = true;
}

/* The wanted address of the subnet, or an unset one. */
static struct address wanted_of(const struct request *request, const struct subnet *subnet)
{
	for (size_t i = 0; i < request->ip_count; i++) {
		if (prefix_contains(&subnet->prefix, &request->ip[i]))
			return request->ip[i];
	}
	return (struct address){.family = 0};
}

static void return_addresses(const struct store *store, const struct lease *lease,
			     const char *owner)
{
	struct error ignored = ERROR_NONE;

	/* What stays is swept by gc; the first error is what the user needs to know. */
	for (size_t i = 0; i < lease->address_count; i++)
		ignore(pool_return(store, lease->network.name, &lease->addresses[i].address, owner,
				   &ignored));
}

static int take_addresses(const struct store *store, const struct request *request,
			  const char *owner, struct lease *lease, struct error *err)
{
	const struct network *network = &lease->network;

	for (size_t i = 0; i < network->subnet_count; i++) {
		const struct subnet *subnet = &network->subnets[i];
		const struct pool_wish wish = {
			.network = network,
			.subnet = subnet,
			.address = wanted_of(request, subnet),
			.owner = owner,
		};
		struct prefix *address = &lease->addresses[i];
		int r = pool_take(store, &wish, &address->address, err);

		if (r < 0)
			return r;
		address->length = subnet->prefix.length;
		lease->address_count = i + 1;
	}
	return 0;
}

/* An earlier lease of the same link is in the way, unless its container is gone. */
static int make_room(const struct store *store, struct arena *arena, const struct request *request,
		     struct error *err)
{
	struct error none = ERROR_NONE;
	struct lease lease;
	int r = lease_find(store, arena, request->id, request->link, &lease, &none);

	if (r == -ENOENT)
		return 0;
	if (r < 0) {
		*err = none;
		return r;
	}
	if (lease.complete && netns_is_alive(&lease.netns))
		return refuse_as(err, -EEXIST,
				 "container \"%s\" has a link \"%s\" already, of network \"%s\"",
				 lease.id, lease.link, lease.network.name);
	return attach_remove(store, arena, &lease, err);
}

static int make_lease(const struct store *store, struct arena *arena, const struct request *request,
		      const struct netns_id *netns, struct lease *lease, struct error *err)
{
	const struct driver *driver = driver_of(&request->network);
	const char *owner;
	int r;

	*lease = (struct lease){
		.id = request->id,
		.link = request->link,
		.netns = *netns,
		.network = request->network,
		.has_mac = request->has_mac,
		.publish = request->publish,
		.names = request->names,
		.cni = request->cni,
		.to_container = request->to_container,
		.from_container = request->from_container,
	};
	memcpy(lease->mac, request->mac, sizeof(lease->mac));
	owner = lease_owner(arena, lease);
	r = driver->has_host_link ? choose_host_link(arena, lease, err) : 0;
	if (r >= 0)
		r = take_addresses(store, request, owner, lease, err);
	if (r >= 0 && driver->has_mac)
		choose_mac(lease);
	if (r >= 0)
		r = lease_write(store, lease, err);
	if (r < 0)
		return_addresses(store, lease, owner);
	return r;
}

/* --- The steps ----------------------------------------------------------------------------- */

/* Who has the port: asked only where the firewall refused an element. */
static int port_is_taken(const struct store *store, struct arena *arena, const struct lease *lease,
			 int code, struct error *err)
{
	struct error ignored = ERROR_NONE;
	struct lease_list list;

	if (lease_list(store, arena, NULL, NULL, &list, &ignored) < 0)
		return code;
	for (size_t i = 0; i < list.count; i++) {
		const struct publish_list *theirs = &list.items[i].publish;
		const bool is_own = str_equal(list.items[i].id, lease->id) &&
				    str_equal(list.items[i].link, lease->link);

		for (size_t k = 0; !is_own && k < theirs->count * lease->publish.count; k++) {
			const struct publish *ours = &lease->publish.items[k / theirs->count];

			if (publish_collide(ours, &theirs->items[k % theirs->count]))
				return refuse_as(err, code,
						 "publish %s: container \"%s\" has that port",
						 publish_format(arena, ours), list.items[i].id);
		}
	}
	return code;
}

/* Where the table is gone (a flush of the whole ruleset takes it too) it is made again for all. */
static int open_firewall(const struct attachment *a, struct arena *arena, struct netlink *nft,
			 struct error *err)
{
	struct lease_list list;
	int r = firewall_add(nft, a->lease, err);

	if (r == -EADDRINUSE)
		return port_is_taken(a->store, arena, a->lease, r, err);
	if (r != -ENOENT)
		return r;
	r = lease_list(a->store, arena, NULL, NULL, &list, err);
	return r < 0 ? r : firewall_rebuild(nft, &list, err);
}

/* The queues of both ends: each end limits what leaves it. */
static int limit_bandwidth(const struct attachment *a, int inside_index, struct error *err)
{
	const struct lease *lease = a->lease;
	_cleanup_batch_ struct netlink_batch *here = netlink_batch_new();
	_cleanup_batch_ struct netlink_batch *there = netlink_batch_new();
	struct link_info host;
	int r = 0;

	if (lease->to_container.bits_per_second > 0 && !driver_of(&lease->network)->has_host_link)
		return refuse(err, "a limit of bandwidth to the container: %s has no end here",
			      network_driver_name(lease->network.driver));
	if (lease->to_container.bits_per_second > 0) {
		r = link_find(a->host, lease->host_link, &host, err);
		if (r >= 0)
			r = qdisc_limit(here, host.index, lease->host_link, &lease->to_container,
					err);
		if (r >= 0)
			r = netlink_send(a->host, here, err);
	}
	if (r >= 0 && lease->from_container.bits_per_second > 0) {
		r = qdisc_limit(there, inside_index, lease->link, &lease->from_container, err);
		if (r >= 0)
			r = netlink_send(a->inside, there, err);
	}
	return r;
}

/* Loopback, addresses and routes; of the container's own names none is known but the link's. */
static int configure_inside(const struct attachment *a, struct error *err)
{
	const struct lease *lease = a->lease;
	const struct network *network = &lease->network;
	_cleanup_batch_ struct netlink_batch *batch = netlink_batch_new();
	struct link_info link;
	int r = link_find(a->inside, lease->link, &link, err);

	if (r < 0)
		return r;
	link_set(batch, /* index= */ 1, "lo", /* up= */ true, /* mtu= */ 0, /* mac= */ NULL);
	for (size_t i = 0; i < lease->address_count; i++)
		address_add(batch, link.index, lease->link, &lease->addresses[i]);
	link_set(batch, link.index, lease->link, /* up= */ true, network->mtu, /* mac= */ NULL);
	for (size_t i = 0; i < network->subnet_count && !network->internal; i++) {
		if (network->subnets[i].gateway.family != 0)
			route_add_default(batch, link.index, lease->link,
					  &network->subnets[i].gateway);
	}
	r = netlink_send(a->inside, batch, err);
	return r < 0 ? r : limit_bandwidth(a, link.index, err);
}

static int connect_all(const struct attachment *a, struct arena *arena, struct netlink *nft,
		       struct error *err)
{
	const struct driver *driver = driver_of(&a->lease->network);
	int r = driver->prepare(a, err);

	if (r >= 0)
		r = driver->connect(a, err);
	if (r >= 0)
		r = configure_inside(a, err);
	if (r >= 0 && driver->has_firewall)
		r = open_firewall(a, arena, nft, err);
	if (r >= 0)
		r = hosts_add(a->store, a->lease, err);
	if (r < 0)
		return r;
	a->lease->complete = true;
	return lease_write(a->store, a->lease, err);
}

int attach_add(const struct store *store, struct arena *arena, const struct request *request,
	       const struct attach_place *place, struct lease *ret, struct error *err)
{
	/* The first is closed last. */
	_cleanup_netlink_ struct netlink nft = NETLINK_CLOSED;
	_cleanup_netlink_ struct netlink host = NETLINK_CLOSED, inside = NETLINK_CLOSED;
	const struct driver *driver = driver_of(&request->network);
	struct error ignored = ERROR_NONE;
	struct lease lease;
	const struct attachment attachment = {store, &lease, place->nsfd, &host, &inside};
	int r = driver->has_firewall ? forwarding_check(&request->network, err) : 0;

	if (r >= 0)
		r = ports_check_free(arena, &request->publish, err);
	if (r >= 0)
		r = netlink_open(NETLINK_ROUTE, &host, err);
	if (r >= 0)
		r = netlink_open_in(place->nsfd, NETLINK_ROUTE, &inside, err);
	if (r >= 0)
		r = make_room(store, arena, request, err);
	if (r >= 0)
		r = make_lease(store, arena, request, &place->id, &lease, err);
	if (r < 0)
		return within(err, r, "network \"%s\"", request->network.name);
	r = connect_all(&attachment, arena, &nft, err);
	if (r < 0) {
		/* The first error is what the user needs; what stays, gc finds by the lease. */
		ignore(attach_remove(store, arena, &lease, &ignored));
		return within(err, r, "network \"%s\"", request->network.name);
	}
	if (ret)
		*ret = lease;
	return 0;
}

/* --- Parting ------------------------------------------------------------------------------- */

/* What other leases there are: of the same network, and any that the firewall is for. */
struct others {
	const struct lease *lease;
	bool of_network;
	bool of_firewall;
};

/* Returns 1 when there is nothing more to be found out: mostly after one lease or two. */
static int look_at_other(void *data, const struct lease *other)
{
	struct others *others = data;
	const struct lease *lease = others->lease;

	if (str_equal(other->id, lease->id) && str_equal(other->link, lease->link))
		return 0;
	others->of_network |= str_equal(other->network.name, lease->network.name);
	others->of_firewall |= driver_of(&other->network)->has_firewall;
	return others->of_network &&
	       (others->of_firewall || !driver_of(&lease->network)->has_firewall);
}

static int close_firewall(struct netlink *nft, const struct lease *lease,
			  const struct others *others, struct error *err)
{
	enum firewall_last last = FIREWALL_NOT_LAST;

	if (!others->of_firewall)
		last = FIREWALL_LAST_OF_ALL;
	else if (!others->of_network)
		last = FIREWALL_LAST_OF_NETWORK;
	return firewall_remove(nft, lease, last, err);
}

/* The steps in the order that leaves nothing pointing at what is gone. */
static int disconnect_all(const struct attachment *a, struct netlink *nft,
			  const struct others *others, struct error *err)
{
	const struct driver *driver = driver_of(&a->lease->network);
	struct error now = ERROR_NONE;
	int first = 0;

	if (driver->has_firewall)
		error_keep_first(close_firewall(nft, a->lease, others, &now), &now, &first, err);
	error_keep_first(driver->disconnect(a, &now), &now, &first, err);
	error_keep_first(hosts_remove(a->store, a->lease, &now), &now, &first, err);
	if (!others->of_network)
		error_keep_first(driver->retire(a, &now), &now, &first, err);
	return first;
}

int attach_remove(const struct store *store, struct arena *arena, const struct lease *lease,
		  struct error *err)
{
	/* The first is closed last. */
	_cleanup_netlink_ struct netlink nft = NETLINK_CLOSED, host = NETLINK_CLOSED;
	struct error none = ERROR_NONE;
	_cleanup_fd_ int nsfd = netns_open(&lease->netns, &none);
	struct others others = {.lease = lease};
	struct lease undone = *lease;
	const struct attachment attachment = {store, &undone, nsfd, &host, NULL};
	int r = netlink_open(NETLINK_ROUTE, &host, err);

	if (r >= 0)
		r = lease_each(store, arena, look_at_other, &others, err);
	/* From here on it is not whole: who finds it goes on with this. A full disk must not keep
	 * what is to be removed: unmarked, it is found when its namespace is gone. */
	undone.complete = false;
	if (r >= 0 && lease->complete)
		ignore(lease_write(store, &undone, &none));
	if (r >= 0)
		r = disconnect_all(&attachment, &nft, &others, err);
	if (r < 0)
		return within(err, r, "network \"%s\", container \"%s\"", lease->network.name,
			      lease->id);
	return_addresses(store, lease, lease_owner(arena, lease));
	return lease_remove(store, lease, err);
}
