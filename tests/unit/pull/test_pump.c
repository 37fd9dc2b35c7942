/* SPDX-License-Identifier: Apache-2.0 */
/* The thread that reads ahead: nothing is lost, and it ends whenever it shall. */
#include <pthread.h>

#include "stream.h"

static struct reader *open_content(struct world *world, const unsigned char *content, size_t size)
{
	int fd = openat(world->fd, "content", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, content, size), 0);
	return reader_of_file(fd, 0, size, "content");
}

static struct reader *pump(struct reader *inner)
{
	return reader_pump(inner, NULL, NULL);
}

static void test_content(void **state)
{
	static const size_t pieces[] = {1 << 10, READER_CHUNK, READER_CHUNK + 1, 1 << 20};
	size_t size = 5 << 20;
	_cleanup_free_ unsigned char *content = content_make(size);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
		_cleanup_reader_ struct reader *reader =
			pump(&pieces_make(content, size, pieces[i])->reader);

		assert_yields(reader, content, size);
	}
}

static void test_empty(void **state)
{
	_cleanup_reader_ struct reader *reader = pump(reader_of_memory(NULL, 0));

	(void)state;
	assert_yields(reader, "", 0);
}

/* An error comes after all that was read before it. */
static void test_error(void **state)
{
	struct pieces *pieces = pieces_make("abc", 3, 1);
	_cleanup_reader_ struct reader *reader = NULL;
	_cleanup_buf_ struct buf all = BUF_EMPTY;
	struct error err = ERROR_NONE;

	(void)state;
	pieces->result = -ECONNRESET;
	reader = pump(&pieces->reader);
	assert_failed(read_all(reader, &all, &err), err, -ECONNRESET);
	assert_string_equal(err.text, "pieces failed");
	assert_int_equal(all.size, 3);
}

/* Freed with the ring full, half read, and before anything was read. */
static void test_freed_early(void **state)
{
	size_t size = 4 << 20, freed = 0;
	_cleanup_free_ unsigned char *content = content_make(size);
	struct error err = ERROR_NONE;

	(void)state;
	for (size_t i = 0; i < 300; i++) {
		struct pieces *pieces = pieces_make(content, size, 1 << 14);
		struct reader *reader;
		const void *data;
		size_t got;

		pieces->freed = &freed;
		reader = pump(&pieces->reader);
		for (size_t reads = i % 30; reads > 0; reads--)
			assert_int_equal(reader_read(reader, &data, &got, &err), 1);
		cleanup_reader(&reader);
		assert_int_equal(freed, i + 1);
	}
}

/* Says yes when it has been asked *context times. */
static bool is_time(void *context)
{
	size_t *left = context;

	return *left == 0 || --*left == 0;
}

static const struct decompress_limits any = {
	.bytes = UINT64_MAX, .bytes_option = "--max", .zstd_window = 8 << 20, .directory = "/tmp"};

/* Nothing is lost where the thread begins in the middle. */
static void test_late_thread(void **state)
{
	size_t size = 48 * READER_CHUNK;
	_cleanup_free_ unsigned char *content = content_make(size);

	for (size_t when = 1; when < 50; when += 3) {
		struct digest digest;
		size_t left = when;
		_cleanup_reader_ struct reader *reader = NULL;

		digest_of(DIGEST_SHA256, content, size, &digest);
		reader = reader_decompress(open_content(*state, content, size), &any, "x");
		reader = reader_pump(reader, is_time, &left);
		reader = reader_check(reader, &digest, size, "x");
		assert_yields(reader, content, size);
		assert_int_equal(left, 0);
	}
}

static void test_no_thread(void **state)
{
	size_t never = SIZE_MAX;
	_cleanup_reader_ struct reader *reader =
		reader_pump(reader_of_memory("abc", 3), is_time, &never);

	(void)state;
	assert_yields(reader, "abc", 3);
}

/* A reader without an end, that says when it has been asked often enough to fill any ring. */
struct endless {
	struct reader reader;
	sigset_t blocked; /* of the thread that reads */
	pthread_t thread;
};

static int endless_read(struct reader *self, const void **ret_data, size_t *ret_size,
			struct error *err)
{
	struct endless *endless = (struct endless *)self;

	(void)err;
	endless->thread = pthread_self();
	pthread_sigmask(SIG_SETMASK, NULL, &endless->blocked);
	*ret_data = "x";
	*ret_size = 1;
	return 1;
}

static void endless_free(struct reader *self)
{
	(void)self;
}

/* It is another thread, to which no signal goes. */
static void test_thread(void **state)
{
	struct endless endless = {.reader = {.read = endless_read, .free = endless_free}};
	struct reader *reader = pump(&endless.reader);
	struct error err = ERROR_NONE;
	const void *data;
	size_t size;

	(void)state;
	assert_int_equal(reader_read(reader, &data, &size, &err), 1);
	cleanup_reader(&reader);
	assert_false(pthread_equal(endless.thread, pthread_self()));
	assert_true(sigismember(&endless.blocked, SIGINT));
	assert_true(sigismember(&endless.blocked, SIGTERM));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_content),	  cmocka_unit_test(test_empty),
		cmocka_unit_test(test_error),	  cmocka_unit_test(test_freed_early),
		cmocka_unit_test(test_thread),	  world_test(test_late_thread),
		cmocka_unit_test(test_no_thread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
