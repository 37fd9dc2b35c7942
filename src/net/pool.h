/* SPDX-License-Identifier: Apache-2.0 */
/* The addresses of a network: who has which, and which is free. */
#ifndef BERTH_NET_POOL_H
#define BERTH_NET_POOL_H

#include "network.h"
#include "store.h"

/* An address that somebody wants. */
struct pool_wish {
	const struct network *network;
	const struct subnet *subnet; /* one of the network's */
	struct address address;	     /* family 0: any that is free */
	const char *owner;	     /* lease_owner() */
};

/*
 * Takes an address. One that is named must lie in the subnet, be neither the gateway's nor the
 * network's own nor its broadcast address, and be free (-EADDRINUSE names who has it). Otherwise
 * it is the one after the last that was given, so that an address is not given again soon: that
 * costs the same however many are taken, unless few are free. -EADDRNOTAVAIL: all are taken. The
 * store is open for changes.
 */
int pool_take(const struct store *store, const struct pool_wish *wish, struct address *ret,
	      struct error *err) must_check;

/* Gives it back; what is not @owner's stays. */
int pool_return(const struct store *store, const char *network, const struct address *address,
		const char *owner, struct error *err) must_check;

/* Whether an address of the network is taken: 1 or 0. Costs the same however many are. */
int pool_in_use(const struct store *store, const char *network, struct error *err) must_check;

/*
 * Removes what no lease stands for: addresses whose "ID@LINK" has no file in leases/, and what is
 * kept of networks without any address. *ret_count (may be NULL) counts addresses.
 */
int pool_sweep(const struct store *store, size_t *ret_count, struct error *err) must_check;

#endif
