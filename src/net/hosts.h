/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hosts file of a network: hosts(5), one for all of its containers, which mount it read-only.
 *
 * One shared file costs one line for a container that comes, however many are there. It is written
 * in place, since containers have mounted the inode, and so that who reads meanwhile sees whole
 * lines: a line whose container is gone gets "#" for its first byte, and its room is used again.
 */
#ifndef BERTH_NET_HOSTS_H
#define BERTH_NET_HOSTS_H

#include "lease.h"

/* Makes sure that hosts/NETWORK is there, with the lines of localhost; yields its absolute path, in
 * @arena: what a bundle's config.json mounts on /etc/hosts. */
int hosts_prepare(const struct store *store, struct arena *arena, const char *network,
		  const char **ret_path, struct error *err) must_check;

/* Adds a line for each address of the lease, with all its names. A name that another container
 * of the network has already, or that means this host, is left out but for the id. */
int hosts_add(const struct store *store, const struct lease *lease, struct error *err) must_check;

/* Removes the lines of the lease's addresses; that there are none is fine. */
int hosts_remove(const struct store *store, const struct lease *lease,
		 struct error *err) must_check;

/* Makes the file hold what the complete leases of the network say, and nothing else. Lines that are
 * right stay where they are. */
int hosts_rebuild(const struct store *store, const char *network, const struct lease_list *leases,
		  struct error *err) must_check;

#endif
