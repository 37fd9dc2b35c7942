/* SPDX-License-Identifier: Apache-2.0 */
/* berth-net network: the definitions of networks, and what bundles need of them. */
#include <errno.h>

#include "command.h"
#include "hosts.h"
#include "names.h"
#include "network-internal.h"
#include "network_defaults.h"
#include "target.h"

/* What a new network is to be. */
struct create_options {
	const char *driver, *interface, *mode;
	struct strv subnets, gateways, ranges;
	unsigned mtu;
	bool internal, no_isolation, no_masquerade;
};

struct values {
	struct create_options create;
	struct request_options request;
};

#define ROW(option, field, kind, argument, help)                                                   \
	{                                                                                          \
		option, 0, kind, offsetof(struct create_options, field), argument, help            \
	}

static const struct option create_table[] = {
	ROW("driver", driver, OPTION_TEXT, "DRIVER",
	    "create: bridge, macvlan, ipvlan or host-device (default: bridge)"),
	ROW("subnet", subnets, OPTION_LIST, "ADDRESS/LENGTH",
	    "create: a subnet of it (default of a bridge: one of each family that is free)"),
	ROW("gateway", gateways, OPTION_LIST, "ADDRESS",
	    "create: the gateway of a subnet (default of a bridge: the first address)"),
	ROW("range", ranges, OPTION_LIST, "FIRST-LAST",
	    "create: the addresses of a subnet that containers get (default: all)"),
	ROW("interface", interface, OPTION_TEXT, "LINK",
	    "create: the bridge (default: br-NAME), the parent, or the device"),
	ROW("mode", mode, OPTION_TEXT, "MODE",
	    "create: of macvlan bridge, private, vepa or passthru; of ipvlan l2, l3 or l3s"),
	ROW("mtu", mtu, OPTION_NUMBER, "BYTES", "create: of its links"),
	ROW("internal", internal, OPTION_FLAG, NULL, "create: without a way out"),
	ROW("no-isolation", no_isolation, OPTION_FLAG, NULL,
	    "create: other networks without isolation may reach it"),
	ROW("no-masquerade", no_masquerade, OPTION_FLAG, NULL,
	    "create: packets leave with the containers' own addresses"),
};

static const struct option_group groups[] = {
	{create_table, ARRAY_SIZE(create_table), offsetof(struct values, create)},
	{request_option_table, REQUEST_OPTION_COUNT, offsetof(struct values, request)},
};

/* An action in the store, which is open. */
struct call {
	const struct context *context;
	const struct store *store;
	struct arena *arena;
	const struct values *values;
	char *const *names; /* NULL-terminated */
	struct buf *out;
	struct error *err;
};

/* --- Writing ------------------------------------------------------------------------------- */

static void add_subnet(const struct subnet *subnet, struct buf *out)
{
	char text[ADDRESS_TEXT_MAX];

	prefix_format(&subnet->prefix, text);
	buf_printf(out, "%-12s%s", "subnet", text);
	if (subnet->gateway.family != 0) {
		address_format(&subnet->gateway, text);
		buf_printf(out, ", gateway %s", text);
	}
	address_format(&subnet->first, text);
	buf_printf(out, ", pool %s", text);
	address_format(&subnet->last, text);
	buf_printf(out, " to %s\n", text);
}

static void add_text(const struct network *network, struct buf *out)
{
	const struct {
		bool set;
		const char *words;
	} properties[] = {
		{network->internal, "internal"},
		{network->no_isolation, "without isolation"},
		{network->no_masquerade, "without masquerading"},
	};

	buf_printf(out, "%-12s%s\n", "name", network->name);
	buf_printf(out, "%-12s%s\n", "driver", network_driver_name(network->driver));
	buf_printf(out, "%-12s%s\n", "link", network->link);
	if (network->mode)
		buf_printf(out, "%-12s%s\n", "mode", network->mode);
	if (network->mtu)
		buf_printf(out, "%-12s%u\n", "mtu", network->mtu);
	for (size_t i = 0; i < network->subnet_count; i++)
		add_subnet(&network->subnets[i], out);
	for (size_t i = 0; i < ARRAY_SIZE(properties); i++) {
		if (properties[i].set)
			buf_printf(out, "%-12s%s\n", "property", properties[i].words);
	}
}

static void add_network(const struct call *call, const struct network *network)
{
	struct json_writer w = JSON_WRITER(call->out, true);

	if (!call->context->json) {
		add_text(network, call->out);
		return;
	}
	network_write(&w, network);
	buf_add_char(call->out, '\n');
}

/* --- create -------------------------------------------------------------------------------- */

static struct subnet *subnet_of(struct network *network, const struct address *address)
{
	for (size_t i = 0; i < network->subnet_count; i++) {
		if (prefix_contains(&network->subnets[i].prefix, address))
			return &network->subnets[i];
	}
	return NULL;
}

static int read_subnets(const struct call *call, struct network *network)
{
	const struct strv *texts = &call->values->create.subnets;

	if (texts->count > NETWORK_SUBNETS_MAX)
		return refuse(call->err, "--subnet: a network has at most %d", NETWORK_SUBNETS_MAX);
	for (size_t i = 0; i < texts->count; i++) {
		struct subnet *subnet = &network->subnets[network->subnet_count++];

		if (prefix_parse(texts->items[i], &subnet->prefix) < 0)
			return refuse(call->err, "--subnet: \"%s\" is no ADDRESS/LENGTH",
				      name_show(texts->items[i]).text);
	}
	return 0;
}

static int choose_subnets(const struct call *call, struct network *network)
{
	struct prefix_list taken;
	int r;

	if (network->driver != NETWORK_BRIDGE || network->subnet_count > 0)
		return 0;
	r = network_find_taken(call->store, call->arena, &taken, call->err);
	return r < 0 ? r : network_choose_subnets(network, &taken, call->err);
}

static int read_gateways(const struct call *call, struct network *network)
{
	const struct strv *texts = &call->values->create.gateways;

	for (size_t i = 0; i < texts->count; i++) {
		const char *text = texts->items[i];
		struct address address;
		struct subnet *subnet;

		if (address_parse(text, &address) < 0)
			return refuse(call->err, "--gateway: \"%s\" is no address",
				      name_show(text).text);
		subnet = subnet_of(network, &address);
		if (!subnet)
			return refuse(call->err, "--gateway: %s is in no subnet", text);
		if (subnet->gateway.family != 0)
			return refuse(call->err, "--gateway: %s is the second one of its subnet",
				      text);
		subnet->gateway = address;
	}
	return 0;
}

static int read_ranges(const struct call *call, struct network *network)
{
	const struct strv *texts = &call->values->create.ranges;

	for (size_t i = 0; i < texts->count; i++) {
		const char *text = texts->items[i], *dash = strchr(text, '-');
		size_t length = dash ? (size_t)(dash - text) : 0;
		struct address first, last;
		struct subnet *subnet;

		if (!dash || address_parse(arena_strndup(call->arena, text, length), &first) < 0 ||
		    address_parse(dash + 1, &last) < 0)
			return refuse(call->err, "--range: \"%s\" is no FIRST-LAST",
				      name_show(text).text);
		subnet = subnet_of(network, &first);
		if (!subnet || subnet != subnet_of(network, &last))
			return refuse(call->err, "--range: %s is in no subnet", text);
		if (subnet->first.family != 0)
			return refuse(call->err, "--range: %s is the second one of its subnet",
				      text);
		subnet->first = first;
		subnet->last = last;
	}
	return 0;
}

static int read_link(const struct call *call, struct network *network)
{
	char *link;

	network->link = call->values->create.interface;
	if (network->link)
		return 0;
	if (network->driver != NETWORK_BRIDGE)
		return refuse(call->err, "--interface is needed: the %s of driver \"%s\"",
			      network->driver == NETWORK_HOST_DEVICE ? "device" : "parent",
			      network_driver_name(network->driver));
	link = arena_alloc(call->arena, 1, IFNAMSIZ);
	network_default_bridge(network->name, link);
	network->link = link;
	return 0;
}

static int create(const struct call *call)
{
	const struct create_options *options = &call->values->create;
	struct network network = {
		.name = call->names[0],
		.mode = options->mode,
		.mtu = options->mtu,
		.internal = options->internal,
		.no_isolation = options->no_isolation,
		.no_masquerade = options->no_masquerade,
	};
	int r = name_check_network("network", network.name, call->err);

	if (r < 0)
		return r;
	if (options->driver)
		network.driver = network_driver_find(options->driver);
	if (network.driver == NETWORK_DRIVER_MAX)
		return refuse(call->err, "--driver: there is no driver \"%s\"",
			      name_show(options->driver).text);
	r = read_link(call, &network);
	if (r >= 0)
		r = read_subnets(call, &network);
	if (r >= 0)
		r = choose_subnets(call, &network);
	if (r >= 0)
		r = read_gateways(call, &network);
	if (r >= 0)
		r = read_ranges(call, &network);
	if (r >= 0)
		r = network_complete(&network, call->err);
	if (r >= 0)
		r = network_create(call->store, &network, call->err);
	if (r >= 0)
		add_network(call, &network);
	return r;
}

/* --- The others ---------------------------------------------------------------------------- */

static int remove_all(const struct call *call)
{
	int first = 0;

	for (char *const *name = call->names; *name; name++) {
		struct error now = ERROR_NONE;
		int r = network_remove(call->store, *name, &now);

		error_keep_first(r, &now, &first, call->err);
	}
	return first;
}

static void add_row(const struct network *network, struct buf *out)
{
	char text[ADDRESS_TEXT_MAX];

	buf_printf(out, "%-20s %-12s %-16s", network->name, network_driver_name(network->driver),
		   network->link);
	for (size_t i = 0; i < network->subnet_count; i++) {
		prefix_format(&network->subnets[i].prefix, text);
		buf_printf(out, "%s%s", i > 0 ? "," : " ", text);
	}
	buf_add_string(out, network->subnet_count > 0 ? "\n" : " -\n");
}

static int list(const struct call *call)
{
	struct json_writer w = JSON_WRITER(call->out, true);
	struct network_list networks;
	int r = network_list(call->store, call->arena, &networks, call->err);

	if (r < 0)
		return r;
	if (!call->context->json) {
		buf_printf(call->out, "%-20s %-12s %-16s %s\n", "NAME", "DRIVER", "LINK",
			   "SUBNETS");
		for (size_t i = 0; i < networks.count; i++)
			add_row(&networks.items[i], call->out);
		return 0;
	}
	json_begin_array(&w);
	for (size_t i = 0; i < networks.count; i++)
		network_write(&w, &networks.items[i]);
	json_end_array(&w);
	buf_add_char(call->out, '\n');
	return 0;
}

static int show(const struct call *call)
{
	struct network network;
	int r = network_find(call->store, call->arena, call->names[0], &network, call->err);

	if (r >= 0)
		add_network(call, &network);
	return r;
}

/* Prints the hosts file that a bundle mounts; of what is no network of ours there is none. */
static int prepare(const struct call *call)
{
	struct json_writer w = JSON_WRITER(call->out, true);
	struct request_options wanted = call->values->request;
	/* A bundle that is being written has files, and its container an id, later. */
	const struct target target = {.id = "prepare", .bundle = "/", .wanted = &wanted};
	struct request request;
	const char *path = NULL;
	int r;

	if (wanted.network)
		return refuse(call->err, "network prepare: the network is named without --network");
	wanted.network = call->names[0];
	if (wanted.dns.count > 0)
		wanted.resolv_conf = "resolv.conf";
	r = request_check(call->store, call->arena, &target, &request, call->err);
	if (r >= 0 && request.mode == REQUEST_NETWORK)
		r = hosts_prepare(call->store, call->arena, request.network.name, &path, call->err);
	if (r < 0)
		return r;
	if (!call->context->json) {
		buf_printf(call->out, "%s%s", path ? path : "", path ? "\n" : "");
		return 0;
	}
	json_begin_object(&w);
	json_key(&w, "hosts");
	if (path)
		json_string(&w, path);
	else
		json_null(&w);
	json_end_object(&w);
	buf_add_char(call->out, '\n');
	return 0;
}

/* --- The command --------------------------------------------------------------------------- */

struct action {
	const char *name;
	size_t names_min, names_max;
	enum store_access access;
	size_t group; /* its options; none: more than there are groups */
	int (*run)(const struct call *call);
};

static const struct action actions[] = {
	{"create", 1, 1, STORE_CHANGE, 0, create},
	{"remove", 1, SIZE_MAX, STORE_CHANGE, ARRAY_SIZE(groups), remove_all},
	{"list", 0, 0, STORE_READ, ARRAY_SIZE(groups), list},
	{"show", 1, 1, STORE_READ, ARRAY_SIZE(groups), show},
	{"prepare", 1, 1, STORE_CHANGE, 1, prepare},
};

static bool is_given(const void *values, const struct option *option)
{
	const char *value = (const char *)values + option->offset;

	if (option->kind == OPTION_LIST)
		return ((const struct strv *)value)->count > 0;
	if (option->kind == OPTION_TEXT)
		return *(const char *const *)value != NULL;
	if (option->kind == OPTION_NUMBER)
		return *(const unsigned *)value != 0;
	return *(const bool *)value;
}

/* Options that the action does not look at. */
static int check_options(const struct action *action, const struct values *values,
			 struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++) {
		const void *fields = (const char *)values + groups[i].offset;

		for (size_t j = 0; i != action->group && j < groups[i].count; j++) {
			if (is_given(fields, &groups[i].options[j]))
				return refuse(err, "network %s: --%s has no meaning here",
					      action->name, groups[i].options[j].name);
		}
	}
	return 0;
}

static const struct action *find_action(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
		if (str_equal(actions[i].name, name))
			return &actions[i];
	}
	return NULL;
}

static int run(const struct context *context, void *values, char *const *args, struct error *err)
{
	const struct action *action = find_action(args[0]);
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_store_ struct store store = STORE_CLOSED;
	_cleanup_buf_ struct buf out = BUF_EMPTY;
	const struct call call = {context, &store, arena, values, args + 1, &out, err};
	size_t names = 0;
	int r;

	if (!action)
		return refuse(err,
			      "network: there is no \"%s\" (but create, remove, list, show, "
			      "prepare)",
			      name_show(args[0]).text);
	while (call.names[names])
		names++;
	if (names < action->names_min || names > action->names_max)
		return refuse(err, "network %s: %s", action->name,
			      names < action->names_min ? "the name of a network is missing"
							: "too many names");
	r = check_options(action, values, err);
	if (r >= 0)
		r = store_open(context->root, action->access, &store, err);
	if (r >= 0)
		r = action->run(&call);
	if (r >= 0 && out.size > 0)
		r = print_out(out.data, err);
	return r;
}

const struct command command_network = {
	.syntax =
		{
			.name = "network",
			.arguments =
				"create NAME | remove NAME… | list | show NAME | prepare NETWORK",
			.summary = "define networks; prepare: check what a bundle asks for, and "
				   "print its hosts file",
			.groups = groups,
			.group_count = ARRAY_SIZE(groups),
			.values_size = sizeof(struct values),
			.args_min = 1,
			.args_max = SIZE_MAX,
		},
	.run = run,
};
