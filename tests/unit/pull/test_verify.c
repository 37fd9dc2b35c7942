/* SPDX-License-Identifier: Apache-2.0 */
/* A layer against its index: every kind of damage is found, and nothing else. */
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "layer/index.h"
#include "layer/metadata.h"
#include "store/verify.h"

#include "../base/unit.h"

struct findings {
	struct buf text; /* "PATH: WHAT\n" each */
};

static void take(void *context, const char *path, const char *what)
{
	struct findings *findings = context;

	buf_printf(&findings->text, "%s: %s\n", path, what);
}

/* Verifies the layer that the world is, and compares what is found. */
static void check(const struct world *world, const char *expected)
{
	struct findings findings = {.text = BUF_EMPTY};
	const struct verify verify = {.finding = take, .context = &findings};
	struct error err = ERROR_NONE;
	uint64_t count = 0;
	size_t lines = 0;

	assert_fine(layer_verify(world->fd, &verify, &count, &err), err);
	assert_string_equal(findings.text.data ? findings.text.data : "", expected);
	for (const char *at = expected; *at; at++)
		lines += *at == '\n';
	assert_int_equal(count, lines);
	buf_done(&findings.text);
}

static void add(struct index_writer *writer, const struct world *world, char type, const char *path,
		const char *target)
{
	_cleanup_free_ char *name = xasprintf("fs/%s", path);
	struct index_entry entry = {.type = type, .path = path, .target = target};
	struct error err = ERROR_NONE;
	struct stat st;

	if (fstatat(world->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		entry.mode = st.st_mode & 07777;
		entry.uid = st.st_uid;
		entry.gid = st.st_gid;
		entry.size = S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
		entry.mtime = st.st_mtim;
	}
	if (type == 'f') {
		_cleanup_fd_ int fd = openat(world->fd, name, O_RDONLY | O_CLOEXEC);

		assert_fine(index_check_file(fd, &entry.check, &err), err);
	}
	if (strchr("fd", type)) {
		_cleanup_fd_ int fd = openat(world->fd, name, O_RDONLY | O_CLOEXEC);

		assert_fine(xattrs_check(fd, &entry.attributes, path, &err), err);
	}
	index_writer_add(writer, &entry);
}

/* A tree with one of each kind that needs no rights. */
static void make_tree(const struct world *world)
{
	put_directory(world, "fs");
	put_directory(world, "fs/etc");
	put_directory(world, "fs/usr");
	put_directory(world, "fs/usr/bin");
	put_file(world, "fs/etc/passwd", "root:x:0:0::/:/bin/sh\n");
	put_file(world, "fs/usr/bin/tool", "#!/bin/sh\n");
	put_file(world, "fs/empty", "");
	assert_int_equal(linkat(world->fd, "fs/usr/bin/tool", world->fd, "fs/usr/bin/other", 0), 0);
	put_link(world, "fs/link", "usr/bin");
	assert_int_equal(mkfifoat(world->fd, "fs/fifo", 0600), 0);
}

static void write_index(const struct world *world)
{
	_cleanup_fd_ int fd =
		openat(world->fd, "index", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	struct index_writer *writer;
	struct error err = ERROR_NONE;

	writer = index_writer_new(fd);
	add(writer, world, 'd', "", "");
	add(writer, world, 'd', "etc", "");
	add(writer, world, 'f', "etc/passwd", "");
	add(writer, world, 'i', "usr", "");
	add(writer, world, 'd', "usr/bin", "");
	add(writer, world, 'f', "usr/bin/tool", "");
	add(writer, world, 'h', "usr/bin/other", "usr/bin/tool");
	add(writer, world, 'f', "empty", "");
	add(writer, world, 'l', "link", "usr/bin");
	add(writer, world, 'p', "fifo", "");
	assert_fine(index_writer_flush(writer, &err), err);
	index_writer_free(writer);
}

static void make(const struct world *world)
{
	make_tree(world);
	write_index(world);
}

/* Puts @content into a file, without changing its time. */
static void forge(const struct world *world, const char *name, const char *content)
{
	struct timespec times[2];
	struct stat st;

	assert_int_equal(fstatat(world->fd, name, &st, 0), 0);
	times[0] = st.st_atim;
	times[1] = st.st_mtim;
	put_file(world, name, content);
	assert_int_equal(utimensat(world->fd, name, times, 0), 0);
}

static void keep_time(const struct world *world, const char *name, struct timespec times[2])
{
	struct stat st;

	assert_int_equal(fstatat(world->fd, name, &st, AT_SYMLINK_NOFOLLOW), 0);
	times[0] = st.st_atim;
	times[1] = st.st_mtim;
}

static void test_whole(void **state)
{
	make(*state);
	check(*state, "");
}

static void test_content(void **state)
{
	make(*state);
	forge(*state, "fs/etc/passwd", "ro0t:x:0:0::/:/bin/sh\n");
	check(*state, "etc/passwd: content\n");
	forge(*state, "fs/etc/passwd", "root");
	forge(*state, "fs/empty", "x");
	check(*state, "etc/passwd: size 4, not 22\nempty: size 1, not 0\n");
}

static void test_metadata(void **state)
{
	const struct world *world = *state;
	const struct timespec times[2] = {{.tv_sec = 5}, {.tv_sec = 5}};

	make(world);
	assert_int_equal(fchmodat(world->fd, "fs/etc/passwd", 04755, 0), 0);
	check(world, "etc/passwd: mode 4755, not 0644\n");
	assert_int_equal(fchmodat(world->fd, "fs/etc/passwd", 0644, 0), 0);
	/* What is implied only has metadata of its own, which say nothing. */
	assert_int_equal(fchmodat(world->fd, "fs/usr", 0700, 0), 0);
	assert_int_equal(utimensat(world->fd, "fs/usr", times, 0), 0);
	check(world, "");
	assert_int_equal(utimensat(world->fd, "fs/link", times, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(utimensat(world->fd, "fs/fifo", times, AT_SYMLINK_NOFOLLOW), 0);
	check(world, "link: time\nfifo: time\n");
	if (geteuid() != 0)
		return;
	assert_int_equal(fchownat(world->fd, "fs/usr/bin", 7, 8, 0), 0);
	check(world, "usr/bin: owner 7:8, not 0:0\nlink: time\nfifo: time\n");
}

static void test_kinds(void **state)
{
	const struct world *world = *state;
	struct timespec times[2];

	make(world);
	keep_time(world, "fs/link", times);
	assert_int_equal(unlinkat(world->fd, "fs/link", 0), 0);
	put_link(world, "fs/link", "usr/sbin");
	assert_int_equal(utimensat(world->fd, "fs/link", times, AT_SYMLINK_NOFOLLOW), 0);
	keep_time(world, "fs", times);
	assert_int_equal(unlinkat(world->fd, "fs/fifo", 0), 0);
	put_directory(world, "fs/fifo");
	assert_int_equal(unlinkat(world->fd, "fs/usr/bin/other", 0), 0);
	put_file(world, "fs/usr/bin/other", "#!/bin/sh\n");
	forge(world, "fs/empty", "");
	check(world, ": time\nusr/bin: time\n"
		     "usr/bin/other: not the same file as \"usr/bin/tool\"\n"
		     "link: target\nfifo: a directory, not a fifo\n");
}

static void test_missing(void **state)
{
	const struct world *world = *state;

	make(world);
	assert_int_equal(unlinkat(world->fd, "fs/usr/bin/other", 0), 0);
	assert_int_equal(unlinkat(world->fd, "fs/usr/bin/tool", 0), 0);
	assert_int_equal(unlinkat(world->fd, "fs/usr/bin", AT_REMOVEDIR), 0);
	/* A link in its place is not followed. */
	put_link(world, "fs/usr/bin", "../etc");
	check(world, "usr/bin: a symbolic link, not a directory\nusr/bin/tool: missing\n"
		     "usr/bin/other: missing\n");
}

static void test_strangers(void **state)
{
	const struct world *world = *state;
	struct timespec times[2];

	make(world);
	keep_time(world, "fs/etc", times);
	put_file(world, "fs/etc/shadow", "");
	put_directory(world, "fs/etc/dir");
	put_file(world, "fs/etc/dir/inside", "");
	assert_int_equal(utimensat(world->fd, "fs/etc", times, 0), 0);
	assert_int_equal(renameat(world->fd, "fs/etc/dir", world->fd, "fs/usr/dir"), 0);
	assert_int_equal(utimensat(world->fd, "fs/etc", times, 0), 0);
	check(world, "etc/shadow: not of the layer\nusr/dir: not of the layer\n");
}

static void test_index(void **state)
{
	const struct world *world = *state;
	struct findings findings = {.text = BUF_EMPTY};
	const struct verify verify = {.finding = take, .context = &findings};
	_cleanup_free_ char *text = NULL;
	struct error err = ERROR_NONE;
	atomic_bool cancelled = true;
	const struct verify stopped = {.cancelled = &cancelled};
	uint64_t count = 0;

	make(world);
	assert_failed(layer_verify(world->fd, &stopped, &count, &err), err, -EINTR);
	text = get_file(world, "index");
	text[strlen(text) - 3] = '\0';
	put_file(world, "index", text);
	assert_fine(layer_verify(world->fd, &verify, &count, &err), err);
	assert_contains(findings.text.data, "cut off");
	put_file(world, "index", "\n\n");
	assert_fine(layer_verify(world->fd, &verify, &count, &err), err);
	assert_contains(findings.text.data, "damaged");
	/* An empty index knows nothing of what is there. */
	put_file(world, "index", "");
	assert_fine(layer_verify(world->fd, &verify, &count, &err), err);
	assert_int_equal(count, 5);
	buf_done(&findings.text);
	assert_int_equal(unlinkat(world->fd, "index", 0), 0);
	check(world, ": its index is missing\n");
}

/* Lines that later ones replace are no findings; those are looked at in their turn. */
static void test_replaced(void **state)
{
	const struct world *world = *state;
	_cleanup_fd_ int fd = -EBADF;
	struct index_entry old = {.type = 'f', .size = 5, .target = ""};
	struct index_writer *writer;
	struct error err = ERROR_NONE;

	put_directory(world, "fs");
	put_directory(world, "fs/a");
	put_file(world, "fs/a/new", "x");
	put_file(world, "fs/b", "x");
	put_file(world, "fs/a.b", "x");
	fd = openat(world->fd, "index", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	writer = index_writer_new(fd);
	old.path = "b"; /* replaced by another content */
	index_writer_add(writer, &old);
	old.path = "a/old"; /* gone with its directory, which came back */
	index_writer_add(writer, &old);
	old.path = "a";
	index_writer_add(writer, &old);
	old.path = "a.c"; /* missing, though "a" was replaced */
	index_writer_add(writer, &old);
	old.type = 'h'; /* the file that it is linked to was replaced */
	old.path = "a.b";
	old.target = "b";
	index_writer_add(writer, &old);
	add(writer, world, 'd', "a", "");
	add(writer, world, 'f', "a/new", "");
	add(writer, world, 'f', "b", "");
	old.path = "a/lost"; /* no later line explains it */
	old.target = "b";
	index_writer_add(writer, &old);
	assert_fine(index_writer_flush(writer, &err), err);
	index_writer_free(writer);
	check(world, "a.c: missing\na/lost: missing\n");
}

static void test_overlay(void **state)
{
	const struct world *world = *state;
	_cleanup_free_ char *dir = xasprintf("%s/fs/dir", world->path),
			    *root = xasprintf("%s/fs", world->path);
	_cleanup_fd_ int fd = -EBADF;
	struct index_writer *writer;
	struct error err = ERROR_NONE;

	put_directory(world, "fs");
	put_directory(world, "fs/dir");
	if (mknodat(world->fd, "fs/gone", S_IFCHR, 0) < 0 ||
	    mknodat(world->fd, "fs/null", S_IFCHR | 0666, makedev(1, 3)) < 0 ||
	    setxattr(dir, "trusted.overlay.opaque", "y", 1, 0) < 0)
		skip_because("devices and trusted attributes need root");
	fd = openat(world->fd, "index", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	writer = index_writer_new(fd);
	add(writer, world, 'w', "gone", "");
	add(writer, world, 'c', "null", "1:3");
	add(writer, world, 'd', "dir", "");
	add(writer, world, 'o', "dir", "");
	add(writer, world, 'w', "dir/hidden", "");
	assert_fine(index_writer_flush(writer, &err), err);
	index_writer_free(writer);
	check(world, "");
	assert_int_equal(removexattr(dir, "trusted.overlay.opaque"), 0);
	assert_int_equal(unlinkat(world->fd, "fs/gone", 0), 0);
	put_file(world, "fs/gone", "");
	assert_int_equal(unlinkat(world->fd, "fs/null", 0), 0);
	assert_int_equal(mknodat(world->fd, "fs/null", S_IFCHR, 0), 0);
	check(world, "gone: a file, not a whiteout\nnull: a whiteout, not a character device\n"
		     "dir: not opaque\ndir/hidden: missing\n");
	/* The root may be opaque, too. */
	assert_int_equal(setxattr(root, "trusted.overlay.opaque", "y", 1, 0), 0);
	assert_int_equal(unlinkat(world->fd, "fs/gone", 0), 0);
	check(world, "null: a whiteout, not a character device\ndir: not opaque\n");
}

static void set_attribute(const struct world *world, const char *name, const char *attribute,
			  const char *value)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", world->path, name);

	if (lsetxattr(path, attribute, value, strlen(value), 0) < 0 && errno == EOPNOTSUPP)
		skip_because("a file system without attributes");
}

/* Attributes are in no order; what overlayfs and the host put there says nothing. */
static void test_attributes(void **state)
{
	const struct world *world = *state;
	_cleanup_free_ char *tool = xasprintf("%s/fs/usr/bin/tool", world->path);

	set_attribute(world, ".", "user.try", "");
	make(world);
	set_attribute(world, "fs/usr/bin", "user.overlay.origin", "");
	if (geteuid() == 0)
		set_attribute(world, "fs/usr/bin", "trusted.overlay.origin", "");
	check(world, "");
	set_attribute(world, "fs/usr/bin", "user.x", "1");
	set_attribute(world, "fs/usr/bin/tool", "user.y", "");
	check(world, "usr/bin: attributes\nusr/bin/tool: attributes\n");
	write_index(world);
	check(world, "");
	set_attribute(world, "fs/usr/bin", "user.x", "2");
	assert_int_equal(removexattr(tool, "user.y"), 0);
	set_attribute(world, "fs/usr/bin/tool", "user.z", "");
	check(world, "usr/bin: attributes\nusr/bin/tool: attributes\n");
}

/* An index that does not know of attributes says nothing about them. */
static void test_old_index(void **state)
{
	const struct world *world = *state;
	const struct verify verify = {.finding = NULL};
	const struct timespec times[2] = {{.tv_sec = 5}, {.tv_sec = 5}};
	_cleanup_free_ char *line =
		xasprintf("f 644 %u %u 0 5.0 00000000 file\n", getuid(), getgid());
	struct error err = ERROR_NONE;
	uint64_t count = 1;

	put_directory(world, "fs");
	put_file(world, "fs/file", "");
	put_file(world, "index", line);
	set_attribute(world, "fs/file", "user.y", "");
	assert_int_equal(utimensat(world->fd, "fs/file", times, 0), 0);
	assert_int_equal(layer_verify(world->fd, &verify, &count, &err), 1);
	assert_int_equal(count, 0);
	put_file(world, "index", "index 3\n");
	assert_failed(layer_verify(world->fd, &verify, &count, &err), err, -EOPNOTSUPP);
}

/* The kernel keeps the nearest time that the file system can have. */
static void test_times(void **state)
{
	const struct world *world = *state;
	const struct timespec times[2] = {{.tv_sec = -0x80000000LL}, {.tv_sec = -0x80000000LL}};
	const unsigned uid = getuid(), gid = getgid();
	_cleanup_free_ char *before =
		xasprintf("f 644 %u %u 0 -2147483649.5 00000000 file\n", uid, gid);
	_cleanup_free_ char *after =
		xasprintf("f 644 %u %u 0 -2147483647.5 00000000 file\n", uid, gid);

	put_directory(world, "fs");
	put_file(world, "fs/file", "");
	assert_int_equal(utimensat(world->fd, "fs/file", times, 0), 0);
	put_file(world, "index", before);
	check(world, "");
	put_file(world, "index", after);
	check(world, "file: time\n");
}

/* More lines than the set of paths takes at once, and more suspects than are kept. */
static void test_many(void **state)
{
	const struct world *world = *state;
	const struct verify verify = {.finding = NULL};
	struct index_entry entry = {.type = 'd', .target = ""};
	_cleanup_fd_ int fd = -EBADF;
	struct index_writer *writer;
	struct error err = ERROR_NONE;
	uint64_t count = 0;
	char path[32];

	put_directory(world, "fs");
	put_file(world, "fs/stranger", "");
	fd = openat(world->fd, "index", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	writer = index_writer_new(fd);
	for (int i = 0; i < 600000; i++) {
		path[0] = '\0';
		if (i % 32 == 0)
			snprintf(path, sizeof(path), "missing/%d", i);
		entry.type = i % 32 ? 'i' : 'f';
		entry.path = path;
		index_writer_add(writer, &entry);
	}
	assert_fine(index_writer_flush(writer, &err), err);
	index_writer_free(writer);
	assert_fine(layer_verify(world->fd, &verify, &count, &err), err);
	assert_int_equal(count, 600000 / 32 + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(test_whole), world_test(test_content),    world_test(test_metadata),
		world_test(test_kinds), world_test(test_missing),    world_test(test_strangers),
		world_test(test_index), world_test(test_overlay),    world_test(test_replaced),
		world_test(test_many),	world_test(test_attributes), world_test(test_old_index),
		world_test(test_times),
	};

	if (skip_all_without(SYS_openat2, "openat2"))
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
