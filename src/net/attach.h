/* SPDX-License-Identifier: Apache-2.0 */
/* Joining a container to a network, and parting them: the order of all steps, and their undoing. */
#ifndef BERTH_NET_ATTACH_H
#define BERTH_NET_ATTACH_H

#include "request.h"

/* The container's network namespace. */
struct attach_place {
	int nsfd; /* the caller's */
	struct netns_id id;
};

/*
 * Gives the namespace @place a link as @request says: lease, addresses, shared
 * parts of the network, the link with addresses, MTU and routes, loopback up, limits of bandwidth,
 * firewall, hosts file. A lease of the same container and link is -EEXIST, unless its namespace is
 * gone: then that one is taken away first. On failure everything is undone, and the first error
 * counts. *ret (may be NULL) lies in @arena.
 */
int attach_add(const struct store *store, struct arena *arena, const struct request *request,
	       const struct attach_place *place, struct lease *ret, struct error *err) must_check;

/* Undoes a lease whole, complete or not; what is gone already is fine. Goes on after an error, and
 * returns the first. */
int attach_remove(const struct store *store, struct arena *arena, const struct lease *lease,
		  struct error *err) must_check;

/* Compares a lease with the kernel: link, addresses, routes, bridge, firewall. The error names the
 * first difference. */
int attach_check(const struct lease *lease, struct error *err) must_check;

#endif
