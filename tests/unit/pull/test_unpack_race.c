/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A layer is unpacked while somebody exchanges its directories for links that lead out, as fast as
 * possible: it may fail, it may not touch what is outside.
 */
#include <pthread.h>

#include "victims.h"

#define ROUNDS 60

struct attack {
	int rootfd;
	atomic_bool done;
	unsigned long exchanges;
};

/* "a/d" and "a/evil" change places; "a" and "b" too. */
static void *exchange(void *argument)
{
	struct attack *attack = argument;

	while (!attack->done) {
		attack->exchanges += renameat2(attack->rootfd, "a/d", attack->rootfd, "a/evil",
					       RENAME_EXCHANGE) == 0;
		attack->exchanges +=
			renameat2(attack->rootfd, "a", attack->rootfd, "b", RENAME_EXCHANGE) == 0;
	}
	return NULL;
}

/* Everything that an entry can do, in directories that change under its hands. */
static void add_entries(struct buf *tar)
{
	static const struct item items[] = {
		{.path = "a/d/", .type = '5', .mode = 0777, .uid = 9, .mtime = 9},
		{.path = "a/d/x",
		 .data = "x",
		 .mode = 04777,
		 .uid = 9,
		 .mtime = 9,
		 .pax = {"SCHILY.xattr.trusted.x=y"}},
		{.path = "a/d/passwd", .type = '2', .target = "y", .uid = 9},
		{.path = "a/d/fifo",
		 .type = '6',
		 .mode = 0777,
		 .uid = 9,
		 .pax = {"SCHILY.xattr.trusted.x=y"}},
		{.path = "a/d/hard", .type = '1', .target = "a/d/passwd"},
		{.path = "a/d/.wh.x"},
		{.path = "a/d/.wh.passwd"},
		{.path = "a/d/.wh..wh..opq"},
		{.path = "a/d/passwd", .data = "y"},
		{.path = "a/d/deep/er/f", .data = "z"},
		{.path = "a/", .type = '5', .mode = 0777, .uid = 9, .mtime = 9},
		{.path = "a/d"},
		{.path = "a/d/", .type = '5', .mtime = 9},
		{.path = "a/late", .type = '1', .target = "a/d/gone"},
	};

	for (unsigned i = 0; i < 8; i++)
		for (size_t j = 0; j < ARRAY_SIZE(items); j++)
			tar_add(tar, &items[j]);
}

/* What the attacker plays with is there before. */
static void put_bait(const struct layer *layer)
{
	assert_int_equal(mkdirat(layer->rootfd, "a", 0755), 0);
	assert_int_equal(mkdirat(layer->rootfd, "a/d", 0755), 0);
	assert_int_equal(symlinkat("../../victim", layer->rootfd, "a/evil"), 0);
	assert_int_equal(symlinkat("../victim", layer->rootfd, "b"), 0);
}

static void test_exchange(void **state)
{
	const struct world *world = *state;
	_cleanup_buf_ struct buf tar = BUF_EMPTY;
	_cleanup_free_ char *before = NULL;
	unsigned long exchanges = 0, unpacked = 0;

	put_victims(world);
	before = describe_victims(world);
	add_entries(&tar);
	tar_end(&tar);
	for (unsigned i = 0; i < ROUNDS; i++) {
		_cleanup_free_ char *name = xasprintf("root%u", i), *after = NULL;
		struct attack attack = {0};
		struct layer layer;
		pthread_t thread;

		layer_begin(&layer, world, name);
		put_bait(&layer);
		attack.rootfd = layer.rootfd;
		assert_int_equal(pthread_create(&thread, NULL, exchange, &attack), 0);
		unpacked += layer_unpack_tar(&layer, &tar) >= 0;
		attack.done = true;
		assert_int_equal(pthread_join(thread, NULL), 0);
		exchanges += attack.exchanges;
		layer_end(&layer);
		after = describe_victims(world);
		assert_string_equal(before, after);
	}
	print_message("%lu exchanges, %lu of %u layers unpacked\n", exchanges, unpacked, ROUNDS);
	assert_true(exchanges > ROUNDS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(test_exchange),
	};

	if (skip_all_without(SYS_openat2, "openat2"))
		return 0;
	if (no_root()) {
		print_message("skipped, all tests: owners and devices need root\n");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
