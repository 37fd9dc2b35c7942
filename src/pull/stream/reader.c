/* SPDX-License-Identifier: Apache-2.0 */
/* Where streams of bytes begin (a file, a memory) and end (thrown away). */
#include "reader.h"

#include <fcntl.h>
#include <unistd.h>

#include "berth/base/alloc.h"
#include "berth/base/fd.h"
#include "berth/base/str.h"

struct file_reader {
	struct reader reader;
	int fd;
	uint64_t offset, left; /* left: UINT64_MAX to the file's end */
	char *what;
	unsigned char buffer[READER_CHUNK]; /* what is lent */
};

static int file_read(struct reader *self, const void **ret_data, size_t *ret_size,
		     struct error *err)
{
	struct file_reader *file = (struct file_reader *)self;
	size_t want = file->left < READER_CHUNK ? (size_t)file->left : READER_CHUNK;
	ssize_t got;

	if (want == 0)
		return 0;
	do
		got = pread(file->fd, file->buffer, want, (off_t)file->offset);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return fail(err, -errno, "read %s", file->what);
	if (got == 0 && file->left != UINT64_MAX)
		return refuse_as(err, -EBADMSG, "%s ends %llu byte%s too early", file->what,
				 (unsigned long long)file->left, plural_s(file->left));
	if (got == 0)
		return 0;
	file->offset += (uint64_t)got;
	if (file->left != UINT64_MAX)
		file->left -= (uint64_t)got;
	*ret_data = file->buffer;
	*ret_size = (size_t)got;
	return 1;
}

static void file_pass(struct reader *self, uint64_t size)
{
	struct file_reader *file = (struct file_reader *)self;

	if (file->left != UINT64_MAX) {
		size = size < file->left ? size : file->left;
		file->left -= size;
	}
	/* No file is so long, and pread(2) refuses what goes beyond. */
	if (__builtin_add_overflow(file->offset, size, &file->offset) ||
	    file->offset > INT64_MAX - READER_CHUNK)
		file->offset = INT64_MAX - READER_CHUNK;
}

static void file_free(struct reader *self)
{
	struct file_reader *file = (struct file_reader *)self;

	fd_close(file->fd);
	free(file->what);
	free(file);
}

struct reader *reader_of_file(int fd, uint64_t offset, uint64_t size, const char *what)
{
	struct file_reader *file = xcalloc(1, sizeof(*file));

	file->reader = (struct reader){
		.read = file_read,
		.pass = file_pass,
		.free = file_free,
	};
	file->fd = fd;
	file->offset = offset;
	file->left = size;
	file->what = xstrdup(what);
	return &file->reader;
}

struct memory_reader {
	struct reader reader;
	const void *data;
	size_t size;
};

static int memory_read(struct reader *self, const void **ret_data, size_t *ret_size,
		       struct error *err)
{
	struct memory_reader *memory = (struct memory_reader *)self;

	(void)err;
	if (memory->size == 0)
		return 0;
	*ret_data = memory->data;
	*ret_size = memory->size;
	memory->size = 0;
	return 1;
}

static void memory_free(struct reader *self)
{
	free(self);
}

struct reader *reader_of_memory(const void *data, size_t size)
{
	struct memory_reader *memory = xcalloc(1, sizeof(*memory));

	memory->reader = (struct reader){.read = memory_read, .free = memory_free};
	memory->data = data;
	memory->size = size;
	return &memory->reader;
}

int reader_drain(struct reader *reader, struct error *err)
{
	const void *data;
	size_t size;
	int r;

	do
		r = reader_read(reader, &data, &size, err);
	while (r > 0);
	return r;
}
