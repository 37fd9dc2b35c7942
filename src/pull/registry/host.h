/* SPDX-License-Identifier: Apache-2.0 */
/* Hosts by their names: what stays on this machine, and what is reached without a proxy. */
#ifndef BERTH_PULL_HOST_H
#define BERTH_PULL_HOST_H

#include <stdbool.h>

#include "http.h"

/*
 * "localhost", "127.1.2.3:5000", "[::1]", also with a path behind: hosts that nobody else can
 * listen in on.
 */
bool host_is_loopback(const char *host);

/*
 * What libcurl shall take for $no_proxy when it asks for @url; the caller frees it. @list (or NULL)
 * is as other programs read it: libcurl knows neither "HOST:PORT" nor "*.HOST", nor brackets, nor
 * "*" among others. Loopback is reached without a proxy in any case.
 */
char *host_no_proxy(const char *list, const struct http_url *url);

#endif
