/* SPDX-License-Identifier: Apache-2.0 */
/* What the caller may do. */
#include "rights.h"

#include <linux/capability.h>
#include <stdint.h>

#include "berth/base/sys.h"

bool rights_over_links(void)
{
	return sys_capabilities() & (UINT64_C(1) << CAP_NET_ADMIN);
}
