/* SPDX-License-Identifier: Apache-2.0 */
/* A plain root of several layers: what is there, with what metadata. */
#include "layer/flat.h"

#include "layers.h"
#include "victims.h"

static int make_root(const struct world *world, const char *name)
{
	int fd;

	put_directory(world, name);
	fd = openat(world->fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static const struct layers_case cases[] = {
	{"one",
	 {{{.path = "d/f", .data = "x"},
	   {.path = "h", .type = '1', .target = "d/f"},
	   {.path = "l", .type = '2', .target = "h"},
	   {.path = "p", .type = '6'},
	   {.path = ".wh.gone"},
	   {.path = "e/.wh..wh..opq"}}},
	 "d/\nd/f=x*2\ne/\nh=x*2\nl->h\np%p 0:0\n"},
	{"over",
	 {{{.path = "a", .data = "1"},
	   {.path = "b", .data = "1"},
	   {.path = "c/", .type = '5'},
	   {.path = "c/x", .data = "1"}},
	  {{.path = "a", .data = "2"},
	   {.path = "b/", .type = '5'},
	   {.path = "b/y"},
	   {.path = "c", .type = '2', .target = "a"}},
	  {{.path = "c/z", .data = "3"}}},
	 "a=2\nb/\nb/y=\nc/\nc/z=3\n"},
	{"whiteouts",
	 {{{.path = "a"}, {.path = "d/x"}, {.path = "d/y"}, {.path = "e/f/g"}},
	  {{.path = ".wh.a"}, {.path = "d/.wh.x"}, {.path = "d/.wh.never"}, {.path = ".wh.e"}},
	  {{.path = "e/h"}}},
	 "d/\nd/y=\ne/\ne/h=\n"},
	{"whiteout-below-deleted",
	 {{{.path = "d/x"}}, {{.path = ".wh.d"}}, {{.path = "d/.wh.x"}, {.path = "d/y"}}},
	 "d/\nd/y=\n"},
	{"opaque",
	 {{{.path = "d/x"}, {.path = "d/e/y"}}, {{.path = "d/e/z"}, {.path = "d/.wh..wh..opq"}}},
	 "d/\nd/e/\nd/e/z=\n"},
	{"opaque-root",
	 {{{.path = "a"}, {.path = "d/x"}}, {{.path = ".wh..wh..opq"}, {.path = "b"}}},
	 "b=\n"},
	{"whiteout-then-directory",
	 {{{.path = "d/x"}}, {{.path = ".wh.d"}, {.path = "d/y"}}},
	 "d/\nd/y=\n"},
	{"file-then-directory",
	 {{{.path = "d/x"}}, {{.path = "d"}, {.path = "d/", .type = '5'}, {.path = "d/y"}}},
	 "d/\nd/y=\n"},
	/* Names of one file stay together in a layer, and are parted by the next one. */
	{"links",
	 {{{.path = "a", .data = "1"},
	   {.path = "d/b", .type = '1', .target = "a"},
	   {.path = "c", .type = '1', .target = "a"}},
	  {{.path = "c", .data = "2"}, {.path = "e", .type = '1', .target = "c"}}},
	 "a=1*2\nc=2*2\nd/\nd/b=1*2\ne=2*2\n"},
	{"link-of-links",
	 {{{.path = "l", .type = '2', .target = "x"}, {.path = "m", .type = '1', .target = "l"}}},
	 "l->x*2\nm->x*2\n"},
	/* A link to what another layer has: as it is when the layer comes. */
	{"open-link",
	 {{{.path = "a", .data = "1"}, {.path = "d/b", .data = "b"}},
	  {{.path = "d/l", .type = '1', .target = "a"},
	   {.path = "m", .type = '1', .target = "d/b"}}},
	 "a=1*2\nd/\nd/b=b*2\nd/l=1*2\nm=b*2\n"},
	{"open-link-renamed",
	 {{{.path = "a", .data = "1"}},
	  {{.path = ".wh.a"}, {.path = "b", .type = '1', .target = "a"}}},
	 "b=1\n"},
	{"open-link-hidden",
	 {{{.path = "a", .data = "1"}},
	  {{.path = "b", .type = '1', .target = "a"}},
	  {{.path = ".wh.b"}}},
	 "a=1\n"},
	{"open-link-of-open-link",
	 {{{.path = "a", .data = "1"}},
	  {{.path = "b", .type = '1', .target = "a"}},
	  {{.path = "c", .type = '1', .target = "b"}}},
	 "a=1*3\nb=1*3\nc=1*3\n"},
	{"open-link-of-open-link-beside-it",
	 {{{.path = "a", .data = "1"}, {.path = "b", .data = "old"}},
	  {{.path = "b", .type = '1', .target = "a"},
	   {.path = "c", .type = '1', .target = "b"},
	   {.path = "e/d", .type = '1', .target = "./c"},
	   {.path = "b", .data = "new"}}},
	 "a=1*3\nb=new\nc=1*3\ne/\ne/d=1*3\n"},
	/* Links to themselves come later where it lies, and where it leads to. */
	{"open-link-then-loops",
	 {{{.path = "a/f", .data = "1"}, {.path = "b/", .type = '5'}},
	  {{.path = "b/d/l", .type = '1', .target = "a/f"},
	   {.path = "m", .type = '1', .target = "a/f"},
	   {.path = "b/d", .type = '2', .target = "d"},
	   {.path = "a", .type = '2', .target = "a"}}},
	 "a->a\nb/\nb/d->d\nm=1\n"},
	{"open-link-over-directory",
	 {{{.path = "a", .data = "1"}, {.path = "b/c"}},
	  {{.path = "b", .type = '1', .target = "a"}}},
	 "a=1*2\nb=1*2\n"},
	{"open-link-in-opaque",
	 {{{.path = "a", .data = "1"}, {.path = "d/c"}},
	  {{.path = "d/b", .type = '1', .target = "a"}, {.path = "d/.wh..wh..opq"}}},
	 "a=1*2\nd/\nd/b=1*2\n"},
	{"open-link-through-link",
	 {{{.path = "usr/lib/a", .data = "1"}, {.path = "lib", .type = '2', .target = "usr/lib"}},
	  {{.path = "b", .type = '1', .target = "lib/a"}}},
	 "b=1*2\nlib->usr/lib\nusr/\nusr/lib/\nusr/lib/a=1*2\n"},
};

static void test_trees(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error err = ERROR_NONE;
		_cleanup_fd_ int fd = make_root(*state, cases[i].name);
		struct layers layers;

		print_message("%s\n", cases[i].name);
		layers_begin(&layers, *state, cases[i].name, cases[i].layers);
		assert_fine(flat_make(&layers.merged, fd, NULL, &err), err);
		layers_end(&layers);
		assert_tree(fd, cases[i].expected);
	}
}

static void test_open_link_to_nothing(void **state)
{
	static const struct item list[LAYERS_MAX][ITEMS_MAX] = {
		{{.path = "a"}}, {{.path = "b", .type = '1', .target = "gone"}}};
	struct error err = ERROR_NONE;
	_cleanup_fd_ int fd = make_root(*state, "root");
	struct layers layers;

	layers_begin(&layers, *state, "layer", list);
	assert_failed(flat_make(&layers.merged, fd, NULL, &err), err, -ENOENT);
	layers_end(&layers);
	assert_contains(err.text, "layer 2: the hard link \"b\" to \"gone\"");
}

/* Links of a layer below lie where a layer above goes on: CVE-2026-17106 over two layers. */
static const struct layers_case hostile_cases[] = {
	{"hostile-directory",
	 {{{.path = "d", .type = '2', .target = "../victim"}},
	  {{.path = "d/", .type = '5', .mode = 0777, .uid = 9, .mtime = 9},
	   {.path = "d/passwd", .data = "x", .mode = 04777}}},
	 "d/\nd/passwd=x\n"},
	{"hostile-implied",
	 {{{.path = "d", .type = '2', .target = "../victim"}}, {{.path = "d/d/x", .data = "x"}}},
	 "d/\nd/d/\nd/d/x=x\n"},
	{"hostile-whiteout",
	 {{{.path = "d", .type = '2', .target = "../victim"}}, {{.path = "d/.wh.passwd"}}},
	 "d/\n"},
	{"hostile-opaque",
	 {{{.path = "d", .type = '2', .target = "../victim"}}, {{.path = "d/.wh..wh..opq"}}},
	 "d/\n"},
	{"hostile-file",
	 {{{.path = "p", .type = '2', .target = "../victim/passwd"}},
	  {{.path = "p", .data = "x", .mode = 04777, .uid = 9, .mtime = 9}}},
	 "p=x\n"},
	{"hostile-link-into",
	 {{{.path = "d", .type = '2', .target = "../victim"}, {.path = "f", .data = "x"}},
	  {{.path = "d/h", .type = '1', .target = "f"}}},
	 "d/\nd/h=x*2\nf=x*2\n"},
	{"hostile-link-over",
	 {{{.path = "p", .type = '2', .target = "../victim/passwd"}, {.path = "f", .data = "x"}},
	  {{.path = "p", .type = '1', .target = "f"}}},
	 "f=x*2\np=x*2\n"},
	{"hostile-link-to-link",
	 {{{.path = "p", .type = '2', .target = "../victim/passwd"}},
	  {{.path = "h", .type = '1', .target = "p"}}},
	 "h->../victim/passwd*2\np->../victim/passwd*2\n"},
	{"hostile-link-from", /* there is no such file in the root: refused */
	 {{{.path = "d", .type = '2', .target = "../victim"}},
	  {{.path = "h", .type = '1', .target = "d/passwd"}}},
	 NULL},
};

static void test_hostile(void **state)
{
	const struct world *world = *state;
	_cleanup_free_ char *before = NULL, *after = NULL;

	put_victims(world);
	before = describe_victims(world);
	for (size_t i = 0; i < ARRAY_SIZE(hostile_cases); i++) {
		const struct layers_case *hostile = &hostile_cases[i];
		struct error err = ERROR_NONE;
		_cleanup_fd_ int fd = make_root(world, hostile->name);
		struct layers layers;
		int r;

		print_message("%s\n", hostile->name);
		layers_begin(&layers, world, hostile->name, hostile->layers);
		r = flat_make(&layers.merged, fd, NULL, &err);
		layers_end(&layers);
		if (!hostile->expected) {
			assert_failed(r, err, -ENOENT);
			continue;
		}
		assert_fine(r, err);
		assert_tree(fd, hostile->expected);
	}
	after = describe_victims(world);
	assert_string_equal(before, after);
}

static void assert_metadata(int dirfd, const char *name, mode_t mode, unsigned uid, long seconds)
{
	struct stat st;

	assert_int_equal(fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW), 0);
	if ((st.st_mode & 07777) != mode || st.st_uid != uid || st.st_mtim.tv_sec != seconds)
		fail_msg("%s: %o %u %ld", name, st.st_mode & 07777, st.st_uid,
			 (long)st.st_mtim.tv_sec);
}

/* What a layer only implies keeps what it had; what it has is replaced whole. */
static void test_metadata(void **state)
{
	static const struct item list[LAYERS_MAX][ITEMS_MAX] = {
		{{.path = "./", .type = '5', .mode = 0711, .uid = 1, .mtime = 5},
		 {.path = "kept/",
		  .type = '5',
		  .mode = 01777,
		  .uid = 7,
		  .mtime = 10,
		  .pax = {"SCHILY.xattr.trusted.a=1"}},
		 {.path = "kept/sub/", .type = '5', .mode = 0700, .uid = 8, .mtime = 11},
		 {.path = "changed/",
		  .type = '5',
		  .mode = 0700,
		  .uid = 9,
		  .mtime = 12,
		  .pax = {"SCHILY.xattr.trusted.a=1"}},
		 {.path = "emptied/", .type = '5', .mode = 0770, .uid = 4, .mtime = 13},
		 {.path = "emptied/x"},
		 {.path = "gone/", .type = '5', .mode = 0700, .uid = 3, .mtime = 14},
		 {.path = "again/", .type = '5', .mode = 0700, .uid = 3, .mtime = 14}},
		{{.path = "kept/sub/f", .mode = 04711, .uid = 5, .mtime = 20},
		 {.path = "changed/", .type = '5', .mode = 0750, .uid = 2, .mtime = 21},
		 {.path = "emptied/.wh..wh..opq"},
		 {.path = ".wh.gone"},
		 {.path = ".wh.again"},
		 {.path = "again/f", .mtime = 22},
		 {.path = "kept/l", .type = '2', .target = "x", .uid = 6, .mtime = 23},
		 {.path = "kept/open", .type = '1', .target = "emptied/x"}},
		{{.path = "gone/f", .mtime = 30}},
	};
	struct error err = ERROR_NONE;
	_cleanup_fd_ int fd = make_root(*state, "root");
	_cleanup_free_ char *path = NULL;
	struct layers layers;
	char value[4];

	layers_begin(&layers, *state, "layer", list);
	assert_fine(flat_make(&layers.merged, fd, NULL, &err), err);
	layers_end(&layers);
	assert_metadata(fd, ".", 0711, 1, 5);
	assert_metadata(fd, "kept", 01777, 7, 10);
	assert_metadata(fd, "kept/sub", 0700, 8, 11);
	assert_metadata(fd, "kept/sub/f", 04711, 5, 20);
	assert_metadata(fd, "kept/l", 0777, 6, 23);
	assert_metadata(fd, "changed", 0750, 2, 21);
	assert_metadata(fd, "emptied", 0770, 4, 13);
	assert_metadata(fd, "again", 0755, 0, 0);
	assert_metadata(fd, "gone", 0755, 0, 0);
	path = xasprintf("%s/root/kept", ((struct world *)*state)->path);
	assert_int_equal(getxattr(path, "trusted.a", value, sizeof(value)), 1);
	free(path);
	path = xasprintf("%s/root/changed", ((struct world *)*state)->path);
	assert_int_equal(getxattr(path, "trusted.a", value, sizeof(value)), -1);
}

/* overlayfs's own attributes stay behind, and what the image has under such names comes back. */
static void test_xattrs(void **state)
{
	static const struct item list[LAYERS_MAX][ITEMS_MAX] = {
		{{.path = "d/.wh.x"},
		 {.path = "e/.wh..wh..opq"},
		 {.path = "e/y"},
		 {.path = "f/",
		  .type = '5',
		  .pax = {"SCHILY.xattr.trusted.overlay.opaque=y", "SCHILY.xattr.trusted.z=z"}},
		 {.path = "g/", .type = '5', .pax = {"SCHILY.xattr.trusted.overlay.x=1"}}},
		{{.path = "g/", .type = '5', .pax = {"SCHILY.xattr.trusted.overlay.y=2"}}}};
	struct error err = ERROR_NONE;
	_cleanup_fd_ int fd = make_root(*state, "root");
	static const struct {
		const char *path, *name;
		int size;
	} expected[] = {
		{"d", "trusted.overlay.origin", -1},
		{"e", "trusted.overlay.opaque", -1},
		{"f", "trusted.overlay.opaque", 1},
		{"f", "trusted.overlay.overlay.opaque", -1},
		{"f", "trusted.z", 1},
		{"g", "trusted.overlay.x", -1}, /* the layer above says nothing of it */
		{"g", "trusted.overlay.y", 1},
	};
	struct layers layers;

	layers_begin(&layers, *state, "layer", list);
	assert_fine(flat_make(&layers.merged, fd, NULL, &err), err);
	layers_end(&layers);
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		_cleanup_free_ char *path =
			xasprintf("%s/root/%s", ((struct world *)*state)->path, expected[i].path);
		char value[4];

		if (getxattr(path, expected[i].name, value, sizeof(value)) != expected[i].size)
			fail_msg("%s of %s", expected[i].name, expected[i].path);
	}
}

static void test_sparse(void **state)
{
	_cleanup_free_ char *data = xcalloc(513, 1);
	_cleanup_fd_ int fd = make_root(*state, "root"), file = -EBADF;
	struct error err = ERROR_NONE;
	struct layers layers;
	struct stat st;
	char found[16];

	memset(data, 'x', 512);
	{
		const struct item list[LAYERS_MAX][ITEMS_MAX] = {
			{{"x", .data = data,
			  .pax = {"GNU.sparse.map=1048576,512", "GNU.sparse.numblocks=1",
				  "GNU.sparse.size=8388608", "GNU.sparse.name=sparse"}}}};
		layers_begin(&layers, *state, "layer", list);
	}
	assert_fine(flat_make(&layers.merged, fd, NULL, &err), err);
	layers_end(&layers);
	file = openat(fd, "sparse", O_RDONLY | O_CLOEXEC);
	assert_int_equal(fstat(file, &st), 0);
	assert_int_equal(st.st_size, 8388608);
	assert_true(st.st_blocks < 64);
	assert_int_equal(pread(file, found, 4, 1048576 + 508), 4);
	assert_memory_equal(found, "xxxx", 4);
	assert_int_equal(pread(file, found, 4, 1048576 + 512), 4);
	assert_memory_equal(found, "\0\0\0\0", 4);
}

static void test_cancel(void **state)
{
	static const struct item list[LAYERS_MAX][ITEMS_MAX] = {{{.path = "a"}}};
	_cleanup_fd_ int fd = make_root(*state, "root");
	struct error err = ERROR_NONE;
	atomic_bool cancelled = true;
	struct layers layers;

	layers_begin(&layers, *state, "layer", list);
	assert_int_equal(flat_make(&layers.merged, fd, &cancelled, &err), -ECANCELED);
	layers_end(&layers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(test_trees),	   world_test(test_open_link_to_nothing),
		world_test(test_metadata), world_test(test_xattrs),
		world_test(test_sparse),   world_test(test_cancel),
		world_test(test_hostile),
	};

	if (skip_all_without(SYS_openat2, "openat2"))
		return 0;
	if (no_root()) {
		print_message("skipped, all tests: owners and devices need root\n");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
