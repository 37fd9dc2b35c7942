/* SPDX-License-Identifier: Apache-2.0 */
/* The id maps of a new user namespace; see user_namespaces(7). */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "berth/base/alloc.h"
#include "berth/base/fd.h"
#include "berth/base/proc.h"
#include "berth/base/str.h"
#include "berth/base/sys.h"
#include "berth/linux/process.h"

/* The text of a map's file has three columns of ten digits. */
#define MAP_READ_MAX ((size_t)ID_MAP_LINES_MAX * 64)

/* What the errors of the write mean, of which user_namespaces(7) needs a page to tell. */
static const char *map_hint(int code)
{
	switch (code) {
	case -EPERM:
		return " (the writer may not map these ids: it needs CAP_SETUID and CAP_SETGID, "
		       "and the host ids must be mapped in its own user namespace, those of each "
		       "range by one range there)";
	case -EINVAL:
		return " (do ranges overlap, or go beyond 4294967295?)";
	default:
		return "";
	}
}

static int map_text(const struct id_map *maps, size_t count, struct buf *text, struct error *err)
{
	if (count > ID_MAP_LINES_MAX)
		return refuse_as(err, -E2BIG, "%zu ranges, but the kernel takes at most %d", count,
				 ID_MAP_LINES_MAX);
	for (size_t i = 0; i < count; i++)
		buf_printf(text, "%u %u %u\n", maps[i].container_id, maps[i].host_id, maps[i].size);
	if (text->size > ID_MAP_BYTES_MAX)
		return refuse_as(err, -E2BIG,
				 "%zu bytes of ranges, but the kernel takes at most %d", text->size,
				 ID_MAP_BYTES_MAX);
	return 0;
}

/* The two maps of a user namespace. */
struct kind {
	enum id_kind kind;
	const char *field, *file;
	uid_t (*own)(void);
};

static const struct kind uids = {ID_USERS, "uidMappings", "uid_map", geteuid};
static const struct kind gids = {ID_GROUPS, "gidMappings", "gid_map", getegid};

static int write_map(int procfd, pid_t pid, const char *file, const struct id_map *maps,
		     size_t count, struct error *err)
{
	_cleanup_buf_ struct buf text = BUF_EMPTY;
	struct error inner = ERROR_NONE;
	char path[64];
	int r = map_text(maps, count, &text, err);

	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "%d/%s", pid, file);
	r = proc_write(procfd, path, text.data, &inner);
	if (r < 0)
		return fail(err, r, "write %zu ranges, the first \"%u %u %u\"%s", count,
			    maps[0].container_id, maps[0].host_id, maps[0].size, map_hint(r));
	return 0;
}

/*
 * A user who is not root may write a group map only where the namespace gives up setgroups(2):
 * otherwise it could leave a group by which files are denied to it.
 */
static int deny_setgroups(int procfd, pid_t pid, struct error *err)
{
	char path[64];

	snprintf(path, sizeof(path), "%d/setgroups", pid);
	return proc_write(procfd, path, "deny", err);
}

/* The map by somebody who has more rights than the caller. */
static int delegate_map(const struct kind *kind, pid_t pid, const struct id_map *maps, size_t count,
			struct error *err)
{
	_cleanup_buf_ struct buf text = BUF_EMPTY;
	int r = map_text(maps, count, &text, err);

	return r < 0 ? r : id_map_by_helper(kind->kind, pid, maps, count, err);
}

static bool has_rights(void)
{
	const uint64_t needed = UINT64_C(1) << CAP_SETUID | UINT64_C(1) << CAP_SETGID;

	return (sys_capabilities() & needed) == needed;
}

bool idmap_is_own(const struct id_map *maps, size_t count, uint32_t own)
{
	return count == 1 && maps[0].size == 1 && maps[0].host_id == own;
}

/* Without a word of which object of config.json the map is from. */
static int make_map(int procfd, pid_t pid, const struct kind *kind, const struct id_map *maps,
		    size_t count, struct error *err)
{
	bool rights = has_rights();
	int r = 0;

	if (!count)
		return 0;
	if (!rights && !idmap_is_own(maps, count, kind->own())) {
		r = delegate_map(kind, pid, maps, count, err);
	} else {
		if (!rights && kind == &gids)
			r = deny_setgroups(procfd, pid, err);
		if (r >= 0)
			r = write_map(procfd, pid, kind->file, maps, count, err);
	}
	return r;
}

int idmap_write(int procfd, pid_t pid, const struct spec_id_maps *maps, const char *owner,
		struct error *err)
{
	int r = make_map(procfd, pid, &uids, maps->uid, maps->uid_count, err);

	if (r < 0)
		return within(err, r, "%s.%s", owner, uids.field);
	r = make_map(procfd, pid, &gids, maps->gid, maps->gid_count, err);
	return r < 0 ? within(err, r, "%s.%s", owner, gids.field) : 0;
}

/*
 * Takes the next line of a map from its text, which is taken apart: *saved is the text at first.
 * 1: *ret is one; 0: there is none any more; -EINVAL: it is no such line.
 */
static int next_range(char **saved, struct id_map *ret)
{
	uint32_t *const fields[] = {&ret->container_id, &ret->host_id, &ret->size};

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		char *word = strtok_r(NULL, " \n", saved);

		if (!word && i == 0)
			return 0;
		if (!word || str_to_u32(word, fields[i]) < 0)
			return -EINVAL;
	}
	return 1;
}

/* Whether the text of a map's file, which is taken apart, says what @maps do in whatever order. */
static bool says_the_same(char *text, const struct id_map *maps, size_t count)
{
	struct id_map found;
	size_t ranges = 0;
	int r;

	while ((r = next_range(&text, &found)) > 0) {
		bool known = false;

		for (size_t i = 0; i < count && !known; i++)
			known = maps[i].container_id == found.container_id &&
				maps[i].host_id == found.host_id && maps[i].size == found.size;
		if (!known)
			return false;
		ranges++;
	}
	return r == 0 && ranges == count;
}

/* The text of a map of process @pid; the caller's. */
static int read_map(int procfd, pid_t pid, const char *file, char **ret, struct error *err)
{
	_cleanup_fd_ int fd = -EBADF;
	char path[64];

	snprintf(path, sizeof(path), "%d/%s", pid, file);
	fd = proc_open_at(procfd, path, O_RDONLY, err);
	return fd < 0 ? fd : file_read_fd(fd, path, MAP_READ_MAX, ret, NULL, err);
}

static int compare_map(int procfd, pid_t pid, const char *file, const struct id_map *maps,
		       size_t count, struct error *err)
{
	_cleanup_free_ char *text = NULL;
	int r;

	if (!count)
		return 0;
	r = read_map(procfd, pid, file, &text, err);
	if (r < 0)
		return r;
	if (!says_the_same(text, maps, count))
		return refuse(err, "the user namespace that is joined has other mappings");
	return 0;
}

int idmap_compare(int procfd, pid_t pid, const struct spec_id_maps *maps, struct error *err)
{
	int r = compare_map(procfd, pid, "uid_map", maps->uid, maps->uid_count, err);

	if (r < 0)
		return within(err, r, "linux.uidMappings");
	r = compare_map(procfd, pid, "gid_map", maps->gid, maps->gid_count, err);
	return r < 0 ? within(err, r, "linux.gidMappings") : 0;
}

int idmap_user_outside(int procfd, pid_t pid, uid_t id, uid_t *ret, struct error *err)
{
	_cleanup_free_ char *text = NULL;
	struct id_map map;
	char *saved;
	int r = read_map(procfd, pid, uids.file, &text, err);

	if (r < 0)
		return r;
	saved = text;
	while (next_range(&saved, &map) > 0) {
		if (id >= map.container_id && id - map.container_id < map.size) {
			*ret = map.host_id + (id - map.container_id);
			return 0;
		}
	}
	return refuse(err, "user %u of the container has no id outside", id);
}
