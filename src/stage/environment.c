/* SPDX-License-Identifier: Apache-2.0 */
/* The environment of the program: the process's own, and what berth adds to it. */
#include <stdlib.h>
#include <unistd.h>

#include "berth/base/alloc.h"
#include "berth/base/str.h"
#include "berth/linux/process.h"

#include "stage-internal.h"

/* At most: HOME, and three variables for sockets. */
#define ADDED_MAX 4

static bool is_set(const char *const *env, const char *name)
{
	for (; *env; env++) {
		if (str_starts(*env, name))
			return true;
	}
	return false;
}

/* Names that an activated program looks for; what the process's environment says of them gives way.
 */
static bool is_of_listening(const char *variable)
{
	return str_starts(variable, "LISTEN_FDS=") || str_starts(variable, "LISTEN_PID=") ||
	       str_starts(variable, "LISTEN_FDNAMES=");
}

/* sd_listen_fds(3): the number is the program's own, as it sees it. */
static size_t add_listening(const struct listening *listening, const char **list)
{
	size_t count = 0;

	list[count++] = xasprintf("LISTEN_FDS=%u", listening->count);
	list[count++] = xasprintf("LISTEN_PID=%d", getpid());
	if (listening->names)
		list[count++] = xasprintf("LISTEN_FDNAMES=%s", listening->names);
	return count;
}

const char *const *environment_make(const struct entry *entry)
{
	const struct listening *listening = entry->listening;
	const char *const *env = entry->process->env;
	const char **list;
	size_t count = 0, used = 0;

	while (env[count])
		count++;
	list = xcalloc(count + ADDED_MAX + 1, sizeof(*list));
	for (size_t i = 0; i < count; i++) {
		if (!listening->count || !is_of_listening(env[i]))
			list[used++] = env[i];
	}
	if (!is_set(env, "HOME=")) {
		_cleanup_free_ char *home = home_of(entry->rootfd, entry->process->uid);

		list[used++] = xasprintf("HOME=%s", home);
	}
	if (listening->count)
		add_listening(listening, list + used);
	return list; /* lives until exec */
}
