/* SPDX-License-Identifier: Apache-2.0 */
#include "variant.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "berth/base/str.h"

/* Levels of arrays and structures. No property of systemd has more than three. */
#define DEPTH_MAX 8

static const struct whole_number {
	char type;
	unsigned char bytes;
	int64_t min; /* negative: the type has a sign */
	uint64_t max;
} whole_numbers[] = {
	{'y', 1, 0, UINT8_MAX},	 {'n', 2, INT16_MIN, INT16_MAX},
	{'q', 2, 0, UINT16_MAX}, {'i', 4, INT32_MIN, INT32_MAX},
	{'u', 4, 0, UINT32_MAX}, {'x', 8, INT64_MIN, INT64_MAX},
	{'t', 8, 0, UINT64_MAX},
};

static const struct whole_number *find_whole_number(char type)
{
	for (size_t i = 0; i < ARRAY_SIZE(whole_numbers); i++) {
		if (whole_numbers[i].type == type)
			return &whole_numbers[i];
	}
	return NULL;
}

static bool is_basic(char type)
{
	return type && (strchr("bdsog", type) || find_whole_number(type));
}

/* Length of the complete type that @signature begins with; 0: there is none that we know. */
static size_t type_length(const char *signature, unsigned depth)
{
	size_t length = 1, inner;

	if (is_basic(*signature))
		return 1;
	if (depth == 0)
		return 0;
	if (*signature == SD_BUS_TYPE_ARRAY) {
		inner = type_length(signature + 1, depth - 1);
		return inner ? inner + 1 : 0;
	}
	if (*signature != SD_BUS_TYPE_STRUCT_BEGIN)
		return 0;
	while (signature[length] != SD_BUS_TYPE_STRUCT_END) {
		inner = type_length(signature + length, depth - 1);
		if (!inner)
			return 0;
		length += inner;
	}
	return length > 1 ? length + 1 : 0;
}

/* What sd-bus says of a message that we make: all but texts and paths has been checked before. */
static int appended(int r, const char *what, struct error *err)
{
	return r < 0 ? fail(err, r, "%s cannot be put into a message of D-Bus", what) : 0;
}

static int append_whole_number(sd_bus_message *message, const struct whole_number *type,
			       const struct json *value, struct error *err)
{
	union {
		uint8_t one;
		uint16_t two;
		uint32_t four;
		uint64_t eight;
	} data;
	uint64_t bits = 0;
	int64_t number = 0;
	bool fits;

	if (value->type != JSON_NUMBER && value->type != JSON_STRING)
		return refuse(err, "expected a number, found %s", json_type_name(value->type));
	if (type->min < 0) {
		fits = str_to_i64(value->text, &number) == 0 && number >= type->min &&
		       number <= (int64_t)type->max;
		bits = (uint64_t)number;
	} else {
		fits = str_to_u64(value->text, &bits) == 0 && bits <= type->max;
	}
	if (!fits)
		return refuse(err, "\"%s\" is no whole number from %lld to %llu", value->text,
			      (long long)type->min, (unsigned long long)type->max);
	/* A number with a sign has the bits of the one without. */
	if (type->bytes == 1)
		data.one = (uint8_t)bits;
	else if (type->bytes == 2)
		data.two = (uint16_t)bits;
	else if (type->bytes == 4)
		data.four = (uint32_t)bits;
	else
		data.eight = bits;
	return appended(sd_bus_message_append_basic(message, type->type, &data), "the number", err);
}

static int append_basic(sd_bus_message *message, char type, const struct json *value,
			struct error *err)
{
	const struct whole_number *whole = find_whole_number(type);
	int boolean = value->boolean;
	double real;

	if (whole)
		return append_whole_number(message, whole, value, err);
	if (type == SD_BUS_TYPE_BOOLEAN) {
		if (value->type != JSON_BOOL)
			return refuse(err, "expected a boolean, found %s",
				      json_type_name(value->type));
		return appended(sd_bus_message_append_basic(message, type, &boolean), "the boolean",
				err);
	}
	if (type == SD_BUS_TYPE_DOUBLE) {
		if (value->type != JSON_NUMBER)
			return refuse(err, "expected a number, found %s",
				      json_type_name(value->type));
		real = strtod(value->text, NULL);
		return appended(sd_bus_message_append_basic(message, type, &real), "the number",
				err);
	}
	if (value->type != JSON_STRING)
		return refuse(err, "expected a string, found %s", json_type_name(value->type));
	return appended(sd_bus_message_append_basic(message, type, value->text), value->text, err);
}

static int append_value(sd_bus_message *message, const char *signature, const struct json *value,
			struct error *err);

/* The items of an array or structure, whose contents have the signature @types. */
static int append_items(sd_bus_message *message, const char *types, bool is_array,
			const struct json *value, struct error *err)
{
	size_t index = 0;

	for (const struct json *item = value->item; item; item = item->next, index++) {
		int r;

		if (!*types)
			return refuse(err, "too many items: %zu", value->count);
		r = append_value(message, types, item, err);
		if (r < 0)
			return within(err, r, "[%zu]", index);
		if (!is_array)
			types += type_length(types, DEPTH_MAX);
	}
	if (*types && !is_array)
		return refuse(err, "too few items: %zu", value->count);
	return 0;
}

/* Appends @value by the complete type that @signature begins with. */
static int append_value(sd_bus_message *message, const char *signature, const struct json *value,
			struct error *err)
{
	const bool is_array = *signature == SD_BUS_TYPE_ARRAY;
	const size_t length = type_length(signature, DEPTH_MAX);
	_cleanup_free_ char *contents = NULL;
	int r;

	if (is_basic(*signature))
		return append_basic(message, *signature, value, err);
	if (value->type != JSON_ARRAY)
		return refuse(err, "expected an array, found %s", json_type_name(value->type));
	contents = xstrndup(signature + 1, is_array ? length - 1 : length - 2);
	r = appended(sd_bus_message_open_container(
			     message, is_array ? SD_BUS_TYPE_ARRAY : SD_BUS_TYPE_STRUCT, contents),
		     contents, err);
	if (r >= 0)
		r = append_items(message, contents, is_array, value, err);
	if (r < 0)
		return r;
	return appended(sd_bus_message_close_container(message), contents, err);
}

int variant_append(sd_bus_message *message, const char *signature, const struct json *value,
		   struct error *err)
{
	const size_t length = type_length(signature, DEPTH_MAX);

	if (!length || signature[length])
		return refuse(err, "no signature of one value: \"%s\"", signature);
	return append_value(message, signature, value, err);
}

static int append_property(sd_bus_message *message, const char *name, const char *signature,
			   const struct json *value, struct error *err)
{
	int r = sd_bus_message_open_container(message, SD_BUS_TYPE_STRUCT, "sv");

	if (r >= 0)
		r = sd_bus_message_append_basic(message, SD_BUS_TYPE_STRING, name);
	if (r >= 0)
		r = sd_bus_message_open_container(message, SD_BUS_TYPE_VARIANT, signature);
	if (r < 0)
		return fail(err, r, "no property with the signature \"%s\"", signature);
	r = variant_append(message, signature, value, err);
	if (r < 0)
		return r;
	r = sd_bus_message_close_container(message);
	if (r >= 0)
		r = sd_bus_message_close_container(message);
	return appended(r, "the property", err);
}

int variant_append_properties(sd_bus_message *message, const struct json *list, struct error *err)
{
	size_t index = 0;

	for (const struct json *row = list ? list->item : NULL; row; row = row->next, index++) {
		const struct json *name = row->type == JSON_ARRAY ? row->item : NULL;
		const struct json *signature;
		int r;

		if (!name || row->count != 3 || name->type != JSON_STRING ||
		    name->next->type != JSON_STRING)
			return refuse(err, "properties[%zu]: expected [NAME, SIGNATURE, VALUE]",
				      index);
		signature = name->next;
		r = append_property(message, name->text, signature->text, signature->next, err);
		if (r < 0)
			return within(err, r, "property \"%s\"", name->text);
	}
	return 0;
}
