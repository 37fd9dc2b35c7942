/* SPDX-License-Identifier: Apache-2.0 */
/* Changes of the nftables table: see firewall.h for its design, firewall_rules.c for the rules. */
#include "firewall.h"

#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include "berth/base/str.h"

#include "firewall_elements.h"
#include "firewall_flows.h"

/* Whether an element is there with other data: a port that leads elsewhere. */
static bool is_clash(int code)
{
	return code == -EEXIST || code == -EBUSY; /* it depends on the kernel */
}

/* Not a clash of tables, which somebody else may cause who makes one of the same name. */
static bool is_port_clash(const struct nft_refusal *refusal)
{
	return is_clash(refusal->code) && str_equal(refusal->words.what, FIREWALL_CHANGE_SET);
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

static int is_there(const struct nlmsghdr *answer, void *data)
{
	bool *found = data;

	(void)answer;
	*found = true;
	return 0;
}

/* A question costs microseconds; a transaction that fails costs a grace period of RCU. */
static int find_table(struct netlink *nft, bool *ret, struct error *err)
{
	const struct nft_words words = {"look for table", FIREWALL_TABLE};
	_cleanup_batch_ struct netlink_batch *batch = netlink_batch_new();
	struct nlmsghdr *message = nft_question(batch, NFT_MSG_GETTABLE, 0, words);
	int r;

	mnl_attr_put_strz(message, NFTA_TABLE_NAME, FIREWALL_TABLE);
	*ret = false;
	r = netlink_ask(nft, batch, is_there, ret, err);
	/* So nfnetlink says that there is no nf_tables. */
	if (r == -EINVAL)
		return nft_explain(-EOPNOTSUPP, words, err);
	return r < 0 ? nft_explain(r, words, err) : 0;
}

static int count_rule(const struct nlmsghdr *answer, void *data)
{
	size_t *count = data;

	if (NFNL_MSG_TYPE(answer->nlmsg_type) == NFT_MSG_NEWRULE)
		(*count)++;
	return 0;
}

/* How many rules our table has: none where there is no table. */
static int count_rules(struct netlink *nft, size_t *ret, struct error *err)
{
	const struct nft_words words = {"list rules of table", FIREWALL_TABLE};
	_cleanup_batch_ struct netlink_batch *batch = netlink_batch_new();
	struct nlmsghdr *message = nft_question(batch, NFT_MSG_GETRULE, NLM_F_DUMP, words);
	int r;

	mnl_attr_put_strz(message, NFTA_RULE_TABLE, FIREWALL_TABLE);
	*ret = 0;
	r = netlink_ask(nft, batch, count_rule, ret, err);
	/* So nfnetlink says that there is no nf_tables. */
	if (r == -EINVAL)
		return nft_explain(-EOPNOTSUPP, words, err);
	return r;
}

/* --- adding ------------------------------------------------------------------------------------
 */

int firewall_add(struct netlink *nft, const struct lease *lease, struct error *err)
{
	_cleanup_elements_ struct firewall_elements list = FIREWALL_ELEMENTS_EMPTY;
	_cleanup_nft_batch_ struct nft_batch batch = NFT_BATCH_EMPTY;
	struct error failure = ERROR_NONE;
	struct nft_refusal refusal;
	size_t rules = 0;
	int r;

	firewall_add_network(&list, &lease->network);
	r = firewall_add_ports(&list, lease, err);
	if (r >= 0)
		r = nft_open(nft, err);
	if (r >= 0)
		r = count_rules(nft, &rules, err);
	if (r < 0 || rules != firewall_rule_count)
		return r < 0 ? r : -ENOENT;
	firewall_put_elements(&batch, NFT_MSG_NEWSETELEM, list.items, list.count);
	r = nft_send(nft, &batch, &refusal, &failure);
	if (r == -ENOENT)
		return r;
	if (is_port_clash(&refusal))
		return ports_refused(&refusal, err);
	if (r < 0)
		*err = failure;
	return r < 0 ? r : flows_forget(nft, lease, 1, FLOWS_TO_HOST, err);
}

static int put_all(struct firewall_elements *list, const struct lease_list *leases,
		   struct error *err)
{
	for (size_t i = 0; i < leases->count; i++) {
		int r;

		firewall_add_network(list, &leases->items[i].network);
		r = firewall_add_ports(list, &leases->items[i], err);
		if (r < 0)
			return within(err, r, "container \"%s\"", leases->items[i].id);
	}
	return 0;
}

int firewall_rebuild(struct netlink *nft, const struct lease_list *leases, struct error *err)
{
	_cleanup_elements_ struct firewall_elements list = FIREWALL_ELEMENTS_EMPTY;
	_cleanup_nft_batch_ struct nft_batch batch = NFT_BATCH_EMPTY;
	struct nft_refusal refusal;
	bool found = false;
	int r = put_all(&list, leases, err);

	if (r >= 0)
		r = nft_open(nft, err);
	if (r >= 0)
		r = find_table(nft, &found, err);
	if (r < 0)
		return r;
	/* Without a removal nothing waits for RCU. */
	if (found)
		firewall_put_removal(&batch);
	if (leases->count > 0) {
		firewall_put_table(&batch);
		firewall_put_elements(&batch, NFT_MSG_NEWSETELEM, list.items, list.count);
	}
	r = nft_send(nft, &batch, &refusal, err);
	if (is_port_clash(&refusal))
		return ports_refused(&refusal, err);
	return r < 0 ? r : flows_forget(nft, leases->items, leases->count, FLOWS_TO_HOST, err);
}

/* --- removal -----------------------------------------------------------------------------------
 */

/*
 * One transaction that removes elements. Each is added before: to remove what is not there would
 * end the transaction, and to add what is there does nothing, unless the port leads to another
 * container: then it is a clash, and the other one's port stays.
 */
static int remove_elements(struct netlink *nft, const struct firewall_element *items, size_t count,
			   struct error *err)
{
	_cleanup_nft_batch_ struct nft_batch batch = NFT_BATCH_EMPTY;

	firewall_put_elements(&batch, NFT_MSG_NEWSETELEM, items, count);
	firewall_put_elements(&batch, NFT_MSG_DELSETELEM, items, count);
	return nft_send(nft, &batch, /* ret= */ NULL, err);
}

/* The same, each element by itself: somebody changed the table, or ports are another's. */
static int remove_each(struct netlink *nft, const struct firewall_elements *list, struct error *err)
{
	bool missing[SET_MAX] = {false};

	for (size_t i = 0; i < list->count; i++) {
		const struct firewall_element *item = &list->items[i];
		struct error failure = ERROR_NONE;
		int r;

		if (missing[item->set])
			continue;
		r = remove_elements(nft, item, 1, &failure);
		missing[item->set] = r == -ENOENT;
		if (r < 0 && r != -ENOENT && !is_clash(r)) {
			*err = failure;
			return r;
		}
	}
	return 0;
}

/* What a lease stands for, or with it its network. */
static int remove_lease(struct netlink *nft, const struct lease *lease, bool with_network,
			struct error *err)
{
	_cleanup_elements_ struct firewall_elements list = FIREWALL_ELEMENTS_EMPTY;
	struct error failure = ERROR_NONE;
	int r;

	/* A lease whose ports cannot be published has published none. */
	ignore(firewall_add_ports(&list, lease, &failure));
	if (with_network)
		firewall_add_network(&list, &lease->network);
	r = remove_elements(nft, list.items, list.count, &failure);
	if (r == -ENOENT || is_clash(r))
		return remove_each(nft, &list, err);
	if (r < 0)
		*err = failure;
	return r;
}

static int remove_table(struct netlink *nft, struct error *err)
{
	_cleanup_nft_batch_ struct nft_batch batch = NFT_BATCH_EMPTY;

	firewall_put_removal(&batch);
	return nft_send(nft, &batch, /* ret= */ NULL, err);
}

int firewall_remove(struct netlink *nft, const struct lease *lease, enum firewall_last last,
		    struct error *err)
{
	bool found = false;
	int r = 0;

	/* Whoever publishes nothing, and is not the last, has nothing here. */
	if (lease->publish.count == 0 && last == FIREWALL_NOT_LAST)
		return 0;
	r = nft_open(nft, err);
	if (r >= 0)
		r = find_table(nft, &found, err);
	if (r >= 0 && found && last == FIREWALL_LAST_OF_ALL)
		r = remove_table(nft, err);
	else if (r >= 0 && found)
		r = remove_lease(nft, lease, last == FIREWALL_LAST_OF_NETWORK, err);
	return r < 0 ? r : flows_forget(nft, lease, 1, FLOWS_TO_CONTAINER, err);
}

/* --- checking ----------------------------------------------------------------------------------
 */

static int check_rules(struct netlink *nft, struct error *err)
{
	size_t count = 0;
	int r = count_rules(nft, &count, err);

	if (r < 0 || count == firewall_rule_count)
		return r;
	return refuse_as(err, -ENOENT,
			 "nftables: table \"inet " FIREWALL_TABLE
			 "\" has %zu rule%s of %zu (berth-net reload makes it anew)",
			 count, plural_s(count), firewall_rule_count);
}

int firewall_check(struct netlink *nft, const struct lease *lease, struct error *err)
{
	_cleanup_elements_ struct firewall_elements list = FIREWALL_ELEMENTS_EMPTY;
	int r;

	firewall_add_network(&list, &lease->network);
	r = firewall_add_ports(&list, lease, err);
	if (r >= 0)
		r = nft_open(nft, err);
	if (r >= 0)
		r = check_rules(nft, err);
	return r < 0 ? r : firewall_find_elements(nft, &list, err);
}
