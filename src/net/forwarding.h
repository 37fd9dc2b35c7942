/* SPDX-License-Identifier: Apache-2.0 */
/* The sysctls without which no packet gets through. */
#ifndef BERTH_NET_FORWARDING_H
#define BERTH_NET_FORWARDING_H

#include "network.h"

/*
 * Whether the host forwards what a bridge with a way out needs, for each family of its subnets; the
 * error names all settings that are missing, as one sysctl(8) command. berth-net does not set them
 * itself: they concern the whole host. Nothing is asked for an internal network.
 */
int forwarding_check(const struct network *network, struct error *err) must_check;

/*
 * Sets sysctls of a bridge of ours that is not up yet (one of the host's may be its way out, and is
 * left as it is): route_localnet, so that ports that 127.0.0.1 publishes lead to it; no router
 * advertisements of containers (CVE-2020-13401); no duplicate address detection, since the host
 * asks for containers' link addresses from its link-local address, which would be no good for two
 * seconds.
 */
int forwarding_prepare_bridge(const char *bridge, struct error *err) must_check;

/* Whether ports of the host's loopback lead to the bridge; the error says what to set. */
int forwarding_check_loopback(const char *bridge, struct error *err) must_check;

#endif
