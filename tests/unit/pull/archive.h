/* SPDX-License-Identifier: Apache-2.0 */
/* Archives by hand, for tests: headers of any kind, right or wrong. */
#ifndef BERTH_TESTS_PULL_ARCHIVE_H
#define BERTH_TESTS_PULL_ARCHIVE_H

#include "stream.h"

/* A header block; the fields are texts as they stand in the block, NULL: what is usual. */
struct block {
	const char *name, *mode, *uid, *gid, *size, *mtime, *checksum, *target, *magic, *major,
		*minor, *prefix;
	char type;
	bool v7; /* no magic */
};

static inline void put_field(unsigned char *block, size_t offset, size_t size, const char *text,
			     const char *usual)
{
	if (!text)
		text = usual;
	if (text)
		memcpy(block + offset, text, strnlen(text, size));
}

/* Sets the checksum, the bytes taken as signed ones or not. */
static inline void block_sum(unsigned char *block, bool with_sign)
{
	unsigned sum = 0;

	memset(block + 148, ' ', 8);
	for (size_t i = 0; i < 512; i++)
		sum += with_sign ? (unsigned)(signed char)block[i] : block[i];
	for (size_t i = 0; i < 6; i++)
		block[148 + i] = (unsigned char)('0' + (sum >> (3 * (5 - i)) & 7));
	block[154] = '\0';
}

static inline void block_make(unsigned char block[512], const struct block *fields)
{
	memset(block, 0, 512);
	put_field(block, 0, 100, fields->name, "file");
	put_field(block, 100, 8, fields->mode, "0000644");
	put_field(block, 108, 8, fields->uid, "0000000");
	put_field(block, 116, 8, fields->gid, "0000000");
	put_field(block, 124, 12, fields->size, "00000000000");
	put_field(block, 136, 12, fields->mtime, "00000000000");
	block[156] = (unsigned char)fields->type;
	put_field(block, 157, 100, fields->target, NULL);
	if (!fields->v7) {
		if (!fields->magic)
			memcpy(block + 257, "ustar\00000", 8);
		put_field(block, 257, 8, fields->magic, NULL);
		put_field(block, 329, 8, fields->major, NULL);
		put_field(block, 337, 8, fields->minor, NULL);
		put_field(block, 345, 155, fields->prefix, NULL);
	}
	block_sum(block, false);
	put_field(block, 148, 8, fields->checksum, NULL);
}

static inline void add_block(struct buf *out, const struct block *fields)
{
	unsigned char block[512];

	block_make(block, fields);
	buf_add(out, block, 512);
}

/* Content, filled up to a whole block. */
static inline void add_content(struct buf *out, const void *content, size_t size)
{
	static const char zeros[512];

	buf_add(out, content, size);
	buf_add(out, zeros, -size % 512);
}

/* A header of the type 'x', 'g', 'L' or 'K' with this content. */
static inline void add_extension(struct buf *out, char type, const void *content, size_t size)
{
	char text[24];

	snprintf(text, sizeof(text), "%011zo", size);
	add_block(out, &(struct block){.name = "extension", .type = type, .size = text});
	add_content(out, content, size);
}

/* Appends the pax record "LENGTH KEY=VALUE\n". */
static inline void add_record_data(struct buf *out, const char *key, const void *value, size_t size)
{
	size_t rest = strlen(key) + size + 3, length = rest + 1;

	while (length != rest + (size_t)snprintf(NULL, 0, "%zu", length))
		length++;
	buf_printf(out, "%zu %s=", length, key);
	buf_add(out, value, size);
	buf_add_char(out, '\n');
}

static inline void add_record(struct buf *out, const char *key, const char *value)
{
	add_record_data(out, key, value, strlen(value));
}

/* A pax header 'x' or 'g' of keys and values in turn, NULL at the end. */
static inline void add_pax(struct buf *out, char type, const char *const *records)
{
	_cleanup_buf_ struct buf data = BUF_EMPTY;

	for (; *records; records += 2)
		add_record(&data, records[0], records[1]);
	add_extension(out, type, data.data, data.size);
}
#define PAX(...) ((const char *const[]){__VA_ARGS__, NULL})

static inline void add_end(struct buf *out)
{
	static const char zeros[1024];

	buf_add(out, zeros, sizeof(zeros));
}

#endif
