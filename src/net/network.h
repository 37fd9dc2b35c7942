/* SPDX-License-Identifier: Apache-2.0 */
/* Networks: what a container can be joined to. Their definitions, and the one that needs none. */
#ifndef BERTH_NET_NETWORK_H
#define BERTH_NET_NETWORK_H

#include <stdbool.h>
#include <stdint.h>

#include "berth/base/alloc.h"
#include "berth/base/json_read.h"
#include "berth/base/json_write.h"

#include "address.h"
#include "store.h"

/* The network that is there without a definition: a bridge "berth0", 10.187.0.0/16 and
 * fd5b:e774:9c01::/64. A definition of this name takes its place. */
#define NETWORK_DEFAULT "bridge"

#define NETWORK_SUBNETS_MAX 8

enum network_driver {
	NETWORK_BRIDGE,
	NETWORK_MACVLAN,
	NETWORK_IPVLAN,
	NETWORK_HOST_DEVICE, /* a link of the host, moved into the container */
	NETWORK_DRIVER_MAX
};

struct subnet {
	struct prefix prefix;	/* bits behind the prefix are 0 */
	struct address gateway; /* family 0: no default route. NETWORK_BRIDGE: the bridge's own */
	struct address first, last; /* of the pool, the gateway excepted */
};

struct network {
	const char *name;
	enum network_driver driver;
	const char *link; /* the bridge; of the others the parent, or the device itself */
	const char
		*mode; /* macvlan: bridge, private, vepa, passthru; ipvlan: l2, l3, l3s; or NULL */
	struct subnet subnets[NETWORK_SUBNETS_MAX];
	size_t subnet_count;
	uint32_t mtu;	    /* 0: the kernel's choice, or the parent's */
	bool internal;	    /* no way out, and no published ports: no default route, no NAT */
	bool no_isolation;  /* other bridges that have it too may reach it, and it them */
	bool no_masquerade; /* packets leave with the container's own address */
};

/*
 * Finds a definition by name: networks/NAME.json, or the built-in one. -ENOENT with a text.
 * All of *ret lies in @arena.
 */
int network_find(const struct store *store, struct arena *arena, const char *name,
		 struct network *ret, struct error *err) must_check;

/* A definition from its JSON object (docs/networks.md has the members); @what names it in errors.
 * Checks names, modes, that subnets do not overlap, that gateway and pool lie within. */
int network_decode(struct arena *arena, const struct json *json, const char *what,
		   struct network *ret, struct error *err) must_check;
/* Fills in what a definition may leave out (gateway, pool) and checks; network_decode() calls it.
 */
int network_complete(struct network *network, struct error *err) must_check;
/* The JSON object that network_decode() reads. */
void network_write(struct json_writer *w, const struct network *network);

/* Refuses a network of which a subnet or the bridge is another's, by a definition or a lease
 * (-EADDRINUSE). */
int network_check_beside(const struct store *store, const struct network *network,
			 struct error *err) must_check;
/* Keeps a new definition; -EEXIST; network_check_beside() is asked first. */
int network_create(const struct store *store, const struct network *network,
		   struct error *err) must_check;
/* Forgets it; -EBUSY while a lease is of it. */
int network_remove(const struct store *store, const char *name, struct error *err) must_check;

struct network_list {
	struct network *items; /* in the arena, by name; the built-in one among them */
	size_t count;
};
int network_list(const struct store *store, struct arena *arena, struct network_list *ret,
		 struct error *err) must_check;

/* "bridge", "macvlan", "ipvlan", "host-device". */
const char *network_driver_name(enum network_driver driver);

#endif
