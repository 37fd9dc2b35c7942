/* SPDX-License-Identifier: Apache-2.0 */
/* The members of JSON objects. */
#include "fields.h"

#include <limits.h>
#include <sys/types.h>

#include "berth/base/str.h"

#include "names.h"
#include "publish.h"

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
	return field->read(decode, value, (char *)target + field->offset, err);
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

int field_check_text(const struct decode *decode, const char *list, const struct json *item,
		     struct error *err)
{
	if (item->type == JSON_STRING)
		return 0;
	return refuse(err, "%s: \"%s\" has %s in it, not only strings", decode->what, list,
		      json_type_name(item->type));
}

int field_version(const struct decode *decode, const struct json *value, uint64_t expected,
		  struct error *err)
{
	uint64_t version;

	if (json_to_u64(value, &version) < 0 || version != expected)
		return refuse(err, "%s: version %s is not that of this berth-net (%ju)",
			      decode->what, name_show(value->text).text, (uintmax_t)expected);
	return 0;
}

int field_read_bool(const struct decode *decode, const struct json *value, void *target,
		    struct error *err)
{
	(void)decode;
	(void)err;
	*(bool *)target = value->boolean;
	return 0;
}

int field_read_text(const struct decode *decode, const struct json *value, void *target,
		    struct error *err)
{
	(void)decode;
	(void)err;
	*(const char **)target = value->text;
	return 0;
}

int field_read_u64(const struct decode *decode, const struct json *value, void *target,
		   struct error *err)
{
	return field_number(decode, value, UINT64_MAX, target, err);
}

int field_read_u32(const struct decode *decode, const struct json *value, void *target,
		   struct error *err)
{
	uint64_t number;
	int r = field_number(decode, value, UINT32_MAX, &number, err);

	if (r >= 0)
		*(uint32_t *)target = (uint32_t)number;
	return r;
}

int field_read_pid(const struct decode *decode, const struct json *value, void *target,
		   struct error *err)
{
	uint64_t pid;
	int r = field_number(decode, value, INT_MAX, &pid, err);

	if (r >= 0)
		*(pid_t *)target = (pid_t)pid;
	return r;
}

int field_read_container(const struct decode *decode, const struct json *value, void *target,
			 struct error *err)
{
	int r = name_check_container(value->key, value->text, err);

	*(const char **)target = value->text;
	return r < 0 ? within(err, r, "%s", decode->what) : 0;
}

int field_read_link(const struct decode *decode, const struct json *value, void *target,
		    struct error *err)
{
	int r = name_check_link(value->key, value->text, err);

	*(const char **)target = value->text;
	return r < 0 ? within(err, r, "%s", decode->what) : 0;
}

int field_read_publish(const struct decode *decode, const struct json *value, void *target,
		       struct error *err)
{
	struct publish_list *list = target;
	int r = 0;

	for (const struct json *item = value->item; r >= 0 && item; item = item->next) {
		struct publish publish;

		r = field_check_text(decode, value->key, item, err);
		if (r < 0)
			return r;
		r = publish_parse(value->key, item->text, &publish, err);
		if (r >= 0)
			r = publish_add(decode->arena, list, &publish, err);
	}
	return r < 0 ? within(err, r, "%s", decode->what) : 0;
}
