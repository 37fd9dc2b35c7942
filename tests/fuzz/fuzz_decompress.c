/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Feeds any bytes to the decompressor, as a whole and in pieces: both must give the same content,
 * or fail; never more than the limit. gzip is decoded by either library, and where both succeed
 * they must agree.
 */
#include <stdlib.h>
#include <string.h>

#include "berth/base/str.h"

#include "stream/inflate.h"

#include "pieces.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MAX (1u << 20)

static int unpack(struct reader *inner, struct buf *out)
{
	static const struct decompress_limits limits = {.bytes = MAX,
							.bytes_option = "--max",
							.ratio = 1100,
							.zstd_window = 32 << 20,
							.directory = "/tmp"};
	_cleanup_reader_ struct reader *reader = reader_decompress(inner, &limits, "input");
	struct error err = ERROR_NONE;
	const void *data;
	size_t size;
	int r;

	while ((r = reader_read(reader, &data, &size, &err)) > 0)
		buf_add(out, data, size);
	if (r == 0 && reader_read(reader, &data, &size, &err) != 0)
		abort();
	if (out->size > MAX || (r < 0 && (err.code != r || !err.text[0])))
		abort();
	return r;
}

/* Up to the first member that ends with the input; without the limit, so not to its end. */
static int decode(const struct inflate_method *method, const uint8_t *data, size_t size,
		  struct buf *out)
{
	struct codec *codec = gzip_codec_new(method);
	struct span in = {.data = data, .size = size};
	struct error err = ERROR_NONE;
	uint8_t buffer[1000];
	bool full = false;
	int r = CODEC_WITHIN;

	while (r >= 0 && (in.size > 0 || full) && out->size < MAX) {
		struct room room = {.data = buffer, .size = 1 + size % sizeof(buffer)};
		size_t all = room.size;

		r = codec->step(codec, &in, &room, &err);
		buf_add(out, buffer, all - room.size);
		full = room.size == 0;
	}
	codec->free(codec);
	return r;
}

static void compare_libraries(const uint8_t *data, size_t size)
{
	_cleanup_buf_ struct buf zlib = BUF_EMPTY, isal = BUF_EMPTY;

	if (decode(&inflate_zlib, data, size, &zlib) != CODEC_BETWEEN || !inflate_isal() ||
	    decode(inflate_isal(), data, size, &isal) != CODEC_BETWEEN)
		return;
	if (zlib.size != isal.size || (zlib.size && memcmp(zlib.data, isal.data, zlib.size) != 0))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_buf_ struct buf whole = BUF_EMPTY, pieces = BUF_EMPTY;
	int r = unpack(reader_of_memory(data, size), &whole);
	int again = unpack(reader_of_pieces(data, size, 1 + size % 100), &pieces);

	if ((r < 0) != (again < 0))
		abort();
	if (r == 0 && (whole.size != pieces.size ||
		       (whole.size && memcmp(whole.data, pieces.data, whole.size) != 0)))
		abort();
	compare_libraries(data, size);
	return 0;
}
