/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Feeds any bytes as the frame behind a magic number to the decoder of large windows: where it
 * comes to an end, the library must have got the same.
 */
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "berth/base/alloc.h"
#include "berth/base/str.h"

#include "stream/zstd_large.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MAX (1u << 20)

/* Up to the end of the frame, or MAX. */
static int unpack(const uint8_t *data, size_t size, size_t *ret_used, struct buf *out)
{
	struct span in = {.data = data, .size = size};
	struct zstd_large *large = NULL;
	struct zstd_header header;
	struct error err = ERROR_NONE;
	uint8_t buffer[1000];
	int r;

	span_take(&in, zstd_header_size(data));
	if (!zstd_header_read(data, &header) || header.window > 128 << 20 || header.has_dictionary)
		return -1;
	r = zstd_large_new(&header, "/tmp", &large, &err);
	while (r >= 0) {
		struct room room = {.data = buffer, .size = 1 + size % sizeof(buffer)};
		const size_t all = room.size;

		r = zstd_large_step(large, &in, &room, &err);
		buf_add(out, buffer, all - room.size);
		if (r == CODEC_BETWEEN || out->size > MAX || (in.size == 0 && room.size > 0))
			break;
	}
	zstd_large_free(large);
	if (r < 0 && (err.code != r || !err.text[0]))
		abort();
	*ret_used = size - in.size;
	return r;
}

/* What the library makes of exactly this frame; false: nothing. */
static bool unpack_by_library(const uint8_t *data, size_t size, struct buf *out)
{
	ZSTD_DCtx *context = ZSTD_createDCtx();
	ZSTD_inBuffer in = {.src = data, .size = size};
	uint8_t buffer[4096];
	size_t r = 1;

	while (r != 0 && !ZSTD_isError(r) && out->size <= MAX) {
		ZSTD_outBuffer room = {.dst = buffer, .size = sizeof(buffer)};

		r = ZSTD_decompressStream(context, &room, &in);
		buf_add(out, buffer, room.pos);
		if (r != 0 && room.pos == 0 && in.pos == in.size)
			break;
	}
	ZSTD_freeDCtx(context);
	return r == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t magic[4] = {0x28, 0xb5, 0x2f, 0xfd};
	_cleanup_free_ uint8_t *frame = xcalloc(1, size + 4);
	_cleanup_buf_ struct buf ours = BUF_EMPTY, theirs = BUF_EMPTY;
	size_t used = 0;

	memcpy(frame, magic, sizeof(magic));
	if (size > 0)
		memcpy(frame + 4, data, size);
	size += 4;
	if (size < 5 || zstd_header_size(frame) > size ||
	    unpack(frame, size, &used, &ours) != CODEC_BETWEEN)
		return 0;
	if (!unpack_by_library(frame, used, &theirs))
		return 0;
	if (ours.size != theirs.size ||
	    (ours.size && memcmp(ours.data, theirs.data, ours.size) != 0))
		abort();
	return 0;
}
