/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Realms: whom a registry names as its token server.
 *
 * Theory of operation. Whoever runs a registry chooses the realm, and our request goes there from
 * inside the user's network, perhaps with credentials. Literal addresses of that network are
 * refused. A name may lead there too, but then it is one of the public DNS, and with https a
 * certificate for it must be shown. What looks like a number and is no dotted quad ("127.1",
 * "0x7f000001", "2130706433") is refused as a whole: resolvers take it for an address.
 */
#include "realm.h"

#include <arpa/inet.h>
#include <stdint.h>

#include "berth/base/str.h"

/* The first @bits of the address are those of @prefix. IANA's special-purpose registries. */
static const struct {
	uint32_t prefix;
	unsigned bits;
} special_v4[] = {
	{0x00000000, 8},  /* 0.0.0.0/8: this host */
	{0x0a000000, 8},  /* 10.0.0.0/8 */
	{0x64400000, 10}, /* 100.64.0.0/10: shared by carriers, and by clouds for metadata */
	{0x7f000000, 8},  /* 127.0.0.0/8 */
	{0xa9fe0000, 16}, /* 169.254.0.0/16: link-local, and clouds' metadata */
	{0xac100000, 12}, /* 172.16.0.0/12 */
	{0xc0000000, 24}, /* 192.0.0.0/24 */
	{0xc0a80000, 16}, /* 192.168.0.0/16 */
	{0xc6120000, 15}, /* 198.18.0.0/15 */
	{0xe0000000, 4},  /* 224.0.0.0/4: multicast */
	{0xf0000000, 4},  /* 240.0.0.0/4: reserved, broadcast */
};

static bool is_special_v4(uint32_t address)
{
	for (size_t i = 0; i < ARRAY_SIZE(special_v4); i++) {
		if ((address ^ special_v4[i].prefix) >> (32 - special_v4[i].bits) == 0)
			return true;
	}
	return false;
}

static uint32_t v4_at(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
	       bytes[3];
}

/* Public are the addresses of 2000::/3 alone; those that carry an IPv4 address are judged by it. */
static bool is_special_v6(const struct in6_addr *address)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	static const uint8_t translated[12] = {0x00, 0x64, 0xff, 0x9b};
	const uint8_t *bytes = address->s6_addr;

	if (memcmp(bytes, mapped, sizeof(mapped)) == 0 ||
	    memcmp(bytes, translated, sizeof(translated)) == 0)
		return is_special_v4(v4_at(bytes + 12));
	if (bytes[0] == 0x20 && bytes[1] == 0x02) /* 6to4 */
		return is_special_v4(v4_at(bytes + 2));
	return bytes[0] >> 5 != 1;
}

static bool is_name(const char *host)
{
	size_t length = strlen(host);

	return length > 0 && length <= 253 &&
	       strspn(host, "abcdefghijklmnopqrstuvwxyz0123456789.-_") == length;
}

/* Whether the last label, without a dot at the end, begins with a digit: no top-level domain does,
 * and every spelling of an address has it. */
static bool looks_like_address(const char *host)
{
	const char *label = host;

	for (const char *dot = strchr(host, '.'); dot && dot[1]; dot = strchr(dot + 1, '.'))
		label = dot + 1;
	return label[0] >= '0' && label[0] <= '9';
}

static bool is_localhost(const char *host)
{
	static const char name[] = "localhost";
	size_t length = strlen(host);

	length -= length > 0 && host[length - 1] == '.';
	return length >= strlen(name) &&
	       strncmp(host + length - strlen(name), name, strlen(name)) == 0 &&
	       (length == strlen(name) || host[length - strlen(name) - 1] == '.');
}

/* 0: a public name or address; otherwise the reason why it is none. */
static const char *objection(const char *host)
{
	struct in6_addr v6;
	struct in_addr v4;
	char bare[INET6_ADDRSTRLEN];
	size_t length = strlen(host);

	if (host[0] == '[') {
		if (length < 3 || length - 2 >= sizeof(bare) || host[length - 1] != ']')
			return "no name and no address";
		memcpy(bare, host + 1, length - 2);
		bare[length - 2] = '\0';
		if (inet_pton(AF_INET6, bare, &v6) != 1)
			return "no name and no address";
		return is_special_v6(&v6) ? "no public address" : NULL;
	}
	if (!is_name(host))
		return "no name and no address";
	if (is_localhost(host))
		return "no public name";
	if (!looks_like_address(host))
		return NULL;
	if (inet_pton(AF_INET, host, &v4) != 1)
		return "no name and no address";
	return is_special_v4(ntohl(v4.s_addr)) ? "no public address" : NULL;
}

int realm_check(const struct http_url *registry, const struct http_url *realm, struct error *err)
{
	const char *reason;

	if (!str_equal(realm->scheme, "https") && !str_equal(registry->scheme, "http"))
		return refuse(err,
			      "%s: its token server \"%.200s\" is reached by %s, not https: "
			      "refused",
			      registry->host, realm->host, realm->scheme);
	if (str_equal(realm->host, registry->host))
		return 0;
	reason = objection(realm->host);
	if (reason)
		return refuse(err, "%s: its token server \"%.200s\" is %s: refused", registry->host,
			      realm->host, reason);
	return 0;
}
