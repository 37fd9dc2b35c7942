/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Annotations "org.systemd.property.NAME": properties of the unit, in GVariant's text format. Times
 * may be given as NAMESec, in seconds; D-Bus has them as NAMEUSec only.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "berth/base/str.h"

#include "unit-internal.h"

#define PREFIX		"org.systemd.property."
#define NAME_LENGTH_MIN 3
#define SECOND_US	UINT64_C(1000000)
#define FRACTION_DIGITS 6

static int check_name(const char *name, struct error *err)
{
	/* Which processes are in the scope is berth's to say. */
	static const char *const own[] = {"PIDs", "PIDFDs"};

	if (strlen(name) < NAME_LENGTH_MIN ||
	    name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")])
		return refuse(err, "not the name of a property");
	for (size_t i = 0; i < ARRAY_SIZE(own); i++) {
		if (str_equal(name, own[i]))
			return refuse(err, "berth itself sets this property");
	}
	return 0;
}

/* NAMESec, but not what merely ends so: a small letter stands before it. */
static size_t seconds_stem(const char *name)
{
	size_t length = strlen(name), stem = length > 3 ? length - 3 : 0;

	return stem && str_equal(name + stem, "Sec") && name[stem - 1] >= 'a' &&
			       name[stem - 1] <= 'z'
		       ? stem
		       : 0;
}

/* Digits after the point, as millionths. */
static uint64_t fraction_us(const char *digits)
{
	uint64_t us = 0;

	for (unsigned i = 0; i < FRACTION_DIGITS; i++) {
		us = us * 10 + (uint64_t)(*digits ? *digits - '0' : 0);
		digits += *digits != '\0';
	}
	return us;
}

static int to_microseconds(struct arena *arena, struct gvariant *value, struct error *err)
{
	const char *text = value->value->text, *point;
	uint64_t us;

	if (!strchr("ynqiuxtd", value->signature[0]))
		return refuse(err, "a number of seconds is needed");
	point = strchr(text, '.');
	if (strpbrk(text, "eE-") ||
	    str_to_u64(point ? arena_strndup(arena, text, (size_t)(point - text)) : text, &us) < 0)
		return refuse(err, "%s is not a number of seconds", text);
	if (__builtin_mul_overflow(us, SECOND_US, &us) ||
	    __builtin_add_overflow(us, point ? fraction_us(point + 1) : 0, &us))
		return refuse(err, "%s seconds are too many", text);
	*value = (struct gvariant){"t", value_of_u64(arena, us)};
	return 0;
}

static int add(struct unit_properties *to, const char *name, const char *text, struct error *err)
{
	size_t stem = seconds_stem(name);
	struct gvariant value;
	int r = check_name(name, err);

	if (r >= 0)
		r = gvariant_read(to->arena, text, &value, err);
	if (r >= 0 && stem) {
		name = arena_printf(to->arena, "%.*sUSec", (int)stem, name);
		r = to_microseconds(to->arena, &value, err);
	}
	if (r >= 0)
		property_add(to, name, value.signature, value.value);
	return r;
}

int unit_annotations(struct unit_properties *to, const struct spec_strings *annotations,
		     struct error *err)
{
	for (size_t i = 0; i < annotations->count; i++) {
		const struct spec_string_pair *item = &annotations->items[i];
		int r = 0;

		if (str_starts(item->key, PREFIX))
			r = add(to, item->key + strlen(PREFIX), item->value, err);
		if (r < 0)
			return within(err, r, "annotations[\"%s\"]", item->key);
	}
	return 0;
}
