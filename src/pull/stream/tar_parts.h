/* SPDX-License-Identifier: Apache-2.0 */
/* What a tar stream is made of, for tar*.c alone: blocks, headers, pax records, sparse maps. */
#ifndef BERTH_PULL_TAR_PARTS_H
#define BERTH_PULL_TAR_PARTS_H

#include <stdbool.h>

#include "tar.h"

#define TAR_BLOCK_SIZE 512

/* The stream, block by block. tar_input.c */
struct tar_input {
	struct reader *reader;
	const uint8_t *data; /* read, but not yet taken */
	size_t size;
	uint64_t offset; /* in the stream, of the next byte to be taken */
	bool failed;	 /* the reader did; its error needs no more context */
	uint8_t block[TAR_BLOCK_SIZE];
};

/* One block, valid until the next call. Returns 1, 0 at the stream's end, or negative errno. */
int tar_input_block(struct tar_input *input, const uint8_t **ret, struct error *err) must_check;
/* The next bytes, @max at most, as with reader_read(). */
int tar_input_some(struct tar_input *input, uint64_t max, const void **ret_data, size_t *ret_size,
		   struct error *err) must_check;
/* Copies @size bytes to @to, all of them. */
int tar_input_copy(struct tar_input *input, void *to, size_t size, struct error *err) must_check;
/* Passes over @size bytes, which must be there. */
int tar_input_skip(struct tar_input *input, uint64_t size, struct error *err) must_check;
/* Passes over @size bytes, or fewer where the stream ends: what fills up a last block. */
int tar_input_skip_padding(struct tar_input *input, size_t size, struct error *err) must_check;

/* Number of bytes from @size on to a block's end. */
static inline size_t tar_padding(uint64_t size)
{
	return (size_t)(-size % TAR_BLOCK_SIZE);
}

/* Digits at *text, which is moved behind them. -EINVAL: none, -ERANGE. */
int tar_decimal(const char **text, uint64_t *ret) must_check;

/* One header block, read. tar_header.c */
struct tar_header {
	char type;	    /* the type flag */
	bool is_gnu;	    /* old GNU format, not ustar and pax */
	char path[256 + 1]; /* prefix, "/", name */
	char target[100 + 1];
	mode_t mode;
	uint64_t uid, gid, size;
	int64_t mtime;
	unsigned major, minor; /* of devices */
	uint8_t sparse[126];   /* of GNU's sparse files: see tar_sparse.c */
};

bool tar_block_is_zero(const uint8_t *block);
int tar_header_read(const uint8_t *block, struct tar_header *ret, struct error *err) must_check;
/* A number field: octal digits, or base 256. -EINVAL, -ERANGE. */
int tar_number(const uint8_t *field, size_t size, int64_t *ret) must_check;

/* The map of a sparse file. tar_sparse.c */
struct tar_map {
	struct tar_piece *pieces; /* without empty ones */
	size_t count, room;
	size_t added; /* the empty ones, too */
};

void tar_map_done(struct tar_map *map);
int tar_map_add(struct tar_map *map, uint64_t offset, uint64_t size, struct error *err) must_check;
/* GNU.sparse.map of pax 0.1: "offset,size,offset,size…". */
int tar_map_read_text(struct tar_map *map, const char *text, struct error *err) must_check;
/* The old GNU format: in the header, and in blocks that follow it. */
int tar_map_read_header(struct tar_map *map, const struct tar_header *header,
			struct tar_input *input, uint64_t *ret_size, struct error *err) must_check;
/* pax 1.0: whole blocks before the content; their size is taken from *left. */
int tar_map_read_content(struct tar_map *map, struct tar_input *input, uint64_t *left,
			 struct error *err) must_check;
/* In order, without overlaps, within @size, @stored bytes together. */
int tar_map_check(const struct tar_map *map, uint64_t size, uint64_t stored,
		  struct error *err) must_check;

/* The records of a pax header. tar_pax.c */
enum tar_pax_key {
	PAX_PATH,
	PAX_LINKPATH,
	PAX_SIZE,
	PAX_UID,
	PAX_GID,
	PAX_MTIME,
	PAX_SPARSE_MAJOR,
	PAX_SPARSE_MINOR,
	PAX_SPARSE_NAME,
	PAX_SPARSE_SIZE, /* GNU.sparse.size and GNU.sparse.realsize */
	PAX_SPARSE_MAP,	 /* GNU.sparse.map, and pairs of offset and numbytes */
};

struct tar_pax {
	unsigned named; /* bits of the keys that are there, and */
	unsigned set;	/* of those that have a value */
	char *path, *linkpath, *sparse_name;
	uint64_t size, uid, gid, sparse_major, sparse_minor, sparse_size;
	struct timespec mtime;
	struct tar_xattr *xattrs;
	size_t xattr_count;
	struct tar_map map;
	bool has_offset; /* of a piece whose size has not come yet */
	uint64_t offset;
};

static inline bool tar_pax_has(const struct tar_pax *pax, enum tar_pax_key key)
{
	return pax->set & 1u << key;
}

/* Reads @size bytes of records, which are changed. @data[size] is there, too. */
int tar_pax_read(char *data, size_t size, struct tar_pax *ret, struct error *err) must_check;
void tar_pax_done(struct tar_pax *pax); /* empties it */

#endif
