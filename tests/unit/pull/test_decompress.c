/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packed streams: whatever their members, frames and pieces, what comes out is the same, by either
 * library; what is damaged, cut or too much is refused.
 */
#include <pthread.h>
#include <semaphore.h>
#include <zlib.h>
#include <zstd.h>

#include "stream/inflate.h"

#include "stream.h"

/* Appends a gzip member of @content to @out. */
static void add_gzip(struct buf *out, const void *content, size_t size, gz_header *header)
{
	z_stream stream = {0};
	size_t room = size + size / 1000 + 200;
	_cleanup_free_ unsigned char *packed = xcalloc(1, room);

	assert_int_equal(
		deflateInit2(&stream, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
	if (header)
		assert_int_equal(deflateSetHeader(&stream, header), Z_OK);
	stream.next_in = (unsigned char *)content;
	stream.avail_in = (uInt)size;
	stream.next_out = packed;
	stream.avail_out = (uInt)room;
	assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
	buf_add(out, packed, room - stream.avail_out);
	deflateEnd(&stream);
}

/* Appends a zstd frame of @content to @out. */
static void add_zstd(struct buf *out, const void *content, size_t size)
{
	size_t room = ZSTD_compressBound(size);
	_cleanup_free_ void *packed = xcalloc(1, room);
	size_t used = ZSTD_compress(packed, room, content, size, 3);

	assert_false(ZSTD_isError(used));
	buf_add(out, packed, used);
}

/* A skippable frame of the eight bytes that a table of contents may be. */
static void add_skippable(struct buf *out)
{
	buf_add(out, "\x5e\x2a\x4d\x18\x08\0\0\0contents", 16);
}

/* Each way to pack the content, by number; false: there is no such. */
static bool pack(int way, struct buf *out, const unsigned char *content, size_t size)
{
	gz_header header = {.name = (unsigned char *)"a name",
			    .comment = (unsigned char *)"a comment",
			    .extra = (unsigned char *)"0123456789",
			    .extra_len = 10,
			    .hcrc = 1};
	size_t third = size / 3;

	switch (way) {
	case 0:
		buf_add(out, content, size);
		return true;
	case 1:
		add_gzip(out, content, size, NULL);
		return true;
	case 2:
		add_gzip(out, content, third, &header);
		add_gzip(out, NULL, 0, NULL);
		add_gzip(out, content + third, size - third, &header);
		return true;
	case 3:
		add_gzip(out, content, size, NULL);
		buf_add(out, "\0\0\0\0\0\0\0", 7);
		return true;
	case 4:
		add_zstd(out, content, size);
		return true;
	case 5:
		add_skippable(out);
		add_zstd(out, content, third);
		add_zstd(out, content, 0);
		add_skippable(out);
		add_zstd(out, content + third, size - third);
		add_skippable(out);
		return true;
	case 6:
		add_zstd(out, content, size);
		buf_add(out, "\0\0\0\0\0\0\0", 7);
		return true;
	default:
		return false;
	}
}

static const struct decompress_limits any = {
	.bytes = UINT64_MAX, .bytes_option = "--max", .zstd_window = 8 << 20, .directory = "/tmp"};

static struct reader *unpack(const void *data, size_t size, size_t piece)
{
	return reader_decompress(&pieces_make(data, size, piece)->reader, &any, "layer x");
}

/* A call of a decoder takes valgrind a hundred times as long; the sanitizers do them all. */
static bool takes_too_long(size_t calls)
{
	return calls > 5000 && getenv("BERTH_UNDER_VALGRIND") != NULL;
}

static void assert_unpacks_in_pieces(const struct buf *packed, const void *content, size_t size)
{
	static const size_t pieces[] = {1, 3, 1000, 1 << 24};

	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
		_cleanup_reader_ struct reader *reader = NULL;

		if (takes_too_long(packed->size / pieces[i]))
			continue;
		reader = unpack(packed->data, packed->size, pieces[i]);
		assert_yields(reader, content, size);
	}
}

static void test_ways(void **state)
{
	static const size_t sizes[] = {6, 1000, READER_CHUNK, READER_CHUNK + 1, 700000};
	_cleanup_free_ unsigned char *content = content_make(700000);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		for (int way = 0; true; way++) {
			_cleanup_buf_ struct buf packed = BUF_EMPTY;

			if (!pack(way, &packed, content, sizes[i]))
				break;
			assert_unpacks_in_pieces(&packed, content, sizes[i]);
		}
	}
}

/* What begins like nothing known is passed on, however short it is. */
static void test_plain(void **state)
{
	static const char *const plain[] = {"", "x", "\x1f", "\x1f\x8a", "\x28\xb5\x2f", "zeros"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(plain); i++) {
		size_t size = strlen(plain[i]);
		_cleanup_reader_ struct reader *bytes = unpack(plain[i], size, 1);
		_cleanup_reader_ struct reader *whole = unpack(plain[i], size, 100);

		assert_yields(bytes, plain[i], size);
		assert_yields(whole, plain[i], size);
	}
}

/* Decoders take the last of the input in before the last of the output is out. */
static void test_output_behind_input(void **state)
{
	_cleanup_free_ unsigned char *zeros = xcalloc(1, 300000);

	(void)state;
	for (size_t size = READER_CHUNK - 300; size < READER_CHUNK + 300; size += 7) {
		_cleanup_buf_ struct buf gzip = BUF_EMPTY, zstd = BUF_EMPTY;
		_cleanup_reader_ struct reader *first = NULL, *second = NULL;

		add_gzip(&gzip, zeros, size, NULL);
		add_zstd(&zstd, zeros, 50000);
		add_zstd(&zstd, zeros, size - 50000);
		first = unpack(gzip.data, gzip.size, 1 << 20);
		second = unpack(zstd.data, zstd.size, 1 << 20);
		assert_yields(first, zeros, size);
		assert_yields(second, zeros, size);
	}
}

/* As eStargz has it: a member for each of many small files. */
static void test_many_members(void **state)
{
	enum {
		members = 3000,
		each = 150
	};
	_cleanup_free_ unsigned char *content = content_make((size_t)members * each);
	_cleanup_buf_ struct buf packed = BUF_EMPTY;

	(void)state;
	for (size_t i = 0; i < members; i++)
		add_gzip(&packed, content + i * each, each, NULL);
	assert_unpacks_in_pieces(&packed, content, (size_t)members * each);
}

/* The gzip decoder with either library, byte by byte where the sizes are 1. */
static void assert_decodes(const struct inflate_method *method, const struct buf *packed,
			   size_t in_size, size_t out_size, const void *content, size_t size)
{
	struct codec *codec = gzip_codec_new(method);
	struct span all = {.data = (const uint8_t *)packed->data, .size = packed->size};
	_cleanup_free_ uint8_t *piece = xcalloc(1, out_size);
	_cleanup_buf_ struct buf unpacked = BUF_EMPTY;
	struct error err = ERROR_NONE;
	bool full = false;
	int r = CODEC_WITHIN;

	while (all.size > 0 || full) {
		struct span in = {.data = all.data,
				  .size = all.size < in_size ? all.size : in_size};
		struct room out = {.data = piece, .size = out_size};
		size_t before = in.size;

		r = codec->step(codec, &in, &out, &err);
		assert_fine(r, err);
		span_take(&all, before - in.size);
		buf_add(&unpacked, piece, out_size - out.size);
		full = out.size == 0;
	}
	codec->free(codec);
	assert_int_equal(r, CODEC_BETWEEN);
	assert_int_equal(unpacked.size, size);
	assert_memory_equal(unpacked.data, content, size);
}

static void test_libraries(void **state)
{
	static const size_t sizes[] = {1, 9, 40000, 1 << 20};
	const struct inflate_method *methods[] = {&inflate_zlib, inflate_isal()};
	size_t size = 150000;
	_cleanup_free_ unsigned char *content = content_make(size);
	_cleanup_buf_ struct buf packed = BUF_EMPTY;

	(void)state;
	assert_true(pack(2, &packed, content, size));
	for (size_t i = 0; i < ARRAY_SIZE(methods) * 16; i++) {
		if (methods[i / 16])
			assert_decodes(methods[i / 16], &packed, sizes[i / 4 % 4], sizes[i % 4],
				       content, size);
	}
}

/* Where the tests are built with ISA-L's headers, they run with the library, too. */
static void test_isal_is_here(void **state)
{
	(void)state;
	if (!inflate_isal())
		skip_because("no ISA-L");
	assert_ptr_equal(inflate_best(), inflate_isal());
	assert_int_equal(inflate_isal()->check(0, "123456789", 9), 0xcbf43926);
	assert_int_equal(inflate_zlib.check(0, "123456789", 9), 0xcbf43926);
	assert_int_equal(inflate_isal()->check(inflate_zlib.check(0, "1234", 4), "56789", 5),
			 0xcbf43926);
}

/* Unpacks, in pieces, what is no good. */
static void assert_refused(const void *data, size_t size, int code, const char *message)
{
	static const size_t pieces[] = {1, 1 << 24};

	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
		_cleanup_reader_ struct reader *reader = unpack(data, size, pieces[i]);
		struct error err = ERROR_NONE;

		assert_failed(reader_drain(reader, &err), err, code);
		assert_contains(err.text, message);
		assert_true(str_starts(err.text, "layer x: "));
	}
}

/* Every cut of a packed stream is noticed; but where it ends between two members. */
static void test_cut(void **state)
{
	static const int ways[] = {1, 2, 4, 5};
	_cleanup_free_ unsigned char *content = content_make(600);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		_cleanup_buf_ struct buf packed = BUF_EMPTY;
		size_t whole = 0;

		assert_true(pack(ways[i], &packed, content, 600));
		for (size_t size = 4; size < packed.size; size++) {
			_cleanup_reader_ struct reader *reader = unpack(packed.data, size, 50);
			struct error err = ERROR_NONE;
			int r = reader_drain(reader, &err);

			whole += r == 0;
			if (r < 0)
				assert_string_equal(err.text, "layer x: its data is cut off");
		}
		assert_int_equal(whole, ways[i] == 2 ? 2 : ways[i] == 5 ? 5 : 0);
	}
}

static void test_damaged_gzip(void **state)
{
	static const struct {
		long at; /* from the end where negative */
		const char *message;
	} cases[] = {
		{2, "unknown method"}, {3, "flags"},	   {20, "header has the wrong checksum"},
		{300, "gzip data"},    {-3, "wrong size"}, {-7, "wrong checksum"},
	};
	_cleanup_free_ unsigned char *content = content_make(1000);
	gz_header header = {.name = (unsigned char *)"a longer name", .hcrc = 1};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_buf_ struct buf packed = BUF_EMPTY;

		add_gzip(&packed, content, 1000, &header);
		packed.data[cases[i].at < 0 ? (long)packed.size + cases[i].at : cases[i].at] ^= '@';
		assert_refused(packed.data, packed.size, -EBADMSG, cases[i].message);
	}
}

static void test_damaged_zstd(void **state)
{
	_cleanup_free_ unsigned char *content = content_make(1000);
	_cleanup_buf_ struct buf packed = BUF_EMPTY;

	(void)state;
	add_zstd(&packed, content, 1000);
	packed.data[packed.size / 2] = (char)(packed.data[packed.size / 2] ^ 0x55);
	packed.data[8] = (char)(packed.data[8] ^ 0xff);
	assert_refused(packed.data, packed.size, -EBADMSG, "the zstd data is damaged");
}

static void test_rubbish_behind(void **state)
{
	static const struct {
		int way;
		const char *behind;
		size_t size;
	} cases[] = {
		{1, "rubbish behind", 14},
		{1, "\x1f rubbish behind", 16},
		{1, "\0\0\0x", 4},
		{1, "\0\x1f\x8b\x08\0\0\0\0\0\0\0", 11},
		{4, "rubbish", 7},
		{4, "\0\0\0\0\0x", 6},
		{4, "\0\x28\xb5\x2f\xfd\0\0\0", 8},
	};
	_cleanup_free_ unsigned char *content = content_make(1000);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_buf_ struct buf packed = BUF_EMPTY;

		assert_true(pack(cases[i].way, &packed, content, 1000));
		buf_add(&packed, cases[i].behind, cases[i].size);
		assert_refused(packed.data, packed.size, -EBADMSG, "");
	}
}

/* The frames of zstd 0.1 to 0.7, which libraries may still read. */
static void test_old_frame_behind(void **state)
{
	static const unsigned char magics[][4] = {{0x1e, 0xb5, 0x2f, 0xfd},
						  {0x22, 0xb5, 0x2f, 0xfd},
						  {0x24, 0xb5, 0x2f, 0xfd},
						  {0x25, 0xb5, 0x2f, 0xfd},
						  {0x27, 0xb5, 0x2f, 0xfd}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(magics); i++) {
		_cleanup_buf_ struct buf packed = BUF_EMPTY;

		add_zstd(&packed, "content", 7);
		buf_add(&packed, magics[i], sizeof(magics[i]));
		buf_add(&packed, "\0\x40\xc0\0\0", 5);
		assert_refused(packed.data, packed.size, -EBADMSG,
			       "rubbish after the end of the zstd data");
	}
}

/* Zeros end the data: no member may follow them. */
static void test_member_behind_zeros(void **state)
{
	static const int ways[] = {3, 6};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		_cleanup_buf_ struct buf packed = BUF_EMPTY;

		assert_true(pack(ways[i], &packed, (const unsigned char *)"one", 3));
		assert_true(pack(ways[i], &packed, (const unsigned char *)"two", 3));
		assert_refused(packed.data, packed.size, -EBADMSG, "rubbish after the end");
	}
}

static void assert_limited(int way, uint64_t max, uint64_t ratio, size_t size, bool refused)
{
	_cleanup_free_ unsigned char *content = xcalloc(1, size);
	_cleanup_buf_ struct buf packed = BUF_EMPTY;
	_cleanup_reader_ struct reader *reader = NULL;
	struct decompress_limits limits = any;
	struct error err = ERROR_NONE;
	int r;

	limits.bytes = max;
	limits.ratio = ratio;
	assert_true(pack(way, &packed, content, size));
	reader = reader_decompress(reader_of_memory(packed.data, packed.size), &limits, "x");
	r = reader_drain(reader, &err);
	assert_int_equal(r, refused ? -EFBIG : 0);
}

/* Bombs; 17 MiB of zeros are 17 kB in gzip and 2 kB in zstd. */
static void test_limits(void **state)
{
	(void)state;
	for (int way = 0; way < 6; way++) {
		assert_limited(way, 700000, 0, 700000, false);
		assert_limited(way, 699999, 0, 700000, true);
		assert_limited(way, UINT64_MAX, 2, 16 << 20, false);
		assert_limited(way, UINT64_MAX, 0, 17 << 20, false);
		assert_limited(way, UINT64_MAX, 500, 17 << 20, way > 0);
		assert_limited(way, UINT64_MAX, 1100, 17 << 20, way >= 4);
	}
}

/* A frame's header is enough to see that it needs too much memory: windows of 8 MiB, and 9 MiB. */
static void test_window(void **state)
{
	static const unsigned char fits[] = {0x28, 0xb5, 0x2f, 0xfd, 0, (23 - 10) << 3, 1, 0, 0};
	static const unsigned char large[] = {0x28, 0xb5, 0x2f, 0xfd, 0, ((23 - 10) << 3) + 1,
					      1,    0,	  0};
	_cleanup_reader_ struct reader *reader = unpack(fits, sizeof(fits), 100);

	(void)state;
	assert_yields(reader, "", 0);
	assert_refused(large, sizeof(large), -EFBIG,
		       "a window of more than 8 MiB (--max-zstd-window)");
}

/* Somebody who wants to decompress, and what he is told of waiting. */
struct waiting {
	struct reader *reader;
	sem_t begun;
	int begins, ends;
};

static void note_waiting(void *context, bool begins)
{
	struct waiting *waiting = context;

	++*(begins ? &waiting->begins : &waiting->ends);
	if (begins)
		sem_post(&waiting->begun);
}

static void *drain(void *argument)
{
	struct waiting *waiting = argument;
	struct error err = ERROR_NONE;

	assert_fine(reader_drain(waiting->reader, &err), err);
	return NULL;
}

/* Two windows that memory has no place for together: who waits can let go of what the other needs.
 */
static void test_waiting(void **state)
{
	static const unsigned char repeat[] = {2, 0, 0x10, 'x'}, last[] = {1, 0, 0};
	_cleanup_buf_ struct buf frame = BUF_EMPTY;
	struct waiting waiting = {.begins = 0};
	struct decompress_limits limits = any;
	struct error err = ERROR_NONE;
	struct reader *first;
	const void *data;
	pthread_t thread;
	size_t size;

	(void)state;
	buf_add(&frame, (unsigned char[]){0x28, 0xb5, 0x2f, 0xfd, 0, (23 - 10) << 3}, 6);
	for (int i = 0; i < 5; i++)
		buf_add(&frame, repeat, sizeof(repeat));
	buf_add(&frame, last, sizeof(last));
	sem_init(&waiting.begun, 0, 0);
	limits.wait = note_waiting;
	limits.context = &waiting;
	first = reader_decompress(&pieces_make(frame.data, frame.size, 100)->reader, &limits, "x");
	waiting.reader =
		reader_decompress(&pieces_make(frame.data, frame.size, 100)->reader, &limits, "y");

	/* So much comes out that the first frame is at work still. */
	assert_fine(reader_read(first, &data, &size, &err), err);
	assert_int_equal(pthread_create(&thread, NULL, drain, &waiting), 0);
	while (sem_wait(&waiting.begun) < 0)
		assert_int_equal(errno, EINTR);
	assert_int_equal(waiting.ends, 0);
	cleanup_reader(&first);
	pthread_join(thread, NULL);
	assert_int_equal(waiting.begins, 1);
	assert_int_equal(waiting.ends, 1);
	cleanup_reader(&waiting.reader);
	sem_destroy(&waiting.begun);
}

static void test_errors_pass(void **state)
{
	_cleanup_free_ unsigned char *content = content_make(100000);

	(void)state;
	for (int way = 0; way < 6; way++) {
		_cleanup_buf_ struct buf packed = BUF_EMPTY;
		struct pieces *pieces;
		_cleanup_reader_ struct reader *reader = NULL;
		struct error err = ERROR_NONE;

		assert_true(pack(way, &packed, content, 100000));
		pieces = pieces_make(packed.data, packed.size / 2, 100);
		pieces->result = -ECONNRESET;
		reader = reader_decompress(&pieces->reader, &any, "x");
		assert_failed(reader_drain(reader, &err), err, -ECONNRESET);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ways),
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_output_behind_input),
		cmocka_unit_test(test_many_members),
		cmocka_unit_test(test_libraries),
		cmocka_unit_test(test_isal_is_here),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_damaged_gzip),
		cmocka_unit_test(test_damaged_zstd),
		cmocka_unit_test(test_rubbish_behind),
		cmocka_unit_test(test_old_frame_behind),
		cmocka_unit_test(test_member_behind_zeros),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_window),
		cmocka_unit_test(test_waiting),
		cmocka_unit_test(test_errors_pass),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
