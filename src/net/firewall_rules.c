/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table `inet berth` without elements, as `nft list` prints it:
 *
 *	chain guard { type filter hook prerouting priority raw; policy accept;
 *		ip daddr 127.0.0.0/8 iifname @bridges drop
 *		ip saddr 127.0.0.0/8 iifname @bridges drop
 *	}
 *	chain prerouting { type nat hook prerouting priority dstnat; policy accept;
 *		ip daddr 127.0.0.0/8 return
 *		fib daddr type local jump published
 *	}
 *	chain output { type nat hook output priority dstnat; policy accept;
 *		ip6 daddr ::1 return
 *		fib daddr type local jump published
 *	}
 *	chain published {
 *		dnat ip to ip daddr . meta l4proto . th dport map @published4
 *		meta nfproto ipv4 dnat ip to meta l4proto . th dport map @published_any4
 *		(the same for IPv6)
 *	}
 *	chain forward { type filter hook forward priority filter; policy accept;
 *		ct state established,related accept
 *		iifname . oifname @same accept
 *		iifname @open oifname @open accept
 *		iifname @internal drop
 *		ct status dnat accept
 *		oifname @bridges drop
 *	}
 *	chain postrouting { type nat hook postrouting priority srcnat; policy accept;
 *		ct status dnat iifname . oifname @same masquerade
 *		ct status dnat iif 0 oifname @bridges masquerade
 *		iifname @masqueraded oifname != @bridges masquerade
 *	}
 *
 * Theory of operation. Bridges have route_localnet, so that the host reaches published ports at
 * 127.0.0.1: "guard" keeps containers from the services that the host has there, and from looking
 * like the host (CVE-2020-8558). A port that is published at 127.0.0.1 is the host's own matter:
 * whoever sends such a packet from outside must not find the container by it, hence the first line
 * of "prerouting". Only addresses of this host lead to published ports, so that nobody can put
 * himself in the place of some server by publishing a port at its address. Addresses are translated
 * for the first packet of a connection; for all others conntrack remembers.
 *
 * A packet to a published port that comes from the same bridge would be answered past the host, on
 * the bridge: it gets the host's address ("hairpin"). So do packets of the host itself, since one
 * from 127.0.0.1 could not be answered; those have no incoming link, and neither has in postrouting
 * what br_netfilter shows of a bridge's own traffic: there, a packet to a published port of the
 *same bridge does not go through the host at all. ::1 cannot be routed, and has no published ports.
 */
#include "firewall_rules.h"

#include <arpa/inet.h>
#include <libnftnl/chain.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <libnftnl/udata.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter_ipv4.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "berth/base/alloc.h"
#include "berth/base/str.h"

/* --- sets ---------------------------------------------------------------------------------------
 */

/* Types of nft(8), src/datatype.h there: a concatenation has 6 bits for each part. */
enum {
	TYPE_IPV4_ADDR = 7,
	TYPE_IPV6_ADDR = 8,
	TYPE_INET_PROTO = 12,
	TYPE_INET_SERVICE = 13,
	TYPE_IFNAME = 41
};
#define PAIR(a, b)	((a) << 6 | (b))
#define TRIPLE(a, b, c) (PAIR(a, b) << 6 | (c))

const struct firewall_set_type firewall_sets[SET_MAX] = {
	[SET_BRIDGES] = {"bridges", 16, 0, TYPE_IFNAME, 0},
	[SET_SAME] = {"same", 32, 0, PAIR(TYPE_IFNAME, TYPE_IFNAME), 0},
	[SET_OPEN] = {"open", 16, 0, TYPE_IFNAME, 0},
	[SET_INTERNAL] = {"internal", 16, 0, TYPE_IFNAME, 0},
	[SET_MASQUERADED] = {"masqueraded", 16, 0, TYPE_IFNAME, 0},
	[SET_PUBLISHED4] = {"published4", 12, 8,
			    TRIPLE(TYPE_IPV4_ADDR, TYPE_INET_PROTO, TYPE_INET_SERVICE),
			    PAIR(TYPE_IPV4_ADDR, TYPE_INET_SERVICE)},
	[SET_PUBLISHED6] = {"published6", 24, 20,
			    TRIPLE(TYPE_IPV6_ADDR, TYPE_INET_PROTO, TYPE_INET_SERVICE),
			    PAIR(TYPE_IPV6_ADDR, TYPE_INET_SERVICE)},
	[SET_PUBLISHED_ANY4] = {"published_any4", 8, 8, PAIR(TYPE_INET_PROTO, TYPE_INET_SERVICE),
				PAIR(TYPE_IPV4_ADDR, TYPE_INET_SERVICE)},
	[SET_PUBLISHED_ANY6] = {"published_any6", 8, 20, PAIR(TYPE_INET_PROTO, TYPE_INET_SERVICE),
				PAIR(TYPE_IPV6_ADDR, TYPE_INET_SERVICE)},
};

/* nft(8) prints names of links right only where it is told that they are in the host's byte order.
 */
static void describe_byte_order(struct nftnl_set *set, const struct firewall_set_type *type)
{
	struct nftnl_udata_buf *buf = nftnl_udata_buf_alloc(64);
	uint32_t order =
		type->key_type == TYPE_IFNAME ? 1 : 0; /* BYTEORDER_HOST_ENDIAN, …_INVALID */

	if (!buf)
		out_of_memory();
	nftnl_udata_put_u32(buf, NFTNL_UDATA_SET_KEYBYTEORDER, order);
	if (type->data_size)
		nftnl_udata_put_u32(buf, NFTNL_UDATA_SET_DATABYTEORDER, 0);
	nftnl_set_set_data(set, NFTNL_SET_USERDATA, nftnl_udata_buf_data(buf),
			   nftnl_udata_buf_len(buf));
	nftnl_udata_buf_free(buf);
}

static void put_set(struct nft_batch *batch, const struct firewall_set_type *type)
{
	struct nlmsghdr *message = nft_begin(batch, NFT_MSG_NEWSET, NLM_F_CREATE,
					     (struct nft_words){"create set", type->name});
	struct nftnl_set *set = nftnl_set_alloc();

	if (!set)
		out_of_memory();
	nftnl_set_set_str(set, NFTNL_SET_TABLE, FIREWALL_TABLE);
	nftnl_set_set_str(set, NFTNL_SET_NAME, type->name);
	nftnl_set_set_u32(set, NFTNL_SET_ID, (uint32_t)(type - firewall_sets) + 1);
	nftnl_set_set_u32(set, NFTNL_SET_FLAGS, type->data_size ? NFT_SET_MAP : 0);
	nftnl_set_set_u32(set, NFTNL_SET_KEY_TYPE, type->key_type);
	nftnl_set_set_u32(set, NFTNL_SET_KEY_LEN, type->key_size);
	if (type->data_size) {
		nftnl_set_set_u32(set, NFTNL_SET_DATA_TYPE, type->data_type);
		nftnl_set_set_u32(set, NFTNL_SET_DATA_LEN, type->data_size);
	}
	describe_byte_order(set, type);
	nftnl_set_nlmsg_build_payload(message, set);
	nftnl_set_free(set);
}

/* --- chains -------------------------------------------------------------------------------------
 */

struct chain {
	const char *name;
	const char *type; /* NULL: no base chain */
	uint32_t hook;
	int32_t priority;
};

static const struct chain chains[] = {
	{"guard", "filter", NF_INET_PRE_ROUTING, NF_IP_PRI_RAW},
	{"prerouting", "nat", NF_INET_PRE_ROUTING, NF_IP_PRI_NAT_DST},
	{"output", "nat", NF_INET_LOCAL_OUT, NF_IP_PRI_NAT_DST},
	{"published", NULL, 0, 0},
	{"forward", "filter", NF_INET_FORWARD, NF_IP_PRI_FILTER},
	{"postrouting", "nat", NF_INET_POST_ROUTING, NF_IP_PRI_NAT_SRC},
};

static void put_chain(struct nft_batch *batch, const struct chain *row)
{
	struct nlmsghdr *message = nft_begin(batch, NFT_MSG_NEWCHAIN, NLM_F_CREATE,
					     (struct nft_words){"create chain", row->name});
	struct nftnl_chain *chain = nftnl_chain_alloc();

	if (!chain)
		out_of_memory();
	nftnl_chain_set_str(chain, NFTNL_CHAIN_TABLE, FIREWALL_TABLE);
	nftnl_chain_set_str(chain, NFTNL_CHAIN_NAME, row->name);
	if (row->type) {
		nftnl_chain_set_str(chain, NFTNL_CHAIN_TYPE, row->type);
		nftnl_chain_set_u32(chain, NFTNL_CHAIN_HOOKNUM, row->hook);
		nftnl_chain_set_s32(chain, NFTNL_CHAIN_PRIO, row->priority);
		nftnl_chain_set_u32(chain, NFTNL_CHAIN_POLICY, NF_ACCEPT);
	}
	nftnl_chain_nlmsg_build_payload(message, chain);
	nftnl_chain_free(chain);
}

/* --- rules --------------------------------------------------------------------------------------
 */

/* One expression. Registers are counted in units of 4 bytes, from 0. */
struct step {
	const char *type; /* the kernel's; NULL ends a rule */
	unsigned slot;	  /* the register */
	uint32_t a, b, c; /* see the put_… function of the type */
	const void *data;
};

struct rule {
	const char *chain;
	struct step steps[8];
};

/* clang-format off */
#define META(slot, key)		  {"meta", slot, key, 0, 0, NULL}
#define NETWORK(slot, at, size)	  {"payload", slot, NFT_PAYLOAD_NETWORK_HEADER, at, size, NULL}
#define TRANSPORT(slot, at, size) {"payload", slot, NFT_PAYLOAD_TRANSPORT_HEADER, at, size, NULL}
#define EQUAL(value, size)	  {"cmp", 0, NFT_CMP_EQ, value, size, NULL}
#define EQUAL_BYTES(bytes, size)  {"cmp", 0, NFT_CMP_EQ, 0, size, bytes}
#define IN(set)			  {"lookup", 0, SET_##set, 0, 0, NULL}
#define NOT_IN(set)		  {"lookup", 0, SET_##set, NFT_LOOKUP_F_INV, 0, NULL}
#define VERDICT(code, chain)	  {"immediate", 0, (uint32_t)(code), 0, 0, chain}
#define MASQUERADE		  {"masq", 0, 0, 0, 0, NULL}

/* What several rules have in common. */
#define IPV4	     META(0, NFT_META_NFPROTO), EQUAL(NFPROTO_IPV4, 1)
#define IPV6	     META(0, NFT_META_NFPROTO), EQUAL(NFPROTO_IPV6, 1)
#define IPV4_127(at) IPV4, NETWORK(0, at, 1), EQUAL(127, 1)
#define DADDR_LOCAL  {"fib", 0, NFTA_FIB_F_DADDR, NFT_FIB_RESULT_ADDRTYPE, 0, NULL}, \
		     EQUAL(RTN_LOCAL, 4)
#define CT(key, bits) \
	{"ct", 0, key, 0, 0, NULL}, {"bitwise", 0, bits, 0, 0, NULL}, {"cmp", 0, NFT_CMP_NEQ, 0, 4, NULL}
#define IIF	     META(0, NFT_META_IIFNAME)
#define NO_IIF	     META(0, NFT_META_IIF), EQUAL(0, 4)
#define OIF	     META(0, NFT_META_OIFNAME)
#define IIF_OIF	     IIF, META(4, NFT_META_OIFNAME)
/* Protocol and port, and where they lead: an address in slot 0, a port behind it. */
#define PORT(slot)   META(slot, NFT_META_L4PROTO), TRANSPORT((slot) + 1, 2, 2)
#define DNAT(set, family, port_slot) \
	{"lookup", 0, SET_##set, 0, 1, NULL}, {"nat", 0, family, port_slot, 0, NULL}
#define ACCEPT	     VERDICT(NF_ACCEPT, NULL)
#define DROP	     VERDICT(NF_DROP, NULL)
#define RETURN	     VERDICT(NFT_RETURN, NULL)

/* Where the addresses stand in a header, and the ports' bits of conntrack. */
#define SADDR4 12
#define DADDR4 16
#define DADDR6 24
#define ANSWERS (NF_CT_STATE_BIT(IP_CT_ESTABLISHED) | NF_CT_STATE_BIT(IP_CT_RELATED))

static const struct rule rules[] = {
	{"guard", {IPV4_127(DADDR4), IIF, IN(BRIDGES), DROP}},
	{"guard", {IPV4_127(SADDR4), IIF, IN(BRIDGES), DROP}},

	{"prerouting", {IPV4_127(DADDR4), RETURN}},
	{"prerouting", {DADDR_LOCAL, VERDICT(NFT_JUMP, "published")}},

	{"output", {IPV6, NETWORK(0, DADDR6, 16), EQUAL_BYTES(&in6addr_loopback, 16), RETURN}},
	{"output", {DADDR_LOCAL, VERDICT(NFT_JUMP, "published")}},

	{"published", {IPV4, NETWORK(0, DADDR4, 4), PORT(1), DNAT(PUBLISHED4, NFPROTO_IPV4, 1)}},
	{"published", {IPV4, PORT(0), DNAT(PUBLISHED_ANY4, NFPROTO_IPV4, 1)}},
	{"published", {IPV6, NETWORK(0, DADDR6, 16), PORT(4), DNAT(PUBLISHED6, NFPROTO_IPV6, 4)}},
	{"published", {IPV6, PORT(0), DNAT(PUBLISHED_ANY6, NFPROTO_IPV6, 4)}},

	{"forward", {CT(NFT_CT_STATE, ANSWERS), ACCEPT}},
	{"forward", {IIF_OIF, IN(SAME), ACCEPT}},
	{"forward", {IIF, IN(OPEN), OIF, IN(OPEN), ACCEPT}},
	{"forward", {IIF, IN(INTERNAL), DROP}},
	{"forward", {CT(NFT_CT_STATUS, IPS_DST_NAT), ACCEPT}},
	{"forward", {OIF, IN(BRIDGES), DROP}},

	{"postrouting", {CT(NFT_CT_STATUS, IPS_DST_NAT), IIF_OIF, IN(SAME), MASQUERADE}},
	{"postrouting", {CT(NFT_CT_STATUS, IPS_DST_NAT), NO_IIF, OIF, IN(BRIDGES), MASQUERADE}},
	{"postrouting", {IIF, IN(MASQUERADED), OIF, NOT_IN(BRIDGES), MASQUERADE}},
};
/* clang-format on */

const size_t firewall_rule_count = ARRAY_SIZE(rules);

static uint32_t reg(unsigned slot)
{
	return NFT_REG32_00 + slot;
}

/* a: key */
static void put_meta(struct nftnl_expr *expr, const struct step *step)
{
	nftnl_expr_set_u32(expr, NFTNL_EXPR_META_KEY, step->a);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_META_DREG, reg(step->slot));
}

/* a: header, b: offset, c: size */
static void put_payload(struct nftnl_expr *expr, const struct step *step)
{
	nftnl_expr_set_u32(expr, NFTNL_EXPR_PAYLOAD_BASE, step->a);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_PAYLOAD_OFFSET, step->b);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_PAYLOAD_LEN, step->c);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_PAYLOAD_DREG, reg(step->slot));
}

/* a: operator, b: value where there is no data, c: size */
static void put_cmp(struct nftnl_expr *expr, const struct step *step)
{
	const uint8_t byte = (uint8_t)step->b;
	const void *data = step->data;

	if (!data)
		data = step->c == 1 ? (const void *)&byte : &step->b;
	nftnl_expr_set_u32(expr, NFTNL_EXPR_CMP_SREG, reg(step->slot));
	nftnl_expr_set_u32(expr, NFTNL_EXPR_CMP_OP, step->a);
	nftnl_expr_set(expr, NFTNL_EXPR_CMP_DATA, data, step->c);
}

/* a: set, b: flags, c: whether the data goes to slot 0 */
static void put_lookup(struct nftnl_expr *expr, const struct step *step)
{
	nftnl_expr_set_u32(expr, NFTNL_EXPR_LOOKUP_SREG, reg(step->slot));
	nftnl_expr_set_str(expr, NFTNL_EXPR_LOOKUP_SET, firewall_sets[step->a].name);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_LOOKUP_SET_ID, step->a + 1);
	if (step->b)
		nftnl_expr_set_u32(expr, NFTNL_EXPR_LOOKUP_FLAGS, step->b);
	if (step->c)
		nftnl_expr_set_u32(expr, NFTNL_EXPR_LOOKUP_DREG, reg(0));
}

/* a: verdict, data: chain */
static void put_immediate(struct nftnl_expr *expr, const struct step *step)
{
	nftnl_expr_set_u32(expr, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_IMM_VERDICT, step->a);
	if (step->data)
		nftnl_expr_set_str(expr, NFTNL_EXPR_IMM_CHAIN, step->data);
}

/* a: flags, b: result */
static void put_fib(struct nftnl_expr *expr, const struct step *step)
{
	nftnl_expr_set_u32(expr, NFTNL_EXPR_FIB_FLAGS, step->a);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_FIB_RESULT, step->b);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_FIB_DREG, reg(step->slot));
}

/* a: key */
static void put_ct(struct nftnl_expr *expr, const struct step *step)
{
	nftnl_expr_set_u32(expr, NFTNL_EXPR_CT_KEY, step->a);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_CT_DREG, reg(step->slot));
}

/* a: bits that are kept */
static void put_bitwise(struct nftnl_expr *expr, const struct step *step)
{
	const uint32_t none = 0;

	nftnl_expr_set_u32(expr, NFTNL_EXPR_BITWISE_SREG, reg(step->slot));
	nftnl_expr_set_u32(expr, NFTNL_EXPR_BITWISE_DREG, reg(step->slot));
	nftnl_expr_set_u32(expr, NFTNL_EXPR_BITWISE_LEN, sizeof(step->a));
	nftnl_expr_set(expr, NFTNL_EXPR_BITWISE_MASK, &step->a, sizeof(step->a));
	nftnl_expr_set(expr, NFTNL_EXPR_BITWISE_XOR, &none, sizeof(none));
}

/* a: family, b: slot of the port */
static void put_nat(struct nftnl_expr *expr, const struct step *step)
{
	nftnl_expr_set_u32(expr, NFTNL_EXPR_NAT_TYPE, NFT_NAT_DNAT);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_NAT_FAMILY, step->a);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_NAT_REG_ADDR_MIN, reg(step->slot));
	nftnl_expr_set_u32(expr, NFTNL_EXPR_NAT_REG_PROTO_MIN, reg(step->b));
}

static void put_masq(struct nftnl_expr *expr, const struct step *step)
{
	(void)expr;
	(void)step;
}

static const struct {
	const char *type;
	void (*put)(struct nftnl_expr *expr, const struct step *step);
} step_types[] = {
	{"meta", put_meta},	{"payload", put_payload},     {"cmp", put_cmp},
	{"lookup", put_lookup}, {"immediate", put_immediate}, {"fib", put_fib},
	{"ct", put_ct},		{"bitwise", put_bitwise},     {"nat", put_nat},
	{"masq", put_masq},
};

static void add_step(struct nftnl_rule *rule, const struct step *step)
{
	struct nftnl_expr *expr = nftnl_expr_alloc(step->type);

	if (!expr)
		out_of_memory();
	for (size_t i = 0; i < ARRAY_SIZE(step_types); i++) {
		if (str_equal(step_types[i].type, step->type))
			step_types[i].put(expr, step);
	}
	nftnl_rule_add_expr(rule, expr);
}

static void put_rule(struct nft_batch *batch, const struct rule *row)
{
	struct nlmsghdr *message = nft_begin(batch, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND,
					     (struct nft_words){"add a rule to chain", row->chain});
	struct nftnl_rule *rule = nftnl_rule_alloc();

	if (!rule)
		out_of_memory();
	nftnl_rule_set_str(rule, NFTNL_RULE_TABLE, FIREWALL_TABLE);
	nftnl_rule_set_str(rule, NFTNL_RULE_CHAIN, row->chain);
	for (size_t i = 0; i < ARRAY_SIZE(row->steps) && row->steps[i].type; i++)
		add_step(rule, &row->steps[i]);
	nftnl_rule_nlmsg_build_payload(message, rule);
	nftnl_rule_free(rule);
}

/* --- the table ----------------------------------------------------------------------------------
 */

static void put_table(struct nft_batch *batch, uint16_t type, uint16_t flags, const char *what)
{
	struct nlmsghdr *message =
		nft_begin(batch, type, flags, (struct nft_words){what, FIREWALL_TABLE});

	mnl_attr_put_strz(message, NFTA_TABLE_NAME, FIREWALL_TABLE);
}

void firewall_put_removal(struct nft_batch *batch)
{
	/* To remove what is not there would end the transaction. */
	put_table(batch, NFT_MSG_NEWTABLE, NLM_F_CREATE, "create table");
	put_table(batch, NFT_MSG_DELTABLE, 0, "remove table");
}

void firewall_put_table(struct nft_batch *batch)
{
	put_table(batch, NFT_MSG_NEWTABLE, NLM_F_CREATE | NLM_F_EXCL, "create table");
	for (size_t i = 0; i < ARRAY_SIZE(chains); i++)
		put_chain(batch, &chains[i]);
	for (size_t i = 0; i < SET_MAX; i++)
		put_set(batch, &firewall_sets[i]);
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		put_rule(batch, &rules[i]);
}
