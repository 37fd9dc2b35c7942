/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hostile layers: each is refused, or becomes the tree that is written here; and nothing outside of
 * the layer's root changes, whatever happens.
 */
#include <sys/resource.h>

#include "layer/index.h"

#include "victims.h"

#define REFUSED "refused: " /* and what the message says */

struct hostile_case {
	const char *name;
	struct item items[ITEMS_MAX];
	const char *expected; /* see tree_add(), or REFUSED "…" */
};

/* "V" at the beginning of a path or target stands for the victims' absolute path. */
static const char *in_world(const struct world *world, const char *text, struct strv *keep)
{
	_cleanup_free_ char *full = NULL;

	if (!text || text[0] != 'V')
		return text;
	full = xasprintf("%s/victim%s", world->path, text + 1);
	strv_add(keep, full);
	return keep->items[keep->count - 1];
}

static int unpack_case(const struct world *world, struct layer *layer, const struct item *items)
{
	_cleanup_buf_ struct buf tar = BUF_EMPTY;
	_cleanup_strv_ struct strv keep = {0};

	for (; items->path; items++) {
		struct item item = *items;

		item.path = in_world(world, item.path, &keep);
		item.target = in_world(world, item.target, &keep);
		tar_add(&tar, &item);
	}
	tar_end(&tar);
	return layer_unpack_tar(layer, &tar);
}

static void check_case(const struct world *world, const struct hostile_case *hostile)
{
	_cleanup_free_ char *before = describe_victims(world), *after = NULL, *found = NULL;
	const bool refused = str_starts(hostile->expected, REFUSED);
	struct layer layer;
	int r;

	layer_begin(&layer, world, hostile->name);
	r = unpack_case(world, &layer, hostile->items);
	after = describe_victims(world);
	found = tree(layer.rootfd);
	layer_end(&layer);
	if (!str_equal(before, after))
		fail_msg("%s: changed outside:\n%s%s", hostile->name, before, after);
	if (!refused) {
		if (r < 0)
			fail_msg("%s: %s", hostile->name, layer.err.text);
		if (!str_equal(found, hostile->expected))
			fail_msg("%s: expected:\n%sfound:\n%s", hostile->name, hostile->expected,
				 found);
		return;
	}
	if (r >= 0)
		fail_msg("%s: not refused:\n%s", hostile->name, found);
	if (!strstr(layer.err.text, hostile->expected + strlen(REFUSED)))
		fail_msg("%s: %s, and the text is: %s", hostile->name, hostile->expected,
			 layer.err.text);
}

static void check_cases(const struct world *world, const struct hostile_case *cases, size_t count)
{
	put_victims(world);
	for (size_t i = 0; i < count; i++)
		check_case(world, &cases[i]);
}

/* CVE-2021-29136: an entry for the root that is no directory takes its place. */
static const struct hostile_case root_cases[] = {
	{"dot-link",
	 {{.path = ".", .type = '2', .target = "V"}, {.path = "passwd", .data = "x"}},
	 REFUSED "root"},
	{"dot-slash-link", {{.path = "./", .type = '2', .target = "V"}}, REFUSED "root"},
	{"slash-link", {{.path = "/", .type = '2', .target = "V"}}, REFUSED "root"},
	{"slash-dot-link", {{.path = "/.", .type = '2', .target = "V"}}, REFUSED "root"},
	{"up-link", {{.path = "a/..", .type = '2', .target = "V"}}, REFUSED "\"..\""},
	{"dot-hard-link", {{.path = ".", .type = '1', .target = "a"}}, REFUSED "root"},
	{"dot-file", {{.path = "./.", .data = "x"}}, REFUSED "root"},
	{"dot-device", {{.path = ".", .type = '3', .major = 1}}, REFUSED "root"},
	{"dot-fifo", {{.path = "//", .type = '6'}}, REFUSED "root"},
	{"dot-whiteout", {{.path = ".wh.."}}, REFUSED "hides nothing"},
	{"dots-whiteout", {{.path = "a/.wh..."}}, REFUSED "hides nothing"},
	{"dot-directory", {{.path = ".", .type = '5', .mode = 0700}, {.path = "a"}}, "a=\n"},
	{"link-to-root", {{.path = "a", .type = '1', .target = "."}}, REFUSED "root"},
	{"link-to-slash", {{.path = "a", .type = '1', .target = "/"}}, REFUSED "root"},
};

/* CVE-2026-17106 and its kin: links that lead out, and what is written through them. */
static const struct hostile_case link_cases[] = {
	{"parent", {{.path = "../victim/passwd", .data = "x"}}, REFUSED "\"..\""},
	{"parent-late", {{.path = "a/b/../../../victim/passwd", .data = "x"}}, REFUSED "\"..\""},
	{"parent-end", {{.path = "a/..", .type = '5'}}, REFUSED "\"..\""},
	{"through-absolute",
	 {{.path = "d", .type = '2', .target = "/victim"}, {.path = "d/x", .data = "x"}},
	 "d->/victim\nvictim/\nvictim/x=x\n"},
	{"through-relative",
	 {{.path = "d", .type = '2', .target = "../victim"}, {.path = "d/passwd", .data = "x"}},
	 "d->../victim\nvictim/\nvictim/passwd=x\n"},
	{"through-chain",
	 {{.path = "d", .type = '2', .target = "e/../../victim"},
	  {.path = "e", .type = '2', .target = ".."},
	  {.path = "d/x", .data = "x"}},
	 "d->e/../../victim\ne->..\nvictim/\nvictim/x=x\n"},
	{"link-loop",
	 {{.path = "a", .type = '2', .target = "b"},
	  {.path = "b", .type = '2', .target = "a"},
	  {.path = "a/x", .data = "x"}},
	 REFUSED "symbolic links"},
	{"link-to-itself",
	 {{.path = "a", .type = '2', .target = "a"}, {.path = "a/x"}},
	 REFUSED "symbolic links"},
	{"file-over-link",
	 {{.path = "p", .type = '2', .target = "../victim/passwd"},
	  {.path = "p", .data = "x", .mode = 04777, .uid = 9}},
	 "p=x\n"},
	{"directory-over-link",
	 {{.path = "p", .type = '2', .target = "../victim"},
	  {.path = "p/", .type = '5', .mode = 0777, .uid = 9}},
	 "p/!\n"},
	{"device-over-link",
	 {{.path = "p", .type = '2', .target = "../victim/passwd"},
	  {.path = "p", .type = '6', .mode = 0777, .uid = 9}},
	 "p%p 0:0\n"},
	{"hard-link-up",
	 {{.path = "h", .type = '1', .target = "../victim/passwd"}},
	 REFUSED "\"..\""},
	{"hard-link-late-up",
	 {{.path = "h", .type = '1', .target = "a/../../victim/passwd"}},
	 REFUSED "\"..\""},
	{"hard-link-through-link",
	 {{.path = "d", .type = '2', .target = "../victim"},
	  {.path = "h", .type = '1', .target = "d/passwd"},
	  {.path = "h", .data = "x", .mode = 0777}},
	 "d->../victim\nh=x\n"},
	{"hard-link-to-link",
	 {{.path = "l", .type = '2', .target = "../victim/passwd"},
	  {.path = "h", .type = '1', .target = "l", .mode = 0777, .uid = 9},
	  {.path = "h", .data = "x"}},
	 "h=x\nl->../victim/passwd\n"},
	{"hard-link-metadata",
	 {{.path = "l", .type = '2', .target = "../victim/passwd"},
	  {.path = "h",
	   .type = '1',
	   .target = "l",
	   .mode = 04777,
	   .uid = 9,
	   .mtime = 9,
	   .pax = {"SCHILY.xattr.trusted.x=y"}}},
	 "h->../victim/passwd*2\nl->../victim/passwd*2\n"},
	{"hard-link-to-directory",
	 {{.path = "d/", .type = '5'}, {.path = "h", .type = '1', .target = "d"}},
	 REFUSED "directory"},
	{"hard-link-to-later-directory",
	 {{.path = "h", .type = '1', .target = "d"}, {.path = "d/", .type = '5'}},
	 REFUSED "directory"},
	{"hard-link-into-itself",
	 {{.path = "a/", .type = '5'},
	  {.path = "a/b", .data = "x"},
	  {.path = "a", .type = '1', .target = "a/b"}},
	 REFUSED "link"},
	{"metadata-over-link",
	 {{.path = "l",
	   .type = '2',
	   .target = "../victim/passwd",
	   .mode = 0777,
	   .uid = 9,
	   .mtime = 9,
	   .pax = {"SCHILY.xattr.trusted.x=y"}}},
	 "l->../victim/passwd\n"},
	/* Times of directories are set at the end: by then it is a link. */
	{"late-directory-time",
	 {{.path = "a/", .type = '5', .mtime = 7},
	  {.path = "a/d/", .type = '5', .mtime = 7},
	  {.path = "a", .type = '2', .target = "../victim"}},
	 "a->../victim\n"},
	{"late-link",
	 {{.path = "a/d/h", .type = '1', .target = "f"},
	  {.path = "a", .type = '2', .target = "../victim"},
	  {.path = "f"}},
	 "a->../victim\nf=\n"},
	/* What hides something is not what kept the place of a link. */
	{"late-link-elsewhere",
	 {{.path = "a/d/h", .type = '1', .target = "f"},
	  {.path = "a", .type = '2', .target = "b"},
	  {.path = "b/d/.wh.h"},
	  {.path = "f"}},
	 "a->b\nb/\nb/d/\nb/d/h%\nf=\n"},
	{"late-link-target",
	 {{.path = "h", .type = '1', .target = "a/passwd"},
	  {.path = "a", .type = '2', .target = "../victim"}},
	 "a->../victim\nh%\n"},
	{"link-swapped-for-directory",
	 {{.path = "d", .type = '2', .target = "../victim"},
	  {.path = "d/", .type = '5'},
	  {.path = "d/passwd", .data = "x"},
	  {.path = "d", .type = '2', .target = "../victim"},
	  {.path = "d/passwd", .data = "y"}},
	 "d->../victim\nvictim/\nvictim/passwd=y\n"},
	{"legitimate-replacement",
	 {{.path = "etc/", .type = '5'},
	  {.path = "etc/resolv.conf", .type = '2', .target = "../run/resolv.conf"},
	  {.path = "etc/resolv.conf", .data = "x"}},
	 "etc/\netc/resolv.conf=x\n"},
};

static const struct hostile_case whiteout_cases[] = {
	{"alone", {{.path = ".wh."}}, REFUSED "hides nothing"},
	{"alone-below", {{.path = "a/.wh."}}, REFUSED "hides nothing"},
	{"meta-alone", {{.path = ".wh..wh."}}, REFUSED "hides nothing"},
	{"meta-other", {{.path = ".wh..wh.foo", .data = "x"}, {.path = "d/.wh..wh.orph/x"}}, ""},
	{"as-directory", {{.path = ".wh.a/b", .data = "x"}}, REFUSED "no directory"},
	{"below-link",
	 {{.path = "d", .type = '2', .target = "../victim"}, {.path = "d/.wh.passwd"}},
	 "d->../victim\nvictim/\nvictim/passwd%\n"},
	{"opaque-below-link",
	 {{.path = "d", .type = '2', .target = "V"},
	  {.path = "d/.wh..wh..opq"},
	  {.path = "d/.wh.d"}},
	 ""},
	{"of-own-file",
	 {{.path = "a", .data = "x"},
	  {.path = "d/", .type = '5'},
	  {.path = "d/b", .data = "y"},
	  {.path = ".wh.a"},
	  {.path = ".wh.d"}},
	 "a=x\nd/!\nd/b=y\n"},
	{"device", {{.path = "a", .type = '3'}}, REFUSED "0:0"},
	{"device-by-type", {{.path = "a", .type = '4'}}, "a%b 0:0\n"},
	{"device-over-file",
	 {{.path = "a", .data = "x"}, {.path = "a", .type = '3'}},
	 REFUSED "0:0"},
	{"attributes",
	 {{.path = "d/",
	   .type = '5',
	   .pax = {"SCHILY.xattr.trusted.overlay.opaque=y", "SCHILY.xattr.user.overlay.opaque=y"}},
	  {.path = "f",
	   .pax = {"SCHILY.xattr.trusted.overlay.redirect=/x",
		   "SCHILY.xattr.trusted.overlay.metacopy=x"}}},
	 "d/\nf=\n"},
};

#define X16  "xxxxxxxxxxxxxxxx"
#define X256 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16

static const struct hostile_case name_cases[] = {
	{"backslash", {{.path = "..\\victim\\passwd", .data = "x"}}, "..\\victim\\passwd=x\n"},
	{"blank", {{.path = " ", .data = "x"}, {.path = "...", .data = "y"}}, " =x\n...=y\n"},
	{"control", {{.path = "\033[2J\n", .data = "x"}}, "\033[2J\n=x\n"},
	{"no-utf8", {{.path = "\377\376", .data = "x"}}, "\377\376=x\n"},
	{"too-long-name", {{X256, .data = "x"}}, REFUSED "too long"},
	{"pax-path",
	 {{.path = "a", .data = "x", .pax = {"path=../victim/passwd"}}},
	 REFUSED "\"..\""},
	{"pax-absolute", {{.path = "a", .data = "x", .pax = {"path=/b"}}}, "b=x\n"},
	{"pax-link",
	 {{.path = "a", .type = '1', .target = "b", .pax = {"linkpath=../victim/passwd"}}},
	 REFUSED "\"..\""},
	{"below-file",
	 {{.path = "a", .data = "x"}, {.path = "a/b", .data = "y"}},
	 REFUSED "in the way"},
	{"below-fifo",
	 {{.path = "a", .type = '6'}, {.path = "a/b", .data = "y"}},
	 REFUSED "in the way"},
	{"owner-minus-one", {{.path = "a", .pax = {"uid=4294967295"}}}, REFUSED "4294967295"},
	{"owner-beyond", {{.path = "a", .pax = {"gid=4294967296"}}}, REFUSED "4294967296"},
	{"link-without-target", {{.path = "a", .type = '2'}}, REFUSED "a"},
	{"hard-link-without-target", {{.path = "a", .type = '1'}}, REFUSED "root"},
};

static void test_root(void **state)
{
	check_cases(*state, root_cases, ARRAY_SIZE(root_cases));
}

static void test_links(void **state)
{
	check_cases(*state, link_cases, ARRAY_SIZE(link_cases));
}

/* The one whose tree has the world's own path in it is compared without it. */
static void test_whiteouts(void **state)
{
	const struct world *world = *state;

	put_victims(world);
	for (size_t i = 0; i < ARRAY_SIZE(whiteout_cases); i++) {
		struct hostile_case hostile = whiteout_cases[i];
		_cleanup_free_ char *expected =
			xasprintf("d->%s/victim\ntmp/\n%s/\n%s/victim/!\n", world->path,
				  world->path + 1, world->path + 1);

		if (str_equal(hostile.name, "opaque-below-link"))
			hostile.expected = expected;
		check_case(world, &hostile);
	}
}

static void test_names(void **state)
{
	check_cases(*state, name_cases, ARRAY_SIZE(name_cases));
}

/* @depth directories within each other. */
static char *deep_path(size_t depth)
{
	struct buf path = BUF_EMPTY;

	for (size_t i = 0; i < depth; i++)
		buf_add_string(&path, "d/");
	buf_add_string(&path, "f");
	return buf_take(&path);
}

static void test_depth(void **state)
{
	_cleanup_free_ char *fine = deep_path(255), *deep = deep_path(256);
	struct layer layer;

	layer_begin(&layer, *state, "fine");
	assert_fine(layer_unpack(&layer, (const struct item[]){{.path = fine}, {.path = NULL}}),
		    layer.err);
	layer_end(&layer);
	layer_begin(&layer, *state, "deep");
	assert_failed(layer_unpack(&layer, (const struct item[]){{.path = deep}, {.path = NULL}}),
		      layer.err, -EINVAL);
	assert_contains(layer.err.text, "--max-depth");
	layer_end(&layer);
}

/* Links that lead deeper and deeper make a path that no entry has. */
static void test_depth_by_links(void **state)
{
	struct layer layer;

	layer_begin(&layer, *state, "root");
	layer.limits.path_depth = 8;
	assert_failed(
		layer_unpack(&layer,
			     (const struct item[]){
				     {.path = "l", .type = '2', .target = "a/b/c/d/e"},
				     {.path = "a/b/c/d/e", .type = '2', .target = "f/g/h/i/j"},
				     {.path = "l/x", .data = "x"},
				     {.path = NULL}}),
		layer.err, -EINVAL);
	assert_contains(layer.err.text, "--max-depth");
	layer_end(&layer);
}

static void test_limits(void **state)
{
	const struct item items[] = {
		{.path = "a/b/c", .data = "12345"}, {.path = "d", .data = "67890"}, {.path = NULL}};
	_Atomic uint64_t image_bytes = 0;
	struct layer layer;

	layer_begin(&layer, *state, "entries");
	layer.limits.entries = 3;
	assert_failed(layer_unpack(&layer, items), layer.err, -EINVAL);
	assert_contains(layer.err.text, "--max-files");
	layer_end(&layer);
	layer_begin(&layer, *state, "bytes");
	layer.limits.layer_bytes = 9;
	assert_failed(layer_unpack(&layer, items), layer.err, -EFBIG);
	assert_contains(layer.err.text, "--max-layer-size");
	layer_end(&layer);
	layer_begin(&layer, *state, "image");
	layer.options.image_bytes = &image_bytes;
	image_bytes = 91;
	layer.limits.image_bytes = 100;
	assert_failed(layer_unpack(&layer, items), layer.err, -EFBIG);
	assert_contains(layer.err.text, "--max-image-size");
	layer_end(&layer);
	layer_begin(&layer, *state, "exact");
	layer.limits.entries = 4;
	layer.limits.layer_bytes = 10;
	assert_fine(layer_unpack(&layer, items), layer.err);
	layer_end(&layer);
}

/* A map whose pieces overlap, go back, or lie behind the file's end. */
static void test_sparse_maps(void **state)
{
	static const char *const maps[] = {
		"GNU.sparse.map=0,512,256,512", "GNU.sparse.map=512,512,0,512",
		"GNU.sparse.map=4096,1024", "GNU.sparse.map=18446744073709551615,1024",
		"GNU.sparse.map=0,512"};
	_cleanup_free_ char *data = xcalloc(1025, 1);

	memset(data, 'x', 1024);
	for (size_t i = 0; i < ARRAY_SIZE(maps); i++) {
		_cleanup_free_ char *name = xasprintf("map%zu", i);
		struct layer layer;

		layer_begin(&layer, *state, name);
		if (layer_unpack(&layer,
				 (const struct item[]){
					 {"a", .data = data,
					  .pax = {"GNU.sparse.numblocks=2", "GNU.sparse.size=4096",
						  "GNU.sparse.name=a", maps[i]}},
					 {.path = NULL}}) >= 0)
			fail_msg("not refused: %s", maps[i]);
		layer_end(&layer);
	}
}

/* A full disk, and a full index: reported, not passed over. */
static void test_full(void **state)
{
	struct layer layer;
	struct rlimit old, small;
	int r;

	layer_begin(&layer, *state, "root");
	fd_close(layer.indexfd);
	layer.indexfd = open("/dev/full", O_RDWR | O_CLOEXEC);
	layer.options.indexfd = layer.indexfd;
	assert_failed(layer_unpack(&layer, (const struct item[]){{.path = "a"}, {.path = NULL}}),
		      layer.err, -ENOSPC);
	layer_end(&layer);
	layer_begin(&layer, *state, "limit");
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = (struct rlimit){.rlim_cur = 4, .rlim_max = old.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	r = layer_unpack(&layer,
			 (const struct item[]){{.path = "a", .data = "123456"}, {.path = NULL}});
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_failed(r, layer.err, -EFBIG);
	assert_contains(layer.err.text, "write \"a\"");
	layer_end(&layer);
}

/* Bits turned over in an archive: refused or unpacked, and nothing outside changes. */
static void test_damage(void **state)
{
	_cleanup_buf_ struct buf tar = BUF_EMPTY;
	_cleanup_free_ char *before = NULL, *after = NULL;
	unsigned random = 1;

	put_victims(*state);
	before = describe_victims(*state);
	for (const struct item *item = link_cases[5].items; item->path; item++)
		tar_add(&tar, item);
	tar_end(&tar);
	for (unsigned i = 0; i < 300; i++) {
		_cleanup_free_ char *name = xasprintf("damage%u", i);
		struct layer layer;
		char *byte;

		random = random * 1103515245 + 12345;
		byte = tar.data + (random >> 8) % tar.size;
		*byte ^= (char)(1 << (random & 7));
		layer_begin(&layer, *state, name);
		ignore(layer_unpack_tar(&layer, &tar));
		layer_end(&layer);
		*byte ^= (char)(1 << (random & 7));
	}
	after = describe_victims(*state);
	assert_string_equal(before, after);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(test_root),	    world_test(test_links),
		world_test(test_whiteouts), world_test(test_names),
		world_test(test_depth),	    world_test(test_depth_by_links),
		world_test(test_limits),    world_test(test_sparse_maps),
		world_test(test_full),	    world_test(test_damage),
	};

	if (skip_all_without(SYS_openat2, "openat2"))
		return 0;
	if (no_root()) {
		print_message("skipped, all tests: owners and devices need root\n");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
