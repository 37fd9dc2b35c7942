/* SPDX-License-Identifier: Apache-2.0 */
/* The nftables table, in a network namespace of the test's own; nft(8) is the oracle. */
#include <arpa/inet.h>
#include <sched.h>

#include "address.h"
#include "firewall.h"
#include "firewall_rules.h"

#include "../base/unit.h"

/* The socket of all tests. */
static struct netlink nft = NETLINK_CLOSED;

/* --- leases ------------------------------------------------------------------------------------
 */

static struct address address(const char *text)
{
	struct address value = {.family = 0};

	if (text[0])
		assert_int_equal(address_parse(text, &value), 0);
	return value;
}

static struct prefix prefix(const char *text)
{
	struct prefix value = {.length = 0};

	assert_int_equal(prefix_parse(text, &value), 0);
	return value;
}

/* A container with both families of addresses on the bridge "br0". */
static struct lease lease_of(const char *id, struct publish *ports, size_t count)
{
	return (struct lease){
		.id = id,
		.link = "eth0",
		.complete = true,
		.network = {.name = "n", .driver = NETWORK_BRIDGE, .link = "br0"},
		.addresses = {prefix("10.1.0.2/24"), prefix("fd00:1::2/64")},
		.address_count = 2,
		.publish = {ports, count},
	};
}

static struct publish port(const char *host, unsigned host_port, unsigned container_port,
			   uint8_t protocol)
{
	return (struct publish){
		.host = address(host),
		.host_port = (uint16_t)host_port,
		.container_port = (uint16_t)container_port,
		.count = 1,
		.protocol = protocol,
	};
}

static void rebuild(struct lease *leases, size_t count)
{
	struct lease_list list = {leases, count};
	struct error err = ERROR_NONE;

	assert_fine(firewall_rebuild(&nft, &list, &err), err);
}

/* --- what nft(8) says --------------------------------------------------------------------------
 */

/* Standard output of a command, the caller's. */
static char *output_of(const char *command)
{
	struct buf out = BUF_EMPTY;
	FILE *stream = popen(command, "r");
	char part[4096];
	size_t size;

	assert_non_null(stream);
	while ((size = fread(part, 1, sizeof(part), stream)) > 0)
		buf_add(&out, part, size);
	assert_int_equal(pclose(stream), 0);
	return buf_take(&out);
}

/* Text without white space at the ends of lines and at their begin. */
static void assert_lists(const char *needle)
{
	_cleanup_free_ char *text = output_of("nft list ruleset | tr -s ' \\n\\t' ' '");

	assert_contains(text, needle);
}

static void assert_lists_not(const char *needle)
{
	_cleanup_free_ char *text = output_of("nft list ruleset | tr -s ' \\n\\t' ' '");

	if (strstr(text, needle))
		fail_msg("\"%s\" contains \"%s\"", text, needle);
}

static int no_table(void **state)
{
	(void)state;
	return system("nft flush ruleset") == 0 ? 0 : -1;
}

/* --- tests -------------------------------------------------------------------------------------
 */

static void adding_without_a_table_asks_for_a_rebuild(void **state)
{
	struct lease lease = lease_of("a", NULL, 0);
	struct error err = ERROR_NONE;

	(void)state;
	assert_int_equal(firewall_add(&nft, &lease, &err), -ENOENT);
	assert_string_equal(err.text, "");
	rebuild(&lease, 1);
	assert_fine(firewall_add(&nft, &lease, &err), err);
	assert_fine(firewall_add(&nft, &lease, &err), err);
	assert_fine(firewall_check(&nft, &lease, &err), err);
}

static void no_leases_no_table(void **state)
{
	struct lease lease = lease_of("a", NULL, 0);

	(void)state;
	rebuild(NULL, 0);
	rebuild(&lease, 1);
	assert_lists("table inet berth");
	rebuild(NULL, 0);
	assert_lists_not("table");
}

static void rules_are_printed(void **state)
{
	static const char *const lines[] = {
		"type filter hook prerouting priority raw; policy accept; "
		"ip daddr 127.0.0.0/8 iifname @bridges drop "
		"ip saddr 127.0.0.0/8 iifname @bridges drop",
		"type nat hook prerouting priority dstnat; policy accept; "
		"ip daddr 127.0.0.0/8 return fib daddr type local jump published",
		"type nat hook output priority -100; policy accept; "
		"ip6 daddr ::1 return fib daddr type local jump published",
		"dnat ip to ip daddr . meta l4proto . th dport map @published4",
		"dnat ip to meta l4proto . th dport map @published_any4",
		"dnat ip6 to ip6 daddr . meta l4proto . th dport map @published6",
		"dnat ip6 to meta l4proto . th dport map @published_any6",
		"type filter hook forward priority filter; policy accept; "
		"ct state established,related accept iifname . oifname @same accept "
		"iifname @open oifname @open accept iifname @internal drop "
		"ct status dnat accept oifname @bridges drop",
		"type nat hook postrouting priority srcnat; policy accept; "
		"ct status dnat iifname . oifname @same masquerade "
		"ct status dnat iif 0 oifname @bridges masquerade "
		"iifname @masqueraded oifname != @bridges masquerade",
	};
	struct lease lease = lease_of("a", NULL, 0);

	(void)state;
	rebuild(&lease, 1);
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		assert_lists(lines[i]);
}

static void what_nft_prints_it_reads(void **state)
{
	struct publish ports[] = {
		port("127.0.0.1", 8080, 80, IPPROTO_TCP),
		port("fd00::7", 53, 5353, IPPROTO_UDP),
		port("", 443, 8443, IPPROTO_TCP),
	};
	struct lease lease = lease_of("a", ports, ARRAY_SIZE(ports));
	_cleanup_free_ char *before = NULL, *after = NULL;
	struct error err = ERROR_NONE;

	(void)state;
	rebuild(&lease, 1);
	before = output_of("nft list ruleset");
	free(output_of("nft list ruleset >$PPID.nft; nft flush ruleset; nft -f $PPID.nft; "
		       "rm $PPID.nft"));
	after = output_of("nft list ruleset");
	assert_string_equal(before, after);
	assert_fine(firewall_check(&nft, &lease, &err), err);
}

static void networks_are_elements(void **state)
{
	struct lease leases[3] = {lease_of("a", NULL, 0), lease_of("b", NULL, 0),
				  lease_of("c", NULL, 0)};

	(void)state;
	leases[1].network.link = "br-internal";
	leases[1].network.internal = true;
	leases[2].network.link = "fifteen-bytes-x";
	leases[2].network.no_isolation = leases[2].network.no_masquerade = true;
	rebuild(leases, ARRAY_SIZE(leases));
	assert_lists("set internal { type ifname elements = { \"br-internal\" } }");
	assert_lists("set open { type ifname elements = { \"fifteen-bytes-x\" } }");
	assert_lists("set masqueraded { type ifname elements = { \"br0\" } }");
	assert_lists("\"br0\" . \"br0\"");
	assert_lists("\"fifteen-bytes-x\" . \"fifteen-bytes-x\"");
}

static void ports_are_elements(void **state)
{
	struct publish ports[] = {
		port("127.0.0.1", 8080, 80, IPPROTO_TCP), port("fd00::7", 53, 5353, IPPROTO_UDP),
		port("", 443, 8443, IPPROTO_TCP),	  port("0.0.0.0", 1, 1001, IPPROTO_UDP),
		port("::", 2, 1002, IPPROTO_TCP),
	};
	struct lease lease = lease_of("a", ports, ARRAY_SIZE(ports));
	struct error err = ERROR_NONE;

	(void)state;
	rebuild(&lease, 1);
	assert_lists("elements = { 127.0.0.1 . tcp . 8080 : 10.1.0.2 . 80 }");
	assert_lists("elements = { fd00::7 . udp . 53 : fd00:1::2 . 5353 }");
	assert_lists("tcp . 443 : 10.1.0.2 . 8443");
	assert_lists("tcp . 443 : fd00:1::2 . 8443");
	assert_lists("udp . 1 : 10.1.0.2 . 1001");
	assert_lists_not("udp . 1 : fd00");
	assert_lists("tcp . 2 : fd00:1::2 . 1002");
	assert_lists_not("tcp . 2 : 10");
	assert_fine(firewall_remove(&nft, &lease, FIREWALL_NOT_LAST, &err), err);
	assert_lists_not("tcp");
	assert_lists_not("udp");
	assert_lists("elements = { \"br0\" }");
	assert_fine(firewall_remove(&nft, &lease, FIREWALL_LAST_OF_NETWORK, &err), err);
	assert_lists_not("elements");
}

static void a_family_that_the_container_lacks(void **state)
{
	struct publish ports[] = {port("::", 80, 80, IPPROTO_TCP)};
	struct lease lease = lease_of("a", ports, 1);
	struct error err = ERROR_NONE;

	(void)state;
	lease.address_count = 1;
	rebuild(NULL, 0);
	assert_failed(firewall_add(&nft, &lease, &err), err, -EINVAL);
	assert_contains(err.text, "port 80 of address \"::\"");
	assert_fine(firewall_remove(&nft, &lease, FIREWALL_LAST_OF_NETWORK, &err), err);
}

static void a_port_is_published_once(void **state)
{
	struct publish ports[] = {port("", 80, 80, IPPROTO_TCP), port("", 81, 81, IPPROTO_TCP)};
	struct publish other[] = {port("", 79, 79, IPPROTO_TCP), port("", 80, 80, IPPROTO_TCP)};
	struct lease first = lease_of("a", ports, 2), second = lease_of("b", other, 2);
	struct error err = ERROR_NONE;

	(void)state;
	second.addresses[0] = prefix("10.1.0.3/24");
	second.addresses[1] = prefix("fd00:1::3/64");
	rebuild(&first, 1);
	assert_failed(firewall_add(&nft, &second, &err), err, -EADDRINUSE);
	assert_contains(err.text, "80/tcp");
	/* Nothing came of the second, and undoing it takes nothing from the first. */
	assert_lists_not("tcp . 79");
	assert_fine(firewall_remove(&nft, &second, FIREWALL_NOT_LAST, &err), err);
	assert_fine(firewall_check(&nft, &first, &err), err);
}

static void removal_of_what_is_not_there(void **state)
{
	struct publish ports[] = {port("", 80, 80, IPPROTO_TCP), port("", 81, 81, IPPROTO_TCP)};
	struct lease lease = lease_of("a", ports, 2);
	struct error err = ERROR_NONE;

	(void)state;
	assert_fine(firewall_remove(&nft, &lease, FIREWALL_LAST_OF_NETWORK, &err), err);
	rebuild(&lease, 1);
	assert_fine(firewall_remove(&nft, &lease, FIREWALL_LAST_OF_NETWORK, &err), err);
	assert_fine(firewall_remove(&nft, &lease, FIREWALL_LAST_OF_NETWORK, &err), err);
	rebuild(&lease, 1);
	free(output_of("nft delete element inet berth published_any4 { tcp . 80 }"));
	free(output_of("nft 'flush chain inet berth published; "
		       "delete map inet berth published6'"));
	assert_fine(firewall_remove(&nft, &lease, FIREWALL_LAST_OF_NETWORK, &err), err);
	assert_lists_not("elements");
}

static void checks_name_what_is_missing(void **state)
{
	static const struct {
		const char *damage, *word;
	} rows[] = {
		{"nft delete table inet berth", "0 rules"},
		{"nft flush chain inet berth forward", "rules of"},
		{"nft delete element inet berth bridges { br0 }", "br0 in set \"bridges\""},
		{"nft delete element inet berth published_any4 { tcp . 81 }", "81/tcp"},
		{"nft 'delete element inet berth published4 { 10.0.0.1 . udp . 9 }; "
		 "add element inet berth published4 { 10.0.0.1 . udp . 9 : 10.1.0.9 . 9 }'",
		 "10.0.0.1:9/udp in set \"published4\" leads elsewhere"},
		{"nft delete element inet berth published6 { fd00::1 . udp . 9 }",
		 "[fd00::1]:9/udp"},
	};
	struct publish ports[] = {port("", 80, 80, IPPROTO_TCP), port("", 81, 81, IPPROTO_TCP),
				  port("10.0.0.1", 9, 9, IPPROTO_UDP),
				  port("fd00::1", 9, 9, IPPROTO_UDP)};
	struct lease lease = lease_of("a", ports, ARRAY_SIZE(ports));

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct error err = ERROR_NONE;

		rebuild(&lease, 1);
		assert_fine(firewall_check(&nft, &lease, &err), err);
		free(output_of(rows[i].damage));
		assert_failed(firewall_check(&nft, &lease, &err), err, -ENOENT);
		assert_contains(err.text, rows[i].word);
	}
}

/* Checking must leave all as it is. */
static void checks_change_nothing(void **state)
{
	struct publish ports[] = {port("", 80, 80, IPPROTO_TCP)};
	struct lease lease = lease_of("a", ports, 1);
	_cleanup_free_ char *before = NULL, *after = NULL;
	struct error err = ERROR_NONE;

	(void)state;
	rebuild(&lease, 1);
	before = output_of("nft list ruleset");
	assert_fine(firewall_check(&nft, &lease, &err), err);
	after = output_of("nft list ruleset");
	assert_string_equal(before, after);
}

static void all_ports_that_one_may_publish(void **state)
{
	struct publish ports[] = {port("", 1024, 1024, IPPROTO_TCP)};
	struct lease lease = lease_of("a", ports, 1), other = lease_of("b", NULL, 0);
	struct error err = ERROR_NONE;

	(void)state;
	ports[0].count = PUBLISHED_PORTS_MAX;
	rebuild(&other, 1);
	assert_fine(firewall_add(&nft, &lease, &err), err);
	assert_fine(firewall_check(&nft, &lease, &err), err);
	assert_lists("tcp . 17407 : fd00:1::2 . 17407");
	assert_fine(firewall_remove(&nft, &lease, FIREWALL_NOT_LAST, &err), err);
	assert_lists_not("tcp");
	rebuild(&lease, 1);
	assert_lists("tcp . 17407 : 10.1.0.2 . 17407");
}

static void the_last_one_takes_the_table_away(void **state)
{
	struct lease lease = lease_of("a", NULL, 0);
	struct error err = ERROR_NONE;

	(void)state;
	rebuild(&lease, 1);
	assert_fine(firewall_remove(&nft, &lease, FIREWALL_LAST_OF_ALL, &err), err);
	assert_lists_not("table");
	assert_fine(firewall_remove(&nft, &lease, FIREWALL_LAST_OF_ALL, &err), err);
}

/* Sends a datagram through the loopback. */
static void send_to(const char *host, uint16_t to)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(to)};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(inet_pton(AF_INET, host, &address.sin_addr), 1);
	assert_int_equal(sendto(fd, "x", 1, 0, (struct sockaddr *)&address, sizeof(address)), 1);
	close(fd);
}

static bool has_flow(uint16_t port)
{
	_cleanup_free_ char *flows = output_of("cat /proc/net/nf_conntrack");
	char word[16];

	snprintf(word, sizeof(word), "dport=%u ", port);
	return strstr(flows, word) != NULL;
}

static void flows_that_began_before_are_forgotten(void **state)
{
	struct publish ports[] = {port("", 5000, 53, IPPROTO_UDP),
				  port("127.0.0.2", 5001, 53, IPPROTO_UDP),
				  port("", 5002, 53, IPPROTO_TCP)};
	struct lease lease = lease_of("a", ports, ARRAY_SIZE(ports)),
		     other = lease_of("b", NULL, 0);
	struct error err = ERROR_NONE;

	(void)state;
	if (access("/proc/net/nf_conntrack", R_OK) < 0)
		skip_because("there is no /proc/net/nf_conntrack");
	ports[0].count = 1;
	rebuild(&other, 1);
	send_to("127.0.0.1", 5000);
	send_to("127.0.0.1", 5001);
	send_to("127.0.0.2", 5001);
	send_to("127.0.0.1", 5002);
	/* One that has no ports. */
	assert_int_equal(system("busybox ping -c 1 -W 1 127.0.0.1 >/dev/null"), 0);
	assert_true(has_flow(5000));
	assert_fine(firewall_add(&nft, &lease, &err), err);
	assert_false(has_flow(5000));
	assert_true(has_flow(5001));
	assert_true(has_flow(5002));
	/* A flow that is translated is left to go on. */
	assert_int_equal(system("ip address add 10.1.0.2/32 dev lo"), 0);
	send_to("127.0.0.1", 5000);
	assert_true(has_flow(5000));
	assert_fine(firewall_add(&nft, &lease, &err), err);
	assert_true(has_flow(5000));
	assert_fine(firewall_remove(&nft, &lease, FIREWALL_LAST_OF_ALL, &err), err);
	assert_false(has_flow(5000));
	assert_true(has_flow(5001));
}

static int rebuild_unprivileged(void *argument)
{
	_cleanup_netlink_ struct netlink own = NETLINK_CLOSED;
	struct lease_list list = {.count = 0};
	struct error err = ERROR_NONE;

	(void)argument;
	if (setresuid(65534, 65534, 65534) < 0)
		return __LINE__;
	if (firewall_rebuild(&own, &list, &err) != -EPERM)
		return __LINE__;
	return strstr(err.text, "CAP_NET_ADMIN") ? 0 : __LINE__;
}

static void what_is_missing_is_named(void **state)
{
	const struct nft_words words = {"create chain", "output"};
	struct error err = ERROR_NONE;

	(void)state;
	assert_failed(nft_explain(-EOPNOTSUPP, words, &err), err, -EOPNOTSUPP);
	assert_contains(err.text, "create chain \"output\"");
	assert_contains(err.text, "modprobe -a nf_tables");
	if (geteuid() == 0)
		in_child(rebuild_unprivileged, NULL);
}

static void other_tables_stay(void **state)
{
	struct lease lease = lease_of("a", NULL, 0);

	(void)state;
	free(output_of("nft 'add table ip berth; add table inet other; "
		       "add chain inet other c { type filter hook forward priority 0; }'"));
	rebuild(&lease, 1);
	rebuild(NULL, 0);
	assert_lists("table ip berth");
	assert_lists("table inet other { chain c {");
}

#define firewall_test(function) cmocka_unit_test_setup(function, no_table)

int main(void)
{
	const struct CMUnitTest tests[] = {
		firewall_test(adding_without_a_table_asks_for_a_rebuild),
		firewall_test(no_leases_no_table),
		firewall_test(rules_are_printed),
		firewall_test(what_nft_prints_it_reads),
		firewall_test(networks_are_elements),
		firewall_test(ports_are_elements),
		firewall_test(a_family_that_the_container_lacks),
		firewall_test(a_port_is_published_once),
		firewall_test(removal_of_what_is_not_there),
		firewall_test(checks_name_what_is_missing),
		firewall_test(checks_change_nothing),
		firewall_test(all_ports_that_one_may_publish),
		firewall_test(the_last_one_takes_the_table_away),
		firewall_test(flows_that_began_before_are_forgotten),
		firewall_test(what_is_missing_is_named),
		firewall_test(other_tables_stay),
	};
	int failed;

	if (unshare(geteuid() == 0 ? CLONE_NEWNET : CLONE_NEWUSER | CLONE_NEWNET) < 0) {
		print_message("skipped, all tests: there are no network namespaces here\n");
		return 0;
	}
	if (system("nft 'add table inet t; add chain inet t c { type nat hook output priority 0; "
		   "}; "
		   "delete table inet t' && ip link set lo up") != 0) {
		print_message("skipped, all tests: nft(8) or nf_tables is missing\n");
		return 0;
	}
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	netlink_close(&nft);
	return failed;
}
