/* SPDX-License-Identifier: Apache-2.0 */
/* How each kind of network brings a link into a container: one table of functions a kind. */
#ifndef BERTH_NET_DRIVER_H
#define BERTH_NET_DRIVER_H

#include "lease.h"
#include "netlink.h"

/* What a driver works with; nothing of it is the driver's. */
struct attachment {
	const struct store *store;
	struct lease *lease;	/* written, not complete; host_link and mac are set */
	int nsfd;		/* the container's network namespace */
	struct netlink *host;	/* NETLINK_ROUTE here */
	struct netlink *inside; /* NETLINK_ROUTE in the container's namespace */
};

struct driver {
	bool has_host_link; /* lease.host_link is a name to be chosen for it: this end of a pair */
	bool has_firewall;  /* firewall_add() and forwarding_check() are for it */
	bool has_mac;	    /* a MAC can be given */
	bool may_publish;
	bool needs_subnet;
	/* Makes what containers of the network share (the bridge, with its addresses); idempotent.
	 */
	int (*prepare)(const struct attachment *attachment, struct error *err);
	/* Makes the link in the container under lease.link, up. */
	int (*connect)(const struct attachment *attachment, struct error *err);
	/* Takes the link away, whatever is left of it. nsfd may be -1: the namespace is gone. */
	int (*disconnect)(const struct attachment *attachment, struct error *err);
	/* The last container of the network is gone. */
	int (*retire)(const struct attachment *attachment, struct error *err);
};

extern const struct driver bridge_driver, macvlan_driver, ipvlan_driver, host_device_driver;

const struct driver *driver_of(const struct network *network);

#endif
