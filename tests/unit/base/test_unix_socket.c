/* SPDX-License-Identifier: Apache-2.0 */
/* Connecting to sockets that users name, and sending a descriptor. */
#include <sys/socket.h>
#include <sys/un.h>

#include "berth/base/fd.h"
#include "berth/base/unix_socket.h"

#include "unit.h"

/* Listens at @path, where a first "@" means an abstract name. */
static int listen_at(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memcpy(address.sun_path, path, strlen(path));
	if (path[0] == '@')
		address.sun_path[0] = '\0';
	assert_int_equal(bind(fd, (struct sockaddr *)&address, length), 0);
	assert_int_equal(listen(fd, 1), 0);
	return fd;
}

static void assert_connects(const char *path)
{
	struct error err = ERROR_NONE;
	int listener = listen_at(path), fd = unix_connect(path, SOCK_STREAM, &err);

	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	fd_close(fd);
	fd_close(listener);
}

static void test_paths(void **state)
{
	char directory[] = "/tmp/unit-socket-XXXXXX", path[64], name[64];

	(void)state;
	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/s", directory);
	assert_connects(path);
	unlink(path);
	rmdir(directory);
	snprintf(name, sizeof(name), "@unit-socket-%d", getpid());
	assert_connects(name);
}

static void test_refused(void **state)
{
	struct error err = ERROR_NONE;
	char name[200];

	(void)state;
	assert_int_equal(unix_connect("/no/such/socket", SOCK_STREAM, &err), -ENOENT);
	assert_non_null(strstr(err.text, "\"/no/such/socket\""));
	assert_int_equal(unix_connect("/etc/passwd", SOCK_STREAM, &err), -ECONNREFUSED);
	assert_int_equal(unix_connect("@no-such-name-of-a-unit-test", SOCK_DGRAM, &err),
			 -ECONNREFUSED);
	memset(name, 'x', sizeof(name) - 1);
	name[0] = '@';
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(unix_connect(name, SOCK_STREAM, &err), -ENAMETOOLONG);
}

/* Receives one message; returns the descriptor that came with it, or -1. */
static int receive(int fd, char text[static 64])
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(4 * sizeof(int))];
	} control;
	struct iovec part = {.iov_base = text, .iov_len = 63};
	struct msghdr header = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control.space,
		.msg_controllen = sizeof(control.space),
	};
	ssize_t n = recvmsg(fd, &header, MSG_CMSG_CLOEXEC);
	struct cmsghdr *rights = CMSG_FIRSTHDR(&header);
	int received = -1;

	assert_true(n >= 0);
	text[n] = '\0';
	if (rights) {
		assert_int_equal(rights->cmsg_len, CMSG_LEN(sizeof(int)));
		memcpy(&received, CMSG_DATA(rights), sizeof(int));
	}
	return received;
}

static void test_send(void **state)
{
	int sockets[2], fd;
	char text[64];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets), 0);
	assert_int_equal(unix_send_fd(sockets[0], "name", sockets[0]), 0);
	fd = receive(sockets[1], text);
	assert_true(fd >= 0);
	assert_string_equal(text, "name");
	fd_close(fd);
	assert_int_equal(unix_send_fd(sockets[0], "alone", -1), 0);
	assert_int_equal(receive(sockets[1], text), -1);
	assert_string_equal(text, "alone");
	fd_close(sockets[1]);
	/* And no SIGPIPE. */
	assert_int_equal(unix_send_fd(sockets[0], "nobody", -1), -EPIPE);
	fd_close(sockets[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_send),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
