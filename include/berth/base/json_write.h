/* SPDX-License-Identifier: Apache-2.0 */
/* Writing JSON: compact or indented, stable order, nothing escaped that need not be. */
#ifndef BERTH_BASE_JSON_WRITE_H
#define BERTH_BASE_JSON_WRITE_H

#include <stdbool.h>
#include <stdint.h>

#include "berth/base/json_read.h"
#include "berth/base/str.h"

/*
 * A writer that appends to a buffer. Commas, newlines and indentation are its own business: call
 * key and value functions in order, close what was opened. Strings that are not UTF-8 get U+FFFD.
 */
struct json_writer {
	struct buf *out; /* not owned */
	bool pretty;	 /* indent by two blanks (runc's state does) */
	unsigned depth;
	bool first; /* nothing stands yet in the innermost array or object */
	bool keyed; /* a name was written, its value comes next */
};

#define JSON_WRITER(buffer, indented)                                                              \
	{                                                                                          \
		.out = (buffer), .pretty = (indented), .first = true                               \
	}

void json_begin_object(struct json_writer *w);
void json_end_object(struct json_writer *w);
void json_begin_array(struct json_writer *w);
void json_end_array(struct json_writer *w);
void json_key(struct json_writer *w, const char *key);
void json_string(struct json_writer *w, const char *text);
void json_bool(struct json_writer *w, bool value);
void json_u64(struct json_writer *w, uint64_t value);
void json_i64(struct json_writer *w, int64_t value);
void json_null(struct json_writer *w);
/* A whole value that was read before, as it stands in its tree. */
void json_value(struct json_writer *w, const struct json *value);

/* Member shorthands: key and value in one call. */
void json_member_string(struct json_writer *w, const char *key, const char *text);
void json_member_bool(struct json_writer *w, const char *key, bool value);
void json_member_u64(struct json_writer *w, const char *key, uint64_t value);
void json_member_i64(struct json_writer *w, const char *key, int64_t value);
/* @list: NULL-terminated. */
void json_member_strings(struct json_writer *w, const char *key, const char *const *list);

#endif
