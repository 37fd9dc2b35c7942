/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SHA-256 (FIPS 180-4) with the processor's own instructions, for one stream or for two at a time.
 * Each instruction waits for the one before, so that a second, independent stream costs next to
 * nothing: that is what OpenSSL, with one context at a time, cannot do.
 */
#ifndef BERTH_PULL_SHA256_H
#define BERTH_PULL_SHA256_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SHA256_BLOCK 64 /* bytes */
#define SHA256_SIZE  32

struct sha256 {
	uint32_t state[8]; /* in the order of the instructions: F E B A H G D C */
	uint64_t blocks;   /* that have been added */
};

/* Whether this processor has the instructions; nothing else may be called where it has not. */
bool sha256_is_there(void);

void sha256_begin(struct sha256 *sha);

/* Adds @blocks whole blocks. */
void sha256_add(struct sha256 *sha, const uint8_t *data, size_t blocks);

/* Adds as many to the one and the other stream. */
void sha256_add_two(struct sha256 *a, const uint8_t *data_a, struct sha256 *b,
		    const uint8_t *data_b, size_t blocks);

/* Adds the last @size bytes, any number, and yields the digest. */
void sha256_finish(struct sha256 *sha, const uint8_t *data, size_t size,
		   uint8_t ret[static SHA256_SIZE]);

#endif
