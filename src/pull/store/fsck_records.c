/* SPDX-License-Identifier: Apache-2.0 */
/* Images and bundles: whether their records can be read, and have all that they name. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "fsck-internal.h"
#include "stored_image.h"

/* The first layer of the list that is missing; NULL: none. */
static const struct digest *find_missing(const struct store *store, const struct digest *layers,
					 size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!layer_exists(store, &layers[i]))
			return &layers[i];
	}
	return NULL;
}

/* What a text says behind @name, which the finding has anyway. */
static const char *behind_name(const char *text, const char *name)
{
	size_t length = strlen(name);

	return str_starts(text, name) && str_starts(text + length, ": ") ? text + length + 2 : text;
}

/* What the image lacks is written to @what. */
static void check_needs(const struct store *store, struct arena *arena,
			const struct store_image *record, struct buf *what)
{
	struct error damage = ERROR_NONE;
	char name[STORE_NAME_MAX];
	const struct digest *missing;
	struct stored_image image;

	if (stored_image_load(arena, store, record, &image, &damage) < 0) {
		buf_add_string(what, damage.text);
		return;
	}
	if (faccessat(store->fd, store_name("blobs", &record->top, name), F_OK, 0) < 0)
		buf_printf(what, "\"%s\" lacks %s", record->name, name);
	missing = find_missing(store, image.config.diff_ids, image.config.diff_id_count);
	if (!what->size && missing)
		buf_printf(what, "\"%s\" lacks layer %s", record->name, missing->hex);
}

int fsck_image(void *context, const char *name, struct error *err)
{
	struct checking *checking = context;
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_buf_ struct buf what = BUF_EMPTY;
	struct error damage = ERROR_NONE;
	struct store_image record;

	(void)err;
	if (image_record_read(checking->store, arena, name, &record, &damage) < 0)
		buf_add_string(&what, behind_name(damage.text, name));
	else
		check_needs(checking->store, arena, &record, &what);
	if (what.size)
		fsck_damaged(checking, name, what.data);
	return 0;
}

int fsck_bundle(void *context, const char *name, struct error *err)
{
	struct checking *checking = context;
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_buf_ struct buf what = BUF_EMPTY;
	struct error damage = ERROR_NONE;
	struct bundle_record record;
	const struct digest *missing;

	(void)err;
	if (bundle_record_read(checking->store, arena, name, &record, &damage) < 0) {
		fsck_damaged(checking, name, behind_name(damage.text, name));
		return 0;
	}
	missing = find_missing(checking->store, record.layers, record.count);
	if (!missing || bundle_presence(checking->store, &record) != BUNDLE_THERE)
		return 0;
	/* Only a pull can help: the record says what is needed. */
	buf_printf(&what, "the bundle \"%s\" lacks layer %s: pull its image again", record.path,
		   missing->hex);
	fsck_report(checking, FSCK_DAMAGED, name, what.data);
	return 0;
}
