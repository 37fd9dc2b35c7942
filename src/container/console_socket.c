/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The console socket: where an engine waits for the terminal of a container that berth leaves to
 * itself. One message, with the master as its only descriptor and a name as its text.
 */
#include <errno.h>
#include <sys/socket.h>

#include "berth/base/unix_socket.h"

#include "terminal-internal.h"

/* Receivers want a name of 1 to 4095 bytes and show it in messages. */
static const char name[] = "/dev/ptmx";

int console_check(bool terminal, bool detach, const char *path, struct error *err)
{
	if (terminal && detach && !path)
		return refuse(err, "process.terminal: cannot allocate a terminal if berth will "
				   "detach without --console-socket");
	if (path && !terminal)
		return refuse(err, "--console-socket: cannot be used without a terminal to send "
				   "there (process.terminal)");
	if (path && !detach)
		return refuse(err, "--console-socket: cannot be used if berth will not detach, "
				   "and serves the terminal itself");
	return 0;
}

int console_connect(const char *path, int *ret_socket, struct error *err)
{
	int fd = path ? unix_connect(path, SOCK_STREAM, err) : -EBADF;

	if (path && fd < 0)
		return within(err, fd, "--console-socket");
	*ret_socket = fd;
	return 0;
}

int console_send(int socket, int master, struct error *err)
{
	int r = socket < 0 ? 0 : unix_send_fd(socket, name, master);

	return r < 0 ? fail(err, r, "--console-socket: send the terminal") : 0;
}
