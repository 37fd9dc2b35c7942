/* SPDX-License-Identifier: Apache-2.0 */
/* Entries of archives made by hand: what the formats allow, and writers seldom write. */
#include "stream/tar.h"

#include "archive.h"

/* The archive's entries one after the other; the content is read into `content`. */
struct walk {
	struct reader *reader;
	struct tar *tar;
	struct tar_entry entry;
	struct buf content;
	struct error err;
};

/* In pieces that are no multiple of a block. */
static void walk_begin(struct walk *walk, const struct buf *archive)
{
	memset(walk, 0, sizeof(*walk));
	walk->reader = &pieces_make(archive->data, archive->size, 1000)->reader;
	walk->tar = tar_new(walk->reader);
}

static void walk_end(struct walk *walk)
{
	tar_free(walk->tar);
	cleanup_reader(&walk->reader);
	buf_done(&walk->content);
}
#define _cleanup_walk_ __attribute__((cleanup(walk_end)))

static const struct tar_entry *walk_next(struct walk *walk)
{
	const void *data;
	size_t size;
	int r;

	buf_done(&walk->content);
	r = tar_next(walk->tar, &walk->entry, &walk->err);
	assert_fine(r, walk->err);
	if (r == 0)
		return NULL;
	while ((r = tar_read(walk->tar, &data, &size, &walk->err)) > 0)
		buf_add(&walk->content, data, size);
	assert_fine(r, walk->err);
	return &walk->entry;
}

/* The one entry of the archive. */
static const struct tar_entry *walk_only(struct walk *walk, const struct buf *archive)
{
	const struct tar_entry *entry;

	walk_begin(walk, archive);
	entry = walk_next(walk);
	assert_non_null(entry);
	return entry;
}

static void test_numbers(void **state)
{
	static const struct {
		struct block block;
		uint64_t uid;
		int64_t mtime;
	} cases[] = {
		{{.uid = "0001750", .mtime = "11145401322"}, 1000, 1234567890},
		{{.uid = "   1750 ", .mtime = "11145401322 "}, 1000, 1234567890},
		{{.uid = "1750    ", .mtime = "           1"}, 1000, 1},
		{{.uid = "77777777", .mtime = "777777777777"}, 077777777, 0777777777777},
		{{.uid = "", .mtime = "            "}, 0, 0},
		{{.uid = "\x80\x01\x02\x03\x04\x05\x06\x07",
		  .mtime = "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xfe"},
		 0x01020304050607,
		 -2},
		{{.uid = "\xbf\xff\xff\xff\xff\xff\xff\xff",
		  .mtime = "\xff\xff\xff\xff\x81\x01\x01\x01\x01\x01\x01\x01"},
		 0x3fffffffffffffff,
		 -0x7efefefefefefeff},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_buf_ struct buf archive = BUF_EMPTY;
		_cleanup_walk_ struct walk walk;
		const struct tar_entry *entry;

		add_block(&archive, &cases[i].block);
		add_end(&archive);
		entry = walk_only(&walk, &archive);
		assert_true(entry->uid == cases[i].uid);
		assert_true(entry->mtime.tv_sec == cases[i].mtime);
	}
}

/* Both sums of a header with bytes from 0x80 on. */
static void test_checksums(void **state)
{
	(void)state;
	for (int with_sign = 0; with_sign < 2; with_sign++) {
		_cleanup_buf_ struct buf archive = BUF_EMPTY;
		_cleanup_walk_ struct walk walk;

		add_block(&archive, &(struct block){.name = "Gr\xc3\xb6\xc3\x9f"
							    "e"});
		block_sum((unsigned char *)archive.data, with_sign);
		add_end(&archive);
		assert_string_equal(walk_only(&walk, &archive)->path, "Gr\xc3\xb6\xc3\x9f"
								      "e");
	}
}

static void test_types(void **state)
{
	static const struct {
		struct block block;
		enum tar_type type;
		const char *path, *target;
		uint64_t content;
	} cases[] = {
		{{.type = '0', .size = "0000001"}, TAR_FILE, "file", "", 1},
		{{.type = '\0', .size = "0000001"}, TAR_FILE, "file", "", 1},
		{{.type = '7', .size = "0000001"}, TAR_FILE, "file", "", 1},
		{{.type = '0', .name = "d/", .size = "0000001"}, TAR_FILE, "d/", "", 1},
		/* Only files have content. */
		{{.type = '\0', .name = "d/", .size = "0000001"}, TAR_DIRECTORY, "d", "", 0},
		{{.type = '5', .name = "d//", .size = "0000001"}, TAR_DIRECTORY, "d", "", 0},
		{{.type = '5', .name = "./"}, TAR_DIRECTORY, ".", "", 0},
		{{.type = '5', .name = "/"}, TAR_DIRECTORY, "", "", 0},
		{{.type = '1', .target = "x/", .size = "0000001"}, TAR_HARDLINK, "file", "x/", 0},
		{{.type = '2', .target = "../x", .size = "0000001"},
		 TAR_SYMLINK,
		 "file",
		 "../x",
		 0},
		{{.type = '3', .target = "x", .size = "0000001"}, TAR_CHARACTER, "file", "", 0},
		{{.type = '4', .size = "0000001"}, TAR_BLOCK, "file", "", 0},
		{{.type = '6', .size = "0000001"}, TAR_FIFO, "file", "", 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_buf_ struct buf archive = BUF_EMPTY;
		_cleanup_walk_ struct walk walk;
		const struct tar_entry *entry;

		add_block(&archive, &cases[i].block);
		if (cases[i].content)
			add_content(&archive, "x", 1);
		add_block(&archive, &(struct block){.name = "behind"});
		add_end(&archive);
		entry = walk_only(&walk, &archive);
		assert_int_equal(entry->type, cases[i].type);
		assert_string_equal(entry->path, cases[i].path);
		assert_string_equal(entry->target, cases[i].target);
		assert_int_equal(entry->size, cases[i].content);
		assert_int_equal(walk.content.size, cases[i].content);
		assert_string_equal(walk_next(&walk)->path, "behind");
		assert_null(walk_next(&walk));
	}
}

#define HUNDRED                                                                                    \
	"1234567890123456789012345678901234567890123456789012345678901234567890123456789012345678" \
	"901234567890"

static void test_names(void **state)
{
	static const struct {
		struct block block;
		const char *path;
	} cases[] = {
		{{.name = HUNDRED, .target = HUNDRED, .type = '2'}, HUNDRED},
		{{.name = HUNDRED, .prefix = HUNDRED}, HUNDRED "/" HUNDRED},
		{{.name = "a", .prefix = HUNDRED HUNDRED}, NULL},
		/* v7 and GNU have no prefix; but Go's old writer put one behind GNU's magic. */
		{{.name = "a", .prefix = "b", .magic = "ustar  "}, "b/a"},
		{{.name = "a", .prefix = "01234567012", .magic = "ustar  "}, "a"},
		{{.name = "a", .prefix = "b", .magic = "unknown"}, "a"},
		{{.name = "a", .prefix = "b", .v7 = true}, "a"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_buf_ struct buf archive = BUF_EMPTY;
		_cleanup_walk_ struct walk walk;
		const struct tar_entry *entry;

		add_block(&archive, &cases[i].block);
		add_end(&archive);
		entry = walk_only(&walk, &archive);
		if (cases[i].path)
			assert_string_equal(entry->path, cases[i].path);
		else
			assert_int_equal(strlen(entry->path), 155 + 2);
		assert_string_equal(entry->target, cases[i].block.target ? HUNDRED : "");
	}
}

/* v7 has no fields for devices, whatever may stand there. */
static void test_devices(void **state)
{
	static const struct {
		const char *magic;
		unsigned major, minor;
	} cases[] = {{NULL, 8, 1}, {"ustar  ", 8, 1}, {"unknown", 0, 0}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_buf_ struct buf archive = BUF_EMPTY;
		_cleanup_walk_ struct walk walk;
		const struct tar_entry *entry;

		add_block(&archive, &(struct block){.type = '4',
						    .magic = cases[i].magic,
						    .major = "0000010",
						    .minor = "0000001"});
		add_end(&archive);
		entry = walk_only(&walk, &archive);
		assert_int_equal(entry->major, cases[i].major);
		assert_int_equal(entry->minor, cases[i].minor);
	}
}

/* star's own times follow a prefix that is shorter: 131 bytes, here all of them. */
static void test_star(void **state)
{
	static const char prefix[] = HUNDRED "1234567890123456789012345678901";
	_cleanup_buf_ struct buf archive = BUF_EMPTY;
	_cleanup_walk_ struct walk walk;

	(void)state;
	add_block(&archive, &(struct block){.name = "a", .prefix = prefix});
	memcpy(archive.data + 476, "11145401322", 12);
	memcpy(archive.data + 508, "tar", 4);
	block_sum((unsigned char *)archive.data, false);
	add_end(&archive);
	assert_int_equal(strlen(prefix), 131);
	assert_string_equal(walk_only(&walk, &archive)->path,
			    HUNDRED "1234567890123456789012345678901/a");
}

static void test_gnu_names(void **state)
{
	_cleanup_buf_ struct buf archive = BUF_EMPTY;
	_cleanup_walk_ struct walk walk;
	const struct tar_entry *entry;

	(void)state;
	add_extension(&archive, 'L', "the first is void", 18);
	add_extension(&archive, 'L', "long/name\0rubbish", 18);
	add_extension(&archive, 'K', "long/target", 11);
	add_block(&archive, &(struct block){.name = "short", .target = "target", .type = '2'});
	/* It is for one entry. An empty one is none. */
	add_extension(&archive, 'L', "", 0);
	add_extension(&archive, 'K', "\0", 1);
	add_block(&archive, &(struct block){.name = "short", .target = "target", .type = '2'});
	add_end(&archive);
	entry = walk_only(&walk, &archive);
	assert_string_equal(entry->path, "long/name");
	assert_string_equal(entry->target, "long/target");
	entry = walk_next(&walk);
	assert_string_equal(entry->path, "short");
	assert_string_equal(entry->target, "target");
	assert_null(walk_next(&walk));
}

static void test_pax(void **state)
{
	static const char *const records[] = {
		"path",		"a/long/path", "linkpath",   "ignored",
		"uid",		"4294967296",  "gid",	     "70000",
		"size",		"3",	       "mtime",	     "1234567890.1234567899",
		"atime",	"rubbish",     "comment",    "x",
		"uname",	"somebody",    "hdrcharset", "BINARY",
		"VENDOR.thing", "=\n=",	       NULL};
	_cleanup_buf_ struct buf archive = BUF_EMPTY;
	_cleanup_walk_ struct walk walk;
	const struct tar_entry *entry;

	(void)state;
	add_pax(&archive, 'x', records);
	add_block(&archive, &(struct block){.name = "short", .type = '0', .uid = "0000001"});
	add_content(&archive, "abc", 3);
	add_block(&archive, &(struct block){.name = "short", .uid = "0000001"});
	add_end(&archive);
	entry = walk_only(&walk, &archive);
	assert_string_equal(entry->path, "a/long/path");
	assert_string_equal(entry->target, "");
	assert_int_equal(entry->uid, 4294967296);
	assert_int_equal(entry->gid, 70000);
	assert_int_equal(entry->mtime.tv_sec, 1234567890);
	assert_int_equal(entry->mtime.tv_nsec, 123456789);
	assert_int_equal(entry->size, 3);
	assert_memory_equal(walk.content.data, "abc", 3);
	entry = walk_next(&walk);
	assert_string_equal(entry->path, "short");
	assert_int_equal(entry->uid, 1);
}

static void test_pax_times(void **state)
{
	static const struct {
		const char *text;
		int64_t seconds;
		long nanoseconds;
	} cases[] = {
		{"0", 0, 0},
		{"1.5", 1, 500000000},
		{"1.", 1, 0},
		{"007", 7, 0},
		{"-1", -1, 0},
		{"-1.5", -2, 500000000},
		{"-0.000000001", -1, 999999999},
		{"-0.0000000001", 0, 0},
		{"9223372036854775806.999999999999", INT64_MAX - 1, 999999999},
		{"-9223372036854775806.1", INT64_MIN + 1, 900000000},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_buf_ struct buf archive = BUF_EMPTY;
		_cleanup_walk_ struct walk walk;
		const struct tar_entry *entry;

		add_pax(&archive, 'x', PAX("mtime", cases[i].text));
		add_block(&archive, &(struct block){.mtime = "7"});
		add_end(&archive);
		entry = walk_only(&walk, &archive);
		assert_true(entry->mtime.tv_sec == cases[i].seconds);
		assert_int_equal(entry->mtime.tv_nsec, cases[i].nanoseconds);
	}
}

/* The order of those who name an entry; what is empty names nothing; what comes last counts. */
static void test_precedence(void **state)
{
	_cleanup_buf_ struct buf archive = BUF_EMPTY;
	_cleanup_walk_ struct walk walk;
	const struct tar_entry *entry;

	(void)state;
	add_extension(&archive, 'L', "gnu", 3);
	add_pax(&archive, 'x', PAX("path", "pax", "linkpath", "paxlink"));
	add_block(&archive, &(struct block){.name = "ustar", .type = '1', .target = "link"});
	add_pax(&archive, 'x', PAX("path", "first", "uid", "1"));
	add_pax(&archive, 'x',
		PAX("path", "second", "path", "third", "gid", "9", "gid", "", "linkpath", ""));
	add_block(&archive,
		  &(struct block){.name = "ustar", .type = '1', .gid = "7", .target = "link"});
	add_end(&archive);
	entry = walk_only(&walk, &archive);
	assert_string_equal(entry->path, "gnu");
	assert_string_equal(entry->target, "paxlink");
	entry = walk_next(&walk);
	assert_string_equal(entry->path, "third");
	assert_string_equal(entry->target, "link");
	assert_int_equal(entry->uid, 0);
	assert_int_equal(entry->gid, 7);
}

static void test_global(void **state)
{
	_cleanup_buf_ struct buf archive = BUF_EMPTY;
	_cleanup_walk_ struct walk walk;
	const struct tar_entry *entry;

	(void)state;
	add_pax(&archive, 'g', PAX("comment", "0123456789abcdef", "uid", "5", "mtime", "9.5"));
	add_pax(&archive, 'x', PAX("uid", "6"));
	add_block(&archive, &(struct block){.name = "own"});
	add_pax(&archive, 'g', PAX("gid", "8"));
	add_block(&archive, &(struct block){.name = "global", .uid = "1", .gid = "1"});
	add_pax(&archive, 'x', PAX("uid", ""));
	add_block(&archive, &(struct block){.name = "header", .uid = "1"});
	add_end(&archive);
	entry = walk_only(&walk, &archive);
	assert_string_equal(entry->path, "own");
	assert_int_equal(entry->uid, 6);
	assert_int_equal(entry->gid, 0);
	assert_int_equal(entry->mtime.tv_sec, 9);
	entry = walk_next(&walk);
	assert_int_equal(entry->uid, 5);
	assert_int_equal(entry->gid, 8);
	entry = walk_next(&walk);
	assert_int_equal(entry->uid, 1);
	assert_int_equal(entry->gid, 8);
	assert_null(walk_next(&walk));
}

static void test_xattrs(void **state)
{
	static const struct {
		const char *name, *value;
		size_t size;
	} expected[] = {
		{"security.capability", "\1\0\0\2\0", 5},
		{"user.empty", "", 0},
		{"user.a=b%", "x", 1},
		{"user.%41", "raw", 3},
		{"user.space here", "hello", 5},
		{"user.both", "schily", 6},
	};
	_cleanup_buf_ struct buf archive = BUF_EMPTY, records = BUF_EMPTY;
	_cleanup_walk_ struct walk walk;
	const struct tar_entry *entry;

	(void)state;
	add_record_data(&records, "SCHILY.xattr.security.capability", "\1\0\0\2\0", 5);
	add_record(&records, "SCHILY.xattr.user.empty", "");
	add_record(&records, "SCHILY.xattr.user.a%3Db%25", "old");
	add_record(&records, "SCHILY.xattr.user.a%3Db%25", "x");
	add_record(&records, "SCHILY.xattr.user.%41", "raw");
	add_record(&records, "LIBARCHIVE.xattr.user.space%20here", "aGVsbG8");
	add_record(&records, "LIBARCHIVE.xattr.user.both", "b2xk");
	add_record(&records, "SCHILY.xattr.user.both", "schily");
	add_record(&records, "LIBARCHIVE.xattr.user.both", "bmV3");
	add_extension(&archive, 'x', records.data, records.size);
	add_block(&archive, &(struct block){0});
	add_block(&archive, &(struct block){0});
	add_end(&archive);
	entry = walk_only(&walk, &archive);
	assert_int_equal(entry->xattr_count, ARRAY_SIZE(expected));
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		assert_string_equal(entry->xattrs[i].name, expected[i].name);
		assert_int_equal(entry->xattrs[i].size, expected[i].size);
		assert_memory_equal(entry->xattrs[i].value, expected[i].value, expected[i].size);
	}
	assert_int_equal(walk_next(&walk)->xattr_count, 0);
}

/* Content that nobody reads is passed over; the offset of what is read is told. */
static void test_skipped_content(void **state)
{
	_cleanup_buf_ struct buf archive = BUF_EMPTY;
	_cleanup_walk_ struct walk walk;
	struct tar_entry entry;
	const void *data;
	size_t size;

	(void)state;
	for (int i = 0; i < 3; i++) {
		_cleanup_free_ unsigned char *content = content_make(5000);

		add_pax(&archive, 'x', PAX("uid", "6"));
		add_block(&archive, &(struct block){.size = "00000011610", .type = '0'});
		add_content(&archive, content, 5000);
	}
	add_end(&archive);
	walk_begin(&walk, &archive);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(tar_next(walk.tar, &entry, &walk.err), 1);
		assert_int_equal(entry.size, 5000);
		assert_int_equal(entry.content_offset, 3 * 512 + i * (3 * 512 + 5120));
		if (i == 1)
			assert_int_equal(tar_read(walk.tar, &data, &size, &walk.err), 1);
	}
	assert_int_equal(tar_next(walk.tar, &entry, &walk.err), 0);
	assert_int_equal(tar_read(walk.tar, &data, &size, &walk.err), 0);
}

/* In a file it is not even read: what it is does not matter, only that it is there. */
static void test_skipped_in_file(void **state)
{
	static const uint64_t size = 10ull << 30;
	struct world *world = *state;
	_cleanup_buf_ struct buf header = BUF_EMPTY, behind = BUF_EMPTY;
	_cleanup_walk_ struct walk walk = {.tar = NULL};
	struct tar_entry entry;
	int fd = openat(world->fd, "archive", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	add_block(&header, &(struct block){.type = '0', .size = "120000000000"});
	add_block(&behind, &(struct block){.type = '0', .name = "behind", .size = "00000200000"});
	assert_int_equal(pwrite(fd, header.data, header.size, 0), header.size);
	assert_int_equal(pwrite(fd, behind.data, behind.size, (off_t)(512 + size)), 512);
	walk.reader = reader_of_file(fd, 0, UINT64_MAX, "the archive");
	walk.tar = tar_new(walk.reader);
	assert_int_equal(tar_next(walk.tar, &entry, &walk.err), 1);
	assert_true(entry.size == size);
	assert_int_equal(tar_next(walk.tar, &entry, &walk.err), 1);
	assert_string_equal(entry.path, "behind");
	assert_true(entry.content_offset == 1024 + size);
	assert_failed(tar_next(walk.tar, &entry, &walk.err), walk.err, -EBADMSG);
	assert_contains(walk.err.text, "the archive is cut off");
}

/* The end is where two empty blocks are, or where the stream ends; but all of it is read. */
static void test_end(void **state)
{
	static const struct {
		size_t zeros, rubbish;
	} cases[] = {{0, 0}, {512, 0}, {1024, 0}, {10240, 0}, {1024, 100000}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_buf_ struct buf archive = BUF_EMPTY;
		_cleanup_free_ char *zeros = xcalloc(1, cases[i].zeros + 1);
		_cleanup_free_ unsigned char *rubbish = content_make(cases[i].rubbish);
		_cleanup_walk_ struct walk walk;

		add_block(&archive, &(struct block){.size = "3", .type = '0'});
		/* Even what fills up the last block may be missing. */
		add_content(&archive, "abc", 3);
		if (i == 0)
			archive.size -= 100;
		buf_add(&archive, zeros, cases[i].zeros);
		buf_add(&archive, rubbish, cases[i].rubbish);
		assert_int_equal(walk_only(&walk, &archive)->size, 3);
		assert_null(walk_next(&walk));
		assert_null(walk_next(&walk));
		assert_yields(walk.reader, "", 0);
	}
}

static void test_empty(void **state)
{
	_cleanup_buf_ struct buf nothing = BUF_EMPTY, end = BUF_EMPTY;
	_cleanup_walk_ struct walk first, second;

	(void)state;
	add_end(&end);
	walk_begin(&first, &nothing);
	walk_begin(&second, &end);
	assert_null(walk_next(&first));
	assert_null(walk_next(&second));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),	   cmocka_unit_test(test_checksums),
		cmocka_unit_test(test_types),	   cmocka_unit_test(test_names),
		cmocka_unit_test(test_star),	   cmocka_unit_test(test_gnu_names),
		cmocka_unit_test(test_pax),	   cmocka_unit_test(test_pax_times),
		cmocka_unit_test(test_precedence), cmocka_unit_test(test_global),
		cmocka_unit_test(test_xattrs),	   cmocka_unit_test(test_skipped_content),
		world_test(test_skipped_in_file),  cmocka_unit_test(test_end),
		cmocka_unit_test(test_empty),	   cmocka_unit_test(test_devices),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
