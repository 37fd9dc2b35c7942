/* SPDX-License-Identifier: Apache-2.0 */
/* Leases as JSON. */
#include <limits.h>
#include <string.h>

#include "fields.h"
#include "lease-internal.h"
#include "names.h"

/* Goes up with every change that an older berth-net would misread. */
#define LEASE_VERSION 1

static int read_version(const struct decode *decode, const struct json *value, void *target,
			struct error *err)
{
	(void)target;
	return field_version(decode, value, LEASE_VERSION, err);
}

static int read_path(const struct decode *decode, const struct json *value, void *target,
		     struct error *err)
{
	if (value->text[0] != '/')
		return refuse(err, "%s: \"path\": \"%s\" is not absolute", decode->what,
			      name_show(value->text).text);
	((struct netns_id *)target)->path = value->text;
	return 0;
}

static const struct field netns_fields[] = {
	{"pid", JSON_NUMBER, false, field_read_pid, offsetof(struct netns_id, pid)},
	{"startTicks", JSON_NUMBER, false, field_read_u64, offsetof(struct netns_id, start_ticks)},
	{"path", JSON_STRING, false, read_path, 0},
	{"cookie", JSON_NUMBER, true, field_read_u64, offsetof(struct netns_id, cookie)},
};

static int read_netns(const struct decode *decode, const struct json *value, void *target,
		      struct error *err)
{
	const struct decode inner = {
		.arena = decode->arena,
		.what = arena_printf(decode->arena, "%s: \"netns\"", decode->what),
	};
	struct netns_id *netns = &((struct lease *)target)->netns;
	int r = fields_read(&inner, value, netns_fields, ARRAY_SIZE(netns_fields), netns, err);

	if (r >= 0 && (netns->pid == 0) == (netns->path == NULL))
		r = refuse(err, "%s has neither \"pid\" nor \"path\", or both", inner.what);
	return r;
}

static int read_network(const struct decode *decode, const struct json *value, void *target,
			struct error *err)
{
	return network_decode(decode->arena, value,
			      arena_printf(decode->arena, "%s: \"network\"", decode->what),
			      &((struct lease *)target)->network, err);
}

static int read_mac(const struct decode *decode, const struct json *value, void *target,
		    struct error *err)
{
	struct lease *lease = target;

	if (mac_parse(value->text, lease->mac) < 0)
		return refuse(err, "%s: \"mac\": \"%s\" is no hardware address", decode->what,
			      name_show(value->text).text);
	lease->has_mac = true;
	return 0;
}

static int read_addresses(const struct decode *decode, const struct json *value, void *target,
			  struct error *err)
{
	struct lease *lease = target;

	if (value->count > LEASE_ADDRESSES_MAX)
		return refuse(err, "%s: more than %d addresses", decode->what, LEASE_ADDRESSES_MAX);
	for (const struct json *item = value->item; item; item = item->next) {
		int r = field_check_text(decode, "addresses", item, err);

		if (r < 0)
			return r;
		if (prefix_parse(item->text, &lease->addresses[lease->address_count++]) < 0)
			return refuse(err, "%s: \"addresses\": \"%s\" is no ADDRESS/LENGTH",
				      decode->what, name_show(item->text).text);
	}
	return 0;
}

static int read_names(const struct decode *decode, const struct json *value, void *target,
		      struct error *err)
{
	const char **names = arena_alloc(decode->arena, value->count + 1, sizeof(*names));
	size_t count = 0;

	for (const struct json *item = value->item; item; item = item->next) {
		int r = field_check_text(decode, "names", item, err);

		/* The first is the id. */
		if (r >= 0)
			r = count == 0 ? name_check_container("names", item->text, err)
				       : name_check_host("names", item->text, err);
		if (r < 0)
			return within(err, r, "%s", decode->what);
		names[count++] = item->text;
	}
	((struct lease *)target)->names = names;
	return 0;
}

static const struct field rate_fields[] = {
	{"bitsPerSecond", JSON_NUMBER, true, field_read_u64,
	 offsetof(struct rate, bits_per_second)},
	{"burstBytes", JSON_NUMBER, true, field_read_u32, offsetof(struct rate, burst_bytes)},
};

static int read_rate(const struct decode *decode, const struct json *value, void *target,
		     struct error *err)
{
	const struct decode inner = {
		.arena = decode->arena,
		.what = arena_printf(decode->arena, "%s: \"%s\"", decode->what, value->key),
	};

	return fields_read(&inner, value, rate_fields, ARRAY_SIZE(rate_fields), target, err);
}

static const struct field lease_fields[] = {
	{"version", JSON_NUMBER, true, read_version, 0},
	{"id", JSON_STRING, true, field_read_container, offsetof(struct lease, id)},
	{"link", JSON_STRING, true, field_read_link, offsetof(struct lease, link)},
	{"complete", JSON_BOOL, true, field_read_bool, offsetof(struct lease, complete)},
	{"netns", JSON_OBJECT, true, read_netns, 0},
	{"network", JSON_OBJECT, true, read_network, 0},
	{"hostLink", JSON_STRING, false, field_read_link, offsetof(struct lease, host_link)},
	{"mac", JSON_STRING, false, read_mac, 0},
	{"addresses", JSON_ARRAY, true, read_addresses, 0},
	{"publish", JSON_ARRAY, true, field_read_publish, offsetof(struct lease, publish)},
	{"names", JSON_ARRAY, true, read_names, 0},
	{"cni", JSON_STRING, false, field_read_text, offsetof(struct lease, cni)},
	{"toContainer", JSON_OBJECT, false, read_rate, offsetof(struct lease, to_container)},
	{"fromContainer", JSON_OBJECT, false, read_rate, offsetof(struct lease, from_container)},
};

int lease_decode(struct arena *arena, const struct json *json, const char *what, struct lease *ret,
		 struct error *err)
{
	const struct decode decode = {.arena = arena, .what = what};
	struct lease lease = {.id = NULL};
	int r = fields_read(&decode, json, lease_fields, ARRAY_SIZE(lease_fields), &lease, err);

	if (r < 0)
		return r;
	if (!lease.names[0] || !str_equal(lease.names[0], lease.id))
		return refuse(err, "%s: the first of \"names\" is not \"id\"", what);
	*ret = lease;
	return 0;
}

static void write_netns(struct json_writer *w, const struct netns_id *netns)
{
	json_key(w, "netns");
	json_begin_object(w);
	if (netns->path) {
		json_member_string(w, "path", netns->path);
	} else {
		json_member_i64(w, "pid", netns->pid);
		json_member_u64(w, "startTicks", netns->start_ticks);
	}
	json_member_u64(w, "cookie", netns->cookie);
	json_end_object(w);
}

static void write_rate(struct json_writer *w, const char *key, const struct rate *rate)
{
	if (rate->bits_per_second == 0)
		return;
	json_key(w, key);
	json_begin_object(w);
	json_member_u64(w, "bitsPerSecond", rate->bits_per_second);
	json_member_u64(w, "burstBytes", rate->burst_bytes);
	json_end_object(w);
}

static void write_addresses(struct json_writer *w, const struct lease *lease)
{
	char text[ADDRESS_TEXT_MAX];

	json_key(w, "addresses");
	json_begin_array(w);
	for (size_t i = 0; i < lease->address_count; i++) {
		prefix_format(&lease->addresses[i], text);
		json_string(w, text);
	}
	json_end_array(w);
}

static void write_publish(struct json_writer *w, const struct publish_list *publish)
{
	_cleanup_arena_ struct arena *arena = arena_new();

	json_key(w, "publish");
	json_begin_array(w);
	for (size_t i = 0; i < publish->count; i++)
		json_string(w, publish_format(arena, &publish->items[i]));
	json_end_array(w);
}

void lease_write_json(struct json_writer *w, const struct lease *lease)
{
	char mac[MAC_TEXT_MAX];

	json_begin_object(w);
	json_member_u64(w, "version", LEASE_VERSION);
	json_member_string(w, "id", lease->id);
	json_member_string(w, "link", lease->link);
	json_member_bool(w, "complete", lease->complete);
	write_netns(w, &lease->netns);
	json_key(w, "network");
	network_write(w, &lease->network);
	if (lease->host_link)
		json_member_string(w, "hostLink", lease->host_link);
	if (lease->has_mac) {
		mac_format(lease->mac, mac);
		json_member_string(w, "mac", mac);
	}
	write_addresses(w, lease);
	write_publish(w, &lease->publish);
	json_member_strings(w, "names", lease->names);
	if (lease->cni)
		json_member_string(w, "cni", lease->cni);
	write_rate(w, "toContainer", &lease->to_container);
	write_rate(w, "fromContainer", &lease->from_container);
	json_end_object(w);
}
