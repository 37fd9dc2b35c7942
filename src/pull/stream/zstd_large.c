/* SPDX-License-Identifier: Apache-2.0 */
/* Frames, block after block. */
#include "zstd_large.h"

#include <assert.h>
#include <errno.h>

#include "berth/base/alloc.h"
#include "berth/base/str.h"

#include "xxhash64.h"
#include "zstd_block.h"

/* What is read next. */
enum place {
	PLACE_BLOCK_HEADER,
	PLACE_BLOCK,
	PLACE_CHECKSUM,
	PLACE_END,
};

enum block_type {
	BLOCK_RAW,
	BLOCK_REPEATED,
	BLOCK_PACKED,
	BLOCK_RESERVED,
};

#define BLOCK_HEADER_SIZE 3
#define CHECKSUM_SIZE	  4

struct zstd_large {
	struct zstd_header header;
	struct zstd_window window;
	struct zstd_blocks blocks;
	struct xxhash64 hash;
	enum place place;
	enum block_type type;
	bool is_last;
	size_t size;	     /* that the header of the block has */
	size_t pending;	     /* bytes at the window's end that have not been given away */
	size_t have, wanted; /* bytes of what is read next */
	uint8_t input[ZSTD_BLOCK_MAX + ZSTD_WINDOW_SLACK];
};

static_assert(ZSTD_WINDOW_SLACK >= ZSTD_SLACK, "slack for bits, too");

const size_t zstd_large_memory = sizeof(struct zstd_large) + ZSTD_WINDOW_MEMORY;

static uint64_t little_endian(const uint8_t *data, size_t size)
{
	uint64_t value = 0;

	for (size_t i = 0; i < size; i++)
		value |= (uint64_t)data[i] << (8 * i);
	return value;
}

/* --- The header -------------------------------------------------------------------------------
 */

/* The descriptor, behind the magic number. */
struct descriptor {
	size_t window, dictionary, content; /* sizes of fields */
	bool has_checksum, is_reserved;
};

static struct descriptor describe(uint8_t byte)
{
	static const size_t dictionaries[] = {0, 1, 2, 4};
	const bool is_single = byte & 0x20;
	const size_t contents[] = {is_single ? 1 : 0, 2, 4, 8};

	return (struct descriptor){
		.window = is_single ? 0 : 1,
		.dictionary = dictionaries[byte & 3],
		.content = contents[byte >> 6],
		.has_checksum = byte & 4,
		.is_reserved = byte & 8,
	};
}

size_t zstd_header_size(const uint8_t head[static 5])
{
	const struct descriptor descriptor = describe(head[4]);

	return 5 + descriptor.window + descriptor.dictionary + descriptor.content;
}

bool zstd_header_read(const uint8_t *head, struct zstd_header *ret)
{
	const struct descriptor descriptor = describe(head[4]);
	const uint8_t *at = head + 5;
	const uint8_t window = *at;

	at += descriptor.window;
	*ret = (struct zstd_header){
		.has_checksum = descriptor.has_checksum,
		.has_dictionary = little_endian(at, descriptor.dictionary) != 0,
		.content = UINT64_MAX,
	};
	at += descriptor.dictionary;
	if (descriptor.content > 0)
		ret->content =
			little_endian(at, descriptor.content) + (descriptor.content == 2 ? 256 : 0);
	if (descriptor.window > 0)
		ret->window = ((uint64_t)8 + (window & 7)) << (7 + (window >> 3));
	else
		ret->window = ret->content;
	return !descriptor.is_reserved;
}

/* --- A frame ----------------------------------------------------------------------------------
 */

static int damaged(const char *what, struct error *err)
{
	return refuse_as(err, -EBADMSG, "the zstd data is damaged (%s)", what);
}

static void read_next(struct zstd_large *large, enum place place, size_t wanted)
{
	large->place = place;
	large->wanted = wanted;
	large->have = 0;
}

int zstd_large_new(const struct zstd_header *header, const char *directory, struct zstd_large **ret,
		   struct error *err)
{
	struct zstd_large *large = xcalloc(1, sizeof(*large));
	int r = zstd_window_open(&large->window, directory, header->window, err);

	if (r < 0) {
		free(large);
		return r;
	}
	large->header = *header;
	zstd_blocks_begin(&large->blocks, header->window);
	xxhash64_begin(&large->hash);
	read_next(large, PLACE_BLOCK_HEADER, BLOCK_HEADER_SIZE);
	*ret = large;
	return 0;
}

struct zstd_large *zstd_large_free(struct zstd_large *large)
{
	if (large)
		zstd_window_close(&large->window);
	free(large);
	return NULL;
}

static int read_block_header(struct zstd_large *large, struct error *err)
{
	const uint64_t header = little_endian(large->input, BLOCK_HEADER_SIZE);

	large->is_last = header & 1;
	large->type = (enum block_type)(header >> 1 & 3);
	large->size = (size_t)(header >> 3);
	if (large->type == BLOCK_RESERVED || large->size > ZSTD_BLOCK_MAX)
		return damaged("a block's header", err);
	read_next(large, PLACE_BLOCK, large->type == BLOCK_REPEATED ? 1 : large->size);
	return 0;
}

static int decode_block(struct zstd_large *large, struct error *err)
{
	struct zstd_window *window = &large->window;
	const uint64_t before = window->end;
	int r = zstd_window_begin_block(window, err);

	if (r >= 0 && large->type == BLOCK_PACKED)
		r = zstd_block_decode(&large->blocks, large->input, large->size, window, err);
	if (r < 0)
		return r;
	if (large->type == BLOCK_REPEATED)
		memset(large->input, large->input[0], large->size);
	if (large->type != BLOCK_PACKED)
		zstd_window_add(window, large->input, large->size);
	large->pending = (size_t)(window->end - before);
	if (large->header.has_checksum)
		xxhash64_add(&large->hash, window->recent + window->fill - large->pending,
			     large->pending);
	if (window->end > large->header.content)
		return damaged("it is longer than it says", err);
	return 0;
}

static int read_block(struct zstd_large *large, struct error *err)
{
	int r = decode_block(large, err);

	if (r < 0)
		return r;
	if (!large->is_last) {
		read_next(large, PLACE_BLOCK_HEADER, BLOCK_HEADER_SIZE);
		return 0;
	}
	if (large->header.content != UINT64_MAX && large->window.end < large->header.content)
		return damaged("it is shorter than it says", err);
	if (large->header.has_checksum)
		read_next(large, PLACE_CHECKSUM, CHECKSUM_SIZE);
	else
		read_next(large, PLACE_END, 0);
	return 0;
}

static int read_checksum(struct zstd_large *large, struct error *err)
{
	if (little_endian(large->input, CHECKSUM_SIZE) != (uint32_t)xxhash64_end(&large->hash))
		return damaged("its checksum is another one", err);
	read_next(large, PLACE_END, 0);
	return 0;
}

static void give(struct zstd_large *large, struct room *out)
{
	const size_t part = large->pending < out->size ? large->pending : out->size;

	memcpy(out->data, large->window.recent + large->window.fill - large->pending, part);
	room_fill(out, part);
	large->pending -= part;
}

static void take_input(struct zstd_large *large, struct span *in)
{
	const size_t missing = large->wanted - large->have;
	const size_t part = missing < in->size ? missing : in->size;

	memcpy(large->input + large->have, in->data, part);
	span_take(in, part);
	large->have += part;
}

int zstd_large_step(struct zstd_large *large, struct span *in, struct room *out, struct error *err)
{
	static int (*const read[])(struct zstd_large * large, struct error * err) = {
		[PLACE_BLOCK_HEADER] = read_block_header,
		[PLACE_BLOCK] = read_block,
		[PLACE_CHECKSUM] = read_checksum,
	};
	int r = 0;

	while (r >= 0) {
		if (large->pending > 0)
			give(large, out);
		if (large->pending > 0)
			return CODEC_WITHIN;
		if (large->place == PLACE_END)
			return CODEC_BETWEEN;
		take_input(large, in);
		if (large->have < large->wanted)
			return CODEC_WITHIN;
		r = read[large->place](large, err);
	}
	return r;
}
