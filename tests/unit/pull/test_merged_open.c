/* SPDX-License-Identifier: Apache-2.0 */
/* Looking into the layers of an image as overlayfs would show them. */
#include "bundle.h"

/* The first bytes of what is found; the caller's. "-CODE" where it is not. */
static char *found(struct lab *lab, const char *path)
{
	struct bundle_layers layers;
	_cleanup_fd_ int fd = merged_open(&lab_layers(lab, &layers)->merged, path, O_RDONLY);
	char text[64] = "";

	bundle_layers_close(&layers);
	if (fd < 0)
		return xasprintf("-%s", strerrorname_np(-fd));
	if (read(fd, text, sizeof(text) - 1) < 0)
		return xasprintf("(%s)", strerrorname_np(errno));
	return xstrdup(text);
}

#define assert_found(lab, path, expected)                                                          \
	do {                                                                                       \
		_cleanup_free_ char *text_ = found((lab), (path));                                 \
		assert_string_equal(text_, (expected));                                            \
	} while (0)

static void test_layers(void **state)
{
	struct lab lab;

	lab_open(&lab, state);
	LAYER(&lab, {"etc/", ""}, {"etc/one", "1 below"}, {"etc/both", "both below"},
	      {"etc/gone", "gone"}, {"etc/sub/", ""}, {"etc/sub/hidden", "hidden"}, {"dir/", ""},
	      {"dir/file", "in dir"}, {"file", "plain"});
	LAYER(&lab, {"etc/", ""}, {"etc/two", "2 above"}, {"etc/both", "both above"},
	      {"!etc/gone", ""}, {"etc/sub/", ""}, {"etc/sub/shown", "shown"}, {"etc/sub/!", ""},
	      {"dir", "now a file"}, {"file/", ""}, {"file/inside", "now a directory"});
	assert_found(&lab, "/etc/one", "1 below");
	assert_found(&lab, "etc/two", "2 above");
	assert_found(&lab, "//etc/./both", "both above");
	assert_found(&lab, "/etc/gone", "-ENOENT");
	assert_found(&lab, "/etc/sub/hidden", "-ENOENT");
	assert_found(&lab, "/etc/sub/shown", "shown");
	assert_found(&lab, "/etc/sub/../one", "1 below");
	assert_found(&lab, "/../../etc/one", "1 below");
	assert_found(&lab, "/dir", "now a file");
	assert_found(&lab, "/dir/file", "-ENOTDIR");
	assert_found(&lab, "/file/inside", "now a directory");
	assert_found(&lab, "/none/x", "-ENOENT");
	assert_found(&lab, "/", "(EISDIR)");
	lab_close(&lab);
}

static void test_whiteout_then_again(void **state)
{
	struct lab lab;

	lab_open(&lab, state);
	LAYER(&lab, {"d/", ""}, {"d/old", "old"}, {"e/", ""}, {"e/old", "old"});
	LAYER(&lab, {"!d", ""}, {"e/", ""}, {"e/!", ""});
	LAYER(&lab, {"d/", ""}, {"d/new", "new"}, {"e/", ""}, {"e/new", "new"});
	assert_found(&lab, "d/new", "new");
	assert_found(&lab, "d/old", "-ENOENT");
	assert_found(&lab, "e/new", "new");
	assert_found(&lab, "e/old", "-ENOENT");
	lab_close(&lab);
}

static void test_opaque_root(void **state)
{
	struct lab lab;
	int fd;

	lab_open(&lab, state);
	LAYER(&lab, {"old", "old"});
	fd = lab_layer(&lab, (const struct thing[]){{"new", "new"}}, 1);
	assert_int_equal(fsetxattr(fd, "trusted.overlay.opaque", "y", 1, 0), 0);
	fd_close(fd);
	assert_found(&lab, "new", "new");
	assert_found(&lab, "old", "-ENOENT");
	lab_close(&lab);
}

/* What is in the image's own tree, never on the host, whatever links say. */
static void test_links(void **state)
{
	struct lab lab;

	lab_open(&lab, state);
	LAYER(&lab, {"etc", "-> usr/etc"}, {"usr/", ""}, {"usr/etc/", ""},
	      {"usr/etc/passwd", "in usr"}, {"abs", "-> /usr/etc/passwd"},
	      {"up", "-> ../../../../usr/etc/passwd"}, {"loop", "-> loop"}, {"a", "-> b"},
	      {"b", "-> a"}, {"host", "-> /etc/hostname"}, {"magic", "-> /proc/self/root"},
	      {"chain", "-> chain2/passwd"}, {"chain2", "-> /etc"}, {"dangling", "-> nowhere"},
	      {"usr/back", "-> .."});
	LAYER(&lab, {"usr/", ""}, {"usr/etc/", ""}, {"usr/etc/above", "above"});
	assert_found(&lab, "/etc/passwd", "in usr");
	assert_found(&lab, "/etc/above", "above");
	assert_found(&lab, "/etc/../back/abs", "in usr");
	assert_found(&lab, "/abs", "in usr");
	assert_found(&lab, "/up", "in usr");
	assert_found(&lab, "/chain", "in usr");
	assert_found(&lab, "/loop", "-ELOOP");
	assert_found(&lab, "/a", "-ELOOP");
	assert_found(&lab, "/host", "-ENOENT");
	assert_found(&lab, "/magic/etc/passwd", "-ENOENT");
	assert_found(&lab, "/dangling", "-ENOENT");
	lab_close(&lab);
}

/* A link of a lower layer, where an upper one has a directory, is hidden by that. */
static void test_link_below_directory(void **state)
{
	struct lab lab;

	lab_open(&lab, state);
	LAYER(&lab, {"usr/", ""}, {"usr/lib/", ""}, {"usr/lib/old", "old"}, {"lib", "-> usr/lib"});
	LAYER(&lab, {"lib/", ""}, {"lib/new", "new"});
	assert_found(&lab, "/lib/new", "new");
	assert_found(&lab, "/lib/old", "-ENOENT");
	assert_found(&lab, "/usr/lib/old", "old");
	lab_close(&lab);
}

static void test_no_layers(void **state)
{
	struct lab lab;

	lab_open(&lab, state);
	assert_found(&lab, "/etc/passwd", "-ENOENT");
	assert_found(&lab, "/", "-ENOENT");
	lab_close(&lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(test_layers),
		world_test(test_whiteout_then_again),
		world_test(test_opaque_root),
		world_test(test_links),
		world_test(test_link_below_directory),
		world_test(test_no_layers),
	};

	if (skip_all_without(SYS_openat2, "openat2"))
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
