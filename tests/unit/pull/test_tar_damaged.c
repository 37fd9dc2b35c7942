/* SPDX-License-Identifier: Apache-2.0 */
/* Archives that are damaged, cut, hostile or beyond the bounds: each ends with an error. */
#include "stream/tar.h"

#include "archive.h"

/* Reads the whole archive; where the last call was no success, what it returned. */
static int read_archive(const void *data, size_t size, size_t piece, struct error *err)
{
	_cleanup_reader_ struct reader *reader = &pieces_make(data, size, piece)->reader;
	_cleanup_tar_ struct tar *tar = tar_new(reader);
	struct tar_entry entry;
	const void *content;
	size_t got;
	int r;

	while ((r = tar_next(tar, &entry, err)) > 0) {
		do
			r = tar_read(tar, &content, &got, err);
		while (r > 0);
		if (r < 0)
			break;
	}
	return r;
}

/* In pieces and as a whole. */
static void assert_refused(const struct buf *archive, int code, const char *message)
{
	static const size_t pieces[] = {100, 1 << 24};

	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
		struct error err = ERROR_NONE;

		assert_failed(read_archive(archive->data, archive->size, pieces[i], &err), err,
			      code);
		assert_contains(err.text, message);
		assert_contains(err.text, "tar stream, before byte ");
	}
}

static void test_headers(void **state)
{
	static const struct {
		struct block block;
		int code;
		const char *message;
	} cases[] = {
		{{.checksum = "0000001"}, -EBADMSG, "a header has the wrong checksum"},
		{{.checksum = "rubbish"}, -EBADMSG, "the header's checksum is not a number"},
		{{.mode = "0000648"}, -EBADMSG, "the header's mode is not a number"},
		{{.uid = "12 34"}, -EBADMSG, "the header's owner is not a number"},
		{{.uid = "-1"}, -EBADMSG, "the header's owner is not a number"},
		{{.gid = "0x10"}, -EBADMSG, "the header's group is not a number"},
		{{.gid = "\xff\xff\xff\xff\xff\xff\xff\xff"}, -EBADMSG, "group is negative"},
		{{.size = "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"},
		 -EBADMSG,
		 "size is negative"},
		{{.size = "\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"},
		 -EBADMSG,
		 "the header's size is not a number"},
		{{.size = "\x80\xff\xff\xff\x80\xff\xff\xff\xff\xff\xff\xff"},
		 -EBADMSG,
		 "the header's size is not a number"},
		{{.mtime = "\xbf\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"},
		 -EBADMSG,
		 "the header's time is not a number"},
		{{.mtime = "\xff\xff\xff\xff\x01\x01\x01\x01\x01\x01\x01\x01"},
		 -EBADMSG,
		 "the header's time is not a number"},
		{{.type = '3', .major = "x"}, -EBADMSG, "the header's major is not a number"},
		{{.type = '4', .minor = "\x80\x0f\x01\x01\x01\x01\x01\x01"},
		 -EBADMSG,
		 "device number is too large"},
		/* GNU's volume label and part of a file, Solaris's ACL, sparse without GNU's magic.
		 */
		{{.type = 'V'}, -EOPNOTSUPP, "unknown type 0x56"},
		{{.type = 'M'}, -EOPNOTSUPP, "unknown type 0x4d"},
		{{.type = 'A'}, -EOPNOTSUPP, "unknown type 0x41"},
		{{.type = 'S'}, -EOPNOTSUPP, "unknown type 0x53"},
		{{.type = '\xff'}, -EOPNOTSUPP, "unknown type 0xff"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_buf_ struct buf archive = BUF_EMPTY;

		add_block(&archive, &cases[i].block);
		add_end(&archive);
		assert_refused(&archive, cases[i].code, cases[i].message);
	}
}

static void test_rubbish(void **state)
{
	_cleanup_free_ unsigned char *rubbish = content_make(100000);
	_cleanup_buf_ struct buf archive = BUF_EMPTY, between = BUF_EMPTY;
	static const char zeros[512];

	(void)state;
	buf_add(&archive, rubbish, 100000);
	assert_refused(&archive, -EBADMSG, "");
	/* One empty block alone is no end. */
	add_block(&between, &(struct block){0});
	buf_add(&between, zeros, sizeof(zeros));
	add_block(&between, &(struct block){0});
	add_end(&between);
	assert_refused(&between, -EBADMSG, "an empty block within the archive");
}

/* Cut at any byte but where an entry is whole. */
static void test_cut(void **state)
{
	_cleanup_buf_ struct buf archive = BUF_EMPTY;
	struct error err = ERROR_NONE;
	size_t whole = 0;

	(void)state;
	add_extension(&archive, 'L', "name", 5);
	add_pax(&archive, 'x', PAX("uid", "6"));
	add_block(&archive, &(struct block){.size = "00000001000", .type = '0'});
	add_content(&archive, archive.data, 512);
	add_block(&archive, &(struct block){.size = "00000000007", .type = '0'});
	add_content(&archive, "content", 7);
	add_end(&archive);
	for (size_t size = 0; size < archive.size; size++) {
		int r = read_archive(archive.data, size, 1 + size % 600, &err);

		assert_true(r == 0 || r == -EBADMSG);
		whole += r == 0;
	}
	/* Before all, after the first file; after the second, its padding, one and two blocks. */
	assert_int_equal(whole, 1 + 1 + (512 - 7 + 1) + 1);
}

static void test_extensions(void **state)
{
	static const struct {
		const char *data;
		size_t size;
		const char *message;
	} cases[] = {
		{"rubbish", 7, "a pax header is damaged"},
		{"7 a=bc\n1 ", 9, "a pax header is damaged"},
		{"6 abc\n", 6, "a pax header is damaged"},
		{"5 =b\n", 5, "a pax header is damaged"},
		{"7 a=bc\n", 8, "a pax header is damaged"},
		{"7 a=bcd", 7, "a pax header is damaged"},
		{"8 a=bc\n", 7, "a pax header is damaged"},
		{"0 a=b\n", 6, "a pax header is damaged"},
		{"1 a=b\n", 6, "a pax header is damaged"},
		{"2 a=b\n", 6, "a pax header is damaged"},
		{"-6 a=b\n", 7, "a pax header is damaged"},
		{"99999999999999999999 a=b\n", 25, "a pax header is damaged"},
		{"18446744073709551615 a=b\n", 25, "a pax header is damaged"},
		{"8 \0a=bc\n", 8, "a pax header is damaged"},
		{"11 path=a\0\n", 11, "the value of pax \"path\" cannot be"},
		{"13 size=-100\n", 13, "the value of pax \"size\" cannot be"},
		{"28 size=9223372036854775808\n", 28, "the value of pax \"size\" cannot be"},
		{"10 uid=1x\n", 10, "the value of pax \"uid\" cannot be"},
		{"10 gid=0 \n", 10, "the value of pax \"gid\" cannot be"},
		{"12 mtime=x\n", 11, "a pax header is damaged"},
		{"11 mtime=x\n", 11, "the value of pax \"mtime\" cannot be"},
		{"13 mtime=1.x\n", 13, "the value of pax \"mtime\" cannot be"},
		{"13 mtime=--1\n", 13, "the value of pax \"mtime\" cannot be"},
		{"11 mtime=-\n", 11, "the value of pax \"mtime\" cannot be"},
		{"29 mtime=9223372036854775807\n", 29, "the value of pax \"mtime\" cannot be"},
		{"18 SCHILY.xattr.=\n", 18, "the value of pax \"SCHILY.xattr.\" cannot be"},
		{"26 LIBARCHIVE.xattr.a=!!!\n", 26, "pax \"LIBARCHIVE.xattr.a\" cannot be"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_buf_ struct buf archive = BUF_EMPTY;

		add_extension(&archive, 'x', cases[i].data, cases[i].size);
		add_block(&archive, &(struct block){0});
		add_end(&archive);
		assert_refused(&archive, -EBADMSG, cases[i].message);
	}
}

/* A global header may not make all files one. */
static void test_global(void **state)
{
	static const char *const keys[] = {
		"path",		  "linkpath", "size", "SCHILY.xattr.user.a", "GNU.sparse.name",
		"GNU.sparse.size"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		_cleanup_buf_ struct buf archive = BUF_EMPTY;

		add_pax(&archive, 'g', PAX(keys[i], "1"));
		add_block(&archive, &(struct block){0});
		add_end(&archive);
		assert_refused(&archive, -EBADMSG, "a global pax header with a path");
	}
}

static void test_extension_without_entry(void **state)
{
	static const char types[] = "xLK";

	(void)state;
	for (size_t i = 0; i < strlen(types); i++) {
		_cleanup_buf_ struct buf archive = BUF_EMPTY;

		add_extension(&archive, types[i], "10 path=a\n", 10);
		assert_refused(&archive, -EBADMSG, "an extended header without an entry");
		add_end(&archive);
		assert_refused(&archive, -EBADMSG, "an extended header without an entry");
	}
}

/* One header of 1 MiB is read; larger ones, and too many attributes, are not. */
static void test_bounds(void **state)
{
	_cleanup_free_ char *name = xcalloc(1, TAR_HEADER_MAX + 2);
	_cleanup_buf_ struct buf fits = BUF_EMPTY, large = BUF_EMPTY, many = BUF_EMPTY;
	_cleanup_buf_ struct buf records = BUF_EMPTY;
	struct error err = ERROR_NONE;

	(void)state;
	memset(name, 'n', TAR_HEADER_MAX + 1);
	add_extension(&fits, 'L', name, TAR_HEADER_MAX);
	add_block(&fits, &(struct block){0});
	assert_fine(read_archive(fits.data, fits.size, 100000, &err), err);
	add_extension(&large, 'L', name, TAR_HEADER_MAX + 1);
	assert_refused(&large, -EFBIG, "an extended header of 1048577 bytes");
	large.size = 0;
	add_block(&large, &(struct block){.type = 'x'});
	memcpy(large.data + 124, "\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff", 12);
	block_sum((unsigned char *)large.data, false);
	assert_refused(&large, -EFBIG, "an extended header of 9223372036854775807 bytes");
	for (int i = 0; i < 1025; i++) {
		_cleanup_free_ char *key = xasprintf("SCHILY.xattr.user.%d", i);

		add_record(&records, key, "value");
	}
	add_extension(&many, 'x', records.data, records.size);
	add_block(&many, &(struct block){0});
	assert_refused(&many, -EFBIG, "more than 1024 attributes");
}

/* A size that no archive can have is not there to be skipped. */
static void test_huge_size(void **state)
{
	_cleanup_buf_ struct buf archive = BUF_EMPTY;

	(void)state;
	add_pax(&archive, 'x', PAX("size", "9223372036854775807"));
	add_block(&archive, &(struct block){.type = '0'});
	add_end(&archive);
	assert_refused(&archive, -EBADMSG, "the archive is cut off");
}

static void test_errors_pass(void **state)
{
	_cleanup_buf_ struct buf archive = BUF_EMPTY;

	(void)state;
	add_block(&archive, &(struct block){.type = '0', .size = "00000001000"});
	add_content(&archive, archive.data, 512);
	add_end(&archive);
	for (size_t size = 0; size <= archive.size; size += 100) {
		struct pieces *pieces = pieces_make(archive.data, size, 300);
		_cleanup_reader_ struct reader *reader = &pieces->reader;
		_cleanup_tar_ struct tar *tar = tar_new(reader);
		struct tar_entry entry;
		struct error err = ERROR_NONE;
		int r;

		pieces->result = -ECONNRESET;
		do
			r = tar_next(tar, &entry, &err);
		while (r > 0);
		assert_failed(r, err, -ECONNRESET);
		assert_string_equal(err.text, "pieces failed");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_headers),	    cmocka_unit_test(test_rubbish),
		cmocka_unit_test(test_cut),	    cmocka_unit_test(test_extensions),
		cmocka_unit_test(test_global),	    cmocka_unit_test(test_extension_without_entry),
		cmocka_unit_test(test_bounds),	    cmocka_unit_test(test_huge_size),
		cmocka_unit_test(test_errors_pass),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
