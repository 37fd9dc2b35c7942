/* SPDX-License-Identifier: Apache-2.0 */
/* Changes of the nftables table: see firewall.h for its design, firewall_rules.c for the rules. */
#include "firewall.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include "firewall_elements.h"

/* Whether an element is there with other data: a port that leads elsewhere. */
static bool is_clash(int code)
{
	return code == -EEXIST || code == -EBUSY; /* it depends on the kernel */
}

/* The error of a transaction that published ports, in the words of who publishes them. */
static int ports_refused(const struct nft_refusal *refusal, struct error *err)
{
	char text[FIREWALL_KEY_TEXT_MAX];

	if (!firewall_refused_text(refusal, text))
		return refuse_as(err, -EADDRINUSE,
				 "a published port is another container's already");
	return refuse_as(err, -EADDRINUSE, "port %s is published by another container already",
			 text);
}

int firewall_add(const struct lease *lease, struct error *err)
{
	_cleanup_elements_ struct firewall_elements list = FIREWALL_ELEMENTS_EMPTY;
	_cleanup_nft_batch_ struct nft_batch batch = NFT_BATCH_EMPTY;
	_cleanup_netlink_ struct netlink netlink = NETLINK_CLOSED;
	struct nft_refusal refusal;
	struct error failure = ERROR_NONE;
	int r;

	firewall_add_network(&list, &lease->network);
	r = firewall_add_ports(&list, lease, err);
	if (r < 0)
		return r;
	r = nft_open(&netlink, err);
	if (r < 0)
		return r;
	firewall_put_elements(&batch, NFT_MSG_NEWSETELEM, list.items, list.count);
	r = nft_send(&netlink, &batch, /* dry_run= */ false, &refusal, &failure);
	if (r == -ENOENT)
		return r;
	if (is_clash(refusal.code))
		return ports_refused(&refusal, err);
	if (r < 0)
		*err = failure;
	return r;
}

int firewall_rebuild(const struct lease_list *leases, struct error *err)
{
	_cleanup_elements_ struct firewall_elements list = FIREWALL_ELEMENTS_EMPTY;
	_cleanup_nft_batch_ struct nft_batch batch = NFT_BATCH_EMPTY;
	_cleanup_netlink_ struct netlink netlink = NETLINK_CLOSED;
	struct nft_refusal refusal;
	int r;

	for (size_t i = 0; i < leases->count; i++) {
		firewall_add_network(&list, &leases->items[i].network);
		r = firewall_add_ports(&list, &leases->items[i], err);
		if (r < 0)
			return within(err, r, "container \"%s\"", leases->items[i].id);
	}
	firewall_put_removal(&batch);
	if (leases->count > 0) {
		firewall_put_table(&batch);
		firewall_put_elements(&batch, NFT_MSG_NEWSETELEM, list.items, list.count);
	}
	r = nft_open(&netlink, err);
	if (r < 0)
		return r;
	r = nft_send(&netlink, &batch, /* dry_run= */ false, &refusal, err);
	return is_clash(refusal.code) ? ports_refused(&refusal, err) : r;
}

/* --- removal -----------------------------------------------------------------------------------
 */

/*
 * One transaction that removes elements. Each is added before: to remove what is not there would
 * end the transaction, and to add what is there does nothing, unless the port leads to another
 * container: then it is a clash, and the other one's port stays.
 */
static int remove_elements(struct netlink *netlink, const struct firewall_element *items,
			   size_t count, struct error *err)
{
	_cleanup_nft_batch_ struct nft_batch batch = NFT_BATCH_EMPTY;

	firewall_put_elements(&batch, NFT_MSG_NEWSETELEM, items, count);
	firewall_put_elements(&batch, NFT_MSG_DELSETELEM, items, count);
	return nft_send(netlink, &batch, /* dry_run= */ false, /* ret= */ NULL, err);
}

/* The same, each element by itself: somebody changed the table, or ports are another's. */
static int remove_each(struct netlink *netlink, const struct firewall_elements *list,
		       struct error *err)
{
	bool missing[SET_MAX] = {false};

	for (size_t i = 0; i < list->count; i++) {
		const struct firewall_element *item = &list->items[i];
		struct error failure = ERROR_NONE;
		int r;

		if (missing[item->set])
			continue;
		r = remove_elements(netlink, item, 1, &failure);
		missing[item->set] = r == -ENOENT;
		if (r < 0 && r != -ENOENT && !is_clash(r)) {
			*err = failure;
			return r;
		}
	}
	return 0;
}

int firewall_remove(const struct lease *lease, bool last, struct error *err)
{
	_cleanup_elements_ struct firewall_elements list = FIREWALL_ELEMENTS_EMPTY;
	_cleanup_netlink_ struct netlink netlink = NETLINK_CLOSED;
	struct error failure = ERROR_NONE;
	int r;

	/* A lease whose ports cannot be published has published none. */
	ignore(firewall_add_ports(&list, lease, &failure));
	if (last)
		firewall_add_network(&list, &lease->network);
	if (list.count == 0)
		return 0;
	r = nft_open(&netlink, err);
	if (r < 0)
		return r;
	r = remove_elements(&netlink, list.items, list.count, &failure);
	if (r == -ENOENT || is_clash(r))
		return remove_each(&netlink, &list, err);
	if (r < 0)
		*err = failure;
	return r;
}

/* --- checking ----------------------------------------------------------------------------------
 */

static int count_rule(const struct nlmsghdr *answer, void *data)
{
	size_t *count = data;

	if (NFNL_MSG_TYPE(answer->nlmsg_type) == NFT_MSG_NEWRULE)
		(*count)++;
	return 0;
}

static int check_rules(struct netlink *netlink, struct error *err)
{
	_cleanup_batch_ struct netlink_batch *batch = netlink_batch_new();
	struct nlmsghdr *message =
		netlink_begin(batch, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETRULE, NLM_F_DUMP, 0,
			      "list rules of table \"inet " FIREWALL_TABLE "\"");
	struct nfgenmsg *head = mnl_nlmsg_put_extra_header(message, sizeof(*head));
	size_t count = 0;
	int r;

	*head = (struct nfgenmsg){.nfgen_family = NFPROTO_INET, .version = NFNETLINK_V0};
	mnl_attr_put_strz(message, NFTA_RULE_TABLE, FIREWALL_TABLE);
	r = netlink_ask(netlink, batch, count_rule, &count, err);
	if (r < 0)
		return r;
	if (count == firewall_rule_count)
		return 0;
	return refuse_as(err, -ENOENT,
			 "nftables: table \"inet " FIREWALL_TABLE
			 "\" has %zu rules of %zu (berth-net reload makes it anew)",
			 count, firewall_rule_count);
}

/* Whether the kernel would take elements in a transaction of @type; it leaves all as it is. */
static int try_elements(struct netlink *netlink, const struct firewall_elements *list,
			uint16_t type, struct error *err)
{
	_cleanup_nft_batch_ struct nft_batch batch = NFT_BATCH_EMPTY;
	char text[FIREWALL_KEY_TEXT_MAX] = "an element";
	struct nft_refusal refusal;
	int r;

	firewall_put_elements(&batch, type, list->items, list->count);
	r = nft_send(netlink, &batch, /* dry_run= */ true, &refusal, err);
	if (refusal.code != -ENOENT && !is_clash(refusal.code))
		return r;
	ignore(firewall_refused_text(&refusal, text)); /* the set's name says something, too */
	return refuse_as(err, -ENOENT, "nftables: %s in set \"%s\" %s (berth-net reload mends it)",
			 text, refusal.words.name,
			 is_clash(refusal.code) ? "leads elsewhere" : "is missing");
}

int firewall_check(const struct lease *lease, struct error *err)
{
	_cleanup_elements_ struct firewall_elements list = FIREWALL_ELEMENTS_EMPTY;
	_cleanup_netlink_ struct netlink netlink = NETLINK_CLOSED;
	int r;

	firewall_add_network(&list, &lease->network);
	r = firewall_add_ports(&list, lease, err);
	if (r >= 0)
		r = nft_open(&netlink, err);
	if (r >= 0)
		r = check_rules(&netlink, err);
	/* What can be removed is there; what can be added besides leads where it should. */
	if (r >= 0)
		r = try_elements(&netlink, &list, NFT_MSG_DELSETELEM, err);
	if (r >= 0)
		r = try_elements(&netlink, &list, NFT_MSG_NEWSETELEM, err);
	return r;
}
