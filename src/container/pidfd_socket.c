/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pidfd socket: where an engine waits for the pidfd of a container's process, so that it need
 * not trust a number. One message, with the pidfd as its only descriptor; its text is runc's.
 */
#include <errno.h>
#include <sys/socket.h>

#include "berth/base/unix_socket.h"

#include "container-internal.h"
#include "sockets-internal.h"

int pidfd_socket_connect(const char *path, int *ret_socket, struct error *err)
{
	int fd = path ? unix_connect(path, SOCK_STREAM, err) : -EBADF;

	if (path && fd < 0)
		return within(err, fd, "--pidfd-socket");
	*ret_socket = fd;
	return 0;
}

int pidfd_socket_send(int socket, const struct pidref *process, bool is_init, struct error *err)
{
	int r = socket < 0 ? 0 : unix_send_fd(socket, is_init ? "standard" : "setns", process->fd);

	return r < 0 ? fail(err, r, "--pidfd-socket: send the pidfd") : 0;
}
