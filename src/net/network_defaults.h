/* SPDX-License-Identifier: Apache-2.0 */
/* What a new network gets where its maker leaves the choice. */
#ifndef BERTH_NET_NETWORK_DEFAULTS_H
#define BERTH_NET_NETWORK_DEFAULTS_H

#include <net/if.h>

#include "network.h"

/* "br-NAME", or where that is too long for a link "br-" with digits that come from the name. */
void network_default_bridge(const char *name, char ret[static IFNAMSIZ]);

struct prefix_list {
	struct prefix *items; /* in an arena */
	size_t count;
};

/*
 * Gives the network an IPv4 subnet, the first /24 of 10.188.0.0/16 that has no address in common
 * with those in @taken, and a random IPv6 one (RFC 4193). -EADDRNOTAVAIL: all are taken.
 */
int network_choose_subnets(struct network *network, const struct prefix_list *taken,
			   struct error *err) must_check;

/* The subnets of all networks, and the IPv4 routes of this host; in @arena. */
int network_find_taken(const struct store *store, struct arena *arena, struct prefix_list *ret,
		       struct error *err) must_check;

/* Adds the destinations in the text of /proc/net/route, but for the default one. */
void network_read_routes(struct arena *arena, const char *text, struct prefix_list *list);

#endif
