/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tar archive as a place of files, read in place.
 *
 * Theory of operation. The archive is gone through once; of each entry its name and where its
 * content lies are kept, in a list that is sorted by name. As with tar(1), the last of several
 * entries of one name counts. Nothing of the archive becomes a path of the host: names and targets
 * of links are only compared with each other, as text.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "berth/base/alloc.h"
#include "berth/base/fd.h"
#include "berth/base/path.h"
#include "berth/base/str.h"

#include "stream/tar.h"

#include "local_files.h"

/* Bounds of an archive as a source. */
#define ENTRIES_MAX    65536
#define TEXT_BYTES_MAX (4u << 20) /* all names and targets of links */

/* Links to links: more than any writer of archives makes. */
#define LINKS_MAX 8

struct member {
	const char *name;   /* cleaned: no "/" in front, no "." or ".." */
	const char *target; /* of a link, cleaned; NULL otherwise */
	size_t position;    /* in the archive */
	uint64_t offset, size;
	bool is_file, is_sparse;
};

struct archive {
	struct local_files base;
	int fd;		     /* owned */
	struct arena *arena; /* of the texts */
	size_t text_bytes;
	struct member *members; /* sorted by name, the last of a name behind the others */
	size_t count, room;
};

static void archive_free(struct local_files *self)
{
	struct archive *archive = (struct archive *)self;

	fd_close(archive->fd);
	arena_free(archive->arena);
	free(archive->members);
	free(archive->base.path);
	free(archive);
}

/* Names that say how a whole file is compressed, which is not read. */
static const struct {
	const char *name, *magic;
	size_t size;
} unreadable[] = {
	{"xz",
	 "\xfd"
	 "7zXZ",
	 5},
	{"bzip2", "BZh", 3},
	{"lz4", "\x04\x22\x4d\x18", 4},
	{"zip", "PK\x03\x04", 4},
};

/* 1 if the file must be decompressed first. */
static int look_at_magic(int fd, const char *what, struct error *err)
{
	char magic[8] = {0};
	ssize_t n = pread(fd, magic, sizeof(magic), 0);

	if (n < 0)
		return fail(err, -errno, "read \"%s\"", what);
	for (size_t i = 0; i < ARRAY_SIZE(unreadable); i++) {
		if (memcmp(magic, unreadable[i].magic, unreadable[i].size) == 0)
			return refuse(err,
				      "\"%s\" is compressed with %s; only gzip and zstd are read",
				      what, unreadable[i].name);
	}
	return compression_of(magic, sizeof(magic)) != COMPRESSION_NONE;
}

static int write_all_from(struct reader *reader, int fd, const char *tmp, struct error *err)
{
	const void *data = NULL;
	size_t size = 0;
	int r;

	while ((r = reader_read(reader, &data, &size, err)) > 0) {
		r = fd_write_all(fd, data, size);
		if (r < 0)
			return fail(err, r, "write a decompressed archive in \"%s\"", tmp);
	}
	return r;
}

/* Puts a decompressed file without a name in the place of *fd. */
static int decompress(int *fd, const char *what, const char *tmp, const struct limits *limits,
		      struct error *err)
{
	_cleanup_reader_ struct reader *reader = NULL;
	_cleanup_fd_ int made = open(tmp, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	int r;

	if (made < 0)
		return fail(err, -errno, "make a file in \"%s\", to decompress \"%s\"", tmp, what);
	reader = reader_decompress(
		reader_of_file(take_fd(fd), 0, UINT64_MAX, what),
		&(struct decompress_limits){
			.bytes = limits->image_bytes ? limits->image_bytes : UINT64_MAX,
			.bytes_option = "--max-image-size",
			.ratio = limits->ratio,
			.zstd_window = limits->zstd_window,
			.directory = tmp,
		},
		what);
	r = write_all_from(reader, made, tmp, err);
	if (r < 0)
		return r;
	*fd = take_fd(&made);
	return 0;
}

/* A name as it is compared: path_join() removes "//", "." and "..". */
static const char *clean(struct archive *archive, const char *base, const char *name)
{
	_cleanup_free_ char *path = path_join(base, name);

	archive->text_bytes += strlen(path);
	return arena_strdup(archive->arena, path + 1);
}

/* The directory of a name, absolute. */
static char *directory_of(const char *name)
{
	const char *slash = strrchr(name, '/');

	return slash ? xasprintf("/%.*s", (int)(slash - name), name) : xstrdup("/");
}

static int add(struct archive *archive, const struct tar_entry *entry, struct error *err)
{
	struct member *member;

	if (entry->type != TAR_FILE && entry->type != TAR_SYMLINK && entry->type != TAR_HARDLINK)
		return 0;
	if (archive->count == archive->room) {
		archive->room = archive->room ? 2 * archive->room : 64;
		archive->members =
			xrealloc(archive->members, archive->room, sizeof(*archive->members));
	}
	member = &archive->members[archive->count];
	*member = (struct member){
		.name = clean(archive, "/", entry->path),
		.position = archive->count,
		.offset = entry->content_offset,
		.size = entry->size,
		.is_file = entry->type == TAR_FILE,
		.is_sparse = entry->pieces != NULL,
	};
	if (entry->type == TAR_HARDLINK) {
		member->target = clean(archive, "/", entry->target);
	} else if (entry->type == TAR_SYMLINK) {
		_cleanup_free_ char *base = directory_of(member->name);

		member->target = clean(archive, base, entry->target);
	}
	archive->count++;
	if (archive->count > ENTRIES_MAX || archive->text_bytes > TEXT_BYTES_MAX)
		return refuse(err, "there are too many files in it, or their names are too long");
	return 0;
}

static int compare_members(const void *a, const void *b)
{
	const struct member *left = a, *right = b;
	int r = strcmp(left->name, right->name);

	if (r != 0)
		return r;
	return left->position < right->position ? -1 : 1;
}

static int read_members(struct archive *archive, struct error *err)
{
	_cleanup_reader_ struct reader *reader = NULL;
	_cleanup_tar_ struct tar *tar = NULL;
	struct tar_entry entry;
	int fd, r;

	fd = fd_dup(archive->fd, err);
	if (fd < 0)
		return fd;
	reader = reader_of_file(fd, 0, UINT64_MAX, archive->base.path);
	tar = tar_new(reader);
	while ((r = tar_next(tar, &entry, err)) > 0) {
		r = add(archive, &entry, err);
		if (r < 0)
			return r;
	}
	if (r < 0)
		return r;
	if (archive->count > 0)
		qsort(archive->members, archive->count, sizeof(*archive->members), compare_members);
	return 0;
}

/* The last entry of the name, or NULL. */
static const struct member *find(const struct archive *archive, const char *name)
{
	size_t low = 0, high = archive->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(archive->members[middle].name, name) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0 || !str_equal(archive->members[low - 1].name, name))
		return NULL;
	return &archive->members[low - 1];
}

/* The file of the name, which links within the archive may lead to; NULL if there is none. */
static const struct member *find_file(const struct archive *archive, const char *name)
{
	_cleanup_free_ char *path = path_join("/", name);
	const struct member *member = find(archive, path + 1);

	for (int links = 0; member && !member->is_file && links < LINKS_MAX; links++)
		member = find(archive, member->target);
	return member && member->is_file ? member : NULL;
}

static int archive_open(const struct local_files *self, const char *name, struct local_file *ret,
			struct error *err)
{
	const struct archive *archive = (const struct archive *)self;
	const struct member *member = find_file(archive, name);
	int fd;

	if (!member)
		return refuse_as(err, -ENOENT, "there is no \"%s\" in \"%s\"", name, self->path);
	if (member->is_sparse)
		return refuse(err,
			      "\"%s\" is a sparse file in \"%s\", and cannot be read in place; "
			      "make the archive without --sparse",
			      name, self->path);
	fd = fd_dup(archive->fd, err);
	if (fd < 0)
		return fd;
	*ret = (struct local_file){.fd = fd, .offset = member->offset, .size = member->size};
	return 0;
}

static struct archive *archive_new(const char *path)
{
	struct archive *archive = xcalloc(1, sizeof(*archive));

	archive->base = (struct local_files){
		.open = archive_open,
		.free = archive_free,
		.path = xstrdup(path),
	};
	archive->fd = -EBADF;
	archive->arena = arena_new();
	return archive;
}

/* Opens the archive itself, and sees to it that it is not compressed any more. */
static int open_file(struct archive *archive, const char *tmp, const struct limits *limits,
		     struct error *err)
{
	const char *path = archive->base.path;
	struct stat st;
	int r;

	archive->fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (archive->fd < 0 || fstat(archive->fd, &st) < 0)
		return fail(err, -errno, "open \"%s\"", path);
	if (!S_ISREG(st.st_mode))
		return refuse(err, "\"%s\" is no regular file", path);
	r = look_at_magic(archive->fd, path, err);
	return r > 0 ? decompress(&archive->fd, path, tmp, limits, err) : r;
}

int local_files_of_archive(const char *path, const char *tmp, const struct limits *limits,
			   struct local_files **ret, struct error *err)
{
	struct archive *archive = archive_new(path);
	_cleanup_local_files_ struct local_files *files = &archive->base;
	int r = open_file(archive, tmp, limits, err);

	if (r >= 0) {
		r = read_members(archive, err);
		if (r < 0)
			r = within(err, r, "\"%s\"", path);
	}
	if (r < 0)
		return r;
	*ret = take_ptr(&files);
	return 0;
}
