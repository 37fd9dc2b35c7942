/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"
#include "target.h"

/* A store with networks of each kind. */
static struct store prepared(const struct world *world)
{
	struct store store = store_of(world, STORE_CHANGE);
	struct network networks[] = {
		network_of("n", "br-n", (const char *const[]){"10.1.2.0/24", "fd00::/64", NULL}),
		network_of("inner", "br-i", (const char *const[]){"10.1.3.0/24", NULL}),
		{.name = "m", .driver = NETWORK_MACVLAN, .link = "up0"},
		{.name = "i", .driver = NETWORK_IPVLAN, .link = "up0"},
	};

	networks[1].internal = true;
	for (size_t i = 0; i < ARRAY_SIZE(networks); i++) {
		struct error err = ERROR_NONE;

		if (network_create(&store, &networks[i], &err) != -EEXIST)
			assert_fine(err.code, err);
	}
	return store;
}

/* Options of a command line: pairs of name and value, NULL-terminated. */
static struct request_options options_of(struct arena *arena, const char *const *pairs)
{
	struct request_options options = {.network = NULL};
	struct strv words = {.items = NULL};
	struct error err = ERROR_NONE;
	char **copy;
	bool help = false;

	for (; pairs[0]; pairs += 2) {
		_cleanup_free_ char *word = xasprintf("--%s=%s", pairs[0], pairs[1]);

		strv_add(&words, word);
	}
	/* The texts stay with the arena. */
	copy = arena_alloc(arena, words.count + 1, sizeof(*copy));
	for (size_t i = 0; i < words.count; i++)
		copy[i] = arena_strdup(arena, words.items[i]);
	strv_done(&words);
	assert_fine(options_parse(request_option_table, REQUEST_OPTION_COUNT, copy, &options, &help,
				  &err),
		    err);
	return options;
}

static int check(const struct store *store, struct arena *arena, const char *const *pairs,
		 struct request *ret, struct error *err)
{
	struct request_options options = options_of(arena, pairs);
	const struct target target = {.id = "a", .bundle = "/b", .wanted = &options};
	int r = request_check(store, arena, &target, ret, err);

	/* Lists are the caller's, and what was read from them must not be looked at afterwards. */
	options_done(request_option_table, REQUEST_OPTION_COUNT, &options);
	return r;
}

static void without_options_it_is_the_default_network(void **state)
{
	_cleanup_store_ struct store store = store_of(*state, STORE_CHANGE);
	_cleanup_arena_ struct arena *arena = arena_new();
	struct request request;
	struct error err = ERROR_NONE;

	assert_fine(check(&store, arena, (const char *const[]){NULL}, &request, &err), err);
	assert_int_equal(request.mode, REQUEST_NETWORK);
	assert_string_equal(request.id, "a");
	assert_string_equal(request.bundle, "/b");
	assert_string_equal(request.network.link, "berth0");
	assert_string_equal(request.link, "eth0");
	assert_string_equal(request.names[0], "a");
	assert_null(request.names[1]);
	assert_null(request.dns[0]);
	assert_null(request.resolv_conf);
	assert_null(request.cni);
	assert_false(request.has_mac);
	assert_int_equal(request.ip_count, 0);
}

static void everything_can_be_asked_for(void **state)
{
	_cleanup_store_ struct store store = prepared(*state);
	_cleanup_arena_ struct arena *arena = arena_new();
	struct request request;
	struct error err = ERROR_NONE;

	assert_fine(check(&store, arena, (const char *const[]){"network",     "bridge:n",
							       "link",	      "net1",
							       "publish",     "80:80",
							       "publish",     "[::1]:81:81/udp",
							       "ip",	      "fd00::7",
							       "ip",	      "10.1.2.7",
							       "mac",	      "02:00:00:00:00:07",
							       "dns",	      "10.1.2.1",
							       "dns",	      "fd00::1",
							       "names",	      "db",
							       "names",	      "db.example",
							       "bandwidth",   "10mbit",
							       "resolv-conf", "etc/resolv.conf",
							       NULL},
			  &request, &err),
		    err);
	assert_string_equal(request.network.name, "n");
	assert_string_equal(request.link, "net1");
	assert_int_equal(request.publish.count, 2);
	assert_int_equal(request.publish.items[1].protocol, IPPROTO_UDP);
	assert_int_equal(request.ip_count, 2);
	assert_address(&request.ip[1], "10.1.2.7");
	assert_true(request.has_mac);
	assert_int_equal(request.mac[5], 7);
	assert_string_equal(request.dns[1], "fd00::1");
	assert_null(request.dns[2]);
	assert_string_equal(request.names[2], "db.example");
	assert_null(request.names[3]);
	assert_true(request.to_container.bits_per_second == 10000000);
	assert_true(request.from_container.bits_per_second == 10000000);
	assert_string_equal(request.resolv_conf, "etc/resolv.conf");
}

static void networks_have_names_and_drivers(void **state)
{
	static const struct {
		const char *text, *name;
		enum network_driver driver;
	} rows[] = {
		{"bridge", "bridge", NETWORK_BRIDGE}, {"bridge:bridge", "bridge", NETWORK_BRIDGE},
		{"n", "n", NETWORK_BRIDGE},	      {"bridge:n", "n", NETWORK_BRIDGE},
		{"m", "m", NETWORK_MACVLAN},	      {"macvlan:m", "m", NETWORK_MACVLAN},
		{"ipvlan:i", "i", NETWORK_IPVLAN},
	};
	_cleanup_store_ struct store store = prepared(*state);
	_cleanup_arena_ struct arena *arena = arena_new();

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct error err = ERROR_NONE;
		struct request request;

		assert_fine(check(&store, arena,
				  (const char *const[]){"network", rows[i].text, NULL}, &request,
				  &err),
			    err);
		assert_string_equal(request.network.name, rows[i].name);
		assert_int_equal(request.network.driver, rows[i].driver);
	}
}

static void modes_take_what_they_can_honour(void **state)
{
	static const struct {
		const char *pairs[8];
		enum request_mode mode;
	} rows[] = {
		{{"network", "none"}, REQUEST_NONE},
		{{"network", "host", "resolv-conf", "x", "dns", "1.1.1.1"}, REQUEST_HOST},
		{{"network", "pasta", "publish", "80:80", "link", "net0", "names", "x"},
		 REQUEST_PASTA},
		{{"network", "slirp4netns", "resolv-conf", "x"}, REQUEST_SLIRP4NETNS},
	};
	_cleanup_store_ struct store store = store_of(*state, STORE_CHANGE);
	_cleanup_arena_ struct arena *arena = arena_new();

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct error err = ERROR_NONE;
		struct request request;
		const char *pairs[ARRAY_SIZE(rows[i].pairs) + 1] = {NULL};

		memcpy(pairs, rows[i].pairs, sizeof(rows[i].pairs));
		assert_fine(check(&store, arena, pairs, &request, &err), err);
		assert_int_equal(request.mode, rows[i].mode);
	}
}

static const struct {
	const char *pairs[6];
	const char *text;
} refused[] = {
	{{"network", ""}, "--network \"\""},
	{{"network", "x"}, "--network: there is no network \"x\""},
	{{"network", "bridge:"}, "--network"},
	{{"network", "bridge:x"}, "no network \"x\""},
	{{"network", "bridge:../n"}, "--network \"../n\""},
	{{"network", "bridge:n:n"}, "\"n:n\""},
	{{"network", "bridge:m"}, "is of driver \"macvlan\", not \"bridge\""},
	{{"network", "macvlan"}, "no network \"macvlan\""},
	{{"network", "none:x"}, "no such driver"},
	{{"network", "$(reboot)"}, "$(reboot)"},
	{{"network", "none", "publish", "80:80"}, "--publish cannot be had with network \"none\""},
	{{"network", "host", "link", "eth1"}, "--link cannot"},
	{{"network", "host", "names", "x"}, "--names cannot"},
	{{"network", "pasta", "ip", "10.0.0.1"}, "--ip cannot"},
	{{"network", "slirp4netns", "bandwidth", "1mbit"}, "--bandwidth cannot"},
	{{"link", ""}, "--link"},
	{{"link", "lo"}, "--link \"lo\""},
	{{"link", "a/../b"}, "--link"},
	{{"link", "sixteen-bytes-xx"}, "1 to 15 bytes"},
	{{"publish", "80"}, "--publish \"80\""},
	{{"publish", "80:80", "publish", "127.0.0.1:80:81"}, "--publish: the published ports"},
	{{"network", "m", "publish", "80:80"}, "driver \"macvlan\" publishes no ports"},
	{{"network", "i", "publish", "80:80"}, "driver \"ipvlan\" publishes no ports"},
	{{"network", "inner", "publish", "80:80"}, "\"inner\" is internal"},
	{{"ip", "10.187.0"}, "\"10.187.0\" is no address"},
	{{"ip", "10.1.2.7"}, "10.1.2.7 is in no subnet"},
	{{"ip", "10.187.0.0"}, "is no address for a container"},
	{{"ip", "10.187.0.1"}, "is no address for a container"},
	{{"ip", "10.187.255.255"}, "is no address for a container"},
	{{"ip", "10.187.0.2", "ip", "10.187.0.3"}, "10.187.0.3 is the second one"},
	{{"network", "m", "ip", "10.187.0.2"}, "in no subnet"},
	{{"mac", "x"}, "--mac: \"x\""},
	{{"mac", "ff:ff:ff:ff:ff:ff"}, "--mac"},
	{{"network", "i", "mac", "02:00:00:00:00:07"}, "--mac: driver \"ipvlan\" leaves no choice"},
	{{"dns", "1.1.1.1"}, "--dns needs --resolv-conf"},
	{{"resolv-conf", "x", "dns", "example"}, "\"example\" is no address"},
	{{"resolv-conf", "x", "dns", "fe80::1%eth0"}, "is no address"},
	{{"names", "localhost"}, "--names \"localhost\""},
	{{"names", "a b"}, "--names \"a b\""},
	{{"names", ""}, "--names \"\""},
	{{"bandwidth", "fast"}, "--bandwidth"},
	{{"resolv-conf", ""}, "--resolv-conf"},
	{{"resolv-conf", "/etc/resolv.conf"}, "beneath the bundle"},
	{{"resolv-conf", "../x"}, "beneath the bundle"},
	{{"resolv-conf", "x/../../y"}, "beneath the bundle"},
	{{"resolv-conf", "x//y"}, "beneath the bundle"},
	{{"resolv-conf", "./x"}, "beneath the bundle"},
	{{"resolv-conf", "x/"}, "beneath the bundle"},
};

static void what_cannot_be_had_is_refused(void **state)
{
	_cleanup_store_ struct store store = prepared(*state);
	_cleanup_arena_ struct arena *arena = arena_new();

	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		struct error err = ERROR_NONE;
		struct request request;
		const char *pairs[ARRAY_SIZE(refused[i].pairs) + 1] = {NULL};

		memcpy(pairs, refused[i].pairs, sizeof(refused[i].pairs));
		if (check(&store, arena, pairs, &request, &err) >= 0)
			fail_msg("row %zu was taken", i);
		if (!strstr(err.text, refused[i].text))
			fail_msg("row %zu: %s", i, err.text);
	}
}

static void lists_have_ends(void **state)
{
	_cleanup_store_ struct store store = store_of(*state, STORE_CHANGE);
	_cleanup_arena_ struct arena *arena = arena_new();
	struct request_options options = {.resolv_conf = "x"};
	const struct target target = {.id = "a", .bundle = "/b", .wanted = &options},
			    nowhere = {.id = "a", .wanted = &options};
	struct request request;
	struct error err = ERROR_NONE;

	assert_failed(request_check(&store, arena, &nowhere, &request, &err), err, -EINVAL);
	assert_contains(err.text, "--resolv-conf needs --bundle");
	for (int i = 0; i < 3; i++)
		strv_add(&options.dns, "1.1.1.1");
	assert_fine(request_check(&store, arena, &target, &request, &err), err);
	strv_add(&options.dns, "1.1.1.1");
	assert_failed(request_check(&store, arena, &target, &request, &err), err, -EINVAL);
	assert_contains(err.text, "3 servers");
	strv_done(&options.dns);
	options.dns = (struct strv){.items = NULL};
	for (int i = 0; i < 64; i++)
		strv_add(&options.names, "x");
	assert_fine(request_check(&store, arena, &target, &request, &err), err);
	strv_add(&options.names, "x");
	assert_failed(request_check(&store, arena, &target, &request, &err), err, -EINVAL);
	assert_contains(err.text, "64 names");
	strv_done(&options.names);
}

/* Each option with text that no option takes, as an annotation. */
static void hostile_annotations_give_one_short_line(void **state)
{
	static const char *const texts[] = {"$(touch /tmp/x);`id`|cat",
					    "a\nb\r\033[2J\x01",
					    "\xff\xfe",
					    "../../../etc/passwd",
					    "%s%n%d",
					    "\"',;",
					    NULL};
	_cleanup_store_ struct store store = store_of(*state, STORE_CHANGE);
	_cleanup_arena_ struct arena *arena = arena_new();
	char longest[4097];

	memset(longest, 'A', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		for (size_t j = 0; j < REQUEST_OPTION_COUNT; j++) {
			const struct option *option = &request_option_table[j];
			char *text = arena_strdup(arena, texts[i] ? texts[i] : longest);
			struct request_options options = {.resolv_conf = "x"};
			const struct target target = {
				.id = "a", .bundle = "/b", .from_hook = true, .wanted = &options};
			_cleanup_free_ char *name = xasprintf("org.berth.net.%s", option->name);
			struct error err = ERROR_NONE;
			struct request request;

			if (option->kind == OPTION_LIST)
				*(struct strv *)((char *)&options + option->offset) =
					(struct strv){.items = &text, .count = 1};
			else
				*(const char **)((char *)&options + option->offset) = text;
			if (request_check(&store, arena, &target, &request, &err) >= 0) {
				/* Files and links may be called much. */
				assert_true(str_equal(option->name, "resolv-conf") ||
					    (str_equal(option->name, "link") && i == 5));
				continue;
			}
			assert_contains(err.text, name);
			assert_true(strlen(err.text) < 400);
			for (const char *at = err.text; *at; at++)
				assert_true((unsigned char)*at >= ' ' && *at != 0x7f);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(without_options_it_is_the_default_network),
		world_test(everything_can_be_asked_for),
		world_test(networks_have_names_and_drivers),
		world_test(modes_take_what_they_can_honour),
		world_test(what_cannot_be_had_is_refused),
		world_test(lists_have_ends),
		world_test(hostile_annotations_give_one_short_line),
	};

	if (skip_all_without(SYS_openat2, "openat2"))
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
