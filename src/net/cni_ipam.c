/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Addresses as the host-local plugin's configuration gives them.
 *
 * Its "ranges" are a list of sets, of which each gives a container one address; a set of ours has
 * one range, and is a subnet. Its "routes" must be the ones that berth-net makes anyway.
 */
#include <errno.h>

#include "cni_config.h"
#include "cni_member.h"

struct range {
	const char *subnet, *first, *last, *gateway;
};

#define RANGE_ROWS                                                                                 \
	{"subnet", JSON_STRING, offsetof(struct range, subnet), NULL},                             \
		{"rangeStart", JSON_STRING, offsetof(struct range, first), NULL},                  \
		{"rangeEnd", JSON_STRING, offsetof(struct range, last), NULL},                     \
	{                                                                                          \
		"gateway", JSON_STRING, offsetof(struct range, gateway), NULL                      \
	}

static int read_address(const char *what, const char *text, struct address *ret, struct error *err)
{
	if (text && address_parse(text, ret) < 0)
		return refuse(err, "\"%s\": \"%s\" is no address", what, text);
	return 0;
}

static int range_convert(const struct range *range, struct subnet *ret, struct error *err)
{
	struct address first;
	int r;

	*ret = (struct subnet){.prefix.length = 0};
	if (!range->subnet)
		return refuse(err, "\"subnet\" is missing");
	if (prefix_parse(range->subnet, &ret->prefix) < 0)
		return refuse(err, "\"subnet\": \"%s\" is no network, as 10.1.0.0/16 is",
			      range->subnet);
	first = prefix_first(&ret->prefix);
	if (address_compare(&first, &ret->prefix.address) != 0)
		return refuse(err, "\"subnet\": \"%s\" is an address within its network",
			      range->subnet);
	r = read_address("rangeStart", range->first, &ret->first, err);
	if (r >= 0)
		r = read_address("rangeEnd", range->last, &ret->last, err);
	if (r >= 0)
		r = read_address("gateway", range->gateway, &ret->gateway, err);
	return r;
}

static int range_read(const struct json *value, struct subnet *ret, struct error *err)
{
	static const struct cni_member rows[] = {RANGE_ROWS};
	struct range range = {.subnet = NULL};
	int r;

	if (value->type != JSON_OBJECT)
		return refuse(err, "%s instead of an object", json_type_name(value->type));
	r = cni_members(value, rows, ARRAY_SIZE(rows), &range, err);
	return r < 0 ? r : range_convert(&range, ret, err);
}

static int add_subnet(struct network *network, const struct subnet *subnet, struct error *err)
{
	if (network->subnet_count == NETWORK_SUBNETS_MAX)
		return refuse(err, "more than %d ranges", NETWORK_SUBNETS_MAX);
	network->subnets[network->subnet_count++] = *subnet;
	return 0;
}

/* A list of lists of ranges. */
static int ranges_read(const struct json *sets, struct network *network, struct error *err)
{
	size_t index = 0;
	int r = 0;

	for (const struct json *set = sets ? sets->item : NULL; set && r >= 0; set = set->next) {
		struct subnet subnet;

		if (set->type != JSON_ARRAY)
			r = refuse(err, "%s instead of an array", json_type_name(set->type));
		else if (set->count != 1)
			r = refuse_as(err, -EOPNOTSUPP,
				      "%zu ranges for one address are not supported, one is",
				      set->count);
		else
			r = range_read(set->item, &subnet, err);
		if (r >= 0)
			r = add_subnet(network, &subnet, err);
		if (r < 0)
			return within(err, r, "\"%s\"[%zu]", sets->key, index);
		index++;
	}
	return r;
}

static int take_type(void *to, const struct json *value, struct error *err)
{
	(void)to;
	if (str_equal(value->text, "host-local") || str_equal(value->text, "berth-net"))
		return 0;
	return cni_unsupported(value, "berth-net gives addresses itself, as host-local does", err);
}

static int take_data_dir(void *to, const struct json *value, struct error *err)
{
	(void)to;
	return cni_unsupported(value, "\"root\" beside \"ipam\" is where berth-net keeps things",
			       err);
}

static int take_resolv_conf(void *to, const struct json *value, struct error *err)
{
	(void)to;
	return cni_unsupported(value, "use \"dns\"", err);
}

struct settings {
	struct range single; /* first: the rows of a range are its too */
	const struct json *ranges, *routes;
};

int cni_ipam_read(const struct json *ipam, const struct json *more, struct network *network,
		  const struct json **ret_routes, struct error *err)
{
	static const struct cni_member rows[] = {
		RANGE_ROWS,
		{"ranges", JSON_ARRAY, offsetof(struct settings, ranges), NULL},
		{"routes", JSON_ARRAY, offsetof(struct settings, routes), NULL},
		{"type", JSON_STRING, 0, take_type},
		{"dataDir", JSON_STRING, 0, take_data_dir},
		{"resolvConf", JSON_STRING, 0, take_resolv_conf},
	};
	struct settings settings = {.ranges = NULL};
	static const struct range none = {.subnet = NULL};
	struct subnet single;
	int r = ipam ? cni_members(ipam, rows, ARRAY_SIZE(rows), &settings, err) : 0;

	if (r >= 0 && memcmp(&settings.single, &none, sizeof(none)) != 0) {
		r = range_convert(&settings.single, &single, err);
		if (r >= 0)
			r = add_subnet(network, &single, err);
	}
	if (r >= 0)
		r = ranges_read(settings.ranges, network, err);
	if (r < 0)
		return within(err, r, "\"ipam\"");
	*ret_routes = settings.routes;
	r = ranges_read(more, network, err);
	if (r < 0)
		return within(err, r, "\"runtimeConfig\"");
	if (network->subnet_count == 0)
		return refuse(err, "\"ipam\": no \"ranges\" and no \"subnet\": containers need "
				   "addresses");
	return 0;
}

/* The subnet by whose gateway a route leads that berth-net makes; NULL: it is another one. */
static const struct subnet *subnet_of_route(const struct network *network,
					    const struct prefix *destination,
					    const struct address *gateway)
{
	const struct address zero = {.family = destination->address.family};

	if (destination->length != 0 || address_compare(&destination->address, &zero) != 0)
		return NULL;
	for (size_t i = 0; i < network->subnet_count; i++) {
		const struct subnet *subnet = &network->subnets[i];

		if (subnet->gateway.family == zero.family &&
		    (gateway->family == 0 || address_compare(gateway, &subnet->gateway) == 0))
			return subnet;
	}
	return NULL;
}

/* *families: a bit for each family that has a default route. */
static int check_route(const struct json *value, const struct network *network, unsigned *families,
		       struct error *err)
{
	struct route {
		const char *destination, *gateway;
	} route = {.destination = NULL};
	static const struct cni_member rows[] = {
		{"dst", JSON_STRING, offsetof(struct route, destination), NULL},
		{"gw", JSON_STRING, offsetof(struct route, gateway), NULL},
	};
	struct prefix destination;
	struct address gateway = {.family = 0};
	int r;

	if (value->type != JSON_OBJECT)
		return refuse(err, "%s instead of an object", json_type_name(value->type));
	r = cni_members(value, rows, ARRAY_SIZE(rows), &route, err);
	if (r < 0)
		return r;
	if (!route.destination || prefix_parse(route.destination, &destination) < 0)
		return refuse(err, "\"dst\" is no network, as 0.0.0.0/0 is");
	r = read_address("gw", route.gateway, &gateway, err);
	if (r < 0)
		return r;
	if (!subnet_of_route(network, &destination, &gateway))
		return refuse_as(err, -EOPNOTSUPP,
				 "a route to %s%s%s is not supported: only default routes by the "
				 "gateways of the ranges are",
				 route.destination, route.gateway ? " by " : "",
				 route.gateway ? route.gateway : "");
	*families |= destination.address.family == AF_INET ? 1u : 2u;
	return 0;
}

int cni_routes_check(const struct json *routes, bool implied, const struct network *network,
		     struct error *err)
{
	unsigned families = implied ? ~0u : 0;
	size_t index = 0;

	for (const struct json *route = routes ? routes->item : NULL; route; route = route->next) {
		int r = check_route(route, network, &families, err);

		if (r < 0)
			return within(err, r, "\"ipam\": \"routes\"[%zu]", index);
		index++;
	}
	for (size_t i = 0; i < network->subnet_count; i++) {
		const bool is_v4 = network->subnets[i].prefix.address.family == AF_INET;

		if (!(families & (is_v4 ? 1u : 2u)))
			return refuse_as(err, -EOPNOTSUPP,
					 "\"isGateway\": a gateway without a default route is not "
					 "supported: set \"isDefaultGateway\", or add {\"dst\": "
					 "\"%s\"} to the routes of \"ipam\"",
					 is_v4 ? "0.0.0.0/0" : "::/0");
	}
	return 0;
}
