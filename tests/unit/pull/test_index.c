/* SPDX-License-Identifier: Apache-2.0 */
/* The index of a layer: what is written is read again, whatever the names; damage is noticed. */
#include <zlib.h>

#include "layer/index.h"

#include "../base/unit.h"

static int scratch(void)
{
	int fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	return fd;
}

struct seen {
	const struct index_entry *expected;
	size_t count, at;
};

static int compare(void *context, const struct index_entry *entry, struct error *err)
{
	struct seen *seen = context;
	const struct index_entry *expected = &seen->expected[seen->at % seen->count];

	(void)err;
	assert_int_equal(entry->type, expected->type);
	assert_int_equal(entry->mode, expected->mode);
	assert_int_equal(entry->uid, expected->uid);
	assert_int_equal(entry->gid, expected->gid);
	assert_int_equal(entry->size, expected->size);
	assert_int_equal(entry->mtime.tv_sec, expected->mtime.tv_sec);
	assert_int_equal(entry->mtime.tv_nsec, expected->mtime.tv_nsec);
	assert_int_equal(entry->check, expected->check);
	assert_string_equal(entry->path, expected->path);
	assert_string_equal(entry->target, expected->target ? expected->target : "");
	assert_int_equal(entry->attributes, expected->attributes);
	seen->at++;
	return 0;
}

static const struct index_entry entries[] = {
	{.type = 'd', .mode = 01777, .path = ""},
	{.type = 'f',
	 .mode = 04755,
	 .uid = 4294967294,
	 .gid = 7,
	 .size = UINT64_MAX,
	 .mtime = {.tv_sec = -5, .tv_nsec = 750000000},
	 .check = 0xfedcba98,
	 .path = "a b/\\/\n\001\t\x7f\xff",
	 .target = NULL},
	{.type = 'l', .mode = 0777, .path = "l", .target = " \\\n-> x"},
	{.type = 'u', .path = "u", .target = "gone"},
	{.type = 'f', .path = "with", .attributes = 0xfedcba98},
	{.type = 'c', .path = "both", .target = "1:3", .attributes = 1},
};

static void test_round(void **state)
{
	struct index_writer *writer;
	struct error err = ERROR_NONE;
	struct seen seen = {.expected = entries, .count = ARRAY_SIZE(entries)};
	int fd = scratch();

	(void)state;
	writer = index_writer_new(fd);
	/* More than any buffer, so that lines lie across borders. */
	for (size_t i = 0; i < 12000; i++)
		index_writer_add(writer, &entries[i % ARRAY_SIZE(entries)]);
	assert_fine(index_writer_flush(writer, &err), err);
	index_writer_free(writer);
	assert_fine(index_read(fd, compare, &seen, &err), err);
	assert_int_equal(seen.at, 12000);
	fd_close(fd);
}

static void test_longest(void **state)
{
	_cleanup_free_ char *path = xcalloc(4096, 1);
	struct index_entry entry = {.type = 'l', .path = path, .target = path};
	struct seen seen = {.expected = &entry, .count = 1};
	struct index_writer *writer;
	struct error err = ERROR_NONE;
	int fd = scratch();

	(void)state;
	memset(path, '\n', 4095);
	writer = index_writer_new(fd);
	for (size_t i = 0; i < 10; i++)
		index_writer_add(writer, &entry);
	assert_fine(index_writer_flush(writer, &err), err);
	index_writer_free(writer);
	assert_fine(index_read(fd, compare, &seen, &err), err);
	assert_int_equal(seen.at, 10);
	fd_close(fd);
}

static void test_full(void **state)
{
	struct index_writer *writer;
	struct error err = ERROR_NONE;
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

	(void)state;
	writer = index_writer_new(fd);
	index_writer_add(writer, &entries[0]);
	assert_failed(index_writer_flush(writer, &err), err, -ENOSPC);
	index_writer_free(writer);
	fd_close(fd);
}

static int nothing(void *context, const struct index_entry *entry, struct error *err)
{
	(void)context;
	(void)entry;
	(void)err;
	return 0;
}

static void test_damage(void **state)
{
	static const char *const lines[] = {
		"f 644 0 0 0 0.0 00000000 a",		 /* no end */
		"x 644 0 0 0 0.0 00000000 a\n",		 /* no such type */
		"f 648 0 0 0 0.0 00000000 a\n",		 /* not octal */
		"f 644 0 0 0.0 00000000 a\n",		 /* too few */
		"f 644 4294967296 0 0 0.0 00000000 a\n", /* too large */
		"f 644 0 0 0 0.1000000000 00000000 a\n",
		"f 644 0 0 0 0 00000000 a\n",
		"f 644 0 0 0 0.0 00000000 \\09\n",
		"f 644 0 0 0 0.0 00000000 \\000\n",
		"f 644 0 0 0 0.0 00000000 \\777\n",
		"f 644 0 0 0 0.0 00000000 \\1\n",
		"\n",
		"f\n",
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		struct error err = ERROR_NONE;
		int fd = scratch();

		assert_int_equal(fd_write_all(fd, lines[i], strlen(lines[i])), 0);
		if (index_read(fd, nothing, NULL, &err) != -EINVAL)
			fail_msg("accepted: %s", lines[i]);
		fd_close(fd);
	}
}

static int read_text(const char *text, size_t size, struct error *err)
{
	_cleanup_fd_ int fd = scratch();

	assert_int_equal(fd_write_all(fd, text, size), 0);
	return index_read(fd, nothing, NULL, err);
}

/* What stands behind PATH, and the first line. */
static void test_version(void **state)
{
	static const char fine[] = "index 2\nf 644 0 0 0 0.0 00000000 a\0b\00089abcdef\n";
	static const char old[] = "f 644 0 0 0 0.0 00000000 a\n";
	static const char newer[] = "index 3\nwhatever\n";
	static const struct {
		const char *text;
		size_t size;
	} damaged[] = {
#define TEXT(text) {text, sizeof(text) - 1}
		TEXT("index \n"),
		TEXT("index 1\n"),
		TEXT("index 2"),
		TEXT("index 2\nf 644 0 0 0 0.0 00000000 a\0\n"),
		TEXT("index 2\nf 644 0 0 0 0.0 00000000 a\0\0\n"),
		TEXT("index 2\nf 644 0 0 0 0.0 00000000 a\0b\0\n"),
		TEXT("index 2\nf 644 0 0 0 0.0 00000000 a\0b\0x\n"),
		TEXT("index 2\nf 644 0 0 0 0.0 00000000 a\0b\000100000000\n"),
		TEXT("index 2\nf 644 0 0 0 0.0 00000000 a\0b\00000000001\0\n"),
#undef TEXT
	};
	struct error err = ERROR_NONE;

	(void)state;
	assert_fine(read_text(fine, sizeof(fine) - 1, &err), err);
	assert_fine(read_text(old, sizeof(old) - 1, &err), err);
	assert_failed(read_text(newer, sizeof(newer) - 1, &err), err, -EOPNOTSUPP);
	assert_contains(err.text, "newer berth-pull (version 3)");
	for (size_t i = 0; i < ARRAY_SIZE(damaged); i++) {
		if (read_text(damaged[i].text, damaged[i].size, &err) != -EINVAL)
			fail_msg("accepted: %zu", i);
	}
}

/* The check over holes is the one of the zeros that they stand for. */
static void test_check(void **state)
{
	const size_t size = 3 * 1024 * 1024 + 17;
	_cleanup_free_ unsigned char *data = xcalloc(size, 1);
	struct error err = ERROR_NONE;
	uint32_t check = 0;
	int fd = scratch();

	(void)state;
	assert_int_equal(index_check(0, "123456789", 9), 0xcbf43926);
	memcpy(data + 1234567, "hello", 5);
	assert_int_equal(pwrite(fd, "hello", 5, 1234567), 5);
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	assert_fine(index_check_file(fd, &check, &err), err);
	assert_int_equal(check, crc32_z(0, data, size));
	check = index_check_zeros(0, 1234567);
	check = index_check(check, "hello", 5);
	check = index_check_zeros(check, size - 1234572);
	assert_int_equal(check, crc32_z(0, data, size));
	assert_int_equal(index_check_zeros(77, 0), 77);
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_fine(index_check_file(fd, &check, &err), err);
	assert_int_equal(check, 0);
	fd_close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round), cmocka_unit_test(test_longest),
		cmocka_unit_test(test_full),  cmocka_unit_test(test_damage),
		cmocka_unit_test(test_check), cmocka_unit_test(test_version),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
