/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Archives by the writers that people use, in each of their formats: what is read of one must be
 * what the file system says about the tree that it was made of.
 */
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "stream/tar.h"

#include "stream.h"

enum {
	PREFIX = 1, /* names above 100 bytes that ustar can part */
	LONG = 2,   /* names and targets that it cannot */
	TIMES = 4,  /* nanoseconds, years before 1970 */
	IDS = 8,    /* owners above seven octal digits */
	XATTRS = 16,
	ESCAPES = 32,  /* "=" in an attribute's name */
	SPARSE = 64,   /* holes stay holes */
	SPECIAL = 128, /* devices and fifos */
	BEFORE = 256,  /* fractions before 1970; libarchive writes -5.25 as -6.75 */
	USTAR = PREFIX | SPECIAL,
	PAX = USTAR | LONG | TIMES | IDS,
	OLD_GNU = USTAR | LONG | IDS,
};

#define PYTHON(format)                                                                             \
	"python3 -c 'import sys, tarfile\n"                                                        \
	"tar = tarfile.open(fileobj=sys.stdout.buffer, mode=\"w|\", format=tarfile." format ")\n"  \
	"tar.add(\"tree\")\n"                                                                      \
	"tar.close()'"
#define GNU_PAX "tar --format=posix --xattrs --xattrs-include='*' -S "

static const struct writer {
	const char *tool;
	const char *command; /* beside the tree; writes to standard output */
	unsigned can;
} writers[] = {
	{"tar", "tar --format=gnu -c tree", OLD_GNU},
	{"tar", "tar --format=gnu -S -c tree", OLD_GNU | SPARSE},
	{"tar", "tar --format=oldgnu -S -c tree", OLD_GNU | SPARSE},
	{"tar", "tar --format=v7 -c tree", 0},
	{"tar", "tar --format=ustar -c tree", USTAR},
	{"tar", GNU_PAX "-c tree", PAX | BEFORE | XATTRS | ESCAPES | SPARSE},
	{"tar", GNU_PAX "--sparse-version=0.1 -c tree", PAX | BEFORE | XATTRS | ESCAPES | SPARSE},
	{"tar", GNU_PAX "--sparse-version=0.0 -c tree", PAX | BEFORE | XATTRS | ESCAPES | SPARSE},
	{"bsdtar", "bsdtar --format pax -cf - tree", PAX | XATTRS | SPARSE},
	{"bsdtar", "bsdtar --format gnutar -cf - tree", OLD_GNU},
	{"bsdtar", "bsdtar --format ustar -cf - tree", USTAR},
	{"bsdtar", "bsdtar --format v7tar -cf - tree", 0},
	{"python3", PYTHON("PAX_FORMAT"), OLD_GNU},
	{"python3", PYTHON("GNU_FORMAT"), OLD_GNU},
	{"python3", PYTHON("USTAR_FORMAT"), USTAR},
	{"busybox", "busybox tar -cf - tree", LONG | SPECIAL},
};

/* What each of them can; then what only some can, behind a test of the variable $can. */
static const char tree[] =
	"set -e\n"
	"has() { [ $((can & $1)) -ne 0 ]; }\n"
	"umask 022\n"
	"mkdir -p tree/sub tree/empty\n"
	"printf content >tree/sub/file\n"
	"chmod 6751 tree/sub/file\n"
	"ln tree/sub/file tree/sub/hard\n"
	"ln -s sub/file tree/link\n"
	": >tree/nothing\n"
	"head -c 512 /dev/urandom >tree/block\n"
	"head -c 300001 /dev/urandom >tree/large\n"
	"if has 128; then\n"
	"	mkfifo -m 640 tree/fifo\n"
	"	[ \"$(id -u)\" -ne 0 ] || mknod tree/tty c 4 65 || :\n"
	"	[ \"$(id -u)\" -ne 0 ] || mknod tree/disk b 259 200000 || :\n"
	"fi\n"
	"long=aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffff\n"
	"if has 1; then\n"
	"	mkdir -p tree/$long/$long && printf prefix >tree/$long/$long/file\n"
	"fi\n"
	"if has 2; then\n"
	"	mkdir -p tree/$long$long/$long$long$long\n"
	"	printf long >tree/$long$long/$long$long$long/$long$long\n"
	"	ln tree/$long$long/$long$long$long/$long$long tree/$long$long/$long-hard\n"
	"	ln -s $long/$long/$long/$long tree/$long-link\n"
	"fi\n"
	"touch -d @1234567890 tree/sub/file\n"
	"if has 4; then\n"
	"	touch -d @1234567890.123456789 tree/sub/file\n"
	"	touch -d @-5 tree/nothing\n"
	"	touch -d @-100000000000 tree/block\n"
	"	touch -d @100000000000 tree/large\n"
	"fi\n"
	"! has 256 || touch -d @-5.25 tree/nothing\n"
	"if has 8; then\n"
	"	[ \"$(id -u)\" -ne 0 ] || chown 3000000:4294967294 tree/nothing\n"
	"fi\n"
	"if has 64; then\n"
	"	for i in 0 1 2 5 6 7 8 10 20 22 24 26 28 30 32 34 36 38 40 42 44 46 48 50; do\n"
	"		printf 'some data' | dd of=tree/sparse bs=64k seek=$i conv=notrunc "
	"2>/dev/null\n"
	"	done\n"
	"	truncate -s 4000001 tree/sparse\n"
	"	truncate -s 10000000000 tree/hole\n"
	"fi\n";

static void run(struct world *world, const char *script, unsigned can)
{
	_cleanup_free_ char *line = xasprintf("cd %s && can=%u && %s", world->path, can, script);

	if (system(line) != 0)
		fail_msg("failed: %s", script);
}

static void set_xattrs(struct world *world, unsigned can)
{
	_cleanup_free_ char *path = xasprintf("%s/tree/sub/file", world->path);

	if (!(can & XATTRS))
		return;
	assert_int_equal(setxattr(path, "user.empty", "", 0, 0), 0);
	assert_int_equal(setxattr(path, "user.binary", "\0\n=\xff\0", 5, 0), 0);
	assert_int_equal(setxattr(path, "user.long.name", tree, 900, 0), 0);
	if (can & ESCAPES)
		assert_int_equal(setxattr(path, "user.a=b%3D", "x", 1, 0), 0);
}

static const mode_t modes[] = {
	[TAR_FILE] = S_IFREG,	   [TAR_HARDLINK] = S_IFREG, [TAR_SYMLINK] = S_IFLNK,
	[TAR_CHARACTER] = S_IFCHR, [TAR_BLOCK] = S_IFBLK,    [TAR_DIRECTORY] = S_IFDIR,
	[TAR_FIFO] = S_IFIFO,
};

static void check_metadata(const struct tar_entry *entry, const struct stat *st, unsigned can)
{
	assert_int_equal(st->st_mode & S_IFMT, modes[entry->type]);
	if (entry->type != TAR_SYMLINK)
		assert_int_equal(st->st_mode & 07777, entry->mode);
	assert_int_equal(st->st_uid, entry->uid);
	assert_int_equal(st->st_gid, entry->gid);
	assert_int_equal(st->st_mtim.tv_sec, entry->mtime.tv_sec);
	/* Without TIMES it is none, or Python's, which has floating point. */
	if (can & TIMES)
		assert_int_equal(st->st_mtim.tv_nsec, entry->mtime.tv_nsec);
	assert_int_equal(entry->type == TAR_FILE ? st->st_size : 0, entry->size);
	if (entry->type == TAR_CHARACTER || entry->type == TAR_BLOCK)
		assert_true(st->st_rdev == makedev(entry->major, entry->minor));
}

static void check_target(struct world *world, const struct tar_entry *entry, const struct stat *st)
{
	char target[1000] = "";
	struct stat other;

	if (entry->type == TAR_SYMLINK) {
		assert_true(readlinkat(world->fd, entry->path, target, sizeof(target) - 1) > 0);
		assert_string_equal(target, entry->target);
	} else if (entry->type == TAR_HARDLINK) {
		assert_int_equal(fstatat(world->fd, entry->target, &other, 0), 0);
		assert_int_equal(st->st_ino, other.st_ino);
	} else {
		assert_string_equal(entry->target, "");
	}
}

/* Every attribute of the archive is the file's, and their number. */
static void check_xattrs(struct world *world, const struct tar_entry *entry)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", world->path, entry->path);
	char names[1000], value[1000];
	ssize_t size = llistxattr(path, names, sizeof(names));
	size_t count = 0;

	for (ssize_t i = 0; i < size; i++)
		count += names[i] == '\0';
	assert_int_equal(entry->xattr_count, count);
	for (size_t i = 0; i < count; i++) {
		const struct tar_xattr *xattr = &entry->xattrs[i];

		size = lgetxattr(path, xattr->name, value, sizeof(value));
		assert_int_equal(size, xattr->size);
		assert_memory_equal(value, xattr->value, (size_t)size);
	}
}

/* @size bytes at @data belong at @offset of the file. */
static void check_bytes(int fd, uint64_t offset, const void *data, size_t size)
{
	_cleanup_free_ char *expected = xcalloc(1, size);

	assert_int_equal(pread(fd, expected, size, (off_t)offset), size);
	assert_memory_equal(expected, data, size);
}

static uint64_t check_piece(struct tar *tar, int fd, uint64_t offset, uint64_t size)
{
	struct error err = ERROR_NONE;
	uint64_t done = 0;

	/* Pieces of the stream do not heed those of the file; these files' do fit in one read. */
	while (done < size) {
		const void *data = NULL;
		size_t got = 0;

		assert_int_equal(tar_read(tar, &data, &got, &err), 1);
		check_bytes(fd, offset + done, data, got);
		done += got;
	}
	return done;
}

/* All pieces of a sparse file, in one memory. */
static void check_sparse(struct tar *tar, int fd, const struct tar_entry *entry)
{
	_cleanup_buf_ struct buf all = BUF_EMPTY;
	struct error err = ERROR_NONE;
	const void *data;
	size_t size, at = 0;
	int r;

	while ((r = tar_read(tar, &data, &size, &err)) > 0)
		buf_add(&all, data, size);
	assert_fine(r, err);
	for (size_t i = 0; i < entry->piece_count; i++) {
		const struct tar_piece *piece = &entry->pieces[i];

		check_bytes(fd, piece->offset, all.data + at, piece->size);
		at += piece->size;
	}
	assert_int_equal(at, all.size);
	assert_true(all.size < entry->size / 2);
}

static void check_content(struct world *world, struct tar *tar, const struct tar_entry *entry,
			  unsigned can)
{
	_cleanup_fd_ int fd = openat(world->fd, entry->path, O_RDONLY | O_CLOEXEC);
	bool sparse = str_equal(entry->path, "tree/sparse") || str_equal(entry->path, "tree/hole");
	struct error err = ERROR_NONE;
	const void *data;
	size_t size;

	assert_true(fd >= 0);
	if (sparse && can & SPARSE)
		assert_non_null(entry->pieces);
	if (entry->pieces)
		check_sparse(tar, fd, entry);
	else
		check_piece(tar, fd, 0, entry->size);
	assert_int_equal(tar_read(tar, &data, &size, &err), 0);
}

static void check_entry(struct world *world, struct tar *tar, const struct tar_entry *entry,
			unsigned can)
{
	struct stat st;

	if (fstatat(world->fd, entry->path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		fail_msg("there is no \"%s\"", entry->path);
	check_metadata(entry, &st, can);
	check_target(world, entry, &st);
	if (entry->type == TAR_FILE || entry->type == TAR_DIRECTORY)
		check_xattrs(world, entry);
	if (entry->type == TAR_FILE)
		check_content(world, tar, entry, can);
}

static void check_archive(struct world *world, const char *name, unsigned can)
{
	_cleanup_reader_ struct reader *reader =
		reader_of_file(openat(world->fd, name, O_RDONLY | O_CLOEXEC), 0, UINT64_MAX, name);
	_cleanup_tar_ struct tar *tar = tar_new(reader);
	struct error err = ERROR_NONE;
	struct tar_entry entry;
	_cleanup_free_ char *count = xasprintf("[ $(find tree | wc -l) -eq $(cat count) ]");
	char text[20];
	int entries = 0, r;

	while ((r = tar_next(tar, &entry, &err)) > 0) {
		check_entry(world, tar, &entry, can);
		entries++;
	}
	assert_fine(r, err);
	assert_int_equal(tar_next(tar, &entry, &err), 0);
	snprintf(text, sizeof(text), "%d", entries);
	put_file(world, "count", text);
	run(world, count, can);
}

static void test_writers(void **state)
{
	struct world *world = *state;

	for (size_t i = 0; i < ARRAY_SIZE(writers); i++) {
		const struct writer *writer = &writers[i];
		_cleanup_free_ char *command =
			xasprintf("rm -rf tree && if ! command -v %s >/dev/null; then exit 0; fi\n"
				  "%s",
				  writer->tool, tree);
		_cleanup_free_ char *write = xasprintf("%s >archive", writer->command);
		struct stat st;

		run(world, command, writer->can);
		if (fstatat(world->fd, "tree", &st, 0) < 0) {
			print_message("skipped: no %s\n", writer->tool);
			continue;
		}
		set_xattrs(world, writer->can);
		print_message("%s\n", writer->command);
		run(world, write, writer->can);
		check_archive(world, "archive", writer->can);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(test_writers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
