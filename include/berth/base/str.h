/* SPDX-License-Identifier: Apache-2.0 */
/* Strings: comparing, numbers with strict rules, growing buffers, lists. */
#ifndef BERTH_BASE_STR_H
#define BERTH_BASE_STR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

static inline bool str_equal(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

static inline bool str_starts(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* What a noun ends with behind such a number: "%zu layer%s". */
static inline const char *plural_s(uint64_t count)
{
	return count == 1 ? "" : "s";
}

/*
 * Whole-string decimal numbers: digits only (a leading '-' for the signed one), no sign, blank or
 * leading zero otherwise, no overflow. Return 0, -EINVAL (not such a number) or -ERANGE.
 */
int str_to_u64(const char *text, uint64_t *ret);
int str_to_i64(const char *text, int64_t *ret);
int str_to_u32(const char *text, uint32_t *ret); /* -ERANGE above UINT32_MAX */

/*
 * A number of bytes as people write it: "512", "1.5g", "64 MiB"; units are powers of 1024, and
 * their case does not matter. "-1" too. Return as above.
 */
int str_to_bytes(const char *text, int64_t *ret);

/* A time as Go writes it, "500ms", "1m30s", "0", in milliseconds. Return as above. */
int str_to_ms(const char *text, int64_t *ret);

/*
 * Length in bytes of the UTF-8 character at @text, which ends with NUL or is known to be whole, or
 * 0 where there is none: overlong forms, surrogates and what lies beyond U+10FFFF included.
 */
size_t utf8_length(const char *text);

/* A text that grows. Initialise with BUF_EMPTY, or mark it _cleanup_buf_; data is NUL-terminated.
 */
struct buf {
	char *data; /* NULL while empty, otherwise owned */
	size_t size;
	size_t room;
};

#define BUF_EMPTY                                                                                  \
	{                                                                                          \
		.data = NULL                                                                       \
	}

void buf_done(struct buf *buf);
void buf_add(struct buf *buf, const void *data, size_t size);
void buf_add_string(struct buf *buf, const char *text);
void buf_add_char(struct buf *buf, char c);
void buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The text, NUL-terminated and the caller's; the buffer is empty afterwards. Never NULL. */
char *buf_take(struct buf *buf);

#define _cleanup_buf_ __attribute__((cleanup(buf_done)))

/* A NULL-terminated list of strings that is owned by the caller, whole. */
struct strv {
	char **items; /* NULL while empty; items[count] is NULL */
	size_t count;
};

void strv_add(struct strv *list, const char *text); /* copies the text */
void strv_done(struct strv *list);

#define _cleanup_strv_ __attribute__((cleanup(strv_done)))

#endif
