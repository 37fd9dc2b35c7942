/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a JSON object of a CNI call by a table. */
#include "cni_member.h"

#include <errno.h>

#include "berth/base/json_write.h"

/* Bytes of a value that an error shows. */
#define SHOWN_MAX 200

int cni_unsupported(const struct json *value, const char *why, struct error *err)
{
	_cleanup_buf_ struct buf text = BUF_EMPTY;
	struct json_writer w = JSON_WRITER(&text, false);

	json_value(&w, value);
	return refuse_as(err, -EOPNOTSUPP, "\"%s\": %.*s is not supported%s%s", value->key,
			 SHOWN_MAX, text.data, why ? ": " : "", why ? why : "");
}

int cni_only_empty(void *to, const struct json *value, struct error *err)
{
	const bool has_text = value->type == JSON_NUMBER || value->type == JSON_STRING;
	const bool is_empty = has_text ? str_equal(value->text, "") || str_equal(value->text, "0")
				       : !value->boolean && value->count == 0;

	(void)to;
	return is_empty ? 0 : cni_unsupported(value, NULL, err);
}

static const struct cni_member *find_row(const struct cni_member *rows, size_t count,
					 const char *name)
{
	for (size_t i = 0; i < count; i++) {
		if (str_equal(rows[i].name, name))
			return &rows[i];
	}
	return NULL;
}

static int store(void *place, const struct json *value, struct error *err)
{
	switch (value->type) {
	case JSON_BOOL:
		*(bool *)place = value->boolean;
		return 0;
	case JSON_NUMBER:
		if (json_to_u64(value, place) < 0)
			return refuse(err, "\"%s\": %s is not a whole number, 0 or more",
				      value->key, value->text);
		return 0;
	case JSON_STRING:
		*(const char **)place = value->text;
		return 0;
	case JSON_NULL:
	case JSON_ARRAY:
	case JSON_OBJECT:
	case JSON_TYPE_MAX:
		break;
	}
	*(const struct json **)place = value;
	return 0;
}

int cni_members(const struct json *object, const struct cni_member *rows, size_t count, void *to,
		struct error *err)
{
	int r = 0;

	for (const struct json *value = object->item; value && r >= 0; value = value->next) {
		const struct cni_member *row = find_row(rows, count, value->key);

		if (value->type == JSON_NULL)
			continue;
		if (!row)
			return cni_unsupported(value, NULL, err);
		if (value->type != row->type)
			return refuse(err, "\"%s\": %s instead of %s", value->key,
				      json_type_name(value->type), json_type_name(row->type));
		if (row->take)
			r = row->take(to, value, err);
		else if (row->offset != CNI_NOTHING)
			r = store((char *)to + row->offset, value, err);
	}
	return r;
}

int cni_strings(struct arena *arena, const struct json *array, const char *const **ret,
		struct error *err)
{
	const char **list = arena_alloc(arena, array->count + 1, sizeof(*list));
	size_t count = 0;

	for (const struct json *item = array->item; item; item = item->next) {
		if (item->type != JSON_STRING)
			return refuse(err, "\"%s\"[%zu]: %s instead of a string", array->key, count,
				      json_type_name(item->type));
		list[count++] = item->text;
	}
	*ret = list;
	return 0;
}
