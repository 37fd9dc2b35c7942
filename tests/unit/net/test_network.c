/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"
#include "network-internal.h"

/* Reads a definition in which ' stands for ". */
static int decode(struct arena *arena, const char *text, struct network *ret, struct error *err)
{
	char *copy = arena_strdup(arena, text);
	const struct json *json;
	int r;

	for (char *at = copy; *at; at++) {
		if (*at == '\'')
			*at = '"';
	}
	r = json_read(arena, copy, strlen(copy), "FILE", &json, err);
	return r < 0 ? r : network_decode(arena, json, "FILE", ret, err);
}

static void what_is_left_out_is_filled_in(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct network network;
	struct error err = ERROR_NONE;

	(void)state;
	assert_fine(
		decode(arena,
		       "{'name':'n','driver':'bridge','link':'br-n','subnets':["
		       "{'subnet':'10.1.0.0/16'},{'subnet':'fd00::/64'},"
		       "{'subnet':'10.9.0.0/31'},{'subnet':'10.8.0.0/24','gateway':'10.8.0.254',"
		       "'first':'10.8.0.10','last':'10.8.0.20'}]}",
		       &network, &err),
		err);
	assert_address(&network.subnets[0].gateway, "10.1.0.1");
	assert_address(&network.subnets[0].first, "10.1.0.1");
	assert_address(&network.subnets[0].last, "10.1.255.254");
	assert_address(&network.subnets[1].gateway, "fd00::1");
	assert_address(&network.subnets[1].last, "fd00::ffff:ffff:ffff:ffff");
	assert_address(&network.subnets[2].gateway, "10.9.0.0");
	assert_address(&network.subnets[2].last, "10.9.0.1");
	assert_address(&network.subnets[3].gateway, "10.8.0.254");
	assert_address(&network.subnets[3].first, "10.8.0.10");
	assert_address(&network.subnets[3].last, "10.8.0.20");
	assert_int_equal(network.mtu, 0);
	assert_null(network.mode);
	assert_false(network.internal || network.no_isolation || network.no_masquerade);
}

static void only_a_bridge_has_a_gateway_of_itself(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct network network;
	struct error err = ERROR_NONE;

	(void)state;
	assert_fine(decode(arena,
			   "{'name':'n','driver':'macvlan','link':'up0','mode':'vepa',"
			   "'subnets':[{'subnet':'10.1.0.0/24'},"
			   "{'subnet':'fd00::/64','gateway':'fd00::9'}]}",
			   &network, &err),
		    err);
	assert_int_equal(network.subnets[0].gateway.family, 0);
	assert_address(&network.subnets[1].gateway, "fd00::9");
	assert_string_equal(network.mode, "vepa");
	assert_fine(
		decode(arena, "{'name':'n','driver':'host-device','link':'up0'}", &network, &err),
		err);
	assert_int_equal(network.subnet_count, 0);
}

#define BRIDGE "{'name':'n','driver':'bridge','link':'br-n'"

static const struct {
	const char *json, *text;
} impossible[] = {
	{"[]", "FILE is an array"},
	{"{}", "\"name\" is missing"},
	{BRIDGE "}", "needs a subnet"},
	{BRIDGE ",'subnets':[{}]}", "\"subnet\" is missing"},
	{BRIDGE ",'subnets':['10.0.0.0/8']}", "is a string, not an object"},
	{BRIDGE ",'subnets':[{'subnet':'10.1.0.1'}]}", "ADDRESS/LENGTH"},
	{BRIDGE ",'subnets':[{'subnet':'10.1.0.1/24'}]}", "the network is 10.1.0.0/24"},
	{BRIDGE ",'subnets':[{'subnet':'0.0.0.0/0'}]}", "this host"},
	{BRIDGE ",'subnets':[{'subnet':'127.1.0.0/16'}]}", "loopback"},
	{BRIDGE ",'subnets':[{'subnet':'169.254.1.0/24'}]}", "link-local"},
	{BRIDGE ",'subnets':[{'subnet':'240.0.0.0/8'}]}", "multicast"},
	{BRIDGE ",'subnets':[{'subnet':'fe80::/64'}]}", "link-local"},
	{BRIDGE ",'subnets':[{'subnet':'ff00::/16'}]}", "multicast"},
	{BRIDGE ",'subnets':[{'subnet':'::/0'}]}", "loopback"},
	{BRIDGE ",'subnets':[{'subnet':'::ffff:10.0.0.0/120'}]}", "IPv4"},
	{BRIDGE ",'subnets':[{'subnet':'10.1.0.0/32'}]}", "leaves no address"},
	{BRIDGE ",'subnets':[{'subnet':'10.1.0.0/16'},{'subnet':'fd00::/64'},"
		"{'subnet':'10.1.2.0/24'}]}",
	 "subnets 1 and 3 overlap"},
	{BRIDGE ",'subnets':[{'subnet':'10.1.0.0/24','gateway':'10.1.0.0'}]}",
	 "the gateway 10.1.0.0"},
	{BRIDGE ",'subnets':[{'subnet':'10.1.0.0/24','gateway':'10.1.1.1'}]}",
	 "the gateway 10.1.1.1"},
	{BRIDGE ",'subnets':[{'subnet':'10.1.0.0/24','gateway':'fd00::1'}]}",
	 "the gateway fd00::1"},
	{BRIDGE ",'subnets':[{'subnet':'10.1.0.0/24','gateway':'x'}]}", "\"x\" is no address"},
	{BRIDGE ",'subnets':[{'subnet':'10.1.0.0/24','first':'10.1.1.1'}]}", "first address"},
	{BRIDGE ",'subnets':[{'subnet':'10.1.0.0/24','last':'10.1.0.255'}]}", "last address"},
	{BRIDGE ",'subnets':[{'subnet':'10.1.0.0/24','first':'10.1.0.9','last':'10.1.0.8'}]}",
	 "ends before it begins"},
	{BRIDGE ",'subnets':[{'subnet':'10.1.0.0/24','first':'10.1.0.1','last':'10.1.0.1'}]}",
	 "leaves no address"},
	{BRIDGE ",'subnets':[{'subnet':'10.1.0.0/24','range':1}]}", "unknown member \"range\""},
	{BRIDGE ",'subnets':[{'subnet':'10.1.0.0/24'}],'mtu':67}", "mtu 67"},
	{BRIDGE ",'subnets':[{'subnet':'10.1.0.0/24'}],'mtu':65536}", "mtu 65536"},
	{BRIDGE ",'subnets':[{'subnet':'fd00::/64'}],'mtu':1279}", "1280 to 65535"},
	{BRIDGE ",'subnets':[{'subnet':'10.1.0.0/24'}],'mtu':-1}", "-1 is no whole number"},
	{BRIDGE ",'subnets':[{'subnet':'10.1.0.0/24'}],'mode':'bridge'}", "no mode"},
	{BRIDGE ",'subnets':[{'subnet':'10.1.0.0/24'}],'internal':1}", "is a number"},
	{BRIDGE ",'subnets':[{'subnet':'10.1.0.0/24'}],'vlan':1}", "unknown member \"vlan\""},
	{"{'name':'n','driver':'bridge','link':'b/r'}", "b/r"},
	{"{'name':'n','driver':'bridge','link':'lo'}", "lo"},
	{"{'name':'.n','driver':'bridge','link':'br'}", "\".n\""},
	{"{'name':'host','driver':'bridge','link':'br'}", "means something else"},
	{"{'name':'macvlan','driver':'bridge','link':'br'}", "means something else"},
	{"{'name':'n','driver':'vlan','link':'br'}", "no driver \"vlan\""},
	{"{'name':'n','driver':'macvlan','link':'up','mode':'l2'}", "no mode \"l2\""},
	{"{'name':'n','driver':'ipvlan','link':'up','mode':'vepa'}", "no mode \"vepa\""},
	{"{'name':'n','driver':'ipvlan','link':'up','internal':true}", "no choice of \"internal\""},
	{"{'name':'n','driver':'ipvlan','link':'up','isolation':false}", "\"isolation\""},
	{"{'name':'n','driver':'ipvlan','link':'up','masquerade':false}", "\"masquerade\""},
};

static void what_cannot_be_is_refused(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(impossible); i++) {
		struct error err = ERROR_NONE;
		struct network network;

		if (decode(arena, impossible[i].json, &network, &err) >= 0)
			fail_msg("%s was taken", impossible[i].json);
		if (!strstr(err.text, impossible[i].text))
			fail_msg("%s: %s", impossible[i].json, err.text);
	}
}

static void more_than_eight_subnets_are_refused(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_buf_ struct buf text = BUF_EMPTY;
	struct error err = ERROR_NONE;
	struct network network;

	(void)state;
	buf_add_string(&text, BRIDGE ",'subnets':[");
	for (int i = 0; i < 9; i++)
		buf_printf(&text, "%s{'subnet':'10.%d.0.0/16'}", i ? "," : "", i);
	buf_add_string(&text, "]}");
	assert_failed(decode(arena, text.data, &network, &err), err, -EINVAL);
	assert_contains(err.text, "more than 8");
}

static void the_default_network_needs_no_definition(void **state)
{
	_cleanup_store_ struct store store = store_of(*state, STORE_CHANGE);
	_cleanup_arena_ struct arena *arena = arena_new();
	struct error err = ERROR_NONE;
	struct network network,
		own = network_of("bridge", "br-own", (const char *const[]){"10.1.0.0/24", NULL});

	assert_fine(network_find(&store, arena, "bridge", &network, &err), err);
	assert_string_equal(network.link, "berth0");
	assert_address(&network.subnets[0].gateway, "10.187.0.1");
	assert_address(&network.subnets[1].gateway, "fd5b:e774:9c01::1");
	assert_failed(network_remove(&store, "bridge", &err), err, -ENOENT);
	assert_fine(network_create(&store, &own, &err), err);
	assert_fine(network_find(&store, arena, "bridge", &network, &err), err);
	assert_string_equal(network.link, "br-own");
	put_file(*state, "hosts/bridge", "");
	assert_fine(network_remove(&store, "bridge", &err), err);
	assert_fine(network_find(&store, arena, "bridge", &network, &err), err);
	assert_string_equal(network.link, "berth0");
	assert_int_equal(faccessat(store.hostsfd, "bridge", F_OK, 0), 0);
}

static void networks_are_kept_and_listed(void **state)
{
	_cleanup_store_ struct store store = store_of(*state, STORE_CHANGE);
	_cleanup_arena_ struct arena *arena = arena_new();
	static const char *const sorted[] = {"a", "a-b", "bridge", "z"};
	struct network z = network_of("z", "br-z", (const char *const[]){"10.1.0.0/24", NULL}),
		       a = network_of("a", "br-a", (const char *const[]){"fd01::/64", NULL}),
		       ab = {.name = "a-b", .driver = NETWORK_IPVLAN, .link = "up0", .mode = "l3"},
		       found;
	struct error err = ERROR_NONE;
	struct network_list list;

	z.internal = z.no_isolation = z.no_masquerade = true;
	z.mtu = 1400;
	assert_fine(network_create(&store, &z, &err), err);
	assert_fine(network_create(&store, &a, &err), err);
	assert_fine(network_create(&store, &ab, &err), err);
	assert_failed(network_create(&store, &ab, &err), err, -EEXIST);
	put_file(*state, "networks/.q.json.new", "{");
	assert_fine(network_list(&store, arena, &list, &err), err);
	assert_int_equal(list.count, ARRAY_SIZE(sorted));
	for (size_t i = 0; i < list.count; i++)
		assert_string_equal(list.items[i].name, sorted[i]);
	assert_fine(network_find(&store, arena, "z", &found, &err), err);
	assert_true(found.internal && found.no_isolation && found.no_masquerade);
	assert_int_equal(found.mtu, 1400);
	assert_fine(network_find(&store, arena, "a-b", &found, &err), err);
	assert_string_equal(found.mode, "l3");
	assert_failed(network_find(&store, arena, "q", &found, &err), err, -ENOENT);
	assert_failed(network_find(&store, arena, "../boot", &found, &err), err, -EINVAL);
}

static void what_another_has_is_refused(void **state)
{
	static const struct {
		const char *name;
		enum network_driver driver;
		const char *link, *subnet;
		bool taken;
	} rows[] = {
		{"a", NETWORK_BRIDGE, "br-a", "10.1.0.0/24", false},
		{"m", NETWORK_MACVLAN, "up0", "10.2.0.0/24", false},
		{"b", NETWORK_BRIDGE, "br-b", "10.1.0.128/25", true},
		{"b", NETWORK_BRIDGE, "br-b", "10.187.9.0/24", true},
		{"b", NETWORK_BRIDGE, "br-b", "10.2.0.0/16", true},
		{"b", NETWORK_BRIDGE, "br-a", "10.3.0.0/24", true},
		{"b", NETWORK_BRIDGE, "berth0", "10.3.0.0/24", true},
		{"b", NETWORK_MACVLAN, "up1", "10.1.0.0/24", true},
		{"b", NETWORK_MACVLAN, "up0", "10.2.0.0/25", true},
		{"b", NETWORK_MACVLAN, "br-a", "10.4.0.0/25", true},
		{"b", NETWORK_HOST_DEVICE, "up0", NULL, true},
		{"b", NETWORK_MACVLAN, "up1", "10.2.0.0/25", false},
		{"c", NETWORK_IPVLAN, "up0", NULL, false},
	};
	_cleanup_store_ struct store store = store_of(*state, STORE_CHANGE);

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct network network = {
			.name = rows[i].name, .driver = rows[i].driver, .link = rows[i].link};
		struct error err = ERROR_NONE;
		int r;

		if (rows[i].subnet)
			network.subnets[network.subnet_count++].prefix = prefix_of(rows[i].subnet);
		r = network_create(&store, &network, &err);
		if (r != (rows[i].taken ? -EADDRINUSE : 0))
			fail_msg("row %zu: %d: %s", i, r, err.text);
	}
}

static void a_network_in_use_stays(void **state)
{
	_cleanup_store_ struct store store = store_of(*state, STORE_CHANGE);
	_cleanup_arena_ struct arena *arena = arena_new();
	struct network network =
			       network_of("n", "br-n", (const char *const[]){"10.1.0.0/24", NULL}),
		       found;
	struct lease lease = lease_of(&network, (const char *const[]){"a", NULL}, "10.1.0.2/24");
	struct error err = ERROR_NONE;

	assert_failed(network_remove(&store, "n", &err), err, -ENOENT);
	assert_failed(network_remove(&store, "../n", &err), err, -EINVAL);
	assert_fine(network_create(&store, &network, &err), err);
	assert_fine(lease_write(&store, &lease, &err), err);
	assert_failed(network_remove(&store, "n", &err), err, -EBUSY);
	assert_contains(err.text, "container \"a\"");
	assert_fine(lease_remove(&store, &lease, &err), err);
	put_file(*state, "hosts/n", "");
	put_directory(*state, "addresses/n");
	assert_fine(network_remove(&store, "n", &err), err);
	assert_int_equal(faccessat(store.hostsfd, "n", F_OK, 0), -1);
	assert_int_equal(faccessat(store.addressesfd, "n", F_OK, 0), -1);
	assert_failed(network_find(&store, arena, "n", &found, &err), err, -ENOENT);
}

static void a_damaged_definition_is_named(void **state)
{
	_cleanup_store_ struct store store = store_of(*state, STORE_CHANGE);
	_cleanup_arena_ struct arena *arena = arena_new();
	struct network network;
	struct network_list list;
	struct error err = ERROR_NONE;

	put_file(*state, "networks/n.json", "{");
	assert_failed(network_find(&store, arena, "n", &network, &err), err, -EINVAL);
	assert_contains(err.text, "networks/n.json");
	assert_failed(network_list(&store, arena, &list, &err), err, -EINVAL);
	put_file(*state, "networks/n.json",
		 "{\"name\":\"m\",\"driver\":\"macvlan\",\"link\":\"up0\"}");
	assert_failed(network_find(&store, arena, "n", &network, &err), err, -EINVAL);
	assert_contains(err.text, "\"name\" is \"m\"");
	put_file(*state, "networks/bridge.json", "{}");
	assert_failed(network_find(&store, arena, "bridge", &network, &err), err, -EINVAL);
	assert_int_equal(unlinkat(store.networksfd, "n.json", 0), 0);
	put_link(*state, "networks/n.json", "/etc/passwd");
	assert_failed(network_find(&store, arena, "n", &network, &err), err, -ELOOP);
	put_file(*state, "networks/README", "");
	assert_failed(network_list(&store, arena, &list, &err), err, -EINVAL);
}

static void drivers_have_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < NETWORK_DRIVER_MAX; i++)
		assert_int_equal(network_driver_find(network_driver_name((enum network_driver)i)),
				 i);
	assert_int_equal(network_driver_find(""), NETWORK_DRIVER_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_left_out_is_filled_in),
		cmocka_unit_test(only_a_bridge_has_a_gateway_of_itself),
		cmocka_unit_test(what_cannot_be_is_refused),
		cmocka_unit_test(more_than_eight_subnets_are_refused),
		cmocka_unit_test(drivers_have_names),
		world_test(the_default_network_needs_no_definition),
		world_test(networks_are_kept_and_listed),
		world_test(what_another_has_is_refused),
		world_test(a_network_in_use_stays),
		world_test(a_damaged_definition_is_named),
	};

	if (skip_all_without(SYS_openat2, "openat2"))
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
