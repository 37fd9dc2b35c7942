/* SPDX-License-Identifier: Apache-2.0 */
/* Published ports: "[IP:]HOST:CONT[/tcp|/udp]". */
#include "publish.h"

#include <errno.h>
#include <string.h>

#include "berth/base/str.h"

#include "names.h"

/* Longer than any that is right. */
#define TEXT_MAX 128

static const struct {
	const char *name;
	uint8_t number;
} protocols[] = {
	{"tcp", IPPROTO_TCP},
	{"udp", IPPROTO_UDP},
};

static const char *protocol_name(uint8_t number)
{
	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
		if (protocols[i].number == number)
			return protocols[i].name;
	}
	return "?";
}

/* What is read, and the names under which errors speak of it. */
struct parse {
	const char *what;
	const char *text;
	struct error *err;
};

static int refuse_part(const struct parse *parse, const char *part, const char *rule)
{
	return refuse(parse->err, "%s \"%s\": \"%s\" %s", parse->what, name_show(parse->text).text,
		      name_show(part).text, rule);
}

/* Cuts "/PROTOCOL" off. */
static int parse_protocol(const struct parse *parse, char *copy, uint8_t *ret)
{
	char *slash = strrchr(copy, '/');

	if (!slash) {
		*ret = IPPROTO_TCP;
		return 0;
	}
	*slash = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
		if (str_equal(slash + 1, protocols[i].name)) {
			*ret = protocols[i].number;
			return 0;
		}
	}
	return refuse_part(parse, slash + 1, "is no protocol that can be published: tcp, udp");
}

static int parse_port(const char *text, uint16_t *ret)
{
	uint32_t port;

	if (str_to_u32(text, &port) < 0 || port == 0 || port > UINT16_MAX)
		return -EINVAL;
	*ret = (uint16_t)port;
	return 0;
}

/* "PORT" or "FIRST-LAST". */
static int parse_ports(const struct parse *parse, const char *part, uint16_t *ret_first,
		       uint16_t *ret_last)
{
	char first[TEXT_MAX];
	const char *dash = strchr(part, '-');
	size_t length = dash ? (size_t)(dash - part) : strlen(part);

	memcpy(first, part, length);
	first[length] = '\0';
	if (parse_port(first, ret_first) < 0 || parse_port(dash ? dash + 1 : first, ret_last) < 0)
		return refuse_part(parse, part, "is no port (1 to 65535) or range FIRST-LAST");
	if (*ret_first > *ret_last)
		return refuse_part(parse, part, "is a range that ends before it begins");
	return 0;
}

/* Whether packets to the address can be for this host alone. */
static bool is_publishable(const struct address *address)
{
	static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};

	if (address->family == AF_INET)
		return address->bytes[0] < 224;
	return address->bytes[0] != 0xff && memcmp(address->bytes, mapped, sizeof(mapped)) != 0;
}

/* Cuts the host's address off: yields the rest, or NULL where the address is none. */
static char *cut_address(char *copy, char **ret_address, int *ret_family)
{
	char *colon;

	*ret_address = NULL;
	if (copy[0] == '[') {
		char *end = strchr(copy, ']');

		*ret_address = copy + 1;
		*ret_family = AF_INET6;
		if (!end || end[1] != ':')
			return NULL;
		*end = '\0';
		return end + 2;
	}
	colon = strchr(copy, ':');
	if (!colon || !strchr(colon + 1, ':'))
		return copy;
	*colon = '\0';
	*ret_address = copy;
	*ret_family = AF_INET;
	return colon + 1;
}

static int parse_address(const struct parse *parse, const char *text, int family,
			 struct address *ret)
{
	if (address_parse(text, ret) < 0 || ret->family != family)
		return refuse_part(parse, text,
				   "is no address of the host (an IPv6 address stands in "
				   "brackets)");
	if (!is_publishable(ret))
		return refuse_part(parse, text, "is an address on which no port is published");
	return 0;
}

int publish_parse(const char *what, const char *text, struct publish *ret, struct error *err)
{
	const struct parse parse = {.what = what, .text = text, .err = err};
	struct publish item = {.host = {.family = 0}};
	char copy[TEXT_MAX], *address, *ports, *colon;
	uint16_t host_last = 0, container_last = 0;
	int family = 0, r;

	if (strlen(text) >= sizeof(copy))
		return refuse_part(&parse, text, "is too long");
	memcpy(copy, text, strlen(text) + 1);
	r = parse_protocol(&parse, copy, &item.protocol);
	if (r < 0)
		return r;
	ports = cut_address(copy, &address, &family);
	if (!ports)
		return refuse_part(&parse, text, "has no \"]:\" behind its address");
	r = address ? parse_address(&parse, address, family, &item.host) : 0;
	if (r < 0)
		return r;
	colon = strchr(ports, ':');
	if (!colon)
		return refuse_part(&parse, text, "is not of the form [IP:]HOST:CONT[/tcp|/udp]");
	*colon = '\0';
	r = parse_ports(&parse, ports, &item.host_port, &host_last);
	if (r >= 0)
		r = parse_ports(&parse, colon + 1, &item.container_port, &container_last);
	if (r < 0)
		return r;
	if (host_last - item.host_port != container_last - item.container_port)
		return refuse_part(&parse, text, "has ranges of different lengths");
	if (host_last - item.host_port >= PUBLISHED_PORTS_MAX)
		return refuse(err, "%s \"%s\": more than %d ports", what, text,
			      PUBLISHED_PORTS_MAX);
	item.count = (uint16_t)(host_last - item.host_port + 1);
	*ret = item;
	return 0;
}

bool publish_collide(const struct publish *a, const struct publish *b)
{
	if (a->protocol != b->protocol || a->host_port > b->host_port + b->count - 1 ||
	    b->host_port > a->host_port + a->count - 1)
		return false;
	if (a->host.family == 0 || b->host.family == 0)
		return true;
	return a->host.family == b->host.family &&
	       (address_is_any(&a->host) || address_is_any(&b->host) ||
		address_compare(&a->host, &b->host) == 0);
}

/* Adds without a check. */
static void append(struct arena *arena, struct publish_list *list, const struct publish *item)
{
	/* There is room for as many as the next power of two says. */
	if ((list->count & (list->count - 1)) == 0) {
		struct publish *items =
			arena_alloc(arena, list->count ? list->count * 2 : 1, sizeof(*items));

		if (list->count)
			memcpy(items, list->items, list->count * sizeof(*items));
		list->items = items;
	}
	list->items[list->count++] = *item;
}

int publish_add(struct arena *arena, struct publish_list *list, const struct publish *item,
		struct error *err)
{
	size_t ports = item->count;

	for (size_t i = 0; i < list->count; i++) {
		ports += list->items[i].count;
		if (publish_collide(&list->items[i], item))
			return refuse(err, "the published ports \"%s\" and \"%s\" collide",
				      publish_format(arena, &list->items[i]),
				      publish_format(arena, item));
	}
	if (ports > PUBLISHED_PORTS_MAX)
		return refuse(err, "more than %d published ports", PUBLISHED_PORTS_MAX);
	append(arena, list, item);
	return 0;
}

static const char *format_ports(struct arena *arena, uint16_t first, uint16_t count)
{
	if (count == 1)
		return arena_printf(arena, "%u", first);
	return arena_printf(arena, "%u-%u", first, (unsigned)first + count - 1);
}

const char *publish_format(struct arena *arena, const struct publish *item)
{
	const char *address = "";
	char text[ADDRESS_TEXT_MAX];

	if (item->host.family != 0) {
		address_format(&item->host, text);
		address = item->host.family == AF_INET6 ? arena_printf(arena, "[%s]:", text)
							: arena_printf(arena, "%s:", text);
	}
	return arena_printf(arena, "%s%s:%s/%s", address,
			    format_ports(arena, item->host_port, item->count),
			    format_ports(arena, item->container_port, item->count),
			    protocol_name(item->protocol));
}
