/* SPDX-License-Identifier: Apache-2.0 */
/* Messages between the stages. */
#include "berth/stage/message.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "berth/base/clock.h"
#include "berth/base/fd.h"
#include "berth/base/str.h"

#define HEADER_SIZE offsetof(struct message, error)

static const char *const type_names[MESSAGE_TYPE_MAX] = {
	[MESSAGE_ERROR] = "error",	   [MESSAGE_MAPS] = "maps",
	[MESSAGE_SOURCES] = "sources",	   [MESSAGE_FDS] = "descriptors",
	[MESSAGE_HOOKS] = "hooks",	   [MESSAGE_CREATED] = "created",
	[MESSAGE_COMMIT] = "commit",	   [MESSAGE_GO] = "go",
	[MESSAGE_ACK] = "acknowledge",	   [MESSAGE_TIME] = "time",
	[MESSAGE_SCHEDULER] = "scheduler", [MESSAGE_IO_PRIORITY] = "io priority",
};

static const char *type_text(uint32_t type)
{
	return type < MESSAGE_TYPE_MAX ? type_names[type] : "unknown";
}

static size_t payload_size(uint32_t type)
{
	switch (type) {
	case MESSAGE_ERROR:
		return sizeof(struct error);
	case MESSAGE_FDS:
		return sizeof(struct message_fds);
	default:
		return 0;
	}
}

static int send_whole(int socket, const struct message *message, const int *fds, size_t count,
		      const struct sys_pass *pass)
{
	struct iovec part = {
		.iov_base = (void *)message,
		.iov_len = HEADER_SIZE + payload_size(message->type),
	};
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int) * MESSAGE_FDS_MAX)];
	} control;
	struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};
	ssize_t n;

	if (count) {
		header.msg_control = control.space;
		header.msg_controllen = CMSG_SPACE(sizeof(int) * count);
		memset(control.space, 0, header.msg_controllen);
		struct cmsghdr *rights = CMSG_FIRSTHDR(&header);

		rights->cmsg_level = SOL_SOCKET;
		rights->cmsg_type = SCM_RIGHTS;
		rights->cmsg_len = CMSG_LEN(sizeof(int) * count);
		memcpy(CMSG_DATA(rights), fds, sizeof(int) * count);
	}
	do
		n = sys_sendmsg(socket, &header, MSG_NOSIGNAL, pass);
	while (n == -EINTR);
	return n < 0 ? (int)n : 0;
}

int message_send(int socket, enum message_type type, struct error *err)
{
	struct message message = {.version = MESSAGE_VERSION, .type = type};
	int r = send_whole(socket, &message, NULL, 0, /* pass= */ NULL);

	return r < 0 ? fail(err, r, "send message \"%s\"", type_names[type]) : 0;
}

void message_send_error(int socket, const struct error *error)
{
	struct message message = {
		.version = MESSAGE_VERSION,
		.type = MESSAGE_ERROR,
		.error = *error,
	};

	ignore(send_whole(socket, &message, NULL, 0, /* pass= */ NULL));
}

int message_send_fds(int socket, const int *fds, const uint32_t *index, size_t count,
		     struct error *err)
{
	struct message message = {.version = MESSAGE_VERSION, .type = MESSAGE_FDS};
	int r;

	if (count > MESSAGE_FDS_MAX)
		return refuse(err, "send %zu descriptors: too many for one message", count);
	memset(&message.fds, 0, sizeof(message.fds));
	message.fds.count = (uint32_t)count;
	memcpy(message.fds.index, index, count * sizeof(*index));
	r = send_whole(socket, &message, fds, count, /* pass= */ NULL);
	return r < 0 ? fail(err, r, "send %zu descriptors", count) : 0;
}

/* Takes the descriptors of a received message; those that nobody wants are closed. */
static size_t take_fds(struct msghdr *header, int *ret_fds)
{
	size_t count = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < (c->cmsg_len - CMSG_LEN(0)) / sizeof(int); i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
			if (ret_fds && count < MESSAGE_FDS_MAX)
				ret_fds[count++] = fd;
			else
				fd_close(fd);
		}
	}
	return count;
}

/* Checks a message that came as @size bytes with @fds descriptors. */
static int check(struct message *message, size_t size, size_t fds, int flags, struct error *err)
{
	if (size < HEADER_SIZE || flags & (MSG_TRUNC | MSG_CTRUNC))
		return refuse_as(err, -EBADMSG, "received a cut message of %zu bytes", size);
	if (message->version != MESSAGE_VERSION)
		return refuse_as(err, -EPROTO, "received a message of version %u, this is %u",
				 message->version, MESSAGE_VERSION);
	if (message->type >= MESSAGE_TYPE_MAX || size != HEADER_SIZE + payload_size(message->type))
		return refuse_as(err, -EBADMSG, "received %zu bytes as a message of type %u", size,
				 message->type);
	if (message->type == MESSAGE_FDS && message->fds.count != fds)
		return refuse_as(err, -EBADMSG, "received %zu descriptors instead of %u", fds,
				 message->fds.count);
	if (message->type == MESSAGE_ERROR)
		message->error.text[ERROR_TEXT_MAX - 1] = '\0';
	return 1;
}

static int receive_whole(int socket, struct message *ret, int *ret_fds, const struct sys_pass *pass,
			 struct error *err)
{
	struct iovec part = {.iov_base = ret, .iov_len = sizeof(*ret)};
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int) * MESSAGE_FDS_MAX)];
	} control;
	struct msghdr header = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control.space,
		.msg_controllen = sizeof(control.space),
	};
	ssize_t n = 0;

	/*
	 * A peer that ended with a message of ours unread resets the connection, and that is
	 * reported once before what it had said itself: what it said counts.
	 */
	for (int resets = 0; resets < 2; resets++) {
		do
			n = sys_recvmsg(socket, &header, MSG_CMSG_CLOEXEC, pass);
		while (n == -EINTR);
		if (n != -ECONNRESET)
			break;
	}
	if (n < 0 && n != -ECONNRESET)
		return fail(err, (int)n, "receive a message");
	if (n <= 0)
		return 0;
	return check(ret, (size_t)n, take_fds(&header, ret_fds), header.msg_flags, err);
}

int message_receive(int socket, struct message *ret, int *ret_fds, struct error *err)
{
	return receive_whole(socket, ret, ret_fds, /* pass= */ NULL, err);
}

/* @message is an ACK, or says what went wrong: 1, or an error. */
static int take_ack(const struct message *message, struct error *err)
{
	if (message->type == MESSAGE_ERROR) {
		*err = message->error;
		return err->code < 0 ? err->code : -EIO;
	}
	if (message->type != MESSAGE_ACK)
		return refuse_as(err, -EPROTO, "expected an acknowledgement, received \"%s\"",
				 type_text(message->type));
	return 1;
}

int message_hand_over(int socket, int fd, const struct sys_pass *pass, struct error *err)
{
	struct message message = {.version = MESSAGE_VERSION, .type = MESSAGE_FDS};
	int r;

	memset(&message.fds, 0, sizeof(message.fds));
	message.fds.count = 1;
	r = send_whole(socket, &message, &fd, 1, pass);
	ignore(sys_close(fd, pass)); /* it is closed, whatever it says */
	if (r < 0)
		return fail(err, r, "send a descriptor");
	r = receive_whole(socket, &message, /* ret_fds= */ NULL, pass, err);
	return r <= 0 ? r : take_ack(&message, err);
}

int message_await(int socket, const struct message_wait *wait, struct message *ret, int *ret_fds,
		  struct error *err)
{
	struct pollfd polls[] = {{.fd = socket, .events = POLLIN},
				 {.fd = wait->peer ? wait->peer->fd : -1, .events = POLLIN},
				 {.fd = wait->signals ? *wait->signals : -1, .events = POLLIN}};
	const int timeout_ms = wait->timeout_ms;
	int64_t end = clock_now_ms() + timeout_ms;

	for (;;) {
		int64_t left = timeout_ms < 0 ? -1 : end - clock_now_ms();
		int n = poll(polls, ARRAY_SIZE(polls), left < 0 && timeout_ms >= 0 ? 0 : (int)left);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail(err, -errno, "wait for a message");
		if (n == 0)
			return refuse_as(err, -ETIMEDOUT, "no answer within %d ms", timeout_ms);
		/* What was said comes before the end: the socket is looked at first. */
		if (polls[0].revents)
			return message_receive(socket, ret, ret_fds, err);
		if (polls[1].revents)
			return 0;
		return refuse_as(err, -EINTR, "interrupted by a signal");
	}
}

int message_wait(int socket, const struct pidref *peer, int timeout_ms, struct message *ret,
		 struct error *err)
{
	const struct message_wait wait = {.peer = peer, .timeout_ms = timeout_ms};

	return message_await(socket, &wait, ret, /* ret_fds= */ NULL, err);
}

int message_wait_ack(int socket, const struct pidref *peer, int timeout_ms, struct error *err)
{
	const struct message_wait wait = {.peer = peer, .timeout_ms = timeout_ms};

	return message_await_ack(socket, &wait, err);
}

int message_await_ack(int socket, const struct message_wait *wait, struct error *err)
{
	struct message message = {.type = MESSAGE_TYPE_MAX};
	int r = message_await(socket, wait, &message, /* ret_fds= */ NULL, err);

	if (r < 0)
		return r;
	if (r == 0)
		return refuse_as(err, -EPIPE, "the other side ended without an answer");
	r = take_ack(&message, err);
	return r < 0 ? r : 0;
}

int message_ask(int socket, enum message_type type, struct error *err)
{
	int r = message_send(socket, type, err);

	return r < 0 ? r : message_wait_ack(socket, /* peer= */ NULL, /* timeout_ms= */ -1, err);
}
