/* SPDX-License-Identifier: Apache-2.0 */
/* Flows that conntrack is to forget: ctnetlink, <linux/netfilter/nfnetlink_conntrack.h>. */
#include "firewall_flows.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "berth/base/fd.h"
#include "berth/base/str.h"

/* Not in the kernel's headers for programs, and fixed all the same: compare the protocol alone. */
#define CTA_FILTER_F_CTA_PROTO_NUM (1 << 3)

/* What is sent at once, so that no number of flows needs much memory. */
#define REMOVALS_MAX 512

struct flow {
	struct address to;	 /* to whom the sender sends */
	struct address from;	 /* who sends */
	struct address answers;	 /* who answers: with another address than to, it is translated */
	struct address answered; /* to whom; with another address than from, likewise */
	uint16_t port;
	uint8_t protocol;
};

struct sweep {
	struct netlink *nft;
	const struct lease *leases;
	size_t lease_count;
	enum flow_fate fate;
	struct netlink_batch *removals;
	size_t count;
	struct error *err;
};

static struct nlmsghdr *put_message(struct netlink_batch *batch, uint8_t type, uint16_t flags,
				    int tolerated, uint8_t family, const char *what)
{
	struct nlmsghdr *message = netlink_begin(
		batch, (uint16_t)(NFNL_SUBSYS_CTNETLINK << 8 | type), flags, tolerated, "%s", what);
	struct nfgenmsg *head = mnl_nlmsg_put_extra_header(message, sizeof(*head));

	*head = (struct nfgenmsg){.nfgen_family = family, .version = NFNETLINK_V0};
	return message;
}

/* --- reading ----------------------------------------------------------------------------------
 */

/* Attributes of one level, by type: more than any level of ctnetlink has. */
#define ATTRIBUTES_MAX 32

static int keep(const struct nlattr *attr, void *data)
{
	const struct nlattr **table = data;
	uint16_t type = mnl_attr_get_type(attr);

	if (type < ATTRIBUTES_MAX)
		table[type] = attr;
	return MNL_CB_OK;
}

static bool read_nested(const struct nlattr *attr, const struct nlattr **table)
{
	return attr && mnl_attr_parse_nested(attr, keep, table) >= 0;
}

static struct address read_address(const struct nlattr **ip, uint16_t type_4, uint16_t type_6)
{
	struct address address = {.family = ip[type_4] ? AF_INET : AF_INET6};
	const struct nlattr *attr = ip[type_4] ? ip[type_4] : ip[type_6];

	if (!attr || mnl_attr_get_payload_len(attr) != address_size(&address))
		return (struct address){.family = 0};
	memcpy(address.bytes, mnl_attr_get_payload(attr), address_size(&address));
	return address;
}

/* One direction: who sends to whom. */
static bool read_tuple(const struct nlattr *attr, const struct nlattr **proto, struct address *from,
		       struct address *to)
{
	const struct nlattr *tuple[ATTRIBUTES_MAX] = {NULL}, *ip[ATTRIBUTES_MAX] = {NULL};

	if (!read_nested(attr, tuple) || !read_nested(tuple[CTA_TUPLE_IP], ip) ||
	    !read_nested(tuple[CTA_TUPLE_PROTO], proto))
		return false;
	*from = read_address(ip, CTA_IP_V4_SRC, CTA_IP_V6_SRC);
	*to = read_address(ip, CTA_IP_V4_DST, CTA_IP_V6_DST);
	return from->family != 0 && to->family != 0;
}

/* Flows without ports, as those of ICMP, are none for us. */
static bool read_flow(const struct nlattr **message, struct flow *flow)
{
	const struct nlattr *there[ATTRIBUTES_MAX] = {NULL}, *back[ATTRIBUTES_MAX] = {NULL};
	const struct nlattr *protocol, *port;

	if (!read_tuple(message[CTA_TUPLE_ORIG], there, &flow->from, &flow->to) ||
	    !read_tuple(message[CTA_TUPLE_REPLY], back, &flow->answers, &flow->answered))
		return false;
	protocol = there[CTA_PROTO_NUM];
	port = there[CTA_PROTO_DST_PORT];
	if (!protocol || mnl_attr_validate(protocol, MNL_TYPE_U8) < 0 || !port ||
	    mnl_attr_validate(port, MNL_TYPE_U16) < 0)
		return false;
	flow->protocol = mnl_attr_get_u8(protocol);
	flow->port = ntohs(mnl_attr_get_u16(port));
	return true;
}

/* --- deciding ---------------------------------------------------------------------------------
 */

/* Whether the address is one of this host: those can be bound. */
static bool is_local(const struct address *address)
{
	struct sockaddr_in in = {.sin_family = AF_INET};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
	_cleanup_fd_ int fd = socket(address->family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	memcpy(&in.sin_addr, address->bytes, sizeof(in.sin_addr));
	memcpy(&in6.sin6_addr, address->bytes, sizeof(in6.sin6_addr));
	if (fd < 0)
		return false;
	if (address->family == AF_INET)
		return bind(fd, (const struct sockaddr *)&in, sizeof(in)) == 0;
	return bind(fd, (const struct sockaddr *)&in6, sizeof(in6)) == 0;
}

static bool has_address(const struct lease *lease, const struct address *address)
{
	for (size_t i = 0; i < lease->address_count; i++) {
		if (address_compare(&lease->addresses[i].address, address) == 0)
			return true;
	}
	return false;
}

static bool publishes(const struct lease *lease, const struct flow *flow)
{
	for (size_t i = 0; i < lease->publish.count; i++) {
		const struct publish *item = &lease->publish.items[i];
		bool of_family = item->host.family == 0 || item->host.family == flow->to.family;
		bool of_host =
			address_is_any(&item->host) || address_compare(&item->host, &flow->to) == 0;

		if (of_family && of_host && item->protocol == flow->protocol &&
		    flow->port >= item->host_port && flow->port - item->host_port < item->count)
			return true;
	}
	return false;
}

static bool is_meant(const struct sweep *sweep, const struct flow *flow)
{
	bool is_plain = address_compare(&flow->to, &flow->answers) == 0 &&
			address_compare(&flow->from, &flow->answered) == 0;

	if (sweep->fate == FLOWS_TO_HOST && (!is_plain || !is_local(&flow->to)))
		return false;
	for (size_t i = 0; i < sweep->lease_count; i++) {
		const struct lease *lease = &sweep->leases[i];

		if (publishes(lease, flow) &&
		    (sweep->fate == FLOWS_TO_HOST || has_address(lease, &flow->answers)))
			return true;
	}
	return false;
}

/* --- forgetting -------------------------------------------------------------------------------
 */

static int send_removals(struct sweep *sweep)
{
	sweep->count = 0;
	return netlink_send(sweep->nft, sweep->removals, sweep->err);
}

static int sweep_one(const struct nlmsghdr *answer, void *data)
{
	static const uint16_t names[] = {CTA_TUPLE_ORIG, CTA_ZONE, CTA_ID};
	const struct nfgenmsg *head = mnl_nlmsg_get_payload(answer);
	struct sweep *sweep = data;
	const struct nlattr *message[ATTRIBUTES_MAX] = {NULL};
	struct nlmsghdr *removal;
	struct flow flow;

	if (mnl_attr_parse(answer, sizeof(*head), keep, message) < 0 ||
	    !read_flow(message, &flow) || !is_meant(sweep, &flow))
		return 0;
	removal = put_message(sweep->removals, IPCTNL_MSG_CT_DELETE, 0, ENOENT, head->nfgen_family,
			      "forget a flow of a published port");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const struct nlattr *attr = message[names[i]];

		if (attr)
			mnl_attr_put(removal, attr->nla_type, mnl_attr_get_payload_len(attr),
				     mnl_attr_get_payload(attr));
	}
	return ++sweep->count < REMOVALS_MAX ? 0 : send_removals(sweep);
}

static bool has_udp(const struct lease *leases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct publish_list *list = &leases[i].publish;

		for (size_t k = 0; k < list->count; k++) {
			if (list->items[k].protocol == IPPROTO_UDP)
				return true;
		}
	}
	return false;
}

static int read_count(const struct nlmsghdr *answer, void *data)
{
	const struct nlattr *message[ATTRIBUTES_MAX] = {NULL}, *attr;
	uint32_t *count = data;

	mnl_attr_parse(answer, sizeof(struct nfgenmsg), keep, message);
	attr = message[CTA_STATS_GLOBAL_ENTRIES];
	if (attr && mnl_attr_validate(attr, MNL_TYPE_U32) >= 0)
		*count = ntohl(mnl_attr_get_u32(attr));
	return 0;
}

/* How many flows there are, of all protocols; 0 where the kernel cannot list them. */
static int count_flows(struct netlink *nft, uint32_t *ret, struct error *err)
{
	_cleanup_batch_ struct netlink_batch *question = netlink_batch_new();

	put_message(question, IPCTNL_MSG_CT_GET_STATS, 0, EOPNOTSUPP, AF_UNSPEC, "count flows");
	return netlink_ask(nft, question, read_count, ret, err);
}

/* Goes through the flows of a family, of UDP alone; or of both families, and then of all protocols:
 * the kernel compares protocols only where the family is known. */
static int sweep_family(struct sweep *sweep, uint8_t family)
{
	_cleanup_batch_ struct netlink_batch *question = netlink_batch_new();
	struct nlmsghdr *message =
		put_message(question, IPCTNL_MSG_CT_GET, NLM_F_DUMP, 0, family, "list flows");
	struct nlattr *filter, *tuple, *proto;

	if (family == AF_UNSPEC)
		return netlink_ask(sweep->nft, question, sweep_one, sweep, sweep->err);
	filter = mnl_attr_nest_start(message, CTA_FILTER);
	mnl_attr_put_u32(message, CTA_FILTER_ORIG_FLAGS, CTA_FILTER_F_CTA_PROTO_NUM);
	mnl_attr_put_u32(message, CTA_FILTER_REPLY_FLAGS, 0);
	mnl_attr_nest_end(message, filter);
	tuple = mnl_attr_nest_start(message, CTA_TUPLE_ORIG);
	proto = mnl_attr_nest_start(message, CTA_TUPLE_PROTO);
	mnl_attr_put_u8(message, CTA_PROTO_NUM, IPPROTO_UDP);
	mnl_attr_nest_end(message, proto);
	mnl_attr_nest_end(message, tuple);
	return netlink_ask(sweep->nft, question, sweep_one, sweep, sweep->err);
}

/* So few flows are read sooner than the kernel goes through its table twice: that takes it 9 ms
 * where the table has room for 262144, however few there are. */
#define FEW_FLOWS 8192

int flows_forget(struct netlink *nft, const struct lease *leases, size_t count, enum flow_fate fate,
		 struct error *err)
{
	_cleanup_batch_ struct netlink_batch *removals = netlink_batch_new();
	struct sweep sweep = {.nft = nft,
			      .leases = leases,
			      .lease_count = count,
			      .fate = fate,
			      .removals = removals,
			      .err = err};
	uint32_t flows = 0;
	int r;

	if (!has_udp(leases, count))
		return 0;
	r = count_flows(nft, &flows, err);
	if (r < 0 || flows == 0)
		return r;
	if (flows <= FEW_FLOWS) {
		r = sweep_family(&sweep, AF_UNSPEC);
	} else {
		r = sweep_family(&sweep, AF_INET);
		if (r >= 0)
			r = sweep_family(&sweep, AF_INET6);
	}
	return r < 0 ? r : send_removals(&sweep);
}
