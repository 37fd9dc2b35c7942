/* SPDX-License-Identifier: Apache-2.0 */
/* What the caller may do. */
#include "rights.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/nsfs.h>
#include <stdint.h>
#include <sys/ioctl.h>

#include "berth/base/fd.h"
#include "berth/base/sys.h"

/* The kernel names the owner of a namespace only to who is in that user namespace, or in one above
 * it: ioctl_ns(2). */
static bool owns_network_namespace(void)
{
	_cleanup_fd_ int netns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	_cleanup_fd_ int owner = netns < 0 ? -EBADF : ioctl(netns, NS_GET_USERNS);

	return owner >= 0;
}

bool rights_over_links(void)
{
	return (sys_capabilities() & (UINT64_C(1) << CAP_NET_ADMIN)) && owns_network_namespace();
}
