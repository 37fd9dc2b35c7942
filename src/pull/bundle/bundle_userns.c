/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose ids a container has: none of its own, those of --userns, or those of the user namespace
 * that an ordinary user's berth-pull works in.
 */
#include <errno.h>
#include <fcntl.h>

#include "berth/base/fd.h"
#include "berth/base/proc.h"

#include "bundle-internal.h"

/* As many ids as a system has: what images are made with. */
#define AUTO_SIZE 65536

/* Of /proc/self/uid_map (340 lines at most) and of /etc/subuid. */
#define MAP_FILE_MAX   (64u << 10)
#define SUBID_FILE_MAX (1u << 20)

/* Whose range --userns auto takes, the first that is there. */
static const char *const owners[] = {"containers", "root", "0"};

static const char *next_line(const char **text, struct arena *arena)
{
	size_t length = strcspn(*text, "\n");
	const char *line = arena_strndup(arena, *text, length);

	*text += length + ((*text)[length] == '\n');
	return line;
}

/* The field at *@text up to @separators; what is behind them becomes *@text. */
static const char *next_field(const char **text, const char *separators, struct arena *arena)
{
	const char *start = *text + strspn(*text, separators);
	size_t length = strcspn(start, separators);

	*text = start + length;
	return arena_strndup(arena, start, length);
}

static int read_map_line(struct arena *arena, const char *line, struct id_map *ret)
{
	if (str_to_u32(next_field(&line, " ", arena), &ret->container_id) < 0 ||
	    str_to_u32(next_field(&line, " ", arena), &ret->host_id) < 0 ||
	    str_to_u32(next_field(&line, " ", arena), &ret->size) < 0)
		return -EINVAL;
	return 0;
}

/* The map of the process: seen from within, its second column is what there is outside. */
static int read_own_map(struct arena *arena, int proc, const char *name, struct id_maps *ret,
			struct error *err)
{
	_cleanup_fd_ int fd = proc_open_self(proc, name, O_RDONLY, err);
	_cleanup_free_ char *text = NULL;
	int r = fd < 0 ? fd : file_read_fd(fd, name, MAP_FILE_MAX, &text, NULL, err);

	if (r < 0)
		return r;
	ret->lines = arena_alloc(arena, strlen(text) + 1, sizeof(*ret->lines));
	for (const char *rest = text; *rest; ret->count++) {
		if (read_map_line(arena, next_line(&rest, arena), &ret->lines[ret->count]) < 0)
			return refuse(err, "/proc/self/%s has a line that is no map", name);
	}
	return 0;
}

static int read_own_maps(struct arena *arena, struct bundle_plan *ret, struct error *err)
{
	_cleanup_fd_ int proc = proc_open(err);
	int r = proc < 0 ? proc : read_own_map(arena, proc, "uid_map", &ret->uids, err);

	return r < 0 ? r : read_own_map(arena, proc, "gid_map", &ret->gids, err);
}

static void set_map(struct arena *arena, struct id_maps *map, uint32_t outside, uint32_t size)
{
	map->lines = arena_alloc(arena, 1, sizeof(*map->lines));
	map->lines[0] = (struct id_map){.container_id = 0, .host_id = outside, .size = size};
	map->count = 1;
}

static int find_range(struct arena *arena, const char *path, struct id_maps *map, struct error *err)
{
	_cleanup_free_ char *text = NULL;
	struct id_map range = {0};
	int r = file_read_at(AT_FDCWD, path, SUBID_FILE_MAX, &text, NULL, err);

	if (r < 0)
		return within(err, r, "--userns auto");
	for (size_t i = 0; i < ARRAY_SIZE(owners); i++) {
		if (subids_of(text, owners[i], &range, 1) == 0)
			continue;
		set_map(arena, map, range.host_id, range.size < AUTO_SIZE ? range.size : AUTO_SIZE);
		return 0;
	}
	return refuse(err,
		      "--userns auto: %s has no range of \"containers\" or \"root\"; add one, or "
		      "give START:SIZE",
		      path);
}

/* "START:SIZE", for users and groups alike. */
static int read_explicit(struct arena *arena, const char *text, struct bundle_plan *ret,
			 struct error *err)
{
	const char *colon = strchr(text, ':');
	uint32_t start, size;

	if (!colon || str_to_u32(arena_strndup(arena, text, (size_t)(colon - text)), &start) < 0 ||
	    str_to_u32(colon + 1, &size) < 0 || size == 0 || start > UINT32_MAX - size)
		return refuse(err,
			      "--userns: \"%s\" is none of \"host\", \"auto\" and START:SIZE "
			      "(100000:65536: the ids from 100000 on)",
			      text);
	if (start == 0)
		return refuse(err, "--userns: the container's root would be the host's; that is "
				   "\"host\"");
	set_map(arena, &ret->uids, start, size);
	set_map(arena, &ret->gids, start, size);
	return 0;
}

int bundle_userns_read(struct arena *arena, const struct bundle_options *options,
		       struct bundle_plan *ret, struct error *err)
{
	const char *text = options->userns;
	int r;

	if (options->user_namespace) {
		if (text)
			return refuse(err, "--userns is root's: a user's bundle has the ids that "
					   "/etc/subuid gives him");
		return read_own_maps(arena, ret, err);
	}
	if (!text || str_equal(text, "host"))
		return 0;
	if (options->flat)
		return refuse(err, "--userns needs the overlay, whose layers are mapped: not with "
				   "--flat");
	ret->map_layers = true;
	if (!str_equal(text, "auto"))
		return read_explicit(arena, text, ret, err);
	r = find_range(arena, "/etc/subuid", &ret->uids, err);
	return r < 0 ? r : find_range(arena, "/etc/subgid", &ret->gids, err);
}

static void write_map(struct json_writer *w, const char *name, const struct id_maps *map)
{
	json_key(w, name);
	json_begin_array(w);
	for (size_t i = 0; i < map->count; i++) {
		json_begin_object(w);
		json_member_u64(w, "containerID", map->lines[i].container_id);
		json_member_u64(w, "hostID", map->lines[i].host_id);
		json_member_u64(w, "size", map->lines[i].size);
		json_end_object(w);
	}
	json_end_array(w);
}

void bundle_userns_write(struct json_writer *w, const struct bundle_plan *plan)
{
	if (plan->uids.count == 0)
		return;
	write_map(w, "uidMappings", &plan->uids);
	write_map(w, "gidMappings", &plan->gids);
}
