/* SPDX-License-Identifier: Apache-2.0 */
/* What the files about leases share. */
#ifndef BERTH_NET_LEASE_INTERNAL_H
#define BERTH_NET_LEASE_INTERNAL_H

#include "lease.h"

/* A lease from its JSON object; @what names it in errors. All of *ret lies in @arena. */
int lease_decode(struct arena *arena, const struct json *json, const char *what, struct lease *ret,
		 struct error *err) must_check;

#endif
