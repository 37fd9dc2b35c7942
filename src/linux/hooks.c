/* SPDX-License-Identifier: Apache-2.0 */
/* Running a container's hooks, in order, each with the container's state on its standard input. */
#include "berth/linux/hooks.h"

#include <limits.h>
#include <string.h>

#include "berth/base/log.h"
#include "berth/base/spawn.h"

static int timeout_ms_of(const struct spec_hook *hook)
{
	if (hook->timeout_s <= 0)
		return -1;
	return hook->timeout_s > INT_MAX / 1000 ? INT_MAX : hook->timeout_s * 1000;
}

static int run_one(const struct spec_hook *hook, const char *state, int cwdfd, struct error *err)
{
	const struct spawn what = {
		.path = hook->path,
		.argv = hook->argv,
		.envp = hook->envp,
		.input = state,
		.input_size = strlen(state),
		.cwdfd = cwdfd,
		.timeout_ms = timeout_ms_of(hook),
	};

	return spawn_wait(&what, err);
}

int hooks_run(const struct spec_hooks *hooks, enum hook_kind kind, const char *state, int cwdfd,
	      struct error *err)
{
	const struct spec_hooks *list = &hooks[kind];

	for (size_t i = 0; i < list->count; i++) {
		int r = run_one(&list->items[i], state, cwdfd, err);

		if (r < 0)
			return within(err, r, "hooks.%s[%zu]", hook_names[kind], i);
	}
	return 0;
}

void hooks_run_all(const struct spec_hooks *hooks, enum hook_kind kind, const char *state,
		   int cwdfd)
{
	const struct spec_hooks *list = &hooks[kind];

	for (size_t i = 0; i < list->count; i++) {
		struct error err = ERROR_NONE;

		if (run_one(&list->items[i], state, cwdfd, &err) < 0)
			log_warning("hooks.%s[%zu]: %s", hook_names[kind], i, err.text);
	}
}
