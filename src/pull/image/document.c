/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Indexes and manifests: which of the two a document is, and what it names.
 *
 * Theory of operation. One document must be one image for every reader of it. So its kind has to
 * be beyond doubt (the header, its own mediaType and its members agree; CVE-2021-41190), names are
 * unique also for readers that do not care about case, and nothing of it is guessed.
 */
#include <errno.h>

#include "berth/base/str.h"

#include "common/fields.h"

#include "descriptor.h"
#include "media_type.h"

const char image_accept[] = MEDIA_TYPE_OCI_INDEX
	", " MEDIA_TYPE_OCI_MANIFEST ", " MEDIA_TYPE_DOCKER_LIST ", " MEDIA_TYPE_DOCKER_MANIFEST;

static const char *const names[] = {
	"schemaVersion", "mediaType", "artifactType", "manifests", "config",
	"layers",	 "subject",   "annotations",  "fsLayers",  NULL,
};

/* Media types that servers give to any file. */
static const char *const say_nothing[] = {
	"application/json",
	"application/octet-stream",
	"binary/octet-stream",
	"text/plain",
};

/* The type of a Content-Type header, without parameters, or "" if it says nothing. */
static const char *header_type(struct arena *arena, const char *content_type)
{
	char *type;

	if (!content_type)
		return "";
	content_type += strspn(content_type, " \t");
	type = arena_strndup(arena, content_type, strcspn(content_type, "; \t\r\n"));
	for (char *at = type; *at; at++)
		*at = ascii_lower(*at);
	for (size_t i = 0; i < ARRAY_SIZE(say_nothing); i++) {
		if (str_equal(type, say_nothing[i]))
			return "";
	}
	return type;
}

static bool has(const struct json *object, const char *name)
{
	return json_member(object, name) != NULL;
}

static bool is_schema_1(const struct json *object, const char *header, const char *own)
{
	const struct json *version = json_member(object, "schemaVersion");
	uint64_t number = 0;

	if (media_kind(header) == MEDIA_SCHEMA_1 || media_kind(own) == MEDIA_SCHEMA_1 ||
	    has(object, "fsLayers"))
		return true;
	return version && version->type == JSON_NUMBER && json_to_u64(version, &number) == 0 &&
	       number == 1;
}

static int check_version(const struct json *object, struct error *err)
{
	uint64_t version = 0;
	int r = field_size(object, "schemaVersion", &version, err);

	if (r < 0)
		return r;
	if (version != 2)
		return refuse(err, "schemaVersion is %ju, must be 2", (uintmax_t)version);
	return 0;
}

/* Which of the two it is, by its type where one is given, otherwise by its members. */
static int find_kind(const struct json *object, struct document *ret, struct error *err)
{
	bool looks_like_index = has(object, "manifests");
	bool looks_like_manifest = has(object, "layers") || has(object, "config");
	enum media_kind kind = media_kind(ret->media_type);

	if (looks_like_index && looks_like_manifest)
		return refuse(err, "it has \"manifests\" as an index, and \"layers\" or \"config\" "
				   "as a manifest: it must be one of the two");
	if (!looks_like_index && !looks_like_manifest)
		return refuse(err, "it has neither \"manifests\" nor \"layers\": it is no image");
	if (ret->media_type[0] == '\0')
		kind = looks_like_index ? MEDIA_INDEX : MEDIA_MANIFEST;
	if (kind != MEDIA_INDEX && kind != MEDIA_MANIFEST)
		return media_refuse(ret->media_type,
				    "neither the index nor the manifest of an image", err);
	if ((kind == MEDIA_INDEX) != looks_like_index)
		return refuse(err, "media type \"%s\", but it has the members of %s",
			      ret->media_type, looks_like_index ? "an index" : "a manifest");
	ret->kind = kind == MEDIA_INDEX ? DOCUMENT_INDEX : DOCUMENT_MANIFEST;
	if (ret->media_type[0] == '\0')
		ret->media_type = looks_like_index ? MEDIA_TYPE_OCI_INDEX : MEDIA_TYPE_OCI_MANIFEST;
	return 0;
}

static int find_type(struct arena *arena, const struct json *object, const char *content_type,
		     struct document *ret, struct error *err)
{
	const char *header = header_type(arena, content_type), *own;
	int r = field_text(object, "mediaType", &own, err);

	if (r < 0)
		return r;
	if (is_schema_1(object, header, own))
		return refuse(err, "this is a manifest of schema 1, which Docker gave up in 2015 "
				   "and berth does not read; push the image again with a current "
				   "tool");
	if (header[0] != '\0' && own[0] != '\0' && !str_equal(header, own))
		return refuse(err, "it came as \"%.200s\" and says itself that it is \"%.200s\"",
			      header, own);
	ret->media_type = own[0] != '\0' ? own : header;
	r = find_kind(object, ret, err);
	return r < 0 ? r : check_version(object, err);
}

/* *ret_item is the first item of the array @name, which must be there; null is an empty one. */
static int begin_list(const struct json *object, const char *name, size_t max,
		      const struct json **ret_item, size_t *ret_count, struct error *err)
{
	const struct json *array;
	int r = field_value(object, name, JSON_ARRAY, &array, err);

	if (r < 0)
		return r;
	if (!has(object, name))
		return refuse(err, "%s is missing", name);
	*ret_item = array ? array->item : NULL;
	*ret_count = array ? array->count : 0;
	if (*ret_count > max)
		return refuse(err, "%s: there are %zu, at most %zu are read", name, *ret_count,
			      max);
	return 0;
}

static int read_index(struct arena *arena, const struct json *object, struct image_index *ret,
		      struct error *err)
{
	const struct json *item = NULL;
	size_t count = 0, i = 0;
	int r = begin_list(object, "manifests", INDEX_MANIFESTS_MAX, &item, &count, err);

	if (r < 0)
		return r;
	ret->manifests = arena_alloc(arena, count, sizeof(*ret->manifests));
	for (; item; item = item->next) {
		r = descriptor_read(arena, item, &ret->manifests[ret->count], err);
		if (r < 0 && r != -EOPNOTSUPP)
			return within(err, r, "manifests[%zu]", i);
		if (r >= 0)
			ret->count++;
		i++;
	}
	*err = (struct error)ERROR_NONE;
	return 0;
}

static int read_config(struct arena *arena, const struct json *object, struct descriptor *ret,
		       struct error *err)
{
	const struct json *value = json_member(object, "config");
	int r;

	if (!value)
		return refuse(err, "config is missing");
	r = descriptor_read(arena, value, ret, err);
	if (r < 0)
		return within(err, r, "config");
	/* Docker's first pushes of schema 2 gave it the type of any data. */
	if (ret->media_type[0] == '\0' || str_equal(ret->media_type, "application/octet-stream") ||
	    media_kind(ret->media_type) == MEDIA_CONFIG)
		return 0;
	r = media_refuse(ret->media_type, "no configuration of an image", err);
	return within(err, r, "config");
}

int layer_check_media_type(const char *media_type, struct error *err)
{
	if (media_kind(media_type) == MEDIA_LAYER)
		return 0;
	return media_refuse(media_type, "no layer that can be unpacked", err);
}

static int read_layers(struct arena *arena, const struct json *object, struct manifest *ret,
		       struct error *err)
{
	const struct json *item = NULL;
	size_t count = 0;
	int r = begin_list(object, "layers", MANIFEST_LAYERS_MAX, &item, &count, err);

	if (r < 0)
		return r;
	ret->layers = arena_alloc(arena, count, sizeof(*ret->layers));
	for (; item; item = item->next) {
		struct descriptor *layer = &ret->layers[ret->layer_count];

		r = descriptor_read(arena, item, layer, err);
		if (r >= 0)
			r = layer_check_media_type(layer->media_type, err);
		if (r < 0)
			return within(err, r, "layers[%zu]", ret->layer_count);
		ret->layer_count++;
	}
	return 0;
}

static int read_manifest(struct arena *arena, const struct json *object, struct manifest *ret,
			 struct error *err)
{
	const char *artifact_type;
	int r = field_text(object, "artifactType", &artifact_type, err);

	if (r < 0)
		return r;
	if (artifact_type[0] != '\0' && media_kind(artifact_type) != MEDIA_CONFIG)
		return refuse(err, "it is an artifact of type \"%.200s\", no image", artifact_type);
	r = read_config(arena, object, &ret->config, err);
	return r < 0 ? r : read_layers(arena, object, ret, err);
}

static int read_document(struct arena *arena, const struct json *object, const char *content_type,
			 struct document *ret, struct error *err)
{
	int r = fields_check(object, names, err);

	if (r < 0)
		return r;
	r = find_type(arena, object, content_type, ret, err);
	if (r < 0)
		return r;
	if (ret->kind == DOCUMENT_INDEX)
		return read_index(arena, object, &ret->index, err);
	return read_manifest(arena, object, &ret->manifest, err);
}

int document_read(struct arena *arena, const char *text, size_t size, const char *content_type,
		  struct document *ret, struct error *err)
{
	struct document made = {0};
	const struct json *object;
	int r = fields_read(arena, text, size, "manifest", &object, err);

	if (r < 0)
		return r;
	r = read_document(arena, object, content_type, &made, err);
	if (r < 0)
		return within(err, r, "manifest");
	*ret = made;
	return 0;
}
