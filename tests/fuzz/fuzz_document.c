/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Feeds any bytes to the reader of indexes and manifests; what stands before the first NUL, if
 * there is one, is the Content-Type. What is accepted must hold what the reader promises, and an
 * index goes on to the choice of a platform.
 */
#include "berth/base/str.h"

#include "image/platform.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What others rely on without a check of their own. */
static void check_descriptor(const struct descriptor *descriptor)
{
	size_t length = strlen(descriptor->digest.hex);

	if (length != (descriptor->digest.algorithm == DIGEST_SHA256 ? 64 : 128) ||
	    strspn(descriptor->digest.hex, "0123456789abcdef") != length)
		__builtin_trap();
	if (descriptor->size > INT64_MAX || !descriptor->media_type || !descriptor->platform.os ||
	    !descriptor->platform.architecture || !descriptor->platform.variant)
		__builtin_trap();
	if (descriptor->data_size != (descriptor->data ? descriptor->size : 0))
		__builtin_trap();
}

static void check_index(struct arena *arena, const struct image_index *index)
{
	const char *offered = NULL;
	const struct descriptor *chosen;
	struct platform wish;

	for (size_t i = 0; i < index->count; i++)
		check_descriptor(&index->manifests[i]);
	platform_of_host(&wish);
	chosen = platform_choose(arena, index, &wish, &offered);
	if (chosen ? chosen->is_artifact : !offered)
		__builtin_trap();
}

static void check_manifest(const struct manifest *manifest)
{
	struct error err = ERROR_NONE;

	check_descriptor(&manifest->config);
	for (size_t i = 0; i < manifest->layer_count; i++) {
		check_descriptor(&manifest->layers[i]);
		if (layer_check_media_type(manifest->layers[i].media_type, &err) < 0)
			__builtin_trap();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	const char *text = (const char *)data, *content_type = NULL;
	const char *nul = size > 0 ? memchr(text, '\0', size) : NULL;
	struct document document;
	struct error err = ERROR_NONE;

	if (nul) {
		content_type = text;
		size -= (size_t)(nul + 1 - text);
		text = nul + 1;
	}
	if (document_read(arena, text, size, content_type, &document, &err) < 0)
		return 0;
	if (document.kind == DOCUMENT_INDEX)
		check_index(arena, &document.index);
	else
		check_manifest(&document.manifest);
	return 0;
}
