/* SPDX-License-Identifier: Apache-2.0 */
/* Texts for terminals. */
#include "printable.h"

static bool is_control(const char *character, size_t length)
{
	unsigned char first = (unsigned char)character[0], second = (unsigned char)character[1];

	if (length == 1)
		return first < 0x20 || first == 0x7f;
	return length == 2 && first == 0xc2 && second < 0xa0;
}

void printable_write(struct buf *out, const char *text)
{
	while (*text) {
		size_t length = utf8_length(text);
		bool escape = length == 0 || is_control(text, length);

		if (length == 0)
			length = 1;
		if (!escape)
			buf_add(out, text, length);
		for (size_t i = 0; escape && i < length; i++)
			buf_printf(out, "\\%03o", (unsigned char)text[i]);
		text += length;
	}
}
