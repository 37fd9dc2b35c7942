/* SPDX-License-Identifier: Apache-2.0 */
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "kernel.h"
#include "netlink.h"

#define MANY 700

static int count_link(const struct nlmsghdr *answer, void *data)
{
	int *count = data;

	assert_int_equal(answer->nlmsg_type, RTM_NEWLINK);
	return ++*count > MANY + 1 ? -E2BIG : 0;
}

static int dump_links(struct netlink *netlink, int *count, struct error *err)
{
	_cleanup_batch_ struct netlink_batch *batch = netlink_batch_new();
	struct nlmsghdr *header = netlink_begin(batch, RTM_GETLINK, NLM_F_DUMP, 0, "list links");

	mnl_nlmsg_put_extra_header(header, sizeof(struct ifinfomsg));
	*count = 0;
	return netlink_ask(netlink, batch, count_link, count, err);
}

/* More messages and more answers than the buffers of a socket take at once. */
static void batches_and_dumps_may_be_large(void **state)
{
	struct other *other = *state;
	_cleanup_batch_ struct netlink_batch *batch = netlink_batch_new();
	struct error err = ERROR_NONE;
	char name[IFNAMSIZ];
	int count;

	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "br%d", i);
		link_add_bridge(batch, name, NULL, 0, "a text that makes the messages longer");
	}
	sent(&other->there, batch);
	assert_fine(dump_links(&other->there, &count, &err), err);
	assert_int_equal(count, MANY + 1); /* and lo */
	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "br%d", i);
		link_delete(batch, name);
	}
	sent(&other->there, batch);
	assert_fine(dump_links(&other->there, &count, &err), err);
	assert_int_equal(count, 1);
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

/* Without NLM_F_ACK only the refusal is answered, and nothing is waited for after it. */
static void a_message_may_ask_for_no_answer(void **state)
{
	struct other *other = *state;
	_cleanup_batch_ struct netlink_batch *batch = netlink_batch_new();
	struct error err = ERROR_NONE;
	struct nlmsghdr *header;

	header = netlink_begin(batch, RTM_DELLINK, 0, 0, "delete what is not there");
	header->nlmsg_flags &= (uint16_t)~NLM_F_ACK;
	mnl_nlmsg_put_extra_header(header, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(header, IFLA_IFNAME, "gone0");
	link_delete(batch, "gone1");
	assert_failed(netlink_send(&other->there, batch, &err), err, -ENODEV);
	assert_contains(err.text, "delete what is not there");
	/* The answer to the second one, which nobody took, is not mistaken for another's. */
	link_set(batch, 4711, "one", true, 0, NULL);
	assert_failed(netlink_send(&other->there, batch, &err), err, -ENODEV);
	assert_contains(err.text, "\"one\"");
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
		other_test(a_message_may_ask_for_no_answer),
		other_test(a_reader_may_stop),
		other_test(what_others_send_is_not_read),
	};

	if (!kernel_test_begin())
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
