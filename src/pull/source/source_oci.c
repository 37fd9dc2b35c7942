/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OCI image layouts (image-spec image-layout.md) as sources: directories, and archives of them.
 */
#include <stdio.h>

#include "berth/base/fd.h"
#include "berth/base/str.h"

#include "common/fields.h"
#include "image/platform.h"

#include "local_source.h"

#define ANNOTATION_REF	      "org.opencontainers.image.ref.name"
#define ANNOTATION_CONTAINERD "io.containerd.image.name" /* docker save, ctr export */

#define LAYOUT_SIZE_MAX 4096 /* bytes of the file oci-layout */

struct oci_source {
	struct local_source local;
	struct descriptor chosen;
};

static void oci_free(struct source *self)
{
	struct oci_source *source = (struct oci_source *)self;

	local_source_done(&source->local);
	free(source);
}

static void cleanup_oci(struct oci_source **variable)
{
	if (*variable)
		oci_free(&(*variable)->local.source);
}

/* "blobs/", the algorithm and the digits, all of them checked. */
#define BLOB_PATH_MAX (6 + DIGEST_TEXT_MAX)

static const char *blob_path(const struct digest *digest, char ret[BLOB_PATH_MAX])
{
	snprintf(ret, BLOB_PATH_MAX, "blobs/%s/%s", digest_algorithm_name(digest->algorithm),
		 digest->hex);
	return ret;
}

static int oci_document(struct source *self, const struct descriptor *want, uint64_t max,
			struct raw_document *ret, struct error *err)
{
	const struct oci_source *source = (const struct oci_source *)self;
	char path[BLOB_PATH_MAX];

	if (!want)
		want = &source->chosen;
	return local_blob_read(source->local.files, blob_path(&want->digest, path), want, max, ret,
			       err);
}

static int oci_head(struct source *self, struct digest *ret, struct error *err)
{
	(void)err;
	*ret = ((const struct oci_source *)self)->chosen.digest;
	return 0;
}

static int oci_open(struct source *self, const struct descriptor *layer, struct reader **ret,
		    struct error *err)
{
	const struct oci_source *source = (const struct oci_source *)self;
	char path[BLOB_PATH_MAX];

	return local_blob_open(source->local.files, blob_path(&layer->digest, path), layer, ret,
			       err);
}

static int check_layout(const struct local_files *files, struct error *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_free_ char *text = NULL;
	const struct json *object, *version;
	size_t size = 0;
	int r = local_file_read(files, "oci-layout", LAYOUT_SIZE_MAX, &text, &size, err);

	if (r < 0)
		return within(err, r, "no OCI image layout");
	r = fields_read(arena, text, size, "oci-layout", &object, err);
	if (r < 0)
		return r;
	version = json_member(object, "imageLayoutVersion");
	if (!version || version->type != JSON_STRING || !str_starts(version->text, "1."))
		return refuse(err, "oci-layout: imageLayoutVersion must be 1.0.0");
	return 0;
}

static const char *annotation(const struct descriptor *entry, const char *name)
{
	const struct json *value =
		entry->annotations ? json_member(entry->annotations, name) : NULL;

	return value && value->type == JSON_STRING ? value->text : NULL;
}

static bool is_wanted(const struct descriptor *entry, const struct local_wish *wish)
{
	const char *ref = annotation(entry, ANNOTATION_REF);
	const char *full = annotation(entry, ANNOTATION_CONTAINERD);

	if (entry->is_artifact)
		return false;
	if (wish->digest)
		return digest_equal(&entry->digest, wish->digest);
	if (!wish->ref)
		return true;
	return (ref && str_equal(ref, wish->ref)) || (full && local_ref_equal(full, wish->ref));
}

/* What there is to choose from, with the name that chooses it. */
static void list_images(struct arena *arena, const struct image_index *index,
			struct local_list *list)
{
	for (size_t i = 0; i < index->count; i++) {
		const struct descriptor *entry = &index->manifests[i];
		const char *ref = annotation(entry, ANNOTATION_REF);
		char digest[DIGEST_TEXT_MAX];

		if (entry->is_artifact)
			continue;
		if (!ref)
			ref = annotation(entry, ANNOTATION_CONTAINERD);
		ref = ref ? arena_printf(arena, ":%s", ref)
			  : arena_printf(arena, "@%s", digest_text(&entry->digest, digest));
		if (entry->has_platform)
			ref = arena_printf(arena, "%s (%s)", ref,
					   platform_text(arena, &entry->platform));
		local_list_add(list, ref);
	}
}

static int refuse_choice(struct arena *arena, const struct image_index *index,
			 const struct local_wish *wish, size_t found, struct error *err)
{
	_cleanup_local_list_ struct local_list list = {.count = 0};

	list_images(arena, index, &list);
	if (list.count == 0)
		return refuse(err, "there is no image in it%s",
			      index->count > 0 ? ", only artifacts and attestations" : "");
	if (found > 1)
		return refuse(err, "there are several images in it, choose one: %s",
			      list.text.data);
	return refuse(err, "there is no image \"%s\" in it, but: %s",
		      wish->ref ? wish->ref : wish->digest->hex, list.text.data);
}

/* A blob that index.json does not name, but the user does. */
static int choose_blob(const struct oci_source *source, const struct digest *digest,
		       struct descriptor *ret, struct error *err)
{
	char path[BLOB_PATH_MAX];
	struct local_file file;
	int r = source->local.files->open(source->local.files, blob_path(digest, path), &file, err);

	if (r < 0)
		return r;
	fd_close(file.fd);
	*ret = (struct descriptor){
		.media_type = "",
		.digest = *digest,
		.size = file.size,
		.platform = {"", "", ""},
	};
	return 0;
}

static int choose(struct oci_source *source, const struct image_index *index,
		  const struct local_wish *wish, struct error *err)
{
	const struct descriptor *chosen = NULL;
	size_t found = 0;

	for (size_t i = 0; i < index->count; i++) {
		const struct descriptor *entry = &index->manifests[i];

		if (!is_wanted(entry, wish))
			continue;
		if (!chosen || !digest_equal(&chosen->digest, &entry->digest))
			found++;
		chosen = entry;
	}
	if (found == 0 && wish->digest)
		return choose_blob(source, wish->digest, &source->chosen, err);
	if (found != 1)
		return refuse_choice(source->local.arena, index, wish, found, err);
	source->chosen = *chosen;
	return 0;
}

static int read_index(struct oci_source *source, const struct local_wish *wish,
		      const struct limits *limits, struct error *err)
{
	_cleanup_free_ char *text = NULL;
	struct document document;
	size_t size = 0;
	int r = check_layout(source->local.files, err);

	if (r >= 0)
		r = local_file_read(source->local.files, "index.json", limits->manifest_bytes,
				    &text, &size, err);
	if (r < 0)
		return r == -EFBIG ? within(err, r, "--max-manifest-size") : r;
	r = document_read(source->local.arena, text, size, NULL, &document, err);
	if (r >= 0 && document.kind != DOCUMENT_INDEX)
		r = refuse(err, "it is a manifest, and must be an index");
	if (r < 0)
		return within(err, r, "index.json");
	return choose(source, &document.index, wish, err);
}

static const struct source calls = {
	.document = oci_document,
	.head = oci_head,
	.config = oci_document,
	.open = oci_open,
	.free = oci_free,
};

int source_open_oci(struct local_files *files, const char *name, const struct local_wish *wish,
		    const struct limits *limits, struct source **ret, struct error *err)
{
	__attribute__((cleanup(cleanup_oci))) struct oci_source *source =
		xcalloc(1, sizeof(*source));
	int r;

	local_source_init(&source->local, &calls, files, name);
	r = read_index(source, wish, limits, err);
	if (r < 0)
		return r;
	*ret = &take_ptr(&source)->local.source;
	return 0;
}
