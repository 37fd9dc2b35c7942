/* SPDX-License-Identifier: Apache-2.0 */
/* Opening paths inside a root that belongs to somebody hostile. */
#include <sched.h>
#include <sys/mount.h>

#include "berth/base/root.h"

#include "unit.h"

/*
 * in/          the root: its files and links
 * secret       what must not be reached from there
 */
static int root_world_make(void **state)
{
	static const char *const links[][2] = {
		{"in/to_file", "dir/file"},
		{"in/to_dir", "dir"},
		{"in/absolute", "/dir/file"},
		{"in/up", "../secret"},
		{"in/far_up", "../../../../../../secret"},
		{"in/dir/up_to_root", "../.."},
		{"in/dangling", "nowhere"},
		{"in/loop", "loop"},
		{"in/loop_a", "loop_b"},
		{"in/loop_b", "loop_a"},
		{"in/to_root", "/"},
		{"in/magic", "/proc/self/root"},
	};
	struct world *world;
	int r = world_make(state);

	if (r < 0)
		return r;
	world = *state;
	put_directory(world, "in");
	put_directory(world, "in/dir");
	put_directory(world, "in/dir/deep");
	put_file(world, "in/dir/file", "inside");
	put_file(world, "in/secret", "inside too");
	put_file(world, "secret", "outside");
	for (size_t i = 0; i < ARRAY_SIZE(links); i++)
		put_link(world, links[i][0], links[i][1]);
	return 0;
}

#define root_test(function) cmocka_unit_test_setup_teardown(function, root_world_make, world_remove)

static int open_root(const struct world *world)
{
	int fd = openat(world->fd, "in", O_PATH | O_DIRECTORY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

/* @fd is the file or directory @name of the world. */
static bool is_file(const struct world *world, int fd, const char *name)
{
	struct stat a, b;

	assert_int_equal(fstat(fd, &a), 0);
	assert_int_equal(fstatat(world->fd, name, &b, AT_SYMLINK_NOFOLLOW), 0);
	return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/* What each policy makes of a path: the file of the world, or an error. */
struct lookup {
	const char *path;
	const char *file; /* NULL: it is refused */
	int r;
};

static void look_up(const struct world *world, enum root_policy policy, const struct lookup *list,
		    size_t count)
{
	_cleanup_fd_ int root = open_root(world);

	for (size_t i = 0; i < count; i++) {
		const struct lookup *lookup = &list[i];
		struct error err = ERROR_NONE;
		_cleanup_fd_ int fd = root_open(root, lookup->path, policy, O_PATH, &err);
		_cleanup_fd_ int tried = root_try_open(root, lookup->path, policy, O_PATH);

		if (lookup->file) {
			if (fd < 0 || !is_file(world, fd, lookup->file))
				fail_msg("%s: %d %s", lookup->path, fd, err.text);
			assert_true(is_file(world, tried, lookup->file));
			assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
			continue;
		}
		if (fd != lookup->r || tried != lookup->r)
			fail_msg("%s: %d instead of %d", lookup->path, fd, lookup->r);
		assert_int_equal(err.code, lookup->r);
		assert_contains(err.text, lookup->path);
	}
}

/* Paths without links are the same to all. */
static void test_plain(void **state)
{
	static const struct lookup list[] = {
		{"", "in", 0},
		{".", "in", 0},
		{"/", "in", 0},
		{"///", "in", 0},
		{"./.", "in", 0},
		{"dir", "in/dir", 0},
		{"/dir", "in/dir", 0},
		{"//dir///", "in/dir", 0},
		{"dir/file", "in/dir/file", 0},
		{"/dir//./file", "in/dir/file", 0},
		{"dir/deep/../file", "in/dir/file", 0},
		{"dir/..", "in", 0},
		{"missing", NULL, -ENOENT},
		{"dir/missing", NULL, -ENOENT},
		{"missing/file", NULL, -ENOENT},
		{"dir/file/x", NULL, -ENOTDIR},
		{"dir/file/", NULL, -ENOTDIR},
		{"dir/file/..", NULL, -ENOTDIR},
	};

	for (int policy = 0; policy < ROOT_POLICY_MAX; policy++)
		look_up(*state, (enum root_policy)policy, list, ARRAY_SIZE(list));
}

static void test_follow(void **state)
{
	static const struct lookup list[] = {
		{"to_file", "in/dir/file", 0},
		{"to_dir/file", "in/dir/file", 0},
		{"absolute", "in/dir/file", 0},
		{"to_root", "in", 0},
		{"to_root/to_root/dir", "in/dir", 0},
		/* What leads out leads to the root. */
		{"up", "in/secret", 0},
		{"far_up", "in/secret", 0},
		{"../secret", "in/secret", 0},
		{"/../../secret", "in/secret", 0},
		{"dir/../../../secret", "in/secret", 0},
		{"dir/up_to_root", "in", 0},
		{"dir/up_to_root/secret", "in/secret", 0},
		{"..", "in", 0},
		{"dangling", NULL, -ENOENT},
		{"dangling/x", NULL, -ENOENT},
		{"loop", NULL, -ELOOP},
		{"loop_a/x", NULL, -ELOOP},
		{"magic", NULL, -ENOENT},
		{"to_file/x", NULL, -ENOTDIR},
	};

	look_up(*state, ROOT_FOLLOW, list, ARRAY_SIZE(list));
}

static void test_no_symlinks(void **state)
{
	static const struct lookup list[] = {
		{"to_file", NULL, -ELOOP},     {"to_dir/file", NULL, -ELOOP},
		{"absolute", NULL, -ELOOP},    {"dangling", NULL, -ELOOP},
		{"loop", NULL, -ELOOP},	       {"dir/up_to_root", NULL, -ELOOP},
		{"../secret", "in/secret", 0}, {"..", "in", 0},
	};

	look_up(*state, ROOT_NO_SYMLINKS, list, ARRAY_SIZE(list));
}

static void test_beneath(void **state)
{
	static const struct lookup list[] = {
		{"to_file", "in/dir/file", 0},
		{"to_dir/deep", "in/dir/deep", 0},
		{"absolute", NULL, -EXDEV},
		{"to_root", NULL, -EXDEV},
		{"up", NULL, -EXDEV},
		{"far_up", NULL, -EXDEV},
		{"dir/up_to_root", NULL, -EXDEV},
		{"..", NULL, -EXDEV},
		{"/../secret", NULL, -EXDEV},
		{"dir/../../in", NULL, -EXDEV},
		{"dangling", NULL, -ENOENT},
		{"loop", NULL, -ELOOP},
	};

	look_up(*state, ROOT_BENEATH, list, ARRAY_SIZE(list));
}

static void test_no_xdev(void **state)
{
	static const struct lookup list[] = {
		{"to_file", NULL, -ELOOP}, {"absolute", NULL, -ELOOP},	{"up", NULL, -ELOOP},
		{"..", NULL, -EXDEV},	   {"dir/../..", NULL, -EXDEV},
	};

	look_up(*state, ROOT_NO_XDEV, list, ARRAY_SIZE(list));
}

/* The link itself can be had with O_NOFOLLOW where it is the last component. */
static void test_link_itself(void **state)
{
	const struct world *world = *state;
	_cleanup_fd_ int root = open_root(world), fd = -EBADF, other = -EBADF;

	fd = root_try_open(root, "dangling", ROOT_FOLLOW, O_PATH | O_NOFOLLOW);
	assert_true(is_file(world, fd, "in/dangling"));
	other = root_try_open(root, "dangling", ROOT_FOLLOW, O_RDONLY | O_NOFOLLOW);
	assert_int_equal(other, -ELOOP);
}

/* Flags go through: a file that is opened for reading can be read. */
static void test_flags(void **state)
{
	_cleanup_fd_ int root = open_root(*state), fd = -EBADF, directory = -EBADF;
	struct error err = ERROR_NONE;
	char text[16] = "";

	fd = root_open(root, "far_up", ROOT_FOLLOW, O_RDONLY, &err);
	assert_fine(fd, err);
	assert_int_equal(read(fd, text, sizeof(text) - 1), 10);
	assert_string_equal(text, "inside too");
	directory = root_open(root, "dir/file", ROOT_FOLLOW, O_RDONLY | O_DIRECTORY, &err);
	assert_failed(directory, err, -ENOTDIR);
	assert_string_equal(err.text, "open \"dir/file\": Not a directory");
}

static void test_bad_root(void **state)
{
	_cleanup_fd_ int file = -EBADF;
	struct world *world = *state;

	assert_int_equal(root_try_open(-EBADF, "x", ROOT_FOLLOW, O_PATH), -EBADF);
	assert_int_equal(root_try_open(world->fd, "x", ROOT_FOLLOW, O_PATH | O_RDONLY | 040000000),
			 -EINVAL);
	file = openat(world->fd, "secret", O_PATH | O_CLOEXEC);
	assert_int_equal(root_try_open(file, "x", ROOT_FOLLOW, O_PATH), -ENOTDIR);
}

/* Magic links of procfs lead out of any root: no policy follows one. */
static void test_magic_links(void **state)
{
	_cleanup_fd_ int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	static const int expected[ROOT_POLICY_MAX] = {
		[ROOT_FOLLOW] = -ELOOP,
		[ROOT_NO_SYMLINKS] = -ELOOP,
		[ROOT_BENEATH] = -ELOOP,
		[ROOT_NO_XDEV] = -ELOOP,
	};
	_cleanup_free_ char *root = xasprintf("%d/root", getpid());
	_cleanup_free_ char *passwd = xasprintf("%d/root/etc/passwd", getpid());
	_cleanup_free_ char *fd = xasprintf("%d/fd/%d", getpid(), proc);

	(void)state;
	for (int policy = 0; policy < ROOT_POLICY_MAX; policy++) {
		int r = expected[policy];

		assert_int_equal(root_try_open(proc, root, (enum root_policy)policy, O_PATH), r);
		assert_int_equal(root_try_open(proc, passwd, (enum root_policy)policy, O_PATH), r);
		assert_int_equal(root_try_open(proc, fd, (enum root_policy)policy, O_PATH), r);
	}
}

/* Mounts a file system in the root, in a mount namespace that ends with this child. */
static int cross_mount(void *argument)
{
	struct world *world = argument;
	_cleanup_free_ char *target = xasprintf("%s/in/dir", world->path);
	_cleanup_free_ char *in = xasprintf("%s/in", world->path);
	static const int expected[ROOT_POLICY_MAX] = {[ROOT_NO_XDEV] = -EXDEV};
	int root;

	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("test", target, "tmpfs", 0, NULL) < 0)
		return 1;
	/* The world's descriptor is of the mount namespace that was left. */
	root = open(in, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0 || mkdirat(root, "dir/below", 0755) < 0)
		return 2;
	for (int policy = 0; policy < ROOT_POLICY_MAX; policy++) {
		int fd = root_try_open(root, "dir/below", (enum root_policy)policy, O_PATH);

		if (expected[policy] ? fd != expected[policy] : fd < 0)
			return 3 + policy;
	}
	return 0;
}

static void test_mounts(void **state)
{
	if (geteuid() != 0)
		skip_because("mounting needs root");
	in_child(cross_mount, *state);
}

/* Exchanges in/dir and in/other for as long as the test runs. */
static pid_t start_renaming(const struct world *world)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	while (pid == 0)
		renameat2(world->fd, "in/dir", world->fd, "in/other", RENAME_EXCHANGE);
	return pid;
}

/*
 * A directory is exchanged for a link to the outside, again and again, while it is walked through:
 * what is opened is never the file outside.
 */
static void test_race(void **state)
{
	struct world *world = *state;
	_cleanup_fd_ int root = open_root(world);
	int seen = 0, refused = 0;
	pid_t pid;

	put_link(world, "in/other", "../../../../..");
	put_file(world, "file", "outside");
	pid = start_renaming(world);
	for (int i = 0; i < 20000; i++) {
		int fd = root_try_open(root, i % 2 ? "dir/file" : "dir/deep/../../dir/file",
				       ROOT_FOLLOW, O_RDONLY);
		char text[8] = "";

		if (fd < 0) {
			refused++;
			continue;
		}
		if (read(fd, text, 6) != 6 || !str_equal(text, "inside"))
			seen = 1;
		fd_close(fd);
	}
	child_end(pid);
	assert_int_equal(seen, 0);
	assert_true(refused < 20000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		root_test(test_plain),	 root_test(test_follow),   root_test(test_no_symlinks),
		root_test(test_beneath), root_test(test_no_xdev),  root_test(test_link_itself),
		root_test(test_flags),	 root_test(test_bad_root), root_test(test_magic_links),
		root_test(test_mounts),	 root_test(test_race),
	};

	if (skip_all_without(SYS_openat2, "openat2"))
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
