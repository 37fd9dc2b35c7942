/* SPDX-License-Identifier: Apache-2.0 */
/* Bringing the loopback interface of a new network namespace up; see netdevice(7). */
#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "berth/base/fd.h"
#include "berth/linux/namespaces.h"

int loopback_up(struct error *err)
{
	struct ifreq request = {.ifr_name = "lo"};
	/* Any socket serves for these requests; one of AF_UNIX is there in every kernel. */
	_cleanup_fd_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return fail(err, -errno, "bring interface \"lo\" up: make a socket");
	if (ioctl(fd, SIOCGIFFLAGS, &request) < 0)
		return fail(err, -errno, "bring interface \"lo\" up: get its flags");
	if (request.ifr_flags & IFF_UP)
		return 0;
	request.ifr_flags |= IFF_UP;
	if (ioctl(fd, SIOCSIFFLAGS, &request) < 0)
		return fail(err, -errno, "bring interface \"lo\" up");
	return 0;
}
