/* SPDX-License-Identifier: Apache-2.0 */
/* The images of the store: one small JSON document for each name. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "berth/base/fd.h"
#include "berth/base/json_write.h"
#include "berth/base/log.h"

#include "image/reference.h"

#include "store-internal.h"
#include "stored_image.h"

#define RECORD_MAX (64u << 10) /* bytes */

/* Least length of a digest's beginning that stands for an image. */
#define PREFIX_MIN 12

static void record_name(const char *image, char ret[static STORE_NAME_MAX])
{
	struct digest digest;

	digest_of(DIGEST_SHA256, image, strlen(image), &digest);
	snprintf(ret, STORE_NAME_MAX, "images/%s", digest.hex);
}

int store_image_put(const struct store *store, const struct store_image *image, struct error *err)
{
	_cleanup_buf_ struct buf text = BUF_EMPTY;
	struct json_writer w = JSON_WRITER(&text, false);
	char name[STORE_NAME_MAX], digest[DIGEST_TEXT_MAX];
	int r;

	json_begin_object(&w);
	json_member_string(&w, "name", image->name);
	json_member_string(&w, "mediaType", image->media_type);
	json_member_string(&w, "manifest", digest_text(&image->manifest, digest));
	json_member_string(&w, "top", digest_text(&image->top, digest));
	json_member_string(&w, "platform", image->platform);
	json_member_string(&w, "pulled", image->pulled);
	json_member_u64(&w, "size", image->size);
	json_end_object(&w);
	record_name(image->name, name);
	/* What the image names comes first. */
	r = store->sync ? store_sync(store, err) : 0;
	if (r < 0)
		return r;
	r = store_write_file(store, name, text.data, text.size);
	return r < 0 ? fail(err, r, "write \"%s/%s\"", store->path, name) : 0;
}

/* Reads the text @key, which must be there. */
static int get_text(const struct json *object, const char *key, const char **ret, struct error *err)
{
	const struct json *value = json_member(object, key);

	if (!value || value->type != JSON_STRING)
		return refuse(err, "there is no text \"%s\"", key);
	*ret = value->text;
	return 0;
}

static int get_digest(const struct json *object, const char *key, struct digest *ret,
		      struct error *err)
{
	const char *text = NULL;
	int r = get_text(object, key, &text, err);

	return r < 0 ? r : digest_parse(text, key, ret, err);
}

static int decode(const struct json *object, struct store_image *ret, struct error *err)
{
	const struct json *size = json_member(object, "size");
	int r = get_text(object, "name", &ret->name, err);

	if (r >= 0)
		r = get_text(object, "mediaType", &ret->media_type, err);
	if (r >= 0)
		r = get_digest(object, "manifest", &ret->manifest, err);
	if (r >= 0)
		r = get_digest(object, "top", &ret->top, err);
	if (r >= 0)
		r = get_text(object, "platform", &ret->platform, err);
	if (r >= 0)
		r = get_text(object, "pulled", &ret->pulled, err);
	if (r >= 0 && (!size || json_to_u64(size, &ret->size) < 0))
		return refuse(err, "there is no number \"size\"");
	return r;
}

int image_record_read(const struct store *store, struct arena *arena, const char *name,
		      struct store_image *ret, struct error *err)
{
	_cleanup_free_ char *text = NULL;
	const struct json *object;
	char expected[STORE_NAME_MAX];
	size_t size;
	int r = file_read_at(store->fd, name, RECORD_MAX, &text, &size, err);

	if (r < 0)
		return r;
	r = json_read(arena, text, size, name, &object, err);
	if (r < 0)
		return r;
	if (object->type != JSON_OBJECT)
		return refuse(err, "%s: not an object", name);
	r = decode(object, ret, err);
	if (r < 0)
		return within(err, r, "%s", name);
	record_name(ret->name, expected);
	if (!str_equal(expected, name))
		return refuse(err, "%s: holds the image \"%s\", which belongs elsewhere", name,
			      ret->name);
	return 0;
}

struct listing {
	const struct store *store;
	struct arena *arena;
	struct store_image *images; /* allocated */
	size_t count, room;
};

static int add_to_list(void *context, const char *name, struct error *err)
{
	struct listing *listing = context;
	struct store_image image;
	struct error damage = ERROR_NONE;

	(void)err;
	/* One that a power cut has spoilt must not stand in the way of the others. */
	if (image_record_read(listing->store, listing->arena, name, &image, &damage) < 0) {
		log_debug("passed over: %s", damage.text);
		return 0;
	}
	if (listing->count == listing->room) {
		listing->room = 2 * listing->room + 16;
		listing->images =
			xrealloc(listing->images, listing->room, sizeof(*listing->images));
	}
	listing->images[listing->count++] = image;
	return 0;
}

static int compare_names(const void *a, const void *b)
{
	const struct store_image *x = a, *y = b;

	return strcmp(x->name, y->name);
}

int store_image_list(const struct store *store, struct arena *arena, struct store_image **ret,
		     size_t *ret_count, struct error *err)
{
	struct listing listing = {.store = store, .arena = arena};
	int r = store_each(store, "images", add_to_list, &listing, err);

	if (r >= 0) {
		*ret = arena_alloc(arena, listing.count + 1, sizeof(**ret));
		if (listing.count)
			memcpy(*ret, listing.images, listing.count * sizeof(**ret));
		*ret_count = listing.count;
		qsort(*ret, listing.count, sizeof(**ret), compare_names);
	}
	free(listing.images);
	return r;
}

static int find_by_name(const struct store *store, struct arena *arena, const char *name,
			struct store_image *ret)
{
	struct error err = ERROR_NONE;
	char record[STORE_NAME_MAX];

	if (store->fd < 0)
		return -ENOENT;
	record_name(name, record);
	return image_record_read(store, arena, record, ret, &err);
}

/* @prefix: "sha256:" and hexadecimal digits, or the digits alone. */
static bool digest_begins(const struct digest *digest, const char *prefix)
{
	char text[DIGEST_TEXT_MAX];

	return str_starts(digest->hex, prefix) || str_starts(digest_text(digest, text), prefix);
}

static int find_by_digest(const struct store *store, struct arena *arena, const char *prefix,
			  struct store_image *ret, struct error *err)
{
	const char *hex = strchr(prefix, ':');
	const struct store_image *found = NULL;
	struct store_image *images;
	size_t count;
	int r;

	if (strlen(hex ? hex + 1 : prefix) < PREFIX_MIN)
		return -ENOENT;
	r = store_image_list(store, arena, &images, &count, err);
	for (size_t i = 0; r >= 0 && i < count; i++) {
		if (!digest_begins(&images[i].manifest, prefix))
			continue;
		if (found && !digest_equal(&found->manifest, &images[i].manifest))
			return refuse(err, "\"%s\" is the beginning of several images' digests",
				      prefix);
		found = &images[i];
	}
	if (r < 0)
		return r;
	if (!found)
		return -ENOENT;
	*ret = *found;
	return 0;
}

bool store_image_is(struct arena *arena, const struct store_image *image,
		    const struct reference *wanted)
{
	struct error ignored = ERROR_NONE;
	struct reference its;

	if (str_equal(image->name, wanted->name))
		return true;
	if (!wanted->has_digest || reference_parse(arena, image->name, &its, &ignored) < 0)
		return false;
	return str_equal(its.domain, wanted->domain) && str_equal(its.path, wanted->path) &&
	       (digest_equal(&image->manifest, &wanted->digest) ||
		digest_equal(&image->top, &wanted->digest));
}

/* Whatever the tags by which it was pulled. */
static int find_by_reference(const struct store *store, struct arena *arena,
			     const struct reference *wanted, struct store_image *ret,
			     struct error *err)
{
	struct store_image *images;
	size_t count;
	int r = store_image_list(store, arena, &images, &count, err);

	for (size_t i = 0; r >= 0 && i < count; i++) {
		if (!store_image_is(arena, &images[i], wanted))
			continue;
		*ret = images[i];
		return 0;
	}
	return r < 0 ? r : -ENOENT;
}

int store_image_find(const struct store *store, struct arena *arena, const char *name,
		     struct store_image *ret, struct error *err)
{
	struct error ignored = ERROR_NONE;
	struct reference reference;
	bool is_reference;
	int r = find_by_name(store, arena, name, ret);

	if (r >= 0)
		return 0;
	is_reference = reference_parse(arena, name, &reference, &ignored) >= 0;
	if (is_reference && find_by_name(store, arena, reference.name, ret) >= 0)
		return 0;
	r = is_reference && reference.has_digest
		    ? find_by_reference(store, arena, &reference, ret, err)
		    : -ENOENT;
	if (r == -ENOENT)
		r = find_by_digest(store, arena, name, ret, err);
	if (r == -ENOENT)
		return refuse_as(err, r, "there is no image \"%s\" in the store \"%s\"", name,
				 store->path);
	return r;
}

int store_image_remove(const struct store *store, const struct store_image *image,
		       struct error *err)
{
	char name[STORE_NAME_MAX];

	record_name(image->name, name);
	if (unlinkat(store->fd, name, 0) < 0)
		return fail(err, -errno, "remove the image \"%s\"", image->name);
	return 0;
}
