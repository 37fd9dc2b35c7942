/* SPDX-License-Identifier: Apache-2.0 */
/* IP addresses and prefixes. */
#include "address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "berth/base/str.h"

int address_parse(const char *text, struct address *ret)
{
	static const int families[] = {AF_INET, AF_INET6};

	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		struct address address = {.family = families[i]};

		if (inet_pton(families[i], text, address.bytes) == 1) {
			*ret = address;
			return 0;
		}
	}
	return -EINVAL;
}

int prefix_parse(const char *text, struct prefix *ret)
{
	const char *slash = strchr(text, '/');
	char address[INET6_ADDRSTRLEN];
	struct prefix prefix;
	uint32_t length;

	if (!slash || (size_t)(slash - text) >= sizeof(address))
		return -EINVAL;
	memcpy(address, text, (size_t)(slash - text));
	address[slash - text] = '\0';
	if (address_parse(address, &prefix.address) < 0 || str_to_u32(slash + 1, &length) < 0)
		return -EINVAL;
	if (length > address_size(&prefix.address) * 8)
		return -EINVAL;
	prefix.length = length;
	*ret = prefix;
	return 0;
}

void address_format(const struct address *address, char text[static ADDRESS_TEXT_MAX])
{
	if (!inet_ntop(address->family, address->bytes, text, ADDRESS_TEXT_MAX))
		text[0] = '\0';
}

void prefix_format(const struct prefix *prefix, char text[static ADDRESS_TEXT_MAX])
{
	size_t length;

	address_format(&prefix->address, text);
	length = strlen(text);
	snprintf(text + length, ADDRESS_TEXT_MAX - length, "/%u", prefix->length);
}

size_t address_size(const struct address *address)
{
	return address->family == AF_INET ? 4 : 16;
}

int address_compare(const struct address *a, const struct address *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

bool address_is_any(const struct address *address)
{
	static const unsigned char none[sizeof(address->bytes)];

	return memcmp(address->bytes, none, sizeof(none)) == 0;
}

bool address_next(struct address *address)
{
	struct address next = *address;

	for (size_t i = address_size(address); i > 0; i--) {
		next.bytes[i - 1]++;
		if (next.bytes[i - 1] != 0) {
			*address = next;
			return true;
		}
	}
	return false;
}

/* The address with all bits behind the prefix cleared, or set. */
static struct address edge(const struct prefix *prefix, bool last)
{
	struct address address = prefix->address;

	for (size_t i = 0; i < address_size(&address); i++) {
		unsigned kept = prefix->length > i * 8 ? prefix->length - (unsigned)i * 8 : 0;
		unsigned char host_bits = (unsigned char)(kept >= 8 ? 0 : 0xff >> kept);

		if (last)
			address.bytes[i] = (unsigned char)(address.bytes[i] | host_bits);
		else
			address.bytes[i] = (unsigned char)(address.bytes[i] & ~host_bits);
	}
	return address;
}

struct address prefix_first(const struct prefix *prefix)
{
	return edge(prefix, false);
}

struct address prefix_last(const struct prefix *prefix)
{
	return edge(prefix, true);
}

bool prefix_contains(const struct prefix *prefix, const struct address *address)
{
	struct address first = prefix_first(prefix), last = prefix_last(prefix);

	return address->family == first.family && address_compare(&first, address) <= 0 &&
	       address_compare(address, &last) <= 0;
}

bool prefix_overlap(const struct prefix *a, const struct prefix *b)
{
	/* Of two networks with a common address one lies within the other. */
	return prefix_contains(a, &b->address) || prefix_contains(b, &a->address);
}
