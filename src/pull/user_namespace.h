/* SPDX-License-Identifier: Apache-2.0 */
/* An ordinary user's way to files of many owners: a user namespace with his subordinate ids. */
#ifndef BERTH_PULL_USER_NAMESPACE_H
#define BERTH_PULL_USER_NAMESPACE_H

#include "berth/base/error.h"

/*
 * Moves the process, which must have one thread, into a new user namespace, in which the caller is
 * root and the ranges of /etc/subuid and /etc/subgid follow from id 1 on (subuid(5)). A user
 * without ranges is an error that says how to get some.
 */
int user_namespace_enter(struct error *err) must_check;

#endif
