/* SPDX-License-Identifier: Apache-2.0 */
/* Base 64, read strictly: each content has one text only. */
#include "base64.h"

#include <stdint.h>
#include <string.h>

#include "berth/base/alloc.h"

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* What each character stands for, plus one; 0: it is none. */
static void fill_values(uint8_t values[256])
{
	memset(values, 0, 256);
	for (unsigned i = 0; letters[i]; i++)
		values[(uint8_t)letters[i]] = (uint8_t)(i + 1);
}

char *base64_decode(const char *text, size_t *ret_size)
{
	size_t length = strlen(text), padding = 0, size = 0;
	_cleanup_free_ char *data = NULL;
	uint8_t values[256];
	uint32_t bits = 0;

	if (length % 4 != 0)
		return NULL;
	while (padding < 2 && padding < length && text[length - padding - 1] == '=')
		padding++;
	fill_values(values);
	data = xcalloc(length / 4 * 3 + 1, 1);
	for (size_t i = 0; i < length - padding; i++) {
		uint8_t value = values[(uint8_t)text[i]];

		if (value == 0)
			return NULL;
		bits = bits << 6 | (value - 1u);
		if (i % 4 != 0)
			data[size++] = (char)(bits >> (6 - 2 * (i % 4)));
	}
	/* The last character before the padding has two or four bits too many. */
	if (padding > 0 && (bits & ((1u << (2 * padding)) - 1)) != 0)
		return NULL;
	data[size] = '\0';
	*ret_size = size;
	return take_ptr(&data);
}

char *base64_encode(const void *data, size_t size)
{
	const uint8_t *bytes = data;
	char *text = xcalloc((size + 2) / 3 * 4 + 1, 1);
	char *at = text;

	for (size_t i = 0; i < size; i += 3) {
		size_t left = size - i;
		uint32_t bits = (uint32_t)bytes[i] << 16;

		bits |= left > 1 ? (uint32_t)bytes[i + 1] << 8 : 0;
		bits |= left > 2 ? bytes[i + 2] : 0;
		*at++ = letters[bits >> 18];
		*at++ = letters[bits >> 12 & 63];
		*at++ = left > 1 ? letters[bits >> 6 & 63] : '=';
		*at++ = left > 2 ? letters[bits & 63] : '=';
	}
	return text;
}
