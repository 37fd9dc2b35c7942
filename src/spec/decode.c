/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Walks a field table over a JSON object, and fills the struct that the table describes.
 *
 * Theory of operation. The document is looked at from the tables' side: for each field that berth
 * knows, its member is looked up and decoded by its kind; members that no table names are never
 * seen, which is how the specification wants unknown ones handled. A member that is null counts as
 * absent, since that is what writers in Go make of an unset pointer. What one field alone can tell
 * (type, range, one of some names) is checked here; what takes two fields, by the check function
 * of the table. The recursion is as deep as the tables are, not as deep as the document.
 */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>

#include "decode-internal.h"

/* Longest piece of a document that an error repeats. */
#define SHOWN_MAX 100

static void node_path(const struct node *node, struct buf *path)
{
	if (node->up == NULL)
		return;
	node_path(node->up, path);
	if (node->member != NULL)
		buf_printf(path, "%s%s", path->size > 0 ? "." : "", node->member);
	else if (node->key != NULL)
		buf_printf(path, "[\"%.*s\"]", SHOWN_MAX, node->key);
	else
		buf_printf(path, "[%zu]", node->index);
}

int refuse_at(const struct node *node, struct error *err, const char *format, ...)
{
	_cleanup_buf_ struct buf path = BUF_EMPTY;
	_cleanup_free_ char *text = NULL;
	va_list args;

	va_start(args, format);
	text = xvasprintf(format, args);
	va_end(args);
	node_path(node, &path);
	/* The document as a whole: it goes by its own name, where it has one. */
	if (path.size == 0)
		buf_add_string(&path, node->key != NULL ? node->key : "the document");
	return refuse(err, "%s: %s", path.data, text);
}

int refuse_choice(const struct node *node, const char *found, const char *const *names,
		  struct error *err)
{
	_cleanup_buf_ struct buf list = BUF_EMPTY;

	for (size_t i = 0; names[i] != NULL; i++)
		buf_printf(&list, "%s%s", i > 0 ? ", " : "", names[i]);
	return refuse_at(node, err, "\"%.*s\" is not one of %s", SHOWN_MAX, found, list.data);
}

int choice_index(const char *const *names, const char *name)
{
	for (int i = 0; names[i] != NULL; i++) {
		if (str_equal(names[i], name))
			return i;
	}
	return -EINVAL;
}

int decode_choice(const struct node *node, const char *const *names, struct error *err)
{
	const char *text;
	int index, r = decode_string(node, &text, err);

	if (r < 0)
		return r;
	index = choice_index(names, text);
	return index < 0 ? refuse_choice(node, text, names, err) : index;
}

int node_expect(const struct node *node, enum json_type type, struct error *err)
{
	if (node->value->type == type)
		return 0;
	return refuse_at(node, err, "found %s, must be %s", json_type_name(node->value->type),
			 json_type_name(type));
}

struct node node_member(const struct node *node, const char *name)
{
	const struct json *value = NULL;

	if (node->value != NULL && node->value->type == JSON_OBJECT)
		value = json_member(node->value, name);
	if (value != NULL && value->type == JSON_NULL)
		value = NULL;
	return (struct node){.up = node, .member = name, .value = value};
}

int decode_string(const struct node *node, const char **ret, struct error *err)
{
	int r = node_expect(node, JSON_STRING, err);

	if (r < 0)
		return r;
	*ret = node->value->text;
	return 0;
}

static int decode_path(const struct node *node, const char **ret, struct error *err)
{
	const char *text;
	int r = decode_string(node, &text, err);

	if (r < 0)
		return r;
	if (text[0] != '/')
		return refuse_at(node, err, "\"%.*s\" is not an absolute path", SHOWN_MAX, text);
	*ret = text;
	return 0;
}

int decode_number(const struct node *node, int64_t min, uint64_t max, uint64_t *ret,
		  struct error *err)
{
	const struct json *value = node->value;
	bool fits = false;
	int64_t number;

	if (value->type != JSON_NUMBER)
		return refuse_at(node, err,
				 "found %s, must be a whole number from %" PRIi64 " to %" PRIu64,
				 json_type_name(value->type), min, max);
	if (json_to_i64(value, &number) == 0 && number < 0) {
		fits = number >= min;
		*ret = (uint64_t)number;
	} else if (json_to_u64(value, ret) == 0) {
		fits = *ret <= max && (min <= 0 || *ret >= (uint64_t)min);
	}
	if (!fits)
		return refuse_at(node, err,
				 "found %.*s, must be a whole number from %" PRIi64 " to %" PRIu64,
				 SHOWN_MAX, value->text, min, max);
	return 0;
}

static int decode_list(const struct decoder *d, const struct node *node,
		       int (*decode)(const struct node *, const char **, struct error *),
		       const char *const **ret, struct error *err)
{
	const char **list;
	size_t i = 0;
	int r = node_expect(node, JSON_ARRAY, err);

	if (r < 0)
		return r;
	list = arena_alloc(d->arena, node->value->count + 1, sizeof(*list));
	for (const struct json *item = node->value->item; item != NULL; item = item->next) {
		struct node at = node_item(node, i, item);

		r = decode(&at, &list[i], err);
		if (r < 0)
			return r;
		i++;
	}
	*ret = list;
	return 0;
}

int decode_strings(const struct decoder *d, const struct node *node, const char *const **ret,
		   struct error *err)
{
	return decode_list(d, node, decode_string, ret, err);
}

int decode_map(const struct decoder *d, const struct node *node, struct spec_strings *ret,
	       struct error *err)
{
	struct spec_string_pair *pair;
	int r = node_expect(node, JSON_OBJECT, err);

	if (r < 0)
		return r;
	pair = arena_alloc(d->arena, node->value->count, sizeof(*pair));
	*ret = (struct spec_strings){.items = pair, .count = node->value->count};
	for (const struct json *item = node->value->item; item != NULL; item = item->next) {
		struct node at = {.up = node, .key = item->key, .value = item};

		if (item->key[0] == '\0')
			return refuse_at(&at, err, "a name must not be empty");
		pair->key = item->key;
		r = decode_string(&at, &pair->value, err);
		if (r < 0)
			return r;
		pair++;
	}
	return 0;
}

static int field_string(const struct decoder *d, const struct field *field, const struct node *node,
			void *base, struct error *err)
{
	const char **at = (const char **)base;
	int r;

	(void)d;
	r = field->kind == FIELD_PATH ? decode_path(node, at, err) : decode_string(node, at, err);
	if (r < 0 || (*at)[0] != '\0')
		return r;
	if (field->empty == EMPTY_REFUSED)
		return refuse_at(node, err, "must not be empty");
	*at = NULL;
	return 0;
}

static int field_bool(const struct decoder *d, const struct field *field, const struct node *node,
		      void *base, struct error *err)
{
	int r = node_expect(node, JSON_BOOL, err);

	(void)d;
	(void)field;
	if (r < 0)
		return r;
	*(bool *)base = node->value->boolean;
	return 0;
}

static int field_number(const struct decoder *d, const struct field *field, const struct node *node,
			void *base, struct error *err)
{
	uint64_t number = 0;
	int r = decode_number(node, field->min, field->max, &number, err);

	(void)d;
	if (r < 0)
		return r;
	if (field->size == sizeof(uint32_t))
		*(uint32_t *)base = (uint32_t)number;
	else
		*(uint64_t *)base = number;
	return 0;
}

static int field_list(const struct decoder *d, const struct field *field, const struct node *node,
		      void *base, struct error *err)
{
	return decode_list(d, node, field->kind == FIELD_PATHS ? decode_path : decode_string,
			   (const char *const **)base, err);
}

static int field_object(const struct decoder *d, const struct field *field, const struct node *node,
			void *base, struct error *err)
{
	return decode_object(d, field->table, node, base, err);
}

static int field_pointer(const struct decoder *d, const struct field *field,
			 const struct node *node, void *base, struct error *err)
{
	void *made = arena_alloc(d->arena, 1, field->table->size);
	int r = decode_object(d, field->table, node, made, err);

	if (r < 0)
		return r;
	*(void **)base = made;
	return 0;
}

static int field_array(const struct decoder *d, const struct field *field, const struct node *node,
		       void *base, struct error *err)
{
	const struct table *table = field->table;
	size_t i = 0;
	char *items;
	int r = node_expect(node, JSON_ARRAY, err);

	if (r < 0)
		return r;
	items = arena_alloc(d->arena, node->value->count, table->size);
	for (const struct json *item = node->value->item; item != NULL; item = item->next) {
		struct node at = node_item(node, i, item);
		char *made = items + i * table->size;

		if (table->defaults != NULL)
			memcpy(made, table->defaults, table->size);
		r = decode_object(d, table, &at, made, err);
		if (r < 0)
			return r;
		i++;
	}
	*(void **)base = items;
	return 0;
}

static int field_map(const struct decoder *d, const struct field *field, const struct node *node,
		     void *base, struct error *err)
{
	(void)field;
	return decode_map(d, node, base, err);
}

static int field_custom(const struct decoder *d, const struct field *field, const struct node *node,
			void *base, struct error *err)
{
	return field->custom(d, field, node, base, err);
}

/* Whether a value that is not null asks for nothing. Its depth is bounded by JSON_DEPTH_MAX. */
static bool asks_for_nothing(const struct json *value)
{
	uint64_t number;

	switch (value->type) {
	case JSON_BOOL:
		return !value->boolean;
	case JSON_NUMBER:
		return json_to_u64(value, &number) == 0 && number == 0;
	case JSON_STRING:
		return value->text[0] == '\0';
	case JSON_ARRAY:
		return value->count == 0;
	case JSON_OBJECT:
		for (const struct json *item = value->item; item != NULL; item = item->next) {
			if (!asks_for_nothing(item))
				return false;
		}
		return true;
	case JSON_NULL:
	case JSON_TYPE_MAX:
		break;
	}
	return true;
}

static int field_unsupported(const struct decoder *d, const struct field *field,
			     const struct node *node, void *base, struct error *err)
{
	const struct json *value = node->value;
	int r = node_expect(node, field->type, err);
	int64_t number;

	(void)d;
	(void)base;
	if (r < 0)
		return r;
	if (field->nothing != NOTHING_NULL && asks_for_nothing(value))
		return 0;
	if (field->nothing == NOTHING_MINUS_ONE && json_to_i64(value, &number) == 0 && number == -1)
		return 0;
	return refuse_at(node, err, "%s", field->reason);
}

static int (*const kinds[])(const struct decoder *, const struct field *, const struct node *,
			    void *, struct error *) = {
	[FIELD_STRING] = field_string, [FIELD_PATH] = field_string,
	[FIELD_BOOL] = field_bool,     [FIELD_NUMBER] = field_number,
	[FIELD_STRINGS] = field_list,  [FIELD_PATHS] = field_list,
	[FIELD_OBJECT] = field_object, [FIELD_POINTER] = field_pointer,
	[FIELD_ARRAY] = field_array,   [FIELD_MAP] = field_map,
	[FIELD_CUSTOM] = field_custom, [FIELD_UNSUPPORTED] = field_unsupported,
};

static_assert(ARRAY_SIZE(kinds) == FIELD_KIND_MAX, "every kind has its function");

int decode_object(const struct decoder *d, const struct table *table, const struct node *node,
		  void *base, struct error *err)
{
	int r = node_expect(node, JSON_OBJECT, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < table->count; i++) {
		const struct field *field = &table->fields[i];
		struct node at = node_member(node, field->name);

		if (at.value == NULL) {
			if (field->required)
				return refuse_at(&at, err, "required, but missing");
			continue;
		}
		r = kinds[field->kind](d, field, &at, (char *)base + field->offset, err);
		if (r < 0)
			return r;
		if (field->has_flag)
			*(bool *)((char *)base + field->flag) = true;
		if (field->kind == FIELD_ARRAY)
			*(size_t *)((char *)base + field->count) = at.value->count;
	}
	return table->check != NULL ? table->check(d, node, base, err) : 0;
}
