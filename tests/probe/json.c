/* SPDX-License-Identifier: Apache-2.0 */
/* json.c: writes the one JSON document of the probe. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "probe.h"

static struct {
	int depth;
	bool filled[32];
	char closing[32];
} state;

static void quoted(const char *text)
{
	putchar('"');
	for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
		if (*c == '"' || *c == '\\')
			printf("\\%c", *c);
		else if (*c < 0x20 || *c >= 0x7f)
			printf("\\u%04x", *c);
		else
			putchar(*c);
	}
	putchar('"');
}

static void start_value(const char *key)
{
	if (state.filled[state.depth])
		putchar(',');
	state.filled[state.depth] = true;
	if (state.depth == 1)
		putchar('\n');
	if (key) {
		quoted(key);
		putchar(':');
	}
}

static void start_nested(const char *key, char opening, char closing)
{
	start_value(key);
	putchar(opening);
	if (++state.depth >= 32)
		abort();
	state.filled[state.depth] = false;
	state.closing[state.depth] = closing;
}

void json_object(const char *key)
{
	start_nested(key, '{', '}');
}

void json_array(const char *key)
{
	start_nested(key, '[', ']');
}

void json_end(void)
{
	putchar(state.closing[state.depth--]);
	if (state.depth == 0)
		putchar('\n');
}

void json_string(const char *key, const char *value)
{
	if (!value) {
		json_null(key);
		return;
	}
	start_value(key);
	quoted(value);
}

void json_number(const char *key, long long value)
{
	start_value(key);
	printf("%lld", value);
}

void json_bool(const char *key, bool value)
{
	start_value(key);
	fputs(value ? "true" : "false", stdout);
}

void json_null(const char *key)
{
	start_value(key);
	fputs("null", stdout);
}

void json_format(const char *key, const char *format, ...)
{
	char *text;
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		abort();
	va_end(args);
	json_string(key, text);
	free(text);
}
