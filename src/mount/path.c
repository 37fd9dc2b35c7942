/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paths as text. Nothing here resolves a path: it only finds out which destination a config.json
 * means ("/dev/", "//dev" and "/x/../dev" are all /dev), so that it can be treated as what it is.
 */
#include <stdbool.h>
#include <string.h>

#include "berth/base/alloc.h"
#include "berth/base/str.h"

#include "mount-internal.h"

/* Takes the last component off the clean path in @text, which is @length bytes long. */
static size_t parent_length(const char *text, size_t length)
{
	while (length > 0 && text[length - 1] != '/')
		length--;
	return length > 0 ? length - 1 : 0;
}

char *path_clean(const char *path)
{
	/* Never longer than the original, its leading slash and the NUL. */
	char *clean = xcalloc(strlen(path) + 2, 1);
	size_t used = 0;

	while (*(path += strspn(path, "/"))) {
		size_t length = strcspn(path, "/");

		if (length == 2 && path[0] == '.' && path[1] == '.') {
			used = parent_length(clean, used);
		} else if (length != 1 || path[0] != '.') {
			clean[used++] = '/';
			memcpy(clean + used, path, length);
			used += length;
		}
		path += length;
	}
	if (used == 0)
		clean[used++] = '/';
	clean[used] = '\0';
	return clean;
}

bool path_is(const char *path, const char *clean)
{
	_cleanup_free_ char *cleaned = NULL;

	if (str_equal(path, clean))
		return true;
	cleaned = path_clean(path);
	return str_equal(cleaned, clean);
}

bool path_within(const char *path, const char *parent)
{
	size_t length = strlen(parent);

	return strncmp(path, parent, length) == 0 && (path[length] == '\0' || path[length] == '/');
}
