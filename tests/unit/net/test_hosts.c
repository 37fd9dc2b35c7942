/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"
#include "hosts.h"

#define FIRST_LINES                                                                                \
	"127.0.0.1 localhost\n"                                                                    \
	"::1 localhost ip6-localhost ip6-loopback\n"

static const char *const subnets[] = {"10.1.2.0/24", "fd00:1::/64", NULL};

/* The lines that count: those that begin with "#" do not, nor what fills up the others. */
static void assert_hosts(const struct world *world, const char *name, const char *expected)
{
	_cleanup_free_ char *path = xasprintf("hosts/%s", name), *text = get_file(world, path);
	_cleanup_buf_ struct buf lines = BUF_EMPTY;

	assert_non_null(text);
	for (const char *line = text; *line; line += strcspn(line, "\n") + 1) {
		size_t length = strcspn(line, "\n");

		assert_int_equal(line[length], '\n');
		while (length > 0 && line[length - 1] == ' ')
			length--;
		if (length > 0 && line[0] != '#')
			buf_printf(&lines, "%.*s\n", (int)length, line);
	}
	assert_true(str_starts(lines.data, FIRST_LINES));
	assert_string_equal(lines.data + strlen(FIRST_LINES), expected);
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

static void the_file_does_not_grow_with_time(void **state)
{
	const struct world *world = *state;
	_cleanup_store_ struct store store = store_of(world, STORE_CHANGE);
	struct error err = ERROR_NONE;
	struct stat st;

	add(&store, (const char *const[]){"first", NULL}, "10.1.2.200/24");
	for (int i = 0; i < 300; i++) {
		_cleanup_free_ char *id = xasprintf("container%d", i % 7),
				    *address = xasprintf("10.1.2.%d/24", 2 + i % 100);
		struct lease passing = lease((const char *const[]){id, NULL}, address);

		assert_fine(hosts_add(&store, &passing, &err), err);
		if (i % 10 == 0)
			add(&store, (const char *const[]){"last", NULL}, "10.1.2.201/24");
		assert_fine(hosts_remove(&store, &passing, &err), err);
	}
	assert_int_equal(fstatat(world->fd, "hosts/n", &st, 0), 0);
	assert_true(st.st_size < 200);
	assert_hosts(world, "n", "10.1.2.200 first\n10.1.2.201 last\n");
}

static void drop(const struct store *store, const char *const *names, const char *address)
{
	struct lease gone = lease(names, address);
	struct error err = ERROR_NONE;

	assert_fine(hosts_remove(store, &gone, &err), err);
}

static void the_room_of_a_line_is_used_again(void **state)
{
	const struct world *world = *state;
	_cleanup_store_ struct store store = store_of(world, STORE_CHANGE);
	struct stat before, after;

	add(&store, (const char *const[]){"a", "db", NULL}, "10.1.2.3/24");
	add(&store, (const char *const[]){"b", NULL}, "10.1.2.4/24");
	assert_int_equal(fstatat(world->fd, "hosts/n", &before, 0), 0);
	drop(&store, (const char *const[]){"a", "db", NULL}, "10.1.2.3/24");
	/* The name is free, and a line that is too long does not fit. */
	add(&store, (const char *const[]){"c-that-is-longer", "db", NULL}, "10.1.2.5/24");
	assert_hosts(world, "n", "10.1.2.4 b\n10.1.2.5 c-that-is-longer db\n");
	drop(&store, (const char *const[]){"c-that-is-longer", NULL}, "10.1.2.5/24");
	assert_int_equal(fstatat(world->fd, "hosts/n", &after, 0), 0);
	assert_int_equal(before.st_size, after.st_size);
	add(&store, (const char *const[]){"c", "x", NULL}, "10.1.2.5/24");
	assert_int_equal(fstatat(world->fd, "hosts/n", &after, 0), 0);
	assert_int_equal(before.st_size, after.st_size);
	assert_hosts(world, "n", "10.1.2.5 c x\n10.1.2.4 b\n");
}

static void a_file_that_somebody_has_edited_goes_on(void **state)
{
	const struct world *world = *state;
	_cleanup_store_ struct store store = store_of(world, STORE_CHANGE);

	put_file(world, "hosts/n", FIRST_LINES "# mine\n\n\t10.1.2.9\tmanual");
	add(&store, (const char *const[]){"a", "manual", NULL}, "10.1.2.3/24");
	add(&store, (const char *const[]){"b", "other", NULL}, "10.1.2.4/24");
	assert_hosts(world, "n", "\t10.1.2.9\tmanual\n10.1.2.3 a\n10.1.2.4 b other\n");
	put_file(world, "hosts/n", "");
	add(&store, (const char *const[]){"b", NULL}, "10.1.2.4/24");
	drop(&store, (const char *const[]){"b", NULL}, "10.1.2.4/24");
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
	add(&store, (const char *const[]){"gone", NULL}, "10.1.2.99/24");
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

/* Removes and adds two lines of different lengths in turn: the first of the file goes each time. */
static int write_lines(const struct store *store, const struct lease leases[static 2])
{
	struct error err = ERROR_NONE;

	for (int i = 0; i < 10000; i++) {
		if (hosts_remove(store, &leases[i % 2], &err) < 0 ||
		    hosts_add(store, &leases[i % 2], &err) < 0)
			return 1;
	}
	return 0;
}

static void check_lines(const char *text, const char *const *lines)
{
	assert_true(str_starts(text, FIRST_LINES));
	text += strlen(FIRST_LINES);
	while (*text) {
		size_t size = strcspn(text, "\n"), length = size;
		bool known = text[0] == '#';

		assert_int_equal(text[size], '\n');
		while (length > 0 && text[length - 1] == ' ')
			length--;
		for (size_t i = 0; i < 2; i++)
			known |= length == strlen(lines[i]) && str_starts(text, lines[i]);
		if (!known)
			fail_msg("a line \"%.*s\"", (int)size, text);
		text += size + 1;
	}
}

static void who_reads_meanwhile_sees_whole_lines(void **state)
{
	static const char *const lines[] = {"10.1.2.3 a", "10.1.2.44 a-longer-name and-another"};
	const struct world *world = *state;
	_cleanup_store_ struct store store = store_of(world, STORE_CHANGE);
	const struct lease leases[] = {
		lease((const char *const[]){"a", NULL}, "10.1.2.3/24"),
		lease((const char *const[]){"a-longer-name", "and-another", NULL}, "10.1.2.44/24"),
	};
	struct error err = ERROR_NONE;
	pid_t writer;
	int status = 0;

	assert_fine(hosts_add(&store, &leases[0], &err), err);
	assert_fine(hosts_add(&store, &leases[1], &err), err);
	writer = fork();
	if (writer == 0)
		_exit(write_lines(&store, leases));
	while (waitpid(writer, &status, WNOHANG) == 0) {
		_cleanup_free_ char *text = get_file(world, "hosts/n");

		assert_non_null(text);
		check_lines(text, lines);
	}
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(a_file_is_prepared_once),
		world_test(lines_come_at_the_end_and_go),
		world_test(the_file_does_not_grow_with_time),
		world_test(the_room_of_a_line_is_used_again),
		world_test(a_file_that_somebody_has_edited_goes_on),
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
