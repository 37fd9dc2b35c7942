/* SPDX-License-Identifier: Apache-2.0 */
/* Links, addresses and routes as rtnetlink messages. */
#include "link.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <stdio.h>
#include <string.h>

#include "berth/base/str.h"

static struct ifinfomsg *put_link_header(struct nlmsghdr *header, int index)
{
	struct ifinfomsg *link = mnl_nlmsg_put_extra_header(header, sizeof(*link));

	link->ifi_family = AF_UNSPEC;
	link->ifi_index = index;
	return link;
}

static void put_up(struct ifinfomsg *link, bool up)
{
	link->ifi_change = IFF_UP;
	link->ifi_flags = up ? IFF_UP : 0;
}

/* What a link is born with, or given later. @name, @mac: NULL for none. */
static void put_properties(struct nlmsghdr *header, const char *name, const unsigned char *mac,
			   uint32_t mtu)
{
	if (name)
		mnl_attr_put_strz(header, IFLA_IFNAME, name);
	if (mac)
		mnl_attr_put(header, IFLA_ADDRESS, MAC_SIZE, mac);
	if (mtu != 0)
		mnl_attr_put_u32(header, IFLA_MTU, mtu);
}

static void copy_text(const struct nlattr *attribute, char *to, size_t room)
{
	size_t length =
		strnlen(mnl_attr_get_payload(attribute), mnl_attr_get_payload_len(attribute));

	if (length >= room)
		length = room - 1;
	memcpy(to, mnl_attr_get_payload(attribute), length);
	to[length] = '\0';
}

/* 0 where it is none. */
static uint32_t read_number(const struct nlattr *attribute)
{
	return mnl_attr_validate(attribute, MNL_TYPE_U32) < 0 ? 0 : mnl_attr_get_u32(attribute);
}

static int read_kind(const struct nlattr *attribute, void *data)
{
	struct link_info *link = data;

	if (mnl_attr_get_type(attribute) == IFLA_INFO_KIND)
		copy_text(attribute, link->kind, sizeof(link->kind));
	return MNL_CB_OK;
}

static int read_property(const struct nlattr *attribute, void *data)
{
	struct link_info *link = data;

	switch (mnl_attr_get_type(attribute)) {
	case IFLA_IFNAME:
		copy_text(attribute, link->name, sizeof(link->name));
		break;
	case IFLA_IFALIAS:
		copy_text(attribute, link->alias, sizeof(link->alias));
		break;
	case IFLA_MTU:
		link->mtu = read_number(attribute);
		break;
	case IFLA_MASTER:
		link->master = (int)read_number(attribute);
		break;
	case IFLA_LINK:
		link->parent = (int)read_number(attribute);
		break;
	case IFLA_ADDRESS:
		if (mnl_attr_get_payload_len(attribute) == MAC_SIZE)
			memcpy(link->mac, mnl_attr_get_payload(attribute), MAC_SIZE);
		break;
	case IFLA_LINKINFO:
		return mnl_attr_parse_nested(attribute, read_kind, link);
	default:
		break;
	}
	return MNL_CB_OK;
}

static int read_link(const struct nlmsghdr *answer, void *data)
{
	const struct ifinfomsg *header = mnl_nlmsg_get_payload(answer);
	struct link_info *link = data;

	if (answer->nlmsg_type != RTM_NEWLINK || answer->nlmsg_len < NLMSG_LENGTH(sizeof(*header)))
		return 0;
	*link = (struct link_info){.index = header->ifi_index, .flags = header->ifi_flags};
	return mnl_attr_parse(answer, sizeof(*header), read_property, link);
}

int link_find(struct netlink *netlink, const char *name, struct link_info *ret, struct error *err)
{
	_cleanup_batch_ struct netlink_batch *batch = netlink_batch_new();
	struct nlmsghdr *header =
		netlink_begin(batch, RTM_GETLINK, 0, 0, "look for the link \"%s\"", name);
	struct link_info found = {.index = 0};
	int r;

	put_link_header(header, 0);
	mnl_attr_put_strz(header, IFLA_IFNAME, name);
	mnl_attr_put_u32(header, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	r = netlink_ask(netlink, batch, read_link, &found, err);
	if (r >= 0)
		*ret = found;
	return r;
}

int link_try_find(struct netlink *netlink, const char *name, struct link_info *ret)
{
	struct error unused = ERROR_NONE;

	return link_find(netlink, name, ret, &unused);
}

void link_add_bridge(struct netlink_batch *batch, const char *name, const unsigned char *mac,
		     uint32_t mtu, const char *alias)
{
	struct nlmsghdr *header = netlink_begin(batch, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL,
						EEXIST, "create the bridge \"%s\"", name);
	struct nlattr *info;

	put_link_header(header, 0);
	put_properties(header, name, mac, mtu);
	info = mnl_attr_nest_start(header, IFLA_LINKINFO);
	mnl_attr_put_strz(header, IFLA_INFO_KIND, "bridge");
	mnl_attr_nest_end(header, info);

	/* A new link takes no alias along. */
	header = netlink_begin(batch, RTM_SETLINK, 0, 0, "mark the bridge \"%s\" and set it up",
			       name);
	put_up(put_link_header(header, 0), true);
	mnl_attr_put_strz(header, IFLA_IFNAME, name);
	mnl_attr_put_strz(header, IFLA_IFALIAS, alias);
}

void link_add_veth(struct netlink_batch *batch, const struct veth *veth)
{
	struct nlmsghdr *header =
		netlink_begin(batch, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, 0,
			      "create the link \"%s\" in the container, with its end \"%s\" here",
			      veth->name, veth->host);
	struct nlattr *info, *data, *peer;

	put_up(put_link_header(header, 0), true);
	put_properties(header, veth->host, NULL, veth->mtu);
	mnl_attr_put_u32(header, IFLA_MASTER, (uint32_t)veth->master);
	info = mnl_attr_nest_start(header, IFLA_LINKINFO);
	mnl_attr_put_strz(header, IFLA_INFO_KIND, "veth");
	data = mnl_attr_nest_start(header, IFLA_INFO_DATA);
	peer = mnl_attr_nest_start(header, VETH_INFO_PEER);
	/* It cannot be up: the kernel has not made it one of a pair yet. */
	put_link_header(header, 0);
	put_properties(header, veth->name, veth->mac, veth->mtu);
	mnl_attr_put_u32(header, IFLA_NET_NS_FD, (uint32_t)veth->nsfd);
	mnl_attr_nest_end(header, peer);
	mnl_attr_nest_end(header, data);
	mnl_attr_nest_end(header, info);
}

void link_set_hairpin(struct netlink_batch *batch, const char *port)
{
	struct nlmsghdr *header = netlink_begin(batch, RTM_NEWLINK, 0, 0,
						"set the bridge's port \"%s\" to hairpin", port);
	struct nlattr *info, *data;

	put_link_header(header, 0);
	mnl_attr_put_strz(header, IFLA_IFNAME, port);
	info = mnl_attr_nest_start(header, IFLA_LINKINFO);
	mnl_attr_put_strz(header, IFLA_INFO_SLAVE_KIND, "bridge");
	data = mnl_attr_nest_start(header, IFLA_INFO_SLAVE_DATA);
	mnl_attr_put_u8(header, IFLA_BRPORT_MODE, 1);
	mnl_attr_nest_end(header, data);
	mnl_attr_nest_end(header, info);
}

/* The modes of links that stand on another one. */
static const struct mode {
	const char *kind, *name;
	uint16_t value;
} modes[] = {
	{"macvlan", "bridge", MACVLAN_MODE_BRIDGE}, {"macvlan", "private", MACVLAN_MODE_PRIVATE},
	{"macvlan", "vepa", MACVLAN_MODE_VEPA},	    {"macvlan", "passthru", MACVLAN_MODE_PASSTHRU},
	{"ipvlan", "l2", IPVLAN_MODE_L2},	    {"ipvlan", "l3", IPVLAN_MODE_L3},
	{"ipvlan", "l3s", IPVLAN_MODE_L3S},
};

/* The row of the kind's mode, or of its first one where @name is NULL; NULL: there is none. */
static const struct mode *find_mode(const char *kind, const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		if (str_equal(modes[i].kind, kind) && (!name || str_equal(modes[i].name, name)))
			return &modes[i];
	}
	return NULL;
}

int link_add_child(struct netlink_batch *batch, const struct child_link *child, struct error *err)
{
	const struct mode *mode = find_mode(child->kind, child->mode);
	struct nlmsghdr *header;
	struct nlattr *info, *data;

	if (!mode && child->mode)
		return refuse(err, "\"%s\" is no mode of %s", child->mode, child->kind);
	if (!mode)
		return refuse(err, "\"%s\" is no kind of link", child->kind);
	header = netlink_begin(batch, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, 0,
			       "create the %s link \"%s\" in the container", child->kind,
			       child->name);
	put_link_header(header, 0);
	put_properties(header, child->name, child->mac, child->mtu);
	mnl_attr_put_u32(header, IFLA_LINK, (uint32_t)child->parent);
	mnl_attr_put_u32(header, IFLA_NET_NS_FD, (uint32_t)child->nsfd);
	info = mnl_attr_nest_start(header, IFLA_LINKINFO);
	mnl_attr_put_strz(header, IFLA_INFO_KIND, child->kind);
	data = mnl_attr_nest_start(header, IFLA_INFO_DATA);
	if (str_equal(child->kind, "macvlan"))
		mnl_attr_put_u32(header, IFLA_MACVLAN_MODE, mode->value);
	else
		mnl_attr_put_u16(header, IFLA_IPVLAN_MODE, mode->value);
	mnl_attr_nest_end(header, data);
	mnl_attr_nest_end(header, info);
	return 0;
}

void link_move(struct netlink_batch *batch, int index, const char *old_name, int nsfd,
	       const char *name)
{
	struct nlmsghdr *header =
		netlink_begin(batch, RTM_SETLINK, 0, 0, "move the link \"%s\", to be called \"%s\"",
			      old_name, name);

	put_link_header(header, index);
	mnl_attr_put_u32(header, IFLA_NET_NS_FD, (uint32_t)nsfd);
	mnl_attr_put_strz(header, IFLA_IFNAME, name);
}

void link_rename(struct netlink_batch *batch, int index, const char *old_name, const char *name)
{
	struct nlmsghdr *header = netlink_begin(batch, RTM_SETLINK, 0, 0,
						"rename the link \"%s\" to \"%s\"", old_name, name);

	put_link_header(header, index);
	mnl_attr_put_strz(header, IFLA_IFNAME, name);
}

void link_set(struct netlink_batch *batch, int index, const char *name, bool up, uint32_t mtu,
	      const unsigned char *mac)
{
	struct nlmsghdr *header = netlink_begin(batch, RTM_SETLINK, 0, 0, "set the link \"%s\" %s",
						name, up ? "up" : "down");

	put_up(put_link_header(header, index), up);
	put_properties(header, NULL, mac, mtu);
}

void link_delete(struct netlink_batch *batch, const char *name)
{
	struct nlmsghdr *header =
		netlink_begin(batch, RTM_DELLINK, 0, ENODEV, "delete the link \"%s\"", name);

	put_link_header(header, 0);
	mnl_attr_put_strz(header, IFLA_IFNAME, name);
}

void address_add(struct netlink_batch *batch, int index, const char *link,
		 const struct prefix *prefix)
{
	const struct address *address = &prefix->address;
	struct address last = prefix_last(prefix);
	char text[ADDRESS_TEXT_MAX];
	struct nlmsghdr *header;
	struct ifaddrmsg *body;

	prefix_format(prefix, text);
	header = netlink_begin(batch, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, EEXIST,
			       "give the link \"%s\" the address %s", link, text);
	body = mnl_nlmsg_put_extra_header(header, sizeof(*body));
	body->ifa_family = (unsigned char)address->family;
	body->ifa_prefixlen = (unsigned char)prefix->length;
	body->ifa_flags = IFA_F_NODAD;
	body->ifa_scope = RT_SCOPE_UNIVERSE;
	body->ifa_index = (uint32_t)index;
	mnl_attr_put(header, IFA_LOCAL, address_size(address), address->bytes);
	mnl_attr_put(header, IFA_ADDRESS, address_size(address), address->bytes);
	/* Two addresses leave none for a broadcast (RFC 3021). */
	if (address->family == AF_INET && prefix->length < 31)
		mnl_attr_put(header, IFA_BROADCAST, address_size(&last), last.bytes);
}

void route_add_default(struct netlink_batch *batch, int index, const char *link,
		       const struct address *gateway)
{
	char text[ADDRESS_TEXT_MAX];
	struct nlmsghdr *header;
	struct rtmsg *route;

	address_format(gateway, text);
	header = netlink_begin(batch, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, EEXIST,
			       "make %s on the link \"%s\" the way out", text, link);
	route = mnl_nlmsg_put_extra_header(header, sizeof(*route));
	route->rtm_family = (unsigned char)gateway->family;
	route->rtm_table = RT_TABLE_MAIN;
	route->rtm_protocol = RTPROT_STATIC;
	route->rtm_scope = RT_SCOPE_UNIVERSE;
	route->rtm_type = RTN_UNICAST;
	mnl_attr_put(header, RTA_GATEWAY, address_size(gateway), gateway->bytes);
	mnl_attr_put_u32(header, RTA_OIF, (uint32_t)index);
}

void mac_format(const unsigned char mac[static MAC_SIZE], char text[static MAC_TEXT_MAX])
{
	snprintf(text, MAC_TEXT_MAX, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
		 mac[3], mac[4], mac[5]);
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -EINVAL;
}

int mac_parse(const char *text, unsigned char ret[static MAC_SIZE])
{
	static const unsigned char zero[MAC_SIZE];
	unsigned char mac[MAC_SIZE];

	if (strlen(text) != MAC_TEXT_MAX - 1)
		return -EINVAL;
	for (size_t i = 0; i < MAC_SIZE; i++) {
		int high = hex_digit(text[3 * i]), low = hex_digit(text[3 * i + 1]);

		if (high < 0 || low < 0 || text[3 * i + 2] != (i + 1 < MAC_SIZE ? ':' : '\0'))
			return -EINVAL;
		mac[i] = (unsigned char)(high << 4 | low);
	}
	/* The lowest bit of the first byte makes it a group's address. */
	if (mac[0] & 1 || memcmp(mac, zero, MAC_SIZE) == 0)
		return -EINVAL;
	memcpy(ret, mac, MAC_SIZE);
	return 0;
}
