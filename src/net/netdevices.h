/* SPDX-License-Identifier: Apache-2.0 */
/* Network devices of the host for a container: what berth has done for linux.netDevices
 * (runtime-spec config-linux.md, "Network Devices"). */
#ifndef BERTH_NET_NETDEVICES_H
#define BERTH_NET_NETDEVICES_H

#include <sys/types.h>

#include "berth/base/alloc.h"
#include "berth/base/error.h"

struct netdevice {
	const char *name;   /* here */
	const char *inside; /* there; "%d" in it stands for the first number that is free */
};

struct netdevices {
	pid_t pid; /* of a process in the container's network namespace */
	struct netdevice *items;
	size_t count;
};

/* Reads {"pid": N, "devices": {"eth1": {"name": "c1"}}}; all of *ret lies in @arena. */
int netdevices_read(struct arena *arena, const char *text, size_t size, struct netdevices *ret,
		    struct error *err) must_check;

/* Moves all of them, with their permanent global addresses, and sets them up. When one fails those
 * before it go back. */
int netdevices_move(const struct netdevices *devices, struct error *err) must_check;

#endif
