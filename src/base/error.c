/* SPDX-License-Identifier: Apache-2.0 */
/* Errors: texts that grow from the innermost failure outwards. */
#include "berth/base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void add_reason(struct error *err, int code)
{
	size_t used = strlen(err->text);

	snprintf(err->text + used, sizeof(err->text) - used, ": %s", strerror(-code));
}

static int __attribute__((format(printf, 3, 0)))
set_text(struct error *err, int code, const char *format, va_list args)
{
	if (code >= 0)
		code = -EIO; /* a caller's mistake must not turn into a success */
	err->code = code;
	vsnprintf(err->text, sizeof(err->text), format, args);
	return code;
}

int fail(struct error *err, int code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	code = set_text(err, code, format, args);
	va_end(args);
	add_reason(err, code);
	return code;
}

int refuse(struct error *err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	set_text(err, -EINVAL, format, args);
	va_end(args);
	return -EINVAL;
}

int refuse_as(struct error *err, int code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	code = set_text(err, code, format, args);
	va_end(args);
	return code;
}

int within(struct error *err, int code, const char *format, ...)
{
	char inner[ERROR_TEXT_MAX];
	va_list args;
	size_t used;

	memcpy(inner, err->text, sizeof(inner));
	va_start(args, format);
	vsnprintf(err->text, sizeof(err->text), format, args);
	va_end(args);
	used = strlen(err->text);
	snprintf(err->text + used, sizeof(err->text) - used, ": %s", inner);
	return code;
}

void error_keep_first(int r, const struct error *now, int *first, struct error *err)
{
	if (r < 0 && *first >= 0) {
		*first = r;
		*err = *now;
	}
}
