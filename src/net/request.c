/* SPDX-License-Identifier: Apache-2.0 */
/* What is asked for a container: the options, and whether it can be had. */
#include "request.h"

#include <errno.h>

#include "driver.h"
#include "names.h"
#include "network-internal.h"
#include "target.h"

/* resolv.conf(5): resolvers ask no more of them. */
#define DNS_MAX		3
#define NAMES_MAX	64
#define RESOLV_CONF_MAX 255
#define LINK_DEFAULT	"eth0"

#define ROW(option, field, kind, argument, help)                                                   \
	{                                                                                          \
		option, 0, kind, offsetof(struct request_options, field), argument, help           \
	}

const struct option request_option_table[REQUEST_OPTION_COUNT] = {
	ROW("network", network, OPTION_TEXT, "NETWORK",
	    "bridge, [DRIVER:]NAME of a network, none, host, pasta or slirp4netns (default: "
	    "bridge)"),
	ROW("link", link, OPTION_TEXT, "NAME", "the link's name in the container (default: eth0)"),
	ROW("publish", publish, OPTION_LIST, "[IP:]HOST:CONT[/udp]",
	    "lead a port of the host, or a range FIRST-LAST, to the container"),
	ROW("ip", ip, OPTION_LIST, "ADDRESS", "this address, of one of the network's subnets"),
	ROW("mac", mac, OPTION_TEXT, "MAC", "the link's hardware address"),
	ROW("dns", dns, OPTION_LIST, "ADDRESS", "a server for --resolv-conf (default: the host's)"),
	ROW("names", names, OPTION_LIST, "NAME",
	    "a name of the container for others of its network"),
	ROW("bandwidth", bandwidth, OPTION_TEXT, "RATE",
	    "a limit to and from the container: 10mbit, 1.5gbit"),
	ROW("resolv-conf", resolv_conf, OPTION_TEXT, "FILE",
	    "the file of the bundle that is written as resolv.conf"),
};

/* What is checked, and what for. */
struct check {
	const struct store *store;
	struct arena *arena;
	const struct target *target;
	const struct request_options *wanted;
	struct request *request;
	struct error *err;
};

/* The option as the user knows it. */
static const char *label(const struct check *check, const char *option)
{
	return arena_printf(
		check->arena, "%s%s",
		check->target->from_hook ? "annotation " REQUEST_ANNOTATION_PREFIX : "--", option);
}

struct mode {
	const char *name;
	enum request_mode mode;
	const char *const *allowed; /* options that it can honour */
};

static const char *const files_only[] = {"network", "dns", "resolv-conf", NULL};
/* Nobody else is there who could use a name; berth-pull gives one to every container. */
static const char *const user_options[] = {"network", "link",  "publish",     "mac",
					   "dns",     "names", "resolv-conf", NULL};

static const struct mode modes[] = {
	{"none", REQUEST_NONE, files_only},
	{"host", REQUEST_HOST, files_only},
	{"pasta", REQUEST_PASTA, user_options},
	{"slirp4netns", REQUEST_SLIRP4NETNS, user_options},
};

static bool is_given(const struct request_options *wanted, const struct option *option)
{
	const char *value = (const char *)wanted + option->offset;

	if (option->kind == OPTION_LIST)
		return ((const struct strv *)value)->count > 0;
	return *(const char *const *)value != NULL;
}

static bool is_in(const char *const *list, const char *name)
{
	for (; *list; list++) {
		if (str_equal(*list, name))
			return true;
	}
	return false;
}

static int check_mode(const struct check *check, const struct mode *mode)
{
	check->request->mode = mode->mode;
	for (size_t i = 0; i < REQUEST_OPTION_COUNT; i++) {
		const struct option *option = &request_option_table[i];

		if (is_given(check->wanted, option) && !is_in(mode->allowed, option->name))
			return refuse(check->err, "%s cannot be had with network \"%s\"",
				      label(check, option->name), mode->name);
	}
	return 0;
}

/* "NAME" or "DRIVER:NAME". */
static int find_network(const struct check *check, const char *text)
{
	const char *colon = strchr(text, ':'), *what = label(check, "network");
	struct network *network = &check->request->network;
	enum network_driver driver = NETWORK_DRIVER_MAX;
	int r;

	if (colon) {
		driver = network_driver_find(
			arena_strndup(check->arena, text, (size_t)(colon - text)));
		if (driver == NETWORK_DRIVER_MAX)
			return refuse(check->err, "%s \"%s\": there is no such driver", what,
				      name_show(text).text);
		text = colon + 1;
	}
	r = name_check_network(what, text, check->err);
	if (r < 0)
		return r;
	r = network_find(check->store, check->arena, text, network, check->err);
	if (r < 0)
		return within(check->err, r, "%s", what);
	if (colon && network->driver != driver)
		return refuse(check->err, "%s: network \"%s\" is of driver \"%s\", not \"%s\"",
			      what, text, network_driver_name(network->driver),
			      network_driver_name(driver));
	return 0;
}

static int check_network(const struct check *check)
{
	const char *text = check->wanted->network ? check->wanted->network : NETWORK_DEFAULT;

	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		if (str_equal(text, modes[i].name))
			return check_mode(check, &modes[i]);
	}
	check->request->mode = REQUEST_NETWORK;
	return find_network(check, text);
}

static int check_link(const struct check *check)
{
	check->request->link = check->wanted->link ? check->wanted->link : LINK_DEFAULT;
	return name_check_link(label(check, "link"), check->request->link, check->err);
}

static int check_publish(const struct check *check)
{
	const struct strv *texts = &check->wanted->publish;
	const struct request *request = check->request;
	const char *what = label(check, "publish");
	int r = 0;

	if (texts->count > 0 && request->mode == REQUEST_NETWORK) {
		if (!driver_of(&request->network)->may_publish)
			return refuse(check->err,
				      "%s: a network of driver \"%s\" publishes no ports, since "
				      "its containers are reached at their own addresses",
				      what, network_driver_name(request->network.driver));
		if (request->network.internal)
			return refuse(check->err, "%s: network \"%s\" is internal", what,
				      request->network.name);
	}
	for (size_t i = 0; r >= 0 && i < texts->count; i++) {
		struct publish item;

		r = publish_parse(what, texts->items[i], &item, check->err);
		if (r >= 0) {
			r = publish_add(check->arena, &check->request->publish, &item, check->err);
			if (r < 0)
				return within(check->err, r, "%s", what);
		}
	}
	return r;
}

/* The subnet that the address is for, or NULL. */
static const struct subnet *subnet_of(const struct network *network, const struct address *address)
{
	for (size_t i = 0; i < network->subnet_count; i++) {
		if (prefix_contains(&network->subnets[i].prefix, address))
			return &network->subnets[i];
	}
	return NULL;
}

static int check_one_ip(const struct check *check, const char *text, const char *what)
{
	struct request *request = check->request;
	const struct network *network = &request->network;
	const struct subnet *subnet;
	struct address address;

	if (address_parse(text, &address) < 0)
		return refuse(check->err, "%s: \"%s\" is no address", what, name_show(text).text);
	subnet = subnet_of(network, &address);
	if (!subnet)
		return refuse(check->err, "%s: %s is in no subnet of network \"%s\"", what, text,
			      network->name);
	if (!subnet_is_usable(subnet, &address) || address_compare(&address, &subnet->gateway) == 0)
		return refuse(check->err, "%s: %s is no address for a container of network \"%s\"",
			      what, text, network->name);
	for (size_t i = 0; i < request->ip_count; i++) {
		if (subnet_of(network, &request->ip[i]) == subnet)
			return refuse(check->err, "%s: %s is the second one of its subnet", what,
				      text);
	}
	/* No more than one of a subnet: there is room. */
	request->ip[request->ip_count++] = address;
	return 0;
}

static int check_ip(const struct check *check)
{
	const struct strv *texts = &check->wanted->ip;
	int r = 0;

	for (size_t i = 0; r >= 0 && i < texts->count; i++)
		r = check_one_ip(check, texts->items[i], label(check, "ip"));
	return r;
}

static int check_mac(const struct check *check)
{
	struct request *request = check->request;
	const char *text = check->wanted->mac;

	if (!text)
		return 0;
	if (request->mode == REQUEST_NETWORK && !driver_of(&request->network)->has_mac)
		return refuse(check->err, "%s: driver \"%s\" leaves no choice of it",
			      label(check, "mac"), network_driver_name(request->network.driver));
	if (mac_parse(text, request->mac) < 0)
		return refuse(check->err, "%s: \"%s\" is no hardware address of one link",
			      label(check, "mac"), name_show(text).text);
	request->has_mac = true;
	return 0;
}

static int check_dns(const struct check *check)
{
	const struct strv *texts = &check->wanted->dns;
	const char **servers = arena_alloc(check->arena, DNS_MAX + 1, sizeof(*servers));
	const char *what = label(check, "dns");

	if (texts->count > DNS_MAX)
		return refuse(check->err, "%s: resolvers ask no more than %d servers", what,
			      DNS_MAX);
	if (texts->count > 0 && !check->wanted->resolv_conf)
		return refuse(check->err, "%s needs %s", what, label(check, "resolv-conf"));
	for (size_t i = 0; i < texts->count; i++) {
		struct address address;

		if (address_parse(texts->items[i], &address) < 0)
			return refuse(check->err, "%s: \"%s\" is no address", what,
				      name_show(texts->items[i]).text);
		servers[i] = arena_strdup(check->arena, texts->items[i]);
	}
	check->request->dns = servers;
	return 0;
}

static int check_names(const struct check *check)
{
	const struct strv *texts = &check->wanted->names;
	const char **names = arena_alloc(check->arena, NAMES_MAX + 2, sizeof(*names));
	const char *what = label(check, "names");
	int r = 0;

	if (texts->count > NAMES_MAX)
		return refuse(check->err, "%s: more than %d names", what, NAMES_MAX);
	names[0] = check->target->id;
	for (size_t i = 0; r >= 0 && i < texts->count; i++) {
		r = name_check_host(what, texts->items[i], check->err);
		names[i + 1] = arena_strdup(check->arena, texts->items[i]);
	}
	check->request->names = names;
	return r;
}

static int check_bandwidth(const struct check *check)
{
	const char *text = check->wanted->bandwidth;
	int r = 0;

	if (text)
		r = rate_parse(label(check, "bandwidth"), text, &check->request->to_container,
			       check->err);
	check->request->from_container = check->request->to_container;
	return r;
}

/* Whether it is the name of something beneath a directory, without detours. */
static bool is_beneath(const char *path)
{
	for (;;) {
		size_t length = strcspn(path, "/");

		if (length == 0 || (length <= 2 && strspn(path, ".") >= length))
			return false;
		if (!path[length])
			return true;
		path += length + 1;
	}
}

static int check_resolv_conf(const struct check *check)
{
	const char *text = check->wanted->resolv_conf, *what = label(check, "resolv-conf");

	if (!text)
		return 0;
	if (strlen(text) > RESOLV_CONF_MAX || !is_beneath(text))
		return refuse(check->err, "%s: \"%s\" is no path beneath the bundle", what,
			      name_show(text).text);
	if (!check->target->bundle)
		return refuse(check->err, "%s needs --bundle", what);
	check->request->resolv_conf = text;
	return 0;
}

int request_check(const struct store *store, struct arena *arena, const struct target *target,
		  struct request *ret, struct error *err)
{
	static int (*const checks[])(const struct check *check) = {
		check_network, check_link,  check_publish,   check_ip,	       check_mac,
		check_dns,     check_names, check_bandwidth, check_resolv_conf};
	struct request request = {.id = target->id, .bundle = target->bundle};
	const struct check check = {.store = store,
				    .arena = arena,
				    .target = target,
				    .wanted = target->wanted,
				    .request = &request,
				    .err = err};
	int r = 0;

	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(checks); i++)
		r = checks[i](&check);
	if (r >= 0)
		*ret = request;
	return r;
}
