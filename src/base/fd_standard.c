/* SPDX-License-Identifier: Apache-2.0 */
/* The standard descriptors, which are inherited on purpose. */
#include <fcntl.h>
#include <unistd.h>

#include "berth/base/fd.h"

int fd_fill_standard(int flags, struct error *err)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF &&
		    open("/dev/null", flags | O_NOCTTY) < 0) /* on purpose without O_CLOEXEC */
			return fail(err, -errno, "open \"/dev/null\" as descriptor %d", fd);
	}
	return 0;
}
