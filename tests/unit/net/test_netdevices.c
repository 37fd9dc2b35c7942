/* SPDX-License-Identifier: Apache-2.0 */
#include "device.h"
#include "kernel.h"
#include "netdevices.h"

static int read_text(struct arena *arena, const char *text, struct netdevices *ret,
		     struct error *err)
{
	return netdevices_read(arena, text, strlen(text), ret, err);
}

static void a_document_is_read(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct error err = ERROR_NONE;
	struct netdevices devices;

	(void)state;
	assert_fine(read_text(arena,
			      "{\"devices\": {\"eth1\": {\"name\": \"c1\"}, \"eth2\": {}, "
			      "\"eth3\": {\"name\": \"\"}, \"eth4\": {\"name\": \"net%d\"}}, "
			      "\"pid\": 7}",
			      &devices, &err),
		    err);
	assert_int_equal(devices.pid, 7);
	assert_int_equal(devices.count, 4);
	assert_string_equal(devices.items[0].name, "eth1");
	assert_string_equal(devices.items[0].inside, "c1");
	assert_string_equal(devices.items[1].inside, "eth2");
	assert_string_equal(devices.items[2].inside, "eth3");
	assert_string_equal(devices.items[3].inside, "net%d");
}

static void what_is_no_name_is_refused(void **state)
{
	static const char *const wrong[] = {
		"{}",
		"[]",
		"{\"pid\": 7}",
		"{\"devices\": {}}",
		"{\"pid\": -1, \"devices\": {}}",
		"{\"pid\": 7, \"devices\": []}",
		"{\"pid\": 7, \"devices\": {\"eth1\": \"c1\"}}",
		"{\"pid\": 7, \"devices\": {\"eth1\": {\"nam\": \"c1\"}}}",
		"{\"pid\": 7, \"devices\": {\"eth1\": {\"name\": \"a/b\"}}}",
		"{\"pid\": 7, \"devices\": {\"eth%d\": {\"name\": \"a\"}}}",
		"{\"pid\": 7, \"devices\": {\"eth1\": {\"name\": \"%d%d\"}}}",
		"{\"pid\": 7, \"devices\": {\"eth1\": {\"name\": \"%s\"}}}",
		"{\"pid\": 7, \"devices\": {\"eth1\": {\"name\": \"0123456789abc%de\"}}}",
		"{\"pid\": 7, \"devices\": {\"0123456789abcdef\": {}}}",
		"{\"pid\": 7, \"devices\": {\"..\": {}}}",
		"{\"pid\": 7, \"devices\": {\"\": {}}}",
	};
	_cleanup_arena_ struct arena *arena = arena_new();
	struct netdevices devices;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		struct error err = ERROR_NONE;

		if (read_text(arena, wrong[i], &devices, &err) >= 0)
			fail_msg("accepted: %s", wrong[i]);
		assert_true(err.text[0] != '\0');
	}
}

/* A device here, with the addresses. */
static void make_device(struct other *other, const char *name, const char *peer, bool up)
{
	static const char *const texts[] = {"192.0.2.7/24", "2001:db8::7/64"};
	_cleanup_batch_ struct netlink_batch *batch = netlink_batch_new();
	struct prefix prefix;
	int index;

	link_add_veth(batch, &(struct veth){.host = name, .nsfd = other->nsfd, .name = peer});
	sent(&other->here, batch);
	index = found(&other->here, name).index;
	link_set(batch, index, name, up, 1400, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		assert_int_equal(prefix_parse(texts[i], &prefix), 0);
		address_add(batch, index, name, &prefix);
	}
	sent(&other->here, batch);
}

static void check_device(struct netlink *netlink, const char *name, bool up)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct error err = ERROR_NONE;
	struct device device;
	char text[ADDRESS_TEXT_MAX];

	assert_fine(device_find(netlink, arena, name, &device, &err), err);
	assert_int_equal((device.link.flags & IFF_UP) != 0, up);
	assert_int_equal(device.link.mtu, 1400);
	assert_non_null(device.addresses);
	prefix_format(&device.addresses->local, text);
	assert_string_equal(text, "192.0.2.7/24");
	assert_non_null(device.addresses->next);
	prefix_format(&device.addresses->next->local, text);
	assert_string_equal(text, "2001:db8::7/64");
	assert_null(device.addresses->next->next);
}

static void devices_go_with_their_addresses(void **state)
{
	struct other *other = *state;
	struct netdevice items[] = {{"dev0", "c0"}, {"dev1", "net%d"}, {"dev2", "dev2"}};
	const struct netdevices devices = {other->pid, items, ARRAY_SIZE(items)};
	struct error err = ERROR_NONE;
	struct link_info link;

	make_device(other, "dev0", "net0", true);
	make_device(other, "dev1", "net1", false);
	make_device(other, "dev2", "p2", true);
	assert_fine(netdevices_move(&devices, &err), err);
	check_device(&other->there, "c0", true);
	check_device(&other->there, "net2", true);
	check_device(&other->there, "dev2", true);
	assert_int_equal(link_try_find(&other->here, "dev0", &link), -ENODEV);
}

static void all_stay_when_one_cannot_go(void **state)
{
	struct other *other = *state;
	struct netdevice items[] = {{"dev0", "c0"}, {"dev1", "net%d"}, {"dev2", "p0"}};
	const struct netdevices devices = {other->pid, items, ARRAY_SIZE(items)};
	struct error err = ERROR_NONE;
	struct link_info link;

	make_device(other, "dev0", "p0", true);
	make_device(other, "dev1", "p1", false);
	make_device(other, "dev2", "p2", true);
	assert_failed(netdevices_move(&devices, &err), err, -EEXIST);
	assert_contains(err.text, "the container has a link \"p0\" already");
	check_device(&other->here, "dev0", true);
	check_device(&other->here, "dev1", false);
	check_device(&other->here, "dev2", true);
	assert_int_equal(link_try_find(&other->there, "net0", &link), -ENODEV);

	items[2] = (struct netdevice){"gone", "gone"};
	assert_failed(netdevices_move(&devices, &err), err, -ENODEV);
	assert_contains(err.text, "\"gone\"");
	check_device(&other->here, "dev0", true);
	items[2] = (struct netdevice){"lo", "lo5"};
	assert_true(netdevices_move(&devices, &err) < 0);
	assert_contains(err.text, "\"lo\"");
	check_device(&other->here, "dev0", true);
}

static void a_process_without_a_network_of_its_own_is_refused(void **state)
{
	struct error err = ERROR_NONE;
	const struct netdevices devices = {.pid = getpid()};

	(void)state;
	assert_failed(netdevices_move(&devices, &err), err, -EINVAL);
	assert_contains(err.text, "the host's own");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_document_is_read),
		cmocka_unit_test(what_is_no_name_is_refused),
		other_test(devices_go_with_their_addresses),
		other_test(all_stay_when_one_cannot_go),
		cmocka_unit_test(a_process_without_a_network_of_its_own_is_refused),
	};

	if (!kernel_test_begin())
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
