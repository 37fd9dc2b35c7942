/* SPDX-License-Identifier: Apache-2.0 */
/* Whether ports of the host are free to be published. */
#ifndef BERTH_NET_PORT_PROBE_H
#define BERTH_NET_PORT_PROBE_H

#include "publish.h"

/*
 * Tries to bind every port of the list in the caller's network namespace: a port at which a program
 * of the host listens would be taken from it by the firewall, without a word. -EADDRINUSE names the
 * first such port. Nothing stays bound: who comes later is not hindered, nor warned.
 */
int ports_check_free(struct arena *arena, const struct publish_list *list,
		     struct error *err) must_check;

#endif
