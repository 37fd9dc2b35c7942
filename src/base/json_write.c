/* SPDX-License-Identifier: Apache-2.0 */
/* Writing JSON. */
#include "berth/base/json_write.h"

#include <inttypes.h>
#include <stdio.h>

static void new_line(struct json_writer *w)
{
	if (!w->pretty)
		return;
	buf_add_char(w->out, '\n');
	for (unsigned i = 0; i < w->depth; i++)
		buf_add_string(w->out, "  ");
}

/* What stands between the previous item and this one. */
static void separate(struct json_writer *w)
{
	if (w->keyed) {
		w->keyed = false;
		return;
	}
	if (!w->first)
		buf_add_char(w->out, ',');
	if (w->depth)
		new_line(w);
	w->first = false;
}

static void begin(struct json_writer *w, char bracket)
{
	separate(w);
	buf_add_char(w->out, bracket);
	w->depth++;
	w->first = true;
}

static void end(struct json_writer *w, char bracket)
{
	w->depth--;
	if (!w->first)
		new_line(w);
	buf_add_char(w->out, bracket);
	w->first = false;
}

void json_begin_object(struct json_writer *w)
{
	begin(w, '{');
}

void json_end_object(struct json_writer *w)
{
	end(w, '}');
}

void json_begin_array(struct json_writer *w)
{
	begin(w, '[');
}

void json_end_array(struct json_writer *w)
{
	end(w, ']');
}

/* Only what RFC 8259 says must be escaped is: consumers of hooks' input compare texts. */
static void add_escaped(struct buf *out, unsigned char c)
{
	static const char shorts[][2] = {
		{'"', '"'},  {'\\', '\\'}, {'\n', 'n'}, {'\r', 'r'},
		{'\t', 't'}, {'\b', 'b'},  {'\f', 'f'},
	};

	for (size_t i = 0; i < ARRAY_SIZE(shorts); i++) {
		if (c == (unsigned char)shorts[i][0]) {
			buf_add_char(out, '\\');
			buf_add_char(out, shorts[i][1]);
			return;
		}
	}
	buf_printf(out, "\\u%04x", c);
}

static void add_string(struct buf *out, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;

	buf_add_char(out, '"');
	while (*s) {
		size_t length = utf8_length((const char *)s);

		if (length == 0)
			buf_add_string(out, "\xef\xbf\xbd");
		else if (*s < 0x20 || *s == '"' || *s == '\\')
			add_escaped(out, *s);
		else
			buf_add(out, s, length);
		s += length ? length : 1;
	}
	buf_add_char(out, '"');
}

void json_key(struct json_writer *w, const char *key)
{
	separate(w);
	add_string(w->out, key);
	buf_add_string(w->out, w->pretty ? ": " : ":");
	w->keyed = true;
}

void json_string(struct json_writer *w, const char *text)
{
	separate(w);
	add_string(w->out, text);
}

void json_bool(struct json_writer *w, bool value)
{
	separate(w);
	buf_add_string(w->out, value ? "true" : "false");
}

void json_u64(struct json_writer *w, uint64_t value)
{
	separate(w);
	buf_printf(w->out, "%" PRIu64, value);
}

void json_i64(struct json_writer *w, int64_t value)
{
	separate(w);
	buf_printf(w->out, "%" PRId64, value);
}

void json_null(struct json_writer *w)
{
	separate(w);
	buf_add_string(w->out, "null");
}

static void write_scalar(struct json_writer *w, const struct json *value)
{
	if (value->type == JSON_STRING) {
		json_string(w, value->text);
	} else if (value->type == JSON_NUMBER) {
		separate(w);
		buf_add_string(w->out, value->text);
	} else if (value->type == JSON_BOOL) {
		json_bool(w, value->boolean);
	} else {
		json_null(w);
	}
}

/* The tree's depth is bounded by the reader: recursion is safe. */
void json_value(struct json_writer *w, const struct json *value)
{
	bool object = value->type == JSON_OBJECT;

	if (!object && value->type != JSON_ARRAY) {
		write_scalar(w, value);
		return;
	}
	begin(w, object ? '{' : '[');
	for (const struct json *item = value->item; item; item = item->next) {
		if (object)
			json_key(w, item->key);
		json_value(w, item);
	}
	end(w, object ? '}' : ']');
}

void json_member_string(struct json_writer *w, const char *key, const char *text)
{
	json_key(w, key);
	json_string(w, text);
}

void json_member_bool(struct json_writer *w, const char *key, bool value)
{
	json_key(w, key);
	json_bool(w, value);
}

void json_member_u64(struct json_writer *w, const char *key, uint64_t value)
{
	json_key(w, key);
	json_u64(w, value);
}

void json_member_i64(struct json_writer *w, const char *key, int64_t value)
{
	json_key(w, key);
	json_i64(w, value);
}

void json_member_strings(struct json_writer *w, const char *key, const char *const *list)
{
	json_key(w, key);
	json_begin_array(w);
	for (; *list; list++)
		json_string(w, *list);
	json_end_array(w);
}
