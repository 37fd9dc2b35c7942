/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Feeds any bytes to the reader of challenges, a line of input being a header. What it gives must
 * be what its contract says, and must come out the same when it is written and read again.
 */
#include "berth/base/str.h"

#include "registry/challenge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define LINES_MAX 8

/* Texts are not empty, and hold no control characters but tabs. */
static void check_text(const char *text)
{
	if (!text)
		return;
	if (!*text)
		abort();
	for (; *text; text++) {
		if (((unsigned char)*text < ' ' && *text != '\t') || *text == 0x7f)
			abort();
	}
}

static void add_parameter(struct buf *out, const char *name, const char *value)
{
	const char *last = out->data + out->size - 1;

	if (!value)
		return;
	buf_printf(out, "%s%s=\"", *last == '"' ? "," : " ", name);
	for (; *value; value++) {
		if (*value == '"' || *value == '\\')
			buf_add_char(out, '\\');
		buf_add_char(out, *value);
	}
	buf_add_char(out, '"');
}

static bool same(const char *a, const char *b)
{
	return a && b ? str_equal(a, b) : a == b;
}

static void check_again(struct arena *arena, const struct challenge *challenge)
{
	_cleanup_buf_ struct buf line = BUF_EMPTY;
	struct challenge again[CHALLENGES_MAX];

	buf_add_string(&line, challenge->scheme);
	add_parameter(&line, "realm", challenge->realm);
	add_parameter(&line, "service", challenge->service);
	add_parameter(&line, "scope", challenge->scope);
	add_parameter(&line, "error", challenge->error);
	if (line.size > CHALLENGE_LINE_MAX)
		return;
	if (challenges_parse(arena, (const char *const[]){line.data, NULL}, again) != 1 ||
	    !same(challenge->scheme, again[0].scheme) || !same(challenge->realm, again[0].realm) ||
	    !same(challenge->service, again[0].service) ||
	    !same(challenge->scope, again[0].scope) || !same(challenge->error, again[0].error))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	char *rest = arena_strndup(arena, (const char *)data, size);
	const char *lines[LINES_MAX + 1] = {NULL};
	struct challenge challenges[CHALLENGES_MAX];
	size_t count = 0;

	while (rest && count < LINES_MAX)
		lines[count++] = strsep(&rest, "\n");
	count = challenges_parse(arena, lines, challenges);
	if (count > CHALLENGES_MAX)
		abort();
	for (size_t i = 0; i < count; i++) {
		check_text(challenges[i].scheme);
		check_text(challenges[i].realm);
		check_text(challenges[i].service);
		check_text(challenges[i].scope);
		check_text(challenges[i].error);
		check_again(arena, &challenges[i]);
	}
	return 0;
}
