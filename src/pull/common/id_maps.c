/* SPDX-License-Identifier: Apache-2.0 */
/* Maps of user namespaces, and subordinate ids. */
#include "id_maps.h"

#include "berth/base/alloc.h"
#include "berth/base/str.h"

bool id_maps_find(const struct id_maps *map, uint32_t inside, uint32_t *ret)
{
	*ret = inside;
	for (size_t i = 0; i < map->count; i++) {
		const struct id_map *range = &map->lines[i];

		if (inside < range->container_id || inside - range->container_id >= range->size)
			continue;
		*ret = range->host_id + (inside - range->container_id);
		return true;
	}
	return map->count == 0;
}

/* "OWNER:FIRST:COUNT"; the line is taken apart. */
static bool read_line(char *line, const char *owner, struct id_map *ret)
{
	char *saved = NULL, *name = strtok_r(line, ":", &saved),
	     *first = strtok_r(NULL, ":", &saved), *count = strtok_r(NULL, ":", &saved);

	return count && str_equal(name, owner) && str_to_u32(first, &ret->host_id) == 0 &&
	       str_to_u32(count, &ret->size) == 0 && ret->size > 0;
}

size_t subids_of(const char *text, const char *owner, struct id_map *ret, size_t room)
{
	_cleanup_free_ char *copy = xstrdup(text);
	char *saved = NULL;
	size_t count = 0;

	for (char *line = strtok_r(copy, "\n", &saved); line && count < room;
	     line = strtok_r(NULL, "\n", &saved)) {
		struct id_map range = {.container_id = 0};

		if (read_line(line, owner, &range))
			ret[count++] = range;
	}
	return count;
}
