/* SPDX-License-Identifier: Apache-2.0 */
/* Messages between the stages, and what is no message. */
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>

#include "berth/base/clock.h"
#include "berth/base/sys.h"
#include "berth/stage/message.h"

#include "../base/unit.h"

#define HEADER_SIZE offsetof(struct message, error)

/* Both ends of a conversation. */
struct pair {
	int a, b;
};

static struct pair pair_make(void)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
	return (struct pair){fds[0], fds[1]};
}

static void pair_done(struct pair *pair)
{
	fd_close(pair->a);
	fd_close(pair->b);
}

#define _cleanup_pair_ __attribute__((cleanup(pair_done)))

static void test_types(void **state)
{
	_cleanup_pair_ struct pair pair = pair_make();

	(void)state;
	for (int type = 0; type < MESSAGE_TYPE_MAX; type++) {
		struct message message = {.version = 99};
		struct error err = ERROR_NONE;

		if (type == MESSAGE_ERROR || type == MESSAGE_FDS)
			continue;
		assert_fine(message_send(pair.a, (enum message_type)type, &err), err);
		assert_int_equal(message_receive(pair.b, &message, NULL, &err), 1);
		assert_int_equal(message.type, type);
		assert_int_equal(message.version, MESSAGE_VERSION);
	}
}

/* They come in order, one by one, and in both directions. */
static void test_order(void **state)
{
	static const enum message_type types[] = {MESSAGE_MAPS, MESSAGE_HOOKS, MESSAGE_CREATED,
						  MESSAGE_ACK};
	_cleanup_pair_ struct pair pair = pair_make();
	struct message message;
	struct error err = ERROR_NONE;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		assert_fine(message_send(pair.a, types[i], &err), err);
	assert_fine(message_send(pair.b, MESSAGE_GO, &err), err);
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		assert_int_equal(message_receive(pair.b, &message, NULL, &err), 1);
		assert_int_equal(message.type, types[i]);
	}
	assert_int_equal(message_receive(pair.a, &message, NULL, &err), 1);
	assert_int_equal(message.type, MESSAGE_GO);
}

/* An error arrives as it was, however long. */
static void test_error(void **state)
{
	_cleanup_pair_ struct pair pair = pair_make();
	struct message message;
	struct error err = ERROR_NONE, sent = ERROR_NONE;

	(void)state;
	fail(&sent, -ELOOP, "mounts[3]: open \"%s\"", "ä\n");
	message_send_error(pair.a, &sent);
	assert_int_equal(message_receive(pair.b, &message, NULL, &err), 1);
	assert_int_equal(message.type, MESSAGE_ERROR);
	assert_int_equal(message.error.code, -ELOOP);
	assert_string_equal(message.error.text, sent.text);
	memset(sent.text, 'x', sizeof(sent.text) - 1);
	sent.text[sizeof(sent.text) - 1] = '\0';
	message_send_error(pair.a, &sent);
	assert_int_equal(message_receive(pair.b, &message, NULL, &err), 1);
	assert_string_equal(message.error.text, sent.text);
	/* The other side may be gone: that is nobody's trouble, and no signal comes. */
	pair.b = fd_close(pair.b);
	message_send_error(pair.a, &sent);
}

/* A text without an end, as no honest sender makes it. */
static void test_error_without_end(void **state)
{
	_cleanup_pair_ struct pair pair = pair_make();
	struct message message = {.version = MESSAGE_VERSION, .type = MESSAGE_ERROR}, got;
	struct error err = ERROR_NONE;
	size_t size = HEADER_SIZE + sizeof(struct error);

	(void)state;
	memset(&message.error, 'x', sizeof(message.error));
	assert_int_equal(send(pair.a, &message, size, 0), size);
	assert_int_equal(message_receive(pair.b, &got, NULL, &err), 1);
	assert_int_equal(strlen(got.error.text), ERROR_TEXT_MAX - 1);
}

static void test_fds(void **state)
{
	static const size_t counts[] = {0, 1, 2, MESSAGE_FDS_MAX - 1, MESSAGE_FDS_MAX};
	_cleanup_pair_ struct pair pair = pair_make();
	struct world *world = *state;
	int sent[MESSAGE_FDS_MAX], got[MESSAGE_FDS_MAX];
	uint32_t index[MESSAGE_FDS_MAX];

	for (size_t i = 0; i < MESSAGE_FDS_MAX; i++) {
		sent[i] = world->fd;
		index[i] = (uint32_t)(1000 - i);
	}
	for (size_t c = 0; c < ARRAY_SIZE(counts); c++) {
		struct message message;
		struct error err = ERROR_NONE;
		struct stat a, b;

		assert_fine(message_send_fds(pair.a, sent, index, counts[c], &err), err);
		assert_int_equal(message_receive(pair.b, &message, got, &err), 1);
		assert_int_equal(message.type, MESSAGE_FDS);
		assert_int_equal(message.fds.count, counts[c]);
		assert_int_equal(fstat(world->fd, &b), 0);
		for (size_t i = 0; i < counts[c]; i++) {
			assert_int_equal(message.fds.index[i], 1000 - i);
			assert_int_equal(fcntl(got[i], F_GETFD), FD_CLOEXEC);
			assert_int_equal(fstat(got[i], &a), 0);
			assert_true(a.st_ino == b.st_ino);
			fd_close(got[i]);
		}
	}
}

static void test_fds_refused(void **state)
{
	_cleanup_pair_ struct pair pair = pair_make();
	int fds[MESSAGE_FDS_MAX + 1] = {-1};
	uint32_t index[MESSAGE_FDS_MAX + 1] = {0};
	struct message message;
	struct error err = ERROR_NONE;

	(void)state;
	assert_failed(message_send_fds(pair.a, fds, index, MESSAGE_FDS_MAX + 1, &err), err,
		      -EINVAL);
	assert_failed(message_send_fds(pair.a, fds, index, 1, &err), err, -EBADF);
	assert_string_equal(err.text, "send 1 descriptors: Bad file descriptor");
	/* Whoever expects none takes none, and none stays open: the fixture counts. */
	fds[0] = pair.a;
	assert_fine(message_send_fds(pair.a, fds, index, 1, &err), err);
	assert_failed(message_receive(pair.b, &message, NULL, &err), err, -EBADMSG);
	assert_string_equal(err.text, "received 0 descriptors instead of 1");
}

/* Sends @size bytes of a message with @fd, or without one where it is negative. */
static void send_raw(int socket, const struct message *message, size_t size, int fd)
{
	struct iovec part = {.iov_base = (void *)(uintptr_t)message, .iov_len = size};
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};
	struct cmsghdr *rights;

	memset(&control, 0, sizeof(control));
	if (fd >= 0) {
		header.msg_control = &control;
		header.msg_controllen = sizeof(control.space);
		rights = CMSG_FIRSTHDR(&header);
		rights->cmsg_level = SOL_SOCKET;
		rights->cmsg_type = SCM_RIGHTS;
		rights->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(rights), &fd, sizeof(fd));
	}
	assert_int_equal(sendmsg(socket, &header, 0), size);
}

/* Another length than the type has, another type, another version. */
static void test_malformed(void **state)
{
	const size_t whole = HEADER_SIZE, with_error = HEADER_SIZE + sizeof(struct error);
	const size_t with_fds = HEADER_SIZE + sizeof(struct message_fds);
	const struct {
		uint32_t version, type;
		size_t size;
		int r;
		const char *text;
	} cases[] = {
		{MESSAGE_VERSION, MESSAGE_ACK, 1, -EBADMSG, "received a cut message of 1 bytes"},
		{MESSAGE_VERSION, MESSAGE_ACK, whole - 1, -EBADMSG,
		 "received a cut message of 7 bytes"},
		{MESSAGE_VERSION, MESSAGE_ACK, whole + 1, -EBADMSG,
		 "received 9 bytes as a message of type 8"},
		{MESSAGE_VERSION, MESSAGE_ACK, with_error, -EBADMSG, NULL},
		{MESSAGE_VERSION, MESSAGE_ERROR, whole, -EBADMSG,
		 "received 8 bytes as a message of type 0"},
		{MESSAGE_VERSION, MESSAGE_ERROR, with_error - 1, -EBADMSG, NULL},
		{MESSAGE_VERSION, MESSAGE_FDS, whole, -EBADMSG, NULL},
		{MESSAGE_VERSION, MESSAGE_FDS, with_fds - 1, -EBADMSG, NULL},
		{MESSAGE_VERSION, MESSAGE_FDS, with_fds, -EBADMSG,
		 "received 0 descriptors instead of 7"},
		{MESSAGE_VERSION, MESSAGE_TYPE_MAX, whole, -EBADMSG,
		 "received 8 bytes as a message of type 12"},
		{MESSAGE_VERSION, UINT32_MAX, whole, -EBADMSG, NULL},
		{0, MESSAGE_ACK, whole, -EPROTO, "received a message of version 0, this is 1"},
		{MESSAGE_VERSION + 1, MESSAGE_ACK, whole, -EPROTO,
		 "received a message of version 2, this is 1"},
		{UINT32_MAX, MESSAGE_TYPE_MAX, whole + 5, -EPROTO, NULL},
	};
	_cleanup_pair_ struct pair pair = pair_make();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct message message, got;
		struct error err = ERROR_NONE;

		memset(&message, 0, sizeof(message));
		message.version = cases[i].version;
		message.type = cases[i].type;
		message.fds.count = 7;
		send_raw(pair.a, &message, cases[i].size, -1);
		assert_failed(message_receive(pair.b, &got, NULL, &err), err, cases[i].r);
		if (cases[i].text)
			assert_string_equal(err.text, cases[i].text);
	}
}

/* The other side of a descriptor that is handed over: what it answers is what comes back. */
static void hand_over(const struct pair *pair, int r, const char *text)
{
	static const struct sys_pass pass = {{1, 2, 3}};
	int fd = memfd_create("given", MFD_CLOEXEC);
	struct error err = ERROR_NONE;

	assert_true(fd >= 0);
	assert_int_equal(message_hand_over(pair->a, fd, &pass, &err), r);
	assert_string_equal(err.text, text);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
}

static void test_hand_over(void **state)
{
	static const struct error refused = {.code = -EPERM, .text = "no"};
	_cleanup_pair_ struct pair pair = pair_make();
	int fds[MESSAGE_FDS_MAX];
	struct message message;
	struct error err = ERROR_NONE;

	(void)state;
	assert_fine(message_send(pair.b, MESSAGE_ACK, &err), err);
	hand_over(&pair, 1, "");
	assert_int_equal(message_receive(pair.b, &message, fds, &err), 1);
	assert_int_equal(message.type, MESSAGE_FDS);
	assert_int_equal(message.fds.count, 1);
	fd_close(fds[0]);
	message_send_error(pair.b, &refused);
	hand_over(&pair, -EPERM, "no");
	assert_fine(message_send(pair.b, MESSAGE_GO, &err), err);
	hand_over(&pair, -EPROTO, "expected an acknowledgement, received \"go\"");
	shutdown(pair.b, SHUT_WR);
	hand_over(&pair, 0, "");
	pair_done(&pair);
	pair = pair_make();
	pair.b = fd_close(pair.b);
	hand_over(&pair, -EPIPE, "send a descriptor: Broken pipe");
}

/* Longer than any message: what is cut is not taken for the rest. */
static void test_too_long(void **state)
{
	_cleanup_pair_ struct pair pair = pair_make();
	struct {
		struct message message;
		char more[100];
	} sent;
	struct message got;
	struct error err = ERROR_NONE;

	(void)state;
	memset(&sent, 0, sizeof(sent));
	sent.message.version = MESSAGE_VERSION;
	sent.message.type = MESSAGE_ERROR;
	send_raw(pair.a, &sent.message, sizeof(struct message) + 1, -1);
	assert_failed(message_receive(pair.b, &got, NULL, &err), err, -EBADMSG);
	assert_true(str_starts(err.text, "received a cut message of "));
}

/* A descriptor that came with a message of another kind is closed: the fixture counts. */
static void test_uninvited_fd(void **state)
{
	_cleanup_pair_ struct pair pair = pair_make();
	struct message message = {.version = MESSAGE_VERSION, .type = MESSAGE_ACK}, got;
	struct error err = ERROR_NONE;

	(void)state;
	send_raw(pair.a, &message, HEADER_SIZE, pair.a);
	assert_int_equal(message_receive(pair.b, &got, NULL, &err), 1);
	assert_int_equal(got.type, MESSAGE_ACK);
	message.version++;
	send_raw(pair.a, &message, HEADER_SIZE, pair.a);
	assert_failed(message_receive(pair.b, &got, NULL, &err), err, -EPROTO);
}

static void test_end(void **state)
{
	_cleanup_pair_ struct pair pair = pair_make();
	struct message message;
	struct error err = ERROR_NONE;

	(void)state;
	/* What was said is received before the end. */
	assert_fine(message_send(pair.a, MESSAGE_CREATED, &err), err);
	pair.a = fd_close(pair.a);
	assert_int_equal(message_receive(pair.b, &message, NULL, &err), 1);
	assert_int_equal(message.type, MESSAGE_CREATED);
	assert_int_equal(message_receive(pair.b, &message, NULL, &err), 0);
	assert_int_equal(message_receive(pair.b, &message, NULL, &err), 0);
	assert_failed(message_send(pair.b, MESSAGE_GO, &err), err, -EPIPE);
	assert_string_equal(err.text, "send message \"go\": Broken pipe");
	assert_failed(message_receive(-EBADF, &message, NULL, &err), err, -EBADF);
	assert_failed(message_send(-EBADF, MESSAGE_GO, &err), err, -EBADF);
}

/* The other side closes with our message unread: it hung up, no more. */
static void test_reset(void **state)
{
	_cleanup_pair_ struct pair pair = pair_make();
	struct message message;
	struct error err = ERROR_NONE;

	(void)state;
	assert_fine(message_send(pair.b, MESSAGE_GO, &err), err);
	pair.a = fd_close(pair.a);
	assert_int_equal(message_receive(pair.b, &message, NULL, &err), 0);
}

/* What it had said before is heard all the same. */
static void test_reset_after_words(void **state)
{
	_cleanup_pair_ struct pair pair = pair_make();
	struct message message;
	struct error err = ERROR_NONE, said = ERROR_NONE;

	(void)state;
	fail(&said, -ENOMEM, "last words");
	message_send_error(pair.a, &said);
	assert_fine(message_send(pair.b, MESSAGE_GO, &err), err);
	pair.a = fd_close(pair.a);
	assert_failed(message_wait_ack(pair.b, NULL, -1, &err), err, -ENOMEM);
	assert_string_equal(err.text, said.text);
	assert_int_equal(message_receive(pair.b, &message, NULL, &err), 0);
}

static void test_wait_time(void **state)
{
	_cleanup_pair_ struct pair pair = pair_make();
	struct message message;
	struct error err = ERROR_NONE;
	int64_t start = clock_now_ms();

	(void)state;
	assert_failed(message_wait(pair.b, NULL, 50, &message, &err), err, -ETIMEDOUT);
	assert_string_equal(err.text, "no answer within 50 ms");
	assert_true(clock_now_ms() - start >= 49 && clock_now_ms() - start < 20000);
	assert_failed(message_wait(pair.b, NULL, 0, &message, &err), err, -ETIMEDOUT);
	assert_fine(message_send(pair.a, MESSAGE_ACK, &err), err);
	assert_int_equal(message_wait(pair.b, NULL, 0, &message, &err), 1);
	assert_fine(message_send(pair.a, MESSAGE_ACK, &err), err);
	assert_int_equal(message_wait(pair.b, NULL, -1, &message, &err), 1);
	pair.a = fd_close(pair.a);
	assert_int_equal(message_wait(pair.b, NULL, -1, &message, &err), 0);
}

/* What was said comes first, and a signal is left to whoever it is for in the end. */
static void test_wait_interrupted(void **state)
{
	_cleanup_pair_ struct pair pair = pair_make();
	_cleanup_fd_ int signals = -EBADF;
	const struct message_wait brief = {.timeout_ms = 20, .signals = &signals};
	const struct message_wait long_one = {.timeout_ms = -1, .signals = &signals};
	struct message message;
	struct error err = ERROR_NONE;
	sigset_t set, before;

	(void)state;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	assert_int_equal(sigprocmask(SIG_BLOCK, &set, &before), 0);
	signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	assert_true(signals >= 0);
	assert_failed(message_await(pair.b, &brief, &message, NULL, &err), err, -ETIMEDOUT);
	raise(SIGUSR1);
	assert_failed(message_await(pair.b, &long_one, &message, NULL, &err), err, -EINTR);
	assert_string_equal(err.text, "interrupted by a signal");
	assert_failed(message_await_ack(pair.b, &long_one, &err), err, -EINTR);
	assert_fine(message_send(pair.a, MESSAGE_ACK, &err), err);
	assert_int_equal(message_await(pair.b, &long_one, &message, NULL, &err), 1);
	assert_failed(message_wait(pair.b, NULL, 20, &message, &err), err, -ETIMEDOUT);
	assert_int_equal(sigtimedwait(&set, NULL, &(struct timespec){0}), SIGUSR1);
	assert_int_equal(sigprocmask(SIG_SETMASK, &before, NULL), 0);
}

/* A child that sends @message, if it is one, and waits at its end of the socket. */
static struct pidref peer_make(struct pair *pair, int type)
{
	pid_t pid = fork();
	struct error err = ERROR_NONE;
	struct pidref peer = PIDREF_UNSET;

	assert_true(pid >= 0);
	if (pid == 0) {
		if (type >= 0 && message_send(pair->a, (enum message_type)type, &err) < 0)
			_exit(1);
		while (true)
			pause();
	}
	peer = (struct pidref){.pid = pid, .fd = sys_pidfd_open(pid, 0)};
	assert_true(peer.fd >= 0);
	return peer;
}

/*
 * The peer's death is noticed, even though our own process still holds its end of the socket; what
 * it said before counts first.
 */
static void test_peer_dies(void **state)
{
	_cleanup_pair_ struct pair pair = {-1, -1};
	struct pidref peer = PIDREF_UNSET;
	struct message message;
	struct error err = ERROR_NONE;

	(void)state;
	if (!has_call(SYS_pidfd_open))
		skip_because("there is no pidfd_open(2) here");
	pair = pair_make();
	peer = peer_make(&pair, MESSAGE_HOOKS);
	assert_int_equal(message_wait(pair.b, &peer, 20000, &message, &err), 1);
	assert_int_equal(message.type, MESSAGE_HOOKS);
	assert_failed(message_wait(pair.b, &peer, 20, &message, &err), err, -ETIMEDOUT);
	assert_int_equal(pidref_signal(&peer, SIGKILL), 0);
	assert_int_equal(message_wait(pair.b, &peer, -1, &message, &err), 0);
	assert_failed(message_wait_ack(pair.b, &peer, -1, &err), err, -EPIPE);
	assert_string_equal(err.text, "the other side ended without an answer");
	pidref_kill_and_reap(&peer);
	peer = peer_make(&pair, MESSAGE_CREATED);
	/* Dead before we look, with its words still in the socket. */
	assert_int_equal(message_wait(pair.b, &peer, 20000, &message, &err), 1);
	assert_fine(message_send(pair.a, MESSAGE_CREATED, &err), err);
	assert_int_equal(pidref_signal(&peer, SIGKILL), 0);
	assert_int_equal(pidref_wait_exit(&peer, -1), 1);
	assert_int_equal(message_wait(pair.b, &peer, -1, &message, &err), 1);
	assert_int_equal(message.type, MESSAGE_CREATED);
	assert_int_equal(message_wait(pair.b, &peer, -1, &message, &err), 0);
	pidref_kill_and_reap(&peer);
}

static void test_ack(void **state)
{
	_cleanup_pair_ struct pair pair = pair_make();
	struct error err = ERROR_NONE, sent = ERROR_NONE;

	(void)state;
	assert_fine(message_send(pair.a, MESSAGE_ACK, &err), err);
	assert_int_equal(message_wait_ack(pair.b, NULL, -1, &err), 0);
	assert_fine(message_send(pair.a, MESSAGE_MAPS, &err), err);
	assert_failed(message_wait_ack(pair.b, NULL, -1, &err), err, -EPROTO);
	assert_true(str_starts(err.text, "expected an acknowledgement, received "));
	fail(&sent, -EACCES, "execute \"x\"");
	message_send_error(pair.a, &sent);
	assert_failed(message_wait_ack(pair.b, NULL, -1, &err), err, -EACCES);
	assert_string_equal(err.text, sent.text);
	/* An error that says it is none is one all the same. */
	sent.code = 0;
	message_send_error(pair.a, &sent);
	assert_int_equal(message_wait_ack(pair.b, NULL, -1, &err), -EIO);
	sent.code = 5;
	message_send_error(pair.a, &sent);
	assert_int_equal(message_wait_ack(pair.b, NULL, -1, &err), -EIO);
	assert_failed(message_wait_ack(pair.b, NULL, 10, &err), err, -ETIMEDOUT);
	pair.a = fd_close(pair.a);
	assert_failed(message_wait_ack(pair.b, NULL, 10, &err), err, -EPIPE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(test_types),	       world_test(test_order),
		world_test(test_error),	       world_test(test_error_without_end),
		world_test(test_fds),	       world_test(test_fds_refused),
		world_test(test_malformed),    world_test(test_too_long),
		world_test(test_uninvited_fd), world_test(test_end),
		world_test(test_reset),	       world_test(test_reset_after_words),
		world_test(test_wait_time),    world_test(test_wait_interrupted),
		world_test(test_peer_dies),    world_test(test_ack),
		world_test(test_hand_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
