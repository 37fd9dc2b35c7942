/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Moving a link into another network namespace.
 *
 * Theory of operation. A link loses its addresses when it leaves a namespace, and is down when it
 * arrives. It travels under the name that it is to have, so that whoever is killed leaves it under
 * one of two names. Only where that is a pattern, which the kernel fills in for a link of the same
 * namespace alone, it has a random name until it has arrived. What fails there sends it back.
 */
#include "device.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "berth/base/str.h"

struct dump {
	struct arena *arena;
	struct device *device;
	struct device_address **end; /* where the next one is to be linked */
};

static void read_address(const struct nlattr *attribute, int family, struct address *to)
{
	struct address address = {.family = family};

	if (mnl_attr_get_payload_len(attribute) != address_size(&address))
		return;
	memcpy(address.bytes, mnl_attr_get_payload(attribute), address_size(&address));
	*to = address;
}

static uint32_t read_number(const struct nlattr *attribute)
{
	return mnl_attr_validate(attribute, MNL_TYPE_U32) < 0 ? 0 : mnl_attr_get_u32(attribute);
}

static int read_property(const struct nlattr *attribute, void *data)
{
	struct device_address *to = data;
	int family = to->local.address.family;

	switch (mnl_attr_get_type(attribute)) {
	case IFA_LOCAL:
		read_address(attribute, family, &to->local.address);
		break;
	case IFA_ADDRESS:
		read_address(attribute, family, &to->peer);
		break;
	case IFA_BROADCAST:
		read_address(attribute, family, &to->broadcast);
		break;
	case IFA_FLAGS:
		to->flags = read_number(attribute);
		break;
	case IFA_RT_PRIORITY:
		to->metric = read_number(attribute);
		break;
	default:
		break;
	}
	return MNL_CB_OK;
}

static int take_one(const struct nlmsghdr *answer, void *data)
{
	const struct ifaddrmsg *header = mnl_nlmsg_get_payload(answer);
	struct device_address found = {.flags = 0}, *kept;
	static const struct address unset;
	struct dump *dump = data;
	int r;

	if (answer->nlmsg_type != RTM_NEWADDR || answer->nlmsg_len < NLMSG_LENGTH(sizeof(*header)))
		return 0;
	if ((int)header->ifa_index != dump->device->link.index ||
	    header->ifa_scope != RT_SCOPE_UNIVERSE ||
	    (header->ifa_family != AF_INET && header->ifa_family != AF_INET6))
		return 0;
	found.local.address.family = header->ifa_family;
	found.local.length = header->ifa_prefixlen;
	found.flags = header->ifa_flags;
	r = mnl_attr_parse(answer, sizeof(*header), read_property, &found);
	if (r < 0 || !(found.flags & IFA_F_PERMANENT))
		return r < 0 ? r : 0;
	/* IPv6 says IFA_LOCAL only where there is a peer. */
	if (address_compare(&found.local.address,
			    &(struct address){.family = header->ifa_family}) == 0)
		found.local.address = found.peer;
	if (address_compare(&found.local.address, &found.peer) == 0)
		found.peer = unset;
	kept = arena_alloc(dump->arena, 1, sizeof(*kept));
	*kept = found;
	*dump->end = kept;
	dump->end = &kept->next;
	return 0;
}

int device_find(struct netlink *netlink, struct arena *arena, const char *name, struct device *ret,
		struct error *err)
{
	_cleanup_batch_ struct netlink_batch *batch = netlink_batch_new();
	struct device device = {.addresses = NULL};
	struct dump dump = {.arena = arena, .device = &device, .end = &device.addresses};
	struct nlmsghdr *header;
	struct ifaddrmsg *body;
	int r = link_find(netlink, name, &device.link, err);

	if (r < 0)
		return r;
	header = netlink_begin(batch, RTM_GETADDR, NLM_F_DUMP, 0,
			       "list the addresses of the link \"%s\"", name);
	body = mnl_nlmsg_put_extra_header(header, sizeof(*body));
	body->ifa_index = (uint32_t)device.link.index;
	r = netlink_ask(netlink, batch, take_one, &dump, err);
	if (r >= 0)
		*ret = device;
	return r;
}

static void put_address(struct nlmsghdr *header, uint16_t type, const struct address *address)
{
	if (address->family)
		mnl_attr_put(header, type, address_size(address), address->bytes);
}

static void restore_address(struct netlink_batch *batch, int index, const char *name,
			    const struct device_address *address)
{
	/* Of the others the kernel thinks itself. */
	const uint32_t kept = IFA_F_NOPREFIXROUTE | IFA_F_MANAGETEMPADDR | IFA_F_MCAUTOJOIN |
			      IFA_F_HOMEADDRESS | IFA_F_NODAD;
	const struct address *local = &address->local.address;
	char text[ADDRESS_TEXT_MAX];
	struct nlmsghdr *header;
	struct ifaddrmsg *body;

	prefix_format(&address->local, text);
	header = netlink_begin(batch, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, EEXIST,
			       "give the link \"%s\" its address %s again", name, text);
	body = mnl_nlmsg_put_extra_header(header, sizeof(*body));
	body->ifa_family = (unsigned char)local->family;
	body->ifa_prefixlen = (unsigned char)address->local.length;
	body->ifa_scope = RT_SCOPE_UNIVERSE;
	body->ifa_index = (uint32_t)index;
	put_address(header, IFA_LOCAL, local);
	put_address(header, IFA_ADDRESS, address->peer.family ? &address->peer : local);
	put_address(header, IFA_BROADCAST, &address->broadcast);
	/* It was found to be unique before. */
	mnl_attr_put_u32(header, IFA_FLAGS, (address->flags & kept) | IFA_F_NODAD);
	if (address->metric != 0)
		mnl_attr_put_u32(header, IFA_RT_PRIORITY, address->metric);
}

/* The name under which it arrives. */
static int travel_name(const char *wanted, char name[static IFNAMSIZ], struct error *err)
{
	uint64_t number;

	if (!strchr(wanted, '%')) {
		snprintf(name, IFNAMSIZ, "%s", wanted);
		return 0;
	}
	if (getrandom(&number, sizeof(number), 0) != sizeof(number))
		return fail(err, -errno, "get random bytes");
	snprintf(name, IFNAMSIZ, "bth%012llx", (unsigned long long)(number >> 16));
	return 0;
}

/* Moves the link @index of @from, named @old_name. Returns its index there. */
static int carry(const struct device_place *from, int index, const char *old_name,
		 const struct device_place *to, const char *name, struct error *err)
{
	_cleanup_batch_ struct netlink_batch *batch = netlink_batch_new();
	struct link_info there;
	int r = link_try_find(to->netlink, name, &there);

	if (r >= 0)
		return refuse_as(err, -EEXIST, "%s has a link \"%s\" already", to->what, name);
	if (r != -ENODEV)
		return fail(err, r, "look for the link \"%s\" in %s", name, to->what);
	link_move(batch, index, old_name, to->nsfd, name);
	r = netlink_send(from->netlink, batch, err);
	if (r >= 0)
		r = link_find(to->netlink, name, &there, err);
	return r < 0 ? r : there.index;
}

/* Everything after the arrival under the name @name: the final one, addresses, state. */
static int settle(const struct device *device, const struct device_move *move, int index,
		  const char *name, struct error *err)
{
	_cleanup_batch_ struct netlink_batch *batch = netlink_batch_new();

	if (!str_equal(name, move->name))
		link_rename(batch, index, name, move->name);
	for (const struct device_address *address = device->addresses;
	     address && move->keep_addresses; address = address->next)
		restore_address(batch, index, move->name, address);
	if (move->up)
		link_set(batch, index, move->name, true, 0, NULL);
	return netlink_send(move->to.netlink, batch, err);
}

int device_move_back(const struct device *device, const struct device_move *move, int index,
		     struct error *err)
{
	const struct device_move back = {
		.from = move->to,
		.to = move->from,
		.name = device->link.name,
		.keep_addresses = true,
		.up = device->link.flags & IFF_UP,
	};
	int r = carry(&back.from, index, back.name, &back.to, back.name, err);

	return r < 0 ? r : settle(device, &back, r, back.name, err);
}

int device_move(const struct device *device, const struct device_move *move, struct error *err)
{
	struct error why = ERROR_NONE;
	char name[IFNAMSIZ];
	int r = travel_name(move->name, name, err), index;

	if (r < 0)
		return r;
	index = carry(&move->from, device->link.index, device->link.name, &move->to, name, err);
	if (index < 0)
		return index;
	r = settle(device, move, index, name, err);
	if (r >= 0)
		return index;
	/* The first error counts; what fails on the way back is added to it. */
	if (device_move_back(device, move, index, &why) < 0)
		return within(err, r, "the link \"%s\" does not come back from %s (%s)",
			      device->link.name, move->to.what, why.text);
	return r;
}
