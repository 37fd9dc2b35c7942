/* SPDX-License-Identifier: Apache-2.0 */
/* Whole files: reading with a bound, writing in one piece, replacing atomically. */
#include <sys/resource.h>

#include "unit.h"

#define MAX 100

/* Reads the file @name of the world, which must be refused. */
static void read_not(const struct world *world, const char *name, size_t max, int expected)
{
	struct error err = ERROR_NONE;
	char *data = NULL;
	int r = file_read_at(world->fd, name, max, &data, NULL, &err);

	assert_failed(r, err, expected);
	assert_contains(err.text, name);
	assert_null(data);
}

/* Around the bound, and byte for byte. */
static void test_read_sizes(void **state)
{
	static const size_t sizes[] = {0, 1, MAX - 1, MAX};
	const struct world *world = *state;

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		_cleanup_free_ char *data = NULL, *text = xcalloc(sizes[i] + 1, 1);
		struct error err = ERROR_NONE;
		size_t size = 12345;

		memset(text, 'x', sizes[i]);
		put_file(world, "file", text);
		assert_fine(file_read_at(world->fd, "file", MAX, &data, &size, &err), err);
		assert_int_equal(size, sizes[i]);
		assert_string_equal(data, text);
	}
}

static void test_read_too_large(void **state)
{
	const struct world *world = *state;
	_cleanup_free_ char *text = xcalloc(MAX + 2, 1);

	memset(text, 'x', MAX + 1);
	put_file(world, "file", text);
	read_not(world, "file", MAX, -EFBIG);
	read_not(world, "file", 0, -EFBIG);
	/* A file of a size that no memory has. */
	{
		_cleanup_fd_ int fd = openat(world->fd, "huge", O_RDWR | O_CREAT | O_CLOEXEC, 0644);

		assert_int_equal(ftruncate(fd, (off_t)1 << 40), 0);
	}
	read_not(world, "huge", 1u << 20, -EFBIG);
}

static void test_read_bytes(void **state)
{
	static const char bytes[] = "a\0b\xff\n";
	const struct world *world = *state;
	_cleanup_free_ char *data = NULL;
	struct error err = ERROR_NONE;
	size_t size;

	assert_fine(file_create_at(world->fd, "file", 0644, bytes, sizeof(bytes), &err), err);
	assert_fine(file_read_at(world->fd, "file", MAX, &data, &size, &err), err);
	assert_int_equal(size, sizeof(bytes));
	assert_memory_equal(data, bytes, sizeof(bytes));
}

/* A fifo without a writer must not hold the reader up. */
static void test_read_kinds(void **state)
{
	const struct world *world = *state;

	put_directory(world, "dir");
	put_file(world, "file", "x");
	put_link(world, "link", "file");
	assert_int_equal(mkfifoat(world->fd, "fifo", 0600), 0);
	read_not(world, "fifo", MAX, -EINVAL);
	read_not(world, "dir", MAX, -EINVAL);
	read_not(world, "link", MAX, -ELOOP);
	read_not(world, "missing", MAX, -ENOENT);
	read_not(world, "file/x", MAX, -ENOTDIR);
	read_not(world, "/dev/null", MAX, -EINVAL);
}

/* Files of the kernel have no size until they are read. */
static void test_read_kernel_file(void **state)
{
	_cleanup_fd_ int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	_cleanup_free_ char *data = NULL;
	struct error err = ERROR_NONE;
	size_t size = 0;
	char *none = NULL;

	(void)state;
	assert_fine(file_read_at(proc, "version", 4096, &data, &size, &err), err);
	assert_memory_equal(data, "Linux version", 13);
	assert_int_equal(strlen(data), size);
	assert_failed(file_read_at(proc, "version", size - 1, &none, NULL, &err), err, -EFBIG);
	assert_null(none);
}

/*
 * Such a file may be longer than one read gives, and is bounded by the caller alone. Its length
 * changes while others load programs into the kernel.
 */
static void test_read_large_kernel_file(void **state)
{
	_cleanup_fd_ int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	_cleanup_free_ char *data = NULL;
	struct error err = ERROR_NONE;
	size_t size = 0;
	char *none = NULL;

	(void)state;
	assert_fine(file_read_at(proc, "kallsyms", 64u << 20, &data, &size, &err), err);
	if (size <= 65536)
		skip_because("the kernel has few symbols");
	assert_int_equal(strlen(data), size);
	assert_failed(file_read_at(proc, "kallsyms", 65536, &none, NULL, &err), err, -EFBIG);
}

static void test_read_fd(void **state)
{
	const struct world *world = *state;
	_cleanup_free_ char *data = NULL;
	_cleanup_fd_ int fd = -EBADF;
	struct error err = ERROR_NONE;
	char *none = NULL;

	put_file(world, "file", "0123456789");
	fd = openat(world->fd, "file", O_RDONLY | O_CLOEXEC);
	assert_int_equal(lseek(fd, 4, SEEK_SET), 4);
	assert_fine(file_read_fd(fd, "it", MAX, &data, NULL, &err), err);
	assert_string_equal(data, "456789");
	fd = fd_close(fd);
	assert_failed(file_read_fd(fd, "it", MAX, &none, NULL, &err), err, -EBADF);
	assert_string_equal(err.text, "stat \"it\": Bad file descriptor");
	fd = openat(world->fd, "file", O_WRONLY | O_CLOEXEC);
	assert_failed(file_read_fd(fd, "it", MAX, &none, NULL, &err), err, -EBADF);
	assert_string_equal(err.text, "read \"it\": Bad file descriptor");
	assert_null(none);
}

static void test_write(void **state)
{
	const struct world *world = *state;
	_cleanup_free_ char *content = NULL;
	struct error err = ERROR_NONE;

	put_file(world, "file", "abcdef");
	assert_fine(file_write_at(world->fd, "file", "XY", 2, "file = XY", &err), err);
	content = get_file(world, "file");
	assert_string_equal(content, "XYcdef");
	assert_failed(file_write_at(world->fd, "missing", "x", 1, "limit 5", &err), err, -ENOENT);
	assert_string_equal(err.text, "open limit 5: No such file or directory");
	put_link(world, "link", "file");
	assert_failed(file_write_at(world->fd, "link", "x", 1, "it", &err), err, -ELOOP);
}

/* What a kernel file answers comes back, with the words of the caller. */
static void test_write_refused(void **state)
{
	_cleanup_fd_ int proc = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct error err = ERROR_NONE;

	(void)state;
	assert_failed(file_write_at(proc, "oom_score_adj", "x", 1, "score = x", &err), err,
		      -EINVAL);
	assert_string_equal(err.text, "write score = x: Invalid argument");
	assert_failed(file_write_at(proc, "oom_score_adj", "9999", 4, "score", &err), err, -EINVAL);
}

static int write_over_limit(void *argument)
{
	const struct world *world = argument;
	struct rlimit limit = {10, 10};
	struct error err = ERROR_NONE;

	signal(SIGXFSZ, SIG_IGN);
	if (setrlimit(RLIMIT_FSIZE, &limit) < 0)
		return 1;
	/* Half of it fits: a single write ends early, and one that goes on fails. */
	if (file_write_at(world->fd, "file", "01234567890123456789", 20, "it", &err) != -EIO)
		return 2;
	if (!str_equal(err.text, "write it: only 10 of 20 bytes: Input/output error"))
		return 3;
	if (file_create_at(world->fd, "new", 0600, "01234567890123456789", 20, &err) != -EFBIG)
		return 4;
	if (file_replace_at(world->fd, "old", 0600, "01234567890123456789", 20, &err) != -EFBIG)
		return 5;
	return faccessat(world->fd, ".old.new", F_OK, 0) == 0;
}

/* A file system that is full: the old content stays, and nothing beside it. */
static void test_no_room(void **state)
{
	const struct world *world = *state;
	_cleanup_free_ char *old = NULL;

	put_file(world, "file", "");
	put_file(world, "old", "old content");
	in_child(write_over_limit, *state);
	old = get_file(world, "old");
	assert_string_equal(old, "old content");
}

static void test_create(void **state)
{
	const struct world *world = *state;
	_cleanup_free_ char *content = NULL;
	struct error err = ERROR_NONE;
	struct stat st;
	mode_t mask = umask(0);

	assert_fine(file_create_at(world->fd, "file", 0600, "text", 4, &err), err);
	umask(mask);
	content = get_file(world, "file");
	assert_string_equal(content, "text");
	assert_int_equal(fstatat(world->fd, "file", &st, 0), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0600);
	assert_failed(file_create_at(world->fd, "file", 0600, "x", 1, &err), err, -EEXIST);
	put_link(world, "dangling", "target");
	assert_failed(file_create_at(world->fd, "dangling", 0600, "x", 1, &err), err, -EEXIST);
	assert_int_equal(faccessat(world->fd, "target", F_OK, 0), -1);
}

static void test_replace(void **state)
{
	const struct world *world = *state;
	_cleanup_free_ char *first = NULL, *second = NULL, *target = NULL;
	struct error err = ERROR_NONE;

	assert_fine(file_replace_at(world->fd, "file", 0644, "first", 5, &err), err);
	first = get_file(world, "file");
	assert_string_equal(first, "first");
	/* What a killed writer left is no obstacle, and no part of the new content. */
	put_file(world, ".file.new", "rubbish that is longer");
	assert_fine(file_replace_at(world->fd, "file", 0644, "second", 6, &err), err);
	second = get_file(world, "file");
	assert_string_equal(second, "second");
	assert_int_equal(faccessat(world->fd, ".file.new", F_OK, 0), -1);
	/* A link is replaced, not followed. */
	put_file(world, "target", "kept");
	put_link(world, "link", "target");
	assert_fine(file_replace_at(world->fd, "link", 0644, "x", 1, &err), err);
	target = get_file(world, "target");
	assert_string_equal(target, "kept");
}

static void test_replace_refused(void **state)
{
	const struct world *world = *state;
	struct error err = ERROR_NONE;

	put_directory(world, "dir");
	assert_failed(file_replace_at(world->fd, "dir", 0644, "x", 1, &err), err, -EISDIR);
	assert_string_equal(err.text, "write \"dir\": Is a directory");
	assert_int_equal(faccessat(world->fd, ".dir.new", F_OK, 0), -1);
	assert_failed(file_replace_at(world->fd, "no/file", 0644, "x", 1, &err), err, -ENOENT);
	put_link(world, ".a.new", "elsewhere");
	assert_failed(file_replace_at(world->fd, "a", 0644, "x", 1, &err), err, -ELOOP);
	assert_int_equal(faccessat(world->fd, "elsewhere", F_OK, 0), -1);
}

/* A reader beside the writer sees one of the contents, whole. */
static void test_replace_is_atomic(void **state)
{
	const struct world *world = *state;
	_cleanup_free_ char *a = xcalloc(5001, 1), *b = xcalloc(9001, 1);
	struct error err = ERROR_NONE;
	pid_t pid;

	memset(a, 'a', 5000);
	memset(b, 'b', 9000);
	assert_fine(file_replace_at(world->fd, "file", 0644, a, 5000, &err), err);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		for (int i = 0;; i++)
			ignore(file_replace_at(world->fd, "file", 0644, i % 2 ? a : b,
					       i % 2 ? 5000 : 9000, &err));
	}
	for (int i = 0; i < 500; i++) {
		_cleanup_free_ char *content = get_file(world, "file");

		if (!content || (!str_equal(content, a) && !str_equal(content, b)))
			fail_msg("round %d: neither content", i);
	}
	child_end(pid);
}

/* A pipe takes less than all at once. */
static void test_write_all(void **state)
{
	const size_t size = 300000;
	_cleanup_free_ char *data = xcalloc(size, 1);
	size_t got = 0;
	int fds[2];
	pid_t pid;

	(void)state;
	memset(data, 'z', size);
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(fds[0]);
		_exit(fd_write_all(fds[1], data, size) == 0 ? 0 : 1);
	}
	fd_close(fds[1]);
	for (ssize_t n = 1; n > 0;) {
		char chunk[4096];

		n = read(fds[0], chunk, sizeof(chunk));
		assert_true(n >= 0);
		for (ssize_t i = 0; i < n; i++)
			assert_int_equal(chunk[i], 'z');
		got += (size_t)n;
	}
	fd_close(fds[0]);
	assert_int_equal(got, size);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(fd_write_all(fds[0], "x", 1), -EBADF);
	assert_int_equal(fd_write_all(-1, "", 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(test_read_sizes),
		world_test(test_read_too_large),
		world_test(test_read_bytes),
		world_test(test_read_kinds),
		world_test(test_read_kernel_file),
		world_test(test_read_fd),
		world_test(test_read_large_kernel_file),
		world_test(test_write),
		world_test(test_write_refused),
		world_test(test_no_room),
		world_test(test_create),
		world_test(test_replace),
		world_test(test_replace_refused),
		world_test(test_replace_is_atomic),
		world_test(test_write_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
