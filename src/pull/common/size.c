/* SPDX-License-Identifier: Apache-2.0 */
/* Amounts of bytes. */
#include "size.h"

#include <ctype.h>
#include <strings.h>

#include "berth/base/alloc.h"
#include "berth/base/str.h"

static const struct {
	const char *name;
	unsigned shift;
} binary_units[] = {
	{"", 0},     {"b", 0},	{"k", 10},  {"kb", 10},	 {"kib", 10}, {"m", 20},  {"mb", 20},
	{"mib", 20}, {"g", 30}, {"gb", 30}, {"gib", 30}, {"t", 40},   {"tb", 40}, {"tib", 40},
};

int size_parse(const char *text, const char *what, uint64_t *ret, struct error *err)
{
	size_t digits = strspn(text, "0123456789");
	_cleanup_free_ char *number = xstrndup(text, digits);
	uint64_t value;

	for (size_t i = 0; i < ARRAY_SIZE(binary_units); i++) {
		if (strcasecmp(text + digits, binary_units[i].name) != 0)
			continue;
		if (str_to_u64(number, &value) < 0 || value > UINT64_MAX >> binary_units[i].shift)
			break;
		*ret = value << binary_units[i].shift;
		return 0;
	}
	return refuse(err, "%s: \"%s\" is not a number of bytes, such as 512m or 4GiB", what, text);
}

void size_write(struct buf *out, uint64_t bytes)
{
	static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
	double value = (double)bytes;
	size_t unit = 0;

	while (value >= 1000 && unit + 1 < ARRAY_SIZE(units)) {
		value /= 1000;
		unit++;
	}
	buf_printf(out, unit ? "%.1f %s" : "%.0f %s", value, units[unit]);
}
