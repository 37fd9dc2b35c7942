/* SPDX-License-Identifier: Apache-2.0 */
/* Making paths inside a root that belongs to somebody hostile. */
#include "berth/base/root.h"

#include "unit.h"

/* The type and permission bits of @name in the world; 0: it is not there. */
static mode_t mode_of(const struct world *world, const char *name)
{
	struct stat st;

	return fstatat(world->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ? 0 : st.st_mode;
}

static int make_root(const struct world *world)
{
	int fd;

	put_directory(world, "in");
	fd = openat(world->fd, "in", O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static bool is_file(const struct world *world, int fd, const char *name)
{
	struct stat a, b;

	assert_int_equal(fstat(fd, &a), 0);
	assert_int_equal(fstatat(world->fd, name, &b, AT_SYMLINK_NOFOLLOW), 0);
	return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/* Makes @path, which must become the file @name of the world. */
static void make(const struct world *world, int root, const char *path, enum root_kind kind,
		 const char *name)
{
	struct error err = ERROR_NONE;
	_cleanup_fd_ int fd = root_make(root, path, kind, &err);

	assert_fine(fd, err);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_true((fcntl(fd, F_GETFL) & O_PATH) != 0);
	if (!is_file(world, fd, name))
		fail_msg("%s is another file than %s", path, name);
}

/* Makes @path, which must fail. */
static void make_not(int root, const char *path, enum root_kind kind, int expected)
{
	struct error err = ERROR_NONE;
	int r = root_make(root, path, kind, &err);

	if (r != expected)
		fail_msg("%s: %d instead of %d", path, r, expected);
	assert_int_equal(err.code, expected);
	assert_contains(err.text, path);
}

static void test_missing(void **state)
{
	const struct world *world = *state;
	_cleanup_fd_ int root = make_root(world);
	mode_t mask = umask(0);

	make(world, root, "a", ROOT_DIRECTORY, "in/a");
	assert_int_equal(mode_of(world, "in/a"), S_IFDIR | 0755);
	make(world, root, "/b/c/d", ROOT_DIRECTORY, "in/b/c/d");
	assert_int_equal(mode_of(world, "in/b"), S_IFDIR | 0755);
	make(world, root, "//e///f//", ROOT_DIRECTORY, "in/e/f");
	make(world, root, "b/c/file", ROOT_FILE, "in/b/c/file");
	assert_int_equal(mode_of(world, "in/b/c/file"), S_IFREG | 0644);
	make(world, root, "/g/h/file", ROOT_FILE, "in/g/h/file");
	assert_int_equal(mode_of(world, "in/g/h"), S_IFDIR | 0755);
	make(world, root, "./i/./j/.", ROOT_DIRECTORY, "in/i/j");
	make(world, root, "b/../k", ROOT_DIRECTORY, "in/k");
	make(world, root, "/../../l", ROOT_DIRECTORY, "in/l");
	assert_int_equal(mode_of(world, "l"), 0);
	umask(mask);
}

/* What is there stays as it is, of whatever kind. */
static void test_existing(void **state)
{
	const struct world *world = *state;
	_cleanup_fd_ int root = make_root(world);
	_cleanup_free_ char *content = NULL;

	put_directory(world, "in/dir");
	assert_int_equal(fchmodat(world->fd, "in/dir", 0700, 0), 0);
	put_file(world, "in/file", "text");
	assert_int_equal(fchmodat(world->fd, "in/file", 0600, 0), 0);
	assert_int_equal(mkfifoat(world->fd, "in/fifo", 0600), 0);
	for (int kind = ROOT_DIRECTORY; kind <= ROOT_FILE; kind++) {
		make(world, root, "dir", (enum root_kind)kind, "in/dir");
		make(world, root, "file", (enum root_kind)kind, "in/file");
		make(world, root, "fifo", (enum root_kind)kind, "in/fifo");
		make(world, root, "", (enum root_kind)kind, "in");
		make(world, root, "/", (enum root_kind)kind, "in");
		make(world, root, ".", (enum root_kind)kind, "in");
		make(world, root, "..", (enum root_kind)kind, "in");
		make(world, root, "dir/.", (enum root_kind)kind, "in/dir");
		make(world, root, "dir/..", (enum root_kind)kind, "in");
	}
	content = get_file(world, "in/file");
	assert_string_equal(content, "text");
	assert_int_equal(mode_of(world, "in/dir"), S_IFDIR | 0700);
	assert_int_equal(mode_of(world, "in/file"), S_IFREG | 0600);
}

/* Links are followed as the container would, and never out of the root. */
static void test_links(void **state)
{
	const struct world *world = *state;
	_cleanup_fd_ int root = make_root(world);

	put_directory(world, "in/dir");
	put_link(world, "in/to_dir", "dir");
	put_link(world, "in/absolute", "/dir");
	put_link(world, "in/up", "../..");
	put_link(world, "in/outside", "/etc");
	make(world, root, "to_dir/a", ROOT_DIRECTORY, "in/dir/a");
	make(world, root, "absolute/b/c", ROOT_FILE, "in/dir/b/c");
	make(world, root, "up/d", ROOT_DIRECTORY, "in/d");
	assert_int_equal(mode_of(world, "d"), 0);
	make(world, root, "to_dir", ROOT_FILE, "in/dir");
	/* There is no /etc in the root, and the host's is none of its business. */
	make_not(root, "outside/berth-unit", ROOT_FILE, -ENOTDIR);
	assert_int_equal(access("/etc/berth-unit", F_OK), -1);
	assert_int_equal(mode_of(world, "in/etc"), 0);
}

static void test_in_the_way(void **state)
{
	const struct world *world = *state;
	_cleanup_fd_ int root = make_root(world);

	put_file(world, "in/file", "");
	put_link(world, "in/dangling", "nowhere");
	put_link(world, "in/out", "/../secret");
	put_link(world, "in/loop", "loop");
	put_link(world, "in/to_file", "file");
	make_not(root, "file/a", ROOT_DIRECTORY, -ENOTDIR);
	make_not(root, "file/a/b", ROOT_FILE, -ENOTDIR);
	make_not(root, "file/..", ROOT_DIRECTORY, -ENOTDIR);
	make_not(root, "to_file/a", ROOT_FILE, -ENOTDIR);
	make_not(root, "loop", ROOT_DIRECTORY, -ELOOP);
	make_not(root, "loop/a", ROOT_FILE, -ELOOP);
	make_not(root, "dangling", ROOT_DIRECTORY, -ENOTDIR);
	make_not(root, "dangling", ROOT_FILE, -ELOOP);
	make_not(root, "loop", ROOT_FILE, -ELOOP);
	make_not(root, "dangling/a", ROOT_DIRECTORY, -ENOTDIR);
	make_not(root, "out/a", ROOT_FILE, -ENOTDIR);
	assert_int_equal(mode_of(world, "in/nowhere"), 0);
	assert_int_equal(mode_of(world, "secret"), 0);
	assert_int_equal(mode_of(world, "in/secret"), 0);
}

/* The message names the component at which it ended. */
static void test_message(void **state)
{
	const struct world *world = *state;
	_cleanup_fd_ int root = make_root(world);
	struct error err = ERROR_NONE;
	char name[300];
	_cleanup_free_ char *path = NULL, *expected = NULL;

	put_link(world, "in/link", "nowhere");
	assert_failed(root_make(root, "link/x", ROOT_FILE, &err), err, -ENOTDIR);
	assert_string_equal(err.text,
			    "create \"link/x\" (\"link\" is in the way): Not a directory");
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	make_not(root, name, ROOT_FILE, -ENAMETOOLONG);
	path = xasprintf("missing/%s", name);
	expected = xasprintf("create \"%s\" (component \"%s\"): File name too long", path, name);
	assert_failed(root_make(root, path, ROOT_DIRECTORY, &err), err, -ENAMETOOLONG);
	assert_string_equal(err.text, expected);
}

/* ".." after what is not there: nothing is made outside, and it is an error. */
static void test_dots_after_missing(void **state)
{
	const struct world *world = *state;
	_cleanup_fd_ int root = make_root(world);

	make_not(root, "missing/../x", ROOT_DIRECTORY, -ENOENT);
	make_not(root, "gone/../../../x", ROOT_FILE, -ENOENT);
	assert_int_equal(mode_of(world, "x"), 0);
	assert_int_equal(mode_of(world, "in/x"), 0);
}

/* Deeper than any path may be long: directories are made one by one. */
static void test_deep(void **state)
{
	const struct world *world = *state;
	_cleanup_fd_ int root = make_root(world);
	_cleanup_buf_ struct buf path = BUF_EMPTY;
	_cleanup_free_ char *whole = NULL;
	struct error err = ERROR_NONE;

	for (int i = 0; i < 120; i++)
		buf_add_string(&path, "/a long name of a directory");
	whole = xasprintf("in%s", path.data);
	make(world, root, path.data, ROOT_DIRECTORY, whole);
	make(world, root, path.data, ROOT_DIRECTORY, whole);
	for (int i = 0; i < 120; i++)
		buf_add_string(&path, "/a long name of a directory");
	assert_failed(root_make(root, path.data, ROOT_DIRECTORY, &err), err, -ENAMETOOLONG);
}

static void test_no_rights(void **state)
{
	_cleanup_fd_ int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct error err = ERROR_NONE;

	(void)state;
	assert_failed(root_make(proc, "sys/berth-unit", ROOT_DIRECTORY, &err), err, -ENOENT);
	assert_contains(err.text, "berth-unit");
	assert_failed(root_make(-EBADF, "x", ROOT_DIRECTORY, &err), err, -EBADF);
}

static void test_parent(void **state)
{
	static const struct {
		const char *path, *name, *parent;
	} cases[] = {
		{"a", "a", "in"},
		{"/a", "a", "in"},
		{"///a", "a", "in"},
		{"dir/a", "a", "in/dir"},
		{"/dir//a", "a", "in/dir"},
		{"new/b/c", "c", "in/new/b"},
		{"link/x", "x", "in/dir"},
		{"../../y", "y", "in"},
		{"dir/../z", "z", "in"},
		{"dir/...", "...", "in/dir"},
		{"dir/dangling", "dangling", "in/dir"},
	};
	const struct world *world = *state;
	_cleanup_fd_ int root = make_root(world);

	put_directory(world, "in/dir");
	put_link(world, "in/link", "/dir");
	put_link(world, "in/dir/dangling", "nowhere");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error err = ERROR_NONE;
		const char *name = NULL;
		_cleanup_fd_ int fd = root_make_parent(root, cases[i].path, &name, &err);

		assert_fine(fd, err);
		assert_string_equal(name, cases[i].name);
		assert_ptr_equal(name, cases[i].path + strlen(cases[i].path) - strlen(name));
		assert_true(is_file(world, fd, cases[i].parent));
	}
	/* Only the parents were made. */
	assert_int_equal(mode_of(world, "in/a") | mode_of(world, "in/new/b/c"), 0);
}

static void test_parent_refused(void **state)
{
	static const char *const paths[] = {"", "/", "dir/", "dir//", ".", "..", "dir/.", "dir/.."};
	const struct world *world = *state;
	_cleanup_fd_ int root = make_root(world);
	struct error err = ERROR_NONE;
	const char *name = NULL;

	put_file(world, "in/file", "");
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		err = (struct error)ERROR_NONE;
		assert_failed(root_make_parent(root, paths[i], &name, &err), err, -EINVAL);
		assert_contains(err.text, paths[i]);
	}
	assert_failed(root_make_parent(root, "file/x", &name, &err), err, -ENOTDIR);
	assert_null(name);
	assert_int_equal(mode_of(world, "in/dir"), 0);
}

/*
 * in/dir and a link to the outside change places all the time, while directories are made in
 * in/dir: none appears outside.
 */
static void test_race(void **state)
{
	const struct world *world = *state;
	_cleanup_fd_ int root = make_root(world);
	pid_t pid;
	int made = 0;

	put_directory(world, "in/dir");
	put_directory(world, "outside");
	put_link(world, "in/other", "../outside");
	pid = fork();
	assert_true(pid >= 0);
	while (pid == 0)
		renameat2(world->fd, "in/dir", world->fd, "in/other", RENAME_EXCHANGE);
	for (int i = 0; i < 3000; i++) {
		_cleanup_free_ char *path = xasprintf("dir/sub%d/file", i % 7);
		struct error err = ERROR_NONE;
		int fd = root_make(root, path, ROOT_FILE, &err);

		made += fd >= 0;
		fd_close(fd);
		if (i % 100 == 0)
			unlinkat(world->fd, "in/dir/sub0/file", 0);
	}
	child_end(pid);
	assert_true(made > 0);
	/* Empty: it can be removed. */
	assert_int_equal(unlinkat(world->fd, "outside", AT_REMOVEDIR), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(test_missing), world_test(test_existing),
		world_test(test_links),	  world_test(test_in_the_way),
		world_test(test_message), world_test(test_dots_after_missing),
		world_test(test_deep),	  world_test(test_no_rights),
		world_test(test_parent),  world_test(test_parent_refused),
		world_test(test_race),
	};

	if (skip_all_without(SYS_openat2, "openat2"))
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
