/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stage of a stream that unpacks it. What the bytes are is told by the bytes: media types of
 * layers are wrong too often. The sizes and checksums that packed data carries bound nothing, so
 * what comes out is counted here.
 */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "berth/base/alloc.h"
#include "berth/base/str.h"

#include "codec.h"
#include "inflate.h"
#include "reader.h"

#define RATIO_FREE_SIZE (16u << 20) /* bytes that may come out whatever went in */

struct decompress {
	struct reader reader;
	struct reader *inner;
	char *what;
	struct decompress_limits limits;
	struct codec *codec; /* NULL: the bytes stay as they are */
	bool begun;
	bool more;	    /* the codec has output without more input */
	bool between;	    /* two members; the data may end */
	bool zeros;	    /* nothing but zeros may follow */
	struct span in;	    /* what waits to be decoded */
	struct span behind; /* what follows it, in the inner reader's buffer */
	uint8_t head[COMPRESSION_HEAD_SIZE];
	uint64_t taken, given;	      /* bytes from the inner reader, and out of here */
	uint8_t buffer[READER_CHUNK]; /* what is lent */
};

/* More to decode. Returns 1, 0 at the end, or negative errno. */
static int fill(struct decompress *d, struct error *err)
{
	const void *data;
	int r;

	if (d->behind.size > 0) {
		d->in = d->behind;
		d->behind.size = 0;
		return 1;
	}
	r = reader_read(d->inner, &data, &d->in.size, err);
	if (r <= 0) {
		d->in.size = 0;
		return r;
	}
	d->in.data = data;
	d->taken += d->in.size;
	return 1;
}

/* Makes the first COMPRESSION_HEAD_SIZE bytes, if there are so many, lie in one piece in d->in. */
static int read_head(struct decompress *d, struct error *err)
{
	size_t have = 0;
	int r;

	r = fill(d, err);
	if (r <= 0 || d->in.size >= COMPRESSION_HEAD_SIZE)
		return r < 0 ? r : 0;
	do {
		size_t size = COMPRESSION_HEAD_SIZE - have < d->in.size
				      ? COMPRESSION_HEAD_SIZE - have
				      : d->in.size;

		memcpy(d->head + have, d->in.data, size);
		have += size;
		span_take(&d->in, size);
		r = have < COMPRESSION_HEAD_SIZE ? fill(d, err) : 0;
	} while (r > 0);
	d->behind = d->in;
	d->in = (struct span){.data = d->head, .size = have};
	return r;
}

enum compression compression_of(const void *head, size_t size)
{
	static const uint8_t zstd_magic[] = {0x28, 0xb5, 0x2f, 0xfd};
	static const uint8_t skippable_magic[] = {0x2a, 0x4d, 0x18}; /* after 50 to 5f */
	const uint8_t *bytes = head;

	if (size >= 2 && bytes[0] == 0x1f && bytes[1] == 0x8b)
		return COMPRESSION_GZIP;
	if (size < COMPRESSION_HEAD_SIZE)
		return COMPRESSION_NONE;
	if (memcmp(bytes, zstd_magic, sizeof(zstd_magic)) == 0 ||
	    ((bytes[0] & 0xf0) == 0x50 &&
	     memcmp(bytes + 1, skippable_magic, sizeof(skippable_magic)) == 0))
		return COMPRESSION_ZSTD;
	return COMPRESSION_NONE;
}

static int begin(struct decompress *d, struct error *err)
{
	enum compression compression;
	int r;

	r = read_head(d, err);
	if (r < 0)
		return r;
	d->begun = true;
	compression = compression_of(d->in.data, d->in.size);
	if (compression == COMPRESSION_GZIP)
		d->codec = gzip_codec_new(inflate_best());
	else if (compression == COMPRESSION_ZSTD)
		d->codec = zstd_codec_new(&d->limits);
	return 0;
}

/* @size more bytes come out: are they too many? */
static int count(struct decompress *d, size_t size, struct error *err)
{
	uint64_t used = d->taken - d->in.size - d->behind.size;

	d->given += size;
	if (d->given > d->limits.bytes)
		return refuse_as(err, -EFBIG, "%s: more than %llu byte%s when unpacked (%s)",
				 d->what, (unsigned long long)d->limits.bytes,
				 plural_s(d->limits.bytes), d->limits.bytes_option);
	if (d->limits.ratio > 0 && d->codec && d->given > RATIO_FREE_SIZE &&
	    d->given / d->limits.ratio > used)
		return refuse_as(
			err, -EFBIG,
			"%s: unpacked it is more than %llu times as large as packed (--max-ratio)",
			d->what, (unsigned long long)d->limits.ratio);
	return 0;
}

/* Some writers fill up the last block of their output device. */
static int skip_zeros(struct decompress *d, struct error *err)
{
	d->zeros = true;
	for (size_t i = 0; i < d->in.size; i++) {
		if (d->in.data[i] != 0)
			return refuse_as(err, -EBADMSG, "%s: rubbish after the end of its data",
					 d->what);
	}
	d->in.size = 0;
	return 0;
}

static int step(struct decompress *d, struct room *out, struct error *err)
{
	int r;

	if (d->between && d->in.size > 0 && (d->zeros || d->in.data[0] == 0))
		return skip_zeros(d, err);
	r = d->codec->step(d->codec, &d->in, out, err);
	if (r < 0)
		return within(err, r, "%s", d->what);
	d->between = r == CODEC_BETWEEN;
	d->more = out->size == 0;
	return 0;
}

/* Decodes into @out until it is full. Returns 0 at the end of the data, if nothing was left. */
static int decode(struct decompress *d, struct room *out, struct error *err)
{
	size_t all = out->size;
	int r;

	do {
		if (d->in.size == 0 && !d->more) {
			r = fill(d, err);
			if (r < 0)
				return r;
			if (r == 0 && !d->between)
				return refuse_as(err, -EBADMSG, "%s: its data is cut off", d->what);
			if (r == 0)
				return out->size < all;
		}
		r = step(d, out, err);
		if (r < 0)
			return r;
	} while (out->size > 0);
	return 1;
}

static int decode_into(struct decompress *d, void *to, size_t size, size_t *ret_size,
		       struct error *err)
{
	struct room out = {.data = to, .size = size};
	int r = decode(d, &out, err);

	if (r <= 0)
		return r;
	*ret_size = size - out.size;
	r = count(d, *ret_size, err);
	return r < 0 ? r : 1;
}

/* The data as it is. */
static int copy_into(struct decompress *d, uint8_t *to, size_t size, size_t *ret_size,
		     struct error *err)
{
	size_t have = 0;
	int r = 1;

	while (have < size && (d->in.size > 0 || (r = fill(d, err)) > 0)) {
		size_t part = d->in.size < size - have ? d->in.size : size - have;

		memcpy(to + have, d->in.data, part);
		have += part;
		span_take(&d->in, part);
	}
	if (r < 0 || have == 0)
		return r;
	*ret_size = have;
	r = count(d, have, err);
	return r < 0 ? r : 1;
}

static int decompress_read_into(struct reader *self, void *to, size_t size, size_t *ret_size,
				struct error *err)
{
	struct decompress *d = (struct decompress *)self;
	int r = d->begun ? 0 : begin(d, err);

	if (r < 0)
		return r;
	return d->codec ? decode_into(d, to, size, ret_size, err)
			: copy_into(d, to, size, ret_size, err);
}

static int decompress_read(struct reader *self, const void **ret_data, size_t *ret_size,
			   struct error *err)
{
	struct decompress *d = (struct decompress *)self;

	*ret_data = d->buffer;
	return decompress_read_into(self, d->buffer, sizeof(d->buffer), ret_size, err);
}

static void decompress_free(struct reader *self)
{
	struct decompress *d = (struct decompress *)self;

	cleanup_reader(&d->inner);
	if (d->codec)
		d->codec->free(d->codec);
	free(d->what);
	free(d);
}

struct reader *reader_decompress(struct reader *inner, const struct decompress_limits *limits,
				 const char *what)
{
	struct decompress *d = xcalloc(1, sizeof(*d));

	d->reader = (struct reader){.read = decompress_read,
				    .read_into = decompress_read_into,
				    .free = decompress_free};
	d->inner = inner;
	d->limits = *limits;
	d->what = xstrdup(what);
	return &d->reader;
}
