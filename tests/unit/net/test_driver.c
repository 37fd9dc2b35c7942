/* SPDX-License-Identifier: Apache-2.0 */
#include <linux/rtnetlink.h>

#include "device.h"
#include "driver.h"
#include "kernel.h"

/* What attach.c would have made ready for a driver. */
struct setting {
	struct other *other;
	struct world *world;
	struct store store;
	struct lease lease;
	struct attachment attachment;
};

static const char *const names[] = {"c1", NULL};

static int setting_make(void **state)
{
	struct setting *setting = xcalloc(1, sizeof(*setting));
	struct error err = ERROR_NONE;

	world_make((void **)&setting->world);
	other_make((void **)&setting->other);
	assert_fine(store_open(setting->world->path, STORE_CHANGE, &setting->store, &err), err);
	setting->lease = (struct lease){
		.id = "c1",
		.link = "eth0",
		.netns = setting->other->id,
		.names = names,
		.network = {.name = "test"},
	};
	setting->attachment =
		(struct attachment){&setting->store, &setting->lease, setting->other->nsfd,
				    &setting->other->here, &setting->other->there};
	*state = setting;
	return 0;
}

static int setting_end(void **state)
{
	struct setting *setting = *state;
	int r;

	store_close(&setting->store);
	other_end((void **)&setting->other);
	r = world_remove((void **)&setting->world);
	free(setting);
	return r;
}

#define setting_test(function) cmocka_unit_test_setup_teardown(function, setting_make, setting_end)

static void add_subnet(struct network *network, const char *prefix, const char *gateway)
{
	struct subnet *subnet = &network->subnets[network->subnet_count++];

	assert_int_equal(prefix_parse(prefix, &subnet->prefix), 0);
	assert_int_equal(address_parse(gateway, &subnet->gateway), 0);
}

static void use_bridge(struct setting *setting)
{
	setting->lease.network.driver = NETWORK_BRIDGE;
	setting->lease.network.link = "br0";
	setting->lease.host_link = "bth0123456789ab";
	setting->lease.has_mac = true;
	assert_int_equal(mac_parse("be:27:0a:01:00:02", setting->lease.mac), 0);
	add_subnet(&setting->lease.network, "10.1.0.0/24", "10.1.0.1");
	add_subnet(&setting->lease.network, "fd00:1::/64", "fd00:1::1");
}

/* Calls one of the driver's functions. */
#define drive(setting, verb, err)                                                                  \
	(driver_of(&(setting)->lease.network)->verb(&(setting)->attachment, err))

/* The device's addresses as text, each with a blank behind it. */
static const char *addresses_of(struct netlink *netlink, struct arena *arena, const char *name)
{
	struct error err = ERROR_NONE;
	struct device device;
	const char *text = "";

	assert_fine(device_find(netlink, arena, name, &device, &err), err);
	for (const struct device_address *a = device.addresses; a; a = a->next) {
		char one[ADDRESS_TEXT_MAX];

		prefix_format(&a->local, one);
		text = arena_printf(arena, "%s%s ", text, one);
	}
	return text;
}

static void a_bridge_is_made_whole_and_mended(void **state)
{
	struct setting *setting = *state;
	_cleanup_batch_ struct netlink_batch *batch = netlink_batch_new();
	_cleanup_arena_ struct arena *arena = arena_new();
	struct netlink *here = setting->attachment.host;
	struct error err = ERROR_NONE;
	char mac[MAC_TEXT_MAX];
	struct link_info bridge;

	use_bridge(setting);
	assert_fine(drive(setting, prepare, &err), err);
	bridge = found(here, "br0");
	mac_format(bridge.mac, mac);
	assert_string_equal(mac, "be:27:0a:01:00:01");
	assert_string_equal(bridge.alias, "berth-net test");
	assert_string_equal(addresses_of(here, arena, "br0"), "10.1.0.1/24 fd00:1::1/64 ");
	/* As if it was killed when the bridge was made, and nothing else. */
	link_delete(batch, "br0");
	link_add_bridge(batch, "br0", bridge.mac, 0, "berth-net test");
	sent(here, batch);
	link_set(batch, found(here, "br0").index, "br0", false, 0, NULL);
	sent(here, batch);
	assert_fine(drive(setting, prepare, &err), err);
	assert_fine(drive(setting, prepare, &err), err);
	assert_true(found(here, "br0").flags & IFF_UP);
	assert_string_equal(addresses_of(here, arena, "br0"), "10.1.0.1/24 fd00:1::1/64 ");
	assert_fine(drive(setting, retire, &err), err);
	assert_int_equal(link_try_find(here, "br0", &bridge), -ENODEV);
	assert_fine(drive(setting, retire, &err), err);
}

static void a_bridge_of_the_administrator_stays_as_it_is(void **state)
{
	struct setting *setting = *state;
	_cleanup_batch_ struct netlink_batch *batch = netlink_batch_new();
	_cleanup_arena_ struct arena *arena = arena_new();
	struct publish local = {.host_port = 80, .container_port = 80, .count = 1};
	struct netlink *here = setting->attachment.host;
	struct error err = ERROR_NONE;
	struct link_info bridge;

	use_bridge(setting);
	link_add_bridge(batch, "br0", NULL, 0, "mine");
	sent(here, batch);
	assert_fine(drive(setting, prepare, &err), err);
	assert_string_equal(addresses_of(here, arena, "br0"), "");
	assert_fine(drive(setting, connect, &err), err);
	assert_int_equal(found(here, "bth0123456789ab").master, found(here, "br0").index);
	assert_fine(drive(setting, disconnect, &err), err);
	assert_fine(drive(setting, retire, &err), err);
	assert_int_equal(link_try_find(here, "br0", &bridge), 0);
	/* What is wanted of it must be set already. */
	assert_int_equal(address_parse("127.0.0.1", &local.host), 0);
	setting->lease.publish = (struct publish_list){&local, 1};
	assert_failed(drive(setting, prepare, &err), err, -ENETUNREACH);
	assert_contains(err.text, "route_localnet");
}

static void what_is_no_bridge_of_the_network_is_refused(void **state)
{
	struct setting *setting = *state;
	_cleanup_batch_ struct netlink_batch *batch = netlink_batch_new();
	struct netlink *here = setting->attachment.host;
	struct error err = ERROR_NONE;

	use_bridge(setting);
	link_add_bridge(batch, "br0", NULL, 0, "berth-net other");
	sent(here, batch);
	assert_failed(drive(setting, prepare, &err), err, -EADDRINUSE);
	assert_contains(err.text, "that of network \"other\"");
	link_delete(batch, "br0");
	link_add_veth(
		batch,
		&(struct veth){.host = "br0", .nsfd = setting->attachment.nsfd, .name = "peer"});
	sent(here, batch);
	assert_failed(drive(setting, prepare, &err), err, -EINVAL);
	assert_contains(err.text, "\"br0\" is not a bridge");
}

static void a_name_that_is_taken_in_the_container_is_named(void **state)
{
	struct setting *setting = *state;
	_cleanup_batch_ struct netlink_batch *batch = netlink_batch_new();
	struct netlink *here = setting->attachment.host;
	struct error err = ERROR_NONE;
	struct link_info info;

	use_bridge(setting);
	link_add_bridge(batch, "eth0", NULL, 0, "taken");
	sent(setting->attachment.inside, batch);
	assert_fine(drive(setting, prepare, &err), err);
	assert_failed(drive(setting, connect, &err), err, -EEXIST);
	assert_contains(err.text, "the container has a link \"eth0\" already");
	assert_int_equal(link_try_find(here, "bth0123456789ab", &info), -ENODEV);
	assert_string_equal(found(setting->attachment.inside, "eth0").kind, "bridge");
	assert_fine(drive(setting, retire, &err), err);
}

static void a_pair_comes_and_goes(void **state)
{
	struct setting *setting = *state;
	struct error err = ERROR_NONE;
	struct link_info info;

	use_bridge(setting);
	setting->lease.network.mtu = 1400;
	assert_fine(drive(setting, prepare, &err), err);
	assert_fine(drive(setting, connect, &err), err);
	info = found(setting->attachment.inside, "eth0");
	assert_memory_equal(info.mac, setting->lease.mac, MAC_SIZE);
	assert_int_equal(info.mtu, 1400);
	setting->attachment.inside = NULL;
	assert_fine(drive(setting, disconnect, &err), err);
	assert_fine(drive(setting, disconnect, &err), err);
	assert_int_equal(link_try_find(&setting->other->there, "eth0", &info), -ENODEV);
	assert_fine(drive(setting, retire, &err), err);
}

static struct prefix prefix(const char *text)
{
	struct prefix prefix;

	assert_int_equal(prefix_parse(text, &prefix), 0);
	return prefix;
}

/* A link of the host for the container: one end of a pair, up, with addresses. */
static void use_device(struct setting *setting)
{
	_cleanup_batch_ struct netlink_batch *batch = netlink_batch_new();
	struct prefix four = prefix("192.0.2.7/24"), six = prefix("2001:db8::7/64");
	struct netlink *here = setting->attachment.host;
	int index;

	setting->lease.network.driver = NETWORK_HOST_DEVICE;
	setting->lease.network.link = "dev0";
	link_add_veth(
		batch,
		&(struct veth){.host = "dev0", .nsfd = setting->attachment.nsfd, .name = "peer0"});
	sent(here, batch);
	index = found(here, "dev0").index;
	address_add(batch, index, "dev0", &four);
	address_add(batch, index, "dev0", &six);
	sent(here, batch);
}

static void a_device_goes_and_comes_back_with_its_addresses(void **state)
{
	struct setting *setting = *state;
	_cleanup_arena_ struct arena *arena = arena_new();
	struct netlink *here = setting->attachment.host;
	struct error err = ERROR_NONE;
	struct link_info info;
	struct lease *lease = &setting->lease;

	use_device(setting);
	assert_fine(drive(setting, prepare, &err), err);
	assert_fine(drive(setting, connect, &err), err);
	assert_int_equal(link_try_find(here, "dev0", &info), -ENODEV);
	/* attach.c gives it what the lease says. */
	info = found(setting->attachment.inside, "eth0");
	assert_string_equal(addresses_of(setting->attachment.inside, arena, "eth0"), "");
	assert_int_equal(lease->address_count, 2);
	/* What brings it back was written before it went. */
	assert_fine(lease_find(&setting->store, arena, "c1", "eth0", lease, &err), err);
	assert_string_equal(lease->host_link, "dev0");
	assert_true(lease->has_mac);
	assert_memory_equal(lease->mac, info.mac, MAC_SIZE);
	setting->attachment.inside = NULL;
	assert_fine(drive(setting, disconnect, &err), err);
	assert_int_equal(link_try_find(&setting->other->there, "eth0", &info), -ENODEV);
	assert_string_equal(addresses_of(here, arena, "dev0"), "192.0.2.7/24 2001:db8::7/64 ");
	assert_true(found(here, "dev0").flags & IFF_UP);
	assert_fine(drive(setting, disconnect, &err), err);
}

static void a_device_that_never_left_stays(void **state)
{
	struct setting *setting = *state;
	_cleanup_batch_ struct netlink_batch *batch = netlink_batch_new();
	_cleanup_arena_ struct arena *arena = arena_new();
	struct netlink *here = setting->attachment.host;
	struct error err = ERROR_NONE;

	use_device(setting);
	assert_fine(drive(setting, disconnect, &err), err);
	link_add_bridge(batch, "eth0", NULL, 0, "taken");
	sent(setting->attachment.inside, batch);
	assert_failed(drive(setting, connect, &err), err, -EEXIST);
	assert_fine(drive(setting, disconnect, &err), err);
	assert_string_equal(found(setting->attachment.inside, "eth0").kind, "bridge");
	assert_string_equal(addresses_of(here, arena, "dev0"), "192.0.2.7/24 2001:db8::7/64 ");
}

static void a_device_takes_its_name_again(void **state)
{
	struct setting *setting = *state;
	_cleanup_batch_ struct netlink_batch *batch = netlink_batch_new();
	struct netlink *here = setting->attachment.host;
	struct error err = ERROR_NONE;
	struct link_info info;
	int index;

	use_device(setting);
	/* As the kernel returns hardware when a namespace ends. */
	setting->lease.host_link = "dev0";
	setting->lease.has_mac = true;
	info = found(here, "dev0");
	memcpy(setting->lease.mac, info.mac, MAC_SIZE);
	index = info.index;
	link_set(batch, index, "dev0", false, 0, NULL);
	link_rename(batch, index, "dev0", "eth0");
	sent(here, batch);
	setting->attachment.nsfd = -1;
	setting->attachment.inside = NULL;
	assert_fine(drive(setting, disconnect, &err), err);
	assert_int_equal(found(here, "dev0").index, index);
	/* Another link of that name is not ours. */
	link_rename(batch, index, "dev0", "eth0");
	sent(here, batch);
	setting->lease.mac[5] ^= 1;
	assert_fine(drive(setting, disconnect, &err), err);
	assert_int_equal(found(here, "eth0").index, index);
}

static void a_move_that_fails_at_the_end_is_undone(void **state)
{
	struct setting *setting = *state;
	_cleanup_arena_ struct arena *arena = arena_new();
	struct netlink *here = setting->attachment.host;
	_cleanup_fd_ int own = -EBADF;
	struct error err = ERROR_NONE;
	struct device device;
	struct device_move move = {
		.to = {setting->attachment.nsfd, setting->attachment.inside, "the container"},
		.name = "eth%d",
		.keep_addresses = true,
		.up = true,
	};

	use_device(setting);
	own = netns_open_own(&err);
	assert_fine(own, err);
	move.from = (struct device_place){own, here, "the host"};
	assert_fine(device_find(here, arena, "dev0", &device, &err), err);
	/* An address that no link takes. */
	device.addresses->next->local.length = 129;
	assert_true(device_move(&device, &move, &err) < 0);
	assert_contains(err.text, "2001:db8::7");
	device.addresses->next->local.length = 64;
	/* It is here again, but for the address that did not go this way either. */
	assert_string_equal(addresses_of(here, arena, "dev0"), "192.0.2.7/24 ");
	assert_fine(device_find(here, arena, "dev0", &device, &err), err);
	assert_fine(device_move(&device, &move, &err), err);
	assert_true(found(setting->attachment.inside, "eth0").flags & IFF_UP);
	assert_string_equal(addresses_of(setting->attachment.inside, arena, "eth0"),
			    "192.0.2.7/24 ");
}

static void use_child(struct setting *setting, enum network_driver driver)
{
	_cleanup_batch_ struct netlink_batch *batch = netlink_batch_new();

	setting->lease.network.driver = driver;
	setting->lease.network.link = "up0";
	link_add_veth(
		batch,
		&(struct veth){.host = "up0", .nsfd = setting->attachment.nsfd, .name = "peer0"});
	sent(setting->attachment.host, batch);
}

static void check_child(struct setting *setting, const char *kind)
{
	_cleanup_batch_ struct netlink_batch *batch = netlink_batch_new();
	struct netlink *inside = setting->attachment.inside;
	struct error err = ERROR_NONE;
	struct link_info info;
	int r;

	r = drive(setting, connect, &err);
	if (r == -EOPNOTSUPP) {
		assert_contains(err.text, "modprobe");
		netlink_batch_free(take_ptr(&batch)); /* what is skipped does not return */
		skip_because("the kernel has neither macvlan nor ipvlan");
	}
	assert_fine(r, err);
	assert_string_equal(found(inside, "eth0").kind, kind);
	assert_failed(drive(setting, connect, &err), err, -EEXIST);
	setting->attachment.inside = NULL;
	assert_fine(drive(setting, disconnect, &err), err);
	assert_int_equal(link_try_find(inside, "eth0", &info), -ENODEV);
	/* What is there now is not ours. */
	link_add_bridge(batch, "eth0", NULL, 0, "taken");
	sent(inside, batch);
	assert_fine(drive(setting, disconnect, &err), err);
	assert_int_equal(link_try_find(inside, "eth0", &info), 0);
}

static void a_macvlan_comes_and_goes(void **state)
{
	struct setting *setting = *state;

	use_child(setting, NETWORK_MACVLAN);
	setting->lease.has_mac = true;
	assert_int_equal(mac_parse("be:27:0a:01:00:02", setting->lease.mac), 0);
	check_child(setting, "macvlan");
}

static void an_ipvlan_comes_and_goes(void **state)
{
	struct setting *setting = *state;

	use_child(setting, NETWORK_IPVLAN);
	setting->lease.network.mode = "l3";
	check_child(setting, "ipvlan");
}

static void a_parent_that_is_missing_is_named(void **state)
{
	static const enum network_driver drivers[] = {NETWORK_MACVLAN, NETWORK_IPVLAN,
						      NETWORK_HOST_DEVICE};
	struct setting *setting = *state;
	struct error err = ERROR_NONE;

	setting->lease.network.link = "gone0";
	for (size_t i = 0; i < ARRAY_SIZE(drivers); i++) {
		setting->lease.network.driver = drivers[i];
		assert_failed(drive(setting, connect, &err), err, -ENODEV);
		assert_contains(err.text, "\"gone0\"");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		setting_test(a_bridge_is_made_whole_and_mended),
		setting_test(a_bridge_of_the_administrator_stays_as_it_is),
		setting_test(what_is_no_bridge_of_the_network_is_refused),
		setting_test(a_name_that_is_taken_in_the_container_is_named),
		setting_test(a_pair_comes_and_goes),
		setting_test(a_device_goes_and_comes_back_with_its_addresses),
		setting_test(a_device_that_never_left_stays),
		setting_test(a_device_takes_its_name_again),
		setting_test(a_move_that_fails_at_the_end_is_undone),
		setting_test(a_macvlan_comes_and_goes),
		setting_test(an_ipvlan_comes_and_goes),
		setting_test(a_parent_that_is_missing_is_named),
	};

	if (!kernel_test_begin())
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
