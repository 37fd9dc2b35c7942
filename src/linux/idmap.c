/* SPDX-License-Identifier: Apache-2.0 */
/* The id maps of a new user namespace; see user_namespaces(7). */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "berth/base/proc.h"
#include "berth/base/str.h"
#include "berth/linux/process.h"

/* The kernel's bounds: lines of a map, and bytes of the one write that must hold them all. */
#define MAP_LINES_MAX 340
#define MAP_BYTES_MAX 4095

/* What the errors of the write mean, of which user_namespaces(7) needs a page to tell. */
static const char *map_hint(int code)
{
	switch (code) {
	case -EPERM:
		return " (the writer may not map these ids: it needs CAP_SETUID and CAP_SETGID, "
		       "and "
		       "the host ids must be mapped in its own user namespace)";
	case -EINVAL:
		return " (do ranges overlap, or go beyond 4294967295?)";
	default:
		return "";
	}
}

static int map_text(const struct spec_id_map *maps, size_t count, struct buf *text,
		    struct error *err)
{
	if (count > MAP_LINES_MAX)
		return refuse_as(err, -E2BIG, "%zu ranges, but the kernel takes at most %d", count,
				 MAP_LINES_MAX);
	for (size_t i = 0; i < count; i++)
		buf_printf(text, "%u %u %u\n", maps[i].container_id, maps[i].host_id, maps[i].size);
	if (text->size > MAP_BYTES_MAX)
		return refuse_as(err, -E2BIG,
				 "%zu bytes of ranges, but the kernel takes at most %d", text->size,
				 MAP_BYTES_MAX);
	return 0;
}

static int write_map(int procfd, pid_t pid, const char *file, const struct spec_id_map *maps,
		     size_t count, struct error *err)
{
	_cleanup_buf_ struct buf text = BUF_EMPTY;
	struct error inner = ERROR_NONE;
	char path[64];
	int r;

	if (!count)
		return 0;
	r = map_text(maps, count, &text, err);
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

	if (geteuid() == 0)
		return 0;
	snprintf(path, sizeof(path), "%d/setgroups", pid);
	return proc_write(procfd, path, "deny", err);
}

int idmap_write(int procfd, pid_t pid, const struct spec_id_maps *maps, struct error *err)
{
	/* First, since for one who maps himself the next write makes him root. */
	int r = maps->gid_count ? deny_setgroups(procfd, pid, err) : 0;

	if (r < 0)
		return within(err, r, "linux.gidMappings");
	r = write_map(procfd, pid, "uid_map", maps->uid, maps->uid_count, err);
	if (r < 0)
		return within(err, r, "linux.uidMappings");
	r = write_map(procfd, pid, "gid_map", maps->gid, maps->gid_count, err);
	return r < 0 ? within(err, r, "linux.gidMappings") : 0;
}
