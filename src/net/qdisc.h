/* SPDX-License-Identifier: Apache-2.0 */
/* Limits of bandwidth: tc-tbf(8) as a link's root qdisc. */
#ifndef BERTH_NET_QDISC_H
#define BERTH_NET_QDISC_H

#include <stdint.h>

#include "netlink.h"

/* What may leave a link. */
struct rate {
	uint64_t bits_per_second; /* 0: no limit */
	uint32_t burst_bytes;	  /* 0: what 10 ms let through, at least two packets of 64 KiB */
};

/* "10mbit", "1.5gbit", "512kbit", or a number of bits a second; tc(8)'s decimal units. The error
 * names @what. */
int rate_parse(const char *what, const char *text, struct rate *ret, struct error *err) must_check;

/* Appends the message that makes or replaces the root qdisc of link @index. */
int qdisc_limit(struct netlink_batch *batch, int index, const char *link, const struct rate *rate,
		struct error *err) must_check;

#endif
