/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Zstandard (RFC 8878), by its library, or by zstd_large.c where the window is too large for
 * memory. zstd:chunked layers have many frames, skippable ones too.
 *
 * Theory of operation. A frame says how large a window its decoder must keep, from nothing to the
 * limit: several layers side by side would take several times that much. So the header of a frame
 * is read first, and the frame waits until the frames at work leave room for it; one that is larger
 * than all room works alone. Whoever waits holds nothing that another one waits for: what has used
 * its memory is freed at the end of the frame, and who reads is told, to let go of what it has.
 */
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "berth/base/alloc.h"

#include "codec.h"
#include "zstd_large.h"

#define ROOM	   (6u << 20) /* bytes for all frames at work: two of zstd's usual level */
#define SMALL	   (1u << 20) /* what needs less does not count */
#define LARGE_FROM (8u << 20) /* windows of more than this are kept in a file */
#define MAGIC_SIZE 4
#define LEAST_SIZE 5 /* with the first byte that says something */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t given_back = PTHREAD_COND_INITIALIZER;
static size_t used; /* of the room, or more than it; under the lock */

struct zstd {
	struct codec codec;
	const struct decompress_limits *limits;
	size_t have;	/* bytes of the frame's header; 0 between frames */
	bool has_begun; /* the header is whole; who decodes what follows is one of these: */
	ZSTD_DCtx *context;
	struct zstd_large *large;
	uint8_t head[ZSTD_HEADER_MAX];
	size_t held; /* of the room */
};

/* Under the lock. */
static bool has_room(size_t size)
{
	return used == 0 || used + size <= ROOM;
}

static void tell(const struct zstd *zstd, bool waits)
{
	if (zstd->limits->wait)
		zstd->limits->wait(zstd->limits->context, waits);
}

static void take_room(struct zstd *zstd, size_t size)
{
	bool waits;

	if (size < SMALL)
		return;
	pthread_mutex_lock(&lock);
	waits = !has_room(size);
	if (waits)
		tell(zstd, true);
	while (!has_room(size))
		pthread_cond_wait(&given_back, &lock);
	used += size;
	pthread_mutex_unlock(&lock);
	zstd->held = size;
	if (waits)
		tell(zstd, false);
}

static void give_back_room(struct zstd *zstd)
{
	if (zstd->held == 0)
		return;
	pthread_mutex_lock(&lock);
	used -= zstd->held;
	zstd->held = 0;
	pthread_cond_broadcast(&given_back);
	pthread_mutex_unlock(&lock);
}

/* A context that took next to nothing serves the next frame too. */
static void end_frame(struct zstd *zstd)
{
	zstd->large = zstd_large_free(zstd->large);
	if (zstd->held > 0) {
		ZSTD_freeDCtx(zstd->context);
		zstd->context = NULL;
	}
	give_back_room(zstd);
	zstd->have = 0;
	zstd->has_begun = false;
}

static int library_failed(size_t code, struct error *err)
{
	if (ZSTD_getErrorCode(code) == ZSTD_error_memory_allocation)
		out_of_memory();
	return refuse_as(err, -EBADMSG, "the zstd data is damaged (%s)", ZSTD_getErrorName(code));
}

/* Returns whether the frame has ended, or -EBADMSG. */
static int decode(struct zstd *zstd, struct span *in, struct room *out, struct error *err)
{
	ZSTD_inBuffer input = {.src = in->data, .size = in->size};
	ZSTD_outBuffer output = {.dst = out->data, .size = out->size};
	size_t r = ZSTD_decompressStream(zstd->context, &output, &input);

	span_take(in, input.pos);
	room_fill(out, output.pos);
	return ZSTD_isError(r) ? library_failed(r, err) : r == 0;
}

/* The library allocates by the header what it needs for the frame, without touching it. */
static int begin_by_library(struct zstd *zstd, struct error *err)
{
	struct span head = {.data = zstd->head, .size = zstd->have};
	uint8_t nothing[1];
	struct room none = {.data = nothing, .size = 0};
	int r;

	if (!zstd->context)
		zstd->context = ZSTD_createDCtx();
	if (!zstd->context)
		out_of_memory();
	r = decode(zstd, &head, &none, err);
	if (r >= 0)
		take_room(zstd, ZSTD_sizeof_DCtx(zstd->context));
	return r;
}

static int begin_frame(struct zstd *zstd, struct error *err)
{
	struct zstd_header header;

	if (!zstd_header_read(zstd->head, &header))
		return refuse_as(err, -EBADMSG, "the zstd data is damaged (a frame's header)");
	if (header.window > zstd->limits->zstd_window)
		return refuse_as(
			err, -EFBIG,
			"the zstd data needs a window of more than %llu MiB (--max-zstd-window)",
			(unsigned long long)(zstd->limits->zstd_window >> 20));
	if (header.has_dictionary)
		return refuse_as(err, -EBADMSG, "the zstd data needs a dictionary");
	/* Nothing lies further back than the beginning. */
	if ((header.window < header.content ? header.window : header.content) <= LARGE_FROM)
		return begin_by_library(zstd, err);
	take_room(zstd, zstd_large_memory);
	return zstd_large_new(&header, zstd->limits->directory, &zstd->large, err);
}

static bool is_frame(const struct zstd *zstd)
{
	static const uint8_t magic[MAGIC_SIZE] = {0x28, 0xb5, 0x2f, 0xfd};

	return memcmp(zstd->head, magic, MAGIC_SIZE) == 0;
}

/* How many bytes of the header are needed to go on, as far as is known by those that are there. */
static size_t header_size(const struct zstd *zstd)
{
	if (zstd->have < MAGIC_SIZE || !is_frame(zstd))
		return MAGIC_SIZE;
	return zstd->have < LEAST_SIZE ? LEAST_SIZE : zstd_header_size(zstd->head);
}

/* Returns 1 when the header is whole and the frame has begun, 0 where more is needed. */
static int read_header(struct zstd *zstd, struct span *in, struct error *err)
{
	int r;

	while (zstd->have < header_size(zstd)) {
		if (in->size == 0)
			return 0;
		zstd->head[zstd->have++] = in->data[0];
		span_take(in, 1);
	}
	/* The library may know formats older than zstd's, whose memory nothing here counts. */
	if (compression_of(zstd->head, MAGIC_SIZE) != COMPRESSION_ZSTD)
		return refuse_as(err, -EBADMSG, "rubbish after the end of the zstd data");
	r = is_frame(zstd) ? begin_frame(zstd, err) : begin_by_library(zstd, err);
	zstd->has_begun = r >= 0;
	return r < 0 ? r : 1;
}

/* Returns whether the frame has ended. */
static int step_frame(struct zstd *zstd, struct span *in, struct room *out, struct error *err)
{
	int r;

	if (zstd->large) {
		r = zstd_large_step(zstd->large, in, out, err);
		return r < 0 ? r : r == CODEC_BETWEEN;
	}
	do
		r = decode(zstd, in, out, err);
	while (r == 0 && in->size > 0 && out->size > 0);
	return r;
}

static int zstd_step(struct codec *self, struct span *in, struct room *out, struct error *err)
{
	struct zstd *zstd = (struct zstd *)self;
	int r = 1;

	if (zstd->have == 0 && in->size == 0)
		return CODEC_BETWEEN;
	if (!zstd->has_begun)
		r = read_header(zstd, in, err);
	if (r > 0)
		r = step_frame(zstd, in, out, err);
	if (r <= 0)
		return r < 0 ? r : CODEC_WITHIN;
	end_frame(zstd);
	return CODEC_BETWEEN;
}

static void zstd_free(struct codec *self)
{
	struct zstd *zstd = (struct zstd *)self;

	end_frame(zstd);
	ZSTD_freeDCtx(zstd->context);
	free(zstd);
}

struct codec *zstd_codec_new(const struct decompress_limits *limits)
{
	struct zstd *zstd = xcalloc(1, sizeof(*zstd));

	zstd->limits = limits;
	zstd->codec = (struct codec){.step = zstd_step, .free = zstd_free};
	return &zstd->codec;
}
