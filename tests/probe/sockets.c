/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sockets.c: both ends of what a runtime does with sockets of the host. On the host it stands for
 * an engine (receive-fd) or a service manager (datagrams), in the container for a service (notify).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "probe.h"

static struct sockaddr_un address_of(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	return address;
}

int bind_at(const char *path, int type)
{
	struct sockaddr_un address = address_of(path);
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		perror(path);
		return -1;
	}
	return fd;
}

int receive_message(int socket_fd, char *text, size_t room, int *fd)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(16 * sizeof(int))];
	} control;
	struct iovec part = {.iov_base = text, .iov_len = room - 1};
	struct msghdr header = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control.space,
		.msg_controllen = sizeof(control.space),
	};
	struct cmsghdr *rights;
	ssize_t n = recvmsg(socket_fd, &header, MSG_CMSG_CLOEXEC);

	if (n < 0)
		return -1;
	text[n] = '\0';
	rights = CMSG_FIRSTHDR(&header);
	if (!rights || rights->cmsg_type != SCM_RIGHTS)
		return 0;
	memcpy(fd, CMSG_DATA(rights), sizeof(int));
	return (int)((rights->cmsg_len - CMSG_LEN(0)) / sizeof(int));
}

/* The process that a pidfd stands for. */
static long pid_of(int pidfd)
{
	char path[64], *text, *line;
	long pid;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", pidfd);
	text = read_file(path);
	line = text ? strstr(text, "Pid:") : NULL;
	pid = line ? strtol(line + strlen("Pid:"), NULL, 10) : 0;
	free(text);
	return pid;
}

/*
 * receive-fd SOCKET [hold]: waits for one connection and one message on it; prints "TEXT COUNT
 * PID". With "hold" it keeps the descriptor until it is killed.
 */
int command_receive_fd(int argc, char **argv)
{
	char text[4096];
	int listener, connection, count, fd = -1;

	if (argc < 2)
		return 2;
	listener = bind_at(argv[1], SOCK_STREAM);
	if (listener < 0 || listen(listener, 1) < 0)
		return 1;
	connection = accept(listener, NULL, NULL);
	count = connection < 0 ? -1 : receive_message(connection, text, sizeof(text), &fd);
	if (count < 0)
		return 1;
	printf("%s %d %ld\n", text, count, fd < 0 ? -1 : pid_of(fd));
	fflush(stdout);
	while (argc > 2)
		pause();
	return 0;
}

/* datagrams SOCKET COUNT: prints as many messages, a line each, and closes what comes with them. */
int command_datagrams(int argc, char **argv)
{
	int fd = argc < 3 ? -1 : bind_at(argv[1], SOCK_DGRAM);

	if (fd < 0)
		return 2;
	for (int left = atoi(argv[2]); left > 0; left--) {
		char text[4096];
		int with = -1, count = receive_message(fd, text, sizeof(text), &with);

		if (count < 0)
			return 1;
		for (char *c = strchr(text, '\n'); c; c = strchr(c, '\n'))
			*c = '|';
		printf("%s%s\n", text, count ? " +fd" : "");
		fflush(stdout);
		if (count)
			close(with);
	}
	return 0;
}

/* notify MESSAGE...: sends each to $NOTIFY_SOCKET, says "ready", and waits for ever. */
int command_notify(int argc, char **argv)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un address = address_of(path ? path : "");
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	for (int i = 1; i < argc; i++) {
		if (sendto(fd, argv[i], strlen(argv[i]), 0, (struct sockaddr *)&address,
			   sizeof(address)) < 0) {
			perror(address.sun_path);
			return 1;
		}
	}
	puts("ready");
	fflush(stdout);
	for (;;)
		pause();
}
