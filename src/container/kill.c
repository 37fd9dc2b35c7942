/* SPDX-License-Identifier: Apache-2.0 */
/* Signals for a container. */
#include <errno.h>

#include "container-internal.h"

int container_kill(const struct runtime *runtime, const char *id, int signal, struct error *err)
{
	_cleanup_container_ struct container container = CONTAINER_UNSET;
	int r = container_load(runtime, id, &container, err);

	if (r < 0)
		return r;
	if (container.status == STATUS_STOPPED || container.status == STATUS_CREATING)
		return refuse_as(err, -ESRCH, "container not running");
	r = pidref_signal(&container.init, signal);
	if (r == -ESRCH)
		return refuse_as(err, r, "container not running");
	return r < 0 ? fail(err, r, "send signal %d to process %d", signal, container.init.pid) : 0;
}
