/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks and runs of bytes out of a stream that comes in pieces of any size; copied only where a
 * block lies in two of them. */
#include <errno.h>
#include <string.h>

#include "tar_parts.h"

/* Something to take. Returns 1, 0 at the end, or negative errno. */
static int fill(struct tar_input *input, struct error *err)
{
	const void *data;
	int r;

	if (input->size > 0)
		return 1;
	r = reader_read(input->reader, &data, &input->size, err);
	input->failed = r < 0;
	if (r <= 0)
		input->size = 0;
	else
		input->data = data;
	return r;
}

static void take(struct tar_input *input, size_t size)
{
	input->data += size;
	input->size -= size;
	input->offset += size;
}

static int cut(struct error *err)
{
	return refuse_as(err, -EBADMSG, "the archive is cut off");
}

int tar_input_some(struct tar_input *input, uint64_t max, const void **ret_data, size_t *ret_size,
		   struct error *err)
{
	int r;

	r = fill(input, err);
	if (r <= 0)
		return r;
	*ret_data = input->data;
	*ret_size = input->size < max ? input->size : (size_t)max;
	take(input, *ret_size);
	return 1;
}

int tar_input_copy(struct tar_input *input, void *to, size_t size, struct error *err)
{
	const void *data;
	size_t part;
	int r;

	while (size > 0) {
		r = tar_input_some(input, size, &data, &part, err);
		if (r <= 0)
			return r < 0 ? r : cut(err);
		memcpy(to, data, part);
		to = (uint8_t *)to + part;
		size -= part;
	}
	return 0;
}

int tar_input_block(struct tar_input *input, const uint8_t **ret, struct error *err)
{
	int r;

	r = fill(input, err);
	if (r <= 0)
		return r;
	if (input->size >= TAR_BLOCK_SIZE) {
		*ret = input->data;
		take(input, TAR_BLOCK_SIZE);
		return 1;
	}
	*ret = input->block;
	r = tar_input_copy(input, input->block, TAR_BLOCK_SIZE, err);
	return r < 0 ? r : 1;
}

/* Passes over @size bytes. Returns 1, 0 if the stream ends before, or negative errno. */
static int skip(struct tar_input *input, uint64_t size, struct error *err)
{
	const void *data;
	size_t part;
	int r = 1;

	while (size > 0 && r > 0) {
		/* The last byte is read in any case: it tells whether the stream is so long. */
		if (input->size == 0 && input->reader->pass && size > 1) {
			input->reader->pass(input->reader, size - 1);
			input->offset += size - 1;
			size = 1;
		}
		r = tar_input_some(input, size, &data, &part, err);
		if (r > 0)
			size -= part;
	}
	return r;
}

int tar_input_skip(struct tar_input *input, uint64_t size, struct error *err)
{
	int r;

	r = skip(input, size, err);
	return r == 0 ? cut(err) : r < 0 ? r : 0;
}

int tar_input_skip_padding(struct tar_input *input, size_t size, struct error *err)
{
	int r;

	r = skip(input, size, err);
	return r < 0 ? r : 0;
}

int tar_decimal(const char **text, uint64_t *ret)
{
	const char *at = *text;
	uint64_t value = 0;

	for (; *at >= '0' && *at <= '9'; at++) {
		if (__builtin_mul_overflow(value, 10u, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*at - '0'), &value))
			return -ERANGE;
	}
	if (at == *text)
		return -EINVAL;
	*text = at;
	*ret = value;
	return 0;
}
