/* SPDX-License-Identifier: Apache-2.0 */
/* Elements of the table's sets and maps: from leases, to messages, to words. */
#include "firewall_elements.h"

#include <arpa/inet.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "berth/base/alloc.h"
#include "berth/base/str.h"

void firewall_elements_done(struct firewall_elements *list)
{
	free(list->items);
	*list = (struct firewall_elements)FIREWALL_ELEMENTS_EMPTY;
}

static struct firewall_element *add(struct firewall_elements *list, enum firewall_set set)
{
	struct firewall_element *element;

	if (list->count == list->room) {
		list->room = list->room * 2 + 16;
		list->items = xrealloc(list->items, list->room, sizeof(*list->items));
	}
	element = &list->items[list->count++];
	*element = (struct firewall_element){.set = set};
	return element;
}

/* --- networks ----------------------------------------------------------------------------------
 */

static void add_link(struct firewall_elements *list, enum firewall_set set, const char *link)
{
	struct firewall_element *element = add(list, set);
	size_t length = strnlen(link, IFNAMSIZ - 1);

	memcpy(element->key, link, length);
	if (set == SET_SAME)
		memcpy(element->key + IFNAMSIZ, link, length);
}

void firewall_add_network(struct firewall_elements *list, const struct network *network)
{
	const struct {
		enum firewall_set set;
		bool wanted;
	} rows[] = {
		{SET_BRIDGES, true},
		{SET_SAME, true},
		{SET_OPEN, network->no_isolation},
		{SET_INTERNAL, network->internal},
		{SET_MASQUERADED, !network->internal && !network->no_masquerade},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (rows[i].wanted)
			add_link(list, rows[i].set, network->link);
	}
}

/* --- published ports ---------------------------------------------------------------------------
 */

static const struct address *container_address(const struct lease *lease, int family)
{
	for (size_t i = 0; i < lease->address_count; i++) {
		if (lease->addresses[i].address.family == family)
			return &lease->addresses[i].address;
	}
	return NULL;
}

static void put_port(unsigned char *at, unsigned port)
{
	const uint16_t value = htons((uint16_t)port);

	memcpy(at, &value, sizeof(value));
}

/* One element for each port, @to being the container's address. */
static void add_range(struct firewall_elements *list, const struct publish *item,
		      const struct address *to)
{
	bool is_4 = to->family == AF_INET, any = address_is_any(&item->host);
	enum firewall_set set = any ? (is_4 ? SET_PUBLISHED_ANY4 : SET_PUBLISHED_ANY6)
				    : (is_4 ? SET_PUBLISHED4 : SET_PUBLISHED6);
	size_t size = address_size(to), protocol_at = any ? 0 : size;

	for (unsigned i = 0; i < item->count; i++) {
		struct firewall_element *element = add(list, set);

		if (!any)
			memcpy(element->key, item->host.bytes, size);
		element->key[protocol_at] = item->protocol;
		put_port(element->key + protocol_at + 4, item->host_port + i);
		memcpy(element->data, to->bytes, size);
		put_port(element->data + size, item->container_port + i);
	}
}

static int add_published(struct firewall_elements *list, const struct lease *lease,
			 const struct publish *item, struct error *err)
{
	static const int families[] = {AF_INET, AF_INET6};
	char text[ADDRESS_TEXT_MAX];
	size_t before = list->count;

	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		const struct address *to = container_address(lease, families[i]);

		if (to && (item->host.family == 0 || item->host.family == families[i]))
			add_range(list, item, to);
	}
	if (list->count > before || item->host.family == 0)
		return 0;
	address_format(&item->host, text);
	return refuse(err, "port %u of address \"%s\": the container has no address of that family",
		      item->host_port, text);
}

int firewall_add_ports(struct firewall_elements *list, const struct lease *lease, struct error *err)
{
	for (size_t i = 0; i < lease->publish.count; i++) {
		int r = add_published(list, lease, &lease->publish.items[i], err);

		if (r < 0)
			return r;
	}
	return 0;
}

/* --- messages ----------------------------------------------------------------------------------
 */

static void put_value(struct nlmsghdr *message, uint16_t type, const void *value, size_t size)
{
	struct nlattr *nest = mnl_attr_nest_start(message, type);

	mnl_attr_put(message, NFTA_DATA_VALUE, size, value);
	mnl_attr_nest_end(message, nest);
}

static void put_element(struct nlmsghdr *message, const struct firewall_element *element)
{
	const struct firewall_set_type *type = &firewall_sets[element->set];
	struct nlattr *nest = mnl_attr_nest_start(message, NFTA_LIST_ELEM);

	put_value(message, NFTA_SET_ELEM_KEY, element->key, type->key_size);
	if (type->data_size)
		put_value(message, NFTA_SET_ELEM_DATA, element->data, type->data_size);
	mnl_attr_nest_end(message, nest);
}

/* Most bytes of an element as attributes. */
#define ELEMENT_MAX 96

/* Fills a message with the first elements, all of the same set, as far as @room bytes reach.
 * Returns how many. */
static size_t put_list(struct nlmsghdr *message, const struct firewall_element *items, size_t count,
		       size_t room)
{
	struct nlattr *nest;
	size_t i;

	mnl_attr_put_strz(message, NFTA_SET_ELEM_LIST_TABLE, FIREWALL_TABLE);
	mnl_attr_put_strz(message, NFTA_SET_ELEM_LIST_SET, firewall_sets[items->set].name);
	nest = mnl_attr_nest_start(message, NFTA_SET_ELEM_LIST_ELEMENTS);
	for (i = 0; i < count && items[i].set == items->set; i++) {
		if (message->nlmsg_len > room - ELEMENT_MAX)
			break;
		put_element(message, &items[i]);
	}
	mnl_attr_nest_end(message, nest);
	return i;
}

void firewall_put_elements(struct nft_batch *batch, uint16_t type,
			   const struct firewall_element *items, size_t count)
{
	const uint16_t flags = type == NFT_MSG_NEWSETELEM ? NLM_F_CREATE : 0;

	for (size_t done = 0; done < count;) {
		const char *set = firewall_sets[items[done].set].name;
		struct nlmsghdr *message =
			nft_begin(batch, type, flags, (struct nft_words){FIREWALL_CHANGE_SET, set});

		done += put_list(message, items + done, count - done, NFT_MESSAGE_MAX);
	}
}

/* --- questions ---------------------------------------------------------------------------------
 */

/* Answers come in the order of the questions, and end with the first that is missing. */
struct search {
	const struct firewall_element *next;
	bool differs; /* next is there, and its data is other than it should be */
};

static int find_element(const struct nlattr *attr, void *data)
{
	const struct nlattr **found = data;

	if (mnl_attr_get_type(attr) == NFTA_SET_ELEM_LIST_ELEMENTS)
		*found = mnl_attr_get_payload(attr);
	return MNL_CB_OK;
}

static int find_data(const struct nlattr *attr, void *data)
{
	const struct nlattr **found = data;

	if (mnl_attr_get_type(attr) == NFTA_SET_ELEM_DATA)
		*found = mnl_attr_get_payload(attr);
	return MNL_CB_OK;
}

static int compare_answer(const struct nlmsghdr *answer, void *data)
{
	struct search *search = data;
	const unsigned size = firewall_sets[search->next->set].data_size;
	const struct nlattr *element = NULL, *value = NULL;

	mnl_attr_parse(answer, sizeof(struct nfgenmsg), find_element, &element);
	if (element)
		mnl_attr_parse_nested(element, find_data, &value);
	if (search->differs)
		return 0;
	if (size > 0 && (!value || mnl_attr_get_payload_len(value) != size ||
			 memcmp(mnl_attr_get_payload(value), search->next->data, size) != 0))
		search->differs = true;
	else
		search->next++;
	return 0;
}

int firewall_find_elements(struct netlink *nft, const struct firewall_elements *list,
			   struct error *err)
{
	char text[FIREWALL_KEY_TEXT_MAX];

	for (size_t done = 0; done < list->count;) {
		_cleanup_batch_ struct netlink_batch *batch = netlink_batch_new();
		const struct firewall_element *first = list->items + done;
		const char *set = firewall_sets[first->set].name;
		struct search search = {.next = first};
		struct nlmsghdr *message = nft_question(batch, NFT_MSG_GETSETELEM, 0,
							(struct nft_words){"look into set", set});
		size_t asked = put_list(message, first, list->count - done, NETLINK_MESSAGE_MAX);
		int r = netlink_ask(nft, batch, compare_answer, &search, err);

		if (r < 0)
			return r;
		done += asked;
		if (search.next == first + asked)
			continue;
		firewall_key_text(search.next->set, search.next->key, text);
		return refuse_as(err, -ENOENT,
				 "nftables: %s in set \"%s\" %s (berth-net reload mends it)", text,
				 set, search.differs ? "leads elsewhere" : "is missing");
	}
	return 0;
}

/* --- words -------------------------------------------------------------------------------------
 */

void firewall_key_text(enum firewall_set set, const unsigned char *key,
		       char text[static FIREWALL_KEY_TEXT_MAX])
{
	struct address address = {.family = set == SET_PUBLISHED6 ? AF_INET6 : AF_INET};
	char host[ADDRESS_TEXT_MAX] = "";
	size_t at = 0;
	uint16_t port;

	if (firewall_sets[set].data_size == 0) {
		snprintf(text, FIREWALL_KEY_TEXT_MAX, "%.15s", (const char *)key);
		return;
	}
	if (set == SET_PUBLISHED4 || set == SET_PUBLISHED6) {
		at = address_size(&address);
		memcpy(address.bytes, key, at);
		address_format(&address, host);
	}
	memcpy(&port, key + at + 4, sizeof(port));
	snprintf(text, FIREWALL_KEY_TEXT_MAX, "%s%s%s%s%u/%s", set == SET_PUBLISHED6 ? "[" : "",
		 host, set == SET_PUBLISHED6 ? "]" : "", at ? ":" : "", ntohs(port),
		 key[at] == IPPROTO_TCP ? "tcp" : "udp");
}

/* The value within an attribute of the shape of NFTA_SET_ELEM_KEY. */
static int find_key(const struct nlattr *attr, void *data)
{
	const struct nlattr **key = data;

	if (mnl_attr_get_type(attr) == NFTA_SET_ELEM_KEY)
		*key = mnl_attr_get_payload(attr);
	return MNL_CB_OK;
}

bool firewall_refused_text(const struct nft_refusal *refusal,
			   char text[static FIREWALL_KEY_TEXT_MAX])
{
	const struct nlattr *key = NULL;

	if (!refusal->attribute || mnl_attr_get_type(refusal->attribute) != NFTA_LIST_ELEM)
		return false;
	mnl_attr_parse_nested(refusal->attribute, find_key, &key);
	for (unsigned i = 0; key && i < SET_MAX; i++) {
		if (!str_equal(firewall_sets[i].name, refusal->words.name) ||
		    mnl_attr_get_payload_len(key) != firewall_sets[i].key_size)
			continue;
		firewall_key_text(i, mnl_attr_get_payload(key), text);
		return true;
	}
	return false;
}
