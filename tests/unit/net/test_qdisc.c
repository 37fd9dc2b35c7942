/* SPDX-License-Identifier: Apache-2.0 */
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>

#include "kernel.h"
#include "qdisc.h"

static void rates_are_read(void **state)
{
	static const struct {
		const char *text;
		uint64_t bits;
	} right[] = {
		{"10mbit", 10000000},
		{"1.5gbit", 1500000000},
		{"512kbit", 512000},
		{"64000", 64000},
		{"64000bit", 64000},
		{"0.1Mbit", 100000},
		{"2TBit", 2000000000000},
		{"1.234567891gbit", 1234567891},
		{"18446744073709551615", UINT64_MAX},
	};
	static const char *const wrong[] = {"",
					    "mbit",
					    "10 mbit",
					    "-10mbit",
					    "+10mbit",
					    "10mbps",
					    "10kibit",
					    "1..5mbit",
					    "1.5.1mbit",
					    ".5mbit",
					    "5.mbit",
					    "64000.5",
					    "1.2345kbit",
					    "0",
					    "999",
					    "0.5kbit",
					    "18446744073709551616",
					    "18446744073709551615kbit",
					    "99999999tbit",
					    "1e6",
					    "0x10mbit"};
	struct error err = ERROR_NONE;
	struct rate rate;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(right); i++) {
		assert_fine(rate_parse("--bandwidth", right[i].text, &rate, &err), err);
		assert_int_equal(rate.bits_per_second, right[i].bits);
		assert_int_equal(rate.burst_bytes, 0);
	}
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		err = (struct error)ERROR_NONE;
		assert_failed(rate_parse("--bandwidth", wrong[i], &rate, &err), err, -EINVAL);
		assert_contains(err.text, "--bandwidth");
	}
}

/* What the kernel says of the root qdisc. */
struct seen {
	int index;
	char kind[16];
	struct tc_tbf_qopt options;
	uint64_t rate64;
	uint32_t burst;
	int count;
};

static int see_option(const struct nlattr *attribute, void *data)
{
	struct seen *seen = data;

	if (mnl_attr_get_type(attribute) == TCA_TBF_PARMS)
		memcpy(&seen->options, mnl_attr_get_payload(attribute), sizeof(seen->options));
	if (mnl_attr_get_type(attribute) == TCA_TBF_RATE64)
		seen->rate64 = mnl_attr_get_u64(attribute);
	return MNL_CB_OK;
}

static int see_attribute(const struct nlattr *attribute, void *data)
{
	struct seen *seen = data;

	if (mnl_attr_get_type(attribute) == TCA_KIND)
		snprintf(seen->kind, sizeof(seen->kind), "%s", mnl_attr_get_str(attribute));
	if (mnl_attr_get_type(attribute) == TCA_OPTIONS && str_equal(seen->kind, "tbf"))
		return mnl_attr_parse_nested(attribute, see_option, seen);
	return MNL_CB_OK;
}

static int see(const struct nlmsghdr *answer, void *data)
{
	const struct tcmsg *body = mnl_nlmsg_get_payload(answer);
	struct seen *seen = data;

	if (body->tcm_ifindex != seen->index || body->tcm_parent != TC_H_ROOT)
		return 0;
	seen->count++;
	return mnl_attr_parse(answer, sizeof(*body), see_attribute, seen);
}

static struct seen limit(struct netlink *netlink, const struct rate *rate)
{
	_cleanup_batch_ struct netlink_batch *batch = netlink_batch_new();
	struct seen seen = {.index = found(netlink, "br0").index};
	struct error err = ERROR_NONE;
	struct nlmsghdr *header;

	assert_fine(qdisc_limit(batch, seen.index, "br0", rate, &err), err);
	if (netlink_send(netlink, batch, &err) == -ENOENT) {
		netlink_batch_free(take_ptr(&batch)); /* what is skipped does not return */
		skip_because("the kernel has no sch_tbf");
	}
	assert_int_equal(err.code, 0);
	header = netlink_begin(batch, RTM_GETQDISC, NLM_F_DUMP, 0, "list qdiscs");
	mnl_nlmsg_put_extra_header(header, sizeof(struct tcmsg));
	assert_fine(netlink_ask(netlink, batch, see, &seen, &err), err);
	return seen;
}

static void a_limit_is_made_and_replaced(void **state)
{
	struct other *other = *state;
	_cleanup_batch_ struct netlink_batch *batch = netlink_batch_new();
	struct seen seen;

	link_add_bridge(batch, "br0", NULL, 0, "test");
	sent(&other->there, batch);
	seen = limit(&other->there, &(struct rate){.bits_per_second = 8000000});
	assert_int_equal(seen.count, 1);
	assert_string_equal(seen.kind, "tbf");
	assert_int_equal(seen.options.rate.rate, 1000000);
	/* Two packets of 64 KiB, and what passes in 25 ms. */
	assert_int_equal(seen.options.limit, 131072 + 25000);

	seen = limit(&other->there,
		     &(struct rate){.bits_per_second = 16000000, .burst_bytes = 5000});
	assert_int_equal(seen.count, 1);
	assert_int_equal(seen.options.rate.rate, 2000000);
	assert_int_equal(seen.options.limit, 5000 + 50000);

	/* More than 32 bits of bytes a second; 10 ms and 25 ms of it. */
	seen = limit(&other->there, &(struct rate){.bits_per_second = 80000000000});
	assert_int_equal(seen.rate64, 10000000000);
	assert_int_equal(seen.options.limit, 350000000);
}

static void no_limit_is_no_message(void **state)
{
	struct other *other = *state;
	_cleanup_batch_ struct netlink_batch *batch = netlink_batch_new();
	struct error err = ERROR_NONE;

	assert_fine(qdisc_limit(batch, 4711, "none", &(struct rate){.bits_per_second = 0}, &err),
		    err);
	sent(&other->there, batch);
}

static void limits_that_let_nothing_through_are_refused(void **state)
{
	_cleanup_batch_ struct netlink_batch *batch = netlink_batch_new();
	struct error err = ERROR_NONE;

	(void)state;
	assert_failed(qdisc_limit(batch, 1, "lo", &(struct rate){.bits_per_second = 999}, &err),
		      err, -EINVAL);
	assert_failed(qdisc_limit(batch, 1, "lo",
				  &(struct rate){.bits_per_second = 1000000, .burst_bytes = 100},
				  &err),
		      err, -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rates_are_read),
		cmocka_unit_test(limits_that_let_nothing_through_are_refused),
		other_test(a_limit_is_made_and_replaced),
		other_test(no_limit_is_no_message),
	};

	if (!kernel_test_begin())
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
