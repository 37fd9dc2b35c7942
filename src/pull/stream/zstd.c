/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Zstandard (RFC 8878), by its library. zstd:chunked layers have many frames, skippable ones too.
 *
 * Theory of operation. A frame says how large a window its decoder must keep, from nothing to the
 * limit: several layers side by side would take several times that much. So a frame first
 * gets its header only, from which the library allocates what it will need, without touching it.
 * Then the frame waits until the frames at work leave room for it; one that is larger than all room
 * works alone. Whoever waits holds nothing that another one waits for: a context that has used its
 * memory is freed at the end of the frame.
 */
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "berth/base/alloc.h"

#include "codec.h"

#define HEADER_MAX 18	      /* bytes of a frame's header, its magic number included */
#define ROOM	   (6u << 20) /* bytes for all frames at work: two of zstd's usual level */
#define SMALL	   (1u << 20) /* what needs less does not count */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t given_back = PTHREAD_COND_INITIALIZER;
static size_t used; /* of the room, or more than it; under the lock */

struct zstd {
	struct codec codec;
	int window_log;	    /* the largest window, as a power of two */
	ZSTD_DCtx *context; /* NULL between frames */
	bool within;	    /* a frame */
	size_t header;	    /* bytes of its header that are still to come, at most */
	size_t held;	    /* of the room */
};

static void take_room(struct zstd *zstd)
{
	size_t size = ZSTD_sizeof_DCtx(zstd->context);

	if (size < SMALL)
		return;
	pthread_mutex_lock(&lock);
	while (used > 0 && used + size > ROOM)
		pthread_cond_wait(&given_back, &lock);
	used += size;
	pthread_mutex_unlock(&lock);
	zstd->held = size;
}

static void give_back_room(struct zstd *zstd)
{
	ZSTD_freeDCtx(zstd->context);
	zstd->context = NULL;
	pthread_mutex_lock(&lock);
	used -= zstd->held;
	zstd->held = 0;
	pthread_cond_broadcast(&given_back);
	pthread_mutex_unlock(&lock);
}

static void begin_frame(struct zstd *zstd)
{
	zstd->header = HEADER_MAX;
	if (zstd->context)
		return;
	zstd->context = ZSTD_createDCtx();
	if (!zstd->context || ZSTD_isError(ZSTD_DCtx_setParameter(
				      zstd->context, ZSTD_d_windowLogMax, zstd->window_log)))
		out_of_memory();
}

/* Lets the library have some of the input. Returns what it says. */
static size_t decode(struct zstd *zstd, struct span *in, struct room *out)
{
	bool is_header = zstd->header > 0;
	ZSTD_inBuffer input = {.src = in->data, .size = in->size};
	ZSTD_outBuffer output = {.dst = out->data, .size = out->size};
	size_t r;

	if (is_header && input.size > zstd->header)
		input.size = zstd->header;
	r = ZSTD_decompressStream(zstd->context, &output, &input);
	span_take(in, input.pos);
	room_fill(out, output.pos);
	if (ZSTD_isError(r))
		return r;
	zstd->within = r != 0;
	if (is_header) {
		zstd->header -= input.pos;
		if (zstd->header == 0 && zstd->within)
			take_room(zstd);
	}
	if (!zstd->within && zstd->held > 0)
		give_back_room(zstd);
	return r;
}

static int zstd_step(struct codec *self, struct span *in, struct room *out, struct error *err)
{
	struct zstd *zstd = (struct zstd *)self;
	size_t r;

	if (!zstd->within && in->size == 0)
		return CODEC_BETWEEN;
	if (!zstd->within)
		begin_frame(zstd);
	do
		r = decode(zstd, in, out);
	while (!ZSTD_isError(r) && zstd->within && in->size > 0 && out->size > 0);
	if (!ZSTD_isError(r))
		return zstd->within ? CODEC_WITHIN : CODEC_BETWEEN;
	if (ZSTD_getErrorCode(r) == ZSTD_error_memory_allocation)
		out_of_memory();
	if (ZSTD_getErrorCode(r) == ZSTD_error_frameParameter_windowTooLarge)
		return refuse_as(
			err, -EFBIG,
			"the zstd data needs a window of more than %d MiB (--max-zstd-window)",
			1 << (zstd->window_log - 20));
	return refuse_as(err, -EBADMSG, "the zstd data is damaged (%s)", ZSTD_getErrorName(r));
}

static void zstd_free(struct codec *self)
{
	struct zstd *zstd = (struct zstd *)self;

	give_back_room(zstd);
	free(zstd);
}

struct codec *zstd_codec_new(uint64_t window)
{
	struct zstd *zstd = xcalloc(1, sizeof(*zstd));

	zstd->window_log = 63 - __builtin_clzll(window);
	zstd->codec = (struct codec){.step = zstd_step, .free = zstd_free};
	return &zstd->codec;
}
