/* SPDX-License-Identifier: Apache-2.0 */
/* Making again what leases say. */
#include "reload.h"

#include "driver.h"
#include "firewall.h"
#include "hosts.h"

/* The leases that stand for something. */
static struct lease_list complete_ones(struct arena *arena, const struct lease_list *all)
{
	struct lease_list some = {.items = arena_alloc(arena, all->count + 1, sizeof(*some.items))};

	for (size_t i = 0; i < all->count; i++) {
		if (all->items[i].complete)
			some.items[some.count++] = all->items[i];
	}
	return some;
}

static bool is_first_of_network(const struct lease_list *list, size_t index)
{
	for (size_t i = 0; i < index; i++) {
		if (str_equal(list->items[i].network.name, list->items[index].network.name))
			return false;
	}
	return true;
}

static int restore_network(const struct store *store, struct netlink *host, struct lease *lease,
			   const struct lease_list *list, struct error *err)
{
	const struct attachment attachment = {store, lease, -EBADF, host, NULL};
	int r = driver_of(&lease->network)->prepare(&attachment, err);

	if (r >= 0)
		r = hosts_rebuild(store, lease->network.name, list, err);
	return r < 0 ? within(err, r, "network \"%s\"", lease->network.name) : 0;
}

/* Those whose packets the firewall's table is about. */
static struct lease_list behind_firewall(struct arena *arena, const struct lease_list *list)
{
	struct lease_list some = {.items =
					  arena_alloc(arena, list->count + 1, sizeof(*some.items))};

	for (size_t i = 0; i < list->count; i++) {
		if (driver_of(&list->items[i].network)->has_firewall)
			some.items[some.count++] = list->items[i];
	}
	return some;
}

int reload_all(const struct store *store, struct arena *arena, struct error *err)
{
	_cleanup_netlink_ struct netlink nft = NETLINK_CLOSED, host = NETLINK_CLOSED;
	struct lease_list all, whole, behind;
	int r = lease_list(store, arena, NULL, NULL, &all, err);

	if (r >= 0)
		r = netlink_open(NETLINK_ROUTE, &host, err);
	if (r < 0)
		return r;
	whole = complete_ones(arena, &all);
	for (size_t i = 0; r >= 0 && i < whole.count; i++) {
		if (is_first_of_network(&whole, i))
			r = restore_network(store, &host, &whole.items[i], &whole, err);
	}
	behind = behind_firewall(arena, &whole);
	return r < 0 ? r : firewall_rebuild(&nft, &behind, err);
}
