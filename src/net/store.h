/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where berth-net keeps what it knows: /var/lib/berth-net, or --root.
 *
 *   lock                  held by flock(2): shared to read, exclusive to change
 *   boot                  the boot of which the leases are: after the next one they mean nothing
 *   networks/NAME.json    definitions of networks (network.h); they stay over a boot
 *   hosts/NAME            the hosts file of a network (hosts.h); containers mount it, read-only
 *   leases/ID@LINK.json   one for each link of a container (lease.h)
 *   addresses/NAME/ADDR   a symbolic link to ID@LINK: the address is taken (pool.h)
 *
 * Theory of operation. A change holds the exclusive lock from its first to its last step, and
 * writes a lease before it makes anything: so who has the lock and finds a lease that is not
 * complete knows that its writer was killed, and undoes it. Nothing is synced: leases do not
 * outlive a boot.
 */
#ifndef BERTH_NET_STORE_H
#define BERTH_NET_STORE_H

#include <stdbool.h>

#include "berth/base/error.h"
#include "berth/base/fd.h"

enum store_access {
	STORE_READ,  /* shared lock; a directory that is missing is an empty store */
	STORE_CHANGE /* exclusive lock; what is missing is made, leases of another boot are dropped
		      */
};

struct store {
	const char *path; /* the caller's */
	int rootfd;	  /* owned; -EBADF: there is none (STORE_READ) */
	int lockfd;	  /* owned */
	int networksfd, hostsfd, leasesfd, addressesfd; /* owned */
};

#define STORE_CLOSED                                                                               \
	{                                                                                          \
		.rootfd = -EBADF, .lockfd = -EBADF, .networksfd = -EBADF, .hostsfd = -EBADF,       \
		.leasesfd = -EBADF, .addressesfd = -EBADF                                          \
	}

/* Opens and locks; waits for the lock 60 s at most (-ETIMEDOUT says who may hold it). */
int store_open(const char *path, enum store_access access, struct store *ret,
	       struct error *err) must_check;
/* Unlocks and closes. */
void store_close(struct store *store);

#define _cleanup_store_ __attribute__((cleanup(store_close)))

#endif
