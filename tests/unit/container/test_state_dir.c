/* SPDX-License-Identifier: Apache-2.0 */
/* State directories: claiming, locking, opening, removing; the socket in them. */
#include <sys/file.h>
#include <sys/socket.h>

#include "berth/base/clock.h"

#include "container-internal.h"

#include "../base/unit.h"

static void test_ids(void **state)
{
	static const char *const good[] = {"a", "A-b_c+d.e", "0", "..a", "...", "_", "+", ".a"};
	static const char *const bad[] = {"",	 ".",	"..",	 "-",	"-a",	"a/b", "/",
					  "a b", "a\n", "\t",	 "@a",	"a@b",	"a:b", "ä",
					  "a\\", "a*",	"a\x7f", "a,b", "../x", "a\"b"};
	char name[257];
	struct error err = ERROR_NONE;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_fine(container_id_check(good[i], &err), err);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_failed(container_id_check(bad[i], &err), err, -EINVAL);
		/* runc's words, which engines look for. */
		assert_true(str_starts(err.text, "invalid container ID format: "));
	}
	memset(name, 'n', sizeof(name) - 1);
	name[255] = '\0';
	assert_fine(container_id_check(name, &err), err);
	name[255] = 'n';
	name[256] = '\0';
	assert_failed(container_id_check(name, &err), err, -EINVAL);
	/* The cache's name can't be a container's. */
	assert_failed(container_id_check(STATE_CACHE, &err), err, -EINVAL);
}

/* A state root "root" in the world, open. */
static int root_of(const struct world *world, struct runtime *runtime, char **ret_path)
{
	struct error err = ERROR_NONE;
	int fd;

	*ret_path = xasprintf("%s/root", world->path);
	*runtime = (struct runtime){.root = *ret_path};
	fd = state_root_open(runtime, true, &err);
	assert_fine(fd, err);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	return fd;
}

static void test_root(void **state)
{
	const struct world *world = *state;
	_cleanup_free_ char *deep = xasprintf("%s/a/b//c", world->path);
	_cleanup_free_ char *file = xasprintf("%s/file", world->path);
	_cleanup_free_ char *below = xasprintf("%s/file/root", world->path);
	struct runtime runtime = {.root = deep};
	struct error err = ERROR_NONE;
	struct stat st;
	int fd;

	assert_failed(state_root_open(&runtime, false, &err), err, -ENOENT);
	assert_int_equal(faccessat(world->fd, "a", F_OK, 0), -1);
	fd = state_root_open(&runtime, true, &err);
	assert_fine(fd, err);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0700);
	fd_close(fd);
	fd = state_root_open(&runtime, true, &err);
	assert_fine(fd, err);
	fd_close(fd);
	put_file(world, "file", "");
	runtime.root = file;
	assert_failed(state_root_open(&runtime, true, &err), err, -ENOTDIR);
	assert_contains(err.text, "open the state root \"");
	runtime.root = below;
	assert_failed(state_root_open(&runtime, true, &err), err, -ENOTDIR);
	runtime.root = "/";
	fd = state_root_open(&runtime, true, &err);
	assert_fine(fd, err);
	fd_close(fd);
}

static void test_claim(void **state)
{
	struct runtime runtime;
	_cleanup_free_ char *path = NULL;
	_cleanup_fd_ int root = root_of(*state, &runtime, &path), first = -EBADF, other = -EBADF;
	struct error err = ERROR_NONE;
	struct stat st;

	first = state_claim(root, "box", &err);
	assert_fine(first, err);
	assert_int_equal(fcntl(first, F_GETFD), FD_CLOEXEC);
	assert_int_equal(fstat(first, &st), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0700);
	assert_failed(state_claim(root, "box", &err), err, -EEXIST);
	assert_string_equal(err.text, "container with given ID already exists: \"box\"");
	assert_failed(state_claim(root, "../box", &err), err, -EINVAL);
	other = state_claim(root, "box2", &err);
	assert_fine(other, err);
	/* A file or link of that name is no container, and in the way. */
	assert_int_equal(symlinkat("elsewhere", root, "link"), 0);
	assert_failed(state_claim(root, "link", &err), err, -EEXIST);
	assert_failed(state_claim(-EBADF, "box", &err), err, -EBADF);
	assert_string_equal(err.text, "create the state directory of \"box\": Bad file descriptor");
}

static void test_open(void **state)
{
	struct runtime runtime;
	_cleanup_free_ char *path = NULL;
	_cleanup_fd_ int root = root_of(*state, &runtime, &path), made = -EBADF, fd = -EBADF;
	struct error err = ERROR_NONE;
	struct stat a, b;

	assert_failed(state_open(&runtime, "box", &err), err, -ENOENT);
	assert_string_equal(err.text, "container \"box\" does not exist");
	assert_failed(state_open(&runtime, "a/b", &err), err, -EINVAL);
	made = state_claim(root, "box", &err);
	assert_fine(made, err);
	/* A reader takes no lock. */
	fd = state_open(&runtime, "box", &err);
	assert_fine(fd, err);
	assert_int_equal(fstat(made, &a) | fstat(fd, &b), 0);
	assert_int_equal(a.st_ino, b.st_ino);
	assert_int_equal(symlinkat("box", root, "link"), 0);
	assert_failed(state_open(&runtime, "link", &err), err, -ENOTDIR);
	runtime.root = "/no/such/root";
	assert_failed(state_open(&runtime, "box", &err), err, -ENOENT);
	assert_string_equal(err.text, "container \"box\" does not exist");
	runtime.root = "/dev/null";
	assert_failed(state_open(&runtime, "box", &err), err, -ENOTDIR);
	assert_contains(err.text, "open the state root");
}

static void test_lock(void **state)
{
	struct runtime runtime;
	_cleanup_free_ char *path = NULL;
	_cleanup_fd_ int root = root_of(*state, &runtime, &path), first = -EBADF, second = -EBADF;
	struct error err = ERROR_NONE;
	int64_t start;

	first = state_claim(root, "box", &err);
	assert_fine(first, err);
	second = state_open(&runtime, "box", &err);
	assert_fine(second, err);
	assert_failed(state_lock(second, 0, &err), err, -EBUSY);
	start = clock_now_ms();
	assert_failed(state_lock(second, 50, &err), err, -EBUSY);
	assert_true(clock_now_ms() - start >= 50);
	/* Whoever holds it may take it again; it ends with the descriptor. */
	assert_int_equal(state_lock(first, 0, &err), 1);
	first = fd_close(first);
	assert_int_equal(state_lock(second, 0, &err), 1);
	assert_failed(state_lock(-EBADF, 0, &err), err, -EBADF);
}

/* A lock that is won on a directory that is gone. */
static void test_lock_removed(void **state)
{
	struct runtime runtime;
	_cleanup_free_ char *path = NULL;
	_cleanup_fd_ int root = root_of(*state, &runtime, &path), first = -EBADF, second = -EBADF;
	_cleanup_fd_ int again = -EBADF;
	struct error err = ERROR_NONE;

	first = state_claim(root, "box", &err);
	assert_fine(first, err);
	second = state_open(&runtime, "box", &err);
	assert_fine(second, err);
	assert_fine(state_remove(root, first, "box", &err), err);
	first = fd_close(first);
	assert_int_equal(state_lock(second, 0, &err), 0);
	/* The name is free again. */
	again = state_claim(root, "box", &err);
	assert_fine(again, err);
}

/* The lock is waited for: a child that holds it lets go after a while. */
static void test_lock_in_time(void **state)
{
	struct runtime runtime;
	_cleanup_free_ char *path = NULL;
	_cleanup_fd_ int root = root_of(*state, &runtime, &path), fd = -EBADF;
	struct error err = ERROR_NONE;
	int ready[2];
	char byte;
	pid_t pid;

	fd = state_claim(root, "box", &err);
	assert_fine(fd, err);
	fd = fd_close(fd);
	fd = state_open(&runtime, "box", &err);
	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		int own = state_open(&runtime, "box", &err);

		if (state_lock(own, 0, &err) != 1 || write(ready[1], "x", 1) != 1)
			_exit(1);
		usleep(100000);
		_exit(0);
	}
	fd_close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	fd_close(ready[0]);
	assert_int_equal(state_lock(fd, 60000, &err), 1);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* Everything goes, what a killed writer left too. */
static void test_remove(void **state)
{
	struct runtime runtime;
	_cleanup_free_ char *path = NULL;
	_cleanup_fd_ int root = root_of(*state, &runtime, &path), fd = -EBADF;
	struct error err = ERROR_NONE;
	struct world inside = {.path = path};

	fd = state_claim(root, "box", &err);
	assert_fine(fd, err);
	inside.fd = fd;
	put_file(&inside, STATE_RECORD, "{}");
	put_file(&inside, STATE_CONFIG, "{}");
	put_file(&inside, STATE_SOCKET, "");
	assert_fine(state_remove(root, fd, "box", &err), err);
	assert_int_equal(faccessat(root, "box", F_OK, 0), -1);
	/* Once more: it is gone, which is what was wanted. */
	assert_fine(state_remove(root, fd, "box", &err), err);
	fd = fd_close(fd);
	fd = state_claim(root, "box", &err);
	inside.fd = fd;
	put_file(&inside, "." STATE_RECORD ".new", "{");
	put_file(&inside, "from a later version", "");
	put_link(&inside, "link", "/etc/passwd");
	assert_fine(state_remove(root, fd, "box", &err), err);
	assert_int_equal(faccessat(root, "box", F_OK, 0), -1);
	assert_int_equal(access("/etc/passwd", F_OK), 0);
}

/* A directory inside is not berth's: it says so and stays. */
static void test_remove_refused(void **state)
{
	struct runtime runtime;
	_cleanup_free_ char *path = NULL;
	_cleanup_fd_ int root = root_of(*state, &runtime, &path), fd = -EBADF;
	struct error err = ERROR_NONE;

	fd = state_claim(root, "box", &err);
	assert_fine(fd, err);
	assert_int_equal(mkdirat(fd, "directory", 0700), 0);
	assert_failed(state_remove(root, fd, "box", &err), err, -EISDIR);
	assert_string_equal(err.text,
			    "remove \"directory\" of the state directory: Is a directory");
	assert_int_equal(faccessat(root, "box", F_OK, 0), 0);
}

static void test_cache(void **state)
{
	struct runtime runtime;
	_cleanup_free_ char *path = NULL;
	_cleanup_fd_ int root = root_of(*state, &runtime, &path), fd = -EBADF, again = -EBADF;
	struct stat st;

	fd = state_cache_open(root);
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0700);
	again = state_cache_open(root);
	assert_true(again >= 0);
	assert_int_equal(unlinkat(root, STATE_CACHE, AT_REMOVEDIR), 0);
	assert_int_equal(symlinkat("/", root, STATE_CACHE), 0);
	assert_true(state_cache_open(root) < 0);
	assert_true(state_cache_open(-EBADF) < 0);
}

/* A listener, a connection, and an end. */
static void test_socket(void **state)
{
	struct runtime runtime;
	_cleanup_free_ char *path = NULL;
	_cleanup_fd_ int root = root_of(*state, &runtime, &path), dir = -EBADF, server = -EBADF;
	_cleanup_fd_ int client = -EBADF, accepted = -EBADF;
	struct error err = ERROR_NONE;
	char text[8] = "";

	dir = state_claim(root, "box", &err);
	assert_fine(dir, err);
	assert_int_equal(state_connect(dir), -ENOENT);
	server = state_listen(dir, &err);
	assert_fine(server, err);
	assert_int_equal(fcntl(server, F_GETFD), FD_CLOEXEC);
	client = state_connect(dir);
	assert_true(client >= 0);
	assert_int_equal(fcntl(client, F_GETFD), FD_CLOEXEC);
	/* It waits for an answer, unlike while it connects. */
	assert_int_equal(fcntl(client, F_GETFL) & O_NONBLOCK, 0);
	accepted = accept4(server, NULL, NULL, SOCK_CLOEXEC);
	assert_true(accepted >= 0);
	assert_int_equal(send(client, "go", 2, 0), 2);
	assert_int_equal(recv(accepted, text, sizeof(text), 0), 2);
	assert_string_equal(text, "go");
	assert_failed(state_listen(dir, &err), err, -EADDRINUSE);
	server = fd_close(server);
	assert_int_equal(state_connect(dir), -ECONNREFUSED);
	assert_int_equal(state_connect(-EBADF), -ENOENT);
}

/* The directory's path may be longer than a socket's address has room for. */
static void test_socket_far_away(void **state)
{
	const struct world *world = *state;
	_cleanup_buf_ struct buf path = BUF_EMPTY;
	struct runtime runtime;
	_cleanup_fd_ int root = -EBADF, dir = -EBADF, server = -EBADF, client = -EBADF;
	struct error err = ERROR_NONE;

	buf_add_string(&path, world->path);
	for (int i = 0; i < 10; i++)
		buf_add_string(&path, "/a directory with a long name");
	runtime = (struct runtime){.root = path.data};
	root = state_root_open(&runtime, true, &err);
	assert_fine(root, err);
	dir = state_claim(root, "box", &err);
	assert_fine(dir, err);
	server = state_listen(dir, &err);
	assert_fine(server, err);
	client = state_connect(dir);
	assert_true(client >= 0);
}

/* Starters beyond what the listener holds are sent away, not kept waiting. */
static void test_socket_full(void **state)
{
	struct runtime runtime;
	_cleanup_free_ char *path = NULL;
	_cleanup_fd_ int root = root_of(*state, &runtime, &path), dir = -EBADF, server = -EBADF;
	struct error err = ERROR_NONE;
	int clients[100], count = 0, r = 0;

	dir = state_claim(root, "box", &err);
	assert_fine(dir, err);
	server = state_listen(dir, &err);
	assert_fine(server, err);
	while (count < 100) {
		r = state_connect(dir);
		if (r < 0)
			break;
		clients[count++] = r;
	}
	assert_int_equal(r, -EAGAIN);
	assert_true(count >= 16);
	while (count)
		fd_close(clients[--count]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(test_ids),
		world_test(test_root),
		world_test(test_claim),
		world_test(test_open),
		world_test(test_lock),
		world_test(test_lock_removed),
		world_test(test_lock_in_time),
		world_test(test_remove),
		world_test(test_remove_refused),
		world_test(test_cache),
		world_test(test_socket),
		world_test(test_socket_far_away),
		world_test(test_socket_full),
	};

	if (skip_all_without(SYS_openat2, "openat2"))
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
