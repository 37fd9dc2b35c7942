/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pulling an image.
 *
 * The order is that of trust: the name gives a digest, the digest the manifest (through indexes,
 * where the image is there for several machines), the manifest the configuration and the layers,
 * the configuration what the layers must be unpacked. The record of the image is written last, so
 * that what has a record is whole.
 */
#include "pull.h"

#include <errno.h>

#include "berth/base/clock.h"
#include "berth/base/log.h"
#include "berth/base/str.h"

#include "image/platform.h"

#include "layers.h"

/* An index may name another index; no honest image goes deeper. */
#define INDEX_DEPTH_MAX 4

static bool has_all_layers(const struct store *store, const struct stored_image *image)
{
	for (size_t i = 0; i < image->config.diff_id_count; i++) {
		if (!store_has_layer(store, &image->config.diff_ids[i]))
			return false;
	}
	return true;
}

static int put_record(struct arena *arena, const struct pull_request *request,
		      struct stored_image *image, struct error *err)
{
	char stamp[CLOCK_STAMP_MAX];

	clock_stamp(stamp);
	image->record.name = arena_strdup(arena, request->source->name);
	image->record.platform = platform_text(arena, &image->config.platform);
	image->record.pulled = arena_strdup(arena, stamp);
	image->record.size = 0;
	for (size_t i = 0; i < image->manifest.layer_count; i++)
		image->record.size += image->manifest.layers[i].size;
	return store_image_put(request->store, &image->record, err);
}

/* Whether the record is what the digest stands for, and runs on the machine that is wished. */
static bool is_wanted(const struct pull_request *request, const struct digest *digest,
		      const struct stored_image *image)
{
	return (digest_equal(&image->record.top, digest) ||
		digest_equal(&image->record.manifest, digest)) &&
	       platform_fits(&image->config.platform, request->platform) &&
	       has_all_layers(request->store, image);
}

/*
 * The image that a digest names, which may have been pulled by another name: then the record of
 * this one is written.
 */
static int find_by_digest(struct arena *arena, const struct pull_request *request,
			  struct stored_image *ret, struct error *err)
{
	struct error ignored = ERROR_NONE;
	char digest[DIGEST_TEXT_MAX];
	const char *const names[] = {request->source->name, digest_text(request->digest, digest)};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (store_image_find(request->store, arena, names[i], &ret->record, &ignored) < 0 ||
		    stored_image_load(arena, request->store, &ret->record, ret, &ignored) < 0 ||
		    !is_wanted(request, request->digest, ret))
			continue;
		if (i > 0) {
			int r = put_record(arena, request, ret, err);

			if (r < 0)
				return r;
		}
		return 1;
	}
	return 0;
}

/*
 * Whether the store has the image that the name stands for now: 1 if so. By digest without a
 * request, by tag with one that has no body. Whatever is wrong with the record is a reason to
 * pull.
 */
static int find_stored(struct arena *arena, const struct pull_request *request,
		       struct stored_image *ret, struct error *err)
{
	struct error ignored = ERROR_NONE;
	struct digest digest;
	int r;

	if (request->digest)
		return find_by_digest(arena, request, ret, err);
	r = store_image_find(request->store, arena, request->source->name, &ret->record, &ignored);
	if (r < 0 || stored_image_load(arena, request->store, &ret->record, ret, &ignored) < 0)
		return 0;
	r = request->source->head(request->source, &digest, err);
	if (r == -EOPNOTSUPP)
		return 0;
	return r < 0 ? r : is_wanted(request, &digest, ret);
}

static int choose(struct arena *arena, const struct pull_request *request,
		  const struct image_index *index, const struct descriptor **ret, struct error *err)
{
	const char *offered = NULL;

	*ret = platform_choose(arena, index, request->platform, &offered);
	if (*ret)
		return 0;
	return refuse(err, "no image for %s; there is: %s", platform_text(arena, request->platform),
		      offered ? offered : "none");
}

/*
 * From what the name stands for, through indexes, to the manifest; all of them are kept in the
 * store.
 */
static int resolve(struct arena *arena, const struct pull_request *request,
		   struct stored_image *ret, struct error *err)
{
	const struct descriptor *want = NULL;

	for (int depth = 0; depth <= INDEX_DEPTH_MAX; depth++) {
		_cleanup_raw_document_ struct raw_document raw = {.text = NULL};
		struct document document;
		int r = request->source->document(request->source, want,
						  request->limits->manifest_bytes, &raw, err);

		if (r == -EFBIG && !strstr(err->text, "--max-manifest-size"))
			return within(err, r, "manifest (--max-manifest-size)");
		if (r >= 0)
			r = document_read(arena, raw.text, raw.size, raw.content_type, &document,
					  err);
		if (r >= 0)
			r = store_blob_write(request->store, &raw.digest, raw.text, raw.size, err);
		if (r < 0)
			return r;
		if (!want)
			ret->record.top = raw.digest;
		if (document.kind == DOCUMENT_MANIFEST) {
			ret->record.manifest = raw.digest;
			ret->record.media_type = document.media_type;
			ret->manifest = document.manifest;
			return 0;
		}
		r = choose(arena, request, &document.index, &want, err);
		if (r < 0)
			return r;
	}
	return refuse(err, "indexes within indexes, deeper than %d", INDEX_DEPTH_MAX);
}

static int check_platform(struct arena *arena, const struct pull_request *request,
			  const struct image_config *config, struct error *err)
{
	const char *have, *wish;

	if (platform_fits(&config->platform, request->platform))
		return 0;
	have = platform_text(arena, &config->platform);
	wish = platform_text(arena, request->platform);
	if (request->strict_platform)
		return refuse(err, "the image is for %s, not for %s", have, wish);
	log_warning("%s: the image is for %s, not for %s", request->source->name, have, wish);
	return 0;
}

static int read_config(struct arena *arena, const struct pull_request *request,
		       struct stored_image *ret, struct error *err)
{
	_cleanup_raw_document_ struct raw_document raw = {.text = NULL};
	int r = request->source->config(request->source, &ret->manifest.config,
					request->limits->config_bytes, &raw, err);

	if (r == -EFBIG && !strstr(err->text, "--max-config-size"))
		return within(err, r, "configuration (--max-config-size)");
	if (r >= 0)
		r = image_config_read(arena, raw.text, raw.size, &ret->config, err);
	if (r >= 0)
		r = stored_image_check_counts(ret, err);
	if (r >= 0)
		r = check_platform(arena, request, &ret->config, err);
	return r < 0 ? r
		     : store_blob_write(request->store, &ret->manifest.config.digest, raw.text,
					raw.size, err);
}

static int check_layers(const struct pull_request *request, const struct manifest *manifest,
			struct error *err)
{
	uint64_t max = request->limits->layers;

	if (max && manifest->layer_count > max)
		return refuse(err, "%zu layers are more than %llu (--max-layers)",
			      manifest->layer_count, (unsigned long long)max);
	for (size_t i = 0; i < manifest->layer_count; i++) {
		int r = layer_check_media_type(manifest->layers[i].media_type, err);

		if (r < 0)
			return within(err, r, "layer %zu", i + 1);
	}
	return 0;
}

static int fetch_layers(const struct pull_request *request, const struct stored_image *image,
			struct error *err)
{
	const struct layers_request layers = {
		.store = request->store,
		.source = request->source,
		.manifest = &image->manifest,
		.config = &image->config,
		.limits = request->limits,
		.parallel = request->parallel,
		.user_namespace = request->user_namespace,
		.style = request->style,
		.name = request->source->name,
		.cancelled = request->cancelled,
	};

	return layers_fetch(&layers, err);
}

static int pull_anew(struct arena *arena, const struct pull_request *request,
		     struct stored_image *ret, struct error *err)
{
	int r = resolve(arena, request, ret, err);

	if (r >= 0)
		r = check_layers(request, &ret->manifest, err);
	if (r >= 0)
		r = read_config(arena, request, ret, err);
	if (r >= 0)
		r = fetch_layers(request, ret, err);
	return r < 0 ? r : put_record(arena, request, ret, err);
}

int pull_image(struct arena *arena, const struct pull_request *request, struct stored_image *ret,
	       bool *ret_was_there, struct error *err)
{
	int r = find_stored(arena, request, ret, err);

	*ret_was_there = r > 0;
	if (r == 0) {
		*ret = (struct stored_image){.record = {.name = NULL}};
		r = pull_anew(arena, request, ret, err);
	}
	return r < 0 ? within(err, r, "pull \"%s\"", request->source->name) : 0;
}
