/* SPDX-License-Identifier: Apache-2.0 */
/* What the files about networks share. */
#ifndef BERTH_NET_NETWORK_INTERNAL_H
#define BERTH_NET_NETWORK_INTERNAL_H

#include "network.h"

/* Whether the address is one that a link of the subnet can have: neither the network's own address
 * nor the broadcast address. Where there are two addresses or fewer, all are. */
bool subnet_is_usable(const struct subnet *subnet, const struct address *address);

/* NETWORK_DRIVER_MAX: there is none of that name. */
enum network_driver network_driver_find(const char *name);

/* Whether "network" would take the name for something else. */
bool network_name_is_reserved(const char *name);

#endif
