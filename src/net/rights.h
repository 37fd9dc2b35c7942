/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the caller may change links and firewall where he is. */
#ifndef BERTH_NET_RIGHTS_H
#define BERTH_NET_RIGHTS_H

#include <stdbool.h>

/*
 * Without them there are the networks of user_net.h only. Root of a user namespace has them where
 * the network namespace is his, too, and not over that of the host.
 */
bool rights_over_links(void);

#endif
