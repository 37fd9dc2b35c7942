/* SPDX-License-Identifier: Apache-2.0 */
/* Archives as sources: what docker save and others write, links within, and what is refused. */
#include <zlib.h>

#include "source/source.h"

#include "../base/unit.h"

static const struct limits limits = LIMITS_DEFAULT;

/* --- a writer of archives --- */

static void put_octal(char *field, size_t size, unsigned long value)
{
	field[--size] = '\0';
	for (; size > 0; value /= 8)
		field[--size] = (char)('0' + value % 8);
}

/* One entry; @type as in the header ('0' file, '1' hard link, '2' symbolic link). */
static void add_entry(struct buf *tar, const char *name, char type, const char *content)
{
	static const char zeros[512];
	bool is_link = type == '1' || type == '2';
	size_t size = is_link ? 0 : strlen(content);
	char header[512] = {0};
	unsigned sum = 0;

	snprintf(header, 100, "%s", name);
	put_octal(header + 100, 8, 0644);
	put_octal(header + 108, 8, 0);
	put_octal(header + 116, 8, 0);
	put_octal(header + 124, 12, size);
	put_octal(header + 136, 12, 0);
	memset(header + 148, ' ', 8);
	header[156] = type;
	if (is_link)
		snprintf(header + 157, 100, "%s", content);
	memcpy(header + 257, "ustar\00000", 8);
	for (size_t i = 0; i < sizeof(header); i++)
		sum += (unsigned char)header[i];
	put_octal(header + 148, 7, sum);
	buf_add(tar, header, sizeof(header));
	buf_add(tar, content, size);
	buf_add(tar, zeros, (512 - size % 512) % 512);
}

static void put_tar(const struct world *world, const char *name, struct buf *tar)
{
	static const char zeros[1024];
	int fd = openat(world->fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	buf_add(tar, zeros, sizeof(zeros));
	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, tar->data, tar->size), 0);
	fd_close(fd);
}

static char *sha256(const char *content)
{
	struct digest digest;

	digest_of(DIGEST_SHA256, content, strlen(content), &digest);
	return xstrdup(digest.hex);
}

/* --- what is read --- */

static int open_source(const struct world *world, const char *scheme, const char *suffix,
		       struct source **ret, struct error *err)
{
	_cleanup_free_ char *text = xasprintf("%s:%s/image.tar%s", scheme, world->path, suffix);

	return source_open_local(text, world->path, &limits, ret, err);
}

static void check_refused(const struct world *world, const char *scheme, const char *suffix,
			  const char *says)
{
	_cleanup_source_ struct source *source = NULL;
	struct error err = ERROR_NONE;
	int r = open_source(world, scheme, suffix, &source, &err);

	if (r >= 0)
		fail_msg("%s%s was opened", scheme, suffix);
	assert_contains(err.text, says);
}

static void assert_layer(struct source *source, const struct descriptor *layer,
			 const char *expected)
{
	_cleanup_reader_ struct reader *reader = NULL;
	_cleanup_buf_ struct buf text = BUF_EMPTY;
	struct error err = ERROR_NONE;
	const void *data;
	size_t size;
	int r;

	assert_fine(source->open(source, layer, &reader, &err), err);
	while ((r = reader_read(reader, &data, &size, &err)) > 0)
		buf_add(&text, data, size);
	assert_fine(r, err);
	assert_int_equal(text.size, layer->size);
	assert_memory_equal(text.data, expected, text.size);
}

/* The image of a docker-archive, with the configuration in @ret_config. */
static void read_image(struct arena *arena, struct source *source, struct manifest *ret,
		       struct image_config *ret_config)
{
	_cleanup_raw_document_ struct raw_document raw = {.text = NULL}, config = {.text = NULL};
	struct document document;
	struct error err = ERROR_NONE;
	struct digest digest;

	assert_fine(source->document(source, NULL, limits.manifest_bytes, &raw, &err), err);
	digest_of(DIGEST_SHA256, raw.text, raw.size, &digest);
	assert_true(digest_equal(&digest, &raw.digest));
	assert_fine(source->head(source, &digest, &err), err);
	assert_true(digest_equal(&digest, &raw.digest));
	assert_fine(document_read(arena, raw.text, raw.size, raw.content_type, &document, &err),
		    err);
	assert_int_equal(document.kind, DOCUMENT_MANIFEST);
	*ret = document.manifest;
	assert_fine(source->config(source, &ret->config, limits.config_bytes, &config, &err), err);
	assert_fine(image_config_read(arena, config.text, config.size, ret_config, &err), err);
}

/* A configuration with the diff ids of two layers. */
static char *config_of(const char *first, const char *second)
{
	_cleanup_free_ char *a = sha256(first), *b = sha256(second);

	return xasprintf("{\"os\":\"linux\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":["
			 "\"sha256:%s\",\"sha256:%s\"]}}",
			 a, b);
}

static void check_two_layers(const struct world *world, const char *suffix, const char *first,
			     const char *second)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_source_ struct source *source = NULL;
	struct image_config config;
	struct manifest manifest;
	struct error err = ERROR_NONE;

	assert_fine(open_source(world, "docker-archive", suffix, &source, &err), err);
	read_image(arena, source, &manifest, &config);
	assert_int_equal(manifest.layer_count, 2);
	for (size_t i = 0; i < 2; i++)
		assert_true(digest_equal(&manifest.layers[i].digest, &config.diff_ids[i]));
	assert_layer(source, &manifest.layers[0], first);
	assert_layer(source, &manifest.layers[1], second);
}

/* As Docker before 25 has it: a directory for each layer, and links for those that are the same. */
static void test_old_docker(void **state)
{
	const struct world *world = *state;
	_cleanup_buf_ struct buf tar = BUF_EMPTY;
	_cleanup_free_ char *config = config_of("layer one", "layer two");

	add_entry(&tar, "0a/", '5', "");
	add_entry(&tar, "0a/VERSION", '0', "1.0");
	add_entry(&tar, "0a/layer.tar", '0', "layer one");
	add_entry(&tar, "0b/layer.tar", '2', "../0c/layer.tar");
	add_entry(&tar, "0c/layer.tar", '0', "layer two");
	add_entry(&tar, "cafe.json", '0', config);
	add_entry(&tar, "manifest.json", '0',
		  "[{\"Config\":\"cafe.json\",\"RepoTags\":[\"a:1\",\"example.com/b:2\"],"
		  "\"Layers\":[\"0a/layer.tar\",\"0b/layer.tar\"]}]");
	add_entry(&tar, "repositories", '0', "{}");
	put_tar(world, "image.tar", &tar);
	check_two_layers(world, "", "layer one", "layer two");
	check_two_layers(world, ":a:1", "layer one", "layer two");
	check_two_layers(world, ":docker.io/library/a:1", "layer one", "layer two");
	check_two_layers(world, ":example.com/b:2", "layer one", "layer two");
	check_refused(world, "docker-archive", ":a:2",
		      "no image \"a:2\" in it, but: a:1, example.com/b:2");
	check_refused(world, "docker-archive", ":a", "no image \"a\" in it");
	check_refused(world, "docker-archive",
		      "@sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
		      "no digests to choose by");
	check_refused(world, "oci-archive", "", "no OCI image layout: there is no \"oci-layout\"");
}

static void test_several_images(void **state)
{
	const struct world *world = *state;
	_cleanup_buf_ struct buf tar = BUF_EMPTY;
	_cleanup_free_ char *one = config_of("1", "22");
	_cleanup_free_ char *two = config_of("333", "22");

	add_entry(&tar, "./manifest.json", '0',
		  "[{\"Config\":\"1.json\",\"RepoTags\":[\"a:1\"],\"Layers\":[\"1.tar\",\"2.tar\"]}"
		  ",{\"Config\":\"/2.json\",\"RepoTags\":[\"b:1\"],\"Layers\":[\"3.tar\","
		  "\"x/../2.tar\"]},{\"Config\":\"1.json\",\"RepoTags\":null,\"Layers\":[]}]");
	add_entry(&tar, "1.json", '0', one);
	add_entry(&tar, "2.json", '0', two);
	add_entry(&tar, "./1.tar", '0', "1");
	add_entry(&tar, "/2.tar", '0', "22");
	add_entry(&tar, "3.tar", '0', "333");
	put_tar(world, "image.tar", &tar);
	check_two_layers(world, ":a:1", "1", "22");
	check_two_layers(world, ":b:1", "333", "22");
	check_refused(world, "docker-archive", "",
		      "several images in it, choose one: a:1, b:1, one without a tag");
}

/* Layers that are compressed have a digest of their own; the whole archive may be, too. */
static void test_compressed(void **state)
{
	const struct world *world = *state;
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_source_ struct source *source = NULL;
	_cleanup_buf_ struct buf tar = BUF_EMPTY;
	_cleanup_free_ char *config = config_of("plain", "what is packed");
	_cleanup_free_ char *path = xasprintf("%s/image.tar", world->path);
	static const char packed[] = "\x1f\x8b not really gzip";
	struct image_config read_config;
	struct manifest manifest;
	struct error err = ERROR_NONE;
	struct digest digest;
	gzFile file;

	add_entry(&tar, "c.json", '0', config);
	add_entry(&tar, "1", '0', "plain");
	add_entry(&tar, "2", '0', packed);
	add_entry(&tar, "manifest.json", '0', "[{\"Config\":\"c.json\",\"Layers\":[\"1\",\"2\"]}]");
	put_tar(world, "image.tar", &tar);
	file = gzopen(path, "wb");
	assert_int_equal(gzwrite(file, tar.data, (unsigned)tar.size), tar.size);
	gzclose(file);

	assert_fine(open_source(world, "docker-archive", "", &source, &err), err);
	read_image(arena, source, &manifest, &read_config);
	digest_of(DIGEST_SHA256, packed, strlen(packed), &digest);
	assert_true(digest_equal(&manifest.layers[0].digest, &read_config.diff_ids[0]));
	assert_true(digest_equal(&manifest.layers[1].digest, &digest));
	assert_layer(source, &manifest.layers[0], "plain");
	assert_layer(source, &manifest.layers[1], packed);
}

static void test_bomb(void **state)
{
	const struct world *world = *state;
	_cleanup_free_ char *path = xasprintf("%s/image.tar", world->path);
	_cleanup_free_ char *text = xasprintf("docker-archive:%s", path);
	_cleanup_free_ char *zeros = xcalloc(1u << 20, 1);
	_cleanup_source_ struct source *source = NULL;
	struct limits small = limits;
	struct error err = ERROR_NONE;
	gzFile file = gzopen(path, "wb9");

	for (int i = 0; i < 20; i++)
		assert_int_equal(gzwrite(file, zeros, 1u << 20), 1 << 20);
	gzclose(file);
	small.ratio = 100;
	assert_failed(source_open_local(text, world->path, &small, &source, &err), err, -EFBIG);
	small.ratio = 0;
	small.image_bytes = 1u << 20;
	assert_failed(source_open_local(text, world->path, &small, &source, &err), err, -EFBIG);
}

static void test_oci(void **state)
{
	const struct world *world = *state;
	_cleanup_source_ struct source *source = NULL;
	_cleanup_raw_document_ struct raw_document document = {.text = NULL};
	_cleanup_buf_ struct buf tar = BUF_EMPTY;
	_cleanup_free_ char *hex = sha256("hello");
	_cleanup_free_ char *blob = xasprintf("blobs/sha256/%s", hex);
	_cleanup_free_ char *index = xasprintf(
		"{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":"
		"\"application/vnd.oci.image.manifest.v1+json\",\"digest\":\"sha256:%s\",\"size\":"
		"5}]}",
		hex);
	struct descriptor layer = {.media_type = "", .size = 5};
	struct error err = ERROR_NONE;

	/* The last of a name counts, as with tar(1). */
	add_entry(&tar, "index.json", '0', "{}");
	add_entry(&tar, "oci-layout", '0', "{\"imageLayoutVersion\":\"1.0.0\"}");
	add_entry(&tar, "blobs/", '5', "");
	add_entry(&tar, "elsewhere", '0', "hello");
	add_entry(&tar, blob, '1', "elsewhere");
	add_entry(&tar, "index.json", '0', index);
	put_tar(world, "image.tar", &tar);
	assert_fine(open_source(world, "oci-archive", "", &source, &err), err);
	assert_fine(source->document(source, NULL, 100, &document, &err), err);
	assert_string_equal(document.text, "hello");
	digest_of(DIGEST_SHA256, "hello", 5, &layer.digest);
	assert_layer(source, &layer, "hello");
}

static void put_manifest(const struct world *world, const char *manifest)
{
	_cleanup_buf_ struct buf tar = BUF_EMPTY;
	_cleanup_free_ char *config = config_of("1", "2");

	add_entry(&tar, "c", '0', config);
	add_entry(&tar, "1", '0', "1");
	add_entry(&tar, "loop", '2', "loop2");
	add_entry(&tar, "loop2", '2', "loop");
	add_entry(&tar, "dangling", '2', "nowhere");
	add_entry(&tar, "out", '2', "../../../../../../../../etc/hostname");
	add_entry(&tar, "absolute", '2', "/etc/hostname");
	add_entry(&tar, "fifo", '6', "");
	if (manifest)
		add_entry(&tar, "manifest.json", '0', manifest);
	put_tar(world, "image.tar", &tar);
}

static void test_refused(void **state)
{
	static const struct {
		const char *manifest, *says;
	} cases[] = {
		{NULL, "before 1.10: there is no \"manifest.json\""},
		{"{}", "manifest.json: found an object, must be an array"},
		{"[]", "there is no image in it"},
		{"[7]", "manifest.json: found a number, must be an object"},
		{"[{\"Config\":7}]", "manifest.json: Config: found a number"},
		{"[{\"Config\":\"c\",\"config\":\"1\"}]", "\"config\" differs from \"Config\""},
		{"[{\"Config\":\"c\",\"Layers\":{}}]", "Layers: found an object"},
		{"[{\"Config\":\"c\",\"Layers\":[\"1\"]}]", "names 1 layer, the configuration 2"},
		{"[{\"Config\":\"c\",\"Layers\":null}]", "names 0 layers, the configuration 2"},
		{"[{\"Layers\":[]}]", "there is no \"\""},
		{"[{\"Config\":\"1\",\"Layers\":[]}]", "image configuration: "},
		{"[{\"Config\":\"none\",\"Layers\":[]}]", "there is no \"none\""},
		{"[{\"Config\":\"../../../etc/hostname\",\"Layers\":[]}]", "there is no \"../"},
		{"[{\"Config\":\"/etc/hostname\",\"Layers\":[]}]", "there is no \"/etc/"},
		{"[{\"Config\":\"out\",\"Layers\":[]}]", "there is no \"out\""},
		{"[{\"Config\":\"absolute\",\"Layers\":[]}]", "there is no \"absolute\""},
		{"[{\"Config\":\"dangling\",\"Layers\":[]}]", "there is no \"dangling\""},
		{"[{\"Config\":\"fifo\",\"Layers\":[]}]", "there is no \"fifo\""},
		{"[{\"Config\":\"loop\",\"Layers\":[]}]", "there is no \"loop\""},
		{"[{\"Config\":\"c\",\"Layers\":[\"1\",\"loop\"]}]", "there is no \"loop\""},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		put_manifest(*state, cases[i].manifest);
		check_refused(*state, "docker-archive", "", cases[i].says);
	}
}

/* What docker-archive's manifest has no word for: other digests than those in it. */
static void test_strangers(void **state)
{
	const struct world *world = *state;
	_cleanup_source_ struct source *source = NULL;
	_cleanup_raw_document_ struct raw_document document = {.text = NULL};
	_cleanup_reader_ struct reader *reader = NULL;
	struct descriptor other = {.media_type = "", .size = 5};
	struct error err = ERROR_NONE;

	put_manifest(world, "[{\"Config\":\"c\",\"Layers\":[\"1\",\"1\"]}]");
	digest_of(DIGEST_SHA256, "other", 5, &other.digest);
	assert_fine(open_source(world, "docker-archive", "", &source, &err), err);
	assert_failed(source->document(source, &other, 100, &document, &err), err, -ENOENT);
	assert_failed(source->document(source, NULL, 10, &document, &err), err, -EFBIG);
	assert_failed(source->config(source, &other, 100, &document, &err), err, -EFBIG);
	assert_failed(source->config(source, &other, 1000, &document, &err), err, -EINVAL);
	assert_failed(source->open(source, &other, &reader, &err), err, -ENOENT);
}

static void test_no_archive(void **state)
{
	const struct world *world = *state;

	check_refused(world, "docker-archive", "", "open ");
	put_directory(world, "image.tar");
	check_refused(world, "docker-archive", "", "is no regular file");
	assert_int_equal(unlinkat(world->fd, "image.tar", AT_REMOVEDIR), 0);
	assert_int_equal(mkfifoat(world->fd, "image.tar", 0600), 0);
	check_refused(world, "docker-archive", "", "is no regular file");
	assert_int_equal(unlinkat(world->fd, "image.tar", 0), 0);
	put_file(world, "image.tar",
		 "\xfd"
		 "7zXZ");
	check_refused(world, "oci-archive", "",
		      "is compressed with xz; only gzip and zstd are read");
	put_file(world, "image.tar", "BZh91AY");
	check_refused(world, "docker-archive", "", "is compressed with bzip2");
	put_file(world, "image.tar", "this is no archive at all");
	check_refused(world, "docker-archive", "", "image.tar\": ");
	put_file(world, "image.tar", "");
	check_refused(world, "docker-archive", "", "image.tar\"");
}

/* Content that nobody asks for is passed over, and must be there nevertheless. */
static void test_cut(void **state)
{
	const struct world *world = *state;
	_cleanup_free_ char *path = xasprintf("%s/image.tar", world->path);
	_cleanup_free_ char *large = xcalloc(1000001, 1);
	_cleanup_buf_ struct buf tar = BUF_EMPTY;

	memset(large, 'x', 1000000);
	add_entry(&tar, "manifest.json", '0', "[]");
	add_entry(&tar, "large", '0', large);
	put_tar(world, "image.tar", &tar);
	check_refused(world, "docker-archive", "", "there is no image in it");
	assert_int_equal(truncate(path, 2 * 512 + 512 + 1000000), 0);
	check_refused(world, "docker-archive", "", "there is no image in it");
	assert_int_equal(truncate(path, 2 * 512 + 512 + 1000000 - 1), 0);
	check_refused(world, "docker-archive", "", "is cut off");
	assert_int_equal(truncate(path, 2 * 512 + 512 + 1000), 0);
	check_refused(world, "docker-archive", "", "is cut off");
}

static void test_schemes(void **state)
{
	static const char *const wrong[] = {"", "oci", "dir:/tmp", "/tmp", "OCI:/tmp", "alpine"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		_cleanup_source_ struct source *source = NULL;
		struct error err = ERROR_NONE;

		assert_failed(source_open_local(wrong[i], "/tmp", &limits, &source, &err), err,
			      -EINVAL);
		assert_contains(err.text, "must be oci:DIR, oci-archive:FILE or docker-archive");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(test_old_docker), world_test(test_several_images),
		world_test(test_compressed), world_test(test_bomb),
		world_test(test_oci),	     world_test(test_refused),
		world_test(test_strangers),  world_test(test_no_archive),
		world_test(test_cut),	     world_test(test_schemes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
