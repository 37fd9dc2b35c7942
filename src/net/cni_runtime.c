/* SPDX-License-Identifier: Apache-2.0 */
/* What an engine asks for one container: "runtimeConfig", "args", and CNI_ARGS. */
#include <errno.h>
#include <strings.h>

#include "cni_config.h"
#include "cni_member.h"
#include "names.h"

/* --- Ports ----------------------------------------------------------------------------------- */

struct mapping {
	uint64_t host_port, container_port;
	const char *protocol, *address;
};

static int protocol_of(const char *name, uint8_t *ret, struct error *err)
{
	if (!name || !*name || strcasecmp(name, "tcp") == 0)
		*ret = IPPROTO_TCP;
	else if (strcasecmp(name, "udp") == 0)
		*ret = IPPROTO_UDP;
	else
		return refuse_as(err, -EOPNOTSUPP,
				 "\"protocol\": \"%s\" is not supported: tcp and udp are", name);
	return 0;
}

static int port_of(const char *what, uint64_t number, uint16_t *ret, struct error *err)
{
	if (number == 0 || number > UINT16_MAX)
		return refuse(err, "\"%s\": a port from 1 to 65535 is needed", what);
	*ret = (uint16_t)number;
	return 0;
}

static int mapping_read(const struct json *value, struct publish *ret, struct error *err)
{
	static const struct cni_member rows[] = {
		{"hostPort", JSON_NUMBER, offsetof(struct mapping, host_port), NULL},
		{"containerPort", JSON_NUMBER, offsetof(struct mapping, container_port), NULL},
		{"protocol", JSON_STRING, offsetof(struct mapping, protocol), NULL},
		{"hostIP", JSON_STRING, offsetof(struct mapping, address), NULL},
	};
	struct mapping mapping = {.host_port = 0};
	int r;

	if (value->type != JSON_OBJECT)
		return refuse(err, "%s instead of an object", json_type_name(value->type));
	*ret = (struct publish){.count = 1};
	r = cni_members(value, rows, ARRAY_SIZE(rows), &mapping, err);
	if (r >= 0)
		r = port_of("hostPort", mapping.host_port, &ret->host_port, err);
	if (r >= 0)
		r = port_of("containerPort", mapping.container_port, &ret->container_port, err);
	if (r >= 0)
		r = protocol_of(mapping.protocol, &ret->protocol, err);
	if (r >= 0 && mapping.address && *mapping.address &&
	    address_parse(mapping.address, &ret->host) < 0)
		r = refuse(err, "\"hostIP\": \"%s\" is no address", mapping.address);
	return r;
}

static int mappings_read(struct arena *arena, const struct json *list, struct publish_list *ret,
			 struct error *err)
{
	size_t index = 0;

	for (const struct json *item = list->item; item; item = item->next) {
		struct publish publish;
		int r = mapping_read(item, &publish, err);

		if (r >= 0)
			r = publish_add(arena, ret, &publish, err);
		if (r < 0)
			return within(err, r, "\"portMappings\"[%zu]", index);
		index++;
	}
	return 0;
}

/* --- Bandwidth ------------------------------------------------------------------------------- */

struct bandwidth {
	uint64_t ingress_rate, ingress_burst, egress_rate, egress_burst;
};

/* Bits a second, and a burst in bits, as the bandwidth plugin has them. */
static int rate_of(const char *what, uint64_t rate, uint64_t burst, struct rate *ret,
		   struct error *err)
{
	if (burst > 0 && rate == 0)
		return refuse(err, "\"%sBurst\" without \"%sRate\"", what, what);
	if (burst / 8 > UINT32_MAX)
		return refuse(err, "\"%sBurst\": more than %u bytes", what, UINT32_MAX);
	*ret = (struct rate){.bits_per_second = rate, .burst_bytes = (uint32_t)(burst / 8)};
	return 0;
}

static int bandwidth_read(const struct json *value, struct cni_config *config, struct error *err)
{
	static const struct cni_member rows[] = {
		{"ingressRate", JSON_NUMBER, offsetof(struct bandwidth, ingress_rate), NULL},
		{"ingressBurst", JSON_NUMBER, offsetof(struct bandwidth, ingress_burst), NULL},
		{"egressRate", JSON_NUMBER, offsetof(struct bandwidth, egress_rate), NULL},
		{"egressBurst", JSON_NUMBER, offsetof(struct bandwidth, egress_burst), NULL},
	};
	struct bandwidth bandwidth = {.ingress_rate = 0};
	int r = cni_members(value, rows, ARRAY_SIZE(rows), &bandwidth, err);

	if (r >= 0)
		r = rate_of("ingress", bandwidth.ingress_rate, bandwidth.ingress_burst,
			    &config->to_container, err);
	if (r >= 0)
		r = rate_of("egress", bandwidth.egress_rate, bandwidth.egress_burst,
			    &config->from_container, err);
	return r < 0 ? within(err, r, "\"bandwidth\"") : 0;
}

/* --- Addresses and names --------------------------------------------------------------------- */

static int add_ip(struct cni_config *config, const char *text, struct error *err)
{
	struct prefix prefix;
	struct address address;

	/* The length, where there is one, is that of the network. */
	if (prefix_parse(text, &prefix) >= 0)
		address = prefix.address;
	else if (address_parse(text, &address) < 0)
		return refuse(err, "\"%s\" is no address", text);
	for (size_t i = 0; i < config->ip_count; i++) {
		if (address_compare(&config->ip[i], &address) == 0)
			return 0;
	}
	if (config->ip_count == ARRAY_SIZE(config->ip))
		return refuse(err, "more than %d addresses are asked for", NETWORK_SUBNETS_MAX);
	config->ip[config->ip_count++] = address;
	return 0;
}

/* NULL: none are asked for. */
static int add_ips(struct cni_config *config, const struct json *list, struct error *err)
{
	size_t index = 0;

	for (const struct json *item = list ? list->item : NULL; item; item = item->next) {
		int r = item->type == JSON_STRING
				? add_ip(config, item->text, err)
				: refuse(err, "%s instead of a string", json_type_name(item->type));

		if (r < 0)
			return within(err, r, "\"ips\"[%zu]", index);
		index++;
	}
	return 0;
}

/* NULL or empty: none is asked for. */
static int set_mac(struct cni_config *config, const char *text, struct error *err)
{
	if (!text || !*text)
		return 0;
	if (mac_parse(text, config->mac) < 0)
		return refuse(err, "\"mac\": \"%s\" is not the MAC of one device", text);
	config->has_mac = true;
	return 0;
}

/* A list for each network by its name; those of others are none of ours. */
static int aliases_read(struct arena *arena, const struct json *value, struct cni_config *config,
			struct error *err)
{
	const struct json *list = json_member(value, config->name);
	int r = 0;

	if (!list || list->type == JSON_NULL)
		return 0;
	if (list->type != JSON_ARRAY)
		return refuse(err, "\"aliases\": \"%s\": %s instead of an array", list->key,
			      json_type_name(list->type));
	r = cni_strings(arena, list, &config->aliases, err);
	for (size_t i = 0; r >= 0 && config->aliases[i]; i++)
		r = name_check_host("\"aliases\"", config->aliases[i], err);
	return r;
}

static int dns_read(struct arena *arena, const struct json *value, struct cni_dns *dns,
		    struct error *err)
{
	struct lists {
		const struct json *servers, *search, *options;
	} lists = {.servers = NULL};
	static const struct cni_member rows[] = {
		{"servers", JSON_ARRAY, offsetof(struct lists, servers), NULL},
		{"searches", JSON_ARRAY, offsetof(struct lists, search), NULL},
		{"options", JSON_ARRAY, offsetof(struct lists, options), NULL},
	};
	int r = cni_members(value, rows, ARRAY_SIZE(rows), &lists, err);

	if (r >= 0 && lists.servers)
		r = cni_strings(arena, lists.servers, &dns->nameservers, err);
	if (r >= 0 && lists.search)
		r = cni_strings(arena, lists.search, &dns->search, err);
	if (r >= 0 && lists.options)
		r = cni_strings(arena, lists.options, &dns->options, err);
	return r < 0 ? within(err, r, "\"dns\"") : 0;
}

/* --- The three sources ----------------------------------------------------------------------- */

int cni_runtime_read(struct arena *arena, const struct json *runtime, struct cni_config *config,
		     const struct json **ret_ranges, struct error *err)
{
	struct runtime {
		const struct json *mappings, *bandwidth, *dns, *aliases, *ips, *ranges;
		const char *mac;
	} given = {.mac = NULL};
	static const struct cni_member rows[] = {
		{"portMappings", JSON_ARRAY, offsetof(struct runtime, mappings), NULL},
		{"bandwidth", JSON_OBJECT, offsetof(struct runtime, bandwidth), NULL},
		{"dns", JSON_OBJECT, offsetof(struct runtime, dns), NULL},
		{"aliases", JSON_OBJECT, offsetof(struct runtime, aliases), NULL},
		{"ips", JSON_ARRAY, offsetof(struct runtime, ips), NULL},
		{"ipRanges", JSON_ARRAY, offsetof(struct runtime, ranges), NULL},
		{"mac", JSON_STRING, offsetof(struct runtime, mac), NULL},
	};
	int r = cni_members(runtime, rows, ARRAY_SIZE(rows), &given, err);

	if (r >= 0 && given.mappings)
		r = mappings_read(arena, given.mappings, &config->publish, err);
	if (r >= 0 && given.bandwidth)
		r = bandwidth_read(given.bandwidth, config, err);
	if (r >= 0 && given.dns)
		r = dns_read(arena, given.dns, &config->dns, err);
	if (r >= 0 && given.aliases)
		r = aliases_read(arena, given.aliases, config, err);
	if (r >= 0)
		r = add_ips(config, given.ips, err);
	if (r >= 0)
		r = set_mac(config, given.mac, err);
	if (r < 0)
		return within(err, r, "\"runtimeConfig\"");
	*ret_ranges = given.ranges;
	return 0;
}

/* What it does not know a plugin ignores here: so the specification has it. */
int cni_conventions_read(const struct json *args, struct cni_config *config, struct error *err)
{
	const struct json *cni = json_member(args, "cni");
	const struct json *ips, *mac;
	int r;

	if (!cni || cni->type != JSON_OBJECT)
		return 0;
	ips = json_member(cni, "ips");
	mac = json_member(cni, "mac");
	r = ips && ips->type == JSON_ARRAY ? add_ips(config, ips, err) : 0;
	if (r >= 0 && mac && mac->type == JSON_STRING)
		r = set_mac(config, mac->text, err);
	return r < 0 ? within(err, r, "\"args\": \"cni\"") : 0;
}

/* --- CNI_ARGS -------------------------------------------------------------------------------- */

/* What "IgnoreUnknown" says, by the words that the reference implementation takes. */
static bool is_true(const char *text)
{
	return str_equal(text, "1") || strcasecmp(text, "true") == 0;
}

/* Returns 1 for a key that is not known. */
static int take_pair(struct cni_config *config, const char *key, const char *value,
		     bool *ignore_unknown, struct error *err)
{
	if (str_equal(key, "IP"))
		return add_ip(config, value, err);
	if (str_equal(key, "MAC"))
		return set_mac(config, value, err);
	if (!str_equal(key, "IgnoreUnknown"))
		return 1;
	*ignore_unknown = is_true(value);
	return 0;
}

int cni_config_args(const char *text, struct cni_config *config, struct error *err)
{
	_cleanup_free_ char *copy = xstrdup(text ? text : "");
	const char *unknown = NULL;
	bool ignore_unknown = false;
	char *rest = copy, *pair;

	while ((pair = strsep(&rest, ";"))) {
		char *value = strchr(pair, '=');
		int r;

		if (!*pair)
			continue;
		if (!value)
			return refuse(err, "CNI_ARGS: \"%s\" is no KEY=VALUE", pair);
		*value++ = '\0';
		r = take_pair(config, pair, value, &ignore_unknown, err);
		if (r < 0)
			return within(err, r, "CNI_ARGS: %s", pair);
		if (r > 0 && !unknown)
			unknown = pair;
	}
	if (unknown && !ignore_unknown)
		return refuse(err, "CNI_ARGS: \"%s\" is not known, and IgnoreUnknown is not set",
			      unknown);
	return 0;
}
