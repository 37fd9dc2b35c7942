/* SPDX-License-Identifier: Apache-2.0 */
/* Network namespaces: opened once, checked, and told from others of the same name or number. */
#ifndef BERTH_NET_NETNS_H
#define BERTH_NET_NETNS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "berth/base/error.h"
#include "berth/base/fd.h"

/* By what a namespace is found again, and how it is known for the same. */
struct netns_id {
	pid_t pid;	      /* a process in it; 0: found by path */
	uint64_t start_ticks; /* of the process, pidref_start_time() */
	const char *path;     /* absolute; NULL: found by pid */
	uint64_t cookie;      /* SO_NETNS_COOKIE: no two namespaces of a boot have the same */
};

/*
 * Opens the network namespace of process @pid, which is pinned meanwhile, and fills *ret_id.
 * Errors: there is no such process, or it is not the one meant: @start_ticks (0: not known).
 * Refused: the namespace that the caller is in, since that is the host's.
 */
int netns_open_pid(pid_t pid, uint64_t start_ticks, struct netns_id *ret_id,
		   struct error *err) must_check;
/* The same by a path such as /run/netns/x. What is no network namespace is refused (ioctl_ns(2)).
 */
int netns_open_path(const char *path, struct netns_id *ret_id, struct error *err) must_check;
/* Opens it again by its id; -ENOENT where it is gone or another one is there by now. */
int netns_open(const struct netns_id *id, struct error *err) must_check;

/* The namespace that the caller is in. */
int netns_open_own(struct error *err) must_check;

/* Whether a namespace of that id is still there; errors count as gone. */
bool netns_is_alive(const struct netns_id *id);

/*
 * Calls @act in the namespace @nsfd, and returns to the caller's own; a failure to return ends the
 * process. Sockets that @act opens stay in that namespace.
 */
int netns_visit(int nsfd, int (*act)(void *data, struct error *err), void *data,
		struct error *err) must_check;

#endif
