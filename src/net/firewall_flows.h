/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Flows of UDP that conntrack remembers, and that published ports have made wrong. Conntrack asks
 * the rules for the first packet of a flow only, and UDP knows no first packet: who goes on sending
 * from the same port would reach what was there before, for ever.
 */
#ifndef BERTH_NET_FIREWALL_FLOWS_H
#define BERTH_NET_FIREWALL_FLOWS_H

#include "lease.h"

enum flow_fate {
	FLOWS_TO_HOST,	    /* began before the ports were published, and so end at the host */
	FLOWS_TO_CONTAINER, /* lead to a container that is going away */
};

/* Makes conntrack forget such flows to the leases' ports. It asks the kernel only where a port of
 * UDP is published. That the kernel lacks nf_conntrack_netlink is fine: then such a flow goes wrong
 * until its sender pauses for as long as conntrack remembers (30 s, or 120 s). */
int flows_forget(struct netlink *nft, const struct lease *leases, size_t count, enum flow_fate fate,
		 struct error *err) must_check;

#endif
