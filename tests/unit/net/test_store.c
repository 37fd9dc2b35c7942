/* SPDX-License-Identifier: Apache-2.0 */
#include <poll.h>
#include <sys/file.h>

#include "berth/base/clock.h"

#include "fixture.h"
#include "hosts.h"
#include "pool.h"
#include "store-internal.h"

static mode_t mode_of(const struct world *world, const char *name)
{
	struct stat st;

	assert_int_equal(fstatat(world->fd, name, &st, AT_SYMLINK_NOFOLLOW), 0);
	return st.st_mode & 07777;
}

static bool is_there(const struct world *world, const char *name)
{
	return faccessat(world->fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static void a_store_is_made_for_its_owner(void **state)
{
	const struct world *world = *state;
	_cleanup_free_ char *path = xasprintf("%s/a/b", world->path);
	_cleanup_store_ struct store store = STORE_CLOSED;
	struct error err = ERROR_NONE;

	assert_fine(store_open(path, STORE_CHANGE, &store, &err), err);
	assert_int_equal(mode_of(world, "a"), 0755);
	assert_int_equal(mode_of(world, "a/b/networks"), 0755);
	assert_int_equal(mode_of(world, "a/b/hosts"), 0755);
	assert_int_equal(mode_of(world, "a/b/addresses"), 0755);
	assert_int_equal(mode_of(world, "a/b/leases"), 0700);
	assert_int_equal(mode_of(world, "a/b/lock"), 0600);
}

static void what_is_missing_is_an_empty_store_to_a_reader(void **state)
{
	const struct world *world = *state;
	_cleanup_free_ char *path = xasprintf("%s/a", world->path);
	_cleanup_arena_ struct arena *arena = arena_new();
	struct error err = ERROR_NONE;

	for (int i = 0; i < 2; i++) {
		_cleanup_store_ struct store store = STORE_CLOSED;
		struct network_list networks;
		struct lease_list leases;

		assert_fine(store_open(path, STORE_READ, &store, &err), err);
		assert_int_equal(store.rootfd, -EBADF);
		assert_fine(lease_list(&store, arena, NULL, NULL, &leases, &err), err);
		assert_int_equal(leases.count, 0);
		assert_fine(network_list(&store, arena, &networks, &err), err);
		assert_int_equal(networks.count, 1);
		assert_int_equal(pool_in_use(&store, "n", &err), 0);
		/* And one where nobody has changed anything yet. */
		if (i == 0) {
			assert_false(is_there(world, "a"));
			put_directory(world, "a");
		}
	}
	assert_false(is_there(world, "a/lock"));
}

static void what_others_may_write_to_is_no_store(void **state)
{
	const struct world *world = *state;
	struct error err = ERROR_NONE;
	struct store store = STORE_CLOSED;
	static const mode_t modes[] = {0777, 0775, 0702};
	_cleanup_free_ char *file = xasprintf("%s/file", world->path);

	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		assert_int_equal(chmod(world->path, modes[i]), 0);
		assert_failed(store_open(world->path, STORE_CHANGE, &store, &err), err, -EPERM);
		assert_failed(store_open(world->path, STORE_READ, &store, &err), err, -EPERM);
		assert_contains(err.text, "other users may write");
	}
	assert_int_equal(chmod(world->path, 0755), 0);
	put_directory(world, "leases");
	assert_int_equal(fchmodat(world->fd, "leases", 0777, 0), 0);
	assert_failed(store_open(world->path, STORE_CHANGE, &store, &err), err, -EPERM);
	assert_contains(err.text, "/leases");
	if (geteuid() == 0) {
		assert_int_equal(chown(world->path, 12345, 0), 0);
		assert_failed(store_open(world->path, STORE_CHANGE, &store, &err), err, -EPERM);
		assert_contains(err.text, "12345");
	}
	put_file(world, "file", "");
	assert_failed(store_open(file, STORE_CHANGE, &store, &err), err, -ENOTDIR);
}

static void links_are_not_followed(void **state)
{
	static const char *const names[] = {"lock", "networks", "hosts", "leases", "addresses"};
	const struct world *world = *state;
	_cleanup_free_ char *path = xasprintf("%s/store", world->path);

	put_directory(world, "store");
	put_directory(world, "elsewhere");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		_cleanup_free_ char *name = xasprintf("store/%s", names[i]);
		struct error err = ERROR_NONE;
		struct store store = STORE_CLOSED;

		put_link(world, name, "../elsewhere");
		assert_true(store_open(path, STORE_CHANGE, &store, &err) < 0);
		assert_contains(err.text, names[i]);
		assert_int_equal(unlinkat(world->fd, name, 0), 0);
	}
	assert_int_equal(unlinkat(world->fd, "elsewhere", AT_REMOVEDIR), 0);
}

/* A child that holds the lock of the store until it is killed; returns when it has it. */
static pid_t hold_lock(const struct world *world, int operation)
{
	int ready[2];
	pid_t pid;
	char byte;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		int fd = openat(world->fd, "lock", O_RDWR | O_CLOEXEC);

		if (flock(fd, operation) < 0 || write(ready[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return pid;
}

static void waiting_for_the_lock_ends(void **state)
{
	const struct world *world = *state;
	struct store store = store_of(world, STORE_CHANGE);
	pid_t holder;
	int64_t start, waited;
	_cleanup_fd_ int fd = -EBADF;
	_cleanup_free_ char *words = NULL;
	struct error err = ERROR_NONE;

	store_close(&store);
	holder = hold_lock(world, LOCK_EX);
	fd = openat(world->fd, "lock", O_RDWR | O_CLOEXEC);
	start = clock_now_ms();
	assert_failed(store_lock(fd, "FILE", LOCK_EX, 200, &err), err, -ETIMEDOUT);
	waited = clock_now_ms() - start;
	assert_true(waited >= 200 && waited < 5000);
	words = xasprintf("lock \"FILE\": not free for 200 ms; process %d has it", (int)holder);
	assert_string_equal(err.text, words);
	child_end(holder);
	assert_fine(store_lock(fd, "FILE", LOCK_EX, 200, &err), err);
	assert_failed(store_lock(-1, "FILE", LOCK_EX, 200, &err), err, -EBADF);
}

static void readers_share_the_lock(void **state)
{
	const struct world *world = *state;
	struct store store = store_of(world, STORE_CHANGE);
	pid_t holder;

	store_close(&store);
	holder = hold_lock(world, LOCK_SH);
	store = store_of(world, STORE_READ);
	store_close(&store);
	child_end(holder);
}

static void on_signal(int number)
{
	(void)number;
}

static int be_interrupted(void *argument)
{
	const struct world *world = argument;
	const struct sigaction action = {.sa_handler = on_signal};
	int fd = openat(world->fd, "lock", O_RDWR | O_CLOEXEC), r;
	pid_t parent = getpid(), killer;
	struct error err = ERROR_NONE;

	sigaction(SIGTERM, &action, NULL);
	killer = fork();
	if (killer == 0) {
		/* Again and again: the first may come before the wait. */
		while (getppid() == parent && kill(parent, SIGTERM) == 0)
			poll(NULL, 0, 20);
		_exit(0);
	}
	r = store_lock(fd, "FILE", LOCK_EX, 30000, &err);
	kill(killer, SIGKILL);
	waitpid(killer, NULL, 0);
	return r == -EINTR ? 0 : __LINE__ % 256;
}

static void a_signal_that_is_caught_ends_the_wait(void **state)
{
	struct world *world = *state;
	struct store store = store_of(world, STORE_CHANGE);
	pid_t holder;

	store_close(&store);
	holder = hold_lock(world, LOCK_EX);
	in_child(be_interrupted, world);
	child_end(holder);
}

/* Puts a lease, an address and names into the store; returns it open. */
static struct store fill(const struct world *world)
{
	struct store store = store_of(world, STORE_CHANGE);
	static struct network network;
	struct lease lease;
	struct error err = ERROR_NONE;
	struct address any = {.family = 0}, address;

	network = network_of("n", "br-n", (const char *const[]){"10.1.2.0/24", NULL});
	lease = lease_of(&network, (const char *const[]){"a", NULL}, "10.1.2.2/24");
	if (!is_there(world, "networks/n.json"))
		assert_fine(network_create(&store, &network, &err), err);
	assert_fine(pool_take(&store, &WISH(network, any, "a@eth0"), &address, &err), err);
	assert_fine(lease_write(&store, &lease, &err), err);
	assert_fine(hosts_add(&store, &lease, &err), err);
	return store;
}

static void what_is_of_another_boot_is_dropped(void **state)
{
	static const char *const boots[] = {"00000000-0000-0000-0000-000000000000\n", "", NULL};
	const struct world *world = *state;

	for (size_t i = 0; i < ARRAY_SIZE(boots); i++) {
		struct store store = fill(world);
		_cleanup_arena_ struct arena *arena = arena_new();
		struct error err = ERROR_NONE;
		struct lease_list leases;
		_cleanup_free_ char *hosts = NULL;

		put_file(world, "leases/.x@eth0.json.new", "{");
		put_file(world, "hosts/.n.new", "");
		store_close(&store);
		if (boots[i])
			put_file(world, "boot", boots[i]);
		else
			assert_int_equal(unlinkat(world->fd, "boot", 0), 0);
		store = store_of(world, STORE_READ);
		assert_fine(lease_list(&store, arena, NULL, NULL, &leases, &err), err);
		assert_int_equal(leases.count, 0);
		assert_true(is_there(world, "leases/a@eth0.json"));
		store_close(&store);

		store = store_of(world, STORE_CHANGE);
		store_close(&store);
		assert_false(is_there(world, "leases/a@eth0.json"));
		assert_false(is_there(world, "leases/.x@eth0.json.new"));
		assert_false(is_there(world, "addresses/n"));
		assert_true(is_there(world, "networks/n.json"));
		hosts = get_file(world, "hosts/n");
		assert_contains(hosts, "127.0.0.1 localhost\n");
		assert_null(strstr(hosts, "10.1.2.2"));
	}
}

static void what_is_of_this_boot_stays(void **state)
{
	const struct world *world = *state;
	struct store store = fill(world);

	store_close(&store);
	store = store_of(world, STORE_CHANGE);
	store_close(&store);
	assert_true(is_there(world, "leases/a@eth0.json"));
	assert_true(is_there(world, "addresses/n/10.1.2.2"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(a_store_is_made_for_its_owner),
		world_test(what_is_missing_is_an_empty_store_to_a_reader),
		world_test(what_others_may_write_to_is_no_store),
		world_test(links_are_not_followed),
		world_test(waiting_for_the_lock_ends),
		world_test(readers_share_the_lock),
		world_test(a_signal_that_is_caught_ends_the_wait),
		world_test(what_is_of_another_boot_is_dropped),
		world_test(what_is_of_this_boot_stays),
	};

	if (skip_all_without(SYS_openat2, "openat2"))
		return 0;
	umask(022);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
