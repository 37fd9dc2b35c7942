/* SPDX-License-Identifier: Apache-2.0 */
/* config.json's `hooks`. */
#include <limits.h>

#include "tables-internal.h"

const char *const hook_names[HOOK_MAX] = {
	[HOOK_PRESTART] = "prestart",
	[HOOK_CREATE_RUNTIME] = "createRuntime",
	[HOOK_CREATE_CONTAINER] = "createContainer",
	[HOOK_START_CONTAINER] = "startContainer",
	[HOOK_POSTSTART] = "poststart",
	[HOOK_POSTSTOP] = "poststop",
};

static int check_hook(const struct decoder *d, const struct node *node, void *base,
		      struct error *err)
{
	struct spec_hook *hook = base;
	const struct node env = node_member(node, "env");

	(void)d;
	/* An empty list is what some writers make of none; a program needs a name. */
	if (hook->argv != NULL && hook->argv[0] == NULL)
		hook->argv = NULL;
	return hook->envp != NULL ? environment_check(&env, hook->envp, err) : 0;
}

static const struct field hook_fields[] = {
	{.name = "path", .kind = FIELD_PATH, .required = true, AT(struct spec_hook, path)},
	{.name = "args", .kind = FIELD_STRINGS, AT(struct spec_hook, argv)},
	{.name = "env", .kind = FIELD_STRINGS, AT(struct spec_hook, envp)},
	/* At most what still is an int in milliseconds. */
	{.name = "timeout",
	 .kind = FIELD_NUMBER,
	 AT_NUMBER(struct spec_hook, timeout_s),
	 RANGE(1, INT_MAX / 1000)},
};

static const struct table hook_table = {FIELDS(hook_fields), .size = sizeof(struct spec_hook),
					.check = check_hook};

#define HOOK_LIST(text, which)                                                                     \
	{                                                                                          \
		.name = (text), .kind = FIELD_ARRAY, AT(struct spec, hooks[which].items),          \
		.count = offsetof(struct spec, hooks[which].count), .table = &hook_table           \
	}

static const struct field hooks_fields[] = {
	HOOK_LIST("prestart", HOOK_PRESTART),
	HOOK_LIST("createRuntime", HOOK_CREATE_RUNTIME),
	HOOK_LIST("createContainer", HOOK_CREATE_CONTAINER),
	HOOK_LIST("startContainer", HOOK_START_CONTAINER),
	HOOK_LIST("poststart", HOOK_POSTSTART),
	HOOK_LIST("poststop", HOOK_POSTSTOP),
};

const struct table hooks_table = {FIELDS(hooks_fields), .size = sizeof(struct spec)};
