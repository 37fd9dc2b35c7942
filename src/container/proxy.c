/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Serving a terminal in the foreground: berth's standard input goes to its master, what comes from
 * there to standard output.
 *
 * Theory of operation. Each direction has one buffer, which is filled when it is empty and polled
 * for writing when it is not: a reader that is slow stops the reading at the other side, nothing is
 * lost, and nothing is polled that could not progress. No descriptor is waited for but in poll(2):
 * standard input and output are opened anew without blocking where that can be done (their flags
 * belong to everybody who has them), and little is written at once where it cannot.
 *
 * The end of the process comes by its signal, not by the hang-up of the terminal, which others may
 * have open. What it wrote by then is in the kernel, and is passed on before berth ends: the
 * master is read until nothing is there, whatever time standard output takes.
 *
 * Standard input that is no terminal may come to its end: then the process is told as a terminal
 * does it, by the end-of-file character. One that changes the modes of its terminal first loses it,
 * so for a while it is told again whenever nothing waits to be read there.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "berth/base/alloc.h"
#include "berth/base/clock.h"
#include "berth/base/fd.h"
#include "berth/base/log.h"
#include "berth/base/proc.h"

#include "terminal-internal.h"

/* In polls[]. */
enum {
	POLL_INPUT,
	POLL_MASTER,
	POLL_OUTPUT
};

#define READY (POLLIN | POLLOUT | POLLHUP | POLLERR | POLLNVAL)

/* How often it is looked whether berth has come to the foreground, and whether the end of input
 * must be told again: no event says so. */
#define LOOK_MS	  500
#define LOOKS_MAX 20

/* More than the kernel keeps of a terminal. Others may go on writing when the process has ended. */
#define LEFTOVER_MAX ((size_t)2 << 20)

static bool is_empty(const struct flow *flow)
{
	return flow->start == flow->end;
}

/* A descriptor of the same file that does not block, or the same one again. */
static int open_anew(int fd, int flags, struct error *err)
{
	char path[FD_PATH_MAX];
	struct stat st;
	int fresh;

	if (fstat(fd, &st) == 0 && (S_ISFIFO(st.st_mode) || isatty(fd))) {
		fd_path(fd, path);
		fresh = open(path, flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
		if (fresh >= 0)
			return fresh;
	}
	return fd_dup(fd, err);
}

static bool is_socket(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode);
}

int proxy_open(struct console *terminal, struct proxy *ret, struct error *err)
{
	_cleanup_fd_ int in = -EBADF, out = -EBADF;
	int flags;

	if (terminal->master < 0)
		return 0;
	flags = fcntl(terminal->master, F_GETFL);
	if (flags < 0 || fcntl(terminal->master, F_SETFL, flags | O_NONBLOCK) < 0)
		return fail(err, -errno, "make the terminal non-blocking");
	in = open_anew(STDIN_FILENO, O_RDONLY, err);
	if (in < 0)
		return in;
	out = open_anew(STDOUT_FILENO, O_WRONLY, err);
	if (out < 0)
		return out;
	own_terminal_begin();
	own_terminal_copy_size(terminal->master);
	*ret = (struct proxy){
		.terminal = {.master = take_fd(&terminal->master),
			     .slave = take_fd(&terminal->slave)},
		.in_is_terminal = own_terminal_there(),
		.out_is_socket = is_socket(out),
		.in = take_fd(&in),
		.out = take_fd(&out),
		.last = '\n',
		.looks_left = LOOKS_MAX,
		.input = xcalloc(1, sizeof(struct flow)),
		.output = xcalloc(1, sizeof(struct flow)),
	};
	return 0;
}

static void hang_up(struct proxy *proxy)
{
	proxy->terminal.master = fd_close(proxy->terminal.master);
	proxy->terminal.slave = fd_close(proxy->terminal.slave);
	proxy->in = fd_close(proxy->in);
	proxy->input->start = proxy->input->end = 0;
	proxy->drained = true;
}

void proxy_abandon(struct proxy *proxy)
{
	hang_up(proxy);
	proxy->output->start = proxy->output->end = 0;
}

void proxy_done(struct proxy *proxy)
{
	if (!proxy_is_on(proxy))
		return;
	own_terminal_leave();
	proxy_abandon(proxy);
	proxy->out = fd_close(proxy->out);
	free(take_ptr(&proxy->input));
	free(take_ptr(&proxy->output));
}

static bool is_for_later(int code)
{
	return code == EAGAIN || code == EINTR;
}

/* Standard input is at its end, and all of it has gone in. */
static bool tells_end(const struct proxy *proxy)
{
	return proxy->in < 0 && !proxy->in_is_terminal && proxy->looks_left > 0 &&
	       proxy->terminal.master >= 0 && !proxy->ended && is_empty(proxy->input);
}

/* Whether the process would take the end-of-file character for the end, and has not got one. */
static bool wants_end(const struct proxy *proxy, const struct termios *modes)
{
	struct pollfd unread = {.fd = proxy->terminal.slave, .events = POLLIN};

	/* It would mean nothing there, and show in the output. */
	if (!(modes->c_lflag & ICANON) && modes->c_lflag & ECHO)
		return false;
	return modes->c_cc[VEOF] &&
	       (proxy->looks_left == LOOKS_MAX - 1 || poll(&unread, 1, 0) == 0);
}

static void tell_end(struct proxy *proxy)
{
	struct flow *input = proxy->input;
	struct termios modes;

	if (clock_now_ms() < proxy->next_look_ms)
		return;
	proxy->looks_left--;
	proxy->next_look_ms = clock_now_ms() + LOOK_MS;
	if (tcgetattr(proxy->terminal.master, &modes) < 0 || !wants_end(proxy, &modes))
		return;
	input->start = input->end = 0;
	/* After the beginning of a line the first one only hands that over. */
	if (proxy->last != '\n')
		input->data[input->end++] = (char)modes.c_cc[VEOF];
	input->data[input->end++] = (char)modes.c_cc[VEOF];
	proxy->last = '\n';
}

static int timeout_of(const struct proxy *proxy)
{
	int64_t now = clock_now_ms();

	/* What is left of an ended process is read without waiting. */
	if (proxy->ended && !proxy->drained && is_empty(proxy->output))
		return 0;
	if (tells_end(proxy))
		return proxy->next_look_ms <= now ? 0 : (int)(proxy->next_look_ms - now);
	return proxy->in_is_terminal && !own_terminal_in_front() ? LOOK_MS : -1;
}

int proxy_polls(struct proxy *proxy, struct pollfd polls[static PROXY_POLLS])
{
	bool own = proxy->in_is_terminal;
	bool reads = is_empty(proxy->input) && (!own || own_terminal_in_front());
	short master = 0;

	own_terminal_enter();
	if (is_empty(proxy->output) && !proxy->ended)
		master |= POLLIN;
	if (!is_empty(proxy->input))
		master |= POLLOUT;
	/* A descriptor that nothing is wanted of is left out: its hang-up would be no news. */
	polls[POLL_INPUT] = (struct pollfd){.fd = reads ? proxy->in : -1, .events = POLLIN};
	polls[POLL_MASTER] = (struct pollfd){
		.fd = master ? proxy->terminal.master : -1,
		.events = master,
	};
	polls[POLL_OUTPUT] = (struct pollfd){
		.fd = is_empty(proxy->output) ? -1 : proxy->out,
		.events = POLLOUT,
	};
	return timeout_of(proxy);
}

static void read_input(struct proxy *proxy)
{
	struct flow *input = proxy->input;
	ssize_t n = read(proxy->in, input->data, sizeof(input->data));

	if (n < 0 && is_for_later(errno))
		return;
	/* From the background nothing can be read: it is waited for the foreground. */
	if (n < 0 && errno == EIO && proxy->in_is_terminal) {
		own_terminal_resume();
		if (!own_terminal_in_front())
			return;
	}
	input->start = 0;
	input->end = n > 0 ? (size_t)n : 0;
	if (n > 0)
		proxy->last = input->data[n - 1];
	else
		proxy->in = fd_close(proxy->in);
}

static void write_input(struct proxy *proxy)
{
	struct flow *input = proxy->input;
	ssize_t n = write(proxy->terminal.master, input->data + input->start,
			  input->end - input->start);

	if (n >= 0)
		input->start += (size_t)n;
	else if (!is_for_later(errno))
		input->start = input->end;
}

static void read_output(struct proxy *proxy)
{
	struct flow *output = proxy->output;
	ssize_t n = read(proxy->terminal.master, output->data, sizeof(output->data));

	if (n < 0 && errno == EINTR)
		return;
	if (n < 0 && errno == EAGAIN) {
		proxy->drained = proxy->ended;
		return;
	}
	if (n <= 0) {
		hang_up(proxy); /* by the container's root: vhangup(2) */
		return;
	}
	output->start = 0;
	output->end = (size_t)n;
	if (!proxy->ended)
		return;
	proxy->leftover += (size_t)n;
	proxy->drained = proxy->leftover > LEFTOVER_MAX;
}

/* Nobody reads any more: for the process that is the end of its terminal. */
static void lose_output(struct proxy *proxy, int code)
{
	struct error err = ERROR_NONE;

	if (code != -EPIPE && code != -EIO && fail(&err, code, "write the terminal's output"))
		log_warning("%s", err.text);
	proxy_abandon(proxy);
}

static void write_output(struct proxy *proxy)
{
	struct flow *output = proxy->output;
	const char *data = output->data + output->start;
	size_t size = output->end - output->start;
	ssize_t n;

	if (proxy->out_is_socket)
		n = send(proxy->out, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
	else
		n = write(proxy->out, data, size < PIPE_BUF ? size : PIPE_BUF);
	if (n >= 0)
		output->start += (size_t)n;
	else if (!is_for_later(errno))
		lose_output(proxy, -errno);
}

void proxy_move(struct proxy *proxy, const struct pollfd polls[static PROXY_POLLS])
{
	bool master = polls[POLL_MASTER].fd >= 0 && polls[POLL_MASTER].revents & READY;

	if (polls[POLL_OUTPUT].revents & READY)
		write_output(proxy);
	if (tells_end(proxy))
		tell_end(proxy);
	if (polls[POLL_INPUT].revents & READY && proxy->in >= 0 && is_empty(proxy->input))
		read_input(proxy);
	if (master && proxy->terminal.master >= 0 && !is_empty(proxy->input))
		write_input(proxy);
	if ((master || proxy->ended) && proxy->terminal.master >= 0 && is_empty(proxy->output) &&
	    !proxy->drained)
		read_output(proxy);
}

bool proxy_finish(struct proxy *proxy)
{
	if (!proxy_is_on(proxy))
		return true;
	proxy->ended = true;
	proxy->in = fd_close(proxy->in);
	proxy->input->start = proxy->input->end = 0;
	return proxy->drained && is_empty(proxy->output);
}
