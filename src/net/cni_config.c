/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A network's configuration as a CNI plugin gets it.
 *
 * The network is described in one of two ways: by the members of the standard bridge plugin, so
 * that an administrator need only change the type, or by the name of a network that berth-net has a
 * definition of.
 */
#include "cni_config.h"

#include <errno.h>

#include "cni_member.h"
#include "names.h"

const char *const cni_version_names[CNI_VERSION_MAX] = {
	[CNI_0_3_0] = "0.3.0", [CNI_0_3_1] = "0.3.1", [CNI_0_4_0] = "0.4.0",
	[CNI_1_0_0] = "1.0.0", [CNI_1_1_0] = "1.1.0",
};

/* --- What every command needs ---------------------------------------------------------------- */

static int version_of(const struct json *document, enum cni_version *ret, struct error *err)
{
	const struct json *value = json_member(document, "cniVersion");

	if (!value || value->type != JSON_STRING)
		return refuse_as(err, -EPROTONOSUPPORT,
				 "\"cniVersion\" is missing, which means version 0.1.0");
	for (size_t i = 0; i < CNI_VERSION_MAX; i++) {
		if (str_equal(value->text, cni_version_names[i])) {
			*ret = (enum cni_version)i;
			return 0;
		}
	}
	return refuse_as(err, -EPROTONOSUPPORT,
			 "\"cniVersion\": \"%s\" is none of 0.3.0, 0.3.1, 0.4.0, 1.0.0, 1.1.0",
			 value->text);
}

/* A member of the type, or NULL. */
static const struct json *member_of(const struct json *document, const char *name,
				    enum json_type type)
{
	const struct json *value = json_member(document, name);

	return value && value->type == type ? value : NULL;
}

int cni_config_begin(const struct json *document, struct cni_config *ret, struct error *err)
{
	static const char *const no_aliases[] = {NULL};
	const struct json *name, *root;
	int r;

	*ret = (struct cni_config){.version = CNI_VERSION_MAX - 1, .aliases = no_aliases};
	if (document->type != JSON_OBJECT)
		return refuse(err, "%s instead of an object", json_type_name(document->type));
	r = version_of(document, &ret->version, err);
	if (r < 0)
		return r;
	name = member_of(document, "name", JSON_STRING);
	if (!name)
		return refuse(err, "\"name\", that of the network, is missing");
	r = name_check_network("\"name\"", name->text, err);
	if (r < 0)
		return r;
	root = member_of(document, "root", JSON_STRING);
	if (root && *root->text != '/')
		return refuse(err, "\"root\": \"%s\" is no absolute path", root->text);
	ret->name = name->text;
	ret->root = root ? root->text : NULL;
	ret->prev_result = member_of(document, "prevResult", JSON_OBJECT);
	ret->attachments = member_of(document, "cni.dev/valid-attachments", JSON_ARRAY);
	return 0;
}

/* --- The network ----------------------------------------------------------------------------- */

struct settings {
	const char *defined, *bridge, *policy;
	bool is_gateway, is_default_gateway, masquerade, internal;
	uint64_t mtu;
	const struct json *ipam, *dns, *runtime, *args;
};

static int take_policy(void *to, const struct json *value, struct error *err)
{
	struct settings *settings = to;

	if (!str_equal(value->text, "open") && !str_equal(value->text, "same-bridge"))
		return cni_unsupported(value, "\"open\" and \"same-bridge\" are", err);
	settings->policy = value->text;
	return 0;
}

static int take_backend(void *to, const struct json *value, struct error *err)
{
	(void)to;
	return str_equal(value->text, "nftables") ? 0 : cni_unsupported(value, NULL, err);
}

static int take_prev_result(void *to, const struct json *value, struct error *err)
{
	(void)to;
	(void)value;
	return refuse_as(err, -EOPNOTSUPP,
			 "\"prevResult\" of another plugin is not supported: berth-net makes the "
			 "link itself, and must be the first of its list");
}

#define ROW(name, type, field)                                                                     \
	{                                                                                          \
		name, type, offsetof(struct settings, field), NULL                                 \
	}
#define NEEDS_NOTHING(name, type)                                                                  \
	{                                                                                          \
		name, type, CNI_NOTHING, NULL                                                      \
	}
#define ONLY_EMPTY(name, type)                                                                     \
	{                                                                                          \
		name, type, 0, cni_only_empty                                                      \
	}

static const struct cni_member rows[] = {
	/* cni_config_begin() has them, or they are the engine's. */
	NEEDS_NOTHING("cniVersion", JSON_STRING),
	NEEDS_NOTHING("name", JSON_STRING),
	NEEDS_NOTHING("root", JSON_STRING),
	NEEDS_NOTHING("type", JSON_STRING),
	NEEDS_NOTHING("capabilities", JSON_OBJECT),
	NEEDS_NOTHING("disableCheck", JSON_BOOL),
	NEEDS_NOTHING("disableGC", JSON_BOOL),
	{"prevResult", JSON_OBJECT, 0, take_prev_result},
	ROW("network", JSON_STRING, defined),
	ROW("bridge", JSON_STRING, bridge),
	ROW("isGateway", JSON_BOOL, is_gateway),
	ROW("isDefaultGateway", JSON_BOOL, is_default_gateway),
	ROW("ipMasq", JSON_BOOL, masquerade),
	{"ipMasqBackend", JSON_STRING, 0, take_backend},
	ROW("mtu", JSON_NUMBER, mtu),
	ROW("internal", JSON_BOOL, internal),
	{"ingressPolicy", JSON_STRING, 0, take_policy},
	ROW("ipam", JSON_OBJECT, ipam),
	ROW("dns", JSON_OBJECT, dns),
	ROW("runtimeConfig", JSON_OBJECT, runtime),
	ROW("args", JSON_OBJECT, args),
	/* Every port has hairpin mode; the promiscuous mode of a bridge is another way to it. */
	NEEDS_NOTHING("hairpinMode", JSON_BOOL),
	NEEDS_NOTHING("promiscMode", JSON_BOOL),
	/* Means something with "vlan" alone. */
	NEEDS_NOTHING("preserveDefaultVlan", JSON_BOOL),
	ONLY_EMPTY("vlan", JSON_NUMBER),
	ONLY_EMPTY("vlanTrunk", JSON_ARRAY),
	ONLY_EMPTY("forceAddress", JSON_BOOL),
	ONLY_EMPTY("macspoofchk", JSON_BOOL),
	ONLY_EMPTY("enabledad", JSON_BOOL),
	ONLY_EMPTY("portIsolation", JSON_BOOL),
	ONLY_EMPTY("disableContainerInterface", JSON_BOOL),
};

/* What the definition of a network says already. */
static int refuse_described(const struct json *document, struct error *err)
{
	static const char *const members[] = {
		"bridge", "isGateway", "isDefaultGateway", "ipMasq",	    "ipMasqBackend",
		"mtu",	  "ipam",      "internal",	   "ingressPolicy",
	};

	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		if (json_member(document, members[i]))
			return refuse(err, "\"network\" and \"%s\" describe the network both",
				      members[i]);
	}
	return 0;
}

/* As the bridge plugin and host-local would understand it. */
static int make_bridge(const struct settings *settings, const struct json *ranges,
		       struct cni_config *config, struct error *err)
{
	struct network *network = &config->network;
	const struct json *routes = NULL;
	int r;

	*network = (struct network){
		.name = config->name,
		.driver = NETWORK_BRIDGE,
		.link = settings->bridge ? settings->bridge : "cni0",
		.mtu = (uint32_t)settings->mtu,
		.internal = settings->internal,
		.no_isolation = settings->policy && str_equal(settings->policy, "open"),
		.no_masquerade = !settings->masquerade,
	};
	if (settings->mtu > UINT16_MAX)
		return refuse(err, "\"mtu\": more than %d", UINT16_MAX);
	r = name_check_link("\"bridge\"", network->link, err);
	if (r >= 0)
		r = cni_ipam_read(settings->ipam, ranges, network, &routes, err);
	if (r >= 0)
		r = network_complete(network, err);
	if (r < 0)
		return r;
	if (!settings->internal && !settings->is_gateway && !settings->is_default_gateway)
		return refuse_as(err, -EOPNOTSUPP,
				 "\"isGateway\": false is not supported: a bridge of berth-net has "
				 "an address (set \"internal\" where there shall be no way out)");
	return cni_routes_check(routes, settings->internal || settings->is_default_gateway, network,
				err);
}

static int make_network(const struct json *document, const struct settings *settings,
			const struct json *ranges, struct cni_config *config, struct error *err)
{
	int r;

	if (!settings->defined)
		return make_bridge(settings, ranges, config, err);
	r = refuse_described(document, err);
	if (r >= 0 && ranges)
		r = refuse_as(err, -EOPNOTSUPP,
			      "\"runtimeConfig\": \"ipRanges\" is not supported with \"network\"");
	if (r >= 0)
		r = name_check_network("\"network\"", settings->defined, err);
	if (r >= 0)
		config->defined = settings->defined;
	return r;
}

static int dns_read(struct arena *arena, const struct json *value, struct cni_dns *dns,
		    struct error *err)
{
	struct lists {
		const char *domain;
		const struct json *nameservers, *search, *options;
	} lists = {.domain = NULL};
	static const struct cni_member dns_rows[] = {
		{"domain", JSON_STRING, offsetof(struct lists, domain), NULL},
		{"nameservers", JSON_ARRAY, offsetof(struct lists, nameservers), NULL},
		{"search", JSON_ARRAY, offsetof(struct lists, search), NULL},
		{"options", JSON_ARRAY, offsetof(struct lists, options), NULL},
	};
	int r = cni_members(value, dns_rows, ARRAY_SIZE(dns_rows), &lists, err);

	dns->domain = lists.domain;
	if (r >= 0 && lists.nameservers)
		r = cni_strings(arena, lists.nameservers, &dns->nameservers, err);
	if (r >= 0 && lists.search)
		r = cni_strings(arena, lists.search, &dns->search, err);
	if (r >= 0 && lists.options)
		r = cni_strings(arena, lists.options, &dns->options, err);
	return r < 0 ? within(err, r, "\"dns\"") : 0;
}

int cni_config_finish(struct arena *arena, const struct json *document, struct cni_config *config,
		      struct error *err)
{
	struct settings settings = {.mtu = 0};
	const struct json *ranges = NULL;
	int r = cni_members(document, rows, ARRAY_SIZE(rows), &settings, err);

	if (r >= 0 && settings.dns)
		r = dns_read(arena, settings.dns, &config->dns, err);
	if (r >= 0 && settings.args)
		r = cni_conventions_read(settings.args, config, err);
	if (r >= 0 && settings.runtime)
		r = cni_runtime_read(arena, settings.runtime, config, &ranges, err);
	return r < 0 ? r : make_network(document, &settings, ranges, config, err);
}
