/* SPDX-License-Identifier: Apache-2.0 */
/* Ranges of ids of a user namespace, and the programs that write them for ordinary users. */
#ifndef BERTH_BASE_ID_MAP_H
#define BERTH_BASE_ID_MAP_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "berth/base/error.h"

/* One line of /proc/PID/uid_map; user_namespaces(7). */
struct id_map {
	uint32_t container_id;
	uint32_t host_id;
	uint32_t size;
};

/* The kernel's bounds: lines of a map, and bytes of the one write that must hold them all. */
#define ID_MAP_LINES_MAX 340
#define ID_MAP_BYTES_MAX 4095

/* The two maps of a user namespace. */
enum id_kind {
	ID_USERS,
	ID_GROUPS,
	ID_KIND_MAX
};

/*
 * Has newuidmap(1) or newgidmap(1) write the map of process @pid's user namespace: they may give an
 * ordinary user the ranges that /etc/subuid and /etc/subgid name for him. Errors say what is
 * missing.
 */
int id_map_by_helper(enum id_kind kind, pid_t pid, const struct id_map *maps, size_t count,
		     struct error *err) must_check;

#endif
