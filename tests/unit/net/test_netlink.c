/* SPDX-License-Identifier: Apache-2.0 */
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "kernel.h"
#include "netlink.h"

#define MANY 1000

static int count_address(const struct nlmsghdr *answer, void *data)
{
	int *count = data;

	assert_int_equal(answer->nlmsg_type, RTM_NEWADDR);
	return ++*count > MANY ? -E2BIG : 0;
}

/* More messages and more answers than the buffers of a socket take at once. */
static void batches_and_dumps_may_be_large(void **state)
{
	struct other *other = *state;
	_cleanup_batch_ struct netlink_batch *batch = netlink_batch_new();
	struct error err = ERROR_NONE;
	struct prefix address;
	struct nlmsghdr *header;
	int index, count = 0;

	link_add_bridge(batch, "br0", NULL, 0, "test");
	sent(&other->there, batch);
	index = found(&other->there, "br0").index;
	assert_int_equal(prefix_parse("10.0.0.1/8", &address), 0);
	for (int i = 0; i < MANY; i++) {
		address_add(batch, index, "br0", &address);
		assert_true(address_next(&address.address));
	}
	sent(&other->there, batch);
	header = netlink_begin(batch, RTM_GETADDR, NLM_F_DUMP, 0, "list addresses");
	((struct ifaddrmsg *)mnl_nlmsg_put_extra_header(header, sizeof(struct ifaddrmsg)))
		->ifa_family = AF_INET;
	assert_fine(netlink_ask(&other->there, batch, count_address, &count, &err), err);
	assert_int_equal(count, MANY);
}

static void the_first_refusal_counts_and_the_rest_is_done(void **state)
{
	struct other *other = *state;
	_cleanup_batch_ struct netlink_batch *batch = netlink_batch_new();
	struct error err = ERROR_NONE;
	struct link_info info;

	link_delete(batch, "gone0");
	link_set(batch, 4711, "one", true, 0, NULL);
	link_set(batch, 4712, "two", true, 0, NULL);
	link_add_bridge(batch, "br0", NULL, 0, "later");
	assert_failed(netlink_send(&other->there, batch, &err), err, -ENODEV);
	assert_contains(err.text, "\"one\"");
	assert_null(strstr(err.text, "\"two\""));
	assert_int_equal(link_try_find(&other->there, "br0", &info), 0);
	/* An empty batch, which this one is again, asks nobody. */
	sent(&other->there, batch);
}

static int stop(const struct nlmsghdr *answer, void *data)
{
	(void)answer;
	(void)data;
	return -ECANCELED;
}

static void a_reader_may_stop(void **state)
{
	struct other *other = *state;
	_cleanup_batch_ struct netlink_batch *batch = netlink_batch_new();
	struct nlmsghdr *header = netlink_begin(batch, RTM_GETLINK, NLM_F_DUMP, 0, "list links");
	struct error err = ERROR_NONE;

	mnl_nlmsg_put_extra_header(header, sizeof(struct ifinfomsg));
	assert_failed(netlink_ask(&other->there, batch, stop, NULL, &err), err, -ECANCELED);
}

/* Another program that writes to our socket is not the kernel. */
static void what_others_send_is_not_read(void **state)
{
	struct other *other = *state;
	struct sockaddr_nl to = {.nl_family = AF_NETLINK}, name;
	socklen_t size = sizeof(name);
	struct {
		struct nlmsghdr header;
		struct nlmsgerr error;
	} forged = {.header = {.nlmsg_len = sizeof(forged),
			       .nlmsg_type = NLMSG_ERROR,
			       .nlmsg_seq = other->here.sequence + 1},
		    .error = {.error = -EXFULL}};
	struct error err = ERROR_NONE;
	struct link_info info;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	/* Its number is given at the first use. */
	info = found(&other->here, "lo");
	forged.header.nlmsg_seq = other->here.sequence + 1;
	assert_int_equal(getsockname(mnl_socket_get_fd(other->here.socket), (void *)&name, &size),
			 0);
	to.nl_pid = name.nl_pid;
	assert_int_equal(sendto(fd, &forged, sizeof(forged), 0, (void *)&to, sizeof(to)),
			 sizeof(forged));
	fd_close(fd);
	assert_fine(link_find(&other->here, "lo", &info, &err), err);
	assert_string_equal(info.name, "lo");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		other_test(batches_and_dumps_may_be_large),
		other_test(the_first_refusal_counts_and_the_rest_is_done),
		other_test(a_reader_may_stop),
		other_test(what_others_send_is_not_read),
	};

	if (!kernel_test_begin())
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
