/* SPDX-License-Identifier: Apache-2.0 */
/* Values of properties: small JSON trees, as berth-systemd reads them. */
#include <inttypes.h>
#include <string.h>

#include "unit-internal.h"

static struct json *node(struct arena *arena, enum json_type type)
{
	struct json *value = arena_alloc(arena, 1, sizeof(*value));

	value->type = type;
	return value;
}

const struct json *value_of_bool(struct arena *arena, bool value)
{
	struct json *made = node(arena, JSON_BOOL);

	made->boolean = value;
	return made;
}

const struct json *value_of_number(struct arena *arena, const char *number)
{
	struct json *made = node(arena, JSON_NUMBER);

	made->text = number;
	return made;
}

const struct json *value_of_u64(struct arena *arena, uint64_t number)
{
	return value_of_number(arena, arena_printf(arena, "%" PRIu64, number));
}

const struct json *value_of_text(struct arena *arena, const char *text)
{
	struct json *made = node(arena, JSON_STRING);

	made->text = text;
	return made;
}

struct json *value_of_list(struct arena *arena)
{
	return node(arena, JSON_ARRAY);
}

void value_add(struct json *list, const struct json *item)
{
	struct json **end = &list->item;

	while (*end)
		end = &(*end)->next;
	*end = (struct json *)item;
	list->count++;
}

void property_add(struct unit_properties *to, const char *name, const char *signature,
		  const struct json *value)
{
	if (to->count == to->room) {
		size_t room = to->room ? 2 * to->room : 32;
		struct unit_property *items = arena_alloc(to->arena, room, sizeof(*items));

		if (to->count)
			memcpy(items, to->items, to->count * sizeof(*items));
		to->items = items;
		to->room = room;
	}
	to->items[to->count++] = (struct unit_property){name, signature, value};
}
