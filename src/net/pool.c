/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The addresses of networks: symbolic links, whose making says by itself whether the address was
 * free.
 *
 * Theory of operation. addresses/NETWORK/ADDRESS leads to "ID@LINK", the name of a lease without
 * its suffix. Beside them stands, for each subnet, ".last-ADDRESS" with the address that was given
 * last; a search begins behind it. It is only a hint: where it is missing or makes no sense, the
 * search begins with the pool.
 */
#include "pool.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "network-internal.h"
#include "store-internal.h"

#define DIRECTORY_OPEN_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

/* Every hint has this size, so that one write replaces it whole. */
#define HINT_SIZE ADDRESS_TEXT_MAX

/* The directory of a network's addresses, made where it is missing. */
static int open_pool(const struct store *store, const char *network, struct error *err)
{
	int fd = openat(store->addressesfd, network, DIRECTORY_OPEN_FLAGS);

	if (fd < 0 && errno == ENOENT) {
		if (mkdirat(store->addressesfd, network, 0755) < 0)
			return fail(err, -errno, "make \"addresses/%s\"", network);
		fd = openat(store->addressesfd, network, DIRECTORY_OPEN_FLAGS);
	}
	return fd < 0 ? fail(err, -errno, "open \"addresses/%s\"", network) : fd;
}

/* Who has the address; in @ret. False: nobody. */
static bool read_owner(int poolfd, const char *address, char ret[static NAME_MAX + 1])
{
	ssize_t length = readlinkat(poolfd, address, ret, NAME_MAX);

	if (length < 0)
		return false;
	ret[length] = '\0';
	return true;
}

static bool has_lease(const struct store *store, const char *owner)
{
	_cleanup_free_ char *file = xasprintf("%s.json", owner);

	return faccessat(store->leasesfd, file, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Takes one address. -EEXIST without a text: somebody has it. */
static int take(int poolfd, const struct address *address, const char *owner, struct error *err)
{
	char text[ADDRESS_TEXT_MAX];

	address_format(address, text);
	if (symlinkat(owner, poolfd, text) == 0)
		return 0;
	if (errno == EEXIST)
		return -EEXIST;
	return fail(err, -errno, "take the address %s", text);
}

static int check_wish(const struct pool_wish *wish, struct error *err)
{
	char text[ADDRESS_TEXT_MAX], prefix[ADDRESS_TEXT_MAX];

	if (wish->address.family == 0)
		return 0;
	address_format(&wish->address, text);
	prefix_format(&wish->subnet->prefix, prefix);
	if (!subnet_is_usable(wish->subnet, &wish->address))
		return refuse(err,
			      "the address %s is none for a container in subnet %s of network "
			      "\"%s\"",
			      text, prefix, wish->network->name);
	if (address_compare(&wish->address, &wish->subnet->gateway) == 0)
		return refuse(err, "the address %s is the gateway of network \"%s\"", text,
			      wish->network->name);
	return 0;
}

static int take_wanted(const struct store *store, int poolfd, const struct pool_wish *wish,
		       struct error *err)
{
	char text[ADDRESS_TEXT_MAX], other[NAME_MAX + 1];
	int r = take(poolfd, &wish->address, wish->owner, err);

	if (r != -EEXIST)
		return r;
	address_format(&wish->address, text);
	if (!read_owner(poolfd, text, other))
		return fail(err, -errno, "read who has the address %s", text);
	/* Of the lock's holder himself, or of one who was killed when his lease was gone. */
	if (!str_equal(other, wish->owner) && has_lease(store, other))
		return refuse_as(err, -EADDRINUSE, "the address %s is taken by \"%s\"", text,
				 other);
	if (unlinkat(poolfd, text, 0) < 0)
		return fail(err, -errno, "free the address %s", text);
	r = take(poolfd, &wish->address, wish->owner, err);
	return r == -EEXIST ? fail(err, r, "take the address %s", text) : r;
}

static bool is_in_pool(const struct subnet *subnet, const struct address *address)
{
	return address->family == subnet->first.family &&
	       address_compare(address, &subnet->first) >= 0 &&
	       address_compare(address, &subnet->last) <= 0;
}

/* The address behind @address, round and round in the pool. */
static struct address following(const struct subnet *subnet, struct address address)
{
	if (!is_in_pool(subnet, &address) || address_compare(&address, &subnet->last) == 0 ||
	    !address_next(&address))
		return subnet->first;
	return address;
}

static int open_hint(int poolfd, const struct subnet *subnet, struct error *err)
{
	char text[ADDRESS_TEXT_MAX];
	_cleanup_free_ char *name = NULL;
	int fd;

	address_format(&subnet->prefix.address, text);
	name = xasprintf(".last-%s", text);
	fd = openat(poolfd, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	return fd < 0 ? fail(err, -errno, "open \"%s\"", name) : fd;
}

/* The address that was given last; where that is not known, one outside the pool. */
static struct address read_hint(int fd)
{
	char text[HINT_SIZE + 1];
	struct address last = {.family = 0};
	ssize_t size = pread(fd, text, HINT_SIZE, 0);

	text[size < 0 ? 0 : size] = '\0';
	text[strcspn(text, " \n")] = '\0';
	if (address_parse(text, &last) < 0)
		last.family = 0;
	return last;
}

static int write_hint(int fd, const struct address *address, struct error *err)
{
	char text[ADDRESS_TEXT_MAX], line[HINT_SIZE + 1];

	address_format(address, text);
	snprintf(line, sizeof(line), "%-*s\n", HINT_SIZE - 1, text);
	if (pwrite(fd, line, HINT_SIZE, 0) < 0)
		return fail(err, -errno, "note the address %s", text);
	return 0;
}

static int take_next(int poolfd, const struct pool_wish *wish, struct address *ret,
		     struct error *err)
{
	const struct subnet *subnet = wish->subnet;
	_cleanup_fd_ int fd = open_hint(poolfd, subnet, err);
	struct address start, address;
	char text[ADDRESS_TEXT_MAX];

	if (fd < 0)
		return fd;
	start = address = following(subnet, read_hint(fd));
	do {
		int r = -EEXIST;

		if (address_compare(&address, &subnet->gateway) != 0)
			r = take(poolfd, &address, wish->owner, err);
		if (r >= 0) {
			*ret = address;
			return write_hint(fd, &address, err);
		}
		if (r != -EEXIST)
			return r;
		address = following(subnet, address);
	} while (address_compare(&address, &start) != 0);
	prefix_format(&subnet->prefix, text);
	return refuse_as(err, -EADDRNOTAVAIL,
			 "all addresses of subnet %s of network \"%s\" are taken", text,
			 wish->network->name);
}

int pool_take(const struct store *store, const struct pool_wish *wish, struct address *ret,
	      struct error *err)
{
	int r = check_wish(wish, err);
	_cleanup_fd_ int poolfd = r < 0 ? r : open_pool(store, wish->network->name, err);

	if (poolfd < 0)
		return poolfd;
	if (wish->address.family == 0)
		return take_next(poolfd, wish, ret, err);
	r = take_wanted(store, poolfd, wish, err);
	if (r >= 0)
		*ret = wish->address;
	return r;
}

int pool_return(const struct store *store, const char *network, const struct address *address,
		const char *owner, struct error *err)
{
	_cleanup_fd_ int poolfd = openat(store->addressesfd, network, DIRECTORY_OPEN_FLAGS);
	char text[ADDRESS_TEXT_MAX], other[NAME_MAX + 1];

	if (poolfd < 0 && errno == ENOENT)
		return 0;
	if (poolfd < 0)
		return fail(err, -errno, "open \"addresses/%s\"", network);
	address_format(address, text);
	if (!read_owner(poolfd, text, other) || !str_equal(other, owner))
		return 0;
	if (unlinkat(poolfd, text, 0) < 0)
		return fail(err, -errno, "free the address %s of network \"%s\"", text, network);
	return 0;
}

static bool is_hint(const char *name)
{
	return name[0] == '.';
}

static int stop_at_address(void *data, const char *name, struct error *err)
{
	(void)data;
	(void)err;
	return is_hint(name) ? 0 : 1;
}

int pool_in_use(const struct store *store, const char *network, struct error *err)
{
	_cleanup_fd_ int poolfd = openat(store->addressesfd, network, DIRECTORY_OPEN_FLAGS);

	if (poolfd < 0 && (errno == ENOENT || store->addressesfd < 0))
		return 0;
	if (poolfd < 0)
		return fail(err, -errno, "open \"addresses/%s\"", network);
	return store_each(poolfd, network, stop_at_address, NULL, err);
}

struct sweep {
	const struct store *store;
	int poolfd;
	size_t freed, left;
};

static int sweep_address(void *data, const char *name, struct error *err)
{
	struct sweep *sweep = data;
	char owner[NAME_MAX + 1];

	if (is_hint(name))
		return 0;
	if (read_owner(sweep->poolfd, name, owner) && has_lease(sweep->store, owner)) {
		sweep->left++;
		return 0;
	}
	if (unlinkat(sweep->poolfd, name, 0) < 0)
		return fail(err, -errno, "free the address \"%s\"", name);
	sweep->freed++;
	return 0;
}

static int remove_hint(void *data, const char *name, struct error *err)
{
	if (unlinkat(*(const int *)data, name, 0) < 0)
		return fail(err, -errno, "remove \"%s\"", name);
	return 0;
}

static int sweep_network(void *data, const char *name, struct error *err)
{
	struct sweep *sweep = data;
	_cleanup_fd_ int poolfd = openat(sweep->store->addressesfd, name, DIRECTORY_OPEN_FLAGS);
	int r;

	if (poolfd < 0)
		return fail(err, -errno, "open \"addresses/%s\"", name);
	sweep->poolfd = poolfd;
	sweep->left = 0;
	r = store_each(poolfd, name, sweep_address, sweep, err);
	if (r < 0 || sweep->left > 0)
		return r;
	r = store_each(poolfd, name, remove_hint, &poolfd, err);
	if (r < 0)
		return r;
	if (unlinkat(sweep->store->addressesfd, name, AT_REMOVEDIR) < 0)
		return fail(err, -errno, "remove \"addresses/%s\"", name);
	return 0;
}

int pool_sweep(const struct store *store, size_t *ret_count, struct error *err)
{
	struct sweep sweep = {.store = store};
	int r = store_tidy(store, err);

	if (r >= 0)
		r = store_each(store->addressesfd, "addresses", sweep_network, &sweep, err);
	if (r >= 0 && ret_count)
		*ret_count = sweep.freed;
	return r;
}
