/* SPDX-License-Identifier: Apache-2.0 */
/* newuidmap(1) and newgidmap(1). */
#include "berth/base/id_map.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "berth/base/alloc.h"
#include "berth/base/spawn.h"
#include "berth/base/str.h"

/* Where the helpers are looked for: PATH is the user's to choose. The last is that of NixOS. */
static const char *const helper_directories[] = {"/usr/bin", "/bin", "/usr/local/bin",
						 "/run/wrappers/bin"};
#define HELPER_DIRECTORIES "/usr/bin, /bin, /usr/local/bin, /run/wrappers/bin"

/* They may have to ask a directory service for the user. */
#define HELPER_TIMEOUT_MS 30000

static const struct {
	const char *helper, *ranges;
	uid_t (*own)(void);
} kinds[ID_KIND_MAX] = {
	[ID_USERS] = {"newuidmap", "/etc/subuid", geteuid},
	[ID_GROUPS] = {"newgidmap", "/etc/subgid", getegid},
};

/* The helper's path, the caller's, or NULL where it is not installed. */
static char *find_helper(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(helper_directories); i++) {
		char *path = xasprintf("%s/%s", helper_directories[i], name);

		if (faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) == 0)
			return path;
		free(path);
	}
	return NULL;
}

/* What may be wrong, besides what the helper says itself. */
static const char *helper_hint(void)
{
	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1
		       ? "berth runs with no_new_privs, under which the helper has no rights: "
		       : "";
}

static void add_number(struct strv *args, uint32_t number)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", number);
	strv_add(args, text);
}

int id_map_by_helper(enum id_kind kind, pid_t pid, const struct id_map *maps, size_t count,
		     struct error *err)
{
	_cleanup_strv_ struct strv args = {.items = NULL};
	_cleanup_free_ char *path = find_helper(kinds[kind].helper);
	struct spawn helper = {.path = path, .cwdfd = -EBADF, .timeout_ms = HELPER_TIMEOUT_MS};
	int r;

	if (!path)
		return refuse_as(err, -ENOENT,
				 "user %u needs %s to map more than the own id %u, and it is not "
				 "installed (looked for in " HELPER_DIRECTORIES
				 "; Debian has it in the package uidmap)",
				 geteuid(), kinds[kind].helper, kinds[kind].own());
	strv_add(&args, kinds[kind].helper);
	add_number(&args, (uint32_t)pid);
	for (size_t i = 0; i < count; i++) {
		add_number(&args, maps[i].container_id);
		add_number(&args, maps[i].host_id);
		add_number(&args, maps[i].size);
	}
	helper.argv = (const char *const *)args.items;
	r = spawn_wait(&helper, err);
	return r < 0 ? within(err, r, "%smap the ranges (does %s give them to user %u?)",
			      helper_hint(), kinds[kind].ranges, geteuid())
		     : 0;
}
