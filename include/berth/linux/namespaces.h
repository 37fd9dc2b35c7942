/* SPDX-License-Identifier: Apache-2.0 */
/* Namespaces: flags, opening those to join, joining them. See namespaces(7), setns(2). */
#ifndef BERTH_LINUX_NAMESPACES_H
#define BERTH_LINUX_NAMESPACES_H

#include "berth/base/error.h"
#include "berth/spec/spec.h"

/* CLONE_NEW… of a kind. */
unsigned namespace_flag(enum namespace_kind kind);

/*
 * Opens the files of all namespaces that are to be joined by path, and checks that each is of its
 * kind (ioctl_ns(2)). fds[kind] is the caller's, -1 where none is joined. On failure none is left
 * open. Errors name linux.namespaces[N].path.
 */
int namespaces_open(const struct spec_namespace namespaces[static NAMESPACE_MAX],
		    int fds[static NAMESPACE_MAX], struct error *err) must_check;

/* Yields a descriptor of the user namespace of process @pid. */
int user_namespace_open(int procfd, pid_t pid, struct error *err) must_check;

/* setns(2) into @fd, which is a namespace of @kind. */
int namespace_join(int fd, enum namespace_kind kind, struct error *err) must_check;

/* unshare(2) of one kind. */
int namespace_unshare(enum namespace_kind kind, struct error *err) must_check;

/*
 * time.c: writes the offsets of the time namespace that process @pid has made with unshare(2), and
 * is not in yet; the parent. Errors name linux.timeOffsets.
 */
int time_offsets_write(int procfd, pid_t pid, const struct spec_time_offsets *offsets,
		       struct error *err) must_check;
/* Enters it: from now on the offsets are fixed. The process itself. */
int time_namespace_enter(int procfd, struct error *err) must_check;

/* sethostname(2) and setdomainname(2); either may be NULL. In the container's UTS namespace. */
int uts_apply(const char *hostname, const char *domainname, struct error *err) must_check;

/* Brings "lo" up in the current network namespace. */
int loopback_up(struct error *err) must_check;

#endif
