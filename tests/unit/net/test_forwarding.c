/* SPDX-License-Identifier: Apache-2.0 */
#include "forwarding.h"
#include "kernel.h"

/* A sysctl of the test's own namespace. */
static void set(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, value, strlen(value)), strlen(value));
	fd_close(fd);
}

static char get(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char value = 0;

	assert_true(fd >= 0);
	assert_int_equal(read(fd, &value, 1), 1);
	fd_close(fd);
	return value;
}

static struct network network_of(const char *first, const char *second)
{
	const char *const texts[] = {first, second};
	struct network network = {.name = "test", .link = "br0"};

	for (size_t i = 0; i < 2 && texts[i]; i++)
		assert_int_equal(
			prefix_parse(texts[i], &network.subnets[network.subnet_count++].prefix), 0);
	return network;
}

static void settings_that_are_missing_are_named(void **state)
{
	struct network both = network_of("10.0.0.0/24", "fd00::/64");
	struct network four = network_of("10.0.0.0/24", NULL), six = network_of("fd00::/64", NULL);
	struct error err = ERROR_NONE;

	(void)state;
	set("/proc/sys/net/ipv4/ip_forward", "0");
	set("/proc/sys/net/ipv6/conf/all/forwarding", "0");
	assert_failed(forwarding_check(&both, &err), err, -ENETUNREACH);
	assert_contains(err.text, "sysctl -w net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1");
	assert_failed(forwarding_check(&six, &err), err, -ENETUNREACH);
	assert_contains(err.text, "sysctl -w net.ipv6.conf.all.forwarding=1");
	both.internal = true;
	assert_fine(forwarding_check(&both, &err), err);
	both.internal = false;
	set("/proc/sys/net/ipv4/ip_forward", "1");
	assert_fine(forwarding_check(&four, &err), err);
	assert_failed(forwarding_check(&both, &err), err, -ENETUNREACH);
	assert_null(strstr(err.text, "ipv4"));
	set("/proc/sys/net/ipv6/conf/all/forwarding", "1");
	assert_fine(forwarding_check(&both, &err), err);
}

static void a_bridge_is_prepared(void **state)
{
	_cleanup_batch_ struct netlink_batch *batch = netlink_batch_new();
	struct other *other = *state;
	struct error err = ERROR_NONE;

	assert_failed(forwarding_prepare_bridge("br0", &err), err, -ENOENT);
	link_add_bridge(batch, "br0", NULL, 0, "test");
	sent(&other->here, batch);
	assert_failed(forwarding_check_loopback("br0", &err), err, -ENETUNREACH);
	assert_contains(err.text, "/proc/sys/net/ipv4/conf/br0/route_localnet");
	assert_fine(forwarding_prepare_bridge("br0", &err), err);
	assert_int_equal(get("/proc/sys/net/ipv4/conf/br0/route_localnet"), '1');
	assert_int_equal(get("/proc/sys/net/ipv6/conf/br0/accept_ra"), '0');
	assert_int_equal(get("/proc/sys/net/ipv6/conf/br0/accept_dad"), '0');
	assert_fine(forwarding_check_loopback("br0", &err), err);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(settings_that_are_missing_are_named),
		other_test(a_bridge_is_prepared),
	};

	if (!kernel_test_begin())
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
