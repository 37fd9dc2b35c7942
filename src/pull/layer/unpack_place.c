/* SPDX-License-Identifier: Apache-2.0 */
/* Making room for an entry whose name this layer has used before. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "common/tree.h"

#include "unpack-internal.h"

int place_clear(struct unpack *unpack, const struct place *place, bool directory, struct error *err)
{
	struct stat st;
	int r;

	if (fstatat(place->parent->fd, place->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? FORMER_NONE
				       : fail(err, -errno, "look at \"%s\"", place->path);
	if (directory && S_ISDIR(st.st_mode))
		return FORMER_DIRECTORY;
	/* Directories that are kept open may be reached by what goes now. */
	if (S_ISDIR(st.st_mode) || S_ISLNK(st.st_mode))
		unpack->parents_stale = true;
	r = tree_remove(place->parent->fd, place->name, NULL);
	if (r < 0)
		return fail(err, r, "remove what \"%s\" replaces", place->path);
	return whiteout_is(&st) ? FORMER_WHITEOUT : FORMER_OTHER;
}
