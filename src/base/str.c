/* SPDX-License-Identifier: Apache-2.0 */
/* Strict numbers, growing buffers, lists of strings. */
#include "berth/base/str.h"

#include <errno.h>
#include <stdio.h>

#include "berth/base/alloc.h"

int str_to_u64(const char *text, uint64_t *ret)
{
	uint64_t value = 0;

	if (!*text || (text[0] == '0' && text[1]))
		return -EINVAL;
	for (const char *p = text; *p; p++) {
		if (*p < '0' || *p > '9')
			return -EINVAL;
		if (__builtin_mul_overflow(value, 10u, &value) ||
		    __builtin_add_overflow(value, (unsigned)(*p - '0'), &value))
			return str_equal(p + strspn(p, "0123456789"), "") ? -ERANGE : -EINVAL;
	}
	*ret = value;
	return 0;
}

int str_to_i64(const char *text, int64_t *ret)
{
	bool negative = text[0] == '-';
	uint64_t value;
	int r = str_to_u64(text + negative, &value);

	if (r < 0)
		return r;
	if (value > (uint64_t)INT64_MAX + negative)
		return -ERANGE;
	*ret = negative ? (int64_t)-value : (int64_t)value;
	return 0;
}

/* The power of 1024 that a unit stands for; -1: not a unit. */
static int unit_power(const char *unit)
{
	static const char units[] = "kmgtp";
	const char *found = *unit ? strchr(units, *unit | 0x20) : NULL;
	const char *rest = found ? unit + 1 : unit;

	if (found && (rest[0] | 0x20) == 'i')
		rest++;
	if (*rest && !(rest[0] != '\0' && (rest[0] | 0x20) == 'b' && rest[1] == '\0'))
		return -1;
	if (found && rest > unit + 1 && !*rest)
		return -1; /* "ki" */
	return found ? (int)(found - units) + 1 : 0;
}

int str_to_bytes(const char *text, int64_t *ret)
{
	size_t whole = strspn(text, "0123456789");
	size_t point = whole && text[whole] == '.' ? 1 : 0;
	size_t digits = point ? strspn(text + whole + 1, "0123456789") : 0;
	const char *unit = text + whole + point + digits;
	char number[24];
	uint64_t value, part = 0, scale;
	int power = unit_power(unit + (*unit == ' '));

	if (str_equal(text, "-1")) {
		*ret = -1;
		return 0;
	}
	if (!whole || (point && !digits) || power < 0)
		return -EINVAL;
	if (whole >= sizeof(number))
		return -ERANGE;
	memcpy(number, text, whole);
	number[whole] = '\0';
	if (str_to_u64(number, &value) < 0)
		return -EINVAL;
	scale = UINT64_C(1) << (10 * power);
	/* Of the part after the point, as many digits as matter. */
	for (size_t i = digits < 15 ? digits : 15; i > 0; i--)
		part = (part + (uint64_t)(text[whole + i] - '0') * scale) / 10;
	if (value > (INT64_MAX - part) / scale)
		return -ERANGE;
	*ret = (int64_t)(value * scale + part);
	return 0;
}

int str_to_ms(const char *text, int64_t *ret)
{
	static const struct {
		const char *unit;
		uint64_t ms;
	} units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}};
	uint64_t sum = 0;

	if (str_equal(text, "0")) {
		*ret = 0;
		return 0;
	}
	do {
		size_t digits = strspn(text, "0123456789"), length;
		char number[12];
		uint64_t value, ms = 0;

		if (!digits || digits >= sizeof(number))
			return -EINVAL;
		memcpy(number, text, digits);
		number[digits] = '\0';
		text += digits;
		length = strspn(text, "msh");
		for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
			if (strlen(units[i].unit) == length &&
			    strncmp(units[i].unit, text, length) == 0)
				ms = units[i].ms;
		}
		if (!ms || str_to_u64(number, &value) < 0)
			return -EINVAL;
		sum += value * ms; /* 11 digits of hours, a few times, are below 2^64 */
		text += length;
	} while (*text && sum <= INT32_MAX);
	if (sum > INT32_MAX)
		return -ERANGE;
	*ret = (int64_t)sum;
	return 0;
}

int str_to_u32(const char *text, uint32_t *ret)
{
	uint64_t value;
	int r = str_to_u64(text, &value);

	if (r < 0)
		return r;
	if (value > UINT32_MAX)
		return -ERANGE;
	*ret = (uint32_t)value;
	return 0;
}

size_t utf8_length(const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t length = s[0] < 0x80		? 1
			: (s[0] & 0xe0) == 0xc0 ? 2
			: (s[0] & 0xf0) == 0xe0 ? 3
			: (s[0] & 0xf8) == 0xf0 ? 4
						: 0;
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	uint32_t code;

	if (length < 2)
		return length;
	code = s[0] & (0xffu >> (length + 1));
	for (size_t i = 1; i < length; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (s[i] & 0x3fu);
	}
	if (code < smallest[length] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return 0;
	return length;
}

void buf_done(struct buf *buf)
{
	free(buf->data);
	*buf = (struct buf)BUF_EMPTY;
}

static void make_room(struct buf *buf, size_t size)
{
	size_t needed = buf->size + size + 1;

	if (buf->room >= needed)
		return;
	buf->room = needed < 256 ? 256 : needed * 2;
	buf->data = xrealloc(buf->data, buf->room, 1);
}

void buf_add(struct buf *buf, const void *data, size_t size)
{
	make_room(buf, size);
	if (size)
		memcpy(buf->data + buf->size, data, size);
	buf->size += size;
	buf->data[buf->size] = '\0';
}

void buf_add_string(struct buf *buf, const char *text)
{
	buf_add(buf, text, strlen(text));
}

void buf_add_char(struct buf *buf, char c)
{
	buf_add(buf, &c, 1);
}

void buf_printf(struct buf *buf, const char *format, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list args;

	va_start(args, format);
	text = xvasprintf(format, args);
	va_end(args);
	buf_add_string(buf, text);
}

char *buf_take(struct buf *buf)
{
	char *text = buf->data ? buf->data : xstrdup("");

	*buf = (struct buf)BUF_EMPTY;
	return text;
}

void strv_add(struct strv *list, const char *text)
{
	list->items = xrealloc(list->items, list->count + 2, sizeof(*list->items));
	list->items[list->count++] = xstrdup(text);
	list->items[list->count] = NULL;
}

void strv_done(struct strv *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct strv){.items = NULL};
}
