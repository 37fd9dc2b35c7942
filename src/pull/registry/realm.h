/* SPDX-License-Identifier: Apache-2.0 */
/* Which token servers a registry may send us to. */
#ifndef BERTH_PULL_REALM_H
#define BERTH_PULL_REALM_H

#include "berth/base/error.h"

#include "http.h"

/*
 * Checks the realm of a challenge, already parsed, that the registry at @registry gave. Refused:
 * http where the registry itself is reached by https (CVE-2019-10214); addresses that are not
 * public (loopback, private, link-local and so on) and localhost, unless it is the registry's own
 * host: a registry must not make us ask what only we can reach; a host that is written in another
 * way than names and addresses are.
 */
int realm_check(const struct http_url *registry, const struct http_url *realm,
		struct error *err) must_check;

#endif
