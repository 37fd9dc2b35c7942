/* SPDX-License-Identifier: Apache-2.0 */
/* berth features */
#include "berth/base/alloc.h"
#include "berth/base/version.h"
#include "berth/host/features.h"

#include "command.h"

static int run(const struct runtime *runtime, void *values, char *const *args, int *ret_status,
	       struct error *err)
{
	_cleanup_free_ char *text = features_document(BERTH_VERSION, BERTH_COMMIT);

	(void)runtime;
	(void)values;
	(void)args;
	*ret_status = 0;
	return print_out(text, err);
}

const struct command command_features = {
	.name = "features",
	.arguments = "",
	.summary = "print what this berth can do, as JSON",
	.preserve_offset = -1,
	.failure_status = 1,
	.args_min = 0,
	.args_max = 0,
	.run = run,
};
