/* SPDX-License-Identifier: Apache-2.0 */
/* Members of JSON objects, typed, with no room for two readers to differ about one document. */
#include "fields.h"

#include "berth/base/str.h"

/* Longest piece of a document that an error repeats. */
#define SHOWN_MAX 100

/* How many values a text can have at most, were it JSON: what separates them, outside of strings.
 */
static size_t count_values(const char *text, size_t size)
{
	size_t count = 1;
	bool in_string = false;

	for (size_t i = 0; i < size; i++) {
		if (in_string && text[i] == '\\')
			i++;
		else if (text[i] == '"')
			in_string = !in_string;
		else if (!in_string && (text[i] == ',' || text[i] == '[' || text[i] == '{'))
			count++;
	}
	return count;
}

int fields_read(struct arena *arena, const char *text, size_t size, const char *what,
		const struct json **ret, struct error *err)
{
	if (count_values(text, size) > FIELDS_VALUES_MAX)
		return refuse(err, "%s: there are more than %d values in it", what,
			      FIELDS_VALUES_MAX);
	return json_read(arena, text, size, what, ret, err);
}

/*
 * The next character of @text in lower case, as Go's encoding/json folds names: besides the letters
 * of ASCII it takes U+017F for "s", and U+212A for "k".
 */
static char next_folded(const char **text)
{
	const char *at = *text;

	if (str_starts(at, "\xc5\xbf")) {
		*text += 2;
		return 's';
	}
	if (str_starts(at, "\xe2\x84\xaa")) {
		*text += 3;
		return 'k';
	}
	if (*at != '\0')
		(*text)++;
	return ascii_lower(*at);
}

static bool equal_folded(const char *a, const char *b)
{
	char left, right;

	do {
		left = next_folded(&a);
		right = next_folded(&b);
	} while (left == right && left != '\0');
	return left == right;
}

int fields_check(const struct json *value, const char *const *names, struct error *err)
{
	if (value->type != JSON_OBJECT)
		return refuse(err, "found %s, must be an object", json_type_name(value->type));
	for (const struct json *member = value->item; member; member = member->next) {
		for (size_t i = 0; names[i]; i++) {
			if (equal_folded(member->key, names[i]) &&
			    !str_equal(member->key, names[i]))
				return refuse(err,
					      "\"%s\" differs from \"%s\" in upper and lower case "
					      "only: readers would not agree on what it means",
					      member->key, names[i]);
		}
	}
	return 0;
}

static int expect(const struct json *value, const char *name, enum json_type type,
		  struct error *err)
{
	if (value->type == type)
		return 0;
	return refuse(err, "%s: found %s, must be %s", name, json_type_name(value->type),
		      json_type_name(type));
}

int field_value(const struct json *object, const char *name, enum json_type type,
		const struct json **ret, struct error *err)
{
	const struct json *value = json_member(object, name);
	int r;

	if (!value || value->type == JSON_NULL) {
		*ret = NULL;
		return 0;
	}
	r = expect(value, name, type, err);
	if (r < 0)
		return r;
	*ret = value;
	return 0;
}

int field_text(const struct json *object, const char *name, const char **ret, struct error *err)
{
	const struct json *value;
	int r = field_value(object, name, JSON_STRING, &value, err);

	if (r < 0)
		return r;
	*ret = value ? value->text : "";
	return 0;
}

int field_texts(struct arena *arena, const struct json *object, const char *name,
		const char *const **ret, struct error *err)
{
	const struct json *array;
	const char **list;
	size_t count = 0;
	int r = field_value(object, name, JSON_ARRAY, &array, err);

	if (r < 0)
		return r;
	if (!array) {
		*ret = NULL;
		return 0;
	}
	list = arena_alloc(arena, array->count + 1, sizeof(*list));
	for (const struct json *item = array->item; item; item = item->next) {
		r = expect(item, name, JSON_STRING, err);
		if (r < 0)
			return r;
		list[count++] = item->text;
	}
	*ret = list;
	return 0;
}

int field_size(const struct json *object, const char *name, uint64_t *ret, struct error *err)
{
	const struct json *value;
	uint64_t number = 0;
	int r = field_value(object, name, JSON_NUMBER, &value, err);

	if (r < 0)
		return r;
	if (!value)
		return refuse(err, "%s is missing", name);
	if (json_to_u64(value, &number) < 0 || number > INT64_MAX)
		return refuse(err, "%s: %.*s is no whole number from 0 on", name, SHOWN_MAX,
			      value->text);
	*ret = number;
	return 0;
}
