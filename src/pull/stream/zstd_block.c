/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A block is a section of literals, bytes that are there as they are or in Huffman codes, and one
 * of sequences: so many literals, then so many bytes of what has been before.
 */
#include "zstd_block.h"

#include <errno.h>

#include "berth/base/str.h"

/* Bytes that are still to be read. */
struct part {
	const uint8_t *data;
	size_t size;
};

static void take(struct part *part, size_t size)
{
	part->data += size;
	part->size -= size;
}

static int damaged(const char *what, struct error *err)
{
	ignore(refuse_as(err, -EBADMSG, "the zstd data is damaged (%s)", what));
	return -EBADMSG; /* so that clang-tidy knows the sign */
}

void zstd_blocks_begin(struct zstd_blocks *blocks, uint64_t window)
{
	blocks->huffman.log = 0;
	memset(blocks->has_code, 0, sizeof(blocks->has_code));
	blocks->distances[0] = 1;
	blocks->distances[1] = 4;
	blocks->distances[2] = 8;
	blocks->window = window;
}

/* --- Literals ---------------------------------------------------------------------------------
 */

enum literals_type {
	LITERALS_RAW,
	LITERALS_REPEATED,
	LITERALS_PACKED,
	LITERALS_PACKED_AS_BEFORE,
};

struct literals {
	enum literals_type type;
	size_t size, packed;
	unsigned streams;
};

/* A number in the header's bits. */
static size_t field(uint64_t header, unsigned from, unsigned count)
{
	return (size_t)(header >> from & ((1u << count) - 1));
}

/* Returns the size of the header; 0: it is cut off. */
static size_t read_literals_header(const struct part *part, struct literals *ret)
{
	/* By the two bits of the format. */
	static const struct {
		size_t header;
		unsigned from, bits;
	} plain[4] = {{1, 3, 5}, {2, 4, 12}, {1, 3, 5}, {3, 4, 20}},
	  packed[4] = {{3, 4, 10}, {3, 4, 10}, {4, 4, 14}, {5, 4, 18}};
	uint64_t header = 0;
	unsigned format;

	for (size_t i = 0; i < 5 && i < part->size; i++)
		header |= (uint64_t)part->data[i] << (8 * i);
	ret->type = (enum literals_type)field(header, 0, 2);
	format = (unsigned)field(header, 2, 2);
	if (ret->type == LITERALS_RAW || ret->type == LITERALS_REPEATED) {
		ret->size = field(header, plain[format].from, plain[format].bits);
		ret->packed = ret->type == LITERALS_RAW ? ret->size : 1;
		return plain[format].header;
	}
	ret->size = field(header, packed[format].from, packed[format].bits);
	ret->packed = field(header, packed[format].from + packed[format].bits, packed[format].bits);
	ret->streams = format == 0 ? 1 : 4;
	return packed[format].header;
}

/* Four streams, each of a quarter of the literals, behind the sizes of the first three. */
static bool unpack_streams(const struct zstd_huffman *huffman, struct part part, uint8_t *to,
			   size_t size)
{
	const size_t quarter = (size + 3) / 4;
	size_t sizes[4], used = 6;

	if (part.size < used || 3 * quarter > size)
		return false;
	for (size_t i = 0; i < 3; i++) {
		sizes[i] = part.data[2 * i] | (size_t)part.data[2 * i + 1] << 8;
		used += sizes[i];
	}
	if (used > part.size)
		return false;
	sizes[3] = part.size - used;
	take(&part, 6);
	for (size_t i = 0; i < 4; i++) {
		const size_t count = i < 3 ? quarter : size - 3 * quarter;

		if (!zstd_huffman_decode(huffman, part.data, sizes[i], to + i * quarter, count))
			return false;
		take(&part, sizes[i]);
	}
	return true;
}

static bool unpack_literals(struct zstd_blocks *blocks, const struct literals *literals,
			    struct part part)
{
	size_t used = 0;

	if (literals->type == LITERALS_PACKED &&
	    !zstd_huffman_read(&blocks->huffman, part.data, part.size, &used))
		return false;
	if (blocks->huffman.log == 0)
		return false;
	take(&part, used);
	if (literals->streams == 4)
		return unpack_streams(&blocks->huffman, part, blocks->literals, literals->size);
	return zstd_huffman_decode(&blocks->huffman, part.data, part.size, blocks->literals,
				   literals->size);
}

/* Reads the section of literals; *ret_literals: they lie there, with slack behind them. */
static bool read_literals(struct zstd_blocks *blocks, struct part *part, struct part *ret)
{
	struct literals literals = {.streams = 1};
	const size_t header = read_literals_header(part, &literals);
	bool fine = true;

	if (header > part->size || literals.size > ZSTD_BLOCK_MAX ||
	    literals.packed > part->size - header)
		return false;
	take(part, header);
	if (literals.type == LITERALS_RAW)
		memcpy(blocks->literals, part->data, literals.size);
	else if (literals.type == LITERALS_REPEATED)
		memset(blocks->literals, part->data[0], literals.size);
	else
		fine = unpack_literals(blocks, &literals,
				       (struct part){part->data, literals.packed});
	take(part, literals.packed);
	*ret = (struct part){blocks->literals, literals.size};
	return fine;
}

/* --- Sequences --------------------------------------------------------------------------------
 */

#define LITERALS_CODES	36
#define DISTANCES_CODES 32
#define MATCHES_CODES	53

/* What a code stands for: a number, and how many bits are added to it. */
struct code {
	uint32_t base;
	uint8_t bits;
};

static const struct code literals_codes[LITERALS_CODES] = {
	{0, 0},	    {1, 0},	{2, 0},	    {3, 0},	 {4, 0},      {5, 0},
	{6, 0},	    {7, 0},	{8, 0},	    {9, 0},	 {10, 0},     {11, 0},
	{12, 0},    {13, 0},	{14, 0},    {15, 0},	 {16, 1},     {18, 1},
	{20, 1},    {22, 1},	{24, 2},    {28, 2},	 {32, 3},     {40, 3},
	{48, 4},    {64, 6},	{128, 7},   {256, 8},	 {512, 9},    {1024, 10},
	{2048, 11}, {4096, 12}, {8192, 13}, {16384, 14}, {32768, 15}, {65536, 16},
};

static const struct code matches_codes[MATCHES_CODES] = {
	{3, 0},	    {4, 0},	 {5, 0},      {6, 0},	   {7, 0},     {8, 0},	   {9, 0},
	{10, 0},    {11, 0},	 {12, 0},     {13, 0},	   {14, 0},    {15, 0},	   {16, 0},
	{17, 0},    {18, 0},	 {19, 0},     {20, 0},	   {21, 0},    {22, 0},	   {23, 0},
	{24, 0},    {25, 0},	 {26, 0},     {27, 0},	   {28, 0},    {29, 0},	   {30, 0},
	{31, 0},    {32, 0},	 {33, 0},     {34, 0},	   {35, 1},    {37, 1},	   {39, 1},
	{41, 1},    {43, 2},	 {47, 2},     {51, 3},	   {59, 3},    {67, 4},	   {83, 4},
	{99, 5},    {131, 7},	 {259, 8},    {515, 9},	   {1027, 10}, {2051, 11}, {4099, 12},
	{8195, 13}, {16387, 14}, {32771, 15}, {65539, 16},
};

/* By enum zstd_code. */
static const struct {
	const char *fault;
	unsigned log_max, count;
	struct zstd_distribution usual;
} codes[ZSTD_CODE_MAX] = {
	[ZSTD_LITERALS] = {"codes of literals",
			   9,
			   LITERALS_CODES,
			   {6, LITERALS_CODES, {4, 3, 2, 2, 2, 2, 2, 2, 2,  2,	2,  2,
						2, 1, 1, 1, 2, 2, 2, 2, 2,  2,	2,  2,
						2, 3, 2, 1, 1, 1, 1, 1, -1, -1, -1, -1}}},
	[ZSTD_DISTANCES] = {"codes of distances",
			    8,
			    DISTANCES_CODES,
			    {5, 29, {1, 1, 1, 1, 1, 1, 2, 2, 2, 1,  1,	1,  1,	1, 1,
				     1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1}}},
	[ZSTD_MATCHES] = {"codes of matches",
			  9,
			  MATCHES_CODES,
			  {6, MATCHES_CODES, {1, 4, 3, 2, 2,  2,  2,  2,  2,  1,  1, 1, 1, 1,
					      1, 1, 1, 1, 1,  1,  1,  1,  1,  1,  1, 1, 1, 1,
					      1, 1, 1, 1, 1,  1,  1,  1,  1,  1,  1, 1, 1, 1,
					      1, 1, 1, 1, -1, -1, -1, -1, -1, -1, -1}}},
};

enum mode {
	MODE_USUAL,
	MODE_SINGLE,
	MODE_DESCRIBED,
	MODE_AS_BEFORE,
};

static bool read_table(struct zstd_blocks *blocks, enum zstd_code code, enum mode mode,
		       struct part *part)
{
	struct zstd_distribution distribution;
	struct zstd_fse *fse = &blocks->codes[code];
	size_t used = 1;

	if (mode == MODE_AS_BEFORE)
		return blocks->has_code[code];
	blocks->has_code[code] = true;
	if (mode == MODE_USUAL)
		return zstd_fse_make(fse, &codes[code].usual);
	if (mode == MODE_SINGLE) {
		if (part->size == 0 || part->data[0] >= codes[code].count)
			return false;
		zstd_fse_make_single(fse, part->data[0]);
	} else if (!zstd_distribution_read(part->data, part->size, codes[code].count,
					   codes[code].log_max, &distribution, &used) ||
		   !zstd_fse_make(fse, &distribution)) {
		return false;
	}
	take(part, used);
	return true;
}

/* How many there are; false: it is cut off. */
static bool read_count(struct part *part, size_t *ret)
{
	const uint8_t *data = part->data;
	const size_t size = part->size == 0 ? 1 : data[0] < 128 ? 1 : data[0] < 255 ? 2 : 3;

	if (part->size < size)
		return false;
	if (size == 1)
		*ret = data[0];
	else if (size == 2)
		*ret = ((size_t)data[0] - 128) << 8 | data[1];
	else
		*ret = (data[1] | (size_t)data[2] << 8) + 0x7f00;
	take(part, size);
	return true;
}

struct sequence {
	uint64_t distance;
	size_t literals, match;
};

/* Three states that each say what the next number is, and one stream of bits. */
struct sequences {
	struct zstd_blocks *blocks;
	struct zstd_bits bits;
	unsigned states[ZSTD_CODE_MAX];
};

/* One of the last distances, or a new one: it is the first of them then. */
static uint64_t choose_distance(uint64_t last[3], uint64_t value, bool has_literals)
{
	uint64_t distance;
	size_t which = 3;

	if (value > 3) {
		distance = value - 3;
	} else {
		which = (size_t)value - (has_literals ? 1 : 0);
		distance = which < 3 ? last[which] : last[0] - 1;
	}
	if (which == 0)
		return distance;
	if (which > 1)
		last[2] = last[1];
	last[1] = last[0];
	last[0] = distance;
	return distance;
}

static struct sequence read_sequence(struct sequences *all)
{
	struct zstd_blocks *blocks = all->blocks;
	const unsigned distance =
		blocks->codes[ZSTD_DISTANCES].states[all->states[ZSTD_DISTANCES]].symbol;
	const struct code *match =
		&matches_codes
			[blocks->codes[ZSTD_MATCHES].states[all->states[ZSTD_MATCHES]].symbol];
	const struct code *literals =
		&literals_codes
			[blocks->codes[ZSTD_LITERALS].states[all->states[ZSTD_LITERALS]].symbol];
	const uint64_t value = ((uint64_t)1 << distance) + zstd_bits_read(&all->bits, distance);
	struct sequence sequence;

	sequence.match = match->base + (size_t)zstd_bits_read(&all->bits, match->bits);
	sequence.literals = literals->base + (size_t)zstd_bits_read(&all->bits, literals->bits);
	sequence.distance = choose_distance(blocks->distances, value, sequence.literals > 0);
	return sequence;
}

static void step(struct sequences *all)
{
	static const enum zstd_code order[] = {ZSTD_LITERALS, ZSTD_MATCHES, ZSTD_DISTANCES};

	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		all->states[order[i]] = zstd_fse_next(&all->blocks->codes[order[i]],
						      all->states[order[i]], &all->bits);
}

/* Carries @count sequences out; what is left of the literals comes last. */
static int carry_out(struct sequences *all, size_t count, struct part literals,
		     struct zstd_window *window, struct error *err)
{
	size_t room = ZSTD_BLOCK_MAX;

	for (size_t i = 0; i < count; i++) {
		const struct sequence sequence = read_sequence(all);
		int r;

		if (sequence.literals > literals.size || sequence.literals + sequence.match > room)
			return damaged("a sequence is too long", err);
		zstd_window_add(window, literals.data, sequence.literals);
		take(&literals, sequence.literals);
		room -= sequence.literals + sequence.match;
		if (sequence.distance - 1 >= all->blocks->window || sequence.distance > window->end)
			return damaged("a distance is too large", err);
		r = zstd_window_repeat(window, sequence.distance, sequence.match, err);
		if (r < 0)
			return r;
		if (i + 1 < count)
			step(all);
	}
	if (all->bits.left != 0)
		return damaged("sequences", err);
	if (literals.size > room)
		return damaged("a block is too large", err);
	zstd_window_add(window, literals.data, literals.size);
	return 0;
}

/* The tables and states of @part, which is all of what is left of the block. */
static int begin_sequences(struct sequences *all, struct part part, struct error *err)
{
	static const unsigned shifts[ZSTD_CODE_MAX] = {6, 4, 2};
	unsigned modes;

	if (part.size == 0 || (part.data[0] & 3) != 0)
		return damaged("modes of sequences", err);
	modes = part.data[0];
	take(&part, 1);
	for (int i = 0; i < ZSTD_CODE_MAX; i++) {
		if (!read_table(all->blocks, (enum zstd_code)i, (enum mode)(modes >> shifts[i] & 3),
				&part))
			return damaged(codes[i].fault, err);
	}
	if (!zstd_bits_open(part.data, part.size, &all->bits))
		return damaged("sequences", err);
	for (int i = 0; i < ZSTD_CODE_MAX; i++)
		all->states[i] = zstd_fse_begin(&all->blocks->codes[i], &all->bits);
	return 0;
}

int zstd_block_decode(struct zstd_blocks *blocks, const uint8_t *data, size_t size,
		      struct zstd_window *window, struct error *err)
{
	struct sequences sequences = {.blocks = blocks};
	struct part part = {data, size}, literals;
	size_t count;
	int r = 0;

	if (!read_literals(blocks, &part, &literals))
		return damaged("literals", err);
	if (!read_count(&part, &count) || (count == 0 && part.size > 0))
		return damaged("number of sequences", err);
	if (count > 0)
		r = begin_sequences(&sequences, part, err);
	return r < 0 ? r : carry_out(&sequences, count, literals, window, err);
}
