/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Netlink sockets and batches.
 *
 * Theory of operation. The kernel works on a request within sendmsg(2), and puts its answers into
 * the socket's receive buffer; what does not fit there is lost. So a batch goes out in pieces whose
 * answers are sure to fit, and each piece is answered before the next one is sent. An answer is
 * known by its sequence number.
 */
#include "netlink.h"

#include <errno.h>
#include <linux/netlink.h>
#include <stdarg.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

#include "berth/base/alloc.h"
#include "berth/base/str.h"

#include "netns.h"

/* Answers of so many messages are sure to fit: half of them errors with a text, an skb of 2 KiB. */
#define PIECE_MESSAGES 64
/* Bytes of messages that a socket takes at once: below the least send buffer (wmem_default). */
#define PIECE_BYTES ((size_t)64 << 10)
/* The largest part of a dump, NLMSG_GOODSIZE of the kernel's largest page. */
#define RECEIVE_BYTES ((size_t)32 << 10)
/* A table that changes so often while it is read is not going to hold still. */
#define DUMP_ATTEMPTS 20

struct entry {
	char *what;    /* owned: the words */
	size_t offset; /* of the message in the batch */
	int tolerated;
};

struct netlink_batch {
	char *data; /* owned: the messages, one after the other */
	size_t size, room;
	struct entry *entries; /* owned */
	size_t count, entry_room;
};

/* Messages first … last - 1 of a batch, on their way. */
struct piece {
	const struct netlink_batch *batch;
	size_t first, last;
	uint32_t sequence; /* of the first message */
	size_t awaited;	   /* answers that are still to come */
	int result;	   /* 0, or of the first message that was refused */
};

int netlink_open(int protocol, struct netlink *ret, struct error *err)
{
	static const int options[] = {NETLINK_EXT_ACK, NETLINK_CAP_ACK, NETLINK_GET_STRICT_CHK};
	struct mnl_socket *socket = mnl_socket_open2(protocol, SOCK_CLOEXEC);
	const int on = 1;

	if (!socket && errno == EPROTONOSUPPORT && protocol == NETLINK_NETFILTER)
		return fail(err, -errno, "open a netfilter socket (modprobe nfnetlink)");
	if (!socket)
		return fail(err, -errno, "open a netlink socket");
	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		/* All are there from 4.20 on; without one of them texts are less clear, no more. */
		ignore(setsockopt(mnl_socket_get_fd(socket), SOL_NETLINK, options[i], &on,
				  sizeof(on)));
	}
	*ret = (struct netlink){.socket = socket};
	return 0;
}

struct open_request {
	int protocol;
	struct netlink *ret;
};

static int open_there(void *data, struct error *err)
{
	const struct open_request *request = data;

	return netlink_open(request->protocol, request->ret, err);
}

int netlink_open_in(int nsfd, int protocol, struct netlink *ret, struct error *err)
{
	struct open_request request = {.protocol = protocol, .ret = ret};

	return netns_visit(nsfd, open_there, &request, err);
}

void netlink_close(struct netlink *netlink)
{
	if (netlink->socket)
		mnl_socket_close(netlink->socket);
	netlink->socket = NULL;
}

struct netlink_batch *netlink_batch_new(void)
{
	return xcalloc(1, sizeof(struct netlink_batch));
}

static void batch_clear(struct netlink_batch *batch)
{
	for (size_t i = 0; i < batch->count; i++)
		free(batch->entries[i].what);
	batch->count = 0;
	batch->size = 0;
}

void netlink_batch_free(struct netlink_batch *batch)
{
	if (!batch)
		return;
	batch_clear(batch);
	free(batch->entries);
	free(batch->data);
	free(batch);
}

static struct nlmsghdr *message_at(const struct netlink_batch *batch, size_t index)
{
	return (struct nlmsghdr *)(void *)(batch->data + batch->entries[index].offset);
}

/* Where message @index ends; the last one has its length only when the next one begins. */
static size_t end_of(const struct netlink_batch *batch, size_t index)
{
	return batch->entries[index].offset + NLMSG_ALIGN(message_at(batch, index)->nlmsg_len);
}

struct nlmsghdr *netlink_begin(struct netlink_batch *batch, uint16_t type, uint16_t flags,
			       int tolerated, const char *what, ...)
{
	struct entry entry = {.tolerated = tolerated};
	struct nlmsghdr *header;
	va_list args;

	va_start(args, what);
	entry.what = xvasprintf(what, args);
	va_end(args);
	if (batch->count > 0)
		batch->size = end_of(batch, batch->count - 1);
	entry.offset = batch->size;
	if (batch->count == batch->entry_room) {
		batch->entry_room = batch->entry_room ? 2 * batch->entry_room : 16;
		batch->entries =
			xrealloc(batch->entries, batch->entry_room, sizeof(*batch->entries));
	}
	if (batch->room < batch->size + NETLINK_MESSAGE_MAX) {
		batch->room = 2 * batch->room + NETLINK_MESSAGE_MAX;
		batch->data = xrealloc(batch->data, 1, batch->room);
		/* Between attributes are bytes that nothing writes. */
		memset(batch->data + batch->size, 0, batch->room - batch->size);
	}
	batch->entries[batch->count++] = entry;
	header = mnl_nlmsg_put_header(batch->data + entry.offset);
	header->nlmsg_type = type;
	header->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags);
	return header;
}

/* Receives one datagram of the kernel's; others may send to the socket as well. */
static ssize_t receive(struct netlink *netlink, char *data, size_t size, struct error *err)
{
	struct sockaddr_nl from = {.nl_pid = 0};
	struct iovec vector = {.iov_base = data, .iov_len = size};

	for (;;) {
		struct msghdr message = {.msg_name = &from,
					 .msg_namelen = sizeof(from),
					 .msg_iov = &vector,
					 .msg_iovlen = 1};
		ssize_t n = recvmsg(mnl_socket_get_fd(netlink->socket), &message, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail(err, -errno, "receive the kernel's answer");
		if (from.nl_pid != 0)
			continue;
		if (message.msg_flags & MSG_TRUNC)
			return fail(err, -EMSGSIZE, "receive the kernel's answer");
		return n;
	}
}

static int find_explanation(const struct nlattr *attribute, void *data)
{
	const char **text = data;

	/* It ends with NUL: that is validated. */
	if (mnl_attr_get_type(attribute) == NLMSGERR_ATTR_MSG &&
	    mnl_attr_validate(attribute, MNL_TYPE_NUL_STRING) >= 0)
		*text = mnl_attr_get_str(attribute);
	return MNL_CB_OK;
}

/* The kernel's own explanation in an error or the end of a dump, whose fixed part is @fixed bytes
 * long; NULL: there is none. */
static const char *explanation(const struct nlmsghdr *answer, size_t fixed)
{
	const char *text = NULL;

	if ((answer->nlmsg_flags & NLM_F_ACK_TLVS) && answer->nlmsg_len >= NLMSG_LENGTH(fixed))
		ignore(mnl_attr_parse(answer, (unsigned)fixed, find_explanation, &text));
	return text;
}

/* Bytes of an NLMSG_ERROR before its attributes: the refused message follows unless it is cut. */
static size_t error_size(const struct nlmsghdr *answer)
{
	const struct nlmsgerr *error = mnl_nlmsg_get_payload(answer);
	size_t size = sizeof(*error);

	if (!(answer->nlmsg_flags & NLM_F_CAPPED) && error->msg.nlmsg_len >= sizeof(error->msg))
		size += error->msg.nlmsg_len - sizeof(error->msg);
	return size;
}

static int refused(const char *what, int code, const char *why, struct error *err)
{
	if (why)
		return fail(err, code, "%s: the kernel says \"%s\"", what, why);
	return fail(err, code, "%s", what);
}

/* Takes an answer to one message of the piece in. */
static void take_answer(struct piece *piece, const struct nlmsghdr *answer, struct error *err)
{
	const struct nlmsgerr *error = mnl_nlmsg_get_payload(answer);
	size_t index = piece->first + (answer->nlmsg_seq - piece->sequence);
	const struct entry *entry;

	if (answer->nlmsg_type != NLMSG_ERROR || answer->nlmsg_len < NLMSG_LENGTH(sizeof(*error)) ||
	    index >= piece->last)
		return;
	entry = &piece->batch->entries[index];
	piece->awaited--;
	if (error->error == 0 || -error->error == entry->tolerated || piece->result < 0)
		return;
	piece->result =
		refused(entry->what, error->error, explanation(answer, error_size(answer)), err);
}

/* Waits for the answers to a piece. */
static int collect(struct netlink *netlink, struct piece *piece, struct error *err)
{
	_Alignas(struct nlmsghdr) char data[RECEIVE_BYTES];

	while (piece->awaited > 0) {
		ssize_t n = receive(netlink, data, sizeof(data), err);
		const struct nlmsghdr *answer = (const struct nlmsghdr *)(void *)data;
		int rest = (int)n;

		if (n < 0)
			return (int)n;
		for (; mnl_nlmsg_ok(answer, rest); answer = mnl_nlmsg_next(answer, &rest))
			take_answer(piece, answer, err);
	}
	return piece->result;
}

static int exchange(struct netlink *netlink, struct piece *piece, struct error *err)
{
	const struct netlink_batch *batch = piece->batch;
	size_t begin = batch->entries[piece->first].offset;
	size_t size = end_of(batch, piece->last - 1) - begin;

	piece->sequence = netlink->sequence + 1;
	for (size_t i = piece->first; i < piece->last; i++)
		message_at(batch, i)->nlmsg_seq = ++netlink->sequence;
	piece->awaited = piece->last - piece->first;
	if (mnl_socket_sendto(netlink->socket, batch->data + begin, size) < 0)
		return fail(err, -errno, "%s: send %zu bytes to the kernel",
			    batch->entries[piece->first].what, size);
	return collect(netlink, piece, err);
}

/* Where the piece that begins with message @first ends. */
static size_t piece_end(const struct netlink_batch *batch, size_t first)
{
	size_t last = first + 1;

	while (last < batch->count && last - first < PIECE_MESSAGES &&
	       end_of(batch, last) - batch->entries[first].offset <= PIECE_BYTES)
		last++;
	return last;
}

int netlink_send(struct netlink *netlink, struct netlink_batch *batch, struct error *err)
{
	int result = 0;

	for (size_t first = 0; first < batch->count;) {
		struct error later = ERROR_NONE;
		struct piece piece = {
			.batch = batch, .first = first, .last = piece_end(batch, first)};
		int r = exchange(netlink, &piece, result < 0 ? &later : err);

		if (result == 0)
			result = r;
		first = piece.last;
	}
	batch_clear(batch);
	return result;
}

/* The answers to one request, whole. */
struct answers {
	struct buf data;
	bool interrupted; /* what a dump gave does not fit together */
	bool ended;
	int code; /* 0, or of the refusal */
};

static void answers_done(struct answers *answers)
{
	buf_done(&answers->data);
}

static void take_part(struct answers *answers, const struct nlmsghdr *answer,
		      const struct entry *entry, struct error *err)
{
	bool is_error = answer->nlmsg_type == NLMSG_ERROR;
	bool is_end = is_error || answer->nlmsg_type == NLMSG_DONE;
	const int *code = mnl_nlmsg_get_payload(answer);
	size_t fixed = is_error ? sizeof(struct nlmsgerr) : sizeof(*code);

	if (answer->nlmsg_flags & NLM_F_DUMP_INTR)
		answers->interrupted = true;
	if (!is_end) {
		buf_add(&answers->data, answer, NLMSG_ALIGN(answer->nlmsg_len));
		return;
	}
	answers->ended = true;
	if (answer->nlmsg_len < NLMSG_LENGTH(fixed) || *code >= 0 || -*code == entry->tolerated)
		return;
	answers->code =
		refused(entry->what, *code,
			explanation(answer, is_error ? error_size(answer) : sizeof(*code)), err);
}

static int ask_once(struct netlink *netlink, const struct netlink_batch *batch,
		    struct answers *answers, struct error *err)
{
	_Alignas(struct nlmsghdr) char data[RECEIVE_BYTES];
	struct nlmsghdr *request = message_at(batch, 0);

	request->nlmsg_seq = ++netlink->sequence;
	if (mnl_socket_sendto(netlink->socket, request, request->nlmsg_len) < 0)
		return fail(err, -errno, "%s: send", batch->entries[0].what);
	while (!answers->ended) {
		ssize_t n = receive(netlink, data, sizeof(data), err);
		const struct nlmsghdr *answer = (const struct nlmsghdr *)(void *)data;
		int rest = (int)n;

		if (n < 0)
			return within(err, (int)n, "%s", batch->entries[0].what);
		for (; mnl_nlmsg_ok(answer, rest); answer = mnl_nlmsg_next(answer, &rest)) {
			if (answer->nlmsg_seq == netlink->sequence)
				take_part(answers, answer, &batch->entries[0], err);
		}
	}
	return answers->code;
}

int netlink_ask(struct netlink *netlink, struct netlink_batch *batch,
		int (*each)(const struct nlmsghdr *answer, void *data), void *data,
		struct error *err)
{
	__attribute__((cleanup(answers_done))) struct answers answers = {.interrupted = true};
	const char *what = batch->entries[0].what;
	int r = 0, rest;

	for (int i = 0; i < DUMP_ATTEMPTS && answers.interrupted && r >= 0; i++) {
		answers_done(&answers);
		answers = (struct answers){.interrupted = false};
		r = ask_once(netlink, batch, &answers, err);
	}
	if (r >= 0 && answers.interrupted)
		r = fail(err, -EAGAIN, "%s: it changes faster than it can be read", what);
	rest = (int)answers.data.size;
	for (const struct nlmsghdr *answer = (const struct nlmsghdr *)(void *)answers.data.data;
	     r >= 0 && answer && mnl_nlmsg_ok(answer, rest);
	     answer = mnl_nlmsg_next(answer, &rest)) {
		r = each(answer, data);
		if (r < 0)
			fail(err, r, "%s", what);
	}
	batch_clear(batch);
	return r < 0 ? r : 0;
}
