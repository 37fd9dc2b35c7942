/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pty.c: what the tests of terminals need.
 *
 * pty [STEP...] -- COMMAND [ARGUMENT...]
 *     Runs a command on a pseudo terminal, as the leader of a session that has it, walks the steps,
 *     and waits for the command's end. All output goes to standard output. The last line on
 *     standard error says "restored" or "changed": whether the terminal's modes are those from
 *     before. Exit status: the command's, 128 + N where a signal ended it; 99 where a step failed.
 *
 *     expect:TEXT   waits until TEXT has come, after what was expected last
 *     send:TEXT     types; \r and \xHH mean what they mean in C
 *     size:RxC      the terminal gets this size
 *     raw: cooked:  waits until the terminal is in such a mode
 *     kill:NUMBER   a signal to the command
 *     run:COMMAND   a command line for the shell, outside, which must succeed
 *     hangup:       the terminal goes away; no step may follow
 *
 * pty receive SOCKET [COUNT]
 *     Listens there, says "listening", and takes COUNT terminals (1), one after the other. For each
 *     it says how the message looked, and passes on what comes from it until it is hung up.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define TIMEOUT_S  20
#define OUTPUT_MAX ((size_t)64 << 20)

static int master = -1, slave = -1;
static pid_t child;
static char *output;
static size_t output_size, output_seen;

static _Noreturn void die(const char *what, const char *object)
{
	fprintf(stderr, "pty: %s %s: %s\n", what, object, strerror(errno));
	if (child > 0)
		kill(child, SIGKILL);
	exit(99);
}

/* Takes what there is within @ms. False: the terminal is hung up. */
static bool take_output(int ms)
{
	struct pollfd poller = {.fd = master, .events = POLLIN};
	ssize_t n;

	if (poll(&poller, 1, ms) <= 0)
		return true;
	n = read(master, output + output_size, OUTPUT_MAX - output_size);
	if (n <= 0)
		return false;
	if (write(STDOUT_FILENO, output + output_size, (size_t)n) != n)
		die("write", "output");
	output_size += (size_t)n;
	return true;
}

static bool is_raw(void)
{
	struct termios modes;

	return tcgetattr(slave, &modes) == 0 && !(modes.c_lflag & (ICANON | ECHO | ISIG));
}

static bool has_come(const char *text)
{
	const char *found =
		memmem(output + output_seen, output_size - output_seen, text, strlen(text));

	if (found)
		output_seen = (size_t)(found - output) + strlen(text);
	return found != NULL;
}

static bool wants_raw(const char *text)
{
	(void)text;
	return is_raw();
}

static bool wants_cooked(const char *text)
{
	(void)text;
	return !is_raw();
}

static void wait_until(bool (*holds)(const char *), const char *step, const char *text)
{
	time_t end = time(NULL) + TIMEOUT_S;

	while (!holds(text)) {
		if (time(NULL) > end) {
			errno = ETIMEDOUT;
			die("step", step);
		}
		if (!take_output(10))
			poll(NULL, 0, 10);
	}
}

static void send_text(const char *text)
{
	for (; *text; text++) {
		char c = *text;

		if (text[0] == '\\' && text[1] == 'r') {
			c = '\r';
			text++;
		} else if (text[0] == '\\' && text[1] == 'x') {
			c = (char)strtol((char[]){text[2], text[3], 0}, NULL, 16);
			text += 3;
		}
		if (write(master, &c, 1) != 1)
			die("type", text);
	}
}

static void set_size(const char *text)
{
	struct winsize size = {.ws_row = 0};

	if (sscanf(text, "%hux%hu", &size.ws_row, &size.ws_col) != 2 ||
	    ioctl(master, TIOCSWINSZ, &size) < 0)
		die("size", text);
}

static void walk(const char *step)
{
	const char *text = strchr(step, ':');

	if (!text) {
		errno = EINVAL;
		die("step", step);
	}
	text++;
	if (strncmp(step, "expect:", 7) == 0)
		wait_until(has_come, step, text);
	else if (strncmp(step, "send:", 5) == 0)
		send_text(text);
	else if (strncmp(step, "size:", 5) == 0)
		set_size(text);
	else if (strcmp(step, "raw:") == 0)
		wait_until(wants_raw, step, text);
	else if (strcmp(step, "cooked:") == 0)
		wait_until(wants_cooked, step, text);
	else if (strncmp(step, "kill:", 5) == 0)
		kill(child, atoi(text));
	else if (strncmp(step, "run:", 4) == 0 && system(text) == 0)
		return;
	else if (strcmp(step, "hangup:") == 0) {
		close(master);
		close(slave);
		master = slave = -1;
	} else {
		errno = EINVAL;
		die("step", step);
	}
}

static _Noreturn void command(char **argv)
{
	setsid();
	ioctl(slave, TIOCSCTTY, 0);
	for (int fd = 0; fd < 3; fd++)
		dup2(slave, fd);
	execvp(argv[0], argv);
	_exit(127);
}

static int wait_for_child(void)
{
	time_t end = time(NULL) + TIMEOUT_S;
	int status;

	while (waitpid(child, &status, WNOHANG) == 0) {
		if (time(NULL) > end) {
			errno = ETIMEDOUT;
			die("wait for the", "command");
		}
		if (master < 0 || !take_output(10))
			poll(NULL, 0, 10);
	}
	/* The slave is open here: what is left ends with a time-out. */
	for (size_t size = 0; master >= 0 && size != output_size + 1;) {
		size = output_size + 1;
		take_output(100);
	}
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static bool are_same(const struct termios *a, const struct termios *b)
{
	return a->c_iflag == b->c_iflag && a->c_oflag == b->c_oflag && a->c_cflag == b->c_cflag &&
	       a->c_lflag == b->c_lflag && memcmp(a->c_cc, b->c_cc, VEOL2 + 1) == 0;
}

static int drive(int argc, char **argv)
{
	struct termios before, after;
	int i = 1, status;

	output = malloc(OUTPUT_MAX);
	master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (!output || master < 0 || grantpt(master) < 0 || unlockpt(master) < 0)
		die("make a", "terminal");
	slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0 || tcgetattr(slave, &before) < 0)
		die("open the", "terminal");
	while (i < argc && strcmp(argv[i], "--") != 0)
		i++;
	if (i + 1 >= argc)
		die("no", "command");
	/* The first size is there before the command. */
	if (strncmp(argv[1], "size:", 5) == 0)
		walk(argv[1]);
	child = fork();
	if (child == 0)
		command(argv + i + 1);
	for (int step = 1; step < i; step++)
		walk(argv[step]);
	status = wait_for_child();
	if (slave >= 0 && tcgetattr(slave, &after) == 0)
		fputs(are_same(&before, &after) ? "restored\n" : "changed\n", stderr);
	return status;
}

/* Receives as the engines do: room for one descriptor, all that came is looked at. */
static int receive_one(int connection)
{
	char name[4096], space[CMSG_SPACE(16 * sizeof(int))];
	struct iovec part = {.iov_base = name, .iov_len = sizeof(name) - 1};
	struct msghdr header = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = space,
		.msg_controllen = sizeof(space),
	};
	ssize_t n = recvmsg(connection, &header, MSG_CMSG_CLOEXEC);
	struct cmsghdr *rights = n > 0 ? CMSG_FIRSTHDR(&header) : NULL;
	int fd;

	if (!rights) {
		puts("nothing received");
		return -1;
	}
	memcpy(&fd, CMSG_DATA(rights), sizeof(fd));
	printf("received name=%zd control=%s type=%s more=%s tty=%s\n", n,
	       header.msg_controllen == CMSG_SPACE(sizeof(int)) ? "one" : "other",
	       rights->cmsg_type == SCM_RIGHTS ? "rights" : "other",
	       recv(connection, space, 1, 0) == 0 ? "no" : "yes", isatty(fd) ? "yes" : "no");
	fflush(stdout);
	return fd;
}

static int receive(int argc, char **argv)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int count = argc > 3 ? atoi(argv[3]) : 1;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char *name = strrchr(argv[2], '/');
	char data[4096];
	ssize_t n;

	/* The path may be longer than an address. */
	*name = '\0';
	if (chdir(argv[2]) < 0)
		die("enter", argv[2]);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", name + 1);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 8) < 0)
		die("listen on", name + 1);
	puts("listening");
	fflush(stdout);
	for (int i = 0; i < count; i++) {
		int connection = accept4(fd, NULL, NULL, SOCK_CLOEXEC);

		master = receive_one(connection);
		while (master >= 0 && (n = read(master, data, sizeof(data))) > 0)
			if (fwrite(data, 1, (size_t)n, stdout) == (size_t)n)
				fflush(stdout);
		puts("end");
		fflush(stdout);
		close(master);
		close(connection);
	}
	return 0;
}

int main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN);
	if (argc > 2 && strcmp(argv[1], "receive") == 0)
		return receive(argc, argv);
	return drive(argc, argv);
}
