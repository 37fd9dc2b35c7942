/* SPDX-License-Identifier: Apache-2.0 */
/* Host paths as text. */
#include "berth/base/path.h"

#include <string.h>
#include <unistd.h>

#include "berth/base/alloc.h"
#include "berth/base/str.h"

/* Appends one component to a clean absolute path in @clean, or takes one away for "..". */
static void add_component(struct buf *clean, const char *name, size_t length)
{
	if (length == 0 || (length == 1 && name[0] == '.'))
		return;
	if (length == 2 && name[0] == '.' && name[1] == '.') {
		char *slash = clean->data ? strrchr(clean->data, '/') : NULL;

		if (slash) {
			*slash = '\0';
			clean->size = (size_t)(slash - clean->data);
		}
		return;
	}
	buf_add_char(clean, '/');
	buf_add(clean, name, length);
}

static void add_components(struct buf *clean, const char *path)
{
	while (*path) {
		size_t length = strcspn(path, "/");

		add_component(clean, path, length);
		path += length;
		path += strspn(path, "/");
	}
}

char *path_join(const char *base, const char *path)
{
	struct buf clean = BUF_EMPTY;

	if (path[0] != '/')
		add_components(&clean, base);
	add_components(&clean, path);
	if (!clean.size)
		buf_add_char(&clean, '/');
	return buf_take(&clean);
}

char *path_absolute(const char *path)
{
	char *cwd, *joined;

	if (path[0] == '/')
		return path_join("/", path);
	cwd = getcwd(NULL, 0);
	if (!cwd)
		return NULL;
	joined = path_join(cwd, path);
	free(cwd);
	return joined;
}
