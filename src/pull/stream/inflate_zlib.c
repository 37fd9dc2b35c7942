/* SPDX-License-Identifier: Apache-2.0 */
/* Deflate by zlib, which is always there. */
#include <errno.h>
#include <limits.h>
#include <zlib.h>

#include "berth/base/alloc.h"

#include "inflate.h"

static void *zlib_begin(void)
{
	z_stream *stream = xcalloc(1, sizeof(*stream));

	/* Below zero: a raw stream, without a header. */
	if (inflateInit2(stream, -MAX_WBITS) != Z_OK)
		out_of_memory();
	return stream;
}

static void zlib_reset(void *state)
{
	inflateReset(state);
}

static void zlib_end(void *state)
{
	inflateEnd(state);
	free(state);
}

/* zlib counts in unsigned int. */
static uInt bounded(size_t size)
{
	return size < INT_MAX ? (uInt)size : INT_MAX;
}

static int zlib_step(void *state, struct span *in, struct room *out, struct inflate_ahead *ahead)
{
	z_stream *stream = state;
	uInt before_in = bounded(in->size), before_out = bounded(out->size);
	int r;

	ahead->size = 0;
	stream->next_in = (z_const Bytef *)in->data;
	stream->avail_in = before_in;
	stream->next_out = out->data;
	stream->avail_out = before_out;
	r = inflate(stream, Z_NO_FLUSH);
	span_take(in, before_in - stream->avail_in);
	room_fill(out, before_out - stream->avail_out);
	if (r == Z_MEM_ERROR)
		out_of_memory();
	if (r == Z_STREAM_END)
		return 0;
	/* Z_BUF_ERROR: nothing to do without more input or room. */
	return r == Z_OK || r == Z_BUF_ERROR ? 1 : -EBADMSG;
}

static uint32_t zlib_check(uint32_t check, const void *data, size_t size)
{
	return (uint32_t)crc32_z(check, data, size);
}

const struct inflate_method inflate_zlib = {
	.name = "zlib",
	.begin = zlib_begin,
	.reset = zlib_reset,
	.end = zlib_end,
	.step = zlib_step,
	.check = zlib_check,
};
