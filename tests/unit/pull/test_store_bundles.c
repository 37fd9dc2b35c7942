/* SPDX-License-Identifier: Apache-2.0 */
/* Bundles of the store: which of them are still there. */
#include <sys/mount.h>

#include "store/store-internal.h"
#include "store/store.h"

#include "../base/unit.h"

struct found {
	const struct store *store;
	struct arena *arena;
	struct bundle_record record;
	int count;
};

static struct store open_store(const struct world *world)
{
	_cleanup_free_ char *path = xasprintf("%s/store", world->path);
	struct store store = STORE_CLOSED;
	struct error err = ERROR_NONE;

	assert_fine(store_open(path, STORE_ADD, &store, &err), err);
	return store;
}

static int take_record(void *context, const char *name, struct error *err)
{
	struct found *found = context;

	found->count++;
	return bundle_record_read(found->store, found->arena, name, &found->record, err);
}

/* Makes the directory @path, and the record of a bundle in it, which is read again. */
static struct bundle_record put_bundle(const struct store *store, struct arena *arena,
				       const char *path)
{
	_cleanup_fd_ int fd = -EBADF;
	struct found found = {.store = store, .arena = arena};
	struct error err = ERROR_NONE;
	struct digest layers[2];

	digest_of(DIGEST_SHA256, "a", 1, &layers[0]);
	digest_of(DIGEST_SHA512, "b", 1, &layers[1]);
	assert_int_equal(mkdir(path, 0700), 0);
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_fine(store_bundle_put(store, path, fd, layers, 2, &err), err);
	assert_fine(store_each(store, "bundles", take_record, &found, &err), err);
	assert_int_equal(found.count, 1);
	assert_string_equal(found.record.path, path);
	assert_int_equal(found.record.count, 2);
	assert_true(digest_equal(&found.record.layers[0], &layers[0]));
	assert_true(digest_equal(&found.record.layers[1], &layers[1]));
	return found.record;
}

static void remove_bundle(const char *path)
{
	_cleanup_free_ char *mark = xasprintf("%s/.berth-pull", path);

	assert_int_equal(unlink(mark), 0);
	assert_int_equal(rmdir(path), 0);
}

static void test_same_file_system(void **state)
{
	const struct world *world = *state;
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_free_ char *path = xasprintf("%s/bundle", world->path);
	_cleanup_free_ char *moved = xasprintf("%s/store/moved", world->path);
	struct store store = open_store(world);
	struct bundle_record record = put_bundle(&store, arena, path);

	assert_false(record.copied);
	assert_int_equal(bundle_presence(&store, &record), BUNDLE_THERE);
	assert_int_equal(rename(path, moved), 0);
	assert_int_equal(bundle_presence(&store, &record), BUNDLE_THERE);
	/* Another one has taken its place. */
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(bundle_presence(&store, &record), BUNDLE_THERE);
	remove_bundle(moved);
	assert_int_equal(bundle_presence(&store, &record), BUNDLE_GONE);
	store_close(&store);
}

/* Restored from a backup, the mark is no link any more. */
static void test_restored(void **state)
{
	const struct world *world = *state;
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_free_ char *path = xasprintf("%s/bundle", world->path);
	struct store store = open_store(world);
	struct bundle_record record = put_bundle(&store, arena, path);
	_cleanup_free_ char *text = get_file(world, "bundle/.berth-pull");

	remove_bundle(path);
	assert_int_equal(mkdir(path, 0700), 0);
	put_file(world, "bundle/.berth-pull", text);
	assert_int_equal(bundle_presence(&store, &record), BUNDLE_THERE);
	put_file(world, "bundle/.berth-pull", "{}");
	assert_int_equal(bundle_presence(&store, &record), BUNDLE_GONE);
	store_close(&store);
}

static void test_other_file_system(void **state)
{
	const struct world *world = *state;
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_free_ char *disk = xasprintf("%s/disk", world->path);
	_cleanup_free_ char *path = xasprintf("%s/bundle", disk);
	struct store store = open_store(world);
	struct bundle_record record;

	put_directory(world, "disk");
	if (mount("none", disk, "tmpfs", 0, NULL) < 0) {
		store_close(&store);
		skip_because("mounting needs root");
	}
	record = put_bundle(&store, arena, path);
	assert_true(record.copied);
	assert_int_equal(bundle_presence(&store, &record), BUNDLE_THERE);
	remove_bundle(path);
	assert_int_equal(bundle_presence(&store, &record), BUNDLE_GONE);
	/* The disk is not there: nobody knows. */
	assert_int_equal(umount2(disk, MNT_DETACH), 0);
	assert_int_equal(bundle_presence(&store, &record), BUNDLE_UNKNOWN);
	assert_int_equal(rmdir(disk), 0);
	assert_int_equal(bundle_presence(&store, &record), BUNDLE_UNKNOWN);
	store_close(&store);
}

/* Two mounts of one file system know no links between each other. */
static void test_other_mount(void **state)
{
	const struct world *world = *state;
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_free_ char *disk = xasprintf("%s/disk", world->path);
	_cleanup_free_ char *path = xasprintf("%s/bundle", disk);
	struct store store = open_store(world);
	struct bundle_record record;

	put_directory(world, "disk");
	if (mount(disk, disk, "none", MS_BIND, "") < 0) {
		store_close(&store);
		skip_because("mounting needs root");
	}
	record = put_bundle(&store, arena, path);
	assert_true(record.copied);
	assert_int_equal(bundle_presence(&store, &record), BUNDLE_THERE);
	remove_bundle(path);
	assert_int_equal(bundle_presence(&store, &record), BUNDLE_GONE);
	assert_int_equal(umount2(disk, MNT_DETACH), 0);
	store_close(&store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(test_same_file_system),
		world_test(test_restored),
		world_test(test_other_file_system),
		world_test(test_other_mount),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
