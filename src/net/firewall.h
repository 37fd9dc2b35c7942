/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The nftables table `inet berth`: NAT, published ports, isolation; nft(8), by libnftnl.
 *
 * Theory of operation. The rules are constant; everything that networks and containers bring is an
 * element of a set or map, so a packet's way is as long for one container as for a thousand. Sets:
 *   bridges           links that are bridges of ours
 *   same              pairs (in, out) of a bridge and itself
 *   open              bridges without isolation from each other
 *   internal          bridges without a way out
 *   masqueraded       bridges whose packets leave with the host's address
 *   published4/6      (address, protocol, port) → (address, port) of a container
 *   published_any4/6  (protocol, port) → the same, for all addresses of the host
 * Chains: guard (nobody reaches the host's 127.0.0.0/8 through route_localnet, CVE-2020-8558),
 * prerouting, output and published (published ports), forward (isolation; nothing reaches a
 * container from outside but answers and published ports), postrouting (masquerading, hairpin).
 * firewall_rules.c has them all. Every change is one transaction. What conntrack remembers of UDP
 * and has become wrong by a change is forgotten (firewall_flows.h).
 */
#ifndef BERTH_NET_FIREWALL_H
#define BERTH_NET_FIREWALL_H

#include "lease.h"

/*
 * All functions take a socket, and open it where it is NETLINK_CLOSED. The caller closes it, as
 * late as possible: the kernel frees what was removed a grace period of RCU later, and closing
 * waits for that, 10 ms and more, unless it is over by then. Removing links takes as long, so that
 * both waits are one where the socket is closed behind them. Adding waits for nothing.
 */

/*
 * Adds the elements of the lease's network and of its published ports. That they are there already
 * is fine. -ENOENT without a text: there is no table, or it lost rules or sets: the caller
 * rebuilds. -EADDRINUSE names a port that another container publishes, and nothing was added. Where
 * the kernel lacks something the error says what to do (modprobe).
 */
int firewall_add(struct netlink *nft, const struct lease *lease, struct error *err) must_check;

/* What goes beside the published ports of a lease. */
enum firewall_last {
	FIREWALL_NOT_LAST,	  /* nothing */
	FIREWALL_LAST_OF_NETWORK, /* the elements of its network */
	FIREWALL_LAST_OF_ALL	  /* the table */
};

/*
 * Removes the lease's published ports, and what @last says. What is not there is fine, a missing
 * table too. Ports that lead to another container stay, so that a lease whose firewall_add() failed
 * can be undone like any other.
 */
int firewall_remove(struct netlink *nft, const struct lease *lease, enum firewall_last last,
		    struct error *err) must_check;

/* Replaces the whole table by what the leases say, in one transaction; with none, removes it. */
int firewall_rebuild(struct netlink *nft, const struct lease_list *leases,
		     struct error *err) must_check;

/*
 * Asks the kernel whether the table has all that firewall_add() would add for the lease, and all
 * rules; -ENOENT with a text that names what is missing.
 */
int firewall_check(struct netlink *nft, const struct lease *lease, struct error *err) must_check;

#endif
