/* SPDX-License-Identifier: Apache-2.0 */
#include "zstd_entropy.h"

/* The highest bit that is set; of 0 there is none. */
static unsigned highest_bit(uint32_t value)
{
	return 31 - (unsigned)__builtin_clz(value);
}

bool zstd_bits_open(const uint8_t *data, size_t size, struct zstd_bits *ret)
{
	if (size == 0 || data[size - 1] == 0)
		return false;
	*ret = (struct zstd_bits){
		.data = data,
		.left = (int64_t)(size - 1) * 8 + highest_bit(data[size - 1]),
	};
	return true;
}

/* --- FSE --------------------------------------------------------------------------------------
 */

/* Bits that are read forwards. */
struct header {
	const uint8_t *data;
	size_t size; /* in bytes */
	size_t at;   /* in bits */
};

/* The next @count (1 to 16) bits, which stay; zeros behind the end. */
static uint32_t look(const struct header *header, unsigned count)
{
	uint32_t value = 0;

	for (unsigned i = 0; i < 3; i++) {
		const size_t byte = header->at / 8 + i;

		if (byte < header->size)
			value |= (uint32_t)header->data[byte] << (8 * i);
	}
	return (value >> (header->at % 8)) & ((1u << count) - 1);
}

/*
 * A number from 0 to @max: with the number of bits that @max takes, but for the smallest ones,
 * which get along with one bit less as far as there are values that nobody needs.
 */
static uint32_t read_up_to(struct header *header, uint32_t max)
{
	const unsigned count = highest_bit(max) + 1;
	const uint32_t unused = (1u << count) - 1 - max;
	const uint32_t value = look(header, count);
	const uint32_t low = value & ((1u << (count - 1)) - 1);

	if (low < unused) {
		header->at += count - 1;
		return low;
	}
	header->at += count;
	return value >= 1u << (count - 1) ? value - unused : value;
}

/* Behind a symbol that does not occur: how many more do not. */
static bool skip_zeros(struct header *header, unsigned max, struct zstd_distribution *ret)
{
	uint32_t zeros;

	do {
		zeros = look(header, 2);
		header->at += 2;
		if (ret->count + zeros > max)
			return false;
		for (uint32_t i = 0; i < zeros; i++)
			ret->weights[ret->count++] = 0;
	} while (zeros == 3);
	return true;
}

bool zstd_distribution_read(const uint8_t *data, size_t size, unsigned max, unsigned log_max,
			    struct zstd_distribution *ret, size_t *ret_used)
{
	struct header header = {.data = data, .size = size, .at = 4};
	uint32_t left;

	if (size == 0)
		return false;
	ret->log = (data[0] & 15) + 5;
	ret->count = 0;
	if (ret->log > log_max)
		return false;
	left = 1u << ret->log;
	while (left > 0) {
		uint32_t value = read_up_to(&header, left + 1);

		if (ret->count == max)
			return false;
		ret->weights[ret->count++] = (int16_t)((int32_t)value - 1);
		left -= value == 0 ? 1 : value - 1;
		if (value == 1 && !skip_zeros(&header, max, ret))
			return false;
	}
	*ret_used = (header.at + 7) / 8;
	return *ret_used <= size;
}

/* Gives each state its symbol. */
static bool spread(struct zstd_fse *fse, const struct zstd_distribution *distribution)
{
	const unsigned size = 1u << fse->log, step = (size >> 1) + (size >> 3) + 3;
	unsigned end = size, at = 0;

	/* The rarest have a state each, at the end. */
	for (unsigned symbol = 0; symbol < distribution->count; symbol++) {
		if (distribution->weights[symbol] < 0)
			fse->states[--end].symbol = (uint8_t)symbol;
	}
	for (unsigned symbol = 0; symbol < distribution->count; symbol++) {
		for (int i = 0; i < distribution->weights[symbol]; i++) {
			fse->states[at].symbol = (uint8_t)symbol;
			do
				at = (at + step) & (size - 1);
			while (at >= end);
		}
	}
	return at == 0;
}

bool zstd_fse_make(struct zstd_fse *fse, const struct zstd_distribution *distribution)
{
	uint16_t next[ZSTD_FSE_SYMBOLS_MAX];

	fse->log = distribution->log;
	if (!spread(fse, distribution))
		return false;
	for (unsigned symbol = 0; symbol < distribution->count; symbol++) {
		const int weight = distribution->weights[symbol];

		next[symbol] = (uint16_t)(weight < 0 ? 1 : weight);
	}
	for (unsigned i = 0; i < 1u << fse->log; i++) {
		struct zstd_fse_state *state = &fse->states[i];
		const unsigned number = next[state->symbol]++;

		state->bits = (uint8_t)(fse->log - highest_bit(number));
		state->base = (uint16_t)((number << state->bits) - (1u << fse->log));
	}
	return true;
}

void zstd_fse_make_single(struct zstd_fse *fse, uint8_t symbol)
{
	fse->log = 0;
	fse->states[0] = (struct zstd_fse_state){.symbol = symbol};
}

/* --- Huffman ----------------------------------------------------------------------------------
 */

#define SYMBOLS_MAX    256
#define WEIGHT_LOG_MAX 6

struct weights {
	unsigned count;
	uint8_t values[SYMBOLS_MAX];
};

static bool add_weight(struct weights *weights, unsigned weight)
{
	/* One is left for the symbol that is not in the list. */
	if (weights->count == SYMBOLS_MAX - 1 || weight > ZSTD_HUFFMAN_LOG_MAX)
		return false;
	weights->values[weights->count++] = (uint8_t)weight;
	return true;
}

/* Two states take turns, until one finds no bits any more: the other one has the last weight. */
static bool decode_weights(const struct zstd_fse *fse, struct zstd_bits *bits,
			   struct weights *weights)
{
	unsigned states[2];
	unsigned turn = 0;

	states[0] = zstd_fse_begin(fse, bits);
	states[1] = zstd_fse_begin(fse, bits);
	if (bits->left < 0)
		return false;
	for (;; turn ^= 1) {
		if (!add_weight(weights, fse->states[states[turn]].symbol))
			return false;
		states[turn] = zstd_fse_next(fse, states[turn], bits);
		if (bits->left < 0)
			return add_weight(weights, fse->states[states[turn ^ 1]].symbol);
	}
}

static bool read_packed_weights(const uint8_t *data, size_t size, struct weights *weights)
{
	struct zstd_distribution distribution;
	struct zstd_fse fse = {.log = 0};
	struct zstd_bits bits;
	size_t used;

	return zstd_distribution_read(data, size, ZSTD_HUFFMAN_LOG_MAX + 1, WEIGHT_LOG_MAX,
				      &distribution, &used) &&
	       zstd_fse_make(&fse, &distribution) &&
	       zstd_bits_open(data + used, size - used, &bits) &&
	       decode_weights(&fse, &bits, weights);
}

static bool read_weights(const uint8_t *data, size_t size, struct weights *weights,
			 size_t *ret_used)
{
	const size_t first = size > 0 ? data[0] : 0;
	const size_t count = first < 128 ? 0 : first - 127;
	const size_t length = first < 128 ? first : (count + 1) / 2;

	if (size < 1 + length || length == 0)
		return false;
	*ret_used = 1 + length;
	if (first < 128)
		return read_packed_weights(data + 1, length, weights);
	for (size_t i = 0; i < count; i++) {
		const uint8_t pair = data[1 + i / 2];

		if (!add_weight(weights, i % 2 == 0 ? pair >> 4 : pair & 15))
			return false;
	}
	return true;
}

/* The last symbol has what is left of the codes; *ret_log: bits of the longest code. */
static bool add_last_weight(struct weights *weights, unsigned *ret_log)
{
	uint32_t sum = 0, left;

	for (unsigned i = 0; i < weights->count; i++) {
		if (weights->values[i] > 0)
			sum += 1u << (weights->values[i] - 1);
	}
	if (sum == 0)
		return false;
	*ret_log = highest_bit(sum) + 1;
	left = (1u << *ret_log) - sum;
	if (*ret_log > ZSTD_HUFFMAN_LOG_MAX || (left & (left - 1)) != 0)
		return false;
	weights->values[weights->count++] = (uint8_t)(highest_bit(left) + 1);
	return true;
}

/* All codes that begin with the one of the symbol; returns where the next one's begin. */
static unsigned add_codes(struct zstd_huffman *huffman, unsigned at, unsigned symbol, unsigned bits,
			  unsigned count)
{
	const struct zstd_huffman_code code = {.symbol = (uint8_t)symbol, .bits = (uint8_t)bits};

	for (unsigned i = 0; i < count; i++)
		huffman->codes[at + i] = code;
	return at + count;
}

bool zstd_huffman_read(struct zstd_huffman *huffman, const uint8_t *data, size_t size,
		       size_t *ret_used)
{
	struct weights weights = {.count = 0};
	unsigned log, at = 0;

	huffman->log = 0;
	if (!read_weights(data, size, &weights, ret_used) || !add_last_weight(&weights, &log))
		return false;
	/* From the longest codes to the shortest, each in the order of symbols. */
	for (unsigned weight = 1; weight <= log; weight++) {
		for (unsigned symbol = 0; symbol < weights.count; symbol++) {
			if (weights.values[symbol] == weight)
				at = add_codes(huffman, at, symbol, log + 1 - weight,
					       1u << (weight - 1));
		}
	}
	huffman->log = log;
	return true;
}

/* As many as one load of bits is enough for. */
#define AT_ONCE (56 / ZSTD_HUFFMAN_LOG_MAX)

bool zstd_huffman_decode(const struct zstd_huffman *huffman, const uint8_t *data, size_t size,
			 uint8_t *to, size_t count)
{
	const unsigned log = huffman->log;
	struct zstd_bits bits;
	size_t i = 0;

	if (!zstd_bits_open(data, size, &bits))
		return false;
	while (count - i >= AT_ONCE && bits.left >= 56) {
		uint64_t next = zstd_bits_peek(&bits, 56) << 8;

		for (unsigned k = 0; k < AT_ONCE; k++) {
			const size_t code = next >> (64 - log);

			to[i++] = huffman->codes[code].symbol;
			next <<= huffman->codes[code].bits;
			bits.left -= huffman->codes[code].bits;
		}
	}
	while (i < count && bits.left > 0) {
		const size_t code = zstd_bits_peek(&bits, log);

		to[i++] = huffman->codes[code].symbol;
		bits.left -= huffman->codes[code].bits;
	}
	return i == count && bits.left == 0;
}
