/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets of the host that a user names. */
#include "berth/base/unix_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "berth/base/fd.h"
#include "berth/base/proc.h"

static int abstract_address(const char *path, struct sockaddr_un *address, socklen_t *ret_length)
{
	size_t length = strlen(path);

	if (length > sizeof(address->sun_path))
		return -ENAMETOOLONG;
	memcpy(address->sun_path, path, length);
	address->sun_path[0] = '\0';
	*ret_length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
	return 0;
}

int unix_connect(const char *path, int type, struct error *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	_cleanup_fd_ int fd = -EBADF, file = -EBADF;
	socklen_t length = sizeof(address);
	int r = 0;

	if (path[0] == '@') {
		r = abstract_address(path, &address, &length);
	} else {
		/* By way of a descriptor: the path may be longer than an address. */
		file = open(path, O_PATH | O_CLOEXEC);
		r = file < 0 ? -errno : 0;
		fd_path(file, address.sun_path);
	}
	if (r >= 0) {
		fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
		if (fd < 0 || connect(fd, (struct sockaddr *)&address, length) < 0)
			r = -errno;
	}
	return r < 0 ? fail(err, r, "connect to the socket \"%s\"", path) : take_fd(&fd);
}

/* A stream takes long texts in parts where a signal comes in between. */
static int send_rest(int socket, const char *text)
{
	size_t left = strlen(text);

	while (left) {
		ssize_t n = send(socket, text, left, MSG_NOSIGNAL);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			text += n;
			left -= (size_t)n;
		}
	}
	return 0;
}

int unix_send_fd(int socket, const char *text, int fd)
{
	struct iovec part = {.iov_base = (void *)text, .iov_len = strlen(text)};
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int))];
	} control = {.space = {0}};
	struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};
	ssize_t n;

	if (fd >= 0) {
		struct cmsghdr *rights;

		header.msg_control = control.space;
		header.msg_controllen = sizeof(control.space);
		rights = CMSG_FIRSTHDR(&header);
		rights->cmsg_level = SOL_SOCKET;
		rights->cmsg_type = SCM_RIGHTS;
		rights->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(rights), &fd, sizeof(int));
	}
	do
		n = sendmsg(socket, &header, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : send_rest(socket, text + n);
}
