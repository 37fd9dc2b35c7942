/* SPDX-License-Identifier: Apache-2.0 */
/* The execution domain of a container's process; see personality(2). */
#include <errno.h>
#include <sys/personality.h>

#include "berth/linux/process.h"

int personality_apply(unsigned long persona, struct error *err)
{
	if (personality(persona) < 0)
		return fail(err, -errno, "linux.personality: set 0x%lx", persona);
	return 0;
}
