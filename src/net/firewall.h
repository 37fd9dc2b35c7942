/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The nftables table `inet berth`: NAT, published ports, isolation; nft(8), by libnftnl.
 *
 * Theory of operation. The rules are constant; everything that networks and containers bring is an
 * element of a set or map, so a packet's way is as long for one container as for a thousand. Sets:
 *   bridges           links that are bridges of ours
 *   same              pairs (in, out) of links between which packets pass: a bridge and itself,
 *                     and those without isolation with each other
 *   internal          bridges without a way out
 *   masquerade4/6     subnets that leave by masquerading
 *   published4/6      (address, protocol, port) → (address, port) of a container
 *   published_any4/6  (protocol, port) → the same, for all addresses of the host
 * Chains: raw prerouting (nobody reaches the host's 127.0.0.0/8 through route_localnet,
 * CVE-2020-8558), dstnat prerouting and output (published ports), forward (isolation; nothing
 * reaches a container from outside but answers and published ports), srcnat postrouting
 * (masquerading, hairpin). Every change is one transaction.
 */
#ifndef BERTH_NET_FIREWALL_H
#define BERTH_NET_FIREWALL_H

#include "lease.h"

/*
 * Adds the elements of the lease's network and of its published ports. That they are there already
 * is fine. -ENOENT without a text: there is no table, or it lost its sets: the caller rebuilds.
 * -EPROTONOSUPPORT and the like say what to do (modprobe nf_tables).
 */
int firewall_add(const struct lease *lease, struct error *err) must_check;

/*
 * Removes the lease's published ports; with @last, also the elements of its network. What is not
 * there is fine, a missing table too.
 */
int firewall_remove(const struct lease *lease, bool last, struct error *err) must_check;

/* Replaces the whole table by what the leases say, in one transaction; with none, removes it. */
int firewall_rebuild(const struct lease_list *leases, struct error *err) must_check;

/*
 * Asks the kernel whether the table has all that firewall_add() would add for the lease; -ENOENT
 * with a text that names what is missing.
 */
int firewall_check(const struct lease *lease, struct error *err) must_check;

#endif
