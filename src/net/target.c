/* SPDX-License-Identifier: Apache-2.0 */
/* Which container a command is about. */
#include "target.h"

#include <errno.h>
#include <unistd.h>

#include "berth/base/path.h"

#include "names.h"

#define ROW(option, field, argument, help)                                                         \
	{                                                                                          \
		option, 0, OPTION_TEXT, offsetof(struct target_options, field), argument, help     \
	}

const struct option target_option_table[TARGET_OPTION_COUNT] = {
	ROW("id", id, "ID", "the container (without it: its state is read from standard input)"),
	ROW("pid", pid, "PID", "a process in its network namespace"),
	ROW("netns", netns, "PATH", "its network namespace"),
	ROW("bundle", bundle, "DIR", "its bundle, for --resolv-conf"),
};

/* What the command line says counts before what the annotations say. */
static struct request_options *merge(struct arena *arena, const struct request_options *first,
				     const struct request_options *second)
{
	struct request_options *both = arena_alloc(arena, 1, sizeof(*both));

	*both = *second;
	for (size_t i = 0; i < REQUEST_OPTION_COUNT; i++) {
		const struct option *option = &request_option_table[i];
		const void *from = (const char *)first + option->offset;
		void *to = (char *)both + option->offset;

		if (option->kind == OPTION_LIST) {
			const struct strv *list = from;

			if (list->count > 0)
				*(struct strv *)to = *list;
		} else if (*(const char *const *)from) {
			*(const char **)to = *(const char *const *)from;
		}
	}
	return both;
}

static int from_state(struct arena *arena, const struct request_options *options,
		      struct target *ret, struct error *err)
{
	struct hook_state *state = arena_alloc(arena, 1, sizeof(*state));
	int r = hook_state_read(STDIN_FILENO, arena, state, err);

	if (r < 0)
		return r;
	*ret = (struct target){
		.id = state->id,
		.bundle = state->bundle,
		.from_hook = true,
		.pid = state->pid,
		.wanted = merge(arena, options, &state->options),
	};
	return 0;
}

static int read_pid(const char *text, pid_t *ret, struct error *err)
{
	uint32_t pid = 0;

	if (text && (str_to_u32(text, &pid) < 0 || pid == 0 || pid > INT32_MAX))
		return refuse(err, "--pid: \"%s\" is not a process's number", text);
	*ret = (pid_t)pid;
	return 0;
}

/* *ret_path in the arena; NULL stays NULL. */
static int absolute(struct arena *arena, const char *path, const char **ret_path, struct error *err)
{
	_cleanup_free_ char *text = path ? path_absolute(path) : NULL;

	if (path && !text)
		return fail(err, -errno, "find \"%s\"", path);
	*ret_path = text ? arena_strdup(arena, text) : NULL;
	return 0;
}

static int by_hand(struct arena *arena, const struct target_options *target,
		   const struct request_options *options, struct target *ret, struct error *err)
{
	int r = name_check_container("--id", target->id, err);

	*ret = (struct target){.id = target->id, .wanted = options};
	if (r >= 0 && target->pid && target->netns)
		r = refuse(err, "--pid and --netns: only one of them can be given");
	if (r >= 0)
		r = read_pid(target->pid, &ret->pid, err);
	if (r >= 0)
		r = absolute(arena, target->netns, &ret->netns, err);
	if (r >= 0)
		r = absolute(arena, target->bundle, &ret->bundle, err);
	return r;
}

int target_find(struct arena *arena, const struct target_options *target,
		const struct request_options *options, struct target *ret, struct error *err)
{
	if (target->id)
		return by_hand(arena, target, options, ret, err);
	if (target->pid || target->netns || target->bundle)
		return refuse(err, "--pid, --netns and --bundle need --id");
	return from_state(arena, options, ret, err);
}

int target_open_netns(const struct target *target, struct netns_id *ret_id, struct error *err)
{
	if (target->netns)
		return netns_open_path(target->netns, ret_id, err);
	if (target->pid > 0)
		return netns_open_pid(target->pid, /* start_ticks= */ 0, ret_id, err);
	if (target->from_hook)
		return refuse(err, "the state of container \"%s\" has no pid: it has no process",
			      target->id);
	return refuse(err, "container \"%s\": --pid or --netns is needed", target->id);
}
