/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slirp4netns(1).
 *
 * It stays what we started, so it is written down before it runs. When it is ready it says so on a
 * pipe; ports are published by its API socket afterwards, one connection for each.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "berth/base/background.h"
#include "berth/base/unix_socket.h"

#include "user_net-internal.h"

/* Bytes of an answer of the API. */
#define ANSWER_MAX 4096

/* As many as podman's users ask for, and more: each port is a connection while the program stops
 * everything else. */
#define PORTS_MAX 1024

static int check(const struct request *request, struct error *err)
{
	size_t count = 0;

	for (size_t i = 0; i < request->publish.count; i++) {
		count += request->publish.items[i].count;
		if (request->publish.items[i].host.family == AF_INET6)
			return refuse(err, "--publish: slirp4netns has no ports at IPv6 addresses");
	}
	if (count > PORTS_MAX)
		return refuse(err, "--publish: %zu ports, and with slirp4netns %d can be published",
			      count, PORTS_MAX);
	return 0;
}

/* --- Starting -------------------------------------------------------------------------------- */

/*
 * By the container's number, not by paths: only so does it enter the user namespace for its
 * sandbox. The host's loopback is not to be reached by the gateway's address.
 */
static void make_args(const struct user_start *start, const char *socket, struct strv *args)
{
	static const char *const fixed[] = {
		"--configure",	    "--mtu=65520",	"--disable-host-loopback",
		"--enable-sandbox", "--enable-seccomp", "--ready-fd=3",
	};
	_cleanup_free_ char *pid = xasprintf("%d", start->net->pid);
	char mac[MAC_TEXT_MAX];

	strv_add(args, slirp4netns_program.name);
	for (size_t i = 0; i < ARRAY_SIZE(fixed); i++)
		strv_add(args, fixed[i]);
	strv_add(args, "--api-socket");
	strv_add(args, socket);
	if (start->request->has_mac) {
		mac_format(start->request->mac, mac);
		strv_add(args, "--macaddress");
		strv_add(args, mac);
	}
	strv_add(args, pid);
	strv_add(args, start->request->link);
}

/* It writes "1"; end-of-file is its end. */
static int wait_until_ready(struct background *background, int readyfd, struct error *err)
{
	struct pollfd poll_for = {.fd = readyfd, .events = POLLIN};
	char word = 0;
	int r;

	do {
		r = poll(&poll_for, 1, USER_NET_TIMEOUT_MS);
	} while (r < 0 && errno == EINTR);
	if (r == 0)
		return background_fail(background, err, -ETIMEDOUT, "it is not ready after %d s",
				       USER_NET_TIMEOUT_MS / 1000);
	if (r < 0 || read(readyfd, &word, 1) != 1 || word != '1')
		return background_fail(background, err, -ECHILD, "it ended before it was ready");
	return 0;
}

/* --- Ports ----------------------------------------------------------------------------------- */

static void write_request(const struct publish *publish, unsigned offset, struct buf *out)
{
	const bool is_tcp = publish->protocol == IPPROTO_TCP;
	struct json_writer w = JSON_WRITER(out, false);
	char address[ADDRESS_TEXT_MAX] = "0.0.0.0";

	if (publish->host.family != 0)
		address_format(&publish->host, address);
	json_begin_object(&w);
	json_member_string(&w, "execute", "add_hostfwd");
	json_key(&w, "arguments");
	json_begin_object(&w);
	json_member_string(&w, "proto", is_tcp ? "tcp" : "udp");
	json_member_string(&w, "host_addr", address);
	json_member_u64(&w, "host_port", publish->host_port + offset);
	json_member_u64(&w, "guest_port", publish->container_port + offset);
	json_end_object(&w);
	json_end_object(&w);
}

/* The answer is {"return": …}, or {"error": {"desc": …}}. */
static int read_answer(int fd, struct error *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct timeval patience = {.tv_sec = USER_NET_TIMEOUT_MS / 1000};
	char text[ANSWER_MAX];
	const struct json *answer, *error, *words;
	ssize_t n;
	int r;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0)
		return fail(err, -errno, "set a time-out");
	n = recv(fd, text, sizeof(text), MSG_WAITALL);
	if (n < 0)
		return fail(err, -errno, "read its answer");
	r = json_read(arena, text, (size_t)n, "its answer", &answer, err);
	if (r < 0)
		return r;
	if (answer->type == JSON_OBJECT && json_member(answer, "return"))
		return 0;
	error = answer->type == JSON_OBJECT ? json_member(answer, "error") : NULL;
	words = error && error->type == JSON_OBJECT ? json_member(error, "desc") : NULL;
	return refuse_as(err, -EADDRINUSE, "it says: %s (is the port taken, or below 1024?)",
			 words && words->type == JSON_STRING ? words->text : "an error");
}

static int publish_port(const char *socket, const struct publish *publish, unsigned offset,
			struct error *err)
{
	_cleanup_buf_ struct buf text = BUF_EMPTY;
	_cleanup_fd_ int fd = unix_connect(socket, SOCK_STREAM, err);
	int r;

	if (fd < 0)
		return fd;
	write_request(publish, offset, &text);
	/* It has read the request when it finds its end. */
	if (send(fd, text.data, text.size, MSG_NOSIGNAL) != (ssize_t)text.size ||
	    shutdown(fd, SHUT_WR) < 0)
		return fail(err, -errno, "ask it for a port");
	r = read_answer(fd, err);
	return r < 0 ? within(err, r, "--publish: port %u", publish->host_port + offset) : 0;
}

static int publish_all(const struct publish_list *list, const char *socket, struct error *err)
{
	for (size_t i = 0; i < list->count; i++) {
		for (unsigned k = 0; k < list->items[i].count; k++) {
			int r = publish_port(socket, &list->items[i], k, err);

			if (r < 0)
				return r;
		}
	}
	return 0;
}

/* --- All together ---------------------------------------------------------------------------- */

static int prepare(const struct user_start *start, const char *socket, int readyfd,
		   struct background *ret, struct error *err)
{
	_cleanup_strv_ struct strv args = {.items = NULL};
	struct spawn what = {.path = start->program, .cwdfd = start->directoryfd};
	struct user_net *net = start->net;
	int r;

	make_args(start, socket, &args);
	what.argv = (const char *const *)args.items;
	r = background_prepare(&what, readyfd, ret, err);
	if (r >= 0)
		r = user_process_ticks(ret->ref.pid, "slirp4netns", &net->helper_ticks, err);
	if (r < 0)
		return r;
	net->helper_pid = ret->ref.pid;
	r = user_record_write(start->store, net, err);
	return r < 0 ? r : background_go(ret, err);
}

static int start_slirp4netns(const struct user_start *start, struct error *err)
{
	_cleanup_background_ struct background background = BACKGROUND_UNSET;
	_cleanup_free_ char *file = xasprintf("%s.sock", start->net->token);
	_cleanup_free_ char *path = xasprintf("%s/%s", start->directory, file);
	_cleanup_fd_ int ready_read = -EBADF;
	int fds[2], r;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return fail(err, -errno, "make a pipe");
	ready_read = fds[0];
	r = prepare(start, file, fds[1], &background, err);
	/* Its end alone is open now: where it ends, the pipe does. */
	fd_close(fds[1]);
	if (r >= 0)
		r = wait_until_ready(&background, ready_read, err);
	if (r >= 0)
		r = publish_all(&start->request->publish, path, err);
	/* Nobody else is to ask it for anything. */
	if (r >= 0 && unlinkat(start->directoryfd, file, 0) < 0)
		r = fail(err, -errno, "remove its socket");
	if (r >= 0)
		background_done(&background);
	return r;
}

const struct user_program slirp4netns_program = {
	.name = "slirp4netns",
	.package = "slirp4netns",
	.dns = {"10.0.2.3", NULL},
	.check = check,
	.start = start_slirp4netns,
};
