/* SPDX-License-Identifier: Apache-2.0 */
/* Definitions of networks as JSON. */
#include <errno.h>

#include "fields.h"
#include "names.h"
#include "network-internal.h"

static int read_address(const struct decode *decode, const struct json *value, struct address *ret,
			struct error *err)
{
	if (address_parse(value->text, ret) < 0)
		return refuse(err, "%s: \"%s\": \"%s\" is no address", decode->what,
			      value->key ? value->key : "", name_show(value->text).text);
	return 0;
}

static int read_prefix(const struct decode *decode, const struct json *value, void *target,
		       struct error *err)
{
	struct subnet *subnet = target;

	if (prefix_parse(value->text, &subnet->prefix) < 0)
		return refuse(err, "%s: \"subnet\": \"%s\" is no ADDRESS/LENGTH", decode->what,
			      name_show(value->text).text);
	return 0;
}

static int read_gateway(const struct decode *decode, const struct json *value, void *target,
			struct error *err)
{
	return read_address(decode, value, &((struct subnet *)target)->gateway, err);
}

static int read_first(const struct decode *decode, const struct json *value, void *target,
		      struct error *err)
{
	return read_address(decode, value, &((struct subnet *)target)->first, err);
}

static int read_last(const struct decode *decode, const struct json *value, void *target,
		     struct error *err)
{
	return read_address(decode, value, &((struct subnet *)target)->last, err);
}

static const struct field subnet_fields[] = {
	{"subnet", JSON_STRING, true, read_prefix, 0},
	{"gateway", JSON_STRING, false, read_gateway, 0},
	{"first", JSON_STRING, false, read_first, 0},
	{"last", JSON_STRING, false, read_last, 0},
};

static int read_name(const struct decode *decode, const struct json *value, void *target,
		     struct error *err)
{
	(void)decode;
	(void)err;
	((struct network *)target)->name = value->text;
	return 0;
}

static int read_driver(const struct decode *decode, const struct json *value, void *target,
		       struct error *err)
{
	struct network *network = target;

	network->driver = network_driver_find(value->text);
	if (network->driver == NETWORK_DRIVER_MAX)
		return refuse(err, "%s: there is no driver \"%s\"", decode->what,
			      name_show(value->text).text);
	return 0;
}

static int read_link(const struct decode *decode, const struct json *value, void *target,
		     struct error *err)
{
	(void)decode;
	(void)err;
	((struct network *)target)->link = value->text;
	return 0;
}

static int read_mode(const struct decode *decode, const struct json *value, void *target,
		     struct error *err)
{
	(void)decode;
	(void)err;
	((struct network *)target)->mode = value->text;
	return 0;
}

static int read_subnets(const struct decode *decode, const struct json *value, void *target,
			struct error *err)
{
	struct network *network = target;
	int r = 0;

	if (value->count > NETWORK_SUBNETS_MAX)
		return refuse(err, "%s: more than %d subnets", decode->what, NETWORK_SUBNETS_MAX);
	for (const struct json *item = value->item; r >= 0 && item; item = item->next)
		r = fields_read(decode, item, subnet_fields, ARRAY_SIZE(subnet_fields),
				&network->subnets[network->subnet_count++], err);
	return r;
}

static int read_isolation(const struct decode *decode, const struct json *value, void *target,
			  struct error *err)
{
	(void)decode;
	(void)err;
	((struct network *)target)->no_isolation = !value->boolean;
	return 0;
}

static int read_masquerade(const struct decode *decode, const struct json *value, void *target,
			   struct error *err)
{
	(void)decode;
	(void)err;
	((struct network *)target)->no_masquerade = !value->boolean;
	return 0;
}

static const struct field network_fields[] = {
	{"name", JSON_STRING, true, read_name, 0},
	{"driver", JSON_STRING, true, read_driver, 0},
	{"link", JSON_STRING, true, read_link, 0},
	{"mode", JSON_STRING, false, read_mode, 0},
	{"subnets", JSON_ARRAY, false, read_subnets, 0},
	{"mtu", JSON_NUMBER, false, field_read_u32, offsetof(struct network, mtu)},
	{"internal", JSON_BOOL, false, field_read_bool, offsetof(struct network, internal)},
	{"isolation", JSON_BOOL, false, read_isolation, 0},
	{"masquerade", JSON_BOOL, false, read_masquerade, 0},
};

int network_decode(struct arena *arena, const struct json *json, const char *what,
		   struct network *ret, struct error *err)
{
	const struct decode decode = {.arena = arena, .what = what};
	struct network network = {.name = NULL};
	int r = fields_read(&decode, json, network_fields, ARRAY_SIZE(network_fields), &network,
			    err);

	if (r < 0)
		return r;
	r = network_complete(&network, err);
	if (r < 0)
		return within(err, r, "%s", what);
	*ret = network;
	return 0;
}

static void write_address(struct json_writer *w, const char *key, const struct address *address)
{
	char text[ADDRESS_TEXT_MAX];

	if (address->family == 0)
		return;
	address_format(address, text);
	json_member_string(w, key, text);
}

static void write_subnet(struct json_writer *w, const struct subnet *subnet)
{
	char text[ADDRESS_TEXT_MAX];

	prefix_format(&subnet->prefix, text);
	json_begin_object(w);
	json_member_string(w, "subnet", text);
	write_address(w, "gateway", &subnet->gateway);
	write_address(w, "first", &subnet->first);
	write_address(w, "last", &subnet->last);
	json_end_object(w);
}

void network_write(struct json_writer *w, const struct network *network)
{
	json_begin_object(w);
	json_member_string(w, "name", network->name);
	json_member_string(w, "driver", network_driver_name(network->driver));
	json_member_string(w, "link", network->link);
	if (network->mode)
		json_member_string(w, "mode", network->mode);
	json_key(w, "subnets");
	json_begin_array(w);
	for (size_t i = 0; i < network->subnet_count; i++)
		write_subnet(w, &network->subnets[i]);
	json_end_array(w);
	if (network->mtu)
		json_member_u64(w, "mtu", network->mtu);
	/* A network of another driver has no choice. */
	if (network->driver == NETWORK_BRIDGE) {
		json_member_bool(w, "internal", network->internal);
		json_member_bool(w, "isolation", !network->no_isolation);
		json_member_bool(w, "masquerade", !network->no_masquerade);
	}
	json_end_object(w);
}
