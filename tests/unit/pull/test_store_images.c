/* SPDX-License-Identifier: Apache-2.0 */
/* The images of the store: put, found by all their names, listed, removed. */
#include "store/store-internal.h"
#include "store/store.h"

#include "../base/unit.h"

static struct store open_store(const struct world *world)
{
	_cleanup_free_ char *path = xasprintf("%s/store", world->path);
	struct store store = STORE_CLOSED;
	struct error err = ERROR_NONE;

	assert_fine(store_open(path, STORE_ADD, &store, &err), err);
	return store;
}

static struct store_image image_named(const char *name, const char *content)
{
	struct store_image image = {
		.name = name,
		.media_type = "application/vnd.oci.image.manifest.v1+json",
		.platform = "linux/amd64",
		.pulled = "2026-01-02T03:04:05Z",
		.size = 123456789012,
	};

	digest_of(DIGEST_SHA256, content, strlen(content), &image.manifest);
	digest_of(DIGEST_SHA512, content, strlen(content), &image.top);
	return image;
}

static void put(const struct store *store, const char *name, const char *content)
{
	struct store_image image = image_named(name, content);
	struct error err = ERROR_NONE;

	assert_fine(store_image_put(store, &image, &err), err);
}

static void test_find(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct store store = open_store(*state);
	struct store_image image = image_named("x", "one"), found;
	struct error err = ERROR_NONE;
	char digest[DIGEST_TEXT_MAX];

	put(&store, "docker.io/library/alpine:latest", "one");
	put(&store, "docker.io/library/alpine:3.20", "one");
	put(&store, "oci:/tmp/a:b", "two");
	assert_fine(store_image_find(&store, arena, "alpine", &found, &err), err);
	assert_string_equal(found.name, "docker.io/library/alpine:latest");
	assert_string_equal(found.media_type, image.media_type);
	assert_string_equal(found.platform, "linux/amd64");
	assert_string_equal(found.pulled, image.pulled);
	assert_true(digest_equal(&found.manifest, &image.manifest));
	assert_true(digest_equal(&found.top, &image.top));
	assert_int_equal(found.size, image.size);
	assert_fine(store_image_find(&store, arena, "alpine:3.20", &found, &err), err);
	assert_fine(store_image_find(&store, arena, "oci:/tmp/a:b", &found, &err), err);

	/* Two names of one image are no contradiction. */
	digest_text(&image.manifest, digest);
	assert_fine(store_image_find(&store, arena, digest, &found, &err), err);
	assert_fine(store_image_find(&store, arena, digest + strlen("sha256:"), &found, &err), err);
	digest[strlen("sha256:") + 12] = '\0';
	assert_fine(store_image_find(&store, arena, digest, &found, &err), err);
	digest[strlen("sha256:") + 11] = '\0';
	assert_failed(store_image_find(&store, arena, digest, &found, &err), err, -ENOENT);
	assert_failed(store_image_find(&store, arena, "debian", &found, &err), err, -ENOENT);
	assert_contains(err.text, "debian");
	store_close(&store);
}

static void test_list_and_remove(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct store store = open_store(*state);
	struct store_image *images = NULL;
	struct error err = ERROR_NONE;
	size_t count = 1;

	assert_fine(store_image_list(&store, arena, &images, &count, &err), err);
	assert_int_equal(count, 0);
	put(&store, "b", "one");
	put(&store, "a", "two");
	store.sync = true;
	put(&store, "a", "three");
	/* One that was spoilt stands in nobody's way. */
	assert_fine(file_create_at(store.fd, "images/0000", 0600, "", 0, &err), err);
	assert_fine(store_image_list(&store, arena, &images, &count, &err), err);
	assert_int_equal(count, 2);
	assert_string_equal(images[0].name, "a");
	assert_string_equal(images[1].name, "b");
	assert_fine(store_image_remove(&store, &images[0], &err), err);
	assert_failed(store_image_remove(&store, &images[0], &err), err, -ENOENT);
	assert_fine(store_image_list(&store, arena, &images, &count, &err), err);
	assert_int_equal(count, 1);
	store_close(&store);
}

/* A record under another image's name is not believed. */
static void test_exchanged(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct store store = open_store(*state);
	struct store_image found;
	struct error err = ERROR_NONE;
	struct dirent *entry;
	char name[STORE_NAME_MAX];
	struct digest digest;
	DIR *dir;

	put(&store, "a", "one");
	dir = store_open_dir(&store, "images");
	do {
		entry = readdir(dir);
	} while (entry->d_name[0] == '.');
	digest_of(DIGEST_SHA256, "b", 1, &digest);
	snprintf(name, sizeof(name), "images/%s", digest.hex);
	assert_int_equal(renameat(dirfd(dir), entry->d_name, store.fd, name), 0);
	closedir(dir);
	assert_failed(store_image_find(&store, arena, "b", &found, &err), err, -ENOENT);
	assert_failed(image_record_read(&store, arena, name, &found, &err), err, -EINVAL);
	assert_contains(err.text, "belongs elsewhere");
	store_close(&store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(test_find),
		world_test(test_list_and_remove),
		world_test(test_exchanged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
