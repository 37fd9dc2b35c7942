/* SPDX-License-Identifier: Apache-2.0 */
/* Maps of user namespaces, and the ranges of ids that users are given: user_namespaces(7),
 * subuid(5).
 */
#ifndef BERTH_PULL_ID_MAPS_H
#define BERTH_PULL_ID_MAPS_H

#include <stdbool.h>
#include <stddef.h>

#include "berth/base/id_map.h"

/* One map of a user namespace. No lines: there is none, every id is the host's. */
struct id_maps {
	struct id_map *lines;
	size_t count;
};

/* The id outside that @inside is; false where the map has none. */
bool id_maps_find(const struct id_maps *map, uint32_t inside, uint32_t *ret);

/*
 * The ranges that @text, the content of /etc/subuid or /etc/subgid, gives to @owner (a name, or a
 * number in digits): at most @room of them, container_id 0. Returns their number. Lines that are
 * none are passed over, as shadow's own programs do.
 */
size_t subids_of(const char *text, const char *owner, struct id_map *ret, size_t room);

#endif
