/* SPDX-License-Identifier: Apache-2.0 */
/* What a lease brings to the sets and maps of the table. */
#ifndef BERTH_NET_FIREWALL_ELEMENTS_H
#define BERTH_NET_FIREWALL_ELEMENTS_H

#include "firewall_rules.h"
#include "lease.h"

struct firewall_element {
	enum firewall_set set;
	unsigned char key[FIREWALL_KEY_MAX];
	unsigned char data[FIREWALL_DATA_MAX];
};

struct firewall_elements {
	struct firewall_element *items; /* owned */
	size_t count, room;
};

#define FIREWALL_ELEMENTS_EMPTY                                                                    \
	{                                                                                          \
		.items = NULL                                                                      \
	}

void firewall_elements_done(struct firewall_elements *list);
#define _cleanup_elements_ __attribute__((cleanup(firewall_elements_done)))

/* Appends the elements of the network itself: the same for all of its leases. */
void firewall_add_network(struct firewall_elements *list, const struct network *network);
/* Appends one element for each published port and family. -EINVAL with a text where a port is
 * published at an address of a family that the container has no address of. */
int firewall_add_ports(struct firewall_elements *list, const struct lease *lease,
		       struct error *err) must_check;

/* The words of these messages, beside the set's name. */
#define FIREWALL_CHANGE_SET "change set"
/* Appends messages of @type, NFT_MSG_NEWSETELEM or NFT_MSG_DELSETELEM, for elements of the list. */
void firewall_put_elements(struct nft_batch *batch, uint16_t type,
			   const struct firewall_element *items, size_t count);

/* Asks whether all elements of the list are there, with their data. -ENOENT with a text otherwise.
 */
int firewall_find_elements(struct netlink *nft, const struct firewall_elements *list,
			   struct error *err) must_check;

/* The key of an element as people write it: "10.0.0.1:80/tcp", "80/udp", "berth0". */
#define FIREWALL_KEY_TEXT_MAX 80
void firewall_key_text(enum firewall_set set, const unsigned char *key,
		       char text[static FIREWALL_KEY_TEXT_MAX]);
/* The same of the element that was refused; false where the kernel does not say which. */
bool firewall_refused_text(const struct nft_refusal *refusal,
			   char text[static FIREWALL_KEY_TEXT_MAX]);

#endif
