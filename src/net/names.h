/* SPDX-License-Identifier: Apache-2.0 */
/* Which names berth-net takes: all of them come from bundles, engines or users, and none is
 * trusted. */
#ifndef BERTH_NET_NAMES_H
#define BERTH_NET_NAMES_H

#include "berth/base/error.h"

/* Longest container id: "ID@LINK.json" must be a file's name. */
#define CONTAINER_ID_MAX 230

/*
 * Each returns 0, or -EINVAL with a text that has @what (the option, annotation or member that gave
 * the name), the name and the rule that it breaks.
 */

/* A container's id, by runc's rule: letters, digits, "_", "+", "-", ".", none of "." and "..". */
int name_check_container(const char *what, const char *id, struct error *err) must_check;
/* A network: [A-Za-z0-9][A-Za-z0-9_.-]*, 63 bytes at most. */
int name_check_network(const char *what, const char *name, struct error *err) must_check;
/*
 * A link: dev_valid_name() of the kernel (1 to 15 bytes, no "/", ":" or white space, none of "."
 * and ".."), printable ASCII without "%" (a pattern to the kernel), and none of "all" and "default"
 * (directories of sysctl).
 */
int name_check_link(const char *what, const char *name, struct error *err) must_check;
/* A host's name (RFC 1123): labels of letters, digits and "-", 63 bytes each, 253 in all; "_" too.
 */
int name_check_host(const char *what, const char *name, struct error *err) must_check;

#endif
