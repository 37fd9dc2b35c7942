/* SPDX-License-Identifier: Apache-2.0 */
/* What a console socket is for and gets, and what the proxy of a terminal waits for. */
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <termios.h>

#include "terminal-internal.h"

#include "../base/unit.h"

static void test_check(void **state)
{
	static const struct {
		bool terminal, detach;
		const char *path;
		const char *refusal; /* NULL: fine */
	} rows[] = {
		{false, false, NULL, NULL},
		{false, true, NULL, NULL},
		{true, false, NULL, NULL},
		{true, true, "/s", NULL},
		{true, true, NULL, "process.terminal: cannot allocate a terminal"},
		{true, false, "/s", "--console-socket: cannot be used if berth will not detach"},
		{false, true, "/s", "--console-socket: cannot be used without a terminal"},
		{false, false, "/s", "--console-socket: cannot be used without a terminal"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct error err = ERROR_NONE;
		int r = console_check(rows[i].terminal, rows[i].detach, rows[i].path, &err);

		assert_int_equal(r, rows[i].refusal ? -EINVAL : 0);
		if (rows[i].refusal)
			assert_contains(err.text, rows[i].refusal);
	}
}

/* The contract of the receivers: one control message, one descriptor, a name of 1 to 4095 bytes. */
static void test_send(void **state)
{
	char name[4096] = "", control[256];
	struct iovec part = {.iov_base = name, .iov_len = sizeof(name)};
	struct msghdr header = {.msg_iov = &part,
				.msg_iovlen = 1,
				.msg_control = control,
				.msg_controllen = sizeof(control)};
	struct error err = ERROR_NONE;
	int sockets[2], received;
	ssize_t n;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets), 0);
	assert_fine(console_send(sockets[0], STDERR_FILENO, &err), err);
	n = recvmsg(sockets[1], &header, MSG_CMSG_CLOEXEC);
	assert_in_range(n, 1, 4095);
	assert_int_equal(header.msg_controllen, CMSG_SPACE(sizeof(int)));
	memcpy(&received, CMSG_DATA(CMSG_FIRSTHDR(&header)), sizeof(received));
	fd_close(received);
	fd_close(sockets[1]);
	assert_failed(console_send(sockets[0], STDERR_FILENO, &err), err, -EPIPE);
	fd_close(sockets[0]);
	assert_fine(console_send(-EBADF, STDERR_FILENO, &err), err);
}

static int open_terminal(struct console *console)
{
	struct termios modes;
	int unlocked = 0;

	console->master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (console->master < 0 || ioctl(console->master, TIOCSPTLCK, &unlocked) < 0)
		return -1;
	console->slave = ioctl(console->master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (console->slave < 0 || tcgetattr(console->slave, &modes) < 0)
		return -1;
	cfmakeraw(&modes);
	return tcsetattr(console->slave, TCSANOW, &modes);
}

/* A child with pipes as standard input and output, so that it can be starved of both. */
struct scene {
	struct proxy proxy;
	int input, output; /* the far ends */
};

static int set_scene(struct scene *scene)
{
	struct console console = CONSOLE_UNSET;
	struct error err = ERROR_NONE;
	int in[2], out[2];

	*scene = (struct scene){.proxy = PROXY_UNSET};
	if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0 || open_terminal(&console) < 0 ||
	    dup2(in[0], STDIN_FILENO) < 0 || dup2(out[1], STDOUT_FILENO) < 0)
		return -1;
	fd_close(in[0]);
	fd_close(out[1]);
	scene->input = in[1];
	scene->output = out[0];
	fcntl(scene->output, F_SETFL, O_NONBLOCK);
	return proxy_open(&console, &scene->proxy, &err);
}

/* The end of a child that made a scene: @result, with nothing left behind. */
static int leave(struct scene *scene, int result)
{
	proxy_done(&scene->proxy);
	return result;
}

/* Goes on until nothing can move any more. Returns how often something could. */
static int settle(struct scene *scene, struct pollfd polls[PROXY_POLLS])
{
	int rounds = 0;

	for (; rounds < 100000; rounds++) {
		int timeout = proxy_polls(&scene->proxy, polls);

		if (poll(polls, PROXY_POLLS, timeout == 0 ? 0 : 20) <= 0 && timeout != 0)
			break;
		proxy_move(&scene->proxy, polls);
	}
	return rounds;
}

/* Fills the terminal from within until it takes no more. Returns the bytes that went in. */
static size_t flood(struct scene *scene, char c)
{
	char data[1000];
	size_t total = 0;
	struct pollfd slave = {.fd = scene->proxy.terminal.slave, .events = POLLOUT};

	memset(data, c, sizeof(data));
	fcntl(slave.fd, F_SETFL, O_NONBLOCK);
	for (int i = 0; i < 1000; i++) {
		ssize_t n = write(slave.fd, data, sizeof(data));
		struct pollfd polls[PROXY_POLLS];

		if (n > 0)
			total += (size_t)n;
		if (n < 0 && settle(scene, polls) == 0)
			break;
	}
	return total;
}

static size_t read_all(int fd)
{
	static char data[65536];
	size_t total = 0;
	ssize_t n;

	while ((n = read(fd, data, sizeof(data))) > 0)
		total += (size_t)n;
	return total;
}

/* Nobody reads: after a while nothing is waited for but standard output, and nothing is lost. */
static int stall(void *argument)
{
	struct pollfd polls[PROXY_POLLS];
	struct scene scene;
	size_t written, got = 0;

	(void)argument;
	if (set_scene(&scene) < 0)
		return 1;
	written = flood(&scene, 'x');
	settle(&scene, polls);
	if (written < 65536 || polls[1].fd >= 0 || polls[2].events != POLLOUT || polls[2].fd < 0)
		return 2;
	/* The process ends: what is there is still passed on, whatever time it takes. */
	for (int i = 0; i < 1000 && !proxy_finish(&scene.proxy); i++) {
		got += read_all(scene.output);
		settle(&scene, polls);
	}
	got += read_all(scene.output);
	if (got != written || !proxy_finish(&scene.proxy))
		return 3;
	proxy_done(&scene.proxy);
	return proxy_is_on(&scene.proxy) ? 4 : 0;
}

static void test_stall(void **state)
{
	(void)state;
	in_child(stall, NULL);
}

/* The process reads nothing: standard input is left alone once the buffers are full. */
static int starve(void *argument)
{
	static char data[262144];
	struct pollfd polls[PROXY_POLLS];
	struct scene scene;
	ssize_t written = 0, n;

	(void)argument;
	if (set_scene(&scene) < 0)
		return leave(&scene, 1);
	fcntl(scene.input, F_SETFL, O_NONBLOCK);
	memset(data, 'y', sizeof(data));
	for (int i = 0; i < 1000; i++) {
		n = write(scene.input, data, 4096);
		if (n > 0)
			written += n;
		else if (settle(&scene, polls) == 0)
			break;
	}
	settle(&scene, polls);
	if (written < 65536 || polls[0].fd >= 0)
		return leave(&scene, 2);
	fcntl(scene.proxy.terminal.slave, F_SETFL, O_NONBLOCK);
	for (int i = 0; i < 1000 && written > 0; i++) {
		n = read(scene.proxy.terminal.slave, data, sizeof(data));
		if (n > 0)
			written -= n;
		settle(&scene, polls);
	}
	return leave(&scene, written == 0 ? 0 : 3);
}

static void test_starve(void **state)
{
	(void)state;
	in_child(starve, NULL);
}

/* The reader of standard output is gone: the process's terminal is hung up. */
static int lose(void *argument)
{
	struct pollfd polls[PROXY_POLLS];
	struct scene scene;

	(void)argument;
	signal(SIGPIPE, SIG_IGN);
	if (set_scene(&scene) < 0)
		return leave(&scene, 1);
	fd_close(scene.output);
	if (write(scene.proxy.terminal.slave, "z", 1) != 1)
		return leave(&scene, 2);
	settle(&scene, polls);
	if (scene.proxy.terminal.master >= 0 || polls[0].fd >= 0 || polls[1].fd >= 0)
		return leave(&scene, 3);
	return leave(&scene, proxy_finish(&scene.proxy) ? 0 : 4);
}

static void test_lose(void **state)
{
	(void)state;
	in_child(lose, NULL);
}

/* The end of standard input becomes the terminal's, twice after the beginning of a line. */
static int end_input(void *argument)
{
	struct pollfd polls[PROXY_POLLS];
	struct scene scene;
	char got[16] = "";

	(void)argument;
	if (set_scene(&scene) < 0 || write(scene.input, "ab", 2) != 2)
		return leave(&scene, 1);
	fd_close(scene.input);
	settle(&scene, polls);
	if (read(scene.proxy.terminal.slave, got, sizeof(got)) != 4)
		return leave(&scene, 2);
	return leave(&scene, memcmp(got, "ab\x04\x04", 4) == 0 ? 0 : 3);
}

static void test_end_input(void **state)
{
	(void)state;
	in_child(end_input, NULL);
}

static void test_without(void **state)
{
	struct console none = CONSOLE_UNSET;
	struct proxy proxy = PROXY_UNSET;
	struct error err = ERROR_NONE;

	(void)state;
	assert_fine(proxy_open(&none, &proxy, &err), err);
	assert_false(proxy_is_on(&proxy));
	assert_true(proxy_finish(&proxy));
	proxy_done(&proxy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_check),	cmocka_unit_test(test_send),
		cmocka_unit_test(test_stall),	cmocka_unit_test(test_starve),
		cmocka_unit_test(test_lose),	cmocka_unit_test(test_end_input),
		cmocka_unit_test(test_without),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
