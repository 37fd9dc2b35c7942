/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layers for tests: a small tar writer that writes names as they are given, an unpacker, and trees
 * as text.
 */
#ifndef BERTH_TESTS_PULL_LAYER_H
#define BERTH_TESTS_PULL_LAYER_H

#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "layer/unpack.h"

#include "../base/unit.h"

#define PAX_MAX	  4
#define ITEMS_MAX 16

/* One entry. path NULL: the end of a list. type: '0' to '7', as tar has it; 0 stands for '0'. */
struct item {
	const char *path;
	char type;
	const char *target, *data;
	mode_t mode; /* 0: 0755 for directories, 0644 for others */
	unsigned uid, gid;
	long mtime;
	unsigned major, minor;
	const char *pax[PAX_MAX]; /* "KEY=VALUE" */
};

static inline void tar_pad(struct buf *tar)
{
	static const char zeros[512];

	buf_add(tar, zeros, (512 - tar->size % 512) % 512);
}

/* @width - 1 octal digits, and NUL. */
static inline void tar_octal(char *field, int width, uint64_t value)
{
	for (int i = width - 2; i >= 0; i--, value >>= 3)
		field[i] = (char)('0' + (value & 7));
}

/* A header block; what is too long is cut, since what is in the pax header counts then. */
static inline void tar_header(struct buf *tar, const struct item *item, size_t size)
{
	char block[512] = {0};
	unsigned sum = 0;
	char type = item->type ? item->type : '0';

	memcpy(block, item->path, strnlen(item->path, 100));
	if (item->target)
		memcpy(block + 157, item->target, strnlen(item->target, 100));
	tar_octal(block + 100, 8, item->mode ? item->mode : type == '5' ? 0755 : 0644);
	tar_octal(block + 108, 8, item->uid);
	tar_octal(block + 116, 8, item->gid);
	tar_octal(block + 124, 12, size);
	tar_octal(block + 136, 12, (uint64_t)item->mtime);
	memset(block + 148, ' ', 8);
	block[156] = type;
	memcpy(block + 257, "ustar\00000", 8);
	tar_octal(block + 329, 8, item->major);
	tar_octal(block + 337, 8, item->minor);
	for (size_t i = 0; i < sizeof(block); i++)
		sum += (unsigned char)block[i];
	tar_octal(block + 148, 7, sum);
	buf_add(tar, block, sizeof(block));
}

static inline void pax_add(struct buf *records, const char *text)
{
	size_t size = strlen(text) + 2, digits = 1, power = 10;

	while (size + digits >= power) {
		digits++;
		power *= 10;
	}
	buf_printf(records, "%zu %s\n", size + digits, text);
}

static inline void tar_add(struct buf *tar, const struct item *item)
{
	_cleanup_buf_ struct buf records = BUF_EMPTY;
	const size_t size = item->data ? strlen(item->data) : 0;

	if (strlen(item->path) > 100) {
		_cleanup_free_ char *text = xasprintf("path=%s", item->path);

		pax_add(&records, text);
	}
	for (size_t i = 0; i < PAX_MAX && item->pax[i]; i++)
		pax_add(&records, item->pax[i]);
	if (records.size) {
		tar_header(tar, &(struct item){.path = "pax", .type = 'x'}, records.size);
		buf_add(tar, records.data, records.size);
		tar_pad(tar);
	}
	tar_header(tar, item, size);
	buf_add(tar, item->data, size);
	tar_pad(tar);
}

static inline void tar_end(struct buf *tar)
{
	static const char zeros[1024];

	buf_add(tar, zeros, sizeof(zeros));
}

static inline int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static inline void tree_add(struct buf *out, int dirfd, const char *name, const char *path);

/* The names of a directory, sorted. */
static inline void tree_list(int dirfd, struct strv *ret)
{
	DIR *dir = fdopendir(openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	const struct dirent *entry;

	assert_non_null(dir);
	while ((entry = readdir(dir)))
		if (!str_equal(entry->d_name, ".") && !str_equal(entry->d_name, ".."))
			strv_add(ret, entry->d_name);
	closedir(dir);
	if (ret->count)
		qsort(ret->items, ret->count, sizeof(*ret->items), by_name);
}

static inline bool is_opaque(int fd)
{
	char value = 0;

	return (fgetxattr(fd, "trusted.overlay.opaque", &value, 1) == 1 && value == 'y') ||
	       (fgetxattr(fd, "user.overlay.opaque", &value, 1) == 1 && value == 'y');
}

static inline void tree_add_directory(struct buf *out, int fd, const char *path)
{
	_cleanup_strv_ struct strv names = {0};

	tree_list(fd, &names);
	for (size_t i = 0; i < names.count; i++) {
		_cleanup_free_ char *below =
			*path ? xasprintf("%s/%s", path, names.items[i]) : xstrdup(names.items[i]);

		tree_add(out, fd, names.items[i], below);
	}
}

static inline void tree_add_file(struct buf *out, int dirfd, const char *name)
{
	struct error err = ERROR_NONE;
	_cleanup_free_ char *data = NULL;

	assert_fine(file_read_at(dirfd, name, 1u << 20, &data, NULL, &err), err);
	buf_printf(out, "=%.40s", data);
}

/*
 * A line of the tree: PATH, and "/" (and "!": opaque) of directories, "=CONTENT" of files (and
 * "*N": it has N names), "->TARGET" of links, "%" of whiteouts, "%TYPE MAJOR:MINOR" of others.
 */
static inline void tree_add(struct buf *out, int dirfd, const char *name, const char *path)
{
	char target[4096];
	struct stat st;

	assert_int_equal(fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW), 0);
	buf_add_string(out, path);
	if (S_ISDIR(st.st_mode)) {
		_cleanup_fd_ int fd =
			openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

		assert_true(fd >= 0);
		buf_add_string(out, is_opaque(fd) ? "/!\n" : "/\n");
		tree_add_directory(out, fd, path);
		return;
	}
	if (S_ISLNK(st.st_mode)) {
		ssize_t size = readlinkat(dirfd, name, target, sizeof(target) - 1);

		assert_true(size >= 0);
		buf_printf(out, "->%.*s", (int)size, target);
	} else if (S_ISREG(st.st_mode)) {
		tree_add_file(out, dirfd, name);
	} else if (S_ISCHR(st.st_mode) && st.st_rdev == 0) {
		buf_add_string(out, "%");
	} else {
		buf_printf(out, "%%%c %u:%u",
			   S_ISCHR(st.st_mode)	 ? 'c'
			   : S_ISBLK(st.st_mode) ? 'b'
						 : 'p',
			   major(st.st_rdev), minor(st.st_rdev));
	}
	if (st.st_nlink > 1)
		buf_printf(out, "*%u", (unsigned)st.st_nlink);
	buf_add_char(out, '\n');
}

/* The tree below @fd, the caller's. */
static inline char *tree(int fd)
{
	struct buf out = BUF_EMPTY;

	tree_add_directory(&out, fd, "");
	return buf_take(&out);
}

static inline void assert_tree(int fd, const char *expected)
{
	_cleanup_free_ char *found = tree(fd);

	if (!str_equal(found, expected))
		fail_msg("expected:\n%sfound:\n%s", expected, found);
}

/* Everything that is needed to unpack into "root" of a world, with its index "index". */
struct layer {
	int rootfd, indexfd;
	struct limits limits;
	struct unpack_options options;
	struct unpack_result result;
	struct error err;
};

static inline void layer_begin(struct layer *layer, const struct world *world, const char *name)
{
	_cleanup_free_ char *index = xasprintf("%s.index", name);

	*layer = (struct layer){.limits = LIMITS_DEFAULT};
	put_directory(world, name);
	layer->rootfd = openat(world->fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	layer->indexfd = openat(world->fd, index, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(layer->rootfd >= 0 && layer->indexfd >= 0);
	layer->options =
		(struct unpack_options){.limits = &layer->limits, .indexfd = layer->indexfd};
}

static inline void layer_end(struct layer *layer)
{
	layer->rootfd = fd_close(layer->rootfd);
	layer->indexfd = fd_close(layer->indexfd);
}

static inline int layer_unpack_tar(struct layer *layer, const struct buf *tar)
{
	_cleanup_reader_ struct reader *reader = reader_of_memory(tar->data, tar->size);

	return unpack_layer(reader, layer->rootfd, &layer->options, &layer->result, &layer->err);
}

static inline int layer_unpack(struct layer *layer, const struct item *items)
{
	_cleanup_buf_ struct buf tar = BUF_EMPTY;

	for (; items->path; items++)
		tar_add(&tar, items);
	tar_end(&tar);
	return layer_unpack_tar(layer, &tar);
}

static inline bool no_root(void)
{
	return geteuid() != 0;
}

#endif
