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
	int nsfd;		/* the container's network namespace; -1: it is gone */
	struct netlink *host;	/* NETLINK_ROUTE here */
	struct netlink *inside; /* NETLINK_ROUTE in the container's namespace; NULL: not open */
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
	/* Makes the link in the container under lease.link, with its MAC and MTU, down. -EEXIST
	 * says that the container has a link of that name. On failure nothing of it is left. */
	int (*connect)(const struct attachment *attachment, struct error *err);
	/* Takes the link away, whatever is left of it, and nothing that is not the lease's. */
	int (*disconnect)(const struct attachment *attachment, struct error *err);
	/* The last container of the network is gone: inside is not looked at. */
	int (*retire)(const struct attachment *attachment, struct error *err);
};

extern const struct driver bridge_driver, macvlan_driver, ipvlan_driver, host_device_driver;

const struct driver *driver_of(const struct network *network);

/* For drivers: one that has nothing to do there, and whether the container has no link of the
 * lease's name yet (-EEXIST otherwise). */
int driver_nothing(const struct attachment *attachment, struct error *err) must_check;
int driver_check_name(const struct attachment *attachment, struct error *err) must_check;
/* attachment.inside, or where it is not open *own, which is opened. */
int driver_inside(const struct attachment *attachment, struct netlink *own, struct netlink **ret,
		  struct error *err) must_check;

#endif
