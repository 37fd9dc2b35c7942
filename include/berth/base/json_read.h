/* SPDX-License-Identifier: Apache-2.0 */
/* Reading JSON into a small tree that knows where in the text each value stands. */
#ifndef BERTH_BASE_JSON_READ_H
#define BERTH_BASE_JSON_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "berth/base/alloc.h"
#include "berth/base/error.h"

/* Bounds, so that no document can exhaust memory or the stack. */
#define JSON_DEPTH_MAX 64
#define JSON_SIZE_MAX  (16u << 20) /* bytes of text */
#define JSON_NODES_MAX (1u << 20)  /* values in one document */

enum json_type {
	JSON_NULL,
	JSON_BOOL,
	JSON_NUMBER,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT,
	JSON_TYPE_MAX
};

/* A value. All of it belongs to the arena that it was read into. */
struct json {
	enum json_type type;
	uint32_t offset; /* byte offset of the value's end in the text, for line and column */
	bool boolean;
	const char *key;   /* its name, where it is an object's member; otherwise NULL */
	const char *text;  /* JSON_STRING: the text, without NUL inside; JSON_NUMBER: as written */
	size_t count;	   /* JSON_ARRAY, JSON_OBJECT: number of items */
	struct json *item; /* first item of an array, or first member, in the text's order */
	struct json *next; /* next item of the same array or object */
};

/*
 * Reads @size bytes of @text as one JSON document (RFC 8259). Refused, with line and column: any
 * syntax error, comments, trailing text, invalid UTF-8, "\u0000" in a string, a name that occurs
 * twice in an object, and what exceeds the bounds above. @what names the document in errors.
 */
int json_read(struct arena *arena, const char *text, size_t size, const char *what,
	      const struct json **ret, struct error *err) must_check;

/* The member @key of an object, or NULL. */
const struct json *json_member(const struct json *object, const char *key);

/* "null", "a boolean", "a number", "a string", "an array", "an object". */
const char *json_type_name(enum json_type type);

/*
 * Values that must be whole numbers of a range. Accepts what JSON calls a number if its value is
 * a whole one ("1e3" and "10.0" are not accepted: no writer of OCI documents makes them).
 * Return 0, -EINVAL (not a whole number), -ERANGE. No text.
 */
int json_to_u64(const struct json *value, uint64_t *ret) must_check;
int json_to_i64(const struct json *value, int64_t *ret) must_check;

#endif
