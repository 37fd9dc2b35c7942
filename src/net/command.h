/* SPDX-License-Identifier: Apache-2.0 */
/* A command of berth-net. */
#ifndef BERTH_NET_COMMAND_H
#define BERTH_NET_COMMAND_H

#include "berth/base/fd.h" /* print_out() */
#include "berth/base/program.h"

/* What every command has. NULL: not set. */
struct context {
	const char *root; /* of the store, absolute */
	bool json;
	/* CNI_COMMAND and so on, for cni.c alone. */
	const char *cni_command, *cni_container, *cni_netns, *cni_ifname, *cni_args;
	const char *path; /* PATH: where pasta and slirp4netns are looked for */
};

struct command {
	struct command_syntax syntax;
	int (*run)(const struct context *context, void *values, char *const *args,
		   struct error *err);
};

extern const struct command command_add, command_del, command_check, command_list, command_reload,
	command_gc, command_network, command_netdevices;

#endif
