/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the kernel still has what a lease says. */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "attach.h"
#include "driver.h"
#include "firewall.h"

/* A dump of addresses or routes, and which one is looked for in it. */
struct search {
	int index; /* of the link */
	struct address address;
	bool found;
};

/* One attribute of an answer that is an address. */
struct attribute {
	uint16_t type;
	struct address address; /* its family is asked for; unset where there is none */
	bool found;
};

static int take_attribute(const struct nlattr *attribute, void *data)
{
	struct attribute *wanted = data;
	const size_t size = address_size(&wanted->address);

	if (mnl_attr_get_type(attribute) == wanted->type &&
	    mnl_attr_get_payload_len(attribute) == size) {
		memcpy(wanted->address.bytes, mnl_attr_get_payload(attribute), size);
		wanted->found = true;
	}
	return MNL_CB_OK;
}

/* Whether the attribute @type of an answer is the address that is looked for. */
static bool has_address(const struct nlmsghdr *answer, size_t header, uint16_t type, int family,
			const struct address *address)
{
	struct attribute wanted = {.type = type, .address = {.family = family}};

	return mnl_attr_parse(answer, (unsigned)header, take_attribute, &wanted) >= 0 &&
	       wanted.found && address_compare(&wanted.address, address) == 0;
}

static int match_address(const struct nlmsghdr *answer, void *data)
{
	struct search *search = data;
	const struct ifaddrmsg *head = mnl_nlmsg_get_payload(answer);
	/* IFA_LOCAL is the own address where there is a peer's; IPv6 has IFA_ADDRESS alone. */
	uint16_t type = head->ifa_family == AF_INET ? IFA_LOCAL : IFA_ADDRESS;

	if ((int)head->ifa_index == search->index &&
	    has_address(answer, sizeof(*head), type, head->ifa_family, &search->address))
		search->found = true;
	return 0;
}

static int take_link(const struct nlattr *attribute, void *data)
{
	int *index = data;

	if (mnl_attr_get_type(attribute) == RTA_OIF &&
	    mnl_attr_validate(attribute, MNL_TYPE_U32) >= 0)
		*index = (int)mnl_attr_get_u32(attribute);
	return MNL_CB_OK;
}

/* Whether a default route leads through another link: the first that had one keeps it. */
static bool is_elsewhere(const struct nlmsghdr *answer, int own)
{
	const struct rtmsg *head = mnl_nlmsg_get_payload(answer);
	int index = 0;

	return head->rtm_type == RTN_UNICAST && head->rtm_table == RT_TABLE_MAIN &&
	       mnl_attr_parse(answer, sizeof(*head), take_link, &index) >= 0 && index != 0 &&
	       index != own;
}

static int match_route(const struct nlmsghdr *answer, void *data)
{
	struct search *search = data;
	const struct rtmsg *head = mnl_nlmsg_get_payload(answer);

	if (head->rtm_dst_len == 0 &&
	    (is_elsewhere(answer, search->index) ||
	     has_address(answer, sizeof(*head), RTA_GATEWAY, head->rtm_family, &search->address)))
		search->found = true;
	return 0;
}

static int look_for(struct netlink *inside, uint16_t type, struct search *search, struct error *err)
{
	_cleanup_batch_ struct netlink_batch *batch = netlink_batch_new();
	const bool is_route = type == RTM_GETROUTE;
	struct nlmsghdr *header = netlink_begin(batch, type, NLM_F_DUMP, 0, "list %s",
						is_route ? "routes" : "addresses");

	if (is_route) {
		struct rtmsg *head = mnl_nlmsg_put_extra_header(header, sizeof(*head));

		head->rtm_family = (unsigned char)search->address.family;
	} else {
		struct ifaddrmsg *head = mnl_nlmsg_put_extra_header(header, sizeof(*head));

		head->ifa_family = (unsigned char)search->address.family;
	}
	return netlink_ask(inside, batch, is_route ? match_route : match_address, search, err);
}

static int check_addresses(struct netlink *inside, const struct lease *lease, int index,
			   struct error *err)
{
	char text[ADDRESS_TEXT_MAX];

	for (size_t i = 0; i < lease->address_count; i++) {
		struct search search = {.index = index, .address = lease->addresses[i].address};
		int r = look_for(inside, RTM_GETADDR, &search, err);

		if (r < 0)
			return r;
		if (search.found)
			continue;
		prefix_format(&lease->addresses[i], text);
		return refuse_as(err, -EADDRNOTAVAIL, "link \"%s\" has not the address %s",
				 lease->link, text);
	}
	return 0;
}

static int check_routes(struct netlink *inside, const struct lease *lease, int index,
			struct error *err)
{
	const struct network *network = &lease->network;
	char text[ADDRESS_TEXT_MAX];

	for (size_t i = 0; i < network->subnet_count && !network->internal; i++) {
		struct search search = {.index = index, .address = network->subnets[i].gateway};
		int r;

		if (search.address.family == 0)
			continue;
		r = look_for(inside, RTM_GETROUTE, &search, err);
		if (r < 0)
			return r;
		if (search.found)
			continue;
		address_format(&search.address, text);
		return refuse_as(err, -ENETUNREACH, "there is no default route by %s", text);
	}
	return 0;
}

static int check_inside(const struct lease *lease, struct error *err)
{
	_cleanup_netlink_ struct netlink inside = NETLINK_CLOSED;
	_cleanup_fd_ int nsfd = netns_open(&lease->netns, err);
	struct link_info link;
	int r = nsfd < 0 ? nsfd : netlink_open_in(nsfd, NETLINK_ROUTE, &inside, err);

	if (r >= 0)
		r = link_find(&inside, lease->link, &link, err);
	if (r < 0)
		return r;
	if (lease->has_mac && memcmp(link.mac, lease->mac, MAC_SIZE) != 0)
		return refuse_as(err, -ENXIO, "link \"%s\" has another MAC", lease->link);
	if (!(link.flags & IFF_UP))
		return refuse_as(err, -ENETDOWN, "link \"%s\" is down", lease->link);
	r = check_addresses(&inside, lease, link.index, err);
	return r < 0 ? r : check_routes(&inside, lease, link.index, err);
}

/* This end of the pair must be up, and a port of the bridge. */
static int check_port(const struct lease *lease, struct error *err)
{
	_cleanup_netlink_ struct netlink host = NETLINK_CLOSED;
	struct link_info bridge, port;
	int r = netlink_open(NETLINK_ROUTE, &host, err);

	if (r >= 0)
		r = link_find(&host, lease->network.link, &bridge, err);
	if (r >= 0)
		r = link_find(&host, lease->host_link, &port, err);
	if (r < 0)
		return r;
	if (!(bridge.flags & IFF_UP) || !(port.flags & IFF_UP))
		return refuse_as(err, -ENETDOWN, "link \"%s\" is down",
				 bridge.flags & IFF_UP ? port.name : bridge.name);
	if (port.master != bridge.index)
		return refuse_as(err, -ENXIO, "link \"%s\" is no port of bridge \"%s\"", port.name,
				 bridge.name);
	return 0;
}

int attach_check(const struct lease *lease, struct error *err)
{
	_cleanup_netlink_ struct netlink nft = NETLINK_CLOSED;
	const struct driver *driver = driver_of(&lease->network);
	int r = 0;

	if (!lease->complete)
		r = refuse_as(err, -EINPROGRESS, "its add was cut off (berth-net gc removes it)");
	if (r >= 0)
		r = check_inside(lease, err);
	if (r >= 0 && driver->has_host_link)
		r = check_port(lease, err);
	if (r >= 0 && driver->has_firewall)
		r = firewall_check(&nft, lease, err);
	return r < 0 ? within(err, r, "container \"%s\", network \"%s\"", lease->id,
			      lease->network.name)
		     : 0;
}
