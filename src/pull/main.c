/* SPDX-License-Identifier: Apache-2.0 */
/*
 * berth-pull's command line: global options, a command (pull where none is named), its options and
 * arguments, in any order after the command.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "berth/base/alloc.h"
#include "berth/base/fd.h"
#include "berth/base/log.h"
#include "berth/base/path.h"
#include "berth/base/proc.h"
#include "berth/base/version.h"

#include "command.h"

static const struct command *const commands[] = {
	NULL, /* none yet */
};

struct globals {
	const char *root;
	bool json, quiet, debug, version;
};

static const struct option global_options[] = {
	{"root", 0, OPTION_TEXT, offsetof(struct globals, root), "DIR",
	 "the store (default: /var/lib/berth, or berth in the user's data directory)"},
	{"json", 0, OPTION_FLAG, offsetof(struct globals, json), NULL, "write JSON"},
	{"quiet", 'q', OPTION_FLAG, offsetof(struct globals, quiet), NULL, "write results only"},
	{"debug", 0, OPTION_FLAG, offsetof(struct globals, debug), NULL,
	 "say on standard error what is done"},
	{"version", 'v', OPTION_FLAG, offsetof(struct globals, version), NULL, "print the version"},
};

int main(int argc, char **argv)
{
	struct globals globals = {0};
	struct error err = ERROR_NONE;
	bool help = false;
	int r;

	(void)argc;
	(void)commands;
	r = options_parse(global_options, ARRAY_SIZE(global_options), argv + 1, &globals, &help,
			  &err);
	if (r < 0)
		log_error(&err);
	return r < 0 ? 1 : 0;
}
