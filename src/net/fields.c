/* SPDX-License-Identifier: Apache-2.0 */
/* The members of JSON objects. */
#include "fields.h"

#include "berth/base/str.h"

#include "names.h"

static const struct field *find_field(const struct field *fields, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++) {
		if (str_equal(fields[i].name, name))
			return &fields[i];
	}
	return NULL;
}

static int read_member(const struct decode *decode, const struct json *value,
		       const struct field *field, void *target, struct error *err)
{
	if (!field)
		return refuse(err, "%s: unknown member \"%s\"", decode->what,
			      name_show(value->key).text);
	if (value->type != field->type)
		return refuse(err, "%s: \"%s\" is %s, not %s", decode->what, field->name,
			      json_type_name(value->type), json_type_name(field->type));
	return field->read(decode, value, target, err);
}

int fields_read(const struct decode *decode, const struct json *json, const struct field *fields,
		size_t count, void *target, struct error *err)
{
	int r = 0;

	if (json->type != JSON_OBJECT)
		return refuse(err, "%s is %s, not an object", decode->what,
			      json_type_name(json->type));
	for (size_t i = 0; i < count; i++) {
		if (fields[i].required && !json_member(json, fields[i].name))
			return refuse(err, "%s: \"%s\" is missing", decode->what, fields[i].name);
	}
	for (const struct json *value = json->item; r >= 0 && value; value = value->next)
		r = read_member(decode, value, find_field(fields, count, value->key), target, err);
	return r;
}

int field_number(const struct decode *decode, const struct json *value, uint64_t max, uint64_t *ret,
		 struct error *err)
{
	if (json_to_u64(value, ret) < 0 || *ret > max)
		return refuse(err, "%s: \"%s\": %s is no whole number of 0 to %ju", decode->what,
			      value->key ? value->key : "", name_show(value->text).text,
			      (uintmax_t)max);
	return 0;
}
