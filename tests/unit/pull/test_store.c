/* SPDX-License-Identifier: Apache-2.0 */
/* The store: opened and refused, blobs, layers, parts, and what the dead leave behind. */
#include <sys/file.h>

#include "common/tree.h"
#include "store/store-internal.h"
#include "store/store.h"

#include "../base/unit.h"

#define CONTENT "{\"a\": 1}"

static struct store open_store(const struct world *world, enum store_mode mode)
{
	_cleanup_free_ char *path = xasprintf("%s/store", world->path);
	struct store store = STORE_CLOSED;
	struct error err = ERROR_NONE;

	assert_fine(store_open(path, mode, &store, &err), err);
	return store;
}

static struct digest digest_for(const char *text)
{
	struct digest digest;

	digest_of(DIGEST_SHA256, text, strlen(text), &digest);
	return digest;
}

static bool exists(const struct store *store, const char *name)
{
	return faccessat(store->fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static int count_entries(const struct store *store, const char *name)
{
	_cleanup_dir_ DIR *dir = store_open_dir(store, name);
	int count = -2;

	assert_non_null(dir);
	while (readdir(dir))
		count++;
	return count;
}

static void make_layer(const struct store *store, const struct digest *diff_id)
{
	struct store_layer layer = STORE_LAYER_NONE;
	struct error err = ERROR_NONE;

	assert_int_equal(store_layer_begin(store, diff_id, &layer, &err), 0);
	assert_fine(file_create_at(layer.rootfd, "file", 0644, "x", 1, &err), err);
	assert_fine(store_layer_commit(&layer, &err), err);
}

static void test_open(void **state)
{
	const struct world *world = *state;
	struct store store = open_store(world, STORE_READ);
	struct digest digest = digest_for("x");
	struct error err = ERROR_NONE;
	struct stat st;
	size_t size;
	char *text;

	/* Nothing is made for a reader, and an empty store is none that is broken. */
	assert_true(store.fd < 0);
	assert_false(store_has_layer(&store, &digest));
	assert_int_equal(store_blob_read(&store, &digest, 100, &text, &size, &err), -ENOENT);
	assert_failed(store_layer_open(&store, &digest, &err), err, -ENOENT);
	store_close(&store);
	assert_int_equal(faccessat(world->fd, "store", F_OK, 0), -1);

	store = open_store(world, STORE_ADD);
	assert_int_equal(fstat(store.fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(fstatat(store.fd, "layers", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_true(store.boot[0] != '\0');
	store_close(&store);
}

static void test_refused(void **state)
{
	const struct world *world = *state;
	_cleanup_free_ char *path = xasprintf("%s/store", world->path);
	struct store store = open_store(world, STORE_ADD);
	struct error err = ERROR_NONE;

	store_close(&store);
	assert_int_equal(chmod(path, 0770), 0);
	assert_failed(store_open(path, STORE_READ, &store, &err), err, -EPERM);
	assert_contains(err.text, "0770");
	assert_int_equal(chmod(path, 0700), 0);
	if (geteuid() == 0) {
		assert_int_equal(chown(path, 1234, 0), 0);
		assert_failed(store_open(path, STORE_ADD, &store, &err), err, -EPERM);
		assert_contains(err.text, "1234");
	}
	put_file(world, "plain", "");
	free(path);
	path = xasprintf("%s/plain", world->path);
	assert_true(store_open(path, STORE_ADD, &store, &err) < 0);
}

static void test_blobs(void **state)
{
	struct store store = open_store(*state, STORE_ADD);
	struct digest digest = digest_for(CONTENT), other = digest_for("other");
	struct error err = ERROR_NONE;
	char name[STORE_NAME_MAX];
	char *text = NULL;
	size_t size = 0;
	int fd;

	assert_int_equal(store_blob_read(&store, &digest, 100, &text, &size, &err), -ENOENT);
	assert_failed(store_blob_write(&store, &other, CONTENT, strlen(CONTENT), &err), err,
		      -EBADMSG);
	assert_fine(store_blob_write(&store, &digest, CONTENT, strlen(CONTENT), &err), err);
	assert_fine(store_blob_read(&store, &digest, 100, &text, &size, &err), err);
	assert_string_equal(text, CONTENT);
	assert_int_equal(size, strlen(CONTENT));
	free(text);
	assert_failed(store_blob_read(&store, &digest, 3, &text, &size, &err), err, -EFBIG);

	fd = openat(store.fd, store_name("blobs", &digest, name), O_WRONLY | O_CLOEXEC);
	assert_int_equal(fd_write_all(fd, "[", 1), 0);
	fd_close(fd);
	assert_failed(store_blob_read(&store, &digest, 100, &text, &size, &err), err, -EBADMSG);
	store.sync = true;
	assert_fine(store_blob_write(&store, &digest, CONTENT, strlen(CONTENT), &err), err);
	assert_fine(store_blob_read(&store, &digest, 100, &text, &size, &err), err);
	free(text);
	assert_int_equal(count_entries(&store, STORE_TMP), 0);
	store_close(&store);
}

static void test_layers(void **state)
{
	struct store store = open_store(*state, STORE_ADD);
	_cleanup_store_layer_ struct store_layer layer = STORE_LAYER_NONE;
	struct digest digest = digest_for("layer");
	_cleanup_free_ char *path = store_layer_path(&store, &digest);
	struct error err = ERROR_NONE;
	struct stat st;
	int fd;

	assert_int_equal(store_layer_begin(&store, &digest, &layer, &err), 0);
	assert_int_equal(fstat(layer.rootfd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	assert_false(store_has_layer(&store, &digest));
	store_layer_abort(&layer);
	store_layer_abort(&layer);
	assert_int_equal(count_entries(&store, STORE_TMP), 0);

	make_layer(&store, &digest);
	assert_true(store_has_layer(&store, &digest));
	assert_int_equal(count_entries(&store, STORE_TMP), 0);
	assert_int_equal(store_layer_begin(&store, &digest, &layer, &err), 1);
	fd = store_layer_open(&store, &digest, &err);
	assert_fine(fd, err);
	assert_int_equal(faccessat(fd, "index", F_OK, 0), 0);
	assert_int_equal(fstatat(fd, "fs", &st, 0), 0);
	fd_close(fd);
	fd = open(path, O_PATH | O_CLOEXEC);
	assert_true(fd >= 0);
	fd_close(fd);
	store_close(&store);
}

/* Makes a layer as another process, and tells by the pipe that it has begun. */
static pid_t make_elsewhere(const struct store *store, const struct digest *digest, bool die)
{
	int pipes[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		_cleanup_free_ char *path = xstrdup(store->path);
		struct store own = STORE_CLOSED;
		struct store_layer layer = STORE_LAYER_NONE;
		struct error err = ERROR_NONE;

		if (store_open(path, STORE_ADD, &own, &err) < 0 ||
		    store_layer_begin(&own, digest, &layer, &err) != 0 ||
		    mkdirat(layer.rootfd, "mine", 0755) < 0 || write(pipes[1], "x", 1) != 1)
			_exit(1);
		usleep(100000);
		_exit(die || store_layer_commit(&layer, &err) < 0 ? 2 : 0);
	}
	close(pipes[1]);
	assert_int_equal(read(pipes[0], &byte, 1), 1);
	close(pipes[0]);
	return pid;
}

static void test_second_waits(void **state)
{
	struct store store = open_store(*state, STORE_ADD);
	_cleanup_store_layer_ struct store_layer layer = STORE_LAYER_NONE;
	struct digest finished = digest_for("finished"), died = digest_for("died");
	struct error err = ERROR_NONE;
	atomic_bool cancelled = true;
	int status = -1;
	pid_t pid;

	pid = make_elsewhere(&store, &finished, /* die= */ false);
	store.cancelled = &cancelled;
	assert_failed(store_layer_begin(&store, &finished, &layer, &err), err, -EINTR);
	atomic_store(&cancelled, false);
	assert_int_equal(store_layer_begin(&store, &finished, &layer, &err), 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);

	/* What the other one had made before it died is not taken for whole. */
	store.cancelled = NULL;
	pid = make_elsewhere(&store, &died, /* die= */ true);
	assert_int_equal(store_layer_begin(&store, &died, &layer, &err), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), 2);
	assert_int_equal(faccessat(layer.rootfd, "mine", F_OK, 0), -1);
	assert_fine(store_layer_commit(&layer, &err), err);
	assert_int_equal(count_entries(&store, STORE_TMP), 0);
	store_close(&store);
}

/* Leftovers of every kind go with the next one who writes, and what is in use stays. */
static void test_sweep(void **state)
{
	struct store store = open_store(*state, STORE_ADD), second;
	_cleanup_store_layer_ struct store_layer layer = STORE_LAYER_NONE;
	struct digest alive = digest_for("alive");
	struct error err = ERROR_NONE;
	int fd;

	assert_int_equal(store_layer_begin(&store, &alive, &layer, &err), 0);
	fd = openat(store.fd, "tmp/file-alive", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	assert_true(tmp_in_use(&store, "tmp/file-alive"));
	assert_true(tmp_in_use(&store, layer.name));
	assert_fine(file_create_at(store.fd, "tmp/file", 0600, "x", 1, &err), err);
	assert_fine(file_create_at(store.fd, "tmp/lonely.lock", 0600, "", 0, &err), err);
	assert_fine(file_create_at(store.fd, "tmp/dir.lock", 0600, "", 0, &err), err);
	assert_int_equal(mkdirat(store.fd, "tmp/dir", 0700), 0);
	assert_int_equal(mkdirat(store.fd, "tmp/dir/sub", 0700), 0);
	assert_int_equal(mkdirat(store.fd, "tmp/unlocked", 0700), 0);
	assert_false(tmp_in_use(&store, "tmp/file"));
	assert_false(tmp_in_use(&store, "tmp/dir"));
	assert_false(tmp_in_use(&store, "tmp/dir.lock"));
	assert_false(tmp_in_use(&store, "tmp/unlocked"));

	second = open_store(*state, STORE_READ);
	store_close(&second);
	assert_int_equal(count_entries(&store, STORE_TMP), 8);
	second = open_store(*state, STORE_ADD);
	assert_true(second.swept > 0);
	store_close(&second);
	assert_int_equal(count_entries(&store, STORE_TMP), 3);
	fd_close(fd);
	assert_fine(store_layer_commit(&layer, &err), err);
	store_close(&store);
}

static void test_parts(void **state)
{
	struct store store = open_store(*state, STORE_ADD);
	struct digest digest = digest_for("part");
	struct error err = ERROR_NONE;
	atomic_bool cancelled = true;
	uint64_t size = 1;
	char byte = 0;
	int fd, again;

	fd = store_part_open(&store, &digest, &size, &err);
	assert_fine(fd, err);
	assert_int_equal(size, 0);
	assert_int_equal(fd_write_all(fd, "abc", 3), 0);
	store.cancelled = &cancelled;
	assert_failed(store_part_open(&store, &digest, &size, &err), err, -EINTR);
	fd_close(fd);
	fd = store_part_open(&store, &digest, &size, &err);
	assert_fine(fd, err);
	assert_int_equal(size, 3);
	store_part_remove(&store, &digest);
	assert_int_equal(pread(fd, &byte, 1, 2), 1);
	assert_int_equal(byte, 'c');
	again = store_part_open(&store, &digest, &size, &err);
	assert_fine(again, err);
	assert_int_equal(size, 0);
	fd_close(again);
	fd_close(fd);
	store_close(&store);
}

static void test_tree_remove(void **state)
{
	const struct world *world = *state;
	uint64_t freed = 0;
	int at;

	put_directory(world, "tree");
	put_directory(world, "tree/.0");
	put_file(world, "tree/.0/kept", "x");
	put_file(world, "tree/.1", "x");
	put_file(world, "tree/a", "x");
	assert_int_equal(linkat(world->fd, "tree/a", world->fd, "tree/.0/b", 0), 0);
	put_link(world, "tree/link", "..");
	put_file(world, "outside", "x");
	put_link(world, "tree/.0/out", "../../outside");
	/* Deeper than there are descriptors, and than one name may be long. */
	at = openat(world->fd, "tree", O_PATH | O_CLOEXEC);
	for (int i = 0; i < 2000; i++) {
		int next;

		assert_int_equal(mkdirat(at, "deep", 0700), 0);
		next = openat(at, "deep", O_PATH | O_CLOEXEC);
		assert_true(next >= 0);
		fd_close(at);
		at = next;
	}
	fd_close(at);
	assert_int_equal(tree_remove(world->fd, "tree", &freed), 0);
	assert_int_equal(faccessat(world->fd, "tree", F_OK, 0), -1);
	assert_int_equal(faccessat(world->fd, "outside", F_OK, 0), 0);
	assert_true(freed > 0);
	assert_int_equal(tree_remove(world->fd, "tree", NULL), -ENOENT);
	assert_int_equal(tree_remove(world->fd, "outside", NULL), 0);
}

/* Removal waits for those who add, and these for removal. */
static void test_store_lock(void **state)
{
	struct store store = open_store(*state, STORE_ADD), second = open_store(*state, STORE_ADD);
	_cleanup_free_ char *path = xstrdup(store.path);
	struct store third = STORE_CLOSED;
	struct error err = ERROR_NONE;
	atomic_bool cancelled = true;

	third.cancelled = &cancelled;
	assert_failed(store_open(path, STORE_REMOVE, &third, &err), err, -EINTR);
	store_close(&store);
	assert_failed(store_open(path, STORE_REMOVE, &third, &err), err, -EINTR);
	store_close(&second);
	assert_fine(store_open(path, STORE_REMOVE, &third, &err), err);
	second.cancelled = &cancelled;
	assert_failed(store_open(path, STORE_ADD, &second, &err), err, -EINTR);
	assert_failed(store_open(path, STORE_READ, &second, &err), err, -EINTR);
	assert_true(exists(&third, "lock"));
	store_close(&third);
}

/* Makes a layer with an index that is right, or that knows of a file more. */
static void make_indexed(const struct store *store, const struct digest *diff_id, bool whole)
{
	static const char index[] = "i 0 0 0 0 0.0 00000000 dir\n", more[] = "f 0 0 0 0 0.0 0 x\n";
	struct store_layer layer = STORE_LAYER_NONE;
	struct error err = ERROR_NONE;

	assert_int_equal(store_layer_begin(store, diff_id, &layer, &err), 0);
	assert_int_equal(mkdirat(layer.rootfd, "dir", 0755), 0);
	assert_int_equal(fd_write_all(layer.indexfd, index, strlen(index)), 0);
	if (!whole)
		assert_int_equal(fd_write_all(layer.indexfd, more, strlen(more)), 0);
	assert_fine(store_layer_commit(&layer, &err), err);
}

/* What was not written to the disk is verified in another boot, once. */
static void test_other_boot(void **state)
{
	if (!has_call(SYS_openat2))
		skip_because("there is no openat2(2) here");

	struct store store = open_store(*state, STORE_ADD);
	_cleanup_store_layer_ struct store_layer layer = STORE_LAYER_NONE;
	struct digest whole = digest_for("whole"), damaged = digest_for("damaged");
	struct error err = ERROR_NONE;

	make_indexed(&store, &whole, true);
	make_indexed(&store, &damaged, false);
	assert_int_equal(layer_note(&store, &whole), NOTE_THIS_BOOT);
	assert_true(store_has_layer(&store, &damaged));
	strcpy(store.boot, "another");
	assert_int_equal(layer_note(&store, &whole), NOTE_OTHER_BOOT);

	store.mode = STORE_READ;
	assert_true(store_has_layer(&store, &whole));
	assert_false(store_has_layer(&store, &damaged));
	assert_int_equal(layer_note(&store, &whole), NOTE_OTHER_BOOT);
	assert_true(layer_exists(&store, &damaged));

	store.mode = STORE_ADD;
	assert_true(store_has_layer(&store, &whole));
	assert_int_equal(layer_note(&store, &whole), NOTE_NONE);
	assert_int_equal(store_layer_begin(&store, &damaged, &layer, &err), 0);
	assert_false(layer_exists(&store, &damaged));
	store_layer_abort(&layer);
	assert_int_equal(count_entries(&store, STORE_TMP), 0);
	store_close(&store);
}

static void test_sync(void **state)
{
	struct store store = open_store(*state, STORE_ADD);
	struct digest here = digest_for("here"), other = digest_for("other");
	struct error err = ERROR_NONE;

	make_layer(&store, &other);
	strcpy(store.boot, "another");
	make_layer(&store, &here);
	assert_fine(store_sync(&store, &err), err);
	assert_int_equal(layer_note(&store, &here), NOTE_NONE);
	assert_int_equal(layer_note(&store, &other), NOTE_OTHER_BOOT);
	store_close(&store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(test_open),	       world_test(test_refused),
		world_test(test_blobs),	       world_test(test_layers),
		world_test(test_sweep),	       world_test(test_parts),
		world_test(test_second_waits), world_test(test_store_lock),
		world_test(test_tree_remove),  world_test(test_other_boot),
		world_test(test_sync),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
