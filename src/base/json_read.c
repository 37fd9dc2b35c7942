/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON text to a tree, by way of yajl's stream. yajl's own tree is not used: it loses where a value
 * stood and the largest 64-bit numbers, and does not bound depth.
 */
#include "berth/base/json_read.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <yajl/yajl_parse.h>

#include "berth/base/str.h"

struct reader {
	struct arena *arena;
	yajl_handle yajl;
	struct json *root;
	struct json *open[JSON_DEPTH_MAX]; /* arrays and objects that are not closed yet */
	struct json *last[JSON_DEPTH_MAX]; /* the newest item of each */
	size_t depth;
	size_t nodes;
	const char *key;   /* the name that was read and whose value comes next */
	char problem[256]; /* why one of our callbacks stopped the reading */
};

static const char *const type_names[JSON_TYPE_MAX] = {
	[JSON_NULL] = "null",	    [JSON_BOOL] = "a boolean", [JSON_NUMBER] = "a number",
	[JSON_STRING] = "a string", [JSON_ARRAY] = "an array", [JSON_OBJECT] = "an object",
};

const char *json_type_name(enum json_type type)
{
	return type_names[type];
}

static struct json *add_value(struct reader *reader, enum json_type type)
{
	struct json *value;

	if (++reader->nodes > JSON_NODES_MAX) {
		snprintf(reader->problem, sizeof(reader->problem), "more than %u values",
			 JSON_NODES_MAX);
		return NULL;
	}
	value = arena_alloc(reader->arena, 1, sizeof(*value));
	value->type = type;
	value->key = take_ptr(&reader->key);
	value->offset = (uint32_t)yajl_get_bytes_consumed(reader->yajl);
	if (!reader->depth) {
		reader->root = value;
		return value;
	}
	struct json *parent = reader->open[reader->depth - 1];
	struct json **last = &reader->last[reader->depth - 1];

	if (*last)
		(*last)->next = value;
	else
		parent->item = value;
	*last = value;
	parent->count++;
	return value;
}

static int on_null(void *context)
{
	return add_value(context, JSON_NULL) != NULL;
}

static int on_boolean(void *context, int boolean)
{
	struct json *value = add_value(context, JSON_BOOL);

	if (value)
		value->boolean = boolean;
	return value != NULL;
}

static int on_number(void *context, const char *text, size_t length)
{
	struct reader *reader = context;
	struct json *value = add_value(reader, JSON_NUMBER);

	if (value)
		value->text = arena_strndup(reader->arena, text, length);
	return value != NULL;
}

/* A string of the text, or NULL with the problem noted. */
static const char *take_text(struct reader *reader, const unsigned char *text, size_t length)
{
	if (memchr(text, '\0', length)) {
		snprintf(reader->problem, sizeof(reader->problem), "a string contains \\u0000");
		return NULL;
	}
	return arena_strndup(reader->arena, (const char *)text, length);
}

static int on_string(void *context, const unsigned char *text, size_t length)
{
	struct reader *reader = context;
	const char *copy = take_text(reader, text, length);
	struct json *value = copy ? add_value(reader, JSON_STRING) : NULL;

	if (value)
		value->text = copy;
	return value != NULL;
}

static int on_key(void *context, const unsigned char *text, size_t length)
{
	struct reader *reader = context;

	reader->key = take_text(reader, text, length);
	return reader->key != NULL;
}

static int begin(struct reader *reader, enum json_type type)
{
	struct json *value = add_value(reader, type);

	if (!value)
		return 0;
	if (reader->depth == JSON_DEPTH_MAX) {
		snprintf(reader->problem, sizeof(reader->problem), "nested deeper than %d",
			 JSON_DEPTH_MAX);
		return 0;
	}
	reader->open[reader->depth] = value;
	reader->last[reader->depth] = NULL;
	reader->depth++;
	return 1;
}

static int on_object_begin(void *context)
{
	return begin(context, JSON_OBJECT);
}

static int on_array_begin(void *context)
{
	return begin(context, JSON_ARRAY);
}

static int on_array_end(void *context)
{
	struct reader *reader = context;

	reader->depth--;
	return 1;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The name that occurs twice in @object, or NULL. */
static const char *find_twice(const struct json *object)
{
	_cleanup_free_ const char **names = xcalloc(object->count, sizeof(*names));
	size_t count = 0;

	for (const struct json *item = object->item; item; item = item->next)
		names[count++] = item->key;
	qsort(names, count, sizeof(*names), compare_names);
	for (size_t i = 1; i < count; i++) {
		if (str_equal(names[i - 1], names[i]))
			return names[i];
	}
	return NULL;
}

static int on_object_end(void *context)
{
	struct reader *reader = context;
	const struct json *object = reader->open[--reader->depth];
	const char *twice = object->count > 1 ? find_twice(object) : NULL;

	if (twice)
		snprintf(reader->problem, sizeof(reader->problem),
			 "the name \"%.100s\" occurs twice in one object", twice);
	return twice == NULL;
}

static const yajl_callbacks callbacks = {
	.yajl_null = on_null,
	.yajl_boolean = on_boolean,
	.yajl_number = on_number,
	.yajl_string = on_string,
	.yajl_start_map = on_object_begin,
	.yajl_map_key = on_key,
	.yajl_end_map = on_object_end,
	.yajl_start_array = on_array_begin,
	.yajl_end_array = on_array_end,
};

/* What yajl says, without its final newline. */
static void yajl_problem(struct reader *reader, const char *text, size_t size)
{
	unsigned char *message = yajl_get_error(reader->yajl, 0, (const unsigned char *)text, size);

	snprintf(reader->problem, sizeof(reader->problem), "%s", (const char *)message);
	reader->problem[strcspn(reader->problem, "\n")] = '\0';
	yajl_free_error(reader->yajl, message);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The four hexadecimal digits of a \u escape, which are there. */
static unsigned hex_value(const char *digits)
{
	unsigned value = 0;

	for (int i = 0; i < 4; i++) {
		char c = digits[i];

		value = value << 4 | (unsigned)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
	}
	return value;
}

/* Length of the escape at @text, a pair of surrogates taken together, or 0 for a half of one. */
static size_t escape_length(const char *text, size_t left)
{
	unsigned unit = text[1] == 'u' ? hex_value(text + 2) : 0;

	if (unit < 0xd800 || unit > 0xdfff)
		return text[1] == 'u' ? 6 : 2;
	if (unit > 0xdbff || left < 12 || text[6] != '\\' || text[7] != 'u')
		return 0;
	unit = hex_value(text + 8);
	return unit >= 0xdc00 && unit <= 0xdfff ? 12 : 0;
}

/* Length of the character at @text, of which @left bytes are there; 0: it is no UTF-8. */
static size_t character_length(const char *text, size_t left)
{
	char whole[5] = "";

	memcpy(whole, text, left < 4 ? left : 4);
	return utf8_length(whole);
}

/*
 * Finds what yajl lets through: half surrogate pairs (which it turns into "?"), bytes that are
 * UTF-8 in form only, blanks that JSON does not know, a string after the end that does not end
 * itself. All else in @text is well formed by now. Returns its offset, with the problem noted, or
 * @size.
 */
static size_t find_lax(const char *text, size_t size, const char **ret_problem)
{
	size_t length, string = size; /* where the string began that we are in */

	for (size_t i = 0; i < size; i += length) {
		length = 1;
		if (text[i] == '"') {
			string = string == size ? i : size;
		} else if (text[i] == '\\') {
			length = escape_length(text + i, size - i);
			*ret_problem = "a string has a half of a surrogate pair";
		} else if ((unsigned char)text[i] >= 0x80) {
			length = character_length(text + i, size - i);
			*ret_problem = "a string is not UTF-8";
		} else if (string == size && (text[i] == '\v' || text[i] == '\f')) {
			length = 0;
			*ret_problem = "a character that is no blank of JSON";
		}
		if (!length)
			return i;
	}
	*ret_problem = "parse error: trailing garbage";
	return string;
}

/* @at: offset of the character that is wrong, or where one is missing. */
static int complain(struct reader *reader, const char *text, size_t size, size_t at,
		    const char *what, struct error *err)
{
	size_t line = 1, column = 1;

	for (size_t i = 0; i < at && i < size; i++) {
		bool newline = text[i] == '\n';

		line += newline;
		column = newline ? 1 : column + 1;
	}
	return refuse(err, "%s: line %zu, column %zu: %s", what, line, column, reader->problem);
}

static int parse(struct reader *reader, const char *text, size_t size, const char *what,
		 struct error *err)
{
	yajl_status status = yajl_parse(reader->yajl, (const unsigned char *)text, size);
	/* What is consumed ends with the character, or the token, that is wrong. */
	size_t at = yajl_get_bytes_consumed(reader->yajl);

	at -= at > 0;
	/* Some tokens are not consumed: then the blank before them is what was last. */
	at += at < size && is_blank(text[at]);
	if (status == yajl_status_ok) {
		status = yajl_complete_parse(reader->yajl);
		at = size;
	}
	if (status == yajl_status_ok && reader->root) {
		const char *problem;

		at = find_lax(text, size, &problem);
		if (at == size)
			return 0;
		snprintf(reader->problem, sizeof(reader->problem), "%s", problem);
	}
	if (!*reader->problem)
		yajl_problem(reader, text, size);
	return complain(reader, text, size, at, what, err);
}

int json_read(struct arena *arena, const char *text, size_t size, const char *what,
	      const struct json **ret, struct error *err)
{
	struct reader reader = {.arena = arena};
	int r;

	if (size > JSON_SIZE_MAX)
		return refuse(err, "%s: larger than %u bytes", what, JSON_SIZE_MAX);
	if (size == 0)
		return refuse(err, "%s: line 1, column 1: empty", what);
	reader.yajl = yajl_alloc(&callbacks, NULL, &reader);
	if (!reader.yajl)
		return fail(err, -ENOMEM, "%s: prepare to read", what);
	r = parse(&reader, text, size, what, err);
	yajl_free(reader.yajl);
	if (r >= 0)
		*ret = reader.root;
	return r;
}

const struct json *json_member(const struct json *object, const char *key)
{
	for (const struct json *item = object->item; item; item = item->next) {
		if (str_equal(item->key, key))
			return item;
	}
	return NULL;
}

int json_to_u64(const struct json *value, uint64_t *ret)
{
	if (value->type != JSON_NUMBER)
		return -EINVAL;
	/* A negative whole number is one, only not of this range; -0 is 0. */
	if (value->text[0] == '-' && !str_equal(value->text, "-0")) {
		uint64_t unused;

		return str_to_u64(value->text + 1, &unused) == -EINVAL ? -EINVAL : -ERANGE;
	}
	return str_to_u64(value->text + (value->text[0] == '-'), ret);
}

int json_to_i64(const struct json *value, int64_t *ret)
{
	return value->type == JSON_NUMBER ? str_to_i64(value->text, ret) : -EINVAL;
}
