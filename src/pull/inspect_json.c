/* SPDX-License-Identifier: Apache-2.0 */
/* An image, for programs. */
#include "berth/base/json_write.h"

#include "command.h"
#include "inspect.h"

struct json_inspect {
	struct inspect_writer writer; /* first */
	struct json_writer json;
};

static struct json_writer *json_of(struct inspect_writer *self)
{
	return &((struct json_inspect *)self)->json;
}

/* A document of the image, as it stands in the store. */
static int write_document(const struct inspection *inspection, struct json_writer *w,
			  const char *key, const struct digest *digest, struct error *err)
{
	_cleanup_free_ char *text = NULL;
	const struct json *document;
	size_t size;
	int r = store_blob_read(inspection->store, digest, JSON_SIZE_MAX, &text, &size, err);

	if (r == -ENOENT)
		return fail(err, r, "read the %s", key);
	if (r >= 0)
		r = json_read(inspection->arena, text, size, key, &document, err);
	if (r < 0)
		return r;
	json_key(w, key);
	json_value(w, document);
	return 0;
}

static int write_head(const struct inspection *inspection, struct json_writer *w, struct error *err)
{
	const struct stored_image *image = &inspection->image;
	char digest[DIGEST_TEXT_MAX];
	int r;

	json_member_string(w, "name", image->record.name);
	json_member_string(w, "digest", digest_text(&image->record.manifest, digest));
	json_member_string(w, "top", digest_text(&image->record.top, digest));
	json_member_string(w, "mediaType", image->record.media_type);
	json_member_string(w, "platform", image->record.platform);
	json_member_string(w, "pulled", image->record.pulled);
	json_member_u64(w, "size", image->record.size);
	r = write_document(inspection, w, "manifest", &image->record.manifest, err);
	return r < 0 ? r
		     : write_document(inspection, w, "config", &image->manifest.config.digest, err);
}

static int begin_layer(struct inspect_writer *self, size_t layer, struct error *err)
{
	const struct inspection *inspection = self->inspection;
	const struct descriptor *packed = &inspection->image.manifest.layers[layer];
	struct json_writer *w = json_of(self);
	char digest[DIGEST_TEXT_MAX];

	(void)err;
	json_begin_object(w);
	json_member_string(w, "diffId",
			   digest_text(&inspection->image.config.diff_ids[layer], digest));
	json_member_string(w, "digest", digest_text(&packed->digest, digest));
	json_member_string(w, "mediaType", packed->media_type);
	json_member_u64(w, "size", packed->size);
	json_member_string(w, "createdBy", inspect_created_by(inspection, layer));
	if (inspection->files) {
		json_key(w, "files");
		json_begin_array(w);
	}
	return 0;
}

static int write_change(struct inspect_writer *self, enum change change, const char *path,
			struct error *err)
{
	struct json_writer *w = json_of(self);
	_cleanup_free_ char *full = xasprintf("/%s", path);

	(void)err;
	json_begin_object(w);
	json_member_string(w, "path", full);
	json_member_string(w, "change", change_names[change]);
	json_end_object(w);
	return 0;
}

static int end_layer(struct inspect_writer *self, size_t layer, const struct changes *changes,
		     struct error *err)
{
	struct json_writer *w = json_of(self);

	(void)layer;
	(void)err;
	if (self->inspection->files)
		json_end_array(w);
	for (int i = 0; i < CHANGE_MAX; i++) {
		json_key(w, change_names[i]);
		json_begin_object(w);
		json_member_u64(w, "count", changes->count[i]);
		json_member_u64(w, "bytes", changes->bytes[i]);
		json_end_object(w);
	}
	json_end_object(w);
	return 0;
}

int inspect_json(const struct inspection *inspection, struct error *err)
{
	struct json_inspect inspect = {.writer = {.inspection = inspection,
						  .begin = begin_layer,
						  .change = write_change,
						  .end = end_layer}};
	struct json_writer *w = &inspect.json;
	int r;

	*w = (struct json_writer)JSON_WRITER(&inspect.writer.out, true);
	json_begin_object(w);
	r = write_head(inspection, w, err);
	if (r >= 0) {
		json_key(w, "layers");
		json_begin_array(w);
		r = inspect_layers(&inspect.writer, err);
	}
	if (r >= 0) {
		json_end_array(w);
		json_end_object(w);
		buf_add_char(&inspect.writer.out, '\n');
		r = print_out(inspect.writer.out.data, err);
	}
	buf_done(&inspect.writer.out);
	return r;
}
