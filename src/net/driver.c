/* SPDX-License-Identifier: Apache-2.0 */
/* Which functions a kind of network has. */
#include "driver.h"

#include <assert.h>

#include "berth/base/str.h"

static const struct driver *const drivers[] = {
	[NETWORK_BRIDGE] = &bridge_driver,
	[NETWORK_MACVLAN] = &macvlan_driver,
	[NETWORK_IPVLAN] = &ipvlan_driver,
	[NETWORK_HOST_DEVICE] = &host_device_driver,
};

static_assert(ARRAY_SIZE(drivers) == NETWORK_DRIVER_MAX, "a driver for each kind of network");

const struct driver *driver_of(const struct network *network)
{
	return drivers[network->driver];
}

int driver_nothing(const struct attachment *attachment, struct error *err)
{
	(void)attachment;
	(void)err;
	return 0;
}

int driver_check_name(const struct attachment *attachment, struct error *err)
{
	const struct lease *lease = attachment->lease;
	struct link_info info;
	int r = link_try_find(attachment->inside, lease->link, &info);

	if (r == -ENODEV)
		return 0;
	if (r < 0)
		return fail(err, r, "look for the link \"%s\" in the container", lease->link);
	return refuse_as(err, -EEXIST, "the container has a link \"%s\" already", lease->link);
}

int driver_inside(const struct attachment *attachment, struct netlink *own, struct netlink **ret,
		  struct error *err)
{
	*ret = attachment->inside ? attachment->inside : own;
	return attachment->inside ? 0 : netlink_open_in(attachment->nsfd, NETLINK_ROUTE, own, err);
}
