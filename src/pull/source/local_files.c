/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of a directory or of an archive, by one set of functions.
 *
 * Theory of operation. A directory may be of somebody else, and may change while it is read: files
 * are opened beneath its descriptor, so that no link leads out, without waiting for a fifo, and
 * are then what fstat(2) says.
 */
#include "local_files.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "berth/base/alloc.h"
#include "berth/base/fd.h"
#include "berth/base/root.h"

/* The files of a directory. */
struct directory {
	struct local_files base;
	int fd; /* O_PATH, owned */
};

static void directory_free(struct local_files *self)
{
	struct directory *directory = (struct directory *)self;

	fd_close(directory->fd);
	free(directory->base.path);
	free(directory);
}

static int directory_open(const struct local_files *self, const char *name, struct local_file *ret,
			  struct error *err)
{
	const struct directory *directory = (const struct directory *)self;
	_cleanup_fd_ int fd =
		root_try_open(directory->fd, name, ROOT_BENEATH, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd == -ENOENT)
		return refuse_as(err, fd, "there is no \"%s\" in \"%s\"", name, self->path);
	if (fd == -EXDEV)
		return refuse_as(err, fd, "\"%s\" is a link that leads out of \"%s\"", name,
				 self->path);
	if (fd < 0)
		return fail(err, fd, "open \"%s\" in \"%s\"", name, self->path);
	if (fstat(fd, &st) < 0)
		return fail(err, -errno, "look at \"%s\" in \"%s\"", name, self->path);
	if (!S_ISREG(st.st_mode))
		return refuse(err, "\"%s\" in \"%s\" is no regular file", name, self->path);
	*ret = (struct local_file){.fd = take_fd(&fd), .size = (uint64_t)st.st_size};
	return 0;
}

int local_files_of_directory(const char *path, struct local_files **ret, struct error *err)
{
	int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct directory *directory;

	if (fd < 0)
		return fail(err, -errno, "open the directory \"%s\"", path);
	directory = xcalloc(1, sizeof(*directory));
	directory->base = (struct local_files){
		.open = directory_open,
		.free = directory_free,
		.path = xstrdup(path),
	};
	directory->fd = fd;
	*ret = &directory->base;
	return 0;
}

int local_file_reader(const struct local_files *files, const char *name, struct reader **ret,
		      uint64_t *ret_size, struct error *err)
{
	_cleanup_free_ char *what = xasprintf("%s: %s", files->path, name);
	struct local_file file;
	int r = files->open(files, name, &file, err);

	if (r < 0)
		return r;
	*ret = reader_of_file(file.fd, file.offset, file.size, what);
	*ret_size = file.size;
	return 0;
}

int local_file_read(const struct local_files *files, const char *name, uint64_t max,
		    char **ret_text, size_t *ret_size, struct error *err)
{
	_cleanup_reader_ struct reader *reader = NULL;
	_cleanup_free_ char *text = NULL;
	const void *data = NULL;
	uint64_t size = 0;
	size_t got = 0, n = 0;
	int r = local_file_reader(files, name, &reader, &size, err);

	if (r < 0)
		return r;
	if (size > max)
		return refuse_as(err, -EFBIG,
				 "\"%s\" in \"%s\" is of %ju bytes, at most %ju are read", name,
				 files->path, (uintmax_t)size, (uintmax_t)max);
	text = xcalloc(size + 1, 1);
	while ((r = reader_read(reader, &data, &n, err)) > 0) {
		memcpy(text + got, data, n);
		got += n;
	}
	if (r < 0)
		return r;
	*ret_text = take_ptr(&text);
	*ret_size = got;
	return 0;
}
