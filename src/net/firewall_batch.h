/* SPDX-License-Identifier: Apache-2.0 */
/* A transaction of nf_tables: messages that the kernel carries out all or none. */
#ifndef BERTH_NET_FIREWALL_BATCH_H
#define BERTH_NET_FIREWALL_BATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "netlink.h"

/* The words for one message: "create chain", "forward". */
struct nft_words {
	const char *what;
	const char *name;
};

struct nft_batch {
	char *data; /* owned; from nft_begin() on the begin message, and all others behind it */
	size_t size, room;
	struct nlmsghdr *last;	 /* within data; its length is not in size yet */
	struct nft_words *words; /* owned; words[sequence number] */
	size_t count, words_room;
};

#define NFT_BATCH_EMPTY                                                                            \
	{                                                                                          \
		.data = NULL                                                                       \
	}

void nft_batch_done(struct nft_batch *batch);
#define _cleanup_nft_batch_ __attribute__((cleanup(nft_batch_done)))

/* What one message may hold behind its header; the length of an attribute has 16 bits. */
#define NFT_MESSAGE_MAX 32768

/*
 * Begins a message of type @type (NFT_MSG_…) and the family inet. The header is valid until the
 * next one begins. The words must outlive the batch.
 */
struct nlmsghdr *nft_begin(struct nft_batch *batch, uint16_t type, uint16_t flags,
			   struct nft_words words) __attribute__((returns_nonnull));

/* Opens a socket for transactions, unless it is open. */
int nft_open(struct netlink *netlink, struct error *err) must_check;

/* Why a transaction did not come about. */
struct nft_refusal {
	int code; /* negative errno of the first message that was refused */
	struct nft_words words;
	const struct nlattr *attribute; /* in the batch, to which the kernel points; or NULL */
};

/*
 * Sends the batch as one transaction and waits for its end. The batch stays as it is, so that the
 * refusal can be read; nothing can be added to it any more. Errors: those of the socket; and that
 * of the first message that was refused, then *ret (may be NULL) says which. A refusal takes a
 * grace period of RCU, some 10 ms: what is likely to be refused is asked first.
 */
int nft_send(struct netlink *netlink, struct nft_batch *batch, struct nft_refusal *ret,
	     struct error *err) must_check;

/* The type and the header of a message that asks, for netlink_ask(). */
struct nlmsghdr *nft_question(struct netlink_batch *batch, uint8_t type, uint16_t flags,
			      struct nft_words words) __attribute__((returns_nonnull));

/* Fills @err with what failed and, where the kernel or the caller lacks something, what to do. */
int nft_explain(int code, struct nft_words words, struct error *err);

#endif
