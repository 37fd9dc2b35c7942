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
	/* @target: what fields_read() was given, @offset bytes further. */
	int (*read)(const struct decode *decode, const struct json *value, void *target,
		    struct error *err);
	size_t offset;
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

/* A list of nothing but strings: refuses any other @item of the member @list. */
int field_check_text(const struct decode *decode, const char *list, const struct json *item,
		     struct error *err) must_check;

/* Refuses a document of another version than @expected. */
int field_version(const struct decode *decode, const struct json *value, uint64_t expected,
		  struct error *err) must_check;

/* Functions for tables: @target is a bool, uint64_t, uint32_t, pid_t, or const char *: any text, a
 * container's name, a link's. */
int field_read_bool(const struct decode *decode, const struct json *value, void *target,
		    struct error *err) must_check;
int field_read_text(const struct decode *decode, const struct json *value, void *target,
		    struct error *err) must_check;
int field_read_u64(const struct decode *decode, const struct json *value, void *target,
		   struct error *err) must_check;
int field_read_u32(const struct decode *decode, const struct json *value, void *target,
		   struct error *err) must_check;
int field_read_pid(const struct decode *decode, const struct json *value, void *target,
		   struct error *err) must_check;
int field_read_container(const struct decode *decode, const struct json *value, void *target,
			 struct error *err) must_check;
int field_read_link(const struct decode *decode, const struct json *value, void *target,
		    struct error *err) must_check;
/* @target: a struct publish_list. */
int field_read_publish(const struct decode *decode, const struct json *value, void *target,
		       struct error *err) must_check;

#endif
