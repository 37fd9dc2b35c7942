/* SPDX-License-Identifier: Apache-2.0 */
/* Zstandard (RFC 8878), by its library. zstd:chunked layers have many frames, skippable ones too.
 */
#include <errno.h>
#include <stdbool.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "berth/base/alloc.h"

#include "codec.h"

/* Largest window as a power of two: 128 MiB, what other clients accept, too. The decoder needs that
 * much memory for a frame that asks for it. */
#define WINDOW_LOG_MAX 27

struct zstd {
	struct codec codec;
	ZSTD_DCtx *context;
	bool within; /* a frame */
};

static int zstd_step(struct codec *self, struct span *in, struct room *out, struct error *err)
{
	struct zstd *zstd = (struct zstd *)self;
	ZSTD_inBuffer input = {.src = in->data, .size = in->size};
	ZSTD_outBuffer output = {.dst = out->data, .size = out->size};
	size_t r;

	if (!zstd->within && in->size == 0)
		return CODEC_BETWEEN;
	do {
		r = ZSTD_decompressStream(zstd->context, &output, &input);
		if (ZSTD_isError(r))
			break;
		zstd->within = r != 0;
	} while (zstd->within && input.pos < input.size && output.pos < output.size);
	span_take(in, input.pos);
	room_fill(out, output.pos);
	if (!ZSTD_isError(r))
		return zstd->within ? CODEC_WITHIN : CODEC_BETWEEN;
	if (ZSTD_getErrorCode(r) == ZSTD_error_memory_allocation)
		out_of_memory();
	if (ZSTD_getErrorCode(r) == ZSTD_error_frameParameter_windowTooLarge)
		return refuse_as(err, -EFBIG, "the zstd data needs a window of more than %u MiB",
				 1u << (WINDOW_LOG_MAX - 20));
	return refuse_as(err, -EBADMSG, "the zstd data is damaged (%s)", ZSTD_getErrorName(r));
}

static void zstd_free(struct codec *self)
{
	struct zstd *zstd = (struct zstd *)self;

	ZSTD_freeDCtx(zstd->context);
	free(zstd);
}

struct codec *zstd_codec_new(void)
{
	struct zstd *zstd = xcalloc(1, sizeof(*zstd));

	zstd->codec = (struct codec){.step = zstd_step, .free = zstd_free};
	zstd->context = ZSTD_createDCtx();
	if (!zstd->context || ZSTD_isError(ZSTD_DCtx_setParameter(
				      zstd->context, ZSTD_d_windowLogMax, WINDOW_LOG_MAX)))
		out_of_memory();
	return &zstd->codec;
}
