/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Transactions of nf_tables.
 *
 * Theory of operation. A transaction is one datagram: whatever its size, it must go by one send(2),
 * so the socket's buffer grows with it. The kernel has carried it out, or refused it, when send(2)
 * returns, and its answers are in the socket by then: they are only refusals, since no message asks
 * for an acknowledgement, and no answer at all is success.
 */
#include "firewall_batch.h"

#include <errno.h>
#include <libnftnl/common.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "berth/base/alloc.h"

void nft_batch_done(struct nft_batch *batch)
{
	free(batch->data);
	free(batch->words);
	*batch = (struct nft_batch)NFT_BATCH_EMPTY;
}

static void finish_last(struct nft_batch *batch)
{
	if (!batch->last)
		return;
	batch->size += NLMSG_ALIGN(batch->last->nlmsg_len);
	batch->last = NULL;
}

/* Room for one more message of any size, and its words. */
static char *reserve(struct nft_batch *batch)
{
	const size_t most = NFT_MESSAGE_MAX + 2 * sizeof(struct nlmsghdr);

	finish_last(batch);
	if (batch->room - batch->size < most) {
		batch->room = batch->room * 2 + most;
		batch->data = xrealloc(batch->data, batch->room, 1);
		/* Between attributes are bytes that nothing writes. */
		memset(batch->data + batch->size, 0, batch->room - batch->size);
	}
	if (batch->count == batch->words_room) {
		batch->words_room = batch->words_room * 2 + 64;
		batch->words = xrealloc(batch->words, batch->words_room, sizeof(*batch->words));
	}
	return batch->data + batch->size;
}

struct nlmsghdr *nft_begin(struct nft_batch *batch, uint16_t type, uint16_t flags,
			   struct nft_words words)
{
	char *at;

	if (batch->count == 0) {
		batch->last = nftnl_batch_begin(reserve(batch), 0);
		batch->words[batch->count++] = (struct nft_words){"begin", "transaction"};
	}
	at = reserve(batch);
	batch->last = nftnl_nlmsg_build_hdr(at, type, NFPROTO_INET, flags, (uint32_t)batch->count);
	batch->words[batch->count++] = words;
	return batch->last;
}

static void end_batch(struct nft_batch *batch)
{
	batch->last = nftnl_batch_end(reserve(batch), (uint32_t)batch->count);
	batch->words[batch->count++] = (struct nft_words){"end", "transaction"};
	finish_last(batch);
}

/* What helps where the kernel has not what is needed. */
#define MODULES "nf_tables nft_chain_nat nft_nat nft_masq nft_ct nft_fib_inet"

int nft_explain(int code, struct nft_words words, struct error *err)
{
	const char *remedy = "";

	switch (-code) {
	case EPERM:
		remedy = " (needs CAP_NET_ADMIN)";
		break;
	case ENOENT: /* of a kind of chain or expression: what rules name is in the same batch */
	case EOPNOTSUPP:
	case EPROTONOSUPPORT:
	case EAFNOSUPPORT:
		remedy = " (the kernel lacks a module: modprobe -a " MODULES ")";
		break;
	default:
		break;
	}
	return fail(err, code, "nftables: %s \"%s\"%s", words.what, words.name, remedy);
}

int nft_open(struct netlink *netlink, struct error *err)
{
	if (netlink->socket)
		return 0;
	return netlink_open(NETLINK_NETFILTER, netlink, err);
}

/* What a socket's buffer must have beside the datagram (netlink_sendmsg() in the kernel). */
#define BUFFER_OVERHEAD 1024
/* What fits into a buffer of the default size, net.core.wmem_default, on any machine. */
#define BUFFER_DEFAULT 65536

static int make_room(int fd, size_t size, struct error *err)
{
	int wanted = (int)(size + BUFFER_OVERHEAD);

	if (size <= BUFFER_DEFAULT)
		return 0;
	/* The first one needs CAP_NET_ADMIN of the host's user namespace; the other one is bounded
	 * by net.core.wmem_max. */
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &wanted, sizeof(wanted)) == 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &wanted, sizeof(wanted)) == 0)
		return 0;
	return fail(err, -errno, "nftables: room for a transaction of %zu bytes", size);
}

static int send_all(int fd, const struct nft_batch *batch, struct error *err)
{
	static const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	ssize_t sent = sendto(fd, batch->data, batch->size, 0, (const struct sockaddr *)&kernel,
			      sizeof(kernel));

	if (sent >= 0)
		return 0;
	if (errno == EMSGSIZE)
		return fail(err, -errno,
			    "nftables: a transaction of %zu bytes (sysctl net.core.wmem_max)",
			    batch->size);
	return fail(err, -errno, "nftables: send a transaction");
}

static int keep_offset(const struct nlattr *attr, void *data)
{
	uint32_t *offset = data;

	if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_OFFS &&
	    mnl_attr_validate(attr, MNL_TYPE_U32) >= 0)
		*offset = mnl_attr_get_u32(attr);
	return MNL_CB_OK;
}

/* Where in the batch the message with that number begins. */
static const struct nlmsghdr *find_message(const struct nft_batch *batch, uint32_t sequence)
{
	const struct nlmsghdr *message = (const void *)batch->data;
	int left = (int)batch->size;

	while (mnl_nlmsg_ok(message, left)) {
		if (message->nlmsg_seq == sequence)
			return message;
		message = mnl_nlmsg_next(message, &left);
	}
	return NULL;
}

static void read_refusal(const struct nft_batch *batch, const struct nlmsghdr *answer,
			 struct nft_refusal *refusal)
{
	const struct nlmsgerr *error = mnl_nlmsg_get_payload(answer);
	const struct nlmsghdr *message;
	uint32_t offset = 0;

	if (answer->nlmsg_type != NLMSG_ERROR ||
	    mnl_nlmsg_get_payload_len(answer) < sizeof(*error) || error->error == 0 ||
	    answer->nlmsg_seq >= batch->count)
		return;
	if (answer->nlmsg_flags & NLM_F_ACK_TLVS)
		mnl_attr_parse(answer, sizeof(*error), keep_offset, &offset);
	message = find_message(batch, answer->nlmsg_seq);
	*refusal = (struct nft_refusal){
		.code = error->error,
		.words = batch->words[answer->nlmsg_seq],
	};
	if (message && offset >= sizeof(*message) && offset < message->nlmsg_len)
		refusal->attribute = (const void *)((const char *)message + offset);
}

/* Reads all answers; the first refusal is the reason, the others follow from it. */
static int read_answers(int fd, const struct nft_batch *batch, struct nft_refusal *refusal,
			struct error *err)
{
	_Alignas(struct nlmsghdr) char buffer[16384];

	for (;;) {
		ssize_t size = recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT);
		const struct nlmsghdr *answer = (const void *)buffer;
		int left = (int)size;

		if (size < 0 && errno == EAGAIN)
			return 0;
		/* ENOBUFS: there were more refusals than have room. */
		if (size < 0 && (errno == EINTR || errno == ENOBUFS))
			continue;
		if (size < 0)
			return fail(err, -errno, "nftables: read the answer");
		for (; mnl_nlmsg_ok(answer, left); answer = mnl_nlmsg_next(answer, &left)) {
			if (refusal->code == 0)
				read_refusal(batch, answer, refusal);
		}
	}
}

int nft_send(struct netlink *netlink, struct nft_batch *batch, struct nft_refusal *ret,
	     struct error *err)
{
	int fd = mnl_socket_get_fd(netlink->socket), r;
	struct nft_refusal refusal = {.code = 0};

	if (ret)
		*ret = refusal;
	if (batch->count == 0)
		return 0;
	end_batch(batch);
	r = make_room(fd, batch->size, err);
	if (r >= 0)
		r = send_all(fd, batch, err);
	if (r >= 0)
		r = read_answers(fd, batch, &refusal, err);
	if (ret)
		*ret = refusal;
	if (r < 0)
		return r;
	return refusal.code == 0 ? 0 : nft_explain(refusal.code, refusal.words, err);
}

struct nlmsghdr *nft_question(struct netlink_batch *batch, uint8_t type, uint16_t flags,
			      struct nft_words words)
{
	struct nlmsghdr *message = netlink_begin(
		batch, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type), flags, /* tolerated= */ ENOENT,
		"nftables: %s \"%s\"", words.what, words.name);
	struct nfgenmsg *head = mnl_nlmsg_put_extra_header(message, sizeof(*head));

	*head = (struct nfgenmsg){.nfgen_family = NFPROTO_INET, .version = NFNETLINK_V0};
	return message;
}
