/* SPDX-License-Identifier: Apache-2.0 */
/*
 * berth checkpoint and berth restore: not there yet. Engines ask for their help to find out what a
 * runtime can do, so the command lines are read as runc reads them.
 */
#include "command.h"

struct values {
	bool flag;
	const char *text;
};

/* What both take. */
#define IMAGE_OPTIONS                                                                              \
	{                                                                                          \
		"image-path",	     0, OPTION_TEXT, offsetof(struct values, text), "DIR",         \
		"where the image is"},                                                             \
		{"work-path", 0,                                                                   \
		 OPTION_TEXT, offsetof(struct values, text),                                       \
		 "DIR",	      "where work files and logs go"},                                     \
		{"tcp-established",	     0, OPTION_FLAG, offsetof(struct values, flag), NULL,  \
		 "with open TCP connections"},                                                     \
		{"ext-unix-sk", 0,                                                                 \
		 OPTION_FLAG,	offsetof(struct values, flag),                                     \
		 NULL,		"with external unix sockets"},                                     \
		{"shell-job", 0,                                                                   \
		 OPTION_FLAG, offsetof(struct values, flag),                                       \
		 NULL,	      "with the terminal of a shell job"},                                 \
		{"file-locks",	   0, OPTION_FLAG, offsetof(struct values, flag), NULL,            \
		 "with file locks"},                                                               \
	{                                                                                          \
		"manage-cgroups-mode", 0, OPTION_TEXT, offsetof(struct values, text), "MODE",      \
			"soft, full, strict or ignore"                                             \
	}

static const struct option checkpoint_options[] = {
	IMAGE_OPTIONS,
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

static const struct option restore_options[] = {
	IMAGE_OPTIONS,
	{"bundle", 'b', OPTION_TEXT, offsetof(struct values, text), "DIR",
	 "directory with config.json (default: .)"},
	{"console-socket", 0, OPTION_TEXT, offsetof(struct values, text), "SOCKET",
	 "socket that gets the terminal"},
	{"detach", 'd', OPTION_FLAG, offsetof(struct values, flag), NULL, "return once it runs"},
	{"pid-file", 0, OPTION_TEXT, offsetof(struct values, text), "FILE",
	 "file that gets the number of its init"},
	{"no-subreaper", 0, OPTION_FLAG, offsetof(struct values, flag), NULL,
	 "do not become the reaper of its orphans"},
	{"no-pivot", 0, OPTION_FLAG, offsetof(struct values, flag), NULL, "do not use pivot_root"},
	{"no-new-keyring", 0, OPTION_FLAG, offsetof(struct values, flag), NULL,
	 "keep the session keyring"},
	{"empty-ns", 0, OPTION_TEXT, offsetof(struct values, text), "NAMESPACE",
	 "leave its properties empty"},
	{"auto-dedup", 0, OPTION_FLAG, offsetof(struct values, flag), NULL,
	 "give back space of the image"},
	{"lazy-pages", 0, OPTION_FLAG, offsetof(struct values, flag), NULL,
	 "load the memory on demand"},
	{"lsm-profile", 0, OPTION_TEXT, offsetof(struct values, text), "TYPE:NAME",
	 "label of its processes"},
	{"lsm-mount-context", 0, OPTION_TEXT, offsetof(struct values, text), "LABEL",
	 "label of its mounts"},
	{"tcp-close", 0, OPTION_FLAG, offsetof(struct values, flag), NULL, "close TCP connections"},
	{"preserve-fds", 0, OPTION_TEXT, offsetof(struct values, text), "N", "pass descriptors on"},
};

static int checkpoint(const struct runtime *runtime, void *values, char *const *args,
		      int *ret_status, struct error *err)
{
	(void)runtime;
	(void)values;
	(void)args;
	(void)ret_status;
	return refuse(err, "checkpoint: not supported yet");
}

static int restore(const struct runtime *runtime, void *values, char *const *args, int *ret_status,
		   struct error *err)
{
	(void)runtime;
	(void)values;
	(void)args;
	(void)ret_status;
	return refuse(err, "restore: not supported yet");
}

const struct command command_checkpoint = {
	.name = "checkpoint",
	.arguments = "ID",
	.summary = "not supported yet: save a running container",
	.options = checkpoint_options,
	.option_count = ARRAY_SIZE(checkpoint_options),
	.values_size = sizeof(struct values),
	.preserve_offset = -1,
	.failure_status = 1,
	.args_min = 1,
	.args_max = 1,
	.run = checkpoint,
};

const struct command command_restore = {
	.name = "restore",
	.arguments = "ID",
	.summary = "not supported yet: bring a saved container back",
	.options = restore_options,
	.option_count = ARRAY_SIZE(restore_options),
	.values_size = sizeof(struct values),
	.preserve_offset = -1,
	.failure_status = 1,
	.args_min = 1,
	.args_max = 1,
	.run = restore,
};
