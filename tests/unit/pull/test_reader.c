/* SPDX-License-Identifier: Apache-2.0 */
/* Streams: where they begin, and that their digests and lengths are checked. */
#include "stream.h"

static const char text[] = "one two three four";
#define TEXT_SIZE (sizeof(text) - 1)

static struct reader *open_text(struct world *world, uint64_t offset, uint64_t size)
{
	int fd;

	put_file(world, "text", text);
	fd = openat(world->fd, "text", O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	return reader_of_file(fd, offset, size, "the text");
}

static void test_file(void **state)
{
	_cleanup_reader_ struct reader *whole = open_text(*state, 0, UINT64_MAX);
	_cleanup_reader_ struct reader *end = open_text(*state, 4, UINT64_MAX);
	_cleanup_reader_ struct reader *middle = open_text(*state, 4, 3);
	_cleanup_reader_ struct reader *nothing = open_text(*state, 100, UINT64_MAX);

	assert_yields(whole, text, TEXT_SIZE);
	assert_yields(end, text + 4, TEXT_SIZE - 4);
	assert_yields(middle, "two", 3);
	assert_yields(nothing, "", 0);
}

static void test_file_pass(void **state)
{
	_cleanup_reader_ struct reader *whole = open_text(*state, 0, UINT64_MAX);
	_cleanup_reader_ struct reader *middle = open_text(*state, 4, 9);
	_cleanup_reader_ struct reader *short_one = open_text(*state, 4, 3);
	_cleanup_reader_ struct reader *beyond = open_text(*state, 1, UINT64_MAX);

	whole->pass(whole, 4);
	assert_yields(whole, text + 4, TEXT_SIZE - 4);
	middle->pass(middle, 4);
	assert_yields(middle, "three", 5);
	short_one->pass(short_one, 4);
	assert_yields(short_one, "", 0);
	beyond->pass(beyond, UINT64_MAX);
	beyond->pass(beyond, 1);
	assert_yields(beyond, "", 0);
}

static void test_large_file(void **state)
{
	struct world *world = *state;
	size_t size = 3 * READER_CHUNK + 17;
	_cleanup_free_ unsigned char *content = content_make(size);
	_cleanup_reader_ struct reader *reader = NULL;
	int fd = openat(world->fd, "large", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, content, size), 0);
	reader = reader_of_file(fd, 0, size, "large");
	assert_yields(reader, content, size);
}

static void test_file_too_short(void **state)
{
	_cleanup_reader_ struct reader *reader = open_text(*state, 0, TEXT_SIZE + 5);
	_cleanup_buf_ struct buf all = BUF_EMPTY;
	struct error err = ERROR_NONE;

	assert_failed(read_all(reader, &all, &err), err, -EBADMSG);
	assert_string_equal(err.text, "the text ends 5 bytes too early");
}

static void test_file_unreadable(void **state)
{
	struct world *world = *state;
	_cleanup_reader_ struct reader *reader = NULL;
	_cleanup_buf_ struct buf all = BUF_EMPTY;
	struct error err = ERROR_NONE;
	int fd = openat(world->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	reader = reader_of_file(fd, 0, UINT64_MAX, "it");
	assert_failed(read_all(reader, &all, &err), err, -EISDIR);
	assert_string_equal(err.text, "read it: Is a directory");
}

static void test_memory(void **state)
{
	_cleanup_reader_ struct reader *reader = reader_of_memory(text, TEXT_SIZE);
	_cleanup_reader_ struct reader *empty = reader_of_memory(NULL, 0);

	(void)state;
	assert_yields(reader, text, TEXT_SIZE);
	assert_yields(empty, "", 0);
}

static void test_drain(void **state)
{
	_cleanup_reader_ struct reader *reader = reader_of_memory(text, TEXT_SIZE);
	struct pieces *pieces = pieces_make(text, TEXT_SIZE, 3);
	_cleanup_reader_ struct reader *failing = &pieces->reader;
	struct error err = ERROR_NONE;

	(void)state;
	pieces->result = -EIO;
	assert_int_equal(reader_drain(reader, &err), 0);
	assert_yields(reader, "", 0);
	assert_failed(reader_drain(failing, &err), err, -EIO);
}

/* A check of the text, in pieces, against what it is, or against something else. */
static struct reader *check_text(const char *of, uint64_t size)
{
	struct digest digest;

	if (of)
		digest_of(DIGEST_SHA512, of, strlen(of), &digest);
	return reader_check(&pieces_make(text, TEXT_SIZE, 5)->reader, of ? &digest : NULL, size,
			    "layer x");
}

static void test_check(void **state)
{
	_cleanup_reader_ struct reader *both = check_text(text, TEXT_SIZE);
	_cleanup_reader_ struct reader *digest = check_text(text, UINT64_MAX);
	_cleanup_reader_ struct reader *neither = check_text(NULL, UINT64_MAX);
	struct digest expected, found;
	uint64_t size = 0;

	(void)state;
	assert_yields(both, text, TEXT_SIZE);
	assert_yields(digest, text, TEXT_SIZE);
	assert_yields(neither, text, TEXT_SIZE);
	reader_check_result(neither, &found, &size);
	digest_of(DIGEST_SHA256, text, TEXT_SIZE, &expected);
	assert_int_equal(size, TEXT_SIZE);
	assert_true(digest_equal(&found, &expected));
}

static void test_check_refused(void **state)
{
	const struct {
		const char *of;
		uint64_t size;
		const char *message;
		size_t yields;
	} cases[] = {
		{"something else", TEXT_SIZE, "layer x has the digest sha512:", TEXT_SIZE},
		{text, TEXT_SIZE + 1, "layer x has 18 bytes, but should have 19", TEXT_SIZE},
		{text, TEXT_SIZE - 1, "layer x is longer than the 17 bytes it should have", 15},
		{text, 0, "layer x is longer than the 0 bytes it should have", 0},
		{"", UINT64_MAX, "layer x has the digest sha512:", TEXT_SIZE},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_reader_ struct reader *check = check_text(cases[i].of, cases[i].size);
		_cleanup_buf_ struct buf all = BUF_EMPTY;
		struct error err = ERROR_NONE;

		assert_failed(read_all(check, &all, &err), err, -EBADMSG);
		assert_contains(err.text, cases[i].message);
		assert_int_equal(all.size, cases[i].yields);
	}
}

static void test_check_passes_errors_on(void **state)
{
	struct pieces *pieces = pieces_make(text, TEXT_SIZE, 5);
	size_t freed = 0;
	struct reader *check = reader_check(&pieces->reader, NULL, UINT64_MAX, "x");
	struct error err = ERROR_NONE;

	(void)state;
	pieces->result = -ECONNRESET;
	pieces->freed = &freed;
	assert_failed(reader_drain(check, &err), err, -ECONNRESET);
	cleanup_reader(&check);
	assert_int_equal(freed, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(test_file),
		world_test(test_file_pass),
		world_test(test_large_file),
		world_test(test_file_too_short),
		world_test(test_file_unreadable),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_drain),
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_check_refused),
		cmocka_unit_test(test_check_passes_errors_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
