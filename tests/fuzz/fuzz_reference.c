/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Feeds any text to the parsers of what users type: references of images, platforms, digests. What
 * is accepted must hold what the parsers promise.
 */
#include "berth/base/str.h"

#include "image/platform.h"
#include "image/reference.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The full form is a reference that means the same. */
static void check_reference(struct arena *arena, const struct reference *reference)
{
	struct reference again;
	struct error err = ERROR_NONE;

	if (reference_parse(arena, reference->name, &again, &err) < 0 ||
	    !str_equal(again.name, reference->name) ||
	    !str_equal(again.domain, reference->domain) || !str_equal(again.path, reference->path))
		__builtin_trap();
	/* Paths of requests and names of files are made from it. */
	if (strstr(reference->path, "..") || strpbrk(reference->path, "?#%\\ :@") ||
	    strpbrk(reference->domain, "/?#%\\ @"))
		__builtin_trap();
	if (!reference->tag && !reference->has_digest)
		__builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	const char *text = arena_strndup(arena, (const char *)data, size);
	struct reference reference;
	struct platform platform, again;
	struct digest digest;
	struct error err = ERROR_NONE;

	if (reference_parse(arena, text, &reference, &err) >= 0)
		check_reference(arena, &reference);
	ignore(digest_parse(text, "digest", &digest, &err));
	if (platform_parse(arena, text, &platform, &err) < 0)
		return 0;
	again = platform;
	platform_normalise(arena, &again);
	if (!str_equal(platform_text(arena, &again), platform_text(arena, &platform)) ||
	    !platform_fits(&platform, &platform))
		__builtin_trap();
	return 0;
}
