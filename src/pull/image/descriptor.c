/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors: media type, digest, size, and what else index entries and foreign layers have. */
#include "descriptor.h"

#include <ctype.h>
#include <errno.h>

#include "berth/base/str.h"

#include "common/base64.h"
#include "common/fields.h"

#include "media_type.h"
#include "platform.h"

static const char *const names[] = {
	"mediaType", "digest",	     "size",	 "urls", "annotations",
	"data",	     "artifactType", "platform", NULL,
};

static const char *const platform_names[] = {
	"architecture", "os", "os.version", "os.features", "variant", NULL,
};

/* Attestations of BuildKit are manifests, which only this annotation tells from images. */
#define ANNOTATION_REFERENCE "vnd.docker.reference.type"

/* "blake3:…": by the specification's grammar a digest, of an algorithm other than ours. */
static bool is_foreign_digest(const char *text)
{
	size_t length = strcspn(text, ":");

	if (length == 0 || text[length] == '\0' || str_starts(text, "sha256:") ||
	    str_starts(text, "sha512:"))
		return false;
	for (const char *at = text; *at; at++) {
		if (!isalnum((unsigned char)*at) && !strchr("+._-:=", *at))
			return false;
	}
	return true;
}

static int read_digest(const struct json *value, struct digest *ret, struct error *err)
{
	const char *text;
	int r = field_text(value, "digest", &text, err);

	if (r < 0)
		return r;
	if (text[0] == '\0')
		return refuse(err, "digest is missing");
	if (is_foreign_digest(text))
		return refuse_as(err, -EOPNOTSUPP,
				 "digest \"%.200s\": neither sha256 nor sha512, others are not "
				 "known here",
				 text);
	return digest_parse(text, "digest", ret, err);
}

/* The content itself, in the descriptor: used in place of a request, so it must be the right one.
 */
static int read_data(struct arena *arena, const struct json *value, struct descriptor *ret,
		     struct error *err)
{
	_cleanup_free_ char *data = NULL;
	struct digest found;
	const struct json *text;
	size_t size = 0;
	int r = field_value(value, "data", JSON_STRING, &text, err);

	if (r < 0 || !text)
		return r;
	data = base64_decode(text->text, &size);
	if (!data)
		return refuse(err, "data is no base 64");
	if (size != ret->size)
		return refuse(err, "data is of %zu byte%s, where size says %ju", size,
			      plural_s(size), (uintmax_t)ret->size);
	digest_of(ret->digest.algorithm, data, size, &found);
	if (!digest_equal(&found, &ret->digest))
		return refuse(err, "data is not what digest says: its own is %s:%s",
			      digest_algorithm_name(found.algorithm), found.hex);
	ret->data = memcpy(arena_alloc(arena, size + 1, 1), data, size);
	ret->data_size = size;
	return 0;
}

static int read_platform(struct arena *arena, const struct json *value, struct descriptor *ret,
			 struct error *err)
{
	const struct json *platform;
	int r = field_value(value, "platform", JSON_OBJECT, &platform, err);

	if (r < 0 || !platform)
		return r;
	ret->has_platform = true;
	r = fields_check(platform, platform_names, err);
	if (r >= 0)
		r = field_text(platform, "os", &ret->platform.os, err);
	if (r >= 0)
		r = field_text(platform, "architecture", &ret->platform.architecture, err);
	if (r >= 0)
		r = field_text(platform, "variant", &ret->platform.variant, err);
	if (r < 0)
		return within(err, r, "platform");
	platform_normalise(arena, &ret->platform);
	return 0;
}

/*
 * Whether an index's entry is no image. An artifactType that is the type of a configuration of
 * images says that it is one; the type of what is named may be missing.
 */
static int read_kind(const struct json *value, struct descriptor *ret, struct error *err)
{
	enum media_kind kind = media_kind(ret->media_type);
	const char *artifact_type;
	int r = field_text(value, "artifactType", &artifact_type, err);

	if (r < 0)
		return r;
	r = field_value(value, "annotations", JSON_OBJECT, &ret->annotations, err);
	if (r < 0)
		return r;
	ret->is_artifact = artifact_type[0] != '\0' && media_kind(artifact_type) != MEDIA_CONFIG;
	if (ret->media_type[0] != '\0' && kind != MEDIA_INDEX && kind != MEDIA_MANIFEST)
		ret->is_artifact = true;
	if (ret->annotations && json_member(ret->annotations, ANNOTATION_REFERENCE))
		ret->is_artifact = true;
	return 0;
}

int descriptor_read(struct arena *arena, const struct json *value, struct descriptor *ret,
		    struct error *err)
{
	struct descriptor made = {.platform = {"", "", ""}};
	int r = fields_check(value, names, err);

	if (r >= 0)
		r = field_text(value, "mediaType", &made.media_type, err);
	if (r >= 0)
		r = read_digest(value, &made.digest, err);
	if (r >= 0)
		r = field_size(value, "size", &made.size, err);
	if (r >= 0)
		r = field_texts(arena, value, "urls", &made.urls, err);
	if (r >= 0)
		r = read_data(arena, value, &made, err);
	if (r >= 0)
		r = read_platform(arena, value, &made, err);
	if (r >= 0)
		r = read_kind(value, &made, err);
	if (r < 0)
		return r;
	*ret = made;
	return 0;
}
