/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Members of the JSON objects that images are made of. A member that is null counts as absent, as
 * writers in Go make of an unset one. Errors name the member; callers add where it stands.
 */
#ifndef BERTH_PULL_FIELDS_H
#define BERTH_PULL_FIELDS_H

#include <stddef.h>
#include <stdint.h>

#include "berth/base/alloc.h"
#include "berth/base/error.h"
#include "berth/base/json_read.h"

/* Whatever the locale says. */
static inline char ascii_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

/* Most values in one document: what a tree of them costs is bounded by it (4 MiB). */
#define FIELDS_VALUES_MAX 65536

/* As json_read(), with FIELDS_VALUES_MAX values at most. */
int fields_read(struct arena *arena, const char *text, size_t size, const char *what,
		const struct json **ret, struct error *err) must_check;

/*
 * @value must be an object, without a member whose name is one of @names (NULL-terminated) but for
 * upper and lower case: other readers take such a one for the member itself, and see another image.
 */
int fields_check(const struct json *value, const char *const *names, struct error *err) must_check;

/* *ret is the member @name, which must be of @type, or NULL if it is absent. */
int field_value(const struct json *object, const char *name, enum json_type type,
		const struct json **ret, struct error *err) must_check;

/* "" if it is absent. */
int field_text(const struct json *object, const char *name, const char **ret,
	       struct error *err) must_check;

/* A NULL-terminated list in @arena; NULL if it is absent. */
int field_texts(struct arena *arena, const struct json *object, const char *name,
		const char *const **ret, struct error *err) must_check;

/* A whole number from 0 to INT64_MAX, which must be there. */
int field_size(const struct json *object, const char *name, uint64_t *ret,
	       struct error *err) must_check;

#endif
