/* SPDX-License-Identifier: Apache-2.0 */
/* XXH64 with the seed 0: the checksum of Zstandard. */
#ifndef BERTH_PULL_XXHASH64_H
#define BERTH_PULL_XXHASH64_H

#include <stddef.h>
#include <stdint.h>

struct xxhash64 {
	uint64_t lanes[4];
	uint64_t size; /* bytes so far */
	uint8_t rest[32];
};

void xxhash64_begin(struct xxhash64 *hash);
void xxhash64_add(struct xxhash64 *hash, const void *data, size_t size);
uint64_t xxhash64_end(const struct xxhash64 *hash);

#endif
