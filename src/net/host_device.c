/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Networks of kind host-device: a link of the host is moved into the container, and back.
 *
 * Theory of operation. What is needed to bring the device back is written into the lease before it
 * leaves: its name here, its MAC, and, where the network has no subnets, its own addresses, which
 * are then the container's. The kernel returns hardware by itself when the container's namespace
 * ends, under its name there; that one is known by its MAC and gets its own name again.
 */
#include <errno.h>
#include <string.h>

#include "berth/base/str.h"

#include "device.h"
#include "driver.h"

/* What the lease must know of the device. */
static int note(const struct device *device, struct lease *lease, struct error *err)
{
	static const unsigned char none[MAC_SIZE];

	lease->host_link = lease->network.link;
	lease->has_mac = memcmp(device->link.mac, none, MAC_SIZE) != 0;
	memcpy(lease->mac, device->link.mac, MAC_SIZE);
	if (lease->network.subnet_count > 0)
		return 0;
	for (const struct device_address *address = device->addresses; address;
	     address = address->next) {
		if (lease->address_count == LEASE_ADDRESSES_MAX)
			return refuse_as(err, -E2BIG, "the link \"%s\" has more than %d addresses",
					 lease->host_link, LEASE_ADDRESSES_MAX);
		lease->addresses[lease->address_count++] = address->local;
	}
	return 0;
}

/* Both ways: from here into the container, or back. */
static int move(const struct attachment *attachment, struct netlink *inside, bool back,
		const struct device *device, struct error *err)
{
	_cleanup_fd_ int own = netns_open_own(err);
	const struct device_place here = {own, attachment->host, "the host"};
	const struct device_place there = {attachment->nsfd, inside, "the container"};
	const struct device_move move = {
		.from = back ? there : here,
		.to = back ? here : there,
		.name = back ? attachment->lease->host_link : attachment->lease->link,
	};

	return own < 0 ? own : device_move(device, &move, err);
}

static int host_device_connect(const struct attachment *attachment, struct error *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct lease *lease = attachment->lease;
	struct device device;
	int r = driver_check_name(attachment, err);

	if (r >= 0)
		r = device_find(attachment->host, arena, lease->network.link, &device, err);
	if (r >= 0)
		r = note(&device, lease, err);
	if (r >= 0)
		r = lease_write(attachment->store, lease, err);
	return r < 0 ? r : move(attachment, attachment->inside, false, &device, err);
}

static bool is_ours(const struct lease *lease, const struct link_info *link)
{
	return !lease->has_mac || memcmp(lease->mac, link->mac, MAC_SIZE) == 0;
}

/* Brings it back from the container, if it is there. */
static int fetch(const struct attachment *attachment, struct error *err)
{
	_cleanup_netlink_ struct netlink own = NETLINK_CLOSED;
	struct device device = {.addresses = NULL};
	struct netlink *inside;
	int r = driver_inside(attachment, &own, &inside, err);

	if (r < 0)
		return r;
	r = link_try_find(inside, attachment->lease->link, &device.link);
	if (r == -ENODEV || (r >= 0 && !is_ours(attachment->lease, &device.link)))
		return 0;
	if (r < 0)
		return fail(err, r, "look for the link \"%s\" in the container",
			    attachment->lease->link);
	return move(attachment, inside, true, &device, err);
}

/* What it was here, as far as the lease says. */
static int restore(const struct attachment *attachment, struct error *err)
{
	_cleanup_batch_ struct netlink_batch *batch = netlink_batch_new();
	const struct lease *lease = attachment->lease;
	bool has_own = lease->network.subnet_count == 0 && lease->address_count > 0;
	struct link_info link;
	int r = link_try_find(attachment->host, lease->host_link, &link);

	if (r == -ENODEV && lease->has_mac) {
		r = link_try_find(attachment->host, lease->link, &link);
		if (r >= 0 && !is_ours(lease, &link))
			r = -ENODEV;
		if (r >= 0)
			link_rename(batch, link.index, lease->link, lease->host_link);
	}
	/* It ended with its namespace, as all do that are no hardware. */
	if (r == -ENODEV)
		return 0;
	if (r < 0)
		return fail(err, r, "look for the link \"%s\"", lease->host_link);
	for (size_t i = 0; has_own && i < lease->address_count; i++)
		address_add(batch, link.index, lease->host_link, &lease->addresses[i]);
	if (has_own)
		link_set(batch, link.index, lease->host_link, true, 0, NULL);
	return netlink_send(attachment->host, batch, err);
}

static int host_device_disconnect(const struct attachment *attachment, struct error *err)
{
	int r = 0;

	/* It has not left yet. */
	if (!attachment->lease->host_link)
		return 0;
	if (attachment->nsfd >= 0)
		r = fetch(attachment, err);
	return r < 0 ? r : restore(attachment, err);
}

const struct driver host_device_driver = {
	.prepare = driver_nothing,
	.connect = host_device_connect,
	.disconnect = host_device_disconnect,
	.retire = driver_nothing,
};
