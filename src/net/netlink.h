/* SPDX-License-Identifier: Apache-2.0 */
/* Netlink by libmnl: one socket, and batches whose every message says what it is for. */
#ifndef BERTH_NET_NETLINK_H
#define BERTH_NET_NETLINK_H

#include <libmnl/libmnl.h>
#include <stdint.h>

#include "berth/base/error.h"

struct netlink {
	struct mnl_socket *socket; /* NULL: closed */
	uint32_t sequence;
};

#define NETLINK_CLOSED                                                                             \
	{                                                                                          \
		.socket = NULL                                                                     \
	}

/* Opens a socket of @protocol (NETLINK_ROUTE, NETLINK_NETFILTER) in the caller's network namespace,
 * with strict checking and extended errors. */
int netlink_open(int protocol, struct netlink *ret, struct error *err) must_check;
/* The same in the namespace @nsfd. */
int netlink_open_in(int nsfd, int protocol, struct netlink *ret, struct error *err) must_check;
void netlink_close(struct netlink *netlink);
#define _cleanup_netlink_ __attribute__((cleanup(netlink_close)))

/* Messages that are sent in one go. Each keeps its words for the error, and which errno is fine. */
struct netlink_batch;

struct netlink_batch *netlink_batch_new(void);
void netlink_batch_free(struct netlink_batch *batch); /* accepts NULL */
static inline void cleanup_netlink_batch(struct netlink_batch **variable)
{
	netlink_batch_free(*variable);
	*variable = NULL;
}
#define _cleanup_batch_ __attribute__((cleanup(cleanup_netlink_batch)))

/*
 * Begins a message. @flags: beside NLM_F_REQUEST and NLM_F_ACK. @tolerated: an errno (EEXIST,
 * ENODEV, …) that is as good as success, or 0. The words say what is attempted, on what:
 * "create link \"%s\"". The header is for mnl_nlmsg_put_extra_header() and mnl_attr_put_…, and is
 * valid until the next message begins; NETLINK_MESSAGE_MAX bytes have room.
 */
#define NETLINK_MESSAGE_MAX 4096
struct nlmsghdr *netlink_begin(struct netlink_batch *batch, uint16_t type, uint16_t flags,
			       int tolerated, const char *what, ...)
	__attribute__((format(printf, 5, 6), returns_nonnull));

/*
 * Sends all messages by as few sendmsg(2) as the socket takes, and waits for all answers. The first
 * message that the kernel refused gives the error: its words, the errno, and the kernel's own
 * explanation (extended ACK) where there is one. Messages after it were done all the same:
 * rtnetlink knows no transactions. The batch is empty afterwards. For NETLINK_ROUTE; nf_tables'
 * transactions are nft_send()'s.
 */
int netlink_send(struct netlink *netlink, struct netlink_batch *batch,
		 struct error *err) must_check;

/*
 * Sends one message, and when all answers are there gives each but the last to @each (may stop with
 * a negative errno). For requests of one object and for dumps (NLM_F_DUMP), which are repeated
 * where the kernel says that they were interrupted. The batch is empty afterwards.
 */
int netlink_ask(struct netlink *netlink, struct netlink_batch *batch,
		int (*each)(const struct nlmsghdr *answer, void *data), void *data,
		struct error *err) must_check;

#endif
