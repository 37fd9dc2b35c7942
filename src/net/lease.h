/* SPDX-License-Identifier: Apache-2.0 */
/* Leases: all that berth-net knows of one link of one container; what it is undone and rebuilt by.
 */
#ifndef BERTH_NET_LEASE_H
#define BERTH_NET_LEASE_H

#include "link.h"
#include "netns.h"
#include "network.h"
#include "publish.h"
#include "qdisc.h"
#include "store.h"

#define LEASE_ADDRESSES_MAX NETWORK_SUBNETS_MAX

struct lease {
	const char *id;	  /* of the container */
	const char *link; /* its name in the container */
	bool complete;	  /* false: add has begun, and not ended */
	struct netns_id netns;
	struct network network; /* as it was when the container was added */
	const char
		*host_link; /* this end of the veth pair, or the device's name here; NULL: none */
	bool has_mac;
	unsigned char mac[MAC_SIZE];
	struct prefix addresses[LEASE_ADDRESSES_MAX]; /* one for each subnet of the network */
	size_t address_count;
	struct publish_list publish;
	const char *const *names; /* in the hosts file; NULL-terminated, the id first */
	const char *cni; /* the CNI configuration by whose name an engine added it; NULL: none */
	struct rate to_container, from_container;
};

struct lease_list {
	struct lease *items; /* in the arena, by file name */
	size_t count;
};

/* Makes or replaces the lease's file, atomically. The store is open for changes. */
int lease_write(const struct store *store, const struct lease *lease, struct error *err) must_check;
/* Finds the lease of a container's link; all of it lies in @arena. -ENOENT with a text. */
int lease_find(const struct store *store, struct arena *arena, const char *id, const char *link,
	       struct lease *ret, struct error *err) must_check;
/* All leases, or those of one container (@id not NULL), or of one network (@network not NULL). A
 * file that is no lease is an error that names it. */
int lease_list(const struct store *store, struct arena *arena, const char *id, const char *network,
	       struct lease_list *ret, struct error *err) must_check;
/* Calls @each for one lease after the other, which are read one by one, until it returns another
 * value than 0, which is returned. */
int lease_each(const struct store *store, struct arena *arena,
	       int (*each)(void *data, const struct lease *lease), void *data,
	       struct error *err) must_check;
/* Forgets it; that it is gone already is fine. */
int lease_remove(const struct store *store, const struct lease *lease,
		 struct error *err) must_check;

/* "ID@LINK": the owner of addresses, the name of the file without its suffix; in @arena. */
const char *lease_owner(struct arena *arena, const struct lease *lease);

/* The lease as JSON object: what its file has, and `list --json`. */
void lease_write_json(struct json_writer *w, const struct lease *lease);

#endif
