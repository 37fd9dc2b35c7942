/* SPDX-License-Identifier: Apache-2.0 */
/* Base 64 of RFC 4648, section 4. */
#ifndef BERTH_PULL_BASE64_H
#define BERTH_PULL_BASE64_H

#include <stddef.h>

/*
 * What @text stands for, the caller's, with a NUL behind it that *ret_size does not count. NULL if
 * it is not base 64: other characters (blanks and line ends too), padding that is missing or
 * wrong, bits that are set where none belong.
 */
char *base64_decode(const char *text, size_t *ret_size);

/* The text for @size bytes, the caller's. */
char *base64_encode(const void *data, size_t size) __attribute__((returns_nonnull));

#endif
