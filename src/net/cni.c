/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The CNI plugin's commands.
 *
 * Theory of operation. An attachment is known by container and link; a lease that was made here
 * carries the name of the engine's configuration as well, and no command touches one that does not:
 * containers of hooks are safe from an engine's DEL and GC. Which code an error has is decided by
 * the step that failed (struct call.code), but for the few errors that have a code of their own.
 */
#include "cni.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "attach.h"
#include "cni_config.h"
#include "cni_result.h"
#include "driver.h"
#include "firewall.h"
#include "forwarding.h"
#include "gc.h"
#include "names.h"
#include "rights.h"

/* Bytes of a configuration. */
#define INPUT_MAX (1u << 20)

/* One call, and what has been found out about it. */
struct call {
	const struct context *context;
	struct arena *arena;
	const struct json *document;
	struct cni_config config;
	enum cni_code code; /* of an error that comes now */
};

static const char *root_of(const struct call *call)
{
	return call->config.root ? call->config.root : call->context->root;
}

static int open_store(struct call *call, enum store_access access, struct store *ret,
		      struct error *err)
{
	call->code = CNI_FAILED;
	return store_open(root_of(call), access, ret, err);
}

/* --- What the engine says -------------------------------------------------------------------- */

static int read_input(struct call *call, struct buf *ret, struct error *err)
{
	char chunk[4096];
	ssize_t n = 1;

	call->code = CNI_IO_FAILURE;
	while (n > 0 && ret->size <= INPUT_MAX) {
		n = read(STDIN_FILENO, chunk, sizeof(chunk));
		if (n < 0 && errno != EINTR)
			return fail(err, -errno, "read standard input");
		if (n < 0)
			n = 1;
		else
			buf_add(ret, chunk, (size_t)n);
	}
	if (ret->size > INPUT_MAX)
		return refuse(err, "standard input: more than %u bytes", INPUT_MAX);
	return 0;
}

static int decode(struct call *call, const char *text, size_t size, struct error *err)
{
	call->code = CNI_UNDECODABLE;
	return json_read(call->arena, text, size, "standard input", &call->document, err);
}

static int take_config(struct call *call, struct error *err)
{
	int r;

	call->code = CNI_INVALID_CONFIG;
	r = cni_config_begin(call->document, &call->config, err);
	if (r == -EPROTONOSUPPORT)
		call->code = CNI_INCOMPATIBLE_VERSION;
	return r;
}

static int take_whole_config(struct call *call, struct error *err)
{
	int r;

	call->code = CNI_INVALID_ENVIRONMENT;
	r = cni_config_args(call->context->cni_args, &call->config, err);
	if (r < 0)
		return r;
	call->code = CNI_INVALID_CONFIG;
	r = cni_config_finish(call->arena, call->document, &call->config, err);
	if (r == -EOPNOTSUPP)
		call->code = CNI_UNSUPPORTED_FIELD;
	return r;
}

static bool is_same_network(const struct network *a, const struct network *b)
{
	_cleanup_buf_ struct buf first = BUF_EMPTY, second = BUF_EMPTY;
	struct json_writer one = JSON_WRITER(&first, false), other = JSON_WRITER(&second, false);

	network_write(&one, a);
	network_write(&other, b);
	return str_equal(first.data, second.data);
}

/*
 * A network that the engine's configuration describes must be beside all others; it is asked when
 * the network has no container yet, and so no addresses.
 */
static int check_described(const struct call *call, const struct store *store, struct error *err)
{
	const struct network *network = &call->config.network;
	struct error none = ERROR_NONE;
	struct network defined;
	int r = network_find(store, call->arena, network->name, &defined, &none);

	if (r >= 0 && !is_same_network(network, &defined))
		return refuse(err,
			      "berth-net has another network of the name \"%s\": choose "
			      "another one, or say \"network\": \"%s\"",
			      network->name, network->name);
	if (r < 0 && r != -ENOENT) {
		*err = none;
		return r;
	}
	if (store->addressesfd >= 0 &&
	    faccessat(store->addressesfd, network->name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	return network_check_beside(store, network, err);
}

static int find_network(struct call *call, const struct store *store, struct error *err)
{
	struct cni_config *config = &call->config;

	call->code = CNI_INVALID_CONFIG;
	if (!config->defined)
		return check_described(call, store, err);
	return network_find(store, call->arena, config->defined, &config->network, err);
}

/* --- ADD ------------------------------------------------------------------------------------- */

static int check_addresses(const struct cni_config *config, struct error *err)
{
	const struct network *network = &config->network;
	bool taken[NETWORK_SUBNETS_MAX] = {false};
	char text[ADDRESS_TEXT_MAX];

	for (size_t i = 0; i < config->ip_count; i++) {
		size_t k = 0;

		while (k < network->subnet_count &&
		       !prefix_contains(&network->subnets[k].prefix, &config->ip[i]))
			k++;
		address_format(&config->ip[i], text);
		if (k == network->subnet_count)
			return refuse(err, "address %s is in none of the network's ranges", text);
		if (taken[k])
			return refuse(err, "address %s is the second one in its range", text);
		taken[k] = true;
	}
	return 0;
}

/* Whether the kind of network can do what is asked for. */
static int check_wishes(struct call *call, struct error *err)
{
	const struct cni_config *config = &call->config;
	const struct driver *driver = driver_of(&config->network);

	call->code = CNI_INVALID_CONFIG;
	if (config->publish.count > 0 && (!driver->may_publish || config->network.internal))
		return refuse(err, "\"portMappings\": %s publishes no ports",
			      config->network.internal
				      ? "an internal network"
				      : network_driver_name(config->network.driver));
	if (config->has_mac && !driver->has_mac)
		return refuse(err, "\"mac\": %s has its parent's",
			      network_driver_name(config->network.driver));
	return check_addresses(config, err);
}

/* The id comes first. */
static const char *const *names_of(const struct call *call)
{
	const char *const *aliases = call->config.aliases;
	const char **names;
	size_t count = 0, used = 0;

	while (aliases[count])
		count++;
	names = arena_alloc(call->arena, count + 2, sizeof(*names));
	names[used++] = call->context->cni_container;
	for (size_t i = 0; i < count; i++) {
		if (!str_equal(aliases[i], names[0]))
			names[used++] = aliases[i];
	}
	return names;
}

static void make_request(struct call *call, struct request *ret)
{
	static const char *const none[] = {NULL};
	const struct cni_config *config = &call->config;

	*ret = (struct request){
		.id = call->context->cni_container,
		.mode = REQUEST_NETWORK,
		.network = config->network,
		.link = call->context->cni_ifname,
		.publish = config->publish,
		.ip_count = config->ip_count,
		.has_mac = config->has_mac,
		.dns = none,
		.names = names_of(call),
		.cni = config->name,
		.to_container = config->to_container,
		.from_container = config->from_container,
	};
	memcpy(ret->ip, config->ip, sizeof(ret->ip));
	memcpy(ret->mac, config->mac, sizeof(ret->mac));
}

/* An engine that does not learn the result cannot know what to undo. */
static int answer(struct call *call, const struct store *store, const struct lease *lease,
		  struct error *err)
{
	_cleanup_buf_ struct buf out = BUF_EMPTY;
	struct error ignored = ERROR_NONE;
	int r = cni_result_write(&call->config, lease, call->context->cni_netns, &out, err);

	if (r >= 0)
		r = print_out(out.data, err);
	if (r < 0)
		/* The first error is what the engine needs; gc finds what stays. */
		ignore(attach_remove(store, call->arena, lease, &ignored));
	return r;
}

static int check_rights(struct error *err)
{
	return rights_over_links() ? 0
				   : refuse_as(err, -EPERM,
					       "the caller has no right to links and firewall of "
					       "this network namespace (CAP_NET_ADMIN)");
}

static int command_add_link(struct call *call, struct error *err)
{
	_cleanup_store_ struct store store = STORE_CLOSED;
	_cleanup_fd_ int nsfd = -EBADF;
	struct attach_place place;
	struct request request;
	struct lease lease;
	int r = take_whole_config(call, err);

	if (r >= 0)
		r = open_store(call, STORE_CHANGE, &store, err);
	if (r >= 0)
		r = find_network(call, &store, err);
	if (r >= 0)
		r = check_wishes(call, err);
	if (r < 0)
		return r;
	call->code = CNI_NOT_AVAILABLE;
	r = check_rights(err);
	if (r < 0)
		return r;
	call->code = CNI_INVALID_ENVIRONMENT;
	nsfd = netns_open_path(call->context->cni_netns, &place.id, err);
	if (nsfd < 0)
		return within(err, nsfd, "CNI_NETNS");
	call->code = CNI_FAILED;
	make_request(call, &request);
	place.nsfd = nsfd;
	r = attach_add(&store, call->arena, &request, &place, &lease, err);
	return r < 0 ? r : answer(call, &store, &lease, err);
}

/* --- DEL, CHECK ------------------------------------------------------------------------------ */

/* Whether it was added by this configuration. */
static bool is_ours(const struct call *call, const struct lease *lease)
{
	return lease->cni && str_equal(lease->cni, call->config.name);
}

static int find_lease(struct call *call, const struct store *store, struct lease *ret,
		      struct error *err)
{
	const struct context *context = call->context;
	int r = lease_find(store, call->arena, context->cni_container, context->cni_ifname, ret,
			   err);

	if (r >= 0 && !is_ours(call, ret))
		return refuse_as(err, -ENOENT,
				 "link \"%s\" of container \"%s\" was not added by network \"%s\"",
				 context->cni_ifname, context->cni_container, call->config.name);
	return r;
}

/* What is gone already, as after a DEL before, is fine. */
static int command_delete_link(struct call *call, struct error *err)
{
	_cleanup_store_ struct store store = STORE_CLOSED;
	struct error none = ERROR_NONE;
	struct lease lease;
	int r = open_store(call, STORE_CHANGE, &store, err);

	if (r < 0)
		return r;
	r = find_lease(call, &store, &lease, &none);
	if (r == -ENOENT)
		return 0;
	if (r < 0) {
		*err = none;
		return r;
	}
	return attach_remove(&store, call->arena, &lease, err);
}

static int check_netns(const struct call *call, const struct lease *lease, struct error *err)
{
	struct netns_id netns;
	_cleanup_fd_ int nsfd = netns_open_path(call->context->cni_netns, &netns, err);

	if (nsfd < 0)
		return within(err, nsfd, "CNI_NETNS");
	if (netns.cookie != lease->netns.cookie)
		return refuse(err,
			      "CNI_NETNS: \"%s\" is not the network namespace that the "
			      "container was added with",
			      call->context->cni_netns);
	return 0;
}

static int command_check_link(struct call *call, struct error *err)
{
	_cleanup_store_ struct store store = STORE_CLOSED;
	struct lease lease;
	int r;

	call->code = CNI_INVALID_CONFIG;
	if (!call->config.prev_result)
		return refuse(err, "\"prevResult\", the result of ADD, is missing");
	r = open_store(call, STORE_READ, &store, err);
	if (r < 0)
		return r;
	r = find_lease(call, &store, &lease, err);
	if (r == -ENOENT)
		call->code = CNI_UNKNOWN_CONTAINER;
	if (r < 0)
		return r;
	call->code = CNI_NOT_AS_IT_WAS;
	r = check_netns(call, &lease, err);
	if (r >= 0)
		r = cni_result_check(&call->config, &lease, err);
	return r < 0 ? r : attach_check(&lease, err);
}

/* --- GC, STATUS, VERSION --------------------------------------------------------------------- */

static bool is_same_text(const struct json *object, const char *name, const char *text)
{
	const struct json *value = json_member(object, name);

	return value && value->type == JSON_STRING && str_equal(value->text, text);
}

static bool is_unwanted(const struct lease *lease, const void *data)
{
	const struct call *call = data;

	if (!is_ours(call, lease))
		return false;
	for (const struct json *item = call->config.attachments->item; item; item = item->next) {
		if (is_same_text(item, "containerID", lease->id) &&
		    is_same_text(item, "ifname", lease->link))
			return false;
	}
	return true;
}

static int command_collect(struct call *call, struct error *err)
{
	_cleanup_store_ struct store store = STORE_CLOSED;
	const struct json *attachments = call->config.attachments;
	size_t count = 0;
	int r;

	call->code = CNI_INVALID_CONFIG;
	if (!attachments)
		return refuse(err, "\"cni.dev/valid-attachments\" is missing");
	/* A container that is not understood must not lose its link. */
	for (const struct json *item = attachments->item; item; item = item->next) {
		if (item->type != JSON_OBJECT || !json_member(item, "containerID") ||
		    !json_member(item, "ifname"))
			return refuse(err, "\"cni.dev/valid-attachments\": an item is no object "
					   "with \"containerID\" and \"ifname\"");
	}
	r = open_store(call, STORE_CHANGE, &store, err);
	return r < 0 ? r : gc_all(&store, call->arena, is_unwanted, call, &count, err);
}

static int command_status(struct call *call, struct error *err)
{
	_cleanup_store_ struct store store = STORE_CLOSED;
	_cleanup_netlink_ struct netlink nft = NETLINK_CLOSED;
	struct lease lease = {.id = "", .link = ""};
	const struct driver *driver;
	int r = take_whole_config(call, err);

	if (r >= 0)
		r = open_store(call, STORE_READ, &store, err);
	if (r >= 0)
		r = find_network(call, &store, err);
	if (r < 0)
		return r;
	call->code = CNI_NOT_AVAILABLE;
	r = check_rights(err);
	if (r < 0)
		return r;
	driver = driver_of(&call->config.network);
	if (!driver->has_firewall)
		return 0;
	lease.network = call->config.network;
	r = forwarding_check(&lease.network, err);
	if (r >= 0)
		r = firewall_check(&nft, &lease, err);
	/* Until the first ADD there is no table. */
	return r == -ENOENT ? 0 : r;
}

/* The version of the input is the answer's; there may be no input. */
static int command_version(struct call *call, struct error *err)
{
	_cleanup_buf_ struct buf in = BUF_EMPTY, out = BUF_EMPTY;
	const char *version = cni_version_names[CNI_VERSION_MAX - 1];
	const struct json *value = NULL;
	int r = isatty(STDIN_FILENO) ? 0 : read_input(call, &in, err);

	if (r >= 0 && in.size > 0)
		r = decode(call, in.data, in.size, err);
	if (r < 0)
		return r;
	if (call->document && call->document->type == JSON_OBJECT)
		value = json_member(call->document, "cniVersion");
	if (value && value->type == JSON_STRING)
		version = value->text;
	cni_versions_write(version, &out);
	call->code = CNI_IO_FAILURE;
	return print_out(out.data, err);
}

/* --- The table ------------------------------------------------------------------------------- */

/* Which variables a command needs. */
enum {
	NEEDS_CONTAINER = 1,
	NEEDS_IFNAME = 2,
	NEEDS_NETNS = 4,
	NEEDS_ALL = 7
};

static const struct {
	const char *name;
	enum cni_version since;
	int needs;
	int (*run)(struct call *call, struct error *err);
} commands[] = {
	{"ADD", CNI_0_3_0, NEEDS_ALL, command_add_link},
	{"DEL", CNI_0_3_0, NEEDS_CONTAINER | NEEDS_IFNAME, command_delete_link},
	{"CHECK", CNI_0_4_0, NEEDS_ALL, command_check_link},
	{"GC", CNI_1_1_0, 0, command_collect},
	{"STATUS", CNI_1_1_0, 0, command_status},
};

static int check_environment(struct call *call, int needs, struct error *err)
{
	const struct context *context = call->context;
	int r = 0;

	call->code = CNI_INVALID_ENVIRONMENT;
	if ((needs & NEEDS_CONTAINER) && !context->cni_container)
		return refuse(err, "CNI_CONTAINERID is not set");
	if ((needs & NEEDS_IFNAME) && !context->cni_ifname)
		return refuse(err, "CNI_IFNAME is not set");
	if ((needs & NEEDS_NETNS) && (!context->cni_netns || *context->cni_netns != '/'))
		return refuse(err, "CNI_NETNS is not set to an absolute path");
	if (needs & NEEDS_CONTAINER)
		r = name_check_container("CNI_CONTAINERID", context->cni_container, err);
	if (r >= 0 && (needs & NEEDS_IFNAME))
		r = name_check_link("CNI_IFNAME", context->cni_ifname, err);
	return r;
}

static int run_command(struct call *call, size_t index, struct error *err)
{
	_cleanup_buf_ struct buf in = BUF_EMPTY;
	int r = read_input(call, &in, err);

	if (r >= 0)
		r = decode(call, in.data, in.size, err);
	if (r >= 0)
		r = take_config(call, err);
	if (r < 0)
		return r;
	call->code = CNI_INCOMPATIBLE_VERSION;
	if (call->config.version < commands[index].since)
		return refuse(err, "\"cniVersion\": %s is there from version %s on",
			      commands[index].name, cni_version_names[commands[index].since]);
	r = check_environment(call, commands[index].needs, err);
	return r < 0 ? r : commands[index].run(call, err);
}

static int dispatch(struct call *call, struct error *err)
{
	const char *name = call->context->cni_command;

	if (str_equal(name, "VERSION"))
		return command_version(call, err);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (str_equal(commands[i].name, name))
			return run_command(call, i, err);
	}
	call->code = CNI_INVALID_ENVIRONMENT;
	return refuse(err, "CNI_COMMAND: \"%s\" is none of ADD, DEL, CHECK, GC, STATUS, VERSION",
		      name);
}

int cni_run(const struct context *context)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_buf_ struct buf out = BUF_EMPTY;
	struct call call = {
		.context = context, .arena = arena, .config.version = CNI_VERSION_MAX - 1};
	struct error err = ERROR_NONE, ignored = ERROR_NONE;
	int r = dispatch(&call, &err);

	if (r >= 0)
		return 0;
	/* The lock's owner will be done. */
	if (r == -ETIMEDOUT)
		call.code = CNI_TRY_AGAIN;
	cni_error_write(call.config.version, call.code, &err, &out);
	/* Who does not read the error sees the exit status. */
	ignore(print_out(out.data, &ignored));
	return 1;
}
