/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A set of paths by their hashes: a table with open addressing.
 *
 * Theory of operation. The names come from an image, that is, from an attacker; so the hash is
 * SipHash-1-3 with a key of this process, and that two of a million names share one of 2^64 values
 * is no more likely than a fault of the machine. Removal moves later entries of the same run back,
 * so that there are no gravestones.
 */
#include "path_set.h"

#include <stdint.h>
#include <string.h>
#include <sys/random.h>

#include "berth/base/alloc.h"
#include "berth/base/error.h"

#define FIRST_ROOM 64 /* a power of two, as all rooms */

struct path_set {
	uint64_t key[2];
	uint64_t *table; /* 0: free */
	size_t room, count;
};

struct path_set *path_set_new(void)
{
	struct path_set *set = xcalloc(1, sizeof(*set));

	/* random(7): for so few bytes it does not fail, nor is it interrupted. */
	ignore(getrandom(set->key, sizeof(set->key), 0));
	set->room = FIRST_ROOM;
	set->table = xcalloc(set->room, sizeof(*set->table));
	return set;
}

struct path_set *path_set_free(struct path_set *set)
{
	if (set)
		free(set->table);
	free(set);
	return NULL;
}

static uint64_t rotate(uint64_t value, unsigned bits)
{
	return value << bits | value >> (64 - bits);
}

static void sip_round(uint64_t v[static 4])
{
	v[0] += v[1];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[0] = rotate(v[0], 32);
	v[2] += v[3];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[2] = rotate(v[2], 32);
}

static void sip_word(uint64_t v[static 4], uint64_t word)
{
	v[3] ^= word;
	sip_round(v);
	v[0] ^= word;
}

/* Never 0. */
static uint64_t hash(const struct path_set *set, const char *path)
{
	size_t size = strlen(path), at = 0;
	uint64_t word, v[] = {
			       set->key[0] ^ 0x736f6d6570736575,
			       set->key[1] ^ 0x646f72616e646f6d,
			       set->key[0] ^ 0x6c7967656e657261,
			       set->key[1] ^ 0x7465646279746573,
		       };

	for (; at + sizeof(word) <= size; at += sizeof(word)) {
		memcpy(&word, path + at, sizeof(word));
		sip_word(v, word);
	}
	word = 0;
	memcpy(&word, path + at, size - at);
	sip_word(v, word | (uint64_t)size << 56);
	v[2] ^= 0xff;
	for (int i = 0; i < 3; i++)
		sip_round(v);
	word = v[0] ^ v[1] ^ v[2] ^ v[3];
	return word ? word : 1;
}

/* Where the value is, or would be. */
static size_t find(const struct path_set *set, uint64_t value)
{
	size_t at = value & (set->room - 1);

	while (set->table[at] && set->table[at] != value)
		at = (at + 1) & (set->room - 1);
	return at;
}

static void grow(struct path_set *set)
{
	struct path_set old = *set;

	set->room *= 2;
	set->table = xcalloc(set->room, sizeof(*set->table));
	for (size_t i = 0; i < old.room; i++)
		if (old.table[i])
			set->table[find(set, old.table[i])] = old.table[i];
	free(old.table);
}

void path_set_add(struct path_set *set, const char *path)
{
	uint64_t value = hash(set, path);
	size_t at = find(set, value);

	if (set->table[at])
		return;
	set->table[at] = value;
	set->count++;
	if (set->count * 4 > set->room * 3)
		grow(set);
}

void path_set_remove(struct path_set *set, const char *path)
{
	size_t hole = find(set, hash(set, path)), mask = set->room - 1;

	if (!set->table[hole])
		return;
	set->count--;
	for (size_t at = (hole + 1) & mask; set->table[at]; at = (at + 1) & mask) {
		size_t home = set->table[at] & mask;

		/* Only what is not found before the hole anyway may fill it. */
		if (((at - home) & mask) < ((at - hole) & mask))
			continue;
		set->table[hole] = set->table[at];
		hole = at;
	}
	set->table[hole] = 0;
}

bool path_set_has(const struct path_set *set, const char *path)
{
	return set->table[find(set, hash(set, path))] != 0;
}

size_t path_set_count(const struct path_set *set)
{
	return set->count;
}
