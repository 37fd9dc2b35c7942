/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paths as text. Nothing here resolves a path: it only finds out which destination a config.json
 * means ("/dev/", "//dev" and "/x/../dev" are all /dev), so that it can be treated as what it is.
 */
#include <stdbool.h>
#include <string.h>

#include "berth/base/alloc.h"
#include "berth/base/path.h"
#include "berth/base/str.h"

#include "mount-internal.h"

char *destination_clean(const char *path)
{
	return path_join("/", path);
}

bool destination_is(const char *path, const char *clean)
{
	_cleanup_free_ char *cleaned = NULL;

	if (str_equal(path, clean))
		return true;
	cleaned = destination_clean(path);
	return str_equal(cleaned, clean);
}

bool path_within(const char *path, const char *parent)
{
	size_t length = strlen(parent);

	return strncmp(path, parent, length) == 0 && (path[length] == '\0' || path[length] == '/');
}
