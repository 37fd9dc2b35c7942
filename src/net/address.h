/* SPDX-License-Identifier: Apache-2.0 */
/* IP addresses and prefixes of both families: text, arithmetic, comparison. */
#ifndef BERTH_NET_ADDRESS_H
#define BERTH_NET_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

#include "berth/base/error.h"

struct address {
	int family;		 /* AF_INET or AF_INET6; 0: unset */
	unsigned char bytes[16]; /* network byte order; 4 of them for AF_INET, the rest is 0 */
};

/* An address with the length of its network's prefix; the bits behind it may be set. */
struct prefix {
	struct address address;
	unsigned length;
};

/* Room for a prefix as text: "ADDRESS/LENGTH". */
#define ADDRESS_TEXT_MAX (INET6_ADDRSTRLEN + 4)

/* Reads what inet_pton(3) reads, of either family. -EINVAL without a text otherwise. */
int address_parse(const char *text, struct address *ret) must_check;
/* "ADDRESS/LENGTH" (RFC 4632, RFC 4291 2.3). -EINVAL without a text. */
int prefix_parse(const char *text, struct prefix *ret) must_check;

void address_format(const struct address *address, char text[static ADDRESS_TEXT_MAX]);
void prefix_format(const struct prefix *prefix, char text[static ADDRESS_TEXT_MAX]);

/* Bytes of an address of its family: 4 or 16. */
size_t address_size(const struct address *address);
/* Families first, then bytes: as memcmp(3). */
int address_compare(const struct address *a, const struct address *b);
/* Whether it is unset, or 0.0.0.0 or ::. */
bool address_is_any(const struct address *address);
/* The next one; false where there is none. */
bool address_next(struct address *address);

/* Whether the address is of the prefix's family and network. */
bool prefix_contains(const struct prefix *prefix, const struct address *address);
/* Whether two networks have an address in common. */
bool prefix_overlap(const struct prefix *a, const struct prefix *b);
/* The first address of the network (all bits behind the prefix 0), and the last (all 1). */
struct address prefix_first(const struct prefix *prefix);
struct address prefix_last(const struct prefix *prefix);

#endif
