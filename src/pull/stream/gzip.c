/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gzip (RFC 1952). Header and trailer are read here, the deflate stream between them by a library.
 * Layers made by eStargz have a member for each file, thousands of them.
 */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "berth/base/alloc.h"

#include "inflate.h"

/* The parts of a member, in their order. */
enum part {
	PART_FIXED,
	PART_EXTRA_SIZE,
	PART_EXTRA,
	PART_NAME,
	PART_COMMENT,
	PART_CHECK,
	PART_BODY,
	PART_TRAILER,
};

#define FIXED_SIZE   10
#define TRAILER_SIZE 8

/* Bits of the header's fourth byte that say that the part is there. */
static const uint8_t part_flag[] = {
	[PART_EXTRA_SIZE] = 0x04, [PART_EXTRA] = 0x04, [PART_NAME] = 0x08,
	[PART_COMMENT] = 0x10,	  [PART_CHECK] = 0x02,
};
#define FLAGS_RESERVED 0xe0

struct gzip {
	struct codec codec;
	const struct inflate_method *method;
	void *state; /* of the method */
	enum part part;
	uint8_t field[FIXED_SIZE]; /* what has been read of the part */
	size_t have;
	uint8_t flags;
	uint32_t header_check, check;
	uint32_t size; /* of the member's content, modulo 2^32 as its trailer has it */
};

static void next_part(struct gzip *gzip)
{
	gzip->have = 0;
	do
		gzip->part++;
	while (gzip->part < PART_BODY && !(gzip->flags & part_flag[gzip->part]));
}

static void take(struct gzip *gzip, struct span *in, size_t size)
{
	if (gzip->part < PART_CHECK)
		gzip->header_check = gzip->method->check(gzip->header_check, in->data, size);
	span_take(in, size);
}

/* Reads the part whole, if @in has what is missing of it. */
static bool collect(struct gzip *gzip, struct span *in, size_t want)
{
	size_t size = want - gzip->have;

	if (size > in->size)
		size = in->size;
	memcpy(gzip->field + gzip->have, in->data, size);
	gzip->have += size;
	take(gzip, in, size);
	return gzip->have == want;
}

static uint32_t little_endian(const uint8_t *bytes, size_t count)
{
	uint32_t value = 0;

	for (size_t i = count; i > 0; i--)
		value = value << 8 | bytes[i - 1];
	return value;
}

static int fixed_part(struct gzip *gzip, struct span *in, struct error *err)
{
	if (!collect(gzip, in, FIXED_SIZE))
		return 0;
	if (gzip->field[0] != 0x1f || gzip->field[1] != 0x8b)
		return refuse_as(err, -EBADMSG, "rubbish after the end of the gzip data");
	if (gzip->field[2] != 8)
		return refuse_as(err, -EBADMSG, "gzip data of the unknown method %d",
				 gzip->field[2]);
	gzip->flags = gzip->field[3];
	if (gzip->flags & FLAGS_RESERVED)
		return refuse_as(err, -EBADMSG, "gzip data with the unknown flags 0x%x",
				 gzip->flags);
	next_part(gzip);
	return 0;
}

static void extra_size_part(struct gzip *gzip, struct span *in)
{
	size_t size;

	if (!collect(gzip, in, 2))
		return;
	size = little_endian(gzip->field, 2);
	next_part(gzip);
	gzip->have = size; /* from here on what is left of it */
	if (size == 0)
		next_part(gzip);
}

static void extra_part(struct gzip *gzip, struct span *in)
{
	size_t size = gzip->have < in->size ? gzip->have : in->size;

	gzip->have -= size;
	take(gzip, in, size);
	if (gzip->have == 0)
		next_part(gzip);
}

static void text_part(struct gzip *gzip, struct span *in)
{
	const uint8_t *end = memchr(in->data, '\0', in->size);

	take(gzip, in, end ? (size_t)(end - in->data) + 1 : in->size);
	if (end)
		next_part(gzip);
}

static int check_part(struct gzip *gzip, struct span *in, struct error *err)
{
	if (!collect(gzip, in, 2))
		return 0;
	if (little_endian(gzip->field, 2) != (gzip->header_check & 0xffff))
		return refuse_as(err, -EBADMSG, "a gzip header has the wrong checksum");
	next_part(gzip);
	return 0;
}

static int body_part(struct gzip *gzip, struct span *in, struct room *out, struct error *err)
{
	struct inflate_ahead ahead;
	uint8_t *from = out->data;
	int r;

	r = gzip->method->step(gzip->state, in, out, &ahead);
	if (r < 0)
		return refuse_as(err, r, "the gzip data is damaged");
	gzip->check = gzip->method->check(gzip->check, from, (size_t)(out->data - from));
	gzip->size += (uint32_t)(out->data - from);
	if (r > 0)
		return 0;
	next_part(gzip);
	memcpy(gzip->field, ahead.data, ahead.size);
	gzip->have = ahead.size;
	return 0;
}

static int trailer_part(struct gzip *gzip, struct span *in, struct error *err)
{
	if (!collect(gzip, in, TRAILER_SIZE))
		return 0;
	if (little_endian(gzip->field, 4) != gzip->check)
		return refuse_as(err, -EBADMSG, "the gzip data has the wrong checksum");
	if (little_endian(gzip->field + 4, 4) != gzip->size)
		return refuse_as(err, -EBADMSG, "the gzip data has the wrong size");
	gzip->part = PART_FIXED;
	gzip->have = 0;
	gzip->header_check = gzip->check = gzip->size = 0;
	gzip->method->reset(gzip->state);
	return 0;
}

static int one_part(struct gzip *gzip, struct span *in, struct room *out, struct error *err)
{
	switch (gzip->part) {
	case PART_FIXED:
		return fixed_part(gzip, in, err);
	case PART_EXTRA_SIZE:
		extra_size_part(gzip, in);
		return 0;
	case PART_EXTRA:
		extra_part(gzip, in);
		return 0;
	case PART_NAME:
	case PART_COMMENT:
		text_part(gzip, in);
		return 0;
	case PART_CHECK:
		return check_part(gzip, in, err);
	case PART_BODY:
		return body_part(gzip, in, out, err);
	case PART_TRAILER:
		return trailer_part(gzip, in, err);
	}
	return 0;
}

static int gzip_step(struct codec *self, struct span *in, struct room *out, struct error *err)
{
	struct gzip *gzip = (struct gzip *)self;
	enum part before;
	int r;

	/* On from part to part, as long as there is something to do it with. */
	do {
		before = gzip->part;
		r = one_part(gzip, in, out, err);
		if (r < 0)
			return r;
		if (gzip->part == PART_FIXED && gzip->have == 0)
			return CODEC_BETWEEN;
	} while (in->size > 0 ? out->size > 0 : gzip->part != before);
	return CODEC_WITHIN;
}

static void gzip_free(struct codec *self)
{
	struct gzip *gzip = (struct gzip *)self;

	gzip->method->end(gzip->state);
	free(gzip);
}

struct codec *gzip_codec_new(const struct inflate_method *method)
{
	struct gzip *gzip = xcalloc(1, sizeof(*gzip));

	gzip->codec = (struct codec){.step = gzip_step, .free = gzip_free};
	gzip->method = method;
	gzip->state = method->begin();
	return &gzip->codec;
}
