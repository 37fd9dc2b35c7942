/* SPDX-License-Identifier: Apache-2.0 */
/* Whether ports of the host are free to be published. */
#include "port_probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "berth/base/fd.h"
#include "berth/base/str.h"

/* Returns -EADDRINUSE where somebody has the port; what else may be wrong is no reason to refuse.
 */
static int try_port(const struct address *address, uint8_t protocol, uint16_t port)
{
	const bool is_udp = protocol == IPPROTO_UDP;
	_cleanup_fd_ int fd =
		socket(address->family, (is_udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);
	struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(port)};
	struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	const bool is_six = address->family == AF_INET6;
	const int on = 1;

	if (fd < 0)
		return 0;
	memcpy(&four.sin_addr, address->bytes, sizeof(four.sin_addr));
	memcpy(&six.sin6_addr, address->bytes, sizeof(six.sin6_addr));
	/* Connections that are over are in nobody's way; for UDP this would share the port. */
	if (!is_udp)
		ignore(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)));
	/* Both families are asked one by one; an address may come later. */
	if (is_six)
		ignore(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)));
	ignore(setsockopt(fd, is_six ? IPPROTO_IPV6 : IPPROTO_IP,
			  is_six ? IPV6_FREEBIND : IP_FREEBIND, &on, sizeof(on)));
	if (bind(fd, is_six ? (struct sockaddr *)&six : (struct sockaddr *)&four,
		 is_six ? sizeof(six) : sizeof(four)) < 0 &&
	    errno == EADDRINUSE)
		return -EADDRINUSE;
	return 0;
}

static int check_one(struct arena *arena, const struct publish *item, struct error *err)
{
	static const struct address any[] = {{.family = AF_INET}, {.family = AF_INET6}};
	const size_t families = item->host.family == 0 ? ARRAY_SIZE(any) : 1;

	for (unsigned i = 0; i < item->count; i++) {
		uint16_t port = (uint16_t)(item->host_port + i);

		for (size_t k = 0; k < families; k++) {
			const struct address *address =
				item->host.family == 0 ? &any[k] : &item->host;

			if (try_port(address, item->protocol, port) < 0)
				return refuse_as(err, -EADDRINUSE,
						 "publish %s: a program of the host has port %u",
						 publish_format(arena, item), port);
		}
	}
	return 0;
}

int ports_check_free(struct arena *arena, const struct publish_list *list, struct error *err)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < list->count; i++)
		r = check_one(arena, &list->items[i], err);
	return r;
}
