/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Unpacking honest layers: what is there afterwards, with what metadata; and what is noted. No link
 * here leads to something that a host has, since a program that is broken would change that.
 */
#include "layer/index.h"

#include "layer.h"

#define ROOT_ONLY()                                                                                \
	do {                                                                                       \
		if (no_root())                                                                     \
			skip_because("owners and devices need root");                              \
	} while (0)

/* A case: what is unpacked, and the tree that comes of it. */
struct tree_case {
	const char *name;
	struct item items[ITEMS_MAX];
	const char *expected;
};

static void check_trees(const struct world *world, const struct tree_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct layer layer;
		int r;

		layer_begin(&layer, world, cases[i].name);
		r = layer_unpack(&layer, cases[i].items);
		if (r < 0)
			fail_msg("%s: %s", cases[i].name, layer.err.text);
		print_message("%s\n", cases[i].name);
		assert_tree(layer.rootfd, cases[i].expected);
		layer_end(&layer);
	}
}

static const struct tree_case plain_cases[] = {
	{"nothing", {{0}}, ""},
	{"kinds",
	 {{.path = "d/", .type = '5'},
	  {.path = "d/f", .data = "hello"},
	  {.path = "d/l", .type = '2', .target = "f"},
	  {.path = "d/h", .type = '1', .target = "d/f"},
	  {.path = "p", .type = '6'},
	  {.path = "old"},
	  {.path = "contiguous", .type = '7', .data = "x"}},
	 "contiguous=x\nd/\nd/f=hello*2\nd/h=hello*2\nd/l->f\nold=\np%p 0:0\n"},
	{"names",
	 {{.path = "./a", .data = "1"},
	  {.path = "/b", .data = "2"},
	  {.path = "c//d/./e", .data = "3"},
	  {.path = "./", .type = '5'}},
	 "a=1\nb=2\nc/\nc/d/\nc/d/e=3\n"},
	{"through-links",
	 {{.path = "own/lib/", .type = '5'},
	  {.path = "lib", .type = '2', .target = "own/lib"},
	  {.path = "lib/x", .data = "x"},
	  {.path = "abs", .type = '2', .target = "/own"},
	  {.path = "abs/lib/y", .data = "y"},
	  {.path = "own/up", .type = '2', .target = "../../../own/lib"},
	  {.path = "own/up/z", .data = "z"},
	  {.path = "h", .type = '1', .target = "abs/lib/y"}},
	 "abs->/own\nh=y*2\nlib->own/lib\nown/\nown/lib/\nown/lib/x=x\nown/lib/y=y*2\n"
	 "own/lib/z=z\nown/up->../../../own/lib\n"},
	{"dangling-parent",
	 {{.path = "lib", .type = '2', .target = "usr/lib/deep"},
	  {.path = "lib/x", .data = "x"},
	  {.path = "lib/y", .data = "y"}},
	 "lib->usr/lib/deep\nusr/\nusr/lib/\nusr/lib/deep/\nusr/lib/deep/x=x\n"
	 "usr/lib/deep/y=y\n"},
	{"last-wins",
	 {{.path = "a", .data = "1"},
	  {.path = "h", .type = '1', .target = "a"},
	  {.path = "a", .data = "2"},
	  {.path = "f", .data = "x"},
	  {.path = "f", .type = '2', .target = "a"},
	  {.path = "f", .data = "y"}},
	 "a=2\nf=y\nh=1\n"},
	{"directory-becomes-file",
	 {{.path = "a/", .type = '5'},
	  {.path = "a/b/", .type = '5'},
	  {.path = "a/b/c", .data = "x"},
	  {.path = "a", .data = "y"},
	  {.path = "d/e"}},
	 "a=y\nd/\nd/e=\n"},
	{"file-becomes-directory",
	 {{.path = "a", .data = "x"}, {.path = "a/", .type = '5'}, {.path = "a/b", .data = "y"}},
	 "a/!\na/b=y\n"},
	{"link-becomes-directory",
	 {{.path = "t/", .type = '5'},
	  {.path = "t/old", .data = "o"},
	  {.path = "a", .type = '2', .target = "t"},
	  {.path = "a/one", .data = "1"},
	  {.path = "a/", .type = '5'},
	  {.path = "a/two", .data = "2"}},
	 "a/!\na/two=2\nt/\nt/old=o\nt/one=1\n"},
	{"forward-link",
	 {{.path = "h1", .type = '1', .target = "h2"},
	  {.path = "h2", .type = '1', .target = "d/f"},
	  {.path = "d/", .type = '5'},
	  {.path = "d/f", .data = "x"}},
	 "d/\nd/f=x*3\nh1=x*3\nh2=x*3\n"},
	{"forward-link-replaced",
	 {{.path = "h", .type = '1', .target = "f"},
	  {.path = "h", .data = "own"},
	  {.path = "f", .data = "x"}},
	 "f=x\nh=own\n"},
	{"link-to-itself",
	 {{.path = "a", .data = "x"},
	  {.path = "a", .type = '1', .target = "a"},
	  {.path = "b", .type = '1', .target = "a"},
	  {.path = "b", .type = '1', .target = "a"}},
	 "a=x*2\nb=x*2\n"},
	{"link-to-link",
	 {{.path = "a", .type = '2', .target = "nowhere"},
	  {.path = "b", .type = '1', .target = "a"}},
	 "a->nowhere*2\nb->nowhere*2\n"},
	{"open-link", {{.path = "d/a", .type = '1', .target = "/gone/f"}}, "d/\nd/a%\n"},
};

static void test_plain(void **state)
{
	ROOT_ONLY();
	check_trees(*state, plain_cases, ARRAY_SIZE(plain_cases));
}

static const struct tree_case whiteout_cases[] = {
	{"simple", {{.path = ".wh.a"}, {.path = "d/.wh.b"}}, "a%\nd/\nd/b%\n"},
	{"then-file", {{.path = ".wh.a"}, {.path = "a", .data = "x"}}, "a=x\n"},
	{"after-file", {{.path = "a", .data = "x"}, {.path = ".wh.a"}}, "a=x\n"},
	{"then-directory",
	 {{.path = ".wh.a"}, {.path = "a/", .type = '5'}, {.path = "a/b"}},
	 "a/!\na/b=\n"},
	{"then-child", {{.path = ".wh.a"}, {.path = "a/b/c"}}, "a/!\na/b/\na/b/c=\n"},
	{"after-directory", {{.path = "a/b"}, {.path = ".wh.a"}}, "a/!\na/b=\n"},
	{"after-link", {{.path = "a", .type = '2', .target = "b"}, {.path = ".wh.a"}}, "a->b\n"},
	{"opaque",
	 {{.path = "a/", .type = '5'}, {.path = "a/.wh..wh..opq"}, {.path = "a/b"}},
	 "a/!\na/b=\n"},
	{"opaque-late",
	 {{.path = "a/b"}, {.path = "a/.wh.c"}, {.path = "a/.wh..wh..opq"}},
	 "a/!\na/b=\n"},
	{"opaque-early",
	 {{.path = "a/.wh..wh..opq"}, {.path = "a/.wh.c"}, {.path = "a/", .type = '5'}},
	 "a/!\n"},
	{"opaque-through-link",
	 {{.path = "t/", .type = '5'},
	  {.path = "a", .type = '2', .target = "t"},
	  {.path = "a/.wh..wh..opq"},
	  {.path = "a/.wh.c"},
	  {.path = "t/.wh.d"}},
	 "a->t\nt/!\n"},
	{"below-file",
	 {{.path = "a", .data = "x"}, {.path = "a/.wh.b"}, {.path = "a/.wh..wh..opq"}},
	 "a=x\n"},
	{"aufs",
	 {{.path = ".wh..wh.aufs"},
	  {.path = ".wh..wh.plnk/", .type = '5'},
	  {.path = ".wh..wh.plnk/1.2"},
	  {.path = "a"}},
	 "a=\n"},
	{"not-a-prefix", {{.path = "a.wh.b"}, {.path = ".whb"}}, ".whb=\na.wh.b=\n"},
	{"of-whiteout-name", {{.path = ".wh. x"}}, " x%\n"},
	{"any-type",
	 {{.path = ".wh.a", .type = '2', .target = "x"},
	  {.path = ".wh.b/", .type = '5'},
	  {.path = ".wh.c", .type = '1', .target = "x"}},
	 "a%\nb%\nc%\n"},
};

static void test_whiteouts(void **state)
{
	ROOT_ONLY();
	check_trees(*state, whiteout_cases, ARRAY_SIZE(whiteout_cases));
}

/* The attribute that makes overlayfs look for whiteouts in a directory of one layer alone. */
static void test_whiteout_mark(void **state)
{
	struct layer layer;
	_cleanup_fd_ int fd = -EBADF;
	char value;

	ROOT_ONLY();
	layer_begin(&layer, *state, "root");
	assert_fine(
		layer_unpack(&layer, (const struct item[]){{.path = "d/.wh.a"}, {.path = NULL}}),
		layer.err);
	fd = openat(layer.rootfd, "d", O_RDONLY | O_CLOEXEC);
	assert_int_equal(fgetxattr(fd, "trusted.overlay.origin", &value, 1), 0);
	layer_end(&layer);
}

static void test_root_opaque(void **state)
{
	struct layer layer;

	ROOT_ONLY();
	layer_begin(&layer, *state, "root");
	assert_fine(layer_unpack(&layer,
				 (const struct item[]){{.path = ".wh..wh..opq"}, {.path = NULL}}),
		    layer.err);
	assert_true(is_opaque(layer.rootfd));
	layer_end(&layer);
}

static void assert_stat(int dirfd, const char *name, mode_t mode, unsigned uid, unsigned gid,
			long seconds)
{
	struct stat st;

	assert_int_equal(fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW), 0);
	if ((st.st_mode & 07777) != mode || st.st_uid != uid || st.st_gid != gid ||
	    st.st_mtim.tv_sec != seconds)
		fail_msg("%s: %o %u:%u %ld", name, st.st_mode & 07777, st.st_uid, st.st_gid,
			 (long)st.st_mtim.tv_sec);
}

static void test_metadata(void **state)
{
	struct layer layer;
	struct stat st;
	mode_t mask = umask(077);

	ROOT_ONLY();
	layer_begin(&layer, *state, "root");
	assert_fine(
		layer_unpack(
			&layer,
			(const struct item[]){
				{.path = "./",
				 .type = '5',
				 .mode = 0711,
				 .uid = 3,
				 .gid = 4,
				 .mtime = 9},
				{.path = "g/", .type = '5', .mode = 02775, .gid = 50, .mtime = 10},
				{.path = "g/implied/x", .mtime = 12},
				{.path = "g/suid", .mode = 04755, .uid = 7, .gid = 8, .mtime = 11},
				{.path = "g/none", .mode = 010000, .data = "x"},
				{.path = "g/l", .type = '2', .target = "x", .uid = 70, .mtime = 13},
				{.path = "g/p", .type = '6', .mode = 0666, .uid = 5, .mtime = 14},
				{.path = "g/null",
				 .type = '3',
				 .mode = 0666,
				 .gid = 6,
				 .mtime = 15,
				 .major = 1,
				 .minor = 3},
				{.path = "g/h",
				 .type = '1',
				 .target = "g/suid",
				 .mode = 0777,
				 .uid = 99,
				 .mtime = 77},
				{.path = "before", .mtime = 1, .pax = {"mtime=-5.25"}},
				{.path = "nano", .pax = {"mtime=17.123456789"}},
				{.path = NULL}}),
		layer.err);
	umask(mask);
	assert_stat(layer.rootfd, ".", 0711, 3, 4, 9);
	assert_stat(layer.rootfd, "g", 02775, 0, 50, 10);
	assert_stat(layer.rootfd, "g/implied", 0755, 0, 0, 0);
	assert_stat(layer.rootfd, "g/implied/x", 0644, 0, 0, 12);
	assert_stat(layer.rootfd, "g/suid", 04755, 7, 8, 11);
	assert_stat(layer.rootfd, "g/h", 04755, 7, 8, 11);
	assert_stat(layer.rootfd, "g/none", 0, 0, 0, 0);
	assert_stat(layer.rootfd, "g/l", 0777, 70, 0, 13);
	assert_stat(layer.rootfd, "g/p", 0666, 5, 0, 14);
	assert_stat(layer.rootfd, "g/null", 0666, 0, 6, 15);
	assert_stat(layer.rootfd, "before", 0644, 0, 0, -6);
	assert_int_equal(fstatat(layer.rootfd, "nano", &st, 0), 0);
	assert_int_equal(st.st_mtim.tv_nsec, 123456789);
	assert_int_equal(layer.result.bytes, 1);
	assert_int_equal(layer.result.entries, 12);
	layer_end(&layer);
}

/* A directory that comes twice has what its last entry says, and nothing of the first. */
static void test_directory_again(void **state)
{
	struct layer layer;
	_cleanup_fd_ int fd = -EBADF;
	char value[8];

	ROOT_ONLY();
	layer_begin(&layer, *state, "root");
	assert_fine(
		layer_unpack(&layer,
			     (const struct item[]){{.path = "d/",
						    .type = '5',
						    .mode = 0700,
						    .uid = 1,
						    .mtime = 5,
						    .pax = {"SCHILY.xattr.trusted.one=1",
							    "SCHILY.xattr.trusted.overlay.x=1"}},
						   {.path = "d/f", .data = "x"},
						   {.path = "d/",
						    .type = '5',
						    .mode = 0755,
						    .gid = 2,
						    .mtime = 6,
						    .pax = {"SCHILY.xattr.trusted.two=2"}},
						   {.path = "d/g", .data = "x"},
						   {.path = NULL}}),
		layer.err);
	assert_stat(layer.rootfd, "d", 0755, 0, 2, 6);
	fd = openat(layer.rootfd, "d", O_RDONLY | O_CLOEXEC);
	assert_int_equal(fgetxattr(fd, "trusted.one", value, sizeof(value)), -1);
	assert_int_equal(fgetxattr(fd, "trusted.overlay.overlay.x", value, sizeof(value)), -1);
	assert_int_equal(fgetxattr(fd, "trusted.two", value, sizeof(value)), 1);
	layer_end(&layer);
}

/* @name's attribute has this value; NULL: there is none. */
static void assert_xattr(int dirfd, const char *name, const char *xattr, const char *expected)
{
	_cleanup_fd_ int fd = openat(dirfd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	_cleanup_free_ char *path = xasprintf("/proc/self/fd/%d", fd);
	char value[256] = {0};
	ssize_t size = getxattr(path, xattr, value, sizeof(value) - 1);

	if (!expected ? size >= 0
		      : size != (ssize_t)strlen(expected) || !str_equal(value, expected))
		fail_msg("%s of %s: %zd \"%s\"", xattr, name, size, value);
}

static void test_xattrs(void **state)
{
	struct layer layer;

	ROOT_ONLY();
	layer_begin(&layer, *state, "root");
	assert_fine(layer_unpack(
			    &layer,
			    (const struct item[]){
				    {.path = "a",
				     .uid = 3,
				     .data = "x",
				     .pax = {"SCHILY.xattr.trusted.x=\001\n=y",
					     "SCHILY.xattr.security.selinux=label",
					     "SCHILY.xattr.trusted.overlay.metacopy=",
					     "SCHILY.xattr.user.overlay.redirect=/x"}},
				    {.path = "d/",
				     .type = '5',
				     .pax = {"SCHILY.xattr.trusted.overlay.opaque=y",
					     "SCHILY.xattr.trusted.overlay.redirect=/etc",
					     "SCHILY.xattr.security.ima=z",
					     "SCHILY.xattr.security.evm=z"}},
				    {.path = "l",
				     .type = '2',
				     .target = "/berth-unit/nowhere",
				     .pax = {"SCHILY.xattr.trusted.y=z", "SCHILY.xattr.user.y=z"}},
				    {.path = "p", .type = '6', .pax = {"SCHILY.xattr.trusted.y=z"}},
				    {.path = NULL}}),
		    layer.err);
	assert_xattr(layer.rootfd, "a", "trusted.x", "\001\n=y");
	assert_xattr(layer.rootfd, "a", "trusted.overlay.metacopy", NULL);
	assert_xattr(layer.rootfd, "a", "trusted.overlay.overlay.metacopy", "");
	assert_xattr(layer.rootfd, "a", "user.overlay.redirect", NULL);
	assert_xattr(layer.rootfd, "d", "trusted.overlay.opaque", NULL);
	assert_xattr(layer.rootfd, "d", "trusted.overlay.overlay.redirect", "/etc");
	assert_xattr(layer.rootfd, "a", "security.selinux", NULL);
	assert_xattr(layer.rootfd, "d", "security.ima", NULL);
	assert_xattr(layer.rootfd, "l", "trusted.y", "z");
	assert_xattr(layer.rootfd, "p", "trusted.y", "z");
	/* user.overlay.* for one, and user.* of a link. */
	assert_int_equal(layer.result.skipped_xattrs, 2);
	layer_end(&layer);
}

/* A capability of Linux's second form (CAP_NET_RAW); the value has NULs, so it is written raw. */
static void test_capability(void **state)
{
	static const char head[] = "46 SCHILY.xattr.security.capability=";
	static const char value[] = "\1\0\0\2\0\40\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
	_cleanup_buf_ struct buf tar = BUF_EMPTY, records = BUF_EMPTY;
	_cleanup_fd_ int fd = -EBADF;
	struct layer layer;
	char found[32];

	ROOT_ONLY();
	buf_printf(&records, "%zu%s", sizeof(head) - 1 + 20 + 1, head + 2);
	buf_add(&records, value, 20);
	buf_add_char(&records, '\n');
	tar_header(&tar, &(struct item){.path = "pax", .type = 'x'}, records.size);
	buf_add(&tar, records.data, records.size);
	tar_pad(&tar);
	tar_add(&tar, &(struct item){.path = "ping", .data = "x", .uid = 1, .mode = 0755});
	tar_end(&tar);
	layer_begin(&layer, *state, "root");
	assert_fine(layer_unpack_tar(&layer, &tar), layer.err);
	fd = openat(layer.rootfd, "ping", O_RDONLY | O_CLOEXEC);
	assert_int_equal(fgetxattr(fd, "security.capability", found, sizeof(found)), 20);
	assert_memory_equal(found, value, 20);
	layer_end(&layer);
}

/* user.* attributes, and default ACLs, on a file system that has them. */
static void test_default_acl(void **state)
{
	static const char acl[] =
		"\2\0\0\0\1\0\7\0\377\377\377\377\2\0\7\0\1\0\0\0\4\0\5\0\377\377\377"
		"\377\20\0\7\0\377\377\377\377\40\0\5\0\377\377\377\377";
	_cleanup_buf_ struct buf tar = BUF_EMPTY, records = BUF_EMPTY;
	const size_t size = sizeof(acl) - 1;
	const char *key = "SCHILY.xattr.system.posix_acl_default=";
	struct layer layer;

	ROOT_ONLY();
	buf_printf(&records, "%zu %s", 3 + strlen(key) + size + 1, key);
	buf_add(&records, acl, size);
	buf_add_char(&records, '\n');
	tar_header(&tar, &(struct item){.path = "pax", .type = 'x'}, records.size);
	buf_add(&tar, records.data, records.size);
	tar_pad(&tar);
	tar_add(&tar, &(struct item){.path = "d/", .type = '5'});
	tar_add(&tar, &(struct item){.path = "d/f", .mode = 0640});
	tar_add(&tar, &(struct item){.path = "d/s/", .type = '5', .mode = 0750});
	tar_add(&tar, &(struct item){.path = "d/i/f", .mode = 0600});
	tar_add(&tar, &(struct item){.path = "d/p", .type = '6', .mode = 0600});
	tar_end(&tar);
	layer_begin(&layer, *state, "root");
	assert_fine(layer_unpack_tar(&layer, &tar), layer.err);
	if (layer.result.skipped_xattrs) {
		layer_end(&layer);
		skip_because("/tmp has no ACLs");
	}
	assert_stat(layer.rootfd, "d/f", 0640, 0, 0, 0);
	assert_stat(layer.rootfd, "d/s", 0750, 0, 0, 0);
	assert_stat(layer.rootfd, "d/i", 0755, 0, 0, 0);
	assert_stat(layer.rootfd, "d/p", 0600, 0, 0, 0);
	assert_xattr(layer.rootfd, "d/f", "system.posix_acl_access", NULL);
	assert_xattr(layer.rootfd, "d/s", "system.posix_acl_access", NULL);
	assert_xattr(layer.rootfd, "d/s", "system.posix_acl_default", NULL);
	assert_xattr(layer.rootfd, "d/i", "system.posix_acl_default", NULL);
	assert_xattr(layer.rootfd, "d/p", "system.posix_acl_access", NULL);
	layer_end(&layer);
}

static void test_sparse(void **state)
{
	static const char map[] = "2\n1048576\n5\n4194304\n3\n";
	_cleanup_free_ char *data = xcalloc(521, 1);
	_cleanup_buf_ struct buf tar = BUF_EMPTY;
	_cleanup_fd_ int fd = -EBADF;
	struct layer layer;
	struct stat st;
	char found[8] = {0};

	ROOT_ONLY();
	memset(data, '\n', 520);
	memcpy(data, map, sizeof(map) - 1);
	memcpy(data + 512, "helloabc", 8);
	tar_add(&tar,
		&(struct item){.path = "x",
			       .data = data,
			       .pax = {"GNU.sparse.major=1", "GNU.sparse.minor=0",
				       "GNU.sparse.name=sparse", "GNU.sparse.realsize=8388608"}});
	tar_end(&tar);
	layer_begin(&layer, *state, "root");
	assert_fine(layer_unpack_tar(&layer, &tar), layer.err);
	fd = openat(layer.rootfd, "sparse", O_RDONLY | O_CLOEXEC);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, 8388608);
	assert_true(st.st_blocks < 64);
	assert_int_equal(pread(fd, found, 5, 1048576), 5);
	assert_string_equal(found, "hello");
	assert_int_equal(pread(fd, found, 4, 4194304), 4);
	assert_memory_equal(found, "abc\0", 4);
	assert_int_equal(layer.result.bytes, 8);
	layer_end(&layer);
}

/* The index as text, without the numbers that other tests are about. */
static int add_line(void *context, const struct index_entry *line, struct error *err)
{
	struct buf *out = context;

	(void)err;
	buf_printf(out, "%c %s", line->type, line->path);
	if (*line->target)
		buf_printf(out, ">%s", line->target);
	if (line->type == 'f')
		buf_printf(out, "=%llu:%08x", (unsigned long long)line->size, line->check);
	buf_add_char(out, '\n');
	return 0;
}

static void test_index(void **state)
{
	_cleanup_buf_ struct buf out = BUF_EMPTY;
	struct layer layer;

	ROOT_ONLY();
	layer_begin(&layer, *state, "root");
	assert_fine(layer_unpack(&layer,
				 (const struct item[]){
					 {.path = "usr/lib/", .type = '5'},
					 {.path = "lib", .type = '2', .target = "usr/lib"},
					 {.path = "lib/f", .data = "123456789"},
					 {.path = "h", .type = '1', .target = "lib/f"},
					 {.path = "late", .type = '1', .target = "g"},
					 {.path = "open", .type = '1', .target = "./gone"},
					 {.path = "usr/", .type = '5'},
					 {.path = ".wh.w"},
					 {.path = "w/x/.wh..wh..opq"},
					 {.path = "n", .type = '3', .major = 1, .minor = 3},
					 {.path = ".wh.usr"},
					 {.path = "g"},
					 {.path = NULL}}),
		    layer.err);
	assert_fine(index_read(layer.indexfd, add_line, &out, &layer.err), layer.err);
	assert_string_equal(out.data, "i \ni usr\nd usr/lib\nl lib>usr/lib\n"
				      "f usr/lib/f=9:cbf43926\nh h>usr/lib/f\nu late>g\n"
				      "u open>gone\nd usr\nw w\nd w\no w\ni w/x\no w/x\nc n>1:3\n"
				      "o usr\nf g=0:00000000\nh late>g\n");
	assert_int_equal(layer.result.open_links, 1);
	layer_end(&layer);
}

/* More directories than are kept open, in an order that forgets each before it comes again. */
static void test_many_directories(void **state)
{
	_cleanup_buf_ struct buf tar = BUF_EMPTY;
	struct layer layer;
	struct stat st;

	ROOT_ONLY();
	for (unsigned i = 0; i < 2000; i++) {
		_cleanup_free_ char *directory = xasprintf("d%u/", i % 50);
		_cleanup_free_ char *file = xasprintf("d%u/s/f%u", i % 50, i);

		if (i < 50)
			tar_add(&tar,
				&(struct item){.path = directory, .type = '5', .mtime = 1000 + i});
		tar_add(&tar, &(struct item){.path = file, .data = "x"});
	}
	tar_end(&tar);
	layer_begin(&layer, *state, "root");
	assert_fine(layer_unpack_tar(&layer, &tar), layer.err);
	assert_int_equal(layer.result.entries, 2100);
	assert_int_equal(fstatat(layer.rootfd, "d49/s/f1999", &st, 0), 0);
	assert_stat(layer.rootfd, "d49", 0755, 0, 0, 1049);
	layer_end(&layer);
}

static void test_cancel(void **state)
{
	atomic_bool cancelled = true;
	struct layer layer;

	ROOT_ONLY();
	layer_begin(&layer, *state, "root");
	layer.options.cancelled = &cancelled;
	assert_int_equal(layer_unpack(&layer, (const struct item[]){{.path = "a"}, {.path = NULL}}),
			 -ECANCELED);
	layer_end(&layer);
}

static void test_counters(void **state)
{
	atomic_ullong progress = 5;
	_Atomic uint64_t image_bytes = 100;
	struct layer layer;

	ROOT_ONLY();
	layer_begin(&layer, *state, "root");
	layer.options.progress = &progress;
	layer.options.image_bytes = &image_bytes;
	assert_fine(layer_unpack(&layer, (const struct item[]){{.path = "a", .data = "1234"},
							       {.path = NULL}}),
		    layer.err);
	assert_int_equal(progress, 9);
	assert_int_equal(image_bytes, 104);
	layer_end(&layer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(test_plain),		world_test(test_whiteouts),
		world_test(test_whiteout_mark), world_test(test_root_opaque),
		world_test(test_metadata),	world_test(test_directory_again),
		world_test(test_xattrs),	world_test(test_capability),
		world_test(test_default_acl),	world_test(test_sparse),
		world_test(test_index),		world_test(test_many_directories),
		world_test(test_cancel),	world_test(test_counters),
	};

	if (skip_all_without(SYS_openat2, "openat2"))
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
