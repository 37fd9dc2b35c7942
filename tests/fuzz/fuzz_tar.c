/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Feeds any bytes to the reader of tar, as a whole and in pieces: both must give the same entries
 * and content, or the same error. Mutated headers get a right checksum, most times, since hardly
 * any input would get further without.
 */
#include <stdlib.h>
#include <string.h>

#include "layer/index.h"
#include "stream/tar.h"

#include "pieces.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

#define BLOCK 512

static void fix_checksum(uint8_t *block)
{
	unsigned sum = 0;

	memset(block + 148, ' ', 8);
	for (size_t i = 0; i < BLOCK; i++)
		sum += block[i];
	for (int i = 5; i >= 0; i--, sum /= 8)
		block[148 + i] = (uint8_t)('0' + sum % 8);
	block[154] = '\0';
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
	size = LLVMFuzzerMutate(data, size, max_size);
	for (size_t at = 0; at + BLOCK <= size && seed % 16 != 0; at += BLOCK) {
		if (memcmp(data + at + 257, "ustar", 5) == 0 || at == 0)
			fix_checksum(data + at);
	}
	return size;
}

/* All that was read, as one number. */
static uint32_t add_entry(uint32_t sum, const struct tar_entry *entry)
{
	const uint64_t numbers[] = {entry->type,
				    entry->mode,
				    entry->uid,
				    entry->gid,
				    (uint64_t)entry->mtime.tv_sec,
				    (uint64_t)entry->mtime.tv_nsec,
				    entry->major,
				    entry->minor,
				    entry->size,
				    entry->content_offset,
				    entry->piece_count};

	sum = index_check(sum, numbers, sizeof(numbers));
	sum = index_check(sum, entry->path, strlen(entry->path) + 1);
	sum = index_check(sum, entry->target, strlen(entry->target) + 1);
	for (size_t i = 0; i < entry->xattr_count; i++) {
		sum = index_check(sum, entry->xattrs[i].name, strlen(entry->xattrs[i].name) + 1);
		sum = index_check(sum, entry->xattrs[i].value, entry->xattrs[i].size);
	}
	return index_check(sum, entry->pieces, entry->piece_count * sizeof(*entry->pieces));
}

/* What the header promises. */
static void check_entry(const struct tar_entry *entry)
{
	uint64_t end = 0;

	if (entry->mode > 07777 || entry->mtime.tv_nsec < 0 || entry->mtime.tv_nsec > 999999999 ||
	    entry->size > INT64_MAX || (entry->type != TAR_FILE && entry->size > 0))
		abort();
	for (size_t i = 0; i < entry->piece_count; i++) {
		const struct tar_piece *piece = &entry->pieces[i];

		if (piece->size == 0 || piece->offset < end || piece->offset >= entry->size ||
		    piece->size > entry->size - piece->offset)
			abort();
		end = piece->offset + piece->size;
	}
}

/* Returns what the last call did. Every third entry's content is passed over. */
static int walk(struct reader *reader, uint32_t *ret_sum)
{
	_cleanup_tar_ struct tar *tar = tar_new(reader);
	struct error err = ERROR_NONE;
	struct tar_entry entry;
	const void *data;
	size_t size;
	int r;

	*ret_sum = 0;
	for (size_t i = 0; (r = tar_next(tar, &entry, &err)) > 0; i++) {
		check_entry(&entry);
		*ret_sum = add_entry(*ret_sum, &entry);
		while (i % 3 != 0 && (r = tar_read(tar, &data, &size, &err)) > 0)
			*ret_sum = index_check(*ret_sum, data, size);
		if (r < 0)
			break;
	}
	if (r < 0 && (err.code != r || !err.text[0]))
		abort();
	return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_reader_ struct reader *whole = reader_of_memory(data, size);
	_cleanup_reader_ struct reader *pieces = reader_of_pieces(data, size, 1 + size % 1500);
	uint32_t whole_sum, pieces_sum;
	int r = walk(whole, &whole_sum);

	if (walk(pieces, &pieces_sum) != r || whole_sum != pieces_sum)
		abort();
	return 0;
}
