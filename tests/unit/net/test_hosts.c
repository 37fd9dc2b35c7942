/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"
#include "hosts.h"

#define FIRST_LINES                                                                                \
	"127.0.0.1 localhost\n"                                                                    \
	"::1 localhost ip6-localhost ip6-loopback\n"

static const char *const subnets[] = {"10.1.2.0/24", "fd00:1::/64", NULL};

static void assert_hosts(const struct world *world, const char *name, const char *expected)
{
	_cleanup_free_ char *path = xasprintf("hosts/%s", name), *text = get_file(world, path);

	assert_non_null(text);
	assert_true(str_starts(text, FIRST_LINES));
	assert_string_equal(text + strlen(FIRST_LINES), expected);
}

static struct lease lease(const char *const *names, const char *address)
{
	static struct network network;

	network = network_of("n", "br", subnets);
	return lease_of(&network, names, address);
}

static void add(const struct store *store, const char *const *names, const char *address)
{
	struct lease added = lease(names, address);
	struct error err = ERROR_NONE;

	assert_fine(hosts_add(store, &added, &err), err);
}

static void a_file_is_prepared_once(void **state)
{
	const struct world *world = *state;
	_cleanup_store_ struct store store = store_of(world, STORE_CHANGE);
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_free_ char *expected = xasprintf("%s/hosts/n", world->path);
	struct error err = ERROR_NONE;
	const char *path;
	struct stat before, after;

	assert_fine(hosts_prepare(&store, arena, "n", &path, &err), err);
	assert_string_equal(path, expected);
	assert_int_equal(stat(path, &before), 0);
	assert_int_equal(before.st_mode & 07777, 0644);
	assert_hosts(world, "n", "");
	add(&store, (const char *const[]){"a", NULL}, "10.1.2.3/24");
	assert_fine(hosts_prepare(&store, arena, "n", &path, &err), err);
	assert_int_equal(stat(path, &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	assert_hosts(world, "n", "10.1.2.3 a\n");
}

static void lines_come_at_the_end_and_go(void **state)
{
	const struct world *world = *state;
	_cleanup_store_ struct store store = store_of(world, STORE_CHANGE);
	struct lease two = lease((const char *const[]){"b", "db", "db.example", NULL},
				 "10.1.2.4/24"),
		     gone;
	struct error err = ERROR_NONE;
	struct stat before, after;

	two.addresses[two.address_count++] = prefix_of("fd00:1::4/64");
	add(&store, (const char *const[]){"a", "web", NULL}, "10.1.2.3/24");
	assert_int_equal(fstatat(world->fd, "hosts/n", &before, 0), 0);
	assert_fine(hosts_add(&store, &two, &err), err);
	add(&store, (const char *const[]){"c", NULL}, "10.1.2.5/24");
	assert_hosts(world, "n",
		     "10.1.2.3 a web\n10.1.2.4 b db db.example\nfd00:1::4 b db db.example\n"
		     "10.1.2.5 c\n");
	assert_fine(hosts_remove(&store, &two, &err), err);
	assert_hosts(world, "n", "10.1.2.3 a web\n10.1.2.5 c\n");
	assert_fine(hosts_remove(&store, &two, &err), err);
	gone = lease((const char *const[]){"c", NULL}, "10.1.2.5/24");
	assert_fine(hosts_remove(&store, &gone, &err), err);
	gone.addresses[0] = prefix_of("10.1.2.3/24");
	assert_fine(hosts_remove(&store, &gone, &err), err);
	assert_hosts(world, "n", "");
	assert_int_equal(fstatat(world->fd, "hosts/n", &after, 0), 0);
	assert_int_equal(before.st_ino, after.st_ino);
}

static void an_address_is_no_beginning_of_another(void **state)
{
	const struct world *world = *state;
	_cleanup_store_ struct store store = store_of(world, STORE_CHANGE);
	struct lease gone = lease((const char *const[]){"a", NULL}, "10.1.2.3/24");
	struct error err = ERROR_NONE;

	add(&store, (const char *const[]){"b", NULL}, "10.1.2.33/24");
	assert_fine(hosts_remove(&store, &gone, &err), err);
	assert_hosts(world, "n", "10.1.2.33 b\n");
}

static void nobody_takes_anothers_name(void **state)
{
	const struct world *world = *state;
	_cleanup_store_ struct store store = store_of(world, STORE_CHANGE);

	add(&store, (const char *const[]){"a", "db", NULL}, "10.1.2.3/24");
	add(&store, (const char *const[]){"b", "DB", "a", "localhost", "x.localhost", "web", NULL},
	    "10.1.2.4/24");
	/* By its id a container is always found; the first line counts for resolvers. */
	add(&store, (const char *const[]){"db", NULL}, "10.1.2.5/24");
	/* Another link of the same container has what is its own. */
	add(&store, (const char *const[]){"a", "db", NULL}, "10.1.2.6/24");
	/* And who is called as the host has no line. */
	add(&store, (const char *const[]){"localhost", NULL}, "10.1.2.7/24");
	assert_hosts(world, "n", "10.1.2.3 a db\n10.1.2.4 b web\n10.1.2.5 db\n10.1.2.6 a\n");
}

static void a_rebuild_has_what_leases_say(void **state)
{
	const struct world *world = *state;
	_cleanup_store_ struct store store = store_of(world, STORE_CHANGE);
	struct network other =
		network_of("other", "br2", (const char *const[]){"10.3.0.0/24", NULL});
	struct lease leases[] = {
		lease((const char *const[]){"a", "db", NULL}, "10.1.2.3/24"),
		lease((const char *const[]){"b", NULL}, "10.1.2.4/24"),
		lease_of(&other, (const char *const[]){"c", NULL}, "10.3.0.2/24"),
		lease((const char *const[]){"d", "db", NULL}, "10.1.2.5/24"),
	};
	const struct lease_list list = {.items = leases, .count = ARRAY_SIZE(leases)};
	struct error err = ERROR_NONE;
	struct stat before, after;

	leases[1].complete = false;
	assert_fine(hosts_rebuild(&store, "n", &list, &err), err);
	assert_hosts(world, "n", "10.1.2.3 a db\n10.1.2.5 d\n");
	assert_int_equal(fstatat(world->fd, "hosts/n", &before, 0), 0);
	put_file(world, "hosts/n", "garbage");
	assert_fine(hosts_rebuild(&store, "n", &list, &err), err);
	assert_hosts(world, "n", "10.1.2.3 a db\n10.1.2.5 d\n");
	assert_fine(hosts_rebuild(&store, "n", &(const struct lease_list){.count = 0}, &err), err);
	assert_hosts(world, "n", "");
	assert_int_equal(fstatat(world->fd, "hosts/n", &after, 0), 0);
	assert_int_equal(before.st_ino, after.st_ino);
}

static void a_file_that_is_missing_or_a_link_is_noticed(void **state)
{
	const struct world *world = *state;
	_cleanup_store_ struct store store = store_of(world, STORE_CHANGE);
	struct lease gone = lease((const char *const[]){"a", NULL}, "10.1.2.3/24");
	struct error err = ERROR_NONE;
	_cleanup_free_ char *text = NULL;

	assert_fine(hosts_remove(&store, &gone, &err), err);
	put_file(world, "victim", "victim");
	put_link(world, "hosts/n", "../victim");
	assert_failed(hosts_add(&store, &gone, &err), err, -ELOOP);
	assert_failed(hosts_remove(&store, &gone, &err), err, -ELOOP);
	assert_failed(hosts_rebuild(&store, "n", &(const struct lease_list){.count = 0}, &err), err,
		      -ELOOP);
	text = get_file(world, "victim");
	assert_string_equal(text, "victim");
}

static void who_reads_meanwhile_sees_whole_lines(void **state)
{
	const struct world *world = *state;
	_cleanup_store_ struct store store = store_of(world, STORE_CHANGE);
	struct lease first = lease((const char *const[]){"a", NULL}, "10.1.2.3/24");
	struct error err = ERROR_NONE;
	pid_t writer;
	int status = 0;

	writer = fork();
	if (writer == 0) {
		for (int i = 0; i < 2000; i++) {
			if (hosts_add(&store, &first, &err) < 0 ||
			    hosts_remove(&store, &first, &err) < 0)
				_exit(1);
		}
		_exit(0);
	}
	while (waitpid(writer, &status, WNOHANG) == 0) {
		_cleanup_free_ char *text = get_file(world, "hosts/n");

		if (!text)
			continue;
		assert_true(str_starts(text, FIRST_LINES));
		text[strlen(text) - 1] = '\0';
		assert_null(strstr(text, "10.1.2.3\n"));
		for (const char *at = text + strlen(FIRST_LINES) - 1; *at == '\n'; at++)
			assert_true(at[1] == '\n' || at[1] == '\0' ||
				    str_starts(at + 1, "10.1.2.3 a"));
	}
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(a_file_is_prepared_once),
		world_test(lines_come_at_the_end_and_go),
		world_test(an_address_is_no_beginning_of_another),
		world_test(nobody_takes_anothers_name),
		world_test(a_rebuild_has_what_leases_say),
		world_test(a_file_that_is_missing_or_a_link_is_noticed),
		world_test(who_reads_meanwhile_sees_whole_lines),
	};

	if (skip_all_without(SYS_openat2, "openat2"))
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
