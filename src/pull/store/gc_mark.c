/* SPDX-License-Identifier: Apache-2.0 */
/* What images and bundles need. */
#include "gc.h"
#include "store-internal.h"
#include "stored_image.h"

struct marking {
	const struct store *store;
	const struct strv *forget;
	struct strv forgotten;
	struct gc_marks *marks;
};

static int mark_image(void *context, const char *name, struct error *err)
{
	const struct marking *marking = context;
	_cleanup_arena_ struct arena *arena = arena_new();
	struct gc_marks *marks = marking->marks;
	struct store_image record;
	struct stored_image image;
	int r = image_record_read(marking->store, arena, name, &record, err);

	if (r >= 0)
		r = stored_image_load(arena, marking->store, &record, &image, err);
	if (r < 0)
		return within(err, r,
			      "%s: what it needs is not known (see berth-pull fsck --repair)",
			      name);
	digest_set_add(&marks->blobs, &record.top);
	digest_set_add(&marks->blobs, &record.manifest);
	digest_set_add(&marks->blobs, &image.manifest.config.digest);
	for (size_t i = 0; i < image.config.diff_id_count; i++)
		digest_set_add(&marks->layers, &image.config.diff_ids[i]);
	return 0;
}

static bool is_listed(const struct strv *list, const char *text)
{
	for (size_t i = 0; i < list->count; i++) {
		if (str_equal(list->items[i], text))
			return true;
	}
	return false;
}

static int mark_bundle(void *context, const char *name, struct error *err)
{
	struct marking *marking = context;
	_cleanup_arena_ struct arena *arena = arena_new();
	struct bundle_record record;
	enum bundle_presence presence;
	int r = bundle_record_read(marking->store, arena, name, &record, err);

	if (r < 0)
		return within(err, r, "what it needs is not known (see berth-pull fsck --repair)");
	presence = bundle_presence(marking->store, &record);
	if (presence == BUNDLE_UNKNOWN && is_listed(marking->forget, record.path)) {
		strv_add(&marking->forgotten, record.path);
		presence = BUNDLE_GONE;
	}
	if (presence == BUNDLE_GONE) {
		strv_add(&marking->marks->gone, name);
		return 0;
	}
	if (presence == BUNDLE_UNKNOWN)
		strv_add(&marking->marks->unknown, record.path);
	for (size_t i = 0; i < record.count; i++)
		digest_set_add(&marking->marks->layers, &record.layers[i]);
	return 0;
}

static int check_forgotten(const struct marking *marking, struct error *err)
{
	for (size_t i = 0; i < marking->forget->count; i++) {
		if (!is_listed(&marking->forgotten, marking->forget->items[i]))
			return refuse(err,
				      "--forget \"%s\": there is no bundle of that path whose "
				      "file system is not there",
				      marking->forget->items[i]);
	}
	return 0;
}

int gc_mark(const struct store *store, const struct strv *forget, struct gc_marks *ret,
	    struct error *err)
{
	struct marking marking = {.store = store, .forget = forget, .marks = ret};
	int r = store_each(store, "images", mark_image, &marking, err);

	if (r >= 0)
		r = store_each(store, "bundles", mark_bundle, &marking, err);
	if (r >= 0)
		r = check_forgotten(&marking, err);
	strv_done(&marking.forgotten);
	return r;
}

void gc_marks_done(struct gc_marks *marks)
{
	digest_set_done(&marks->layers);
	digest_set_done(&marks->blobs);
	strv_done(&marks->gone);
	strv_done(&marks->unknown);
}
