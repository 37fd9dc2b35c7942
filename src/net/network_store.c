/* SPDX-License-Identifier: Apache-2.0 */
/* The definitions of networks in the store, and the one that needs none. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "lease.h"
#include "names.h"
#include "network-internal.h"
#include "pool.h"
#include "store-internal.h"

#define SUFFIX ".json"

/* What NETWORK_DEFAULT is where there is no definition of it. */
static int default_network(struct network *ret, struct error *err)
{
	struct network network = {
		.name = NETWORK_DEFAULT,
		.driver = NETWORK_BRIDGE,
		.link = "berth0",
		.subnet_count = 2,
	};

	if (prefix_parse("10.187.0.0/16", &network.subnets[0].prefix) < 0 ||
	    prefix_parse("fd5b:e774:9c01::/64", &network.subnets[1].prefix) < 0 ||
	    network_complete(&network, err) < 0)
		return refuse(err, "network \"%s\" is wrong", NETWORK_DEFAULT);
	*ret = network;
	return 0;
}

/* Reads networks/NAME.json; -ENOENT without a text. */
static int read_definition(const struct store *store, struct arena *arena, const char *name,
			   struct network *ret, struct error *err)
{
	const char *file = arena_printf(arena, "%s" SUFFIX, name);
	const char *what = arena_printf(arena, "networks/%s", file);
	_cleanup_free_ char *text = NULL;
	const struct json *json;
	struct network network;
	size_t size;
	int r;

	r = store_read(store->networksfd, file, &text, &size, err);
	if (r < 0)
		return r == -ENOENT ? r : within(err, r, "network \"%s\"", name);
	r = json_read(arena, text, size, what, &json, err);
	if (r >= 0)
		r = network_decode(arena, json, what, &network, err);
	if (r < 0)
		return r;
	if (!str_equal(network.name, name))
		return refuse(err, "%s: \"name\" is \"%s\"", what, network.name);
	*ret = network;
	return 0;
}

int network_find(const struct store *store, struct arena *arena, const char *name,
		 struct network *ret, struct error *err)
{
	int r = name_check_network("network", name, err);

	if (r < 0)
		return r;
	r = read_definition(store, arena, name, ret, err);
	if (r != -ENOENT)
		return r;
	if (str_equal(name, NETWORK_DEFAULT))
		return default_network(ret, err);
	return refuse_as(err, -ENOENT, "there is no network \"%s\"", name);
}

static int compare_networks(const void *a, const void *b)
{
	return strcmp(((const struct network *)a)->name, ((const struct network *)b)->name);
}

int network_list(const struct store *store, struct arena *arena, struct network_list *ret,
		 struct error *err)
{
	_cleanup_strv_ struct strv names = {.items = NULL};
	struct network_list list = {.count = 0};
	bool has_default = false;
	int r = store_names(store->networksfd, "networks", SUFFIX, &names, err);

	if (r < 0)
		return r;
	list.items = arena_alloc(arena, names.count + 1, sizeof(*list.items));
	for (size_t i = 0; i < names.count; i++) {
		r = network_find(store, arena, arena_strdup(arena, names.items[i]),
				 &list.items[list.count++], err);
		if (r < 0)
			return r;
		has_default |= str_equal(names.items[i], NETWORK_DEFAULT);
	}
	if (!has_default) {
		r = default_network(&list.items[list.count++], err);
		if (r < 0)
			return r;
	}
	/* Only the names themselves are in order so far, not with their suffix cut. */
	qsort(list.items, list.count, sizeof(*list.items), compare_networks);
	*ret = list;
	return 0;
}

/* Links that only one network can have: what it makes or takes. */
static bool owns_link(const struct network *network)
{
	return network->driver == NETWORK_BRIDGE || network->driver == NETWORK_HOST_DEVICE;
}

/* Networks that are neither routed by this host nor on one link may have the same addresses. */
static bool share_addresses(const struct network *a, const struct network *b)
{
	return a->driver == NETWORK_BRIDGE || b->driver == NETWORK_BRIDGE ||
	       str_equal(a->link, b->link);
}

static int check_beside(const struct network *network, const struct network *other,
			struct error *err)
{
	char text[ADDRESS_TEXT_MAX];

	if (str_equal(network->name, other->name))
		return 0;
	if (str_equal(network->link, other->link) && (owns_link(network) || owns_link(other)))
		return refuse_as(err, -EADDRINUSE, "network \"%s\": network \"%s\" has link \"%s\"",
				 network->name, other->name, other->link);
	for (size_t i = 0; i < network->subnet_count * other->subnet_count; i++) {
		const struct prefix *ours = &network->subnets[i / other->subnet_count].prefix,
				    *theirs = &other->subnets[i % other->subnet_count].prefix;

		if (!prefix_overlap(ours, theirs) || !share_addresses(network, other))
			continue;
		prefix_format(theirs, text);
		return refuse_as(err, -EADDRINUSE, "network \"%s\": network \"%s\" has subnet %s",
				 network->name, other->name, text);
	}
	return 0;
}

static int write_definition(const struct store *store, const struct network *network,
			    struct error *err)
{
	_cleanup_buf_ struct buf text = BUF_EMPTY;
	_cleanup_free_ char *file = xasprintf("%s" SUFFIX, network->name);
	struct json_writer w = JSON_WRITER(&text, true);
	int r;

	network_write(&w, network);
	buf_add_char(&text, '\n');
	r = file_replace_at(store->networksfd, file, 0644, text.data, text.size, err);
	return r < 0 ? within(err, r, "network \"%s\"", network->name) : 0;
}

int network_check_beside(const struct store *store, const struct network *network,
			 struct error *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct network_list list;
	struct lease_list leases;
	int r = network_list(store, arena, &list, err);

	for (size_t i = 0; r >= 0 && i < list.count; i++)
		r = check_beside(network, &list.items[i], err);
	/* Networks of engines have no definition but the engine's. */
	if (r >= 0)
		r = lease_list(store, arena, NULL, NULL, &leases, err);
	for (size_t i = 0; r >= 0 && i < leases.count; i++)
		r = check_beside(network, &leases.items[i].network, err);
	return r;
}

int network_create(const struct store *store, const struct network *network, struct error *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct network complete = *network, old;
	int r = network_complete(&complete, err);

	if (r < 0)
		return r;
	r = read_definition(store, arena, network->name, &old, err);
	if (r >= 0)
		return refuse_as(err, -EEXIST, "there is a network \"%s\" already", network->name);
	if (r != -ENOENT)
		return r;
	r = network_check_beside(store, &complete, err);
	return r < 0 ? r : write_definition(store, &complete, err);
}

static int check_defined(const struct store *store, const char *name, const char *file,
			 struct error *err)
{
	if (faccessat(store->networksfd, file, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	if (errno == ENOENT && str_equal(name, NETWORK_DEFAULT))
		return refuse_as(err, -ENOENT, "network \"%s\" has no definition, and needs none",
				 name);
	if (errno == ENOENT)
		return refuse_as(err, -ENOENT, "there is no network \"%s\"", name);
	return fail(err, -errno, "look for network \"%s\"", name);
}

int network_remove(const struct store *store, const char *name, struct error *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_free_ char *file = xasprintf("%s" SUFFIX, name);
	struct lease_list leases;
	int r = name_check_network("network", name, err);

	if (r >= 0)
		r = lease_list(store, arena, NULL, name, &leases, err);
	if (r < 0)
		return r;
	if (leases.count > 0)
		return refuse_as(err, -EBUSY, "network \"%s\" is used by container \"%s\"", name,
				 leases.items[0].id);
	r = check_defined(store, name, file, err);
	if (r < 0)
		return r;
	/* The default network is there still, and bundles mount its file. */
	if (!str_equal(name, NETWORK_DEFAULT) && unlinkat(store->hostsfd, name, 0) < 0 &&
	    errno != ENOENT)
		return fail(err, -errno, "remove the hosts file of network \"%s\"", name);
	r = pool_sweep(store, NULL, err);
	if (r >= 0 && unlinkat(store->networksfd, file, 0) < 0)
		r = fail(err, -errno, "remove network \"%s\"", name);
	return r;
}
