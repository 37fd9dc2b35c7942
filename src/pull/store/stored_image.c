/* SPDX-License-Identifier: Apache-2.0 */
/* Stored images, read. */
#include "stored_image.h"

#include <errno.h>

#include "berth/base/json_read.h"
#include "berth/base/str.h"

/* Reads one stored document. The text stays in the arena, as all that is read from it. */
static int load_blob(struct arena *arena, const struct store *store, const struct digest *digest,
		     const char **ret_text, size_t *ret_size, struct error *err)
{
	_cleanup_free_ char *text = NULL;
	size_t size;
	int r = store_blob_read(store, digest, JSON_SIZE_MAX, &text, &size, err);

	if (r == -ENOENT)
		return refuse_as(err, r, "the store has no blob %s:%s (see berth-pull fsck)",
				 digest_algorithm_name(digest->algorithm), digest->hex);
	if (r < 0)
		return r;
	*ret_text = arena_strndup(arena, text, size);
	*ret_size = size;
	return 0;
}

int stored_image_check_counts(const struct stored_image *image, struct error *err)
{
	if (image->manifest.layer_count != image->config.diff_id_count)
		return refuse(err,
			      "the manifest has %zu layer%s, and the configuration %zu diff id%s",
			      image->manifest.layer_count, plural_s(image->manifest.layer_count),
			      image->config.diff_id_count, plural_s(image->config.diff_id_count));
	return 0;
}

int stored_image_load(struct arena *arena, const struct store *store,
		      const struct store_image *record, struct stored_image *ret, struct error *err)
{
	struct document document;
	const char *text = NULL;
	size_t size = 0;
	int r = load_blob(arena, store, &record->manifest, &text, &size, err);

	if (r >= 0)
		r = document_read(arena, text, size, NULL, &document, err);
	if (r >= 0 && document.kind != DOCUMENT_MANIFEST)
		r = refuse(err, "the record names an index");
	if (r >= 0)
		r = load_blob(arena, store, &document.manifest.config.digest, &text, &size, err);
	if (r >= 0)
		r = image_config_read(arena, text, size, &ret->config, err);
	if (r < 0)
		return within(err, r, "stored image \"%s\"", record->name);
	ret->record = *record;
	ret->manifest = document.manifest;
	r = stored_image_check_counts(ret, err);
	return r < 0 ? within(err, r, "stored image \"%s\"", record->name) : 0;
}
