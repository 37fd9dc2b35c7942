/* SPDX-License-Identifier: Apache-2.0 */
/* Sparse files: the maps of GNU's four formats, right ones and those that cannot be. */
#include "stream/tar.h"

#include "archive.h"

#define STORED "some data and more" /* 18 bytes */

/* Reads the archive's one file. Returns what the last call did; the content is in @ret. */
static int read_file(const struct buf *archive, struct tar_entry *entry,
		     struct tar_piece *ret_first, struct buf *ret, struct error *err)
{
	_cleanup_reader_ struct reader *reader =
		&pieces_make(archive->data, archive->size, 700)->reader;
	_cleanup_tar_ struct tar *tar = tar_new(reader);
	struct tar_entry next;
	const void *data;
	size_t size;
	int r;

	r = tar_next(tar, entry, err);
	if (r <= 0)
		return r;
	if (entry->piece_count > 0)
		*ret_first = entry->pieces[0];
	while ((r = tar_read(tar, &data, &size, err)) > 0)
		buf_add(ret, data, size);
	return r < 0 ? r : tar_next(tar, &next, err);
}

static void assert_file(const struct buf *archive, uint64_t size, size_t count)
{
	_cleanup_buf_ struct buf content = BUF_EMPTY;
	struct tar_piece first = {0};
	struct tar_entry entry;
	struct error err = ERROR_NONE;

	assert_fine(read_file(archive, &entry, &first, &content, &err), err);
	assert_int_equal(entry.type, TAR_FILE);
	assert_int_equal(entry.size, size);
	assert_non_null(entry.pieces);
	assert_int_equal(entry.piece_count, count);
	assert_int_equal(content.size, count ? strlen(STORED) : 0);
	if (count == 0)
		return;
	assert_int_equal(first.offset, 100);
	assert_memory_equal(content.data, STORED, strlen(STORED));
}

static void assert_refused(const struct buf *archive, int code, const char *message)
{
	_cleanup_buf_ struct buf content = BUF_EMPTY;
	struct tar_piece first;
	struct tar_entry entry;
	struct error err = ERROR_NONE;

	assert_failed(read_file(archive, &entry, &first, &content, &err), err, code);
	assert_contains(err.text, message);
}

/* A file with these pax records. */
static void make_pax(struct buf *archive, const char *const *records, char type)
{
	add_pax(archive, 'x', records);
	add_block(archive, &(struct block){.type = type, .size = "00000000022"});
	if (type != '5')
		add_content(archive, STORED, strlen(STORED));
	add_end(archive);
}

static void test_pax_0(void **state)
{
	_cleanup_buf_ struct buf pairs = BUF_EMPTY, map = BUF_EMPTY, versioned = BUF_EMPTY;

	(void)state;
	make_pax(&pairs,
		 PAX("GNU.sparse.size", "1000", "GNU.sparse.numblocks", "3", "GNU.sparse.offset",
		     "100", "GNU.sparse.numbytes", "8", "GNU.sparse.offset", "110",
		     "GNU.sparse.numbytes", "10", "GNU.sparse.offset", "1000",
		     "GNU.sparse.numbytes", "0"),
		 '0');
	assert_file(&pairs, 1000, 2);
	make_pax(&map,
		 PAX("GNU.sparse.size", "120", "GNU.sparse.numblocks", "2", "GNU.sparse.map",
		     "100,8,110,10", "GNU.sparse.name", "sparse"),
		 '\0');
	assert_file(&map, 120, 2);
	make_pax(&versioned,
		 PAX("GNU.sparse.major", "0", "GNU.sparse.minor", "1", "GNU.sparse.realsize", "118",
		     "GNU.sparse.map", "100,18"),
		 '0');
	assert_file(&versioned, 118, 1);
}

static void test_pax_0_refused(void **state)
{
	static const char *const maps[] = {
		"100,8,107,10", /* overlaps */
		"110,8,100,10", /* not in order */
		"100,8,991,10", /* beyond the end */
		"100,8,110,9",	/* less than is stored */
		"100,8,110,11", /* more */
		"100,8,110",	/* half a piece */
		"100,8,110,",
		"100,8,",
		"100,8,110,10,",
		"100,8,110,10x",
		",100,18",
		"100 18",
		"-1,18",
		"18446744073709551616,18",
		"18446744073709551615,18", /* the end of the piece is beyond all numbers */
		"100,18446744073709551615",
		"0,9,18446744073709551607,9",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(maps); i++) {
		_cleanup_buf_ struct buf archive = BUF_EMPTY;

		make_pax(&archive, PAX("GNU.sparse.size", "1000", "GNU.sparse.map", maps[i]), '0');
		assert_refused(&archive, -EBADMSG, "the map of a sparse file is damaged");
	}
}

static void test_pax_refused(void **state)
{
	const struct {
		const char *const *records;
		char type;
		int code;
		const char *message;
	} cases[] = {
		{PAX("GNU.sparse.map", "100,18"), '0', -EBADMSG, "a sparse file without a size"},
		{PAX("GNU.sparse.map", "100,18", "GNU.sparse.size", "1000"), '5', -EBADMSG,
		 "what is no file has the map of a sparse one"},
		{PAX("GNU.sparse.major", "1", "GNU.sparse.minor", "1", "GNU.sparse.size", "9"), '0',
		 -EOPNOTSUPP, "a sparse file of the unknown format 1.1"},
		{PAX("GNU.sparse.major", "2", "GNU.sparse.minor", "0", "GNU.sparse.size", "9"), '0',
		 -EOPNOTSUPP, "a sparse file of the unknown format 2.0"},
		{PAX("GNU.sparse.minor", "2", "GNU.sparse.size", "9"), '0', -EOPNOTSUPP,
		 "a sparse file of the unknown format 0.2"},
		{PAX("GNU.sparse.offset", "1", "GNU.sparse.offset", "1"), '0', -EBADMSG,
		 "the value of pax \"GNU.sparse.offset\" cannot be"},
		{PAX("GNU.sparse.numbytes", "1"), '0', -EBADMSG,
		 "the value of pax \"GNU.sparse.numbytes\" cannot be"},
		{PAX("GNU.sparse.offset", "1"), '0', -EBADMSG, "half a piece"},
		{PAX("GNU.sparse.major", "1", "GNU.sparse.minor", "0", "GNU.sparse.realsize",
		     "1000"),
		 '5', -EBADMSG, "the map of a sparse file is damaged"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_buf_ struct buf archive = BUF_EMPTY;

		make_pax(&archive, cases[i].records, cases[i].type);
		assert_refused(&archive, cases[i].code, cases[i].message);
	}
}

/* A file of format 1.0: the map, which fills up whole blocks, before the content. */
static void make_pax_1(struct buf *archive, const char *map, size_t map_size, const char *real_size)
{
	char size[24];

	snprintf(size, sizeof(size), "%011zo", map_size + -map_size % 512 + strlen(STORED));
	add_pax(archive, 'x',
		PAX("GNU.sparse.major", "1", "GNU.sparse.minor", "0", "GNU.sparse.name", "sparse",
		    "GNU.sparse.realsize", real_size));
	add_block(archive, &(struct block){.type = '0', .size = size});
	add_content(archive, map, map_size);
	add_content(archive, STORED, strlen(STORED));
	add_end(archive);
}

static void test_pax_1(void **state)
{
	_cleanup_buf_ struct buf small = BUF_EMPTY, large = BUF_EMPTY, map = BUF_EMPTY;

	(void)state;
	make_pax_1(&small, "3\n100\n8\n110\n10\n1000\n0\n", 22, "1000");
	assert_file(&small, 1000, 2);
	/* Over several blocks: empty pieces before and behind. */
	buf_add_string(&map, "502\n");
	for (int i = 0; i < 300; i++)
		buf_printf(&map, "%d\n0\n", i);
	buf_add_string(&map, "100\n8\n110\n10\n");
	for (int i = 0; i < 200; i++)
		buf_add_string(&map, "1000\n0\n");
	make_pax_1(&large, map.data, map.size, "1000");
	assert_file(&large, 1000, 2);
}

static void test_pax_1_refused(void **state)
{
	static const char *const maps[] = {
		"",
		"x\n",
		"1\n100\n",
		"1\n100\n18",
		"1\n100\n\n18\n",
		"1\n100,18\n",
		"1\n000000000000000000000100\n18\n", /* more digits than any number has */
		"2\n100\n8\n110\n11\n",
		"18446744073709551615\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(maps); i++) {
		_cleanup_buf_ struct buf archive = BUF_EMPTY;

		make_pax_1(&archive, maps[i], strlen(maps[i]), "1000");
		assert_refused(&archive, -EBADMSG, "the map of a sparse file is damaged");
	}
}

static void put_piece(char *at, unsigned offset, unsigned size)
{
	snprintf(at, 12, "%011o", offset);
	snprintf(at + 12, 12, "%011o", size);
}

/* The old format, with @empty pieces without a size between two with content. */
static void make_old(struct buf *archive, unsigned empty, const char *real_size)
{
	unsigned last = empty + 1;
	char *header;

	add_block(archive, &(struct block){.type = 'S', .magic = "ustar  ", .size = "00000000022"});
	for (unsigned i = 0; i <= last; i++) {
		unsigned offset = i == last ? 110 : i ? 108 : 100;
		char *at;

		if (i >= 4 && (i - 4) % 21 == 0) {
			archive->data[archive->size - (i == 4 ? 512 - 482 : 512 - 504)] = 1;
			add_content(archive, "\0", 1);
		}
		at = archive->data + archive->size - 512;
		at += i < 4 ? 386 + 24 * i : 24 * ((i - 4) % 21);
		put_piece(at, offset, i == last ? 10 : i ? 0 : 8);
	}
	header = archive->data;
	snprintf(header + 483, 12, "%s", real_size);
	block_sum((unsigned char *)header, false);
	add_content(archive, STORED, strlen(STORED));
	add_end(archive);
}

static void test_old(void **state)
{
	static const unsigned empty[] = {0, 1, 2, 3, 22, 23, 24, 100};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(empty); i++) {
		_cleanup_buf_ struct buf archive = BUF_EMPTY;

		make_old(&archive, empty[i], "00000001750");
		assert_file(&archive, 1000, 2);
	}
}

static void test_old_refused(void **state)
{
	static const char *const sizes[] = {"00000000167", "rubbish", "\xff\xff\xff\xff"};
	_cleanup_buf_ struct buf cut = BUF_EMPTY, number = BUF_EMPTY, negative = BUF_EMPTY;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		_cleanup_buf_ struct buf archive = BUF_EMPTY;

		make_old(&archive, 0, sizes[i]);
		assert_refused(&archive, -EBADMSG, "the map of a sparse file is damaged");
	}
	make_old(&cut, 30, "00000001750");
	cut.size = 1024;
	assert_refused(&cut, -EBADMSG, "the map of a sparse file is damaged");
	make_old(&number, 30, "00000001750");
	number.data[512 + 24] = 'x';
	assert_refused(&number, -EBADMSG, "the map of a sparse file is damaged");
	make_old(&negative, 30, "00000001750");
	memset(negative.data + 512 + 24, 0xff, 12);
	assert_refused(&negative, -EBADMSG, "the map of a sparse file is damaged");
}

/* No more pieces than there is memory for, and fewer than take long. */
static void test_too_many(void **state)
{
	_cleanup_buf_ struct buf archive = BUF_EMPTY, map = BUF_EMPTY;

	(void)state;
	buf_printf(&map, "%u\n", TAR_SPARSE_MAX + 1);
	for (unsigned i = 0; i <= TAR_SPARSE_MAX; i++)
		buf_add_string(&map, "0\n0\n");
	make_pax_1(&archive, map.data, map.size, "1000");
	assert_refused(&archive, -EFBIG, "a sparse file of more than");
}

/* Nothing but a hole. */
static void test_hole(void **state)
{
	_cleanup_buf_ struct buf archive = BUF_EMPTY;

	(void)state;
	add_pax(&archive, 'x',
		PAX("GNU.sparse.size", "1099511627776", "GNU.sparse.map", "1099511627776,0"));
	add_block(&archive, &(struct block){.type = '0'});
	add_end(&archive);
	assert_file(&archive, 1ull << 40, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pax_0),	      cmocka_unit_test(test_pax_0_refused),
		cmocka_unit_test(test_pax_refused),   cmocka_unit_test(test_pax_1),
		cmocka_unit_test(test_pax_1_refused), cmocka_unit_test(test_old),
		cmocka_unit_test(test_old_refused),   cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_hole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
