/* SPDX-License-Identifier: Apache-2.0 */
/* For the tests of JSON: reading a text of C, or being refused. */
#ifndef BERTH_TESTS_BASE_JSON_H
#define BERTH_TESTS_BASE_JSON_H

#include "berth/base/json_read.h"

#include "unit.h"

/* Reads @text, which must be accepted. */
static inline const struct json *read_json(struct arena *arena, const char *text)
{
	const struct json *value = NULL;
	struct error err = ERROR_NONE;

	if (json_read(arena, text, strlen(text), "text", &value, &err) < 0)
		fail_msg("%s: %s", text, err.text);
	assert_non_null(value);
	return value;
}

/* A whole text that must be refused, where, and with which words after that. */
struct bad_json {
	const char *text;
	unsigned line, column;
	const char *reason;
};

static inline void refuse_json(const struct bad_json *bad)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_free_ char *text = xstrdup(bad->text), *expected = NULL;
	const struct json *value = NULL;
	struct error err = ERROR_NONE;
	int r = json_read(arena, text, strlen(text), "doc", &value, &err);

	expected = xasprintf("doc: line %u, column %u: %s", bad->line, bad->column, bad->reason);
	if (r != -EINVAL || value || !str_equal(err.text, expected))
		fail_msg("%s: %d \"%s\" instead of \"%s\"", bad->text, r, err.text, expected);
}

#endif
