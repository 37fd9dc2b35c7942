/* SPDX-License-Identifier: Apache-2.0 */
/* Which names berth-net takes: all of them come from bundles, engines or users, and none is
 * trusted. */
#ifndef BERTH_NET_NAMES_H
#define BERTH_NET_NAMES_H

#include <stdbool.h>

#include "berth/base/error.h"

/* Longest container id: ".ID@LINK.json.new" must be a file's name. */
#define CONTAINER_ID_MAX 229
#define NETWORK_NAME_MAX 63

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
 * (directories of sysctl) and "lo" (every namespace has it).
 */
int name_check_link(const char *what, const char *name, struct error *err) must_check;
/*
 * A host's name (RFC 1123): labels of letters, digits and "-", 63 bytes each, 253 in all; "_" too.
 * Not one whose last label is a number, since resolvers take that for an address, nor one that
 * means the host itself.
 */
int name_check_host(const char *what, const char *name, struct error *err) must_check;
/* Whether resolvers know the name for the host itself: "localhost" and its kind. */
bool name_is_local(const char *name);

/* A text that nobody has checked, as it may stand in an error: the beginning of it, printable. */
#define NAME_SHOWN_MAX 80
struct name_shown {
	char text[NAME_SHOWN_MAX];
};
struct name_shown name_show(const char *text);

#endif
