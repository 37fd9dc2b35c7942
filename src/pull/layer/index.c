/* SPDX-License-Identifier: Apache-2.0 */
/* The list of what a layer holds: writing, reading, and the check sum of a file's content. */
#include "index.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "berth/base/alloc.h"
#include "berth/base/fd.h"
#include "berth/base/str.h"

#define WRITE_SIZE ((size_t)64 * 1024)
#define READ_SIZE  ((size_t)64 * 1024)
#define LINE_MAX_SIZE                                                                              \
	((size_t)64 * 1024) /* two paths, each byte escaped, and numbers: there is no longer line  \
			     */

#define HEADER	    "index " /* and the version: "2\n" */
#define HEADER_SIZE ((off_t)(sizeof(HEADER) + 1))
#define NEWEST	    2

struct index_writer {
	int fd;
	int failed; /* negative errno of the first write that did */
	struct buf buffer;
};

/* How to get another one is the same whatever is wrong with it. */
#define REMEDY "berth-pull fsck --repair takes the layer away, and another pull brings it back"

static int damaged(struct error *err)
{
	return refuse(err, "the index of a layer is damaged (" REMEDY ")");
}

struct index_writer *index_writer_new(int fd)
{
	struct index_writer *writer = xcalloc(1, sizeof(*writer));

	writer->fd = fd;
	buf_printf(&writer->buffer, HEADER "%d\n", NEWEST);
	return writer;
}

struct index_writer *index_writer_free(struct index_writer *writer)
{
	if (writer)
		buf_done(&writer->buffer);
	free(writer);
	return NULL;
}

static void write_buffer(struct index_writer *writer)
{
	if (!writer->failed)
		writer->failed = fd_write_all(writer->fd, writer->buffer.data, writer->buffer.size);
	writer->buffer.size = 0;
}

int index_writer_flush(struct index_writer *writer, struct error *err)
{
	if (writer->buffer.size)
		write_buffer(writer);
	return writer->failed ? fail(err, writer->failed, "write the index of a layer") : 0;
}

static void add_escaped(struct buf *buf, const char *text)
{
	for (;;) {
		size_t plain = 0;

		while ((unsigned char)text[plain] >= 0x20 && text[plain] != '\\')
			plain++;
		buf_add(buf, text, plain);
		text += plain;
		if (!*text)
			return;
		buf_printf(buf, "\\%03o", (unsigned char)*text++);
	}
}

void index_writer_add(struct index_writer *writer, const struct index_entry *entry)
{
	struct buf *buf = &writer->buffer;

	buf_printf(buf, "%c %o %" PRIu32 " %" PRIu32 " %" PRIu64 " %lld.%09ld %08" PRIx32 " ",
		   entry->type, entry->mode, entry->uid, entry->gid, entry->size,
		   (long long)entry->mtime.tv_sec, entry->mtime.tv_nsec, entry->check);
	add_escaped(buf, entry->path);
	if ((entry->target && *entry->target) || entry->attributes) {
		buf_add_char(buf, '\0');
		add_escaped(buf, entry->target ? entry->target : "");
	}
	if (entry->attributes) {
		buf_add_char(buf, '\0');
		buf_printf(buf, "%08" PRIx32, entry->attributes);
	}
	buf_add_char(buf, '\n');
	if (buf->size >= WRITE_SIZE)
		write_buffer(writer);
}

/* A number in @base that ends with @end; *text goes on behind it. */
static bool take_number(char **text, unsigned base, char end, uint64_t *ret)
{
	static const char digits[] = "0123456789abcdef";
	uint64_t value = 0;
	char *at = *text;

	for (; *at && *at != end; at++) {
		const char *digit = memchr(digits, *at, base);

		if (!digit || __builtin_mul_overflow(value, (uint64_t)base, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(digit - digits), &value))
			return false;
	}
	if (at == *text || *at != end)
		return false;
	*text = at + 1;
	*ret = value;
	return true;
}

static bool take_u32(char **text, unsigned base, char end, uint32_t *ret)
{
	uint64_t value;

	if (!take_number(text, base, end, &value) || value > UINT32_MAX)
		return false;
	*ret = (uint32_t)value;
	return true;
}

static bool take_time(char **text, struct timespec *ret)
{
	bool negative = **text == '-';
	uint64_t seconds, nanoseconds;

	*text += negative;
	if (!take_number(text, 10, '.', &seconds) || !take_number(text, 10, ' ', &nanoseconds) ||
	    seconds > INT64_MAX || nanoseconds > 999999999)
		return false;
	ret->tv_sec = negative ? -(time_t)seconds : (time_t)seconds;
	ret->tv_nsec = (long)nanoseconds;
	return true;
}

/* Undoes add_escaped() in place. */
static bool unescape(char *text)
{
	char *to = text;

	while (*text) {
		unsigned byte = 0;

		if (*text != '\\') {
			*to++ = *text++;
			continue;
		}
		for (int i = 1; i <= 3; i++) {
			if (text[i] < '0' || text[i] > '7')
				return false;
			byte = byte * 8 + (unsigned)(text[i] - '0');
		}
		if (byte == 0 || byte > 0xff)
			return false;
		*to++ = (char)byte;
		text += 4;
	}
	*to = '\0';
	return true;
}

/* PATH and what may be behind it, up to @end. */
static bool read_texts(char *path, const char *end, struct index_entry *ret)
{
	char *target = path + strlen(path), *attributes = target;

	ret->attributes = 0;
	if (target < end) {
		target++;
		attributes = target + strlen(target);
		if (!*target && attributes == end)
			return false;
	}
	if (attributes < end) {
		attributes++;
		if (!take_u32(&attributes, 16, '\0', &ret->attributes) || attributes != end + 1)
			return false;
	}
	ret->path = path;
	ret->target = target;
	return unescape(path) && unescape(target);
}

/* Reads a line, whose newline at @line + @size has become a NUL. */
static bool read_line(char *line, size_t size, struct index_entry *ret)
{
	char *at = line + 2;

	if (size < 2 || !line[0] || !strchr("fhulcbpdiwo", line[0]) || line[1] != ' ')
		return false;
	ret->type = line[0];
	if (!take_u32(&at, 8, ' ', &ret->mode) || !take_u32(&at, 10, ' ', &ret->uid) ||
	    !take_u32(&at, 10, ' ', &ret->gid) || !take_number(&at, 10, ' ', &ret->size) ||
	    !take_time(&at, &ret->mtime) || !take_u32(&at, 16, ' ', &ret->check))
		return false;
	return read_texts(at, line + size, ret);
}

/* What has been read and is no whole line yet. */
struct lines {
	int (*each)(void *context, const struct index_entry *entry, struct error *err);
	void *context;
	char *data; /* READ_SIZE + LINE_MAX_SIZE */
	size_t size;
};

/* Passes on the whole lines, and keeps the rest. */
static int pass_lines(struct lines *lines, struct error *err)
{
	char *line = lines->data, *end = lines->data + lines->size;

	for (;;) {
		struct index_entry entry;
		char *newline = memchr(line, '\n', (size_t)(end - line));
		int r;

		if (!newline)
			break;
		*newline = '\0';
		if (!read_line(line, (size_t)(newline - line), &entry))
			return damaged(err);
		r = lines->each(lines->context, &entry, err);
		if (r < 0)
			return r;
		line = newline + 1;
	}
	lines->size = (size_t)(end - line);
	memmove(lines->data, line, lines->size);
	if (lines->size > LINE_MAX_SIZE)
		return damaged(err);
	return 0;
}

int index_open(int layerfd, struct error *err)
{
	int fd = openat(layerfd, "index", O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		return refuse_as(err, -ENOENT, "the index of a layer is missing (" REMEDY ")");
	return fd < 0 ? fail(err, -errno, "open the index of a layer") : fd;
}

int index_version(int fd, struct error *err)
{
	char text[sizeof(HEADER) + 20], *at = text + strlen(HEADER);
	ssize_t size = pread(fd, text, sizeof(text) - 1, 0);
	uint64_t version;

	if (size < 0)
		return fail(err, -errno, "read the index of a layer");
	text[size] = '\0';
	if (!str_starts(text, HEADER))
		return 1;
	if (!take_number(&at, 10, '\n', &version) || version < 2)
		return damaged(err);
	if (version > NEWEST)
		return refuse_as(err, -EOPNOTSUPP,
				 "the index of a layer is of a newer berth-pull (version %llu)",
				 (unsigned long long)version);
	return (int)version;
}

int index_read(int fd,
	       int (*each)(void *context, const struct index_entry *entry, struct error *err),
	       void *context, struct error *err)
{
	_cleanup_free_ char *data = xcalloc(READ_SIZE + LINE_MAX_SIZE, 1);
	struct lines lines = {.each = each, .context = context, .data = data};
	int version = index_version(fd, err);
	struct stat st;

	if (version < 0)
		return version;
	if (fstat(fd, &st) < 0)
		return fail(err, -errno, "read the index of a layer");
	/* @each may add to the end: such lines are not for this time. */
	for (off_t at = version > 1 ? HEADER_SIZE : 0; at < st.st_size;) {
		size_t room = READ_SIZE;
		ssize_t size;
		int r;

		if ((off_t)room > st.st_size - at)
			room = (size_t)(st.st_size - at);
		size = pread(fd, lines.data + lines.size, room, at);
		if (size < 0)
			return fail(err, -errno, "read the index of a layer");
		if (size == 0)
			break;
		lines.size += (size_t)size;
		at += size;
		r = pass_lines(&lines, err);
		if (r < 0)
			return r;
	}
	return lines.size ? refuse(err, "the index of a layer is cut off (" REMEDY ")") : 0;
}

/* By doubling: the check of 2n zeros comes from that of n. */
uint32_t index_check_zeros(uint32_t check, uint64_t size)
{
	static const unsigned char zero;
	uLong step = crc32_z(0, &zero, 1), zeros = 0;
	uint64_t step_size = 1;

	for (uint64_t left = size; left; left >>= 1) {
		if (left & 1)
			zeros = crc32_combine64(zeros, step, (z_off64_t)step_size);
		step = crc32_combine64(step, step, (z_off64_t)step_size);
		step_size <<= 1;
	}
	return (uint32_t)crc32_combine64(check, zeros, (z_off64_t)size);
}

int index_check_file(int fd, uint32_t *ret, struct error *err)
{
	_cleanup_free_ char *buffer = xcalloc(READ_SIZE, 1);
	uint32_t check = 0;
	off_t at = 0, data = 0, end;
	struct stat st;
	ssize_t size;

	if (fstat(fd, &st) < 0)
		return fail(err, -errno, "read");
	while (at < st.st_size) {
		data = lseek(fd, at, SEEK_DATA);
		if (data < 0)
			data = errno == ENXIO ? st.st_size : at;
		check = index_check_zeros(check, (uint64_t)(data - at));
		end = data < st.st_size ? lseek(fd, data, SEEK_HOLE) : data;
		if (end < 0)
			end = st.st_size;
		for (at = data; at < end; at += size) {
			size_t room = end - at < (off_t)READ_SIZE ? (size_t)(end - at) : READ_SIZE;

			size = pread(fd, buffer, room, at);
			if (size <= 0)
				return fail(err, size < 0 ? -errno : -EIO, "read");
			check = index_check(check, buffer, (size_t)size);
		}
	}
	*ret = check;
	return 0;
}
