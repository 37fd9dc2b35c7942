/* SPDX-License-Identifier: Apache-2.0 */
/* Published ports: the grammar of --publish. */
#ifndef BERTH_NET_PUBLISH_H
#define BERTH_NET_PUBLISH_H

#include <stdint.h>

#include "berth/base/alloc.h"
#include "berth/base/json_read.h"
#include "berth/base/json_write.h"

#include "address.h"

/* Most ports that one container publishes: each is one element of a map. */
#define PUBLISHED_PORTS_MAX 16384

/* Ports host_port … + count - 1 of the host lead to container_port … + count - 1. */
struct publish {
	struct address host; /* family 0: all addresses of the host, of both families */
	uint16_t host_port;
	uint16_t container_port;
	uint16_t count;
	uint8_t protocol; /* IPPROTO_TCP or IPPROTO_UDP */
};

struct publish_list {
	struct publish *items; /* in an arena */
	size_t count;
};

/*
 * Reads "[IP:]HOST:CONT[/tcp|/udp]"; HOST and CONT are ports or ranges "FIRST-LAST" of the same
 * length; an IPv6 address stands in brackets; 0.0.0.0 and [::] are all addresses of one family.
 * The error names @what (the option or annotation) and the part that is wrong.
 */
int publish_parse(const char *what, const char *text, struct publish *ret,
		  struct error *err) must_check;

/*
 * Adds one to the list in @arena. Refused: the same port of the same address and protocol twice
 * (with overlapping ranges), and more than PUBLISHED_PORTS_MAX ports in all.
 */
int publish_add(struct arena *arena, struct publish_list *list, const struct publish *item,
		struct error *err) must_check;

/* Whether some port of @a and @b on the host would be the same. */
bool publish_collide(const struct publish *a, const struct publish *b);

/* The text that publish_parse() reads; in @arena. */
const char *publish_format(struct arena *arena, const struct publish *item);

#endif
