/* SPDX-License-Identifier: Apache-2.0 */
/* Defaults of new networks: the bridge's name, and subnets that nothing here has. */
#include "network_defaults.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "berth/base/fd.h"
#include "berth/base/proc.h"
#include "berth/base/str.h"

#define ROUTES_MAX (4u << 20)

/* FNV-1a: two names that come to the same are noticed, since their bridge is another's then. */
static uint64_t hash(const char *text)
{
	uint64_t value = UINT64_C(0xcbf29ce484222325);

	for (; *text; text++)
		value = (value ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
	return value;
}

void network_default_bridge(const char *name, char ret[static IFNAMSIZ])
{
	if (strlen(name) + strlen("br-") < IFNAMSIZ)
		snprintf(ret, IFNAMSIZ, "br-%s", name);
	else
		snprintf(ret, IFNAMSIZ, "br-%012jx", (uintmax_t)(hash(name) >> 16));
}

static bool is_taken(const struct prefix_list *taken, const struct prefix *prefix)
{
	for (size_t i = 0; i < taken->count; i++) {
		if (prefix_overlap(&taken->items[i], prefix))
			return true;
	}
	return false;
}

int network_choose_subnets(struct network *network, const struct prefix_list *taken,
			   struct error *err)
{
	struct prefix four = {.address = {.family = AF_INET, .bytes = {10, 188}}, .length = 24},
		      six = {.address = {.family = AF_INET6, .bytes = {0xfd}}, .length = 64};

	while (is_taken(taken, &four)) {
		if (++four.address.bytes[2] == 0)
			return refuse_as(err, -EADDRNOTAVAIL,
					 "all subnets of 10.188.0.0/16 are taken: --subnet is "
					 "needed");
	}
	do {
		if (getrandom(six.address.bytes + 1, 7, 0) != 7)
			return fail(err, -EIO, "choose a subnet");
	} while (is_taken(taken, &six));
	network->subnets[0].prefix = four;
	network->subnets[1].prefix = six;
	network->subnet_count = 2;
	return 0;
}

static void add_prefix(struct arena *arena, struct prefix_list *list, const struct prefix *prefix)
{
	/* There is room for as many as the next power of two says. */
	if ((list->count & (list->count - 1)) == 0) {
		struct prefix *items =
			arena_alloc(arena, list->count ? list->count * 2 : 1, sizeof(*items));

		if (list->count)
			memcpy(items, list->items, list->count * sizeof(*items));
		list->items = items;
	}
	list->items[list->count++] = *prefix;
}

/* The value of eight hexadecimal digits, which is in the processor's order, as an address. */
static bool read_hex(const char *text, struct address *ret)
{
	static const char digits[] = "0123456789ABCDEF";
	uint32_t value = 0;

	for (size_t i = 0; i < 8; i++) {
		const char *digit = text[i] ? strchr(digits, text[i]) : NULL;

		if (!digit)
			return false;
		value = value << 4 | (uint32_t)(digit - digits);
	}
	*ret = (struct address){.family = AF_INET};
	memcpy(ret->bytes, &value, sizeof(value));
	return true;
}

/* The length of a mask's prefix. */
static unsigned mask_length(const struct address *mask)
{
	unsigned length = 0;

	while (length < 32 && mask->bytes[length / 8] & (0x80 >> length % 8))
		length++;
	return length;
}

/* "Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT", by tabs. */
static bool read_route(const char *line, struct prefix *ret)
{
	static const int destination_column = 1, mask_column = 7;
	const char *destination = NULL, *at = line;
	struct address mask;

	for (int column = 0; column < mask_column; column++) {
		at += strcspn(at, "\t\n");
		if (*at != '\t')
			return false;
		at++;
		if (column + 1 == destination_column)
			destination = at;
	}
	if (!read_hex(destination, &ret->address) || !read_hex(at, &mask))
		return false;
	ret->length = mask_length(&mask);
	return ret->length > 0;
}

void network_read_routes(struct arena *arena, const char *text, struct prefix_list *list)
{
	while (*text) {
		struct prefix prefix;

		if (read_route(text, &prefix))
			add_prefix(arena, list, &prefix);
		text += strcspn(text, "\n");
		text += *text == '\n';
	}
}

static int read_host_routes(struct arena *arena, struct prefix_list *list, struct error *err)
{
	_cleanup_fd_ int procfd = proc_open(err);
	_cleanup_fd_ int fd =
		procfd < 0 ? procfd : proc_open_self(procfd, "net/route", O_RDONLY, err);
	_cleanup_free_ char *text = NULL;
	int r;

	if (fd < 0)
		return fd;
	r = file_read_fd(fd, "/proc/net/route", ROUTES_MAX, &text, NULL, err);
	if (r >= 0)
		network_read_routes(arena, text, list);
	return r;
}

int network_find_taken(const struct store *store, struct arena *arena, struct prefix_list *ret,
		       struct error *err)
{
	struct prefix_list list = {.count = 0};
	struct network_list networks;
	int r = network_list(store, arena, &networks, err);

	for (size_t i = 0; r >= 0 && i < networks.count; i++) {
		const struct network *network = &networks.items[i];

		for (size_t j = 0; j < network->subnet_count; j++)
			add_prefix(arena, &list, &network->subnets[j].prefix);
	}
	if (r >= 0)
		r = read_host_routes(arena, &list, err);
	if (r >= 0)
		*ret = list;
	return r;
}
