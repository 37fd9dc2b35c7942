/* SPDX-License-Identifier: Apache-2.0 */
/* An index, each path of it once. */
#include "index_once.h"

#include "common/path_set.h"

struct once {
	int (*each)(void *context, const struct index_entry *entry, struct error *err);
	void *context;
	uint64_t lines, share, shares;
	struct path_set *seen;
};

uint64_t index_shares(uint64_t lines)
{
	return lines / INDEX_SHARE_MAX + 1;
}

uint64_t index_share_of(const char *path, uint64_t shares)
{
	uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a */

	if (shares == 1)
		return 0;
	for (; *path; path++)
		hash = (hash ^ (unsigned char)*path) * 0x100000001b3u;
	return (hash >> 32) % shares;
}

static int count_line(void *context, const struct index_entry *entry, struct error *err)
{
	(void)entry;
	(void)err;
	((struct once *)context)->lines++;
	return 0;
}

static int pass_line(void *context, const struct index_entry *entry, struct error *err)
{
	const struct once *once = context;
	int r;

	if (index_share_of(entry->path, once->shares) != once->share ||
	    path_set_has(once->seen, entry->path))
		return 0;
	r = once->each(once->context, entry, err);
	if (r > 0)
		path_set_add(once->seen, entry->path);
	return r < 0 ? r : 0;
}

int index_read_once(int fd,
		    int (*each)(void *context, const struct index_entry *entry, struct error *err),
		    void *context, struct error *err)
{
	struct once once = {.each = each, .context = context};
	int r = index_read(fd, count_line, &once, err);

	once.shares = index_shares(once.lines);
	for (; r >= 0 && once.share < once.shares; once.share++) {
		_cleanup_path_set_ struct path_set *seen = path_set_new();

		once.seen = seen;
		r = index_read(fd, pass_line, &once, err);
	}
	return r;
}
