/* SPDX-License-Identifier: Apache-2.0 */
/* OCI image layouts: which image is chosen, what is checked, and that no link leads out. */
#include "source/source.h"

#include "../base/unit.h"

#define INDEX_TYPE    "application/vnd.oci.image.index.v1+json"
#define MANIFEST_TYPE "application/vnd.oci.image.manifest.v1+json"

static const struct limits limits = LIMITS_DEFAULT;

/* Puts @content where its digest says, and returns the digest's hex digits in @ret. */
static void put_blob(const struct world *world, const char *content, struct digest *ret)
{
	_cleanup_free_ char *name = NULL;

	digest_of(DIGEST_SHA256, content, strlen(content), ret);
	name = xasprintf("blobs/sha256/%s", ret->hex);
	put_file(world, name, content);
}

static void put_layout(const struct world *world, const char *manifests)
{
	_cleanup_free_ char *index = xasprintf("{\"schemaVersion\":2,\"mediaType\":\"" INDEX_TYPE
					       "\",\"manifests\":[%s]}",
					       manifests);

	put_file(world, "oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}");
	put_file(world, "index.json", index);
}

/* An entry of index.json. */
static char *entry(const struct digest *digest, size_t size, const char *more)
{
	return xasprintf("{\"mediaType\":\"" MANIFEST_TYPE
			 "\",\"digest\":\"sha256:%s\",\"size\":%zu%s}",
			 digest->hex, size, more);
}

static int open_source(const struct world *world, const char *suffix, struct source **ret,
		       struct error *err)
{
	_cleanup_free_ char *text = xasprintf("oci:%s%s", world->path, suffix);

	return source_open_local(text, world->path, &limits, ret, err);
}

/* The text of what the layout's name stands for, the caller's; NULL if it is refused. */
static char *read_top(const struct world *world, const char *suffix, struct error *err)
{
	_cleanup_source_ struct source *source = NULL;
	_cleanup_raw_document_ struct raw_document document = {.text = NULL};

	if (open_source(world, suffix, &source, err) < 0 ||
	    source->document(source, NULL, limits.manifest_bytes, &document, err) < 0)
		return NULL;
	assert_string_equal(source->name + strlen("oci:"),
			    strstr(source->name, world->path)); /* absolute */
	return take_ptr(&document.text);
}

static int make(void **state)
{
	int r = world_make(state);

	if (r == 0) {
		put_directory(*state, "blobs");
		put_directory(*state, "blobs/sha256");
	}
	return r;
}

static void test_one_image(void **state)
{
	const struct world *world = *state;
	_cleanup_source_ struct source *source = NULL;
	_cleanup_raw_document_ struct raw_document document = {.text = NULL};
	struct error err = ERROR_NONE;
	struct digest digest, head;

	put_blob(world, "hello", &digest);
	_cleanup_free_ char *one = entry(&digest, 5, "");
	put_layout(world, one);
	assert_fine(open_source(world, "", &source, &err), err);
	assert_false(source->is_remote);
	assert_fine(source->head(source, &head, &err), err);
	assert_true(digest_equal(&head, &digest));
	assert_fine(source->document(source, NULL, 100, &document, &err), err);
	assert_string_equal(document.text, "hello");
	assert_int_equal(document.size, 5);
	assert_string_equal(document.content_type, MANIFEST_TYPE);
	assert_true(digest_equal(&document.digest, &digest));
	assert_null(source->quota);
}

static void test_choice(void **state)
{
	const struct world *world = *state;
	struct digest a, b, c, loose;

	put_blob(world, "aaa", &a);
	put_blob(world, "bbb", &b);
	put_blob(world, "ccc", &c);
	put_blob(world, "loose", &loose);
	_cleanup_free_ char *first = entry(
		&a, 3, ",\"annotations\":{\"org.opencontainers.image.ref.name\":\"one:1.0\"}");
	_cleanup_free_ char *second =
		entry(&b, 3,
		      ",\"annotations\":{\"io.containerd.image.name\":\"docker.io/library/two:2\"},"
		      "\"platform\":{\"os\":\"linux\",\"architecture\":\"arm\"}");
	_cleanup_free_ char *third = entry(&c, 3, ",\"artifactType\":\"application/x\"");
	_cleanup_free_ char *all = xasprintf("%s,%s,%s", first, second, third);
	_cleanup_free_ char *by_digest = xasprintf("@sha256:%s", b.hex);
	_cleanup_free_ char *by_loose = xasprintf("@sha256:%s", loose.hex);
	const struct {
		const char *suffix, *text, *says;
	} cases[] = {
		{":one:1.0", "aaa", NULL},
		{":two:2", "bbb", NULL},
		{":docker.io/library/two:2", "bbb", NULL},
		{by_digest, "bbb", NULL},
		{by_loose, "loose", NULL},
		{"", NULL,
		 "several images in it, choose one: :one:1.0, "
		 ":docker.io/library/two:2 (linux/arm/v7)"},
		{":one", NULL, "no image \"one\" in it, but: :one:1.0, "},
		{":", NULL, "no name after"},
		{"@sha256:abc", NULL, "64 hexadecimal"},
	};

	put_layout(world, all);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error err = ERROR_NONE;
		_cleanup_free_ char *text = read_top(world, cases[i].suffix, &err);

		if (cases[i].text) {
			if (!text)
				fail_msg("%s: %s", cases[i].suffix, err.text);
			assert_string_equal(text, cases[i].text);
		} else {
			assert_null(text);
			assert_contains(err.text, cases[i].says);
		}
	}
}

static void test_same_image_twice(void **state)
{
	const struct world *world = *state;
	struct error err = ERROR_NONE;
	struct digest digest;

	put_blob(world, "aaa", &digest);
	_cleanup_free_ char *one = entry(&digest, 3, "");
	_cleanup_free_ char *both = xasprintf("%s,%s", one, one);
	put_layout(world, both);
	_cleanup_free_ char *text = read_top(world, "", &err);
	if (!text)
		fail_msg("%s", err.text);
	assert_string_equal(text, "aaa");
}

/* Each of these changes is made to a layout that is fine, and must be found. */
static void check_refused(const struct world *world, const char *says)
{
	struct error err = ERROR_NONE;
	_cleanup_free_ char *text = read_top(world, "", &err);

	assert_null(text);
	assert_contains(err.text, says);
}

static void test_damage(void **state)
{
	const struct world *world = *state;
	_cleanup_free_ char *name = NULL;
	struct digest digest;

	put_blob(world, "hello", &digest);
	name = xasprintf("blobs/sha256/%s", digest.hex);
	_cleanup_free_ char *longer = entry(&digest, 6, "");
	put_layout(world, longer);
	check_refused(world, "is of 5 bytes, where its descriptor says 6");
	_cleanup_free_ char *right = entry(&digest, 5, "");
	put_layout(world, right);
	put_file(world, name, "hellO");
	check_refused(world, "is damaged: its digest is sha256:");
	assert_int_equal(unlinkat(world->fd, name, 0), 0);
	check_refused(world, "there is no \"blobs/sha256/");
	put_directory(world, name);
	check_refused(world, "is no regular file");
}

static void test_no_layout(void **state)
{
	const struct world *world = *state;

	check_refused(world, "no OCI image layout: there is no \"oci-layout\"");
	put_file(world, "oci-layout", "{\"imageLayoutVersion\":\"2.0.0\"}");
	check_refused(world, "imageLayoutVersion must be 1.0.0");
	put_file(world, "oci-layout", "{}");
	check_refused(world, "imageLayoutVersion must be 1.0.0");
	put_file(world, "oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}");
	check_refused(world, "there is no \"index.json\"");
	put_layout(world, "");
	check_refused(world, "there is no image in it");
	put_layout(world, "{\"mediaType\":\"application/x\",\"size\":1,\"digest\":\"sha256:"
			  "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\"}");
	check_refused(world, "only artifacts");
	put_file(world, "index.json",
		 "{\"schemaVersion\":2,\"layers\":[],\"config\":{\"mediaType\":"
		 "\"application/vnd.oci.image.config.v1+json\",\"size\":1,\"digest\":\"sha256:"
		 "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\"}}");
	check_refused(world, "must be an index");
}

/* A layout of somebody else: a blob that is a link to a file of ours, a fifo that nobody writes. */
static void test_links_and_fifos(void **state)
{
	const struct world *world = *state;
	_cleanup_free_ char *name = NULL;
	struct error err = ERROR_NONE;
	struct digest digest;

	digest_of(DIGEST_SHA256, "hello", 5, &digest);
	name = xasprintf("blobs/sha256/%s", digest.hex);
	_cleanup_free_ char *one = entry(&digest, 5, "");
	put_layout(world, one);
	put_link(world, name, "/etc/hostname");
	check_refused(world, "is a link that leads out of");
	assert_int_equal(unlinkat(world->fd, name, 0), 0);
	put_link(world, name, "../../../../../../../../etc/hostname");
	check_refused(world, "is a link that leads out of");
	assert_int_equal(unlinkat(world->fd, name, 0), 0);
	assert_int_equal(mkfifoat(world->fd, name, 0600), 0);
	check_refused(world, "is no regular file");
	assert_int_equal(unlinkat(world->fd, name, 0), 0);
	put_file(world, "inside", "hello");
	put_link(world, name, "../../inside");
	_cleanup_free_ char *text = read_top(world, "", &err);
	if (!text)
		fail_msg("%s", err.text);
	assert_string_equal(text, "hello");
}

static void test_layer(void **state)
{
	const struct world *world = *state;
	_cleanup_source_ struct source *source = NULL;
	_cleanup_reader_ struct reader *reader = NULL;
	struct descriptor layer = {.media_type = "", .size = 5};
	struct error err = ERROR_NONE;
	struct digest digest;
	const void *data = NULL;
	size_t size = 0;

	put_blob(world, "layer", &layer.digest);
	put_blob(world, "hello", &digest);
	_cleanup_free_ char *one = entry(&digest, 5, "");
	put_layout(world, one);
	assert_fine(open_source(world, "", &source, &err), err);
	assert_fine(source->open(source, &layer, &reader, &err), err);
	assert_int_equal(reader_read(reader, &data, &size, &err), 1);
	assert_int_equal(size, 5);
	assert_memory_equal(data, "layer", 5);
	assert_int_equal(reader_read(reader, &data, &size, &err), 0);
	cleanup_reader(&reader);
	layer.size = 4;
	assert_failed(source->open(source, &layer, &reader, &err), err, -EINVAL);
	/* Content within the descriptor needs no file. */
	digest_of(DIGEST_SHA256, "none", 4, &layer.digest);
	layer.data = "none";
	layer.data_size = 4;
	assert_fine(source->open(source, &layer, &reader, &err), err);
	assert_int_equal(reader_read(reader, &data, &size, &err), 1);
	assert_memory_equal(data, "none", 4);
}

static void test_size_limit(void **state)
{
	const struct world *world = *state;
	_cleanup_source_ struct source *source = NULL;
	_cleanup_raw_document_ struct raw_document document = {.text = NULL};
	struct error err = ERROR_NONE;
	struct digest digest;

	put_blob(world, "hello", &digest);
	_cleanup_free_ char *one = entry(&digest, 5, "");
	put_layout(world, one);
	assert_fine(open_source(world, "", &source, &err), err);
	assert_failed(source->document(source, NULL, 4, &document, &err), err, -EFBIG);
	assert_null(document.text);
}

#define layout_test(function) cmocka_unit_test_setup_teardown(function, make, world_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		layout_test(test_one_image),
		layout_test(test_choice),
		layout_test(test_same_image_twice),
		layout_test(test_damage),
		layout_test(test_no_layout),
		layout_test(test_links_and_fifos),
		layout_test(test_layer),
		layout_test(test_size_limit),
	};

	if (skip_all_without(SYS_openat2, "openat2"))
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
