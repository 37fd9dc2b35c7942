/* SPDX-License-Identifier: Apache-2.0 */
/*
 * berth checkpoint: not there yet. Engines ask for its help to find out what a runtime can do, so
 * the command line is read as runc reads it.
 */
#include "options.h"

struct values {
	bool flag;
	const char *text;
};

static const struct option options[] = {
	{"image-path", 0, OPTION_TEXT, offsetof(struct values, text), "DIR", "where the image is"},
	{"work-path", 0, OPTION_TEXT, offsetof(struct values, text), "DIR",
	 "where work files and logs go"},
	{"tcp-established", 0, OPTION_FLAG, offsetof(struct values, flag), NULL,
	 "with open TCP connections"},
	{"ext-unix-sk", 0, OPTION_FLAG, offsetof(struct values, flag), NULL,
	 "with external unix sockets"},
	{"shell-job", 0, OPTION_FLAG, offsetof(struct values, flag), NULL,
	 "with the terminal of a shell job"},
	{"file-locks", 0, OPTION_FLAG, offsetof(struct values, flag), NULL, "with file locks"},
	{"manage-cgroups-mode", 0, OPTION_TEXT, offsetof(struct values, text), "MODE",
	 "soft, full, strict or ignore"},
	{"parent-path", 0, OPTION_TEXT, offsetof(struct values, text), "DIR",
	 "image of an earlier pre-dump"},
	{"leave-running", 0, OPTION_FLAG, offsetof(struct values, flag), NULL,
	 "the container goes on afterwards"},
	{"pre-dump", 0, OPTION_FLAG, offsetof(struct values, flag), NULL, "save the memory alone"},
	{"page-server", 0, OPTION_TEXT, offsetof(struct values, text), "ADDRESS",
	 "send the memory there"},
	{"lazy-pages", 0, OPTION_FLAG, offsetof(struct values, flag), NULL,
	 "move the memory on demand"},
	{"status-fd", 0, OPTION_TEXT, offsetof(struct values, text), "N",
	 "tell there when it is ready"},
	{"empty-ns", 0, OPTION_TEXT, offsetof(struct values, text), "NAMESPACE",
	 "do not save its properties"},
	{"auto-dedup", 0, OPTION_FLAG, offsetof(struct values, flag), NULL,
	 "give back space of earlier images"},
	{"tcp-skip-in-flight", 0, OPTION_FLAG, offsetof(struct values, flag), NULL,
	 "leave out connections in progress"},
	{"link-remap", 0, OPTION_FLAG, offsetof(struct values, flag), NULL, "keep unlinked files"},
};

static int run(const struct runtime *runtime, void *values, char *const *args, int *ret_status,
	       struct error *err)
{
	(void)runtime;
	(void)values;
	(void)args;
	(void)ret_status;
	return refuse(err, "checkpoint: not supported yet");
}

const struct command command_checkpoint = {
	.name = "checkpoint",
	.arguments = "ID",
	.summary = "not supported yet: save a running container",
	.options = options,
	.option_count = ARRAY_SIZE(options),
	.values_size = sizeof(struct values),
	.preserve_offset = -1,
	.failure_status = 1,
	.args_min = 1,
	.args_max = 1,
	.run = run,
};
