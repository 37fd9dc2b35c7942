/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The decoder that keeps a window in a file, against the library: what the library packs comes out
 * again, and what is damaged is refused, or is what the library makes of it.
 */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include <zstd.h>

#include "stream/zstd_large.h"

#include "stream.h"

/* Memory with some bytes behind it that must not be looked at: a copy of exactly this size. */
struct packed {
	uint8_t *data;
	size_t size;
};

static struct packed pack(const void *content, size_t size, int level, int window_log)
{
	ZSTD_CCtx *context = ZSTD_createCCtx();
	struct packed packed = {.size = ZSTD_compressBound(size) + 64};
	ZSTD_outBuffer out;
	ZSTD_inBuffer in = {.src = content, .size = size};

	packed.data = xcalloc(1, packed.size);
	out = (ZSTD_outBuffer){.dst = packed.data, .size = packed.size};
	ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level);
	ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
	ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, level % 2);
	if (window_log > 0) {
		ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, window_log);
		ZSTD_CCtx_setParameter(context, ZSTD_c_enableLongDistanceMatching, 1);
	}
	if (level % 2)
		ZSTD_CCtx_setPledgedSrcSize(context, size);
	assert_int_equal(ZSTD_compressStream2(context, &out, &in, ZSTD_e_end), 0);
	packed.size = out.pos;
	ZSTD_freeCCtx(context);
	return packed;
}

/* Decodes one frame that is given @piece bytes at a time, into rooms of @room bytes. Returns what
 * the last step did; -ENODATA: the data did not suffice. */
static int unpack(const struct packed *packed, size_t piece, size_t room, struct buf *ret,
		  struct error *err)
{
	struct zstd_large *large = NULL;
	struct zstd_header header;
	_cleanup_free_ uint8_t *buffer = xcalloc(1, room);
	size_t at = packed->size < 5 ? SIZE_MAX : zstd_header_size(packed->data);
	int r;

	if (at > packed->size || !zstd_header_read(packed->data, &header) ||
	    header.window > 128 << 20)
		return refuse_as(err, -ENODATA, "no header");
	r = zstd_large_new(&header, ".", &large, err);
	while (r >= 0) {
		struct span in = {.data = packed->data + at,
				  .size = packed->size - at < piece ? packed->size - at : piece};
		struct room out = {.data = buffer, .size = room};
		const size_t size = in.size;

		r = zstd_large_step(large, &in, &out, err);
		at += size - in.size;
		buf_add(ret, buffer, room - out.size);
		if (r == CODEC_BETWEEN)
			break;
		if (r >= 0 && size == 0 && out.size == room)
			r = refuse_as(err, -ENODATA, "cut off");
	}
	zstd_large_free(large);
	return r;
}

static void assert_comes_back(const struct packed *packed, const void *content, size_t size,
			      size_t piece)
{
	_cleanup_buf_ struct buf out = BUF_EMPTY;
	struct error err = ERROR_NONE;

	assert_fine(unpack(packed, piece, 1 + piece * 3 % 70001, &out, &err), err);
	assert_int_equal(out.size, size);
	assert_true(size == 0 || memcmp(out.data, content, size) == 0);
}

/* Each kind of content, by number; false: there is no such. */
static bool fill(int kind, unsigned char *to, size_t size)
{
	static const char words[] = "the of and window distance literal sequence block frame ";
	uint32_t random = 7;

	for (size_t i = 0; i < size; i++) {
		random = random * 1664525 + 1013904223;
		if (kind == 0)
			to[i] = 0;
		else if (kind == 1)
			to[i] = (unsigned char)(random >> 24);
		else if (kind == 2)
			to[i] = (unsigned char)words[(random >> 20) % 7 * 8 + i % 8];
		else if (kind == 3)
			to[i] = (unsigned char)('a' + __builtin_clz(random | 1));
		else if (kind == 4)
			to[i] = i >= 1000 && random >> 29 ? to[i - 1000 + random % 7]
							  : (unsigned char)(random >> 24);
	}
	return kind <= 4;
}

/* valgrind takes a hundred times as long; the sanitizers do all of it. */
static bool is_slow(void)
{
	return getenv("BERTH_UNDER_VALGRIND") != NULL;
}

static void test_levels(void **state)
{
	static const size_t sizes[] = {1, 2, 20, 300, 5000, 400000};
	static const int levels[] = {-9, 1, 2, 3, 6, 11, 13, 19, 22};
	_cleanup_free_ unsigned char *content = xcalloc(1, 400000);

	(void)state;
	for (int kind = 0; fill(kind, content, 400000); kind++) {
		for (size_t i = 0; i < ARRAY_SIZE(sizes) * ARRAY_SIZE(levels); i++) {
			const size_t size = sizes[i % ARRAY_SIZE(sizes)];
			const int level = levels[i / ARRAY_SIZE(sizes)];
			struct packed packed;

			if (is_slow() && (size > 5000 || level > 6))
				continue;
			packed = pack(content, size, level, 0);
			assert_comes_back(&packed, content, size, 1 + i * 977 % 100000);
			free(packed.data);
		}
	}
}

/* Pieces that are repeated from far back, long and short ones, so that the ring goes round. */
static void test_far(void **state)
{
	static const size_t size = 6 << 20;
	_cleanup_free_ unsigned char *content = NULL;
	uint32_t random = 99;

	(void)state;
	if (is_slow())
		skip();
	content = xcalloc(1, size);
	fill(1, content, size);
	for (size_t at = 2 << 20; at + 20000 < size;) {
		size_t back, length;

		random = random * 1664525 + 1013904223;
		back = 20000 + (random >> 8) % (2 << 20) % (at - 20000);
		length = random % 5 ? 40 + random % 100 : 5000 + random % 15000;
		memcpy(content + at, content + at - back, length);
		at += length + random % 50;
	}
	for (int log = 20; log <= 22; log++) {
		struct packed packed = pack(content, size, 19, log);

		assert_comes_back(&packed, content, size, 100000);
		free(packed.data);
	}
}

/* What the library makes of a frame; SIZE_MAX: nothing. */
static size_t by_library(const struct packed *packed, void *to, size_t room)
{
	const size_t r = ZSTD_decompress(to, room, packed->data, packed->size);

	return ZSTD_isError(r) ? SIZE_MAX : r;
}

/* Each bit of a frame in turn: whatever comes out, the library says the same. */
static void test_damage(void **state)
{
	_cleanup_free_ unsigned char *content = xcalloc(1, 3000), *other = xcalloc(1, 400000);

	(void)state;
	for (int kind = 2; fill(kind, content, 3000); kind++) {
		struct packed packed = pack(content, 3000, 19, 0);

		for (size_t bit = 5 * 8; bit < packed.size * 8; bit += is_slow() ? 41 : 1) {
			_cleanup_buf_ struct buf out = BUF_EMPTY;
			struct error err = ERROR_NONE;
			int r;

			packed.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
			r = unpack(&packed, 1000, 4000, &out, &err);
			if (r == CODEC_BETWEEN) {
				assert_int_equal(by_library(&packed, other, 400000), out.size);
				assert_memory_equal(out.data, other, out.size);
			} else {
				assert_true((r == -EBADMSG || r == -ENODATA) && err.text[0]);
			}
			packed.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
		free(packed.data);
	}
}

static void test_cut(void **state)
{
	_cleanup_free_ unsigned char *content = content_make(2000);
	struct packed packed = pack(content, 2000, 5, 0);
	const size_t size = packed.size;

	(void)state;
	for (packed.size = 0; packed.size < size; packed.size++) {
		_cleanup_buf_ struct buf out = BUF_EMPTY;
		struct error err = ERROR_NONE;

		assert_int_equal(unpack(&packed, 300, 300, &out, &err), -ENODATA);
	}
	free(packed.data);
}

/* Blocks by hand behind the header of a frame without a checksum, with a window of 1 KiB. */
static void test_refused(void **state)
{
	static const struct {
		const char *blocks;
		size_t size;
		const char *text;
	} cases[] = {
		{"\x07\0\0", 3, "a block's header"},
		{"\x09\0\x10\0", 4, "a block's header"},
		{"\x05\0\0", 3, "literals"},
		{"\x0d\0\0\0", 4, "number of sequences"},
		{"\x1d\0\0\0\1\1", 6, "modes of sequences"},
		{"\x25\0\0\x08x\1\3", 7, "modes of sequences"},
		{"\x25\0\0\x08x\1\0", 7, "sequences"},
		{"\x1d\0\0\0\1\xc0", 6, "codes of literals"},
		/* One literal and a match, at a distance of 1 and two bits. */
		{"\x45\0\0\x08x\1\x54\1\2\0\x05", 11, "a distance is too large"},
		{"\x45\0\0\x08x\1\x54\1\2\0\x08", 11, "sequences"},
		{"\x45\0\0\x08x\2\x54\1\2\0\x10", 11, "a sequence is too long"},
		{"\x45\0\0\x08x\1\x54\1\x20\0\x05", 11, "codes of distances"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint8_t data[64] = {0x28, 0xb5, 0x2f, 0xfd, 0, 0};
		const struct packed packed = {data, 6 + cases[i].size};
		_cleanup_buf_ struct buf out = BUF_EMPTY;
		struct error err = ERROR_NONE;

		memcpy(data + 6, cases[i].blocks, cases[i].size);
		assert_true(unpack(&packed, 100, 100, &out, &err) < 0);
		assert_non_null(strstr(err.text, cases[i].text));
	}
}

/* Adds a block; @type: its two bits. */
static void add_block(struct buf *frame, unsigned type, const void *data, size_t size)
{
	const size_t header = size << 3 | type << 1;

	buf_add(frame,
		(uint8_t[]){(uint8_t)header, (uint8_t)(header >> 8), (uint8_t)(header >> 16)}, 3);
	buf_add(frame, data, size);
}

/* How often this process has called read() and the like; 0: the kernel does not say. */
static unsigned long count_reads(void)
{
	_cleanup_fd_ int fd = open("/proc/self/io", O_RDONLY | O_CLOEXEC);
	char text[512] = "";
	const char *at;

	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
		return 0;
	at = strstr(text, "syscr: ");
	return at ? strtoul(at + 7, NULL, 10) : 0;
}

/*
 * Three distances, as far from one another as is bad for a cache, taken in turn by sequences of
 * three bytes, which cost a bit each: a call of the system for each of them would take so long that
 * some kB keep a processor busy for minutes.
 */
static void test_far_and_far(void **state)
{
	enum {
		COUNT = 43690,
		BLOCKS = 10
	};
	static const size_t filled = 4 << 20, all = filled + 9 + 3 * COUNT * BLOCKS;
	/* No literals, three sequences; the table of each code has one symbol. */
	uint8_t first[14] = {0, 3, 0x54, 0, 21, 0};
	static uint8_t turns[8 + COUNT / 8 + 1] = {0, 0xff, 0xaa, 0x2b, 0x54, 0, 1, 0};
	_cleanup_free_ unsigned char *content = xcalloc(1, filled), *expected = xcalloc(1, all);
	_cleanup_buf_ struct buf frame = BUF_EMPTY, out = BUF_EMPTY;
	const uint64_t distances = htole64((uint64_t)1 << 63 | (uint64_t)0x100006 << 42 |
					   (uint64_t)0x80006 << 21 | 0x6);
	struct error err = ERROR_NONE;
	struct packed packed;
	unsigned long reads;

	(void)state;
	fill(1, content, filled);
	memcpy(first + 6, &distances, sizeof(distances));
	turns[sizeof(turns) - 1] = 1 << COUNT % 8;
	buf_add(&frame, (uint8_t[]){0x28, 0xb5, 0x2f, 0xfd, 0, (24 - 10) << 3}, 6);
	for (size_t at = 0; at < filled; at += 128 << 10)
		add_block(&frame, 0, content + at, 128 << 10);
	add_block(&frame, 2, first, sizeof(first));
	for (int i = 0; i < BLOCKS; i++)
		add_block(&frame, 2, turns, sizeof(turns));
	buf_add(&frame, "\1\0\0", 3);

	packed = (struct packed){(uint8_t *)frame.data, frame.size};
	reads = count_reads();
	assert_fine(unpack(&packed, 100000, 100000, &out, &err), err);
	reads = count_reads() - reads;
	assert_int_equal(by_library(&packed, expected, all), all);
	assert_int_equal(out.size, all);
	assert_memory_equal(out.data, expected, all);
	assert_in_range(reads, 0, COUNT * BLOCKS / 50);
}

static void test_no_place(void **state)
{
	const struct zstd_header header = {.window = 16 << 20, .content = UINT64_MAX};
	struct zstd_large *large = NULL;
	struct error err = ERROR_NONE;

	(void)state;
	assert_failed(zstd_large_new(&header, "/nowhere/at/all", &large, &err), err, -ENOENT);
	assert_non_null(strstr(err.text, "/nowhere/at/all"));
	assert_non_null(strstr(err.text, "the window of zstd data"));
	assert_null(large);
}

/* The file has no name, so nothing is left of it after a kill: its directory is empty. */
static void test_no_name(void **state)
{
	const struct zstd_header header = {.window = 16 << 20, .content = UINT64_MAX};
	char directory[] = "/tmp/test-window-XXXXXX";
	struct zstd_large *large = NULL;
	struct error err = ERROR_NONE;

	(void)state;
	assert_non_null(mkdtemp(directory));
	assert_fine(zstd_large_new(&header, directory, &large, &err), err);
	assert_return_code(rmdir(directory), errno);
	zstd_large_free(large);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_levels),	cmocka_unit_test(test_far),
		cmocka_unit_test(test_damage),	cmocka_unit_test(test_cut),
		cmocka_unit_test(test_refused), cmocka_unit_test(test_no_place),
		cmocka_unit_test(test_no_name), cmocka_unit_test(test_far_and_far),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
