/* SPDX-License-Identifier: Apache-2.0 */
#include <linux/rtnetlink.h>

#include "kernel.h"
#include "link.h"

static const unsigned char mac[MAC_SIZE] = {0xbe, 0x27, 10, 1, 2, 3};

static void macs_are_read_and_written(void **state)
{
	static const char *const wrong[] = {"",
					    "be:27:0a:01:02",
					    "be:27:0a:01:02:03:04",
					    "be-27-0a-01-02-03",
					    "be:27:0a:01:02:0g",
					    "be:27:0a:01:02:3",
					    "00:00:00:00:00:00",
					    "01:00:5e:00:00:01",
					    "ff:ff:ff:ff:ff:ff",
					    "be:27:0a:01:02:03 ",
					    " be:27:0a:01:02:0"};
	unsigned char read[MAC_SIZE];
	char text[MAC_TEXT_MAX];

	(void)state;
	assert_int_equal(mac_parse("BE:27:0a:01:02:03", read), 0);
	assert_memory_equal(read, mac, MAC_SIZE);
	mac_format(read, text);
	assert_string_equal(text, "be:27:0a:01:02:03");
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_int_equal(mac_parse(wrong[i], read), -EINVAL);
}

static void make_bridge(struct netlink *netlink, const char *name)
{
	_cleanup_batch_ struct netlink_batch *batch = netlink_batch_new();

	link_add_bridge(batch, name, mac, 1400, "berth-net test");
	sent(netlink, batch);
}

static void a_bridge_is_made_once(void **state)
{
	struct other *other = *state;
	struct link_info first, second;

	make_bridge(&other->there, "br0");
	first = found(&other->there, "br0");
	assert_string_equal(first.kind, "bridge");
	assert_string_equal(first.name, "br0");
	assert_string_equal(first.alias, "berth-net test");
	assert_int_equal(first.mtu, 1400);
	assert_true(first.flags & IFF_UP);
	assert_memory_equal(first.mac, mac, MAC_SIZE);
	make_bridge(&other->there, "br0");
	second = found(&other->there, "br0");
	assert_int_equal(first.index, second.index);
}

static void a_missing_link_is_an_error(void **state)
{
	struct other *other = *state;
	struct error err = ERROR_NONE;
	struct link_info info;

	assert_failed(link_find(&other->here, "gone0", &info, &err), err, -ENODEV);
	assert_contains(err.text, "\"gone0\"");
	assert_int_equal(link_try_find(&other->here, "gone0", &info), -ENODEV);
}

static void a_pair_joins_a_bridge_and_a_namespace(void **state)
{
	struct other *other = *state;
	_cleanup_batch_ struct netlink_batch *batch = netlink_batch_new();
	struct veth veth = {
		.host = "vethere", .nsfd = other->nsfd, .name = "eth0", .mac = mac, .mtu = 1300};
	struct error err = ERROR_NONE;
	struct link_info info;

	make_bridge(&other->here, "br1");
	veth.master = found(&other->here, "br1").index;
	link_add_veth(batch, &veth);
	link_set_hairpin(batch, veth.host);
	sent(&other->here, batch);
	info = found(&other->here, "vethere");
	assert_int_equal(info.master, veth.master);
	assert_int_equal(info.mtu, 1300);
	assert_true(info.flags & IFF_UP);
	info = found(&other->there, "eth0");
	assert_string_equal(info.kind, "veth");
	assert_memory_equal(info.mac, mac, MAC_SIZE);
	assert_int_equal(info.mtu, 1300);
	assert_false(info.flags & IFF_UP);

	/* The name in the container is taken now. */
	veth.host = "vethat";
	link_add_veth(batch, &veth);
	assert_failed(netlink_send(&other->here, batch, &err), err, -EEXIST);
	assert_contains(err.text, "\"eth0\"");
	assert_int_equal(link_try_find(&other->here, "vethat", &info), -ENODEV);

	link_delete(batch, "vethere");
	link_delete(batch, "vethere");
	sent(&other->here, batch);
	assert_int_equal(link_try_find(&other->there, "eth0", &info), -ENODEV);
}

static struct prefix prefix(const char *text)
{
	struct prefix prefix;

	assert_int_equal(prefix_parse(text, &prefix), 0);
	return prefix;
}

static void addresses_and_routes_are_added(void **state)
{
	static const char *const addresses[] = {"10.9.0.7/24", "fd00:9::7/64", "10.9.1.7/31"};
	struct other *other = *state;
	_cleanup_batch_ struct netlink_batch *batch = netlink_batch_new();
	struct address gateway4 = prefix("10.9.0.1/24").address;
	struct address gateway6 = prefix("fd00:9::1/64").address,
		       far = prefix("10.8.0.1/24").address;
	struct error err = ERROR_NONE;
	int index;

	make_bridge(&other->there, "br0");
	index = found(&other->there, "br0").index;
	/* Again, since a gateway's address may be there already. */
	for (size_t i = 0; i < 2 * ARRAY_SIZE(addresses); i++) {
		struct prefix address = prefix(addresses[i % ARRAY_SIZE(addresses)]);

		address_add(batch, index, "br0", &address);
	}
	route_add_default(batch, index, "br0", &gateway4);
	route_add_default(batch, index, "br0", &gateway6);
	sent(&other->there, batch);
	route_add_default(batch, index, "br0", &far);
	assert_failed(netlink_send(&other->there, batch, &err), err, -ENETUNREACH);
	/* The kernel's own words. */
	assert_contains(err.text, "invalid gateway");
}

static void modes_of_other_kinds_are_refused(void **state)
{
	_cleanup_batch_ struct netlink_batch *batch = netlink_batch_new();
	struct child_link child = {.kind = "macvlan", .mode = "l2", .name = "eth0"};
	struct error err = ERROR_NONE;

	(void)state;
	assert_failed(link_add_child(batch, &child, &err), err, -EINVAL);
	assert_contains(err.text, "\"l2\" is no mode of macvlan");
	child = (struct child_link){.kind = "ipvlan", .mode = "l3s", .name = "eth0"};
	assert_fine(link_add_child(batch, &child, &err), err);
}

static void a_link_is_moved_under_another_name(void **state)
{
	struct other *other = *state;
	_cleanup_batch_ struct netlink_batch *batch = netlink_batch_new();
	struct link_info info;

	link_add_veth(batch, &(struct veth){.host = "left0", .nsfd = other->nsfd, .name = "peer0"});
	sent(&other->here, batch);
	info = found(&other->here, "left0");
	link_move(batch, info.index, "left0", other->nsfd, "right0");
	sent(&other->here, batch);
	assert_int_equal(link_try_find(&other->here, "left0", &info), -ENODEV);
	info = found(&other->there, "right0");
	assert_false(info.flags & IFF_UP);
	link_set(batch, info.index, "right0", true, 1280, mac);
	sent(&other->there, batch);
	info = found(&other->there, "right0");
	assert_true(info.flags & IFF_UP);
	assert_int_equal(info.mtu, 1280);
	assert_memory_equal(info.mac, mac, MAC_SIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(macs_are_read_and_written),
		cmocka_unit_test(modes_of_other_kinds_are_refused),
		other_test(a_bridge_is_made_once),
		other_test(a_missing_link_is_an_error),
		other_test(a_pair_joins_a_bridge_and_a_namespace),
		other_test(addresses_and_routes_are_added),
		other_test(a_link_is_moved_under_another_name),
	};

	if (!kernel_test_begin())
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
