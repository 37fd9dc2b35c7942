/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"
#include "lease-internal.h"

static const char *const subnets[] = {"10.1.2.0/24", "fd00:1::/64", NULL};

/* One with everything that a lease can have. */
static struct lease full_lease(struct arena *arena)
{
	struct network network = network_of("n", "br-n", subnets);
	struct lease lease = lease_of(
		&network, (const char *const[]){"a", "db", "db.example", NULL}, "10.1.2.3/24");
	static const char *const names[] = {"a", "db", "db.example", NULL};
	struct publish publish;
	struct error err = ERROR_NONE;

	lease.names = names;
	lease.network.mtu = 1400;
	lease.network.no_masquerade = true;
	lease.addresses[lease.address_count++] = prefix_of("fd00:1::3/64");
	lease.host_link = "bth001122334455";
	assert_int_equal(mac_parse("be:27:0a:01:02:03", lease.mac), 0);
	lease.has_mac = true;
	assert_fine(publish_parse("x", "[::1]:8080-8081:80-81/udp", &publish, &err), err);
	assert_fine(publish_add(arena, &lease.publish, &publish, &err), err);
	lease.cni = "my-network";
	lease.to_container = (struct rate){.bits_per_second = 10000000, .burst_bytes = 131072};
	lease.from_container.bits_per_second = 1;
	return lease;
}

static char *json_of(const struct lease *lease)
{
	struct buf text = BUF_EMPTY;
	struct json_writer w = JSON_WRITER(&text, false);

	lease_write_json(&w, lease);
	return buf_take(&text);
}

static void a_lease_is_found_as_it_was_written(void **state)
{
	_cleanup_store_ struct store store = store_of(*state, STORE_CHANGE);
	_cleanup_arena_ struct arena *arena = arena_new();
	struct lease lease = full_lease(arena), found;
	_cleanup_free_ char *before = json_of(&lease), *after = NULL;
	struct error err = ERROR_NONE;

	assert_fine(lease_write(&store, &lease, &err), err);
	assert_fine(lease_find(&store, arena, "a", "eth0", &found, &err), err);
	after = json_of(&found);
	assert_string_equal(before, after);
	assert_string_equal(
		before,
		"{\"version\":1,\"id\":\"a\",\"link\":\"eth0\",\"complete\":true,"
		"\"netns\":{\"pid\":17,\"startTicks\":4711,\"cookie\":99},"
		"\"network\":{\"name\":\"n\",\"driver\":\"bridge\",\"link\":\"br-n\",\"subnets\":["
		"{\"subnet\":\"10.1.2.0/24\",\"gateway\":\"10.1.2.1\",\"first\":\"10.1.2.1\","
		"\"last\":\"10.1.2.254\"},"
		"{\"subnet\":\"fd00:1::/64\",\"gateway\":\"fd00:1::1\",\"first\":\"fd00:1::1\","
		"\"last\":\"fd00:1::ffff:ffff:ffff:ffff\"}],\"mtu\":1400,\"internal\":false,"
		"\"isolation\":true,\"masquerade\":false},\"hostLink\":\"bth001122334455\","
		"\"mac\":\"be:27:0a:01:02:03\",\"addresses\":[\"10.1.2.3/24\",\"fd00:1::3/64\"],"
		"\"publish\":[\"[::1]:8080-8081:80-81/"
		"udp\"],\"names\":[\"a\",\"db\",\"db.example\"],"
		"\"cni\":\"my-network\","
		"\"toContainer\":{\"bitsPerSecond\":10000000,\"burstBytes\":131072},"
		"\"fromContainer\":{\"bitsPerSecond\":1,\"burstBytes\":0}}");
	assert_string_equal(lease_owner(arena, &found), "a@eth0");
}

static void a_lease_by_path_is_found_too(void **state)
{
	_cleanup_store_ struct store store = store_of(*state, STORE_CHANGE);
	_cleanup_arena_ struct arena *arena = arena_new();
	struct network network = {.name = "m", .driver = NETWORK_MACVLAN, .link = "up0"};
	struct lease lease = {.id = "a",
			      .link = "x@y",
			      .network = network,
			      .netns = {.path = "/run/netns/a", .cookie = UINT64_MAX},
			      .names = (const char *const[]){"a", NULL}},
		     found;
	struct error err = ERROR_NONE;

	assert_fine(lease_write(&store, &lease, &err), err);
	assert_fine(lease_find(&store, arena, "a", "x@y", &found, &err), err);
	assert_string_equal(found.netns.path, "/run/netns/a");
	assert_true(found.netns.cookie == UINT64_MAX);
	assert_false(found.complete);
	assert_false(found.has_mac);
	assert_null(found.host_link);
	assert_int_equal(found.address_count, 0);
}

static size_t count(const struct store *store, const char *id, const char *network)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct error err = ERROR_NONE;
	struct lease_list list;

	assert_fine(lease_list(store, arena, id, network, &list, &err), err);
	for (size_t i = 1; i < list.count; i++)
		assert_true(strcmp(lease_owner(arena, &list.items[i - 1]),
				   lease_owner(arena, &list.items[i])) < 0);
	return list.count;
}

static void leases_are_listed_by_container_and_network(void **state)
{
	_cleanup_store_ struct store store = store_of(*state, STORE_CHANGE);
	static const struct {
		const char *id, *link, *network;
	} rows[] = {{"b", "eth0", "n"},
		    {"a", "eth1", "n"},
		    {"a", "eth0", "m"},
		    {"ab", "eth0", "n"},
		    {".new", "x.new", "n"}};
	struct error err = ERROR_NONE;
	struct lease lease;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct network network = network_of(rows[i].network, "br", subnets);

		lease = lease_of(&network, (const char *const[]){rows[i].id, NULL}, "10.1.2.3/24");
		lease.link = rows[i].link;
		assert_fine(lease_write(&store, &lease, &err), err);
	}
	put_file(*state, "leases/.a@eth9.json.new", "{");
	assert_int_equal(count(&store, NULL, NULL), 5);
	assert_int_equal(count(&store, "a", NULL), 2);
	assert_int_equal(count(&store, "a", "n"), 1);
	assert_int_equal(count(&store, NULL, "n"), 4);
	assert_int_equal(count(&store, "c", NULL), 0);
	assert_int_equal(count(&store, ".new", NULL), 1);
	assert_fine(lease_remove(&store, &lease, &err), err);
	assert_fine(lease_remove(&store, &lease, &err), err);
	assert_int_equal(count(&store, NULL, NULL), 4);
}

static void what_is_no_lease_is_named(void **state)
{
	_cleanup_store_ struct store store = store_of(*state, STORE_CHANGE);
	_cleanup_arena_ struct arena *arena = arena_new();
	struct lease lease = full_lease(arena), found;
	_cleanup_free_ char *text = json_of(&lease);
	struct lease_list list;
	struct error err = ERROR_NONE;

	assert_failed(lease_find(&store, arena, "a", "eth0", &found, &err), err, -ENOENT);
	assert_contains(err.text, "container \"a\" has no link \"eth0\"");
	assert_failed(lease_find(&store, arena, "../a", "eth0", &found, &err), err, -EINVAL);
	assert_failed(lease_find(&store, arena, "a", "../x", &found, &err), err, -EINVAL);
	put_file(*state, "leases/b@eth0.json", text);
	assert_failed(lease_find(&store, arena, "b", "eth0", &found, &err), err, -EINVAL);
	assert_contains(err.text, "leases/b@eth0.json is the lease of \"a@eth0\"");
	assert_failed(lease_list(&store, arena, NULL, NULL, &list, &err), err, -EINVAL);
	assert_int_equal(unlinkat(store.leasesfd, "b@eth0.json", 0), 0);
	put_file(*state, "leases/stranger", "");
	assert_failed(lease_list(&store, arena, NULL, NULL, &list, &err), err, -EINVAL);
	assert_contains(err.text, "leases/stranger");
	assert_int_equal(unlinkat(store.leasesfd, "stranger", 0), 0);
	put_link(*state, "leases/c@eth0.json", "/etc/passwd");
	assert_failed(lease_list(&store, arena, NULL, NULL, &list, &err), err, -ELOOP);
}

static void damaged_leases_are_refused(void **state)
{
	static const struct {
		const char *from, *to, *text;
	} rows[] = {
		{"\"version\":1", "\"version\":2", "version 2"},
		{"\"version\":1", "\"version\":1.0", "version 1.0"},
		{"\"version\":1,", "", "\"version\" is missing"},
		{"\"complete\":true", "\"complete\":1", "\"complete\" is a number"},
		{"\"cni\":", "\"sni\":", "unknown member \"sni\""},
		{"\"pid\":17", "\"pid\":-17", "-17 is no whole number"},
		{"\"pid\":17", "\"pid\":2147483648", "2147483648 is no whole number"},
		{"\"pid\":17", "\"path\":\"/x\",\"pid\":17",
		 "neither \"pid\" nor \"path\", or both"},
		{"\"pid\":17", "\"path\":\"x\"", "not absolute"},
		{"\"pid\":17,", "", "neither"},
		{"\"link\":\"eth0\"", "\"link\":\"a/b\"", "a/b"},
		{"\"id\":\"a\"", "\"id\":\"..\"", "\"..\""},
		{"\"id\":\"a\"", "\"id\":\"b\"", "not \"id\""},
		{"\"names\":[\"a\"", "\"names\":[\"b\"", "not \"id\""},
		{"\"names\":[\"a\",\"db\",\"db.example\"]", "\"names\":[]", "not \"id\""},
		{"\"names\":[\"a\",\"db\"", "\"names\":[\"a\",\"localhost\"", "localhost"},
		{"\"names\":[\"a\",\"db\"", "\"names\":[\"a\",7", "a number in it"},
		{"\"addresses\":[\"10.1.2.3/24\"", "\"addresses\":[\"10.1.2.3\"", "ADDRESS/LENGTH"},
		{"\"addresses\":[\"10.1.2.3/24\"",
		 "\"addresses\":[\"1.1.1.1/8\",\"1.1.1.1/8\",\"1.1.1.1/8\",\"1.1.1.1/8\",\"1.1.1.1/"
		 "8\","
		 "\"1.1.1.1/8\",\"1.1.1.1/8\",\"1.1.1.1/8\"",
		 "more than 8"},
		{"be:27", "bf:27", "hardware address"},
		{"80-81/udp", "80-81/icmp", "icmp"},
		{"\"publish\":[", "\"publish\":[{},", "an object in it"},
		{"\"burstBytes\":0", "\"burstBytes\":4294967296", "4294967296"},
		{"\"burstBytes\":0", "\"rest\":0,\"burstBytes\":0", "unknown member \"rest\""},
		{"\"driver\":\"bridge\"", "\"driver\":\"ridge\"", "no driver \"ridge\""},
		{"bth001122334455", "bth0011223344556", "hostLink"},
		{"{\"version\"", "[{\"version\"", ""},
	};
	_cleanup_arena_ struct arena *arena = arena_new();
	struct lease lease = full_lease(arena);
	_cleanup_free_ char *text = json_of(&lease);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *at = strstr(text, rows[i].from);
		_cleanup_free_ char *damaged = NULL;
		struct error err = ERROR_NONE;
		const struct json *json;
		int r;

		assert_non_null(at);
		damaged = xasprintf("%.*s%s%s", (int)(at - text), text, rows[i].to,
				    at + strlen(rows[i].from));
		r = json_read(arena, damaged, strlen(damaged), "leases/a", &json, &err);
		if (r >= 0)
			r = lease_decode(arena, json, "leases/a", &lease, &err);
		if (r >= 0)
			fail_msg("%s was taken", rows[i].to);
		assert_contains(err.text, rows[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(a_lease_is_found_as_it_was_written),
		world_test(a_lease_by_path_is_found_too),
		world_test(leases_are_listed_by_container_and_network),
		world_test(what_is_no_lease_is_named),
		cmocka_unit_test(damaged_leases_are_refused),
	};

	if (skip_all_without(SYS_openat2, "openat2"))
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
