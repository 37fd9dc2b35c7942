/* SPDX-License-Identifier: Apache-2.0 */
/* What the upper directory of an overlay must have, so that the layers are shown as they are meant.
 */
#include "bundle/bundle_plan.h"

#include "layers.h"

static int make_upper(const struct world *world, const char *name)
{
	int fd;

	put_directory(world, name);
	fd = openat(world->fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static void assert_metadata(int dirfd, const char *name, mode_t mode, unsigned uid, long seconds)
{
	struct stat st;

	assert_int_equal(fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW), 0);
	if ((st.st_mode & 07777) != mode || st.st_uid != uid || st.st_mtim.tv_sec != seconds)
		fail_msg("%s: %o %u %ld", name, st.st_mode & 07777, st.st_uid,
			 (long)st.st_mtim.tv_sec);
}

#define BASE                                                                                       \
	{                                                                                          \
		{.path = "./", .type = '5', .mode = 0711, .uid = 1, .mtime = 5},                   \
			{.path = "a/", .type = '5', .mode = 0750, .uid = 7, .mtime = 10},          \
			{.path = "a/b/", .type = '5', .mode = 01777, .uid = 8, .mtime = 11},       \
			{.path = "a/f", .data = "content", .mode = 04711, .uid = 9, .mtime = 12},  \
			{.path = "c/", .type = '5', .mode = 0700, .uid = 9, .mtime = 13},          \
			{.path = "l", .type = '2', .target = "a", .uid = 3, .mtime = 14},          \
	}

static const struct layers_case cases[] = {
	{"nothing-implied",
	 {BASE, {{.path = "./", .type = '5'}, {.path = "a/", .type = '5'}, {.path = "a/x"}}},
	 ""},
	{"implied", {BASE, {{.path = "a/b/x"}}}, "a/\na/b/\n"},
	{"implied-twice", {BASE, {{.path = "a/b/x"}}, {{.path = "a/b/y"}}}, "a/\na/b/\n"},
	{"described-above", {BASE, {{.path = "a/b/x"}}, {{.path = "a/b/", .type = '5'}}}, "a/\n"},
	{"implied-everywhere", {{{.path = "n/x"}}, {{.path = "n/y"}}}, ""},
	{"new", {BASE, {{.path = "n/x"}}}, ""},
	{"below-link", {BASE, {{.path = "l/x"}}}, ""},
	{"hidden-by-whiteout", {BASE, {{.path = "a/b/x"}}, {{.path = ".wh.a"}}}, ""},
	{"hidden-by-file", {BASE, {{.path = "a/b/x"}}, {{.path = "a"}}}, ""},
	{"hidden-by-opaque", {BASE, {{.path = "a/b/x"}}, {{.path = "a/.wh..wh..opq"}}}, "a/\n"},
	{"hidden-by-opaque-root",
	 {BASE, {{.path = "a/b/x"}}, {{.path = ".wh..wh..opq"}, {.path = "z"}}},
	 ""},
	{"removed-between", {BASE, {{.path = ".wh.a"}}, {{.path = "a/b/x"}}}, ""},
	{"replaced", {BASE, {{.path = ".wh.a"}, {.path = "a/b/x"}}}, ""},
	{"opaque-implied", {BASE, {{.path = "a/.wh..wh..opq"}}}, "a/\n"},
	{"opaque-above-implied", {BASE, {{.path = "a/.wh..wh..opq"}, {.path = "a/b/x"}}}, "a/\n"},
	{"whiteout-in-implied", {BASE, {{.path = "a/b/.wh.x"}}}, "a/\na/b/\n"},
	{"link", {BASE, {{.path = "h", .type = '1', .target = "a/f"}}}, "h=content\n"},
	{"link-in-directory",
	 {BASE, {{.path = "c/h", .type = '1', .target = "a/f"}}},
	 "c/\nc/h=content\n"},
	{"link-to-link", {BASE, {{.path = "h", .type = '1', .target = "l"}}}, "h->a\n"},
	{"link-through-link", {BASE, {{.path = "h", .type = '1', .target = "l/f"}}}, "h=content\n"},
	{"link-to-open-link",
	 {BASE,
	  {{.path = "h", .type = '1', .target = "a/f"}},
	  {{.path = "i", .type = '1', .target = "h"}}},
	 "h=content\ni=content\n"},
	{"link-to-hidden-open-link",
	 {BASE,
	  {{.path = "h", .type = '1', .target = "a/f"}},
	  {{.path = ".wh.h"}, {.path = "i", .type = '1', .target = "h"}}},
	 "i=content\n"},
	{"link-hidden",
	 {BASE, {{.path = "h", .type = '1', .target = "a/f"}}, {{.path = ".wh.h"}}},
	 ""},
	{"link-replaced",
	 {BASE, {{.path = "h", .type = '1', .target = "a/f"}}, {{.path = "h", .data = "x"}}},
	 ""},
	{"link-replaced-in-layer",
	 {BASE, {{.path = "h", .type = '1', .target = "a/f"}, {.path = "h", .data = "x"}}},
	 ""},
	{"link-twice",
	 {BASE,
	  {{.path = "h", .type = '1', .target = "c"}, {.path = "h", .type = '1', .target = "a/f"}}},
	 "h=content\n"},
	{"link-made-later", {BASE, {{.path = "h", .type = '1', .target = "n"}, {.path = "n"}}}, ""},
	{"link-of-old",
	 {BASE, {{.path = "h", .type = '1', .target = "a/f"}}, {{.path = "a/f", .data = "new"}}},
	 "a/\nh=content\n"},
};

static void test_trees(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error err = ERROR_NONE;
		_cleanup_fd_ int fd = make_upper(*state, cases[i].name);
		struct layers layers;

		print_message("%s\n", cases[i].name);
		layers_begin(&layers, *state, cases[i].name, cases[i].layers);
		assert_fine(merged_prepare_upper(&layers.merged, fd, NULL, NULL, &err), err);
		layers_end(&layers);
		assert_tree(fd, cases[i].expected);
	}
}

static void test_metadata(void **state)
{
	static const struct item list[LAYERS_MAX][ITEMS_MAX] = {
		BASE, {{.path = "a/b/x"}, {.path = "c/h", .type = '1', .target = "a/f"}}};
	struct error err = ERROR_NONE;
	_cleanup_fd_ int fd = make_upper(*state, "upper");
	struct layers layers;

	layers_begin(&layers, *state, "layer", list);
	assert_fine(merged_prepare_upper(&layers.merged, fd, NULL, NULL, &err), err);
	layers_end(&layers);
	assert_metadata(fd, ".", 0711, 1, 5);
	assert_metadata(fd, "a", 0750, 7, 10);
	assert_metadata(fd, "a/b", 01777, 8, 11);
	assert_metadata(fd, "c", 0700, 9, 13);
	assert_metadata(fd, "c/h", 04711, 9, 12);
}

static void test_ids(void **state)
{
	static const struct item list[LAYERS_MAX][ITEMS_MAX] = {BASE, {{.path = "a/x"}}};
	struct id_map line = {.container_id = 0, .host_id = 1000, .size = 8};
	const struct id_maps maps = {.lines = &line, .count = 1};
	struct error err = ERROR_NONE;
	_cleanup_fd_ int fd = make_upper(*state, "upper"), other = make_upper(*state, "other");
	struct layers layers;

	layers_begin(&layers, *state, "layer", list);
	assert_fine(merged_prepare_upper(&layers.merged, fd, &maps, &maps, &err), err);
	line.size = 7;
	assert_failed(merged_prepare_upper(&layers.merged, other, &maps, &maps, &err), err,
		      -EINVAL);
	layers_end(&layers);
	assert_metadata(fd, ".", 0711, 1001, 5);
	assert_metadata(fd, "a", 0750, 1007, 10);
}

/* Attributes come along; what overlayfs would act on stays escaped. */
static void test_xattrs(void **state)
{
	static const struct item list[LAYERS_MAX][ITEMS_MAX] = {
		{{.path = "d/",
		  .type = '5',
		  .pax = {"SCHILY.xattr.trusted.overlay.opaque=y", "SCHILY.xattr.trusted.z=z"}},
		 {.path = "d/x"}},
		{{.path = "d/.wh.x"}}};
	struct error err = ERROR_NONE;
	_cleanup_fd_ int fd = make_upper(*state, "upper");
	_cleanup_free_ char *path = xasprintf("%s/upper/d", ((struct world *)*state)->path);
	struct layers layers;
	char value[4];

	layers_begin(&layers, *state, "layer", list);
	assert_fine(merged_prepare_upper(&layers.merged, fd, NULL, NULL, &err), err);
	layers_end(&layers);
	assert_int_equal(getxattr(path, "trusted.z", value, sizeof(value)), 1);
	assert_int_equal(getxattr(path, "trusted.overlay.overlay.opaque", value, sizeof(value)), 1);
	assert_int_equal(getxattr(path, "trusted.overlay.opaque", value, sizeof(value)), -1);
	assert_int_equal(getxattr(path, "trusted.overlay.origin", value, sizeof(value)), -1);
}

static void test_broken(void **state)
{
	static const struct item list[LAYERS_MAX][ITEMS_MAX] = {
		{{.path = "a"}}, {{.path = "b", .type = '1', .target = "gone"}}};
	static const struct item directory[LAYERS_MAX][ITEMS_MAX] = {
		{{.path = "a/", .type = '5'}}, {{.path = "b", .type = '1', .target = "a"}}};
	struct error err = ERROR_NONE;
	_cleanup_fd_ int fd = make_upper(*state, "upper");
	struct layers layers;

	layers_begin(&layers, *state, "layer", list);
	assert_failed(merged_prepare_upper(&layers.merged, fd, NULL, NULL, &err), err, -ENOENT);
	assert_contains(err.text, "layer 2: the hard link \"b\" to \"gone\"");
	layers_end(&layers);
	layers_begin(&layers, *state, "other", directory);
	assert_failed(merged_prepare_upper(&layers.merged, fd, NULL, NULL, &err), err, -EINVAL);
	layers_end(&layers);
}

static void test_bottom(void **state)
{
	static const struct item list[LAYERS_MAX][ITEMS_MAX] = {
		{{.path = "a"}}, {{.path = ".wh..wh..opq"}}, {{.path = "b"}}};
	struct layers layers;

	layers_begin(&layers, *state, "layer", list);
	assert_int_equal(merged_bottom(&layers.merged), 1);
	layers.merged.count = 1;
	assert_int_equal(merged_bottom(&layers.merged), 0);
	layers.merged.count = 3;
	layers_end(&layers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(test_trees),	 world_test(test_metadata), world_test(test_ids),
		world_test(test_xattrs), world_test(test_broken),   world_test(test_bottom),
	};

	if (skip_all_without(SYS_openat2, "openat2"))
		return 0;
	if (no_root()) {
		print_message("skipped, all tests: owners and devices need root\n");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
