/* SPDX-License-Identifier: Apache-2.0 */
/* The content of a regular file: from the archive to its place, holes left open, within limits. */
#include <errno.h>
#include <unistd.h>

#include "unpack-internal.h"

/* One file while it is written. */
struct content {
	struct unpack *unpack;
	int fd;
	const char *path;
	uint64_t at; /* offset in the file */
	uint32_t check;
};

static bool is_beyond(uint64_t value, uint64_t limit)
{
	return limit && value > limit;
}

/* @size more bytes are written: for progress, and for the limits. */
static int count_bytes(struct unpack *unpack, size_t size, struct error *err)
{
	const struct unpack_options *options = unpack->options;
	const struct limits *limits = options->limits;
	uint64_t of_image = 0;

	unpack->result.bytes += size;
	if (options->progress)
		atomic_fetch_add_explicit(options->progress, size, memory_order_relaxed);
	if (options->image_bytes)
		of_image = atomic_fetch_add_explicit(options->image_bytes, size,
						     memory_order_relaxed) +
			   size;
	if (is_beyond(unpack->result.bytes, limits->layer_bytes))
		return refuse_as(
			err, -EFBIG, "the layer has more than %llu byte%s (--max-layer-size)",
			(unsigned long long)limits->layer_bytes, plural_s(limits->layer_bytes));
	if (is_beyond(of_image, limits->image_bytes))
		return refuse_as(
			err, -EFBIG, "the image has more than %llu byte%s (--max-image-size)",
			(unsigned long long)limits->image_bytes, plural_s(limits->image_bytes));
	if (options->cancelled && *options->cancelled)
		return refuse_as(err, -ECANCELED, "cancelled");
	return 0;
}

static int write_chunk(struct content *content, const void *data, size_t size, struct error *err)
{
	const char *at = data;
	size_t left = size;
	int r = count_bytes(content->unpack, size, err);

	if (r < 0)
		return r;
	content->check = index_check(content->check, data, size);
	while (left > 0) {
		ssize_t written = pwrite(content->fd, at, left, (off_t)content->at);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return fail(err, -errno, "write \"%s\"", content->path);
		at += written;
		left -= (size_t)written;
		content->at += (uint64_t)written;
	}
	return 0;
}

static int skip_to(struct content *content, uint64_t offset)
{
	if (offset > content->at)
		content->check = index_check_zeros(content->check, offset - content->at);
	content->at = offset;
	return 0;
}

/* Where the bytes of a sparse file go: one after the other, none over another, none behind its end.
 */
static int check_pieces(const struct tar_entry *entry, const char *path, struct error *err)
{
	uint64_t at = 0;

	for (size_t i = 0; i < entry->piece_count; i++) {
		const struct tar_piece *piece = &entry->pieces[i];

		if (piece->offset < at || piece->offset > entry->size ||
		    piece->size > entry->size - piece->offset)
			return refuse(err, "the map of the sparse file \"%s\" is wrong", path);
		at = piece->offset + piece->size;
	}
	return 0;
}

/* @data is the content's next bytes; *piece: the one that they begin in. */
static int write_pieces(struct content *content, const struct tar_entry *entry, size_t *piece,
			const char *data, size_t size, struct error *err)
{
	while (size > 0) {
		const struct tar_piece *now;
		uint64_t room;
		size_t part;
		int r;

		for (; *piece < entry->piece_count; ++*piece)
			if (content->at < entry->pieces[*piece].offset + entry->pieces[*piece].size)
				break;
		if (*piece == entry->piece_count)
			return refuse(err, "the map of the sparse file \"%s\" is too short",
				      content->path);
		now = &entry->pieces[*piece];
		if (content->at < now->offset)
			skip_to(content, now->offset);
		room = now->offset + now->size - content->at;
		part = size < room ? size : (size_t)room;
		r = write_chunk(content, data, part, err);
		if (r < 0)
			return r;
		data += part;
		size -= part;
	}
	return 0;
}

int content_unpack(struct unpack *unpack, int fd, const struct tar_entry *entry,
		   uint32_t *ret_check, struct error *err)
{
	struct content content = {.unpack = unpack, .fd = fd, .path = unpack->place_path.data};
	size_t size, piece = 0;
	const void *data;
	int r = entry->pieces ? check_pieces(entry, content.path, err) : 0;

	if (r < 0)
		return r;
	while ((r = tar_read(unpack->tar, &data, &size, err)) > 0) {
		r = entry->pieces ? write_pieces(&content, entry, &piece, data, size, err)
				  : write_chunk(&content, data, size, err);
		if (r < 0)
			return r;
	}
	if (r < 0)
		return within(err, r, "\"%s\"", content.path);
	if (content.at > entry->size || (!entry->pieces && content.at != entry->size))
		return refuse(err, "\"%s\" has %llu byte%s and says %llu", content.path,
			      (unsigned long long)content.at, plural_s(content.at),
			      (unsigned long long)entry->size);
	if (content.at < entry->size) {
		skip_to(&content, entry->size);
		if (ftruncate(fd, (off_t)entry->size) < 0)
			return fail(err, -errno, "make \"%s\" %llu bytes long", content.path,
				    (unsigned long long)entry->size);
	}
	*ret_check = content.check;
	return 0;
}
