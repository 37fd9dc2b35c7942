/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Feeds any text to what reads the systemd driver's parts of config.json: the first line is
 * linux.cgroupsPath, the second an annotation's name, the rest its value. What is accepted must be
 * a name that systemd takes, and a value that is JSON again.
 */
#include "berth/base/json_write.h"
#include "berth/base/str.h"

#include "unit-internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_name(struct arena *arena, const char *path)
{
	const struct unit_wanted wanted = {.cgroups_path = path, .id = "id"};
	struct unit unit = {.name = NULL};
	struct error err = ERROR_NONE;

	if (unit_name_of(arena, &wanted, &unit, &err) < 0) {
		if (!str_starts(err.text, "linux.cgroupsPath: "))
			abort();
		return;
	}
	if (strlen(unit.name) > 255 || strpbrk(unit.name, "/@ \n") || unit.name[0] == '.' ||
	    !strstr(unit.name, ".scope") || strpbrk(unit.slice, "/@ \n") ||
	    !strstr(unit.slice, ".slice"))
		abort();
}

static void check_values(struct arena *arena, const struct unit_properties *list)
{
	for (size_t i = 0; i < list->count; i++) {
		_cleanup_buf_ struct buf text = BUF_EMPTY;
		struct json_writer w = JSON_WRITER(&text, false);
		const struct json *again = NULL;
		struct error err = ERROR_NONE;

		json_begin_array(&w);
		json_value(&w, list->items[i].value);
		json_end_array(&w);
		if (json_read(arena, text.data, text.size, "value", &again, &err) < 0 ||
		    !list->items[i].signature[0] || !list->items[i].name[0])
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	char *rest = arena_strndup(arena, (const char *)data, size);
	const char *path = strsep(&rest, "\n");
	const char *name = rest ? strsep(&rest, "\n") : "";
	struct spec_string_pair pair = {
		.key = arena_printf(arena, "org.systemd.property.%s", name),
		.value = rest ? rest : "",
	};
	struct unit_properties list = {.arena = arena};
	struct error err = ERROR_NONE;

	check_name(arena, path);
	if (unit_annotations(&list, &(struct spec_strings){&pair, 1}, &err) >= 0)
		check_values(arena, &list);
	else if (!str_starts(err.text, "annotations[\""))
		abort();
	return 0;
}
