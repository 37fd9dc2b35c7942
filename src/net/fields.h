/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the members of JSON objects by tables. */
#ifndef BERTH_NET_FIELDS_H
#define BERTH_NET_FIELDS_H

#include <stddef.h>

#include "berth/base/json_read.h"

/* What a member is read for: passed to its function. */
struct decode {
	struct arena *arena;
	const char *what; /* the document or object, for errors */
};

struct field {
	const char *name;
	enum json_type type;
	bool required;
	int (*read)(const struct decode *decode, const struct json *value, void *target,
		    struct error *err);
};

/*
 * Reads all members of the object @json into @target. Refused: what is no object, a member that is
 * not in the table or of another type, and a required one that is missing.
 */
int fields_read(const struct decode *decode, const struct json *json, const struct field *fields,
		size_t count, void *target, struct error *err) must_check;

/* A whole number of 0 to @max. */
int field_number(const struct decode *decode, const struct json *value, uint64_t max, uint64_t *ret,
		 struct error *err) must_check;

#endif
