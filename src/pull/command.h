/* SPDX-License-Identifier: Apache-2.0 */
/* A command of berth-pull: its words, its options, what it does. */
#ifndef BERTH_PULL_COMMAND_H
#define BERTH_PULL_COMMAND_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "berth/base/fd.h" /* print_out() */
#include "berth/base/program.h"

/* What every command has: the global options, and what the environment says. NULL: not set. */
struct context {
	const char *store; /* absolute path */
	bool json, quiet;
	/* Works in a user namespace of its own, since it has no rights over the host. */
	bool user_namespace;
	const char *home, *xdg_runtime_dir, *xdg_config_home, *docker_config, *registry_auth_file,
		*path, *ssl_cert_file, *ssl_cert_dir, *no_proxy, *term;
	const char *const *environment; /* "NAME=VALUE", NULL-terminated: for credential helpers */
	uid_t uid;			/* the user's own, as it is outside of user namespaces */
	atomic_bool *cancelled; /* SIGINT or SIGTERM arrived, or work side by side must end */
};

struct command {
	struct command_syntax syntax;
	bool writes; /* to the store: an ordinary user needs his user namespace for it */
	int (*run)(const struct context *context, void *values, char *const *args,
		   struct error *err);
};

extern const struct command command_pull, command_bundle, command_list, command_remove, command_gc,
	command_fsck, command_verify, command_inspect;

#endif
