/* SPDX-License-Identifier: Apache-2.0 */
#include "resolv.h"

#include "../base/unit.h"

#define FIRST_LINE "# written by berth-net\n"

static void assert_text(const char *host, const char *upstream, const char *const *servers,
			const char *expected)
{
	_cleanup_buf_ struct buf text = BUF_EMPTY;

	resolv_text(host, upstream, servers, &text);
	assert_true(str_starts(text.data, FIRST_LINE));
	assert_string_equal(text.data + strlen(FIRST_LINE), expected);
}

static void the_hosts_settings_are_the_containers(void **state)
{
	(void)state;
	assert_text("; comment\n# another\nnameserver 10.0.0.1\nnameserver fd00::1\n"
		    "search a.example b.example\noptions ndots:2 trust-ad\nsortlist 1.2.3.4\n",
		    NULL, NULL,
		    "nameserver 10.0.0.1\nnameserver fd00::1\nsearch a.example b.example\n"
		    "options ndots:2 trust-ad\n");
	assert_text("domain a.example\nsearch b.example\nnameserver\t10.0.0.1", NULL, NULL,
		    "nameserver 10.0.0.1\nsearch b.example\n");
	assert_text("search a.example\ndomain b.example\n", NULL, NULL, "search b.example\n");
	assert_text(NULL, NULL, NULL, "");
}

static void systemd_resolveds_stub_is_replaced_by_its_upstream(void **state)
{
	(void)state;
	assert_text("nameserver 127.0.0.53\noptions edns0 trust-ad\nsearch lan\n",
		    "nameserver 10.0.0.1\nnameserver 10.0.0.2\nsearch other\noptions rotate\n",
		    NULL, "nameserver 10.0.0.1\nnameserver 10.0.0.2\nsearch lan\noptions edns0\n");
	assert_text("nameserver ::1\n", "nameserver 127.0.0.1\nnameserver 10.0.0.2\n", NULL,
		    "nameserver 10.0.0.2\n");
	assert_text("nameserver 0.0.0.0\n", NULL, NULL, "");
	/* One that can be reached is enough. */
	assert_text("nameserver 127.0.0.1\nnameserver 10.0.0.3\n", "nameserver 10.0.0.1\n", NULL,
		    "nameserver 10.0.0.3\n");
	assert_text("nameserver 10.0.0.3\n", "nameserver 10.0.0.1\n", NULL,
		    "nameserver 10.0.0.3\n");
}

static void servers_that_are_given_replace_the_hosts(void **state)
{
	(void)state;
	assert_text("nameserver 10.0.0.3\nsearch lan\noptions trust-ad ndots:1\n", NULL,
		    (const char *const[]){"1.1.1.1", "fd00::53", NULL},
		    "nameserver 1.1.1.1\nnameserver fd00::53\nsearch lan\noptions ndots:1\n");
}

static void servers_of_no_use_are_left_out(void **state)
{
	(void)state;
	assert_text("nameserver fe80::1%eth0\nnameserver example\nnameserver\nnameserver "
		    "10.0.0.1.2\nnameserver 10.0.0.1 trailing\n"
		    "nameserver aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n",
		    NULL, NULL, "nameserver 10.0.0.1\n");
	assert_text("nameserver 10.0.0.1\nnameserver 10.0.0.2\nnameserver 10.0.0.3\n"
		    "nameserver 10.0.0.4\n",
		    NULL, NULL, "nameserver 10.0.0.1\nnameserver 10.0.0.2\nnameserver 10.0.0.3\n");
}

static void lines_may_end_as_elsewhere(void **state)
{
	(void)state;
	assert_text("nameserver 10.0.0.1\r\nsearch lan\r\noptions rotate \r\n", NULL, NULL,
		    "nameserver 10.0.0.1\nsearch lan\noptions rotate\n");
}

static void hostile_words_get_no_further(void **state)
{
	char line[4096];
	_cleanup_free_ char *host = NULL;
	_cleanup_buf_ struct buf text = BUF_EMPTY;

	(void)state;
	assert_text("search $(reboot) a;b lan \033[0m x/../y\noptions ndots:1 `id` Rotate\n", NULL,
		    NULL, "search lan\noptions ndots:1\n");
	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	host = xasprintf("search %s lan\n", line);
	assert_text(host, NULL, NULL, "search lan\n");
	for (size_t i = 0; i + 1 < sizeof(line); i += 2)
		line[i] = ' ';
	free(host);
	host = xasprintf("search %s\n", line);
	resolv_text(host, NULL, NULL, &text);
	assert_int_equal(text.size, strlen(FIRST_LINE "search\n") + 32 * strlen(" x"));
}

static void the_file_is_written_in_place(void **state)
{
	static const char *const servers[] = {"10.0.0.53", NULL};
	struct world *world = *state;
	struct error err = ERROR_NONE;
	struct stat before, after;
	_cleanup_free_ char *text = NULL, *longer = NULL;

	put_directory(world, "etc");
	put_file(world, "etc/resolv.conf", "");
	assert_int_equal(fstatat(world->fd, "etc/resolv.conf", &before, 0), 0);
	assert_fine(resolv_write(world->path, "etc/resolv.conf", servers, &err), err);
	assert_int_equal(fstatat(world->fd, "etc/resolv.conf", &after, 0), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	text = get_file(world, "etc/resolv.conf");
	assert_contains(text, FIRST_LINE "nameserver 10.0.0.53\n");

	longer = xasprintf("%s%4000s", text, "x");
	put_file(world, "etc/resolv.conf", longer);
	assert_fine(resolv_write(world->path, "etc/resolv.conf", servers, &err), err);
	free(longer);
	longer = get_file(world, "etc/resolv.conf");
	assert_string_equal(longer, text);
	assert_fine(resolv_write(world->path, "etc/resolv.conf", NULL, &err), err);
}

static void only_a_file_of_the_bundle_with_one_name_is_written(void **state)
{
	struct world *world = *state;
	static const char *const wrong[] = {
		"link",	 "inside", "fifo", "hard",	  "missing",	       "dir",
		"via/a", "..",	   ".",	   "../victim/a", "dir/../../victim/a"};
	_cleanup_free_ char *bundle = xasprintf("%s/bundle", world->path), *text = NULL;
	struct error err = ERROR_NONE;

	put_directory(world, "bundle");
	put_directory(world, "bundle/dir");
	put_directory(world, "victim");
	put_file(world, "victim/a", "victim");
	put_link(world, "bundle/link", "../victim/a");
	put_link(world, "bundle/via", "../victim");
	put_file(world, "bundle/dir/file", "");
	put_link(world, "bundle/inside", "dir/file");
	assert_int_equal(mkfifoat(world->fd, "bundle/fifo", 0600), 0);
	assert_int_equal(linkat(world->fd, "victim/a", world->fd, "bundle/hard", 0), 0);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		if (resolv_write(bundle, wrong[i], NULL, &err) >= 0)
			fail_msg("\"%s\" was written", wrong[i]);
		assert_contains(err.text, bundle);
	}
	text = get_file(world, "victim/a");
	assert_string_equal(text, "victim");
	assert_failed(resolv_write("/nonexistent/bundle", "a", NULL, &err), err, -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_hosts_settings_are_the_containers),
		cmocka_unit_test(systemd_resolveds_stub_is_replaced_by_its_upstream),
		cmocka_unit_test(servers_that_are_given_replace_the_hosts),
		cmocka_unit_test(servers_of_no_use_are_left_out),
		cmocka_unit_test(lines_may_end_as_elsewhere),
		cmocka_unit_test(hostile_words_get_no_further),
		world_test(the_file_is_written_in_place),
		world_test(only_a_file_of_the_bundle_with_one_name_is_written),
	};

	if (skip_all_without(SYS_openat2, "openat2"))
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
