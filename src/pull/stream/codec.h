/* SPDX-License-Identifier: Apache-2.0 */
/* What decompress.c drives: the decoder of one packed format. */
#ifndef BERTH_PULL_CODEC_H
#define BERTH_PULL_CODEC_H

#include <stddef.h>
#include <stdint.h>

#include "berth/base/error.h"

#include "reader.h"

/* Bytes that wait to be decoded; a step takes from the front. */
struct span {
	const uint8_t *data;
	size_t size;
};

/* Room for bytes that have been decoded; a step fills from the front. */
struct room {
	uint8_t *data;
	size_t size;
};

static inline void span_take(struct span *span, size_t size)
{
	span->data += size;
	span->size -= size;
}

static inline void room_fill(struct room *room, size_t size)
{
	room->data += size;
	room->size -= size;
}

enum codec_place {
	CODEC_BETWEEN, /* a member or frame is whole, none has begun: the data may end here */
	CODEC_WITHIN,
};

struct codec {
	/*
	 * Decodes until @in is empty, @out is full (it may have more then, without any input), or
	 * a member has ended. Returns an enum codec_place, or -EBADMSG with a text.
	 */
	int (*step)(struct codec *self, struct span *in, struct room *out, struct error *err);
	void (*free)(struct codec *self);
};

struct inflate_method;

/* gzip (RFC 1952), several members one after the other, by @method (see inflate.h). */
struct codec *gzip_codec_new(const struct inflate_method *method);

/* Zstandard (RFC 8878), several frames, skippable ones among them. Of @limits (not copied), what
 * is about windows counts. */
struct codec *zstd_codec_new(const struct decompress_limits *limits);

#endif
