/* SPDX-License-Identifier: Apache-2.0 */
/* berth spec */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "berth/base/alloc.h"
#include "berth/base/fd.h"
#include "berth/spec/spec.h"

#include "command.h"

struct values {
	const char *bundle;
	bool rootless;
};

static const struct option options[] = {
	{"bundle", 'b', OPTION_TEXT, offsetof(struct values, bundle), "DIR",
	 "where config.json is written (default: .)"},
	{"rootless", 0, OPTION_FLAG, offsetof(struct values, rootless), NULL,
	 "one for a user who is not root"},
};

static int run(const struct runtime *runtime, void *values, char *const *args, int *ret_status,
	       struct error *err)
{
	const struct values *given = values;
	const char *bundle = given->bundle ? given->bundle : ".";
	_cleanup_free_ char *text = spec_template(given->rootless, getuid(), getgid());
	_cleanup_fd_ int dirfd = open(bundle, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int r;

	(void)runtime;
	(void)args;
	*ret_status = 0;
	if (dirfd < 0)
		return fail(err, -errno, "open the bundle \"%s\"", bundle);
	r = file_create_at(dirfd, "config.json", 0666, text, strlen(text), err);
	if (r == -EEXIST)
		return refuse_as(err, r, "file config.json exists: remove it first");
	return r;
}

const struct command command_spec = {
	.name = "spec",
	.arguments = "",
	.summary = "write a config.json to begin with",
	.options = options,
	.option_count = ARRAY_SIZE(options),
	.values_size = sizeof(struct values),
	.preserve_offset = -1,
	.failure_status = 1,
	.args_min = 0,
	.args_max = 0,
	.run = run,
};
