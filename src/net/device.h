/* SPDX-License-Identifier: Apache-2.0 */
/* A link that goes into another network namespace, with what the kernel takes from it on the way.
 */
#ifndef BERTH_NET_DEVICE_H
#define BERTH_NET_DEVICE_H

#include "berth/base/alloc.h"

#include "link.h"

/* An address as it stood on a device, of global scope and permanent. */
struct device_address {
	struct prefix local;
	struct address peer, broadcast; /* family 0: none */
	uint32_t flags;			/* IFA_F_… */
	uint32_t metric;		/* 0: the kernel's */
	struct device_address *next;
};

struct device {
	struct link_info link;
	struct device_address *addresses; /* in the arena, in the kernel's order */
};

/* A link with its addresses; -ENODEV with a text where there is none. */
int device_find(struct netlink *netlink, struct arena *arena, const char *name, struct device *ret,
		struct error *err) must_check;

/* One side of a move: a namespace, and a NETLINK_ROUTE socket in it. */
struct device_place {
	int nsfd;
	struct netlink *netlink;
	const char *what; /* for the error: "the container" */
};

/*
 * Moves the device, which is where @from is, into @to under the name @name ("%d" in it stands for
 * the first number that is free there), gives it its addresses again where @keep_addresses, and
 * sets it up where @up. A link of that name is -EEXIST. On failure the device is where and what it
 * was, or the error says that it is not.
 */
struct device_move {
	struct device_place from, to;
	const char *name;
	bool keep_addresses;
	bool up;
};
/* Returns the device's index there. */
int device_move(const struct device *device, const struct device_move *move,
		struct error *err) must_check;

/* Undoes a move that succeeded: name, addresses, and state are those of before. */
int device_move_back(const struct device *device, const struct device_move *move, int index,
		     struct error *err) must_check;

#endif
