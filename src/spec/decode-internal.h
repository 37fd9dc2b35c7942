/* SPDX-License-Identifier: Apache-2.0 */
/* The field tables that describe config.json, and the interpreter that walks them. */
#ifndef BERTH_SPEC_DECODE_INTERNAL_H
#define BERTH_SPEC_DECODE_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "berth/base/alloc.h"
#include "berth/base/error.h"
#include "berth/base/json_read.h"
#include "berth/base/str.h"
#include "berth/spec/spec.h"

/* What all of one document's decoding shares. */
struct decoder {
	struct arena *arena;
	const char *bundle; /* absolute; NULL: the document has nothing that is relative to it */
};

/*
 * A value and where it stands. A chain on the stack, from the value up to the document itself; it
 * is written out ("mounts[3].options[1]") only when there is an error to report.
 */
struct node {
	const struct node *up; /* NULL: the document itself */
	const char *member;    /* a field's name … */
	const char *key;       /* … or a name that the document's author chose … */
	size_t index;	       /* … or, where both are NULL, an item of a list */
	const struct json *value;
};

enum field_kind {
	FIELD_STRING,	   /* const char *; see enum field_empty */
	FIELD_PATH,	   /* const char *, absolute */
	FIELD_BOOL,	   /* bool */
	FIELD_NUMBER,	   /* an integer of 4 or 8 bytes, from min to max */
	FIELD_STRINGS,	   /* const char *const *, NULL-terminated */
	FIELD_PATHS,	   /* the same, each absolute */
	FIELD_OBJECT,	   /* a struct in place, by table */
	FIELD_POINTER,	   /* a pointer to a struct of its own, by table */
	FIELD_ARRAY,	   /* a pointer to structs by table, their number at count */
	FIELD_MAP,	   /* struct spec_strings */
	FIELD_CUSTOM,	   /* whatever the function makes of it */
	FIELD_UNSUPPORTED, /* nothing is kept: the value must ask for nothing */
	FIELD_KIND_MAX
};

/* What an empty string means. */
enum field_empty {
	EMPTY_ABSENT, /* the same as no field */
	EMPTY_REFUSED
};

/* Which values of an unsupported field ask for nothing; null does always. */
enum field_nothing {
	NOTHING_EMPTY,	   /* false, 0, "", [], and objects of nothing but these */
	NOTHING_MINUS_ONE, /* these, and -1 */
	NOTHING_NULL	   /* null alone */
};

struct field {
	const char *name;
	enum field_kind kind;
	bool required;
	size_t offset; /* of the value in its struct */
	size_t size;   /* FIELD_NUMBER: of the value */
	bool has_flag;
	size_t flag;  /* where has_flag: offset of a bool that says that the field was there */
	size_t count; /* FIELD_ARRAY: offset of the number of items, a size_t */
	int64_t min;  /* FIELD_NUMBER */
	uint64_t max;
	const struct table *table;
	enum field_empty empty;
	enum field_nothing nothing; /* FIELD_UNSUPPORTED … */
	enum json_type type;	    /* … and what JSON type it must have nevertheless */
	const char *reason;	    /* … and why it is refused */
	int argument;		    /* for the function */
	int (*custom)(const struct decoder *d, const struct field *field, const struct node *node,
		      void *base, struct error *err);
};

/* One JSON object and the struct that it becomes. */
struct table {
	const struct field *fields;
	size_t count;
	size_t size;	      /* of the struct */
	const void *defaults; /* what an array's item starts from; NULL: zeroes */
	/* What no single field can tell; runs after the fields. May be NULL. */
	int (*check)(const struct decoder *d, const struct node *node, void *base,
		     struct error *err);
};

/* Where a value goes, for initialisers of struct field. */
#define AT(type, member)	.offset = offsetof(type, member)
#define AT_NUMBER(type, member) AT(type, member), .size = sizeof(((type *)0)->member)
#define FLAG(type, member)	.has_flag = true, .flag = offsetof(type, member)
#define RANGE(low, high)	.min = (low), .max = (high)
/* A struct spec_u64 or struct spec_i64. */
#define AT_OPTIONAL(type, member) AT_NUMBER(type, member.value), FLAG(type, member.set)

#define FIELDS(rows) .fields = (rows), .count = ARRAY_SIZE(rows)

/* Walks @table over @node's value into the struct @base, which the caller has zeroed. */
int decode_object(const struct decoder *d, const struct table *table, const struct node *node,
		  void *base, struct error *err) must_check;

/* Pieces for custom functions. They refuse a value of another type, or out of range. */
int decode_string(const struct node *node, const char **ret, struct error *err) must_check;
int decode_number(const struct node *node, int64_t min, uint64_t max, uint64_t *ret,
		  struct error *err) must_check;
int decode_strings(const struct decoder *d, const struct node *node, const char *const **ret,
		   struct error *err) must_check;
int decode_map(const struct decoder *d, const struct node *node, struct spec_strings *ret,
	       struct error *err) must_check;
int node_expect(const struct node *node, enum json_type type, struct error *err) must_check;

/* The member @name of @node's value, which may be NULL: where there is none, or null, so is its. */
struct node node_member(const struct node *node, const char *name);
static inline struct node node_item(const struct node *node, size_t index, const struct json *value)
{
	return (struct node){.up = node, .index = index, .value = value};
}

/* As refuse(), with the path of @node and ": " before the text. */
int refuse_at(const struct node *node, struct error *err, const char *format, ...)
	__attribute__((format(printf, 3, 4), cold));
/* Refuses @found because it is not among @names (NULL-terminated), and lists them. */
int refuse_choice(const struct node *node, const char *found, const char *const *names,
		  struct error *err) __attribute__((cold));
/* Index of @name in @names, or -EINVAL. */
int choice_index(const char *const *names, const char *name);
/* Reads one of @names, and returns its index. */
int decode_choice(const struct node *node, const char *const *names, struct error *err) must_check;

/* The text of every refusal of what berth may honour one day. */
#define NOT_YET "not supported yet"

#endif
