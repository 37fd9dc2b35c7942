/* SPDX-License-Identifier: Apache-2.0 */
/* What is in a message of D-Bus, as a line of text. */
#ifndef BERTH_TESTS_SYSTEMD_MESSAGE_H
#define BERTH_TESTS_SYSTEMD_MESSAGE_H

#include <inttypes.h>
#include <systemd/sd-bus.h>

#include "../base/unit.h"

static inline void describe_basic(sd_bus_message *message, char type, struct buf *text)
{
	union {
		uint8_t y;
		int16_t n;
		uint16_t q;
		int32_t i;
		uint32_t u;
		int64_t x;
		uint64_t t;
		double d;
		int b;
		const char *s;
	} value;

	assert_int_equal(sd_bus_message_read_basic(message, type, &value), 1);
	if (type == 'y')
		buf_printf(text, "%u", (unsigned)value.y);
	else if (type == 'n')
		buf_printf(text, "%d", (int)value.n);
	else if (type == 'q')
		buf_printf(text, "%u", (unsigned)value.q);
	else if (type == 'i')
		buf_printf(text, "%" PRId32, value.i);
	else if (type == 'u')
		buf_printf(text, "%" PRIu32, value.u);
	else if (type == 'x')
		buf_printf(text, "%" PRId64, value.x);
	else if (type == 't')
		buf_printf(text, "%" PRIu64, value.t);
	else if (type == 'd')
		buf_printf(text, "%g", value.d);
	else if (type == 'b')
		buf_add_string(text, value.b ? "true" : "false");
	else
		buf_printf(text, "'%s'", value.s);
}

/* Arrays are [], structures (), variants <SIGNATURE:>; what stands side by side has blanks. */
static inline void describe(sd_bus_message *message, struct buf *text)
{
	const char *contents;
	bool first = true;
	char type;

	while (sd_bus_message_peek_type(message, &type, &contents) > 0) {
		if (!first)
			buf_add_char(text, ' ');
		first = false;
		if (!strchr("arv", type)) {
			describe_basic(message, type, text);
			continue;
		}
		assert_int_equal(sd_bus_message_enter_container(message, type, contents), 1);
		if (type == 'v')
			buf_printf(text, "<%s:", contents);
		else
			buf_add_char(text, type == 'a' ? '[' : '(');
		describe(message, text);
		buf_add_char(text, type == 'a' ? ']' : type == 'r' ? ')' : '>');
		assert_int_equal(sd_bus_message_exit_container(message), 1);
	}
}

#endif
