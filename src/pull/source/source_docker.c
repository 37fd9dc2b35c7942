/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Archives of `docker save` as sources, old ones and new ones.
 *
 * Theory of operation. manifest.json in the archive names for each image the file of its
 * configuration and those of its layers, without digests. A manifest is made of that, as a registry
 * would have it: a layer that lies there as a plain tar archive has its diff id as the digest (so
 * whoever checks the one has checked the other), one that is compressed is read once for its own.
 * Names of files are looked up in the archive, never on the host.
 */
#include <errno.h>
#include <stdio.h>

#include "berth/base/json_write.h"
#include "berth/base/str.h"

#include "common/fields.h"
#include "image/media_type.h"

#include "local_source.h"

#define MANIFEST "manifest.json"

struct docker_layer {
	const char *path;
	struct descriptor descriptor;
};

struct docker_source {
	struct local_source local;
	const char *config_path;
	struct descriptor config;
	struct docker_layer *layers;
	size_t layer_count;
	struct buf manifest; /* as text */
	struct digest digest;
};

static void docker_free(struct source *self)
{
	struct docker_source *source = (struct docker_source *)self;

	local_source_done(&source->local);
	buf_done(&source->manifest);
	free(source);
}

static void cleanup_docker(struct docker_source **variable)
{
	if (*variable)
		docker_free(&(*variable)->local.source);
}

static int docker_document(struct source *self, const struct descriptor *want, uint64_t max,
			   struct raw_document *ret, struct error *err)
{
	const struct docker_source *source = (const struct docker_source *)self;

	if (want && !digest_equal(&want->digest, &source->digest))
		return refuse_as(err, -ENOENT, "there is no manifest sha256:%s in it",
				 want->digest.hex);
	if (source->manifest.size > max)
		return refuse_as(err, -EFBIG, "its manifest is of %zu bytes, at most %ju are read",
				 source->manifest.size, (uintmax_t)max);
	ret->text = xstrndup(source->manifest.data, source->manifest.size);
	ret->size = source->manifest.size;
	ret->content_type = xstrdup(MEDIA_TYPE_DOCKER_MANIFEST);
	ret->digest = source->digest;
	return 0;
}

static int docker_head(struct source *self, struct digest *ret, struct error *err)
{
	(void)err;
	*ret = ((const struct docker_source *)self)->digest;
	return 0;
}

static int docker_config(struct source *self, const struct descriptor *want, uint64_t max,
			 struct raw_document *ret, struct error *err)
{
	const struct docker_source *source = (const struct docker_source *)self;

	return local_blob_read(source->local.files, source->config_path, want, max, ret, err);
}

static int docker_open(struct source *self, const struct descriptor *layer, struct reader **ret,
		       struct error *err)
{
	const struct docker_source *source = (const struct docker_source *)self;

	for (size_t i = 0; i < source->layer_count; i++) {
		const struct docker_layer *have = &source->layers[i];

		if (digest_equal(&have->descriptor.digest, &layer->digest))
			return local_blob_open(source->local.files, have->path, layer, ret, err);
	}
	return refuse_as(err, -ENOENT, "there is no layer %s:%s in it",
			 digest_algorithm_name(layer->digest.algorithm), layer->digest.hex);
}

/* The digest of a whole file of the archive. */
static int hash_file(const struct local_files *files, const char *path, struct digest *ret,
		     uint64_t *ret_size, struct error *err)
{
	_cleanup_reader_ struct reader *reader = NULL;
	_cleanup_hasher_ struct hasher *hasher = hasher_new(DIGEST_SHA256);
	const void *data = NULL;
	size_t size = 0;
	int r = local_file_reader(files, path, &reader, ret_size, err);

	if (r < 0)
		return r;
	while ((r = reader_read(reader, &data, &size, err)) > 0)
		hasher_add(hasher, data, size);
	if (r < 0)
		return r;
	hasher_finish(hasher, ret);
	return 0;
}

/* 1 if the layer is compressed. */
static int is_compressed(const struct local_files *files, const char *path, uint64_t *ret_size,
			 struct error *err)
{
	_cleanup_reader_ struct reader *reader = NULL;
	const void *data = NULL;
	size_t size = 0;
	int r = local_file_reader(files, path, &reader, ret_size, err);

	if (r < 0)
		return r;
	r = reader_read(reader, &data, &size, err);
	return r <= 0 ? r : compression_of(data, size) != COMPRESSION_NONE;
}

static int add_layer(struct docker_source *source, const char *path, const struct digest *diff_id,
		     struct error *err)
{
	struct docker_layer *layer = &source->layers[source->layer_count];
	struct descriptor *descriptor = &layer->descriptor;
	int r;

	*layer = (struct docker_layer){
		.path = path,
		.descriptor = {.media_type = MEDIA_TYPE_DOCKER_LAYER, .digest = *diff_id},
	};
	r = is_compressed(source->local.files, path, &descriptor->size, err);
	if (r > 0)
		r = hash_file(source->local.files, path, &descriptor->digest, &descriptor->size,
			      err);
	if (r >= 0)
		source->layer_count++;
	return r;
}

static void write_descriptor(struct json_writer *w, const struct descriptor *descriptor)
{
	char digest[DIGEST_TEXT_MAX];

	json_begin_object(w);
	json_member_string(w, "mediaType", descriptor->media_type);
	json_member_u64(w, "size", descriptor->size);
	json_member_string(w, "digest", digest_text(&descriptor->digest, digest));
	json_end_object(w);
}

/* The manifest that a registry would have. */
static void write_manifest(struct docker_source *source)
{
	struct json_writer w = JSON_WRITER(&source->manifest, false);

	json_begin_object(&w);
	json_member_u64(&w, "schemaVersion", 2);
	json_member_string(&w, "mediaType", MEDIA_TYPE_DOCKER_MANIFEST);
	json_key(&w, "config");
	write_descriptor(&w, &source->config);
	json_key(&w, "layers");
	json_begin_array(&w);
	for (size_t i = 0; i < source->layer_count; i++)
		write_descriptor(&w, &source->layers[i].descriptor);
	json_end_array(&w);
	json_end_object(&w);
	digest_of(DIGEST_SHA256, source->manifest.data, source->manifest.size, &source->digest);
}

static int read_config(struct docker_source *source, const struct limits *limits,
		       struct image_config *ret, struct error *err)
{
	_cleanup_free_ char *text = NULL;
	size_t size = 0;
	int r = local_file_read(source->local.files, source->config_path, limits->config_bytes,
				&text, &size, err);

	if (r < 0)
		return r == -EFBIG ? within(err, r, "--max-config-size") : r;
	source->config = (struct descriptor){.media_type = MEDIA_TYPE_DOCKER_CONFIG, .size = size};
	digest_of(DIGEST_SHA256, text, size, &source->config.digest);
	return image_config_read(source->local.arena, text, size, ret, err);
}

static int read_image(struct docker_source *source, const struct json *image,
		      const struct limits *limits, struct error *err)
{
	const char *const *paths = NULL;
	struct image_config config = {.diff_id_count = 0};
	size_t count = 0;
	int r = field_text(image, "Config", &source->config_path, err);

	if (r >= 0)
		r = field_texts(source->local.arena, image, "Layers", &paths, err);
	if (r < 0)
		return within(err, r, MANIFEST);
	r = read_config(source, limits, &config, err);
	if (r < 0)
		return r;
	while (paths && paths[count])
		count++;
	if (count != config.diff_id_count)
		return refuse(err, MANIFEST " names %zu layer%s, the configuration %zu diff id%s",
			      count, plural_s(count), config.diff_id_count,
			      plural_s(config.diff_id_count));
	source->layers = arena_alloc(source->local.arena, count, sizeof(*source->layers));
	for (size_t i = 0; i < count; i++) {
		r = add_layer(source, paths[i], &config.diff_ids[i], err);
		if (r < 0)
			return r;
	}
	write_manifest(source);
	return 0;
}

static bool has_tag(const struct json *image, const char *ref)
{
	const struct json *tags = json_member(image, "RepoTags");

	if (!tags || tags->type != JSON_ARRAY)
		return false;
	for (const struct json *tag = tags->item; tag; tag = tag->next) {
		if (tag->type == JSON_STRING && local_ref_equal(tag->text, ref))
			return true;
	}
	return false;
}

static void list_tags(const struct json *image, struct local_list *list)
{
	const struct json *tags = json_member(image, "RepoTags");
	const struct json *tag = tags && tags->type == JSON_ARRAY ? tags->item : NULL;

	if (!tag)
		local_list_add(list, "one without a tag");
	for (; tag; tag = tag->next) {
		if (tag->type == JSON_STRING)
			local_list_add(list, tag->text);
	}
}

static int refuse_choice(const struct json *images, const char *ref, struct error *err)
{
	_cleanup_local_list_ struct local_list list = {.count = 0};

	for (const struct json *image = images->item; image; image = image->next)
		list_tags(image, &list);
	if (list.count == 0)
		return refuse(err, "there is no image in it");
	if (ref)
		return refuse(err, "there is no image \"%s\" in it, but: %s", ref, list.text.data);
	return refuse(err, "there are several images in it, choose one: %s", list.text.data);
}

static int choose(const struct json *images, const char *ref, const struct json **ret,
		  struct error *err)
{
	static const char *const names[] = {"Config", "RepoTags", "Layers", NULL};
	const struct json *chosen = NULL;

	for (const struct json *image = images->item; image; image = image->next) {
		int r = fields_check(image, names, err);

		if (r < 0)
			return within(err, r, MANIFEST);
		if (!chosen && (ref ? has_tag(image, ref) : images->count == 1))
			chosen = image;
	}
	if (!chosen)
		return refuse_choice(images, ref, err);
	*ret = chosen;
	return 0;
}

static int read_archive(struct docker_source *source, const char *ref, const struct limits *limits,
			struct error *err)
{
	_cleanup_free_ char *text = NULL;
	const struct json *images, *image = NULL;
	size_t size = 0;
	int r = local_file_read(source->local.files, MANIFEST, limits->manifest_bytes, &text, &size,
				err);

	if (r == -EFBIG)
		return within(err, r, "--max-manifest-size");
	if (r < 0)
		return within(err, r, "no archive of docker save, or one of Docker before 1.10");
	r = fields_read(source->local.arena, text, size, MANIFEST, &images, err);
	if (r < 0)
		return r;
	if (images->type != JSON_ARRAY)
		return refuse(err, MANIFEST ": found %s, must be an array",
			      json_type_name(images->type));
	r = choose(images, ref, &image, err);
	return r < 0 ? r : read_image(source, image, limits, err);
}

static const struct source calls = {
	.document = docker_document,
	.head = docker_head,
	.config = docker_config,
	.open = docker_open,
	.free = docker_free,
};

int source_open_docker(struct local_files *files, const char *name, const struct local_wish *wish,
		       const struct limits *limits, struct source **ret, struct error *err)
{
	__attribute__((cleanup(cleanup_docker))) struct docker_source *source =
		xcalloc(1, sizeof(*source));
	int r;

	local_source_init(&source->local, &calls, files, name);
	if (wish->digest)
		return refuse(err, "an archive of docker save has no digests to choose by");
	r = read_archive(source, wish->ref, limits, err);
	if (r < 0)
		return r;
	*ret = &take_ptr(&source)->local.source;
	return 0;
}
