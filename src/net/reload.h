/* SPDX-License-Identifier: Apache-2.0 */
/* Making again what leases say: after somebody flushed the firewall, and after leftovers went. */
#ifndef BERTH_NET_RELOAD_H
#define BERTH_NET_RELOAD_H

#include "lease.h"

/*
 * Rebuilds from the complete leases: bridges with their addresses and settings, the whole nftables
 * table in one transaction (or none where no lease needs it), the hosts files. The store is open
 * for changes.
 */
int reload_all(const struct store *store, struct arena *arena, struct error *err) must_check;

#endif
