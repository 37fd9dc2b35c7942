/* SPDX-License-Identifier: Apache-2.0 */
/* Network devices of the host for a container. */
#include "netdevices.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "berth/base/str.h"

#include "device.h"
#include "fields.h"
#include "names.h"
#include "netns.h"

#define PATTERN "%d"

static int read_name(const struct decode *decode, const struct json *value, void *target,
		     struct error *err)
{
	struct netdevice *device = target;

	(void)decode;
	(void)err;
	if (value->text[0] != '\0')
		device->inside = value->text;
	return 0;
}

static const struct field device_fields[] = {
	{"name", JSON_STRING, false, read_name, 0},
};

/* A name, or one with a single "%d" in it, which the kernel fills in. */
static int check_inside(const char *what, const char *name, struct error *err)
{
	const char *pattern = strstr(name, PATTERN);
	char filled[IFNAMSIZ];

	if (!pattern || strlen(name) >= sizeof(filled))
		return name_check_link(what, name, err);
	snprintf(filled, sizeof(filled), "%.*s0%s", (int)(pattern - name), name,
		 pattern + strlen(PATTERN));
	return name_check_link(what, filled, err);
}

static int read_devices(const struct decode *decode, const struct json *value, void *target,
			struct error *err)
{
	struct netdevices *devices = target;

	devices->items = arena_alloc(decode->arena, value->count + 1, sizeof(*devices->items));
	for (const struct json *item = value->item; item; item = item->next) {
		struct netdevice *device = &devices->items[devices->count++];
		int r = name_check_link("devices", item->key, err);

		*device = (struct netdevice){.name = item->key, .inside = item->key};
		if (r >= 0)
			r = fields_read(decode, item, device_fields, ARRAY_SIZE(device_fields),
					device, err);
		if (r >= 0)
			r = check_inside("name", device->inside, err);
		if (r < 0)
			return within(err, r, "device \"%s\"", item->key);
	}
	return 0;
}

static const struct field fields[] = {
	{"pid", JSON_NUMBER, true, field_read_pid, offsetof(struct netdevices, pid)},
	{"devices", JSON_OBJECT, true, read_devices, 0},
};

int netdevices_read(struct arena *arena, const char *text, size_t size, struct netdevices *ret,
		    struct error *err)
{
	const struct decode decode = {.arena = arena, .what = "standard input"};
	struct netdevices devices = {.count = 0};
	const struct json *json;
	int r = json_read(arena, text, size, decode.what, &json, err);

	if (r >= 0)
		r = fields_read(&decode, json, fields, ARRAY_SIZE(fields), &devices, err);
	if (r >= 0)
		*ret = devices;
	return r;
}

/* A move that was made. */
struct moved {
	struct device device;
	struct device_move move;
	int index; /* there */
};

static int move_one(struct arena *arena, const struct netdevice *item, struct moved *moved,
		    struct error *err)
{
	int r = device_find(moved->move.from.netlink, arena, item->name, &moved->device, err);

	moved->move.name = item->inside;
	if (r >= 0)
		r = moved->index = device_move(&moved->device, &moved->move, err);
	return r;
}

/* The first error is @r; what fails on the way back is added to it. */
static int all_back(const struct moved *moved, size_t count, int r, struct error *err)
{
	while (count-- > 0) {
		struct error why = ERROR_NONE;

		if (device_move_back(&moved[count].device, &moved[count].move, moved[count].index,
				     &why) < 0)
			ignore(within(err, r, "the link \"%s\" does not come back (%s)",
				      moved[count].device.link.name, why.text));
	}
	return r;
}

int netdevices_move(const struct netdevices *devices, struct error *err)
{
	_cleanup_netlink_ struct netlink here = NETLINK_CLOSED, there = NETLINK_CLOSED;
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_fd_ int own = netns_open_own(err), nsfd = -EBADF;
	struct moved *moved = arena_alloc(arena, devices->count + 1, sizeof(*moved));
	struct netns_id id;
	int r = own;

	if (r >= 0)
		r = nsfd = netns_open_pid(devices->pid, 0, &id, err);
	if (r >= 0)
		r = netlink_open(NETLINK_ROUTE, &here, err);
	if (r >= 0)
		r = netlink_open_in(nsfd, NETLINK_ROUTE, &there, err);
	for (size_t i = 0; r >= 0 && i < devices->count; i++) {
		moved[i].move = (struct device_move){
			.from = {own, &here, "the host"},
			.to = {nsfd, &there, "the container"},
			.keep_addresses = true,
			.up = true,
		};
		r = move_one(arena, &devices->items[i], &moved[i], err);
		if (r < 0)
			return all_back(moved, i, r, err);
	}
	return r < 0 ? r : 0;
}
