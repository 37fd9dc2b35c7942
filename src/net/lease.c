/* SPDX-License-Identifier: Apache-2.0 */
/* The files of leases. */
#include "lease.h"

#include <errno.h>
#include <unistd.h>

#include "lease-internal.h"
#include "names.h"
#include "store-internal.h"

#define SUFFIX ".json"

const char *lease_owner(struct arena *arena, const struct lease *lease)
{
	return arena_printf(arena, "%s@%s", lease->id, lease->link);
}

int lease_write(const struct store *store, const struct lease *lease, struct error *err)
{
	_cleanup_buf_ struct buf text = BUF_EMPTY;
	_cleanup_free_ char *file = xasprintf("%s@%s" SUFFIX, lease->id, lease->link);
	struct json_writer w = JSON_WRITER(&text, false);
	int r;

	lease_write_json(&w, lease);
	buf_add_char(&text, '\n');
	r = file_replace_at(store->leasesfd, file, 0600, text.data, text.size, err);
	return r < 0 ? within(err, r, "the lease of \"%s\"", lease->id) : 0;
}

/* Reads leases/OWNER.json; -ENOENT without a text. */
static int read_lease(const struct store *store, struct arena *arena, const char *owner,
		      struct lease *ret, struct error *err)
{
	const char *file = arena_printf(arena, "%s" SUFFIX, owner);
	const char *what = arena_printf(arena, "leases/%s", file);
	_cleanup_free_ char *text = NULL;
	const struct json *json;
	struct lease lease;
	size_t size;
	int r;

	r = store_read(store->leasesfd, file, &text, &size, err);
	if (r < 0)
		return r == -ENOENT ? r : within(err, r, "the lease \"%s\"", owner);
	r = json_read(arena, text, size, what, &json, err);
	if (r >= 0)
		r = lease_decode(arena, json, what, &lease, err);
	if (r < 0)
		return r;
	if (!str_equal(lease_owner(arena, &lease), owner))
		return refuse(err, "%s is the lease of \"%s@%s\"", what, lease.id, lease.link);
	*ret = lease;
	return 0;
}

int lease_find(const struct store *store, struct arena *arena, const char *id, const char *link,
	       struct lease *ret, struct error *err)
{
	int r = name_check_container("id", id, err);

	if (r >= 0)
		r = name_check_link("link", link, err);
	if (r < 0)
		return r;
	r = read_lease(store, arena, arena_printf(arena, "%s@%s", id, link), ret, err);
	if (r == -ENOENT)
		return refuse_as(err, r, "container \"%s\" has no link \"%s\"", id, link);
	return r;
}

/* Whether the owner "ID@LINK" is of the container; an id has no "@". */
static bool is_of_container(const char *owner, const char *id)
{
	size_t length = strlen(id);

	return strncmp(owner, id, length) == 0 && owner[length] == '@';
}

static int read_listed(const struct store *store, struct arena *arena, const char *owner,
		       struct lease *ret, struct error *err)
{
	int r = read_lease(store, arena, owner, ret, err);

	/* Who reads knows no change; a name of the list that is gone is a fault. */
	return r == -ENOENT ? refuse_as(err, r, "the lease \"%s\" has vanished", owner) : r;
}

int lease_each(const struct store *store, struct arena *arena,
	       int (*each)(void *data, const struct lease *lease), void *data, struct error *err)
{
	_cleanup_strv_ struct strv owners = {.items = NULL};
	int r = store_names(store->leasesfd, "leases", SUFFIX, &owners, err);

	for (size_t i = 0; r == 0 && i < owners.count; i++) {
		struct lease lease;

		r = read_listed(store, arena, owners.items[i], &lease, err);
		if (r >= 0)
			r = each(data, &lease);
	}
	return r;
}

int lease_list(const struct store *store, struct arena *arena, const char *id, const char *network,
	       struct lease_list *ret, struct error *err)
{
	_cleanup_strv_ struct strv owners = {.items = NULL};
	struct lease_list list = {.count = 0};
	int r = store_names(store->leasesfd, "leases", SUFFIX, &owners, err);

	if (r < 0)
		return r;
	list.items = arena_alloc(arena, owners.count + 1, sizeof(*list.items));
	for (size_t i = 0; i < owners.count; i++) {
		struct lease *lease = &list.items[list.count];

		if (id && !is_of_container(owners.items[i], id))
			continue;
		r = read_listed(store, arena, owners.items[i], lease, err);
		if (r < 0)
			return r;
		if (!network || str_equal(lease->network.name, network))
			list.count++;
	}
	*ret = list;
	return 0;
}

int lease_remove(const struct store *store, const struct lease *lease, struct error *err)
{
	_cleanup_free_ char *file = xasprintf("%s@%s" SUFFIX, lease->id, lease->link);

	if (unlinkat(store->leasesfd, file, 0) < 0 && errno != ENOENT)
		return fail(err, -errno, "remove the lease of \"%s\"", lease->id);
	return 0;
}
