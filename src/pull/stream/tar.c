/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tar streams, entry by entry. Where writers and readers of tar disagree, this one reads as Go's
 * archive/tar does, with which images are made and unpacked elsewhere: links and directories have
 * no content whatever their size says, GNU's long names come before pax paths, and the stream may
 * end without the two empty blocks. What other readers would pass over without a word is an error:
 * extended headers without an entry, global headers that would name every file alike.
 */
#include "tar.h"

#include <errno.h>
#include <string.h>

#include "berth/base/alloc.h"
#include "berth/base/str.h"

#include "tar_parts.h"

struct tar {
	struct tar_input input;
	uint64_t left;	/* bytes of the current content that are still to come, */
	size_t padding; /* and what fills up its last block */
	bool ended;
	struct tar_pax global; /* of all entries from here on */
	/* The current entry: */
	struct tar_header header;
	char *long_path, *long_target; /* GNU's */
	bool has_pax;
	struct tar_pax pax;
	struct tar_map map; /* of a sparse file, where not in pax */
};

struct tar *tar_new(struct reader *input)
{
	struct tar *tar = xcalloc(1, sizeof(*tar));

	tar->input.reader = input;
	return tar;
}

static void forget_entry(struct tar *tar)
{
	free(take_ptr(&tar->long_path));
	free(take_ptr(&tar->long_target));
	tar_pax_done(&tar->pax);
	tar_map_done(&tar->map);
	tar->has_pax = false;
}

struct tar *tar_free(struct tar *tar)
{
	if (!tar)
		return NULL;
	forget_entry(tar);
	tar_pax_done(&tar->global);
	free(tar);
	return NULL;
}

/* One of the two empty blocks was there. Behind the second anything may follow. */
static int read_end(struct tar *tar, struct error *err)
{
	const uint8_t *block;
	int r;

	r = tar_input_block(&tar->input, &block, err);
	if (r < 0)
		return r;
	if (r > 0 && !tar_block_is_zero(block))
		return refuse_as(err, -EBADMSG, "an empty block within the archive");
	tar->ended = true;
	r = reader_drain(tar->input.reader, err);
	tar->input.failed = r < 0;
	return r;
}

/* The next header of any type. Returns 1, 0 at the end, or negative errno. */
static int next_header(struct tar *tar, struct error *err)
{
	const uint8_t *block;
	int r;

	r = tar_input_block(&tar->input, &block, err);
	if (r < 0)
		return r;
	if (r == 0 || tar_block_is_zero(block)) {
		if (tar->has_pax || tar->long_path || tar->long_target)
			return refuse_as(err, -EBADMSG, "an extended header without an entry");
		tar->ended = true;
		return r == 0 ? 0 : read_end(tar, err);
	}
	r = tar_header_read(block, &tar->header, err);
	return r < 0 ? r : 1;
}

/* What an extended header holds; with a NUL behind it, and the caller's. */
static int read_extension(struct tar *tar, char **ret, struct error *err)
{
	_cleanup_free_ char *data = NULL;
	uint64_t size = tar->header.size;
	int r;

	if (size > TAR_HEADER_MAX)
		return refuse_as(err, -EFBIG, "an extended header of %llu bytes, at most %u",
				 (unsigned long long)size, TAR_HEADER_MAX);
	data = xcalloc(1, (size_t)size + 1);
	r = tar_input_copy(&tar->input, data, (size_t)size, err);
	if (r == 0)
		r = tar_input_skip(&tar->input, tar_padding(size), err);
	if (r < 0)
		return r;
	*ret = take_ptr(&data);
	return 0;
}

/* What would make all entries that follow the same. Nobody writes that; and of a reader that
 * heeds it and one that does not, each would see another tree. */
static int check_global(const struct tar_pax *pax, struct error *err)
{
	const unsigned sensible = 1u << PAX_UID | 1u << PAX_GID | 1u << PAX_MTIME;

	if (pax->named & ~sensible || pax->xattr_count > 0)
		return refuse_as(err, -EBADMSG,
				 "a global pax header with a path, size, map or attribute");
	return 0;
}

static int read_pax(struct tar *tar, struct tar_pax *ret, struct error *err)
{
	_cleanup_free_ char *data = NULL;
	int r;

	r = read_extension(tar, &data, err);
	if (r < 0)
		return r;
	return tar_pax_read(data, (size_t)tar->header.size, ret, err);
}

/* If the header is one that only says more about the entry to come, reads it. Returns 1 then,
 * otherwise 0, or negative errno. Of two for the same purpose the last counts. */
static int extension(struct tar *tar, struct error *err)
{
	char **name = NULL;
	int r;

	switch (tar->header.type) {
	case 'x':
		tar_pax_done(&tar->pax);
		tar->has_pax = true;
		r = read_pax(tar, &tar->pax, err);
		break;
	case 'g':
		r = read_pax(tar, &tar->global, err);
		if (r == 0)
			r = check_global(&tar->global, err);
		break;
	case 'L':
	case 'K':
		name = tar->header.type == 'L' ? &tar->long_path : &tar->long_target;
		free(take_ptr(name));
		r = read_extension(tar, name, err);
		break;
	default:
		return 0;
	}
	return r < 0 ? r : 1;
}

static int entry_type(const struct tar_header *header, enum tar_type *ret, struct error *err)
{
	static const struct {
		char flag;
		enum tar_type type;
	} types[] = {
		{'0', TAR_FILE},     {'\0', TAR_FILE},	   {'7', TAR_FILE},
		{'1', TAR_HARDLINK}, {'2', TAR_SYMLINK},   {'3', TAR_CHARACTER},
		{'4', TAR_BLOCK},    {'5', TAR_DIRECTORY}, {'6', TAR_FIFO},
	};

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		if (types[i].flag == header->type) {
			*ret = types[i].type;
			return 0;
		}
	}
	if (header->type == 'S' && header->is_gnu) {
		*ret = TAR_FILE;
		return 0;
	}
	return refuse_as(err, -EOPNOTSUPP, "an entry of the unknown type 0x%02x",
			 (unsigned char)header->type);
}

static bool not_empty(const char *text)
{
	return text && *text;
}

/* The names, and the types that hang on them. */
static void set_names(struct tar *tar, struct tar_entry *entry)
{
	char *path = tar->header.path, *target = tar->header.target;
	size_t length;

	if (tar_pax_has(&tar->pax, PAX_PATH))
		path = tar->pax.path;
	if (not_empty(tar->long_path))
		path = tar->long_path;
	if (tar_pax_has(&tar->pax, PAX_SPARSE_NAME))
		path = tar->pax.sparse_name;
	if (tar_pax_has(&tar->pax, PAX_LINKPATH))
		target = tar->pax.linkpath;
	if (not_empty(tar->long_target))
		target = tar->long_target;
	length = strlen(path);
	/* v7 had no type for directories. */
	if (tar->header.type == '\0' && length > 0 && path[length - 1] == '/')
		entry->type = TAR_DIRECTORY;
	while (entry->type == TAR_DIRECTORY && length > 0 && path[length - 1] == '/')
		path[--length] = '\0';
	entry->path = path;
	entry->target = entry->type == TAR_HARDLINK || entry->type == TAR_SYMLINK ? target : "";
}

/* Where to find a value: the entry's own pax header comes before the global one. NULL: neither has
 * it. */
static const struct tar_pax *pax_with(const struct tar *tar, enum tar_pax_key key)
{
	const struct tar_pax *pax = tar->pax.named & 1u << key ? &tar->pax : &tar->global;

	return tar_pax_has(pax, key) ? pax : NULL;
}

static void set_metadata(struct tar *tar, struct tar_entry *entry)
{
	const struct tar_pax *uid = pax_with(tar, PAX_UID), *gid = pax_with(tar, PAX_GID);
	const struct tar_pax *mtime = pax_with(tar, PAX_MTIME);

	entry->mode = tar->header.mode;
	entry->uid = uid ? uid->uid : tar->header.uid;
	entry->gid = gid ? gid->gid : tar->header.gid;
	entry->mtime = mtime ? mtime->mtime : (struct timespec){.tv_sec = tar->header.mtime};
	entry->xattrs = tar->pax.xattrs;
	entry->xattr_count = tar->pax.xattr_count;
	entry->major = tar->header.major;
	entry->minor = tar->header.minor;
}

/* Finds the map of a file's pieces, if it is sparse: *ret_map. */
static int find_map(struct tar *tar, uint64_t *ret_size, struct tar_map **ret_map,
		    struct error *err)
{
	const struct tar_pax *pax = &tar->pax;
	bool has_version = tar_pax_has(pax, PAX_SPARSE_MAJOR) || tar_pax_has(pax, PAX_SPARSE_MINOR);

	if (tar->header.type == 'S') {
		*ret_map = &tar->map;
		return tar_map_read_header(&tar->map, &tar->header, &tar->input, ret_size, err);
	}
	if (!has_version && !tar_pax_has(pax, PAX_SPARSE_MAP))
		return 0;
	if (pax->sparse_major > 1 || pax->sparse_minor > (pax->sparse_major == 0))
		return refuse_as(err, -EOPNOTSUPP, "a sparse file of the unknown format %llu.%llu",
				 (unsigned long long)pax->sparse_major,
				 (unsigned long long)pax->sparse_minor);
	if (!tar_pax_has(pax, PAX_SPARSE_SIZE))
		return refuse_as(err, -EBADMSG, "a sparse file without a size");
	*ret_size = pax->sparse_size;
	if (pax->sparse_major == 0) {
		*ret_map = &tar->pax.map;
		return 0;
	}
	*ret_map = &tar->map;
	return tar_map_read_content(&tar->map, &tar->input, &tar->left, err);
}

/* Files alone have content. */
static int set_content(struct tar *tar, struct tar_entry *entry, struct error *err)
{
	static const struct tar_piece none;
	struct tar_map *map = NULL;
	int r;

	tar->left = tar_pax_has(&tar->pax, PAX_SIZE) ? tar->pax.size : tar->header.size;
	if (entry->type != TAR_FILE)
		tar->left = 0;
	entry->size = tar->left;
	r = find_map(tar, &entry->size, &map, err);
	if (r < 0)
		return r;
	tar->padding = tar_padding(tar->left);
	entry->content_offset = tar->input.offset;
	if (!map)
		return 0;
	if (entry->type != TAR_FILE)
		return refuse_as(err, -EBADMSG, "what is no file has the map of a sparse one");
	entry->pieces = map->count ? map->pieces : &none;
	entry->piece_count = map->count;
	return tar_map_check(map, entry->size, tar->left, err);
}

static int read_entry(struct tar *tar, struct tar_entry *ret, struct error *err)
{
	struct tar_entry entry = {0};
	int r;

	r = entry_type(&tar->header, &entry.type, err);
	if (r < 0)
		return r;
	set_names(tar, &entry);
	set_metadata(tar, &entry);
	r = set_content(tar, &entry, err);
	if (r < 0)
		return within(err, r, "\"%.200s\"", entry.path);
	*ret = entry;
	return 1;
}

static int next_entry(struct tar *tar, struct tar_entry *ret, struct error *err)
{
	int r;

	if (tar->ended)
		return 0;
	r = tar_input_skip(&tar->input, tar->left, err);
	if (r == 0)
		r = tar_input_skip_padding(&tar->input, tar->padding, err);
	if (r < 0)
		return r;
	tar->left = tar->padding = 0;
	forget_entry(tar);
	do {
		r = next_header(tar, err);
		if (r <= 0)
			return r;
		r = extension(tar, err);
	} while (r > 0);
	return r < 0 ? r : read_entry(tar, ret, err);
}

/* Says where a damage was found; but not where the stream itself failed. */
static int add_place(const struct tar *tar, int r, struct error *err)
{
	if (r >= 0 || tar->input.failed)
		return r;
	return within(err, r, "tar stream, before byte %llu",
		      (unsigned long long)tar->input.offset);
}

int tar_next(struct tar *tar, struct tar_entry *ret, struct error *err)
{
	return add_place(tar, next_entry(tar, ret, err), err);
}

int tar_read(struct tar *tar, const void **ret_data, size_t *ret_size, struct error *err)
{
	int r;

	if (tar->left == 0)
		return 0;
	r = tar_input_some(&tar->input, tar->left, ret_data, ret_size, err);
	if (r == 0)
		r = refuse_as(err, -EBADMSG, "the archive is cut off within a file");
	if (r < 0)
		return add_place(tar, r, err);
	tar->left -= *ret_size;
	return 1;
}
