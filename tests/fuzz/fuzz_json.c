/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Feeds any bytes to the reader of JSON; what it accepts is written and read again, and must come
 * out as the same text.
 */
#include "berth/base/json_write.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Reads @text and appends it to @out in its one compact form. False: it was refused. */
static bool normalise(const char *text, size_t size, struct buf *out)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct json_writer w = JSON_WRITER(out, false);
	const struct json *tree = NULL;
	struct error err = ERROR_NONE;

	if (json_read(arena, text, size, "input", &tree, &err) < 0)
		return false;
	json_value(&w, tree);
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_buf_ struct buf once = BUF_EMPTY, twice = BUF_EMPTY;

	if (!normalise((const char *)data, size, &once))
		return 0;
	if (!normalise(once.data, once.size, &twice) || !str_equal(once.data, twice.data))
		abort();
	return 0;
}
