/* SPDX-License-Identifier: Apache-2.0 */
/* A container's /etc/resolv.conf: resolv.conf(5), a file of the bundle that its config.json mounts.
 */
#ifndef BERTH_NET_RESOLV_H
#define BERTH_NET_RESOLV_H

#include "berth/base/error.h"
#include "berth/base/str.h"

/*
 * Writes @file beneath the bundle directory, in place, since the container has mounted the inode:
 * @servers, or where there are none those of the host. A server on the host's loopback is no use to
 * a container: then those of systemd-resolved's upstream list count. Search domains and options
 * are the host's. @file must be a regular file with one name, reached without links, beneath
 * @bundle.
 */
int resolv_write(const char *bundle, const char *file, const char *const *servers,
		 struct error *err) must_check;

/* The text of it. @host: the host's file (or NULL), @upstream: systemd-resolved's (or NULL). */
void resolv_text(const char *host, const char *upstream, const char *const *servers,
		 struct buf *out);

#endif
