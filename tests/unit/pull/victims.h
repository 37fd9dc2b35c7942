/* SPDX-License-Identifier: Apache-2.0 */
/* What lies beside a layer's root, and must never change. */
#ifndef BERTH_TESTS_PULL_VICTIMS_H
#define BERTH_TESTS_PULL_VICTIMS_H

#include "layer.h"

/* What surrounds the root: "victim" beside it, with a file, and the same by an absolute path. */
static inline void put_victims(const struct world *world)
{
	put_directory(world, "victim");
	put_file(world, "victim/passwd", "precious");
	put_directory(world, "victim/d");
	put_file(world, "victim/d/x", "precious");
}

/* Everything about the victims that could be changed, as text, the caller's. */
static inline char *describe_victims(const struct world *world)
{
	static const char *const paths[] = {"victim", "victim/passwd", "victim/d", "victim/d/x"};
	struct buf out = BUF_EMPTY;

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		_cleanup_free_ char *path = xasprintf("%s/%s", world->path, paths[i]);
		char names[256];
		struct stat st;

		assert_int_equal(stat(path, &st), 0);
		buf_printf(&out, "%s %o %u:%u %lu names %lld.%09ld changed %lld.%09ld xattrs %zd\n",
			   paths[i], st.st_mode, st.st_uid, st.st_gid, (unsigned long)st.st_nlink,
			   (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec,
			   (long long)st.st_ctim.tv_sec, st.st_ctim.tv_nsec,
			   listxattr(path, names, sizeof(names)));
	}
	return buf_take(&out);
}

#endif
