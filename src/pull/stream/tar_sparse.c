/* SPDX-License-Identifier: Apache-2.0 */
/* Where the pieces of a sparse file lie: GNU's four ways to say it. */
#include <errno.h>
#include <string.h>

#include "berth/base/alloc.h"

#include "tar_parts.h"

/* The old format: pieces of two numbers each, a flag that a block of more follows, and in the
 * header the size of the file. */
#define NUMBER_SIZE   ((size_t)12)
#define PIECE_SIZE    (2 * NUMBER_SIZE)
#define HEADER_PIECES 4
#define BLOCK_PIECES  21

void tar_map_done(struct tar_map *map)
{
	free(map->pieces);
	*map = (struct tar_map){0};
}

int tar_map_add(struct tar_map *map, uint64_t offset, uint64_t size, struct error *err)
{
	/* The empty ones, which only mark a file's end, are counted, too: they cost time. */
	if (map->added == TAR_SPARSE_MAX)
		return refuse_as(err, -EFBIG, "a sparse file of more than %u pieces",
				 TAR_SPARSE_MAX);
	map->added++;
	if (size == 0)
		return 0;
	if (map->count == map->room) {
		map->room = map->room ? 2 * map->room : 16;
		map->pieces = xrealloc(map->pieces, map->room, sizeof(*map->pieces));
	}
	map->pieces[map->count++] = (struct tar_piece){.offset = offset, .size = size};
	return 0;
}

static int not_a_map(struct error *err)
{
	return refuse_as(err, -EBADMSG, "the map of a sparse file is damaged");
}

int tar_map_read_text(struct tar_map *map, const char *text, struct error *err)
{
	while (*text) {
		uint64_t offset, size;
		int r;

		if (tar_decimal(&text, &offset) < 0 || *text++ != ',' ||
		    tar_decimal(&text, &size) < 0)
			return not_a_map(err);
		if (*text && (*text++ != ',' || !*text))
			return not_a_map(err);
		r = tar_map_add(map, offset, size, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Pieces of the old format, to the first that is empty. */
static int read_pieces(struct tar_map *map, const uint8_t *data, size_t count, struct error *err)
{
	for (size_t i = 0; i < count && data[i * PIECE_SIZE] != '\0'; i++) {
		const uint8_t *piece = data + i * PIECE_SIZE;
		int64_t offset, size;
		int r;

		if (tar_number(piece, NUMBER_SIZE, &offset) < 0 || offset < 0 ||
		    tar_number(piece + NUMBER_SIZE, NUMBER_SIZE, &size) < 0 || size < 0)
			return not_a_map(err);
		r = tar_map_add(map, (uint64_t)offset, (uint64_t)size, err);
		if (r < 0)
			return r;
	}
	return 0;
}

int tar_map_read_header(struct tar_map *map, const struct tar_header *header,
			struct tar_input *input, uint64_t *ret_size, struct error *err)
{
	const uint8_t *behind = header->sparse + HEADER_PIECES * PIECE_SIZE;
	bool more = behind[0] != 0;
	const uint8_t *block;
	int64_t size;
	int r;

	if (tar_number(behind + 1, NUMBER_SIZE, &size) < 0 || size < 0)
		return not_a_map(err);
	*ret_size = (uint64_t)size;
	r = read_pieces(map, header->sparse, HEADER_PIECES, err);
	while (r == 0 && more) {
		r = tar_input_block(input, &block, err);
		if (r <= 0)
			return r < 0 ? r : not_a_map(err);
		more = block[BLOCK_PIECES * PIECE_SIZE] != 0;
		r = read_pieces(map, block, BLOCK_PIECES, err);
	}
	return r;
}

/* The numbers of a pax 1.0 map: each in a line, over blocks. */
struct lines {
	struct tar_input *input;
	uint64_t *left;
	const uint8_t *block;
	size_t used;
};

static int next_byte(struct lines *lines, uint8_t *ret, struct error *err)
{
	int r;

	if (lines->used == TAR_BLOCK_SIZE) {
		if (*lines->left < TAR_BLOCK_SIZE)
			return not_a_map(err);
		r = tar_input_block(lines->input, &lines->block, err);
		if (r <= 0)
			return r < 0 ? r : not_a_map(err);
		*lines->left -= TAR_BLOCK_SIZE;
		lines->used = 0;
	}
	*ret = lines->block[lines->used++];
	return 0;
}

static int next_line(struct lines *lines, uint64_t *ret, struct error *err)
{
	char text[24];
	const char *at = text;
	uint8_t byte = 0;
	size_t length = 0;
	int r;

	for (;;) {
		r = next_byte(lines, &byte, err);
		if (r < 0)
			return r;
		if (byte == '\n')
			break;
		if (length == sizeof(text) - 1)
			return not_a_map(err);
		text[length++] = (char)byte;
	}
	text[length] = '\0';
	return tar_decimal(&at, ret) < 0 || *at ? not_a_map(err) : 0;
}

int tar_map_read_content(struct tar_map *map, struct tar_input *input, uint64_t *left,
			 struct error *err)
{
	struct lines lines = {.input = input, .left = left, .used = TAR_BLOCK_SIZE};
	uint64_t count = 0, offset = 0, size = 0;
	int r;

	r = next_line(&lines, &count, err);
	for (; r == 0 && count > 0; count--) {
		r = next_line(&lines, &offset, err);
		if (r == 0)
			r = next_line(&lines, &size, err);
		if (r == 0)
			r = tar_map_add(map, offset, size, err);
	}
	return r;
}

int tar_map_check(const struct tar_map *map, uint64_t size, uint64_t stored, struct error *err)
{
	uint64_t end = 0, sum = 0;

	for (size_t i = 0; i < map->count; i++) {
		const struct tar_piece *piece = &map->pieces[i];

		if (piece->offset < end ||
		    __builtin_add_overflow(piece->offset, piece->size, &end) || end > size)
			return not_a_map(err);
		sum += piece->size; /* not more than size, as they do not overlap */
	}
	return sum == stored ? 0 : not_a_map(err);
}
