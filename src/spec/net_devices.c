/* SPDX-License-Identifier: Apache-2.0 */
/* config.json's `linux.netDevices`: links of the host for the container. */
#include <ctype.h>
#include <net/if.h>
#include <stdio.h>

#include "tables-internal.h"

/* Stands for a number of the kernel's choice, in a name in the container. */
#define PATTERN "%d"

struct net_device {
	const char *name;
};

static const struct field device_fields[] = {
	{.name = "name", .kind = FIELD_STRING, AT(struct net_device, name)},
};

static const struct table device_table = {FIELDS(device_fields), .size = sizeof(struct net_device)};

/* By the kernel's own rule, dev_valid_name(). "%" is a pattern's beginning to it. */
static bool is_link_name(const char *name)
{
	const size_t length = strlen(name);

	if (length == 0 || length >= IFNAMSIZ || str_equal(name, ".") || str_equal(name, ".."))
		return false;
	for (size_t i = 0; i < length; i++) {
		if (strchr("/:%", name[i]) || isspace((unsigned char)name[i]))
			return false;
	}
	return true;
}

static bool is_link_pattern(const char *name)
{
	const char *pattern = strstr(name, PATTERN);
	char filled[IFNAMSIZ];

	if (!pattern || strlen(name) >= sizeof(filled))
		return is_link_name(name);
	snprintf(filled, sizeof(filled), "%.*s0%s", (int)(pattern - name), name,
		 pattern + strlen(PATTERN));
	return is_link_name(filled);
}

static int decode_one(const struct decoder *d, const struct node *list, const struct json *value,
		      struct spec_string_pair *ret, struct error *err)
{
	const struct node node = {.up = list, .key = value->key, .value = value};
	const struct node name = node_member(&node, "name");
	struct net_device device = {.name = NULL};
	int r = 0;

	if (!is_link_name(value->key))
		return refuse_at(list, err, "\"%.100s\" is no name of a network device",
				 value->key);
	if (value->type != JSON_NULL)
		r = decode_object(d, &device_table, &node, &device, err);
	if (r < 0)
		return r;
	*ret = (struct spec_string_pair){value->key, device.name ? device.name : value->key};
	if (!is_link_pattern(ret->value))
		return refuse_at(&name, err, "\"%.100s\" is no name of a network device",
				 ret->value);
	return 0;
}

int net_devices_decode(const struct decoder *d, const struct field *field, const struct node *node,
		       void *base, struct error *err)
{
	struct spec_strings *devices = &((struct spec_linux *)base)->net_devices;
	int r = node_expect(node, JSON_OBJECT, err);

	(void)field;
	if (r < 0)
		return r;
	devices->items = arena_alloc(d->arena, node->value->count + 1, sizeof(*devices->items));
	for (const struct json *value = node->value->item; value; value = value->next) {
		r = decode_one(d, node, value, &devices->items[devices->count], err);
		if (r < 0)
			return r;
		devices->count++;
	}
	return 0;
}
