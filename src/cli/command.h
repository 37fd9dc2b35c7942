/* SPDX-License-Identifier: Apache-2.0 */
/* A command of berth: its words, its options, what it does. */
#ifndef BERTH_CLI_COMMAND_H
#define BERTH_CLI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "berth/base/fd.h" /* print_out() */
#include "berth/base/options.h"
#include "berth/container/container.h"
#include "berth/container/resources.h"

/* Most descriptors that --preserve-fds passes on. */
#define PRESERVE_MAX 1024

/* One command. */
struct command {
	const char *name;
	const char *arguments; /* "ID [SIGNAL]" */
	const char *summary;
	const struct option *options;
	size_t option_count;
	size_t values_size;  /* of the struct that the options fill */
	int preserve_offset; /* of its `unsigned preserve_fds`; -1: it has none */
	bool executes;	     /* its process may execute a container's program */
	int failure_status;  /* exit status where the command itself fails */
	size_t args_min, args_max;
	int (*run)(const struct runtime *runtime, void *values, char *const *args, int *ret_status,
		   struct error *err);
};

extern const struct command command_checkpoint, command_create, command_delete, command_events,
	command_exec, command_features, command_kill, command_list, command_pause, command_ps,
	command_restore, command_resume, command_run, command_spec, command_start, command_state,
	command_top, command_update;

#endif
