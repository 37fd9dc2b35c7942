/* SPDX-License-Identifier: Apache-2.0 */
/* Limits of bandwidth by the token bucket filter of the kernel. */
#include "qdisc.h"

#include <errno.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <strings.h>

#include "berth/base/str.h"

#include "names.h"

/* Below it a single packet would take longer than a connection waits for it. */
#define RATE_MIN UINT64_C(1000)
/* Two of the largest packets that the stack hands over at once. */
#define BURST_MIN (2u << 16)
/* The smallest that makes sense: a whole packet of Ethernet. */
#define BURST_GIVEN_MIN 2000u
/* How long what may leave at once has gathered, and how long a packet may wait before it is dropped
 * (the same as in CNI's bandwidth plugin). */
#define BURST_MS    10u
#define LATENCY_MS  25u
#define BITS_A_BYTE 8u

/* The units of tc(8). */
static const struct unit {
	const char *name;
	unsigned power; /* of ten */
} units[] = {
	{"", 0}, {"bit", 0}, {"kbit", 3}, {"mbit", 6}, {"gbit", 9}, {"tbit", 12},
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static const struct unit *find_unit(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (strcasecmp(units[i].name, name) == 0)
			return &units[i];
	}
	return NULL;
}

/* Appends the digits at *text to *number, *power at most; false where it becomes too large. */
static bool take_digits(const char **text, uint64_t *number, unsigned *power)
{
	for (; is_digit(**text); (*text)++) {
		if (*power == 0)
			return false;
		--*power;
		if (__builtin_mul_overflow(*number, 10, number) ||
		    __builtin_add_overflow(*number, (uint64_t)(**text - '0'), number))
			return false;
	}
	return true;
}

/* "1.5gbit" is 15 with eight zeros. */
static bool read_rate(const char *text, uint64_t *ret)
{
	size_t length = strspn(text, "0123456789.");
	const struct unit *unit = find_unit(text + length);
	unsigned whole_digits = 20, power = unit ? unit->power : 0;
	uint64_t number = 0;

	if (!unit || !is_digit(text[0]) || !take_digits(&text, &number, &whole_digits))
		return false;
	if (*text == '.') {
		text++;
		if (!is_digit(*text) || !take_digits(&text, &number, &power))
			return false;
	}
	/* A second point. */
	if (*text == '.')
		return false;
	for (; power > 0; power--) {
		if (__builtin_mul_overflow(number, 10, &number))
			return false;
	}
	*ret = number;
	return true;
}

int rate_parse(const char *what, const char *text, struct rate *ret, struct error *err)
{
	uint64_t bits;

	if (!read_rate(text, &bits))
		return refuse(err, "%s: \"%s\" is no bandwidth such as 10mbit, 1.5gbit or 512kbit",
			      what, name_show(text).text);
	if (bits < RATE_MIN)
		return refuse(err, "%s: \"%s\" is less than 1kbit", what, name_show(text).text);
	*ret = (struct rate){.bits_per_second = bits};
	return 0;
}

static uint32_t at_most_u32(uint64_t number)
{
	return number > UINT32_MAX ? UINT32_MAX : (uint32_t)number;
}

/* Bytes that pass in so many milliseconds. */
static uint64_t bytes_in(uint64_t bytes_per_second, unsigned ms)
{
	return bytes_per_second / 1000 * ms + bytes_per_second % 1000 * ms / 1000;
}

int qdisc_limit(struct netlink_batch *batch, int index, const char *link, const struct rate *rate,
		struct error *err)
{
	const uint64_t bytes = rate->bits_per_second / BITS_A_BYTE;
	uint64_t burst = rate->burst_bytes ? rate->burst_bytes : bytes_in(bytes, BURST_MS);
	struct tc_tbf_qopt options = {.rate.linklayer = TC_LINKLAYER_ETHERNET,
				      .rate.rate = at_most_u32(bytes)};
	struct nlmsghdr *header;
	struct nlattr *nest;
	struct tcmsg *body;

	if (rate->bits_per_second == 0)
		return 0;
	if (rate->bits_per_second < RATE_MIN)
		return refuse(err, "limit the link \"%s\": less than 1kbit", link);
	if (rate->burst_bytes != 0 && rate->burst_bytes < BURST_GIVEN_MIN)
		return refuse(err,
			      "limit the link \"%s\": a burst of %u bytes lets no packet through",
			      link, rate->burst_bytes);
	if (rate->burst_bytes == 0 && burst < BURST_MIN)
		burst = BURST_MIN;
	options.limit = at_most_u32(burst + bytes_in(bytes, LATENCY_MS));
	header = netlink_begin(batch, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_REPLACE, 0,
			       "limit the link \"%s\" to %llu bit/s (the kernel's module sch_tbf)",
			       link, (unsigned long long)rate->bits_per_second);
	body = mnl_nlmsg_put_extra_header(header, sizeof(*body));
	body->tcm_family = AF_UNSPEC;
	body->tcm_ifindex = index;
	body->tcm_parent = TC_H_ROOT;
	mnl_attr_put_strz(header, TCA_KIND, "tbf");
	nest = mnl_attr_nest_start(header, TCA_OPTIONS);
	mnl_attr_put(header, TCA_TBF_PARMS, sizeof(options), &options);
	mnl_attr_put_u32(header, TCA_TBF_BURST, at_most_u32(burst));
	if (bytes > UINT32_MAX)
		mnl_attr_put_u64(header, TCA_TBF_RATE64, bytes);
	mnl_attr_nest_end(header, nest);
	return 0;
}
