/* SPDX-License-Identifier: Apache-2.0 */
#include "xxhash64.h"

#include <endian.h>
#include <string.h>

#define PRIME1 0x9e3779b185ebca87u
#define PRIME2 0xc2b2ae3d27d4eb4fu
#define PRIME3 0x165667b19e3779f9u
#define PRIME4 0x85ebca77c2b2ae63u
#define PRIME5 0x27d4eb2f165667c5u

static uint64_t rotate(uint64_t value, unsigned count)
{
	return value << count | value >> (64 - count);
}

static uint64_t load64(const uint8_t *data)
{
	uint64_t value;

	memcpy(&value, data, sizeof(value));
	return le64toh(value);
}

static uint64_t load32(const uint8_t *data)
{
	uint32_t value;

	memcpy(&value, data, sizeof(value));
	return le32toh(value);
}

static uint64_t mix(uint64_t lane, uint64_t value)
{
	return rotate(lane + value * PRIME2, 31) * PRIME1;
}

void xxhash64_begin(struct xxhash64 *hash)
{
	*hash = (struct xxhash64){
		.lanes = {PRIME1 + PRIME2, PRIME2, 0, (uint64_t)0 - PRIME1},
	};
}

static void add_stripe(struct xxhash64 *hash, const uint8_t *data)
{
	for (size_t i = 0; i < 4; i++)
		hash->lanes[i] = mix(hash->lanes[i], load64(data + 8 * i));
}

void xxhash64_add(struct xxhash64 *hash, const void *data, size_t size)
{
	const size_t have = hash->size % sizeof(hash->rest);
	const uint8_t *bytes = data;

	hash->size += size;
	if (have > 0) {
		const size_t wanted = sizeof(hash->rest) - have;
		const size_t part = size < wanted ? size : wanted;

		memcpy(hash->rest + have, bytes, part);
		bytes += part;
		size -= part;
		if (part < wanted)
			return;
		add_stripe(hash, hash->rest);
	}
	for (; size >= sizeof(hash->rest); size -= sizeof(hash->rest)) {
		add_stripe(hash, bytes);
		bytes += sizeof(hash->rest);
	}
	if (size > 0)
		memcpy(hash->rest, bytes, size);
}

static uint64_t join_lanes(const struct xxhash64 *hash)
{
	static const unsigned counts[4] = {1, 7, 12, 18};
	uint64_t value = 0;

	if (hash->size < sizeof(hash->rest))
		return PRIME5;
	for (size_t i = 0; i < 4; i++)
		value += rotate(hash->lanes[i], counts[i]);
	for (size_t i = 0; i < 4; i++)
		value = (value ^ mix(0, hash->lanes[i])) * PRIME1 + PRIME4;
	return value;
}

uint64_t xxhash64_end(const struct xxhash64 *hash)
{
	const uint8_t *data = hash->rest;
	size_t left = hash->size % sizeof(hash->rest);
	uint64_t value = join_lanes(hash) + hash->size;

	for (; left >= 8; left -= 8, data += 8)
		value = rotate(value ^ mix(0, load64(data)), 27) * PRIME1 + PRIME4;
	if (left >= 4) {
		value = rotate(value ^ load32(data) * PRIME1, 23) * PRIME2 + PRIME3;
		left -= 4;
		data += 4;
	}
	for (; left > 0; left--, data++)
		value = rotate(value ^ *data * PRIME5, 11) * PRIME1;
	value = (value ^ value >> 33) * PRIME2;
	value = (value ^ value >> 29) * PRIME3;
	return value ^ value >> 32;
}
