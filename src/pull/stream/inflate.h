/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Raw deflate streams (RFC 1951) and CRC-32, by one of two libraries: ISA-L, which is the fastest
 * there is and is loaded at run time where it is installed, or zlib.
 */
#ifndef BERTH_PULL_INFLATE_H
#define BERTH_PULL_INFLATE_H

#include "codec.h"

/* Bytes behind a deflate stream that its decoder may have taken in advance, at most. */
#define INFLATE_AHEAD_MAX 8

struct inflate_ahead {
	uint8_t data[INFLATE_AHEAD_MAX];
	size_t size;
};

struct inflate_method {
	const char *name;
	/* The state of one stream; reset makes it ready for another. */
	void *(*begin)(void);
	void (*reset)(void *state);
	void (*end)(void *state);
	/*
	 * Decodes until @in is empty, @out is full or the stream ends. Returns 0 at its end (@ahead
	 * then has what was taken of the bytes behind it), 1 before, -EBADMSG without a text.
	 */
	int (*step)(void *state, struct span *in, struct room *out, struct inflate_ahead *ahead);
	/* CRC-32 as gzip has it, of @size more bytes; begin with 0. */
	uint32_t (*check)(uint32_t check, const void *data, size_t size);
};

extern const struct inflate_method inflate_zlib;

/* NULL where ISA-L is not installed (or was not when berth-pull was built). */
const struct inflate_method *inflate_isal(void);

/* The best that there is. */
const struct inflate_method *inflate_best(void);

#endif
