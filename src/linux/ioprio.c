/* SPDX-License-Identifier: Apache-2.0 */
/* The priority of a process where it reads and writes; see ioprio_set(2). */
#include <errno.h>
#include <linux/ioprio.h>

#include "berth/base/sys.h"
#include "berth/linux/scheduling.h"

int io_priority_apply(pid_t pid, const struct spec_io_priority *priority, struct error *err)
{
	/* It is alone in its process group as yet; its children inherit what it has. */
	int r = sys_ioprio_set(IOPRIO_WHO_PROCESS, pid,
			       priority->class_number << IOPRIO_CLASS_SHIFT | priority->level);

	if (r >= 0)
		return 0;
	return fail(err, r, "process.ioPriority: set %s, %d%s", priority->class_name,
		    priority->level,
		    r == -EPERM && priority->class_number == IOPRIO_CLASS_RT
			    ? ": this class needs CAP_SYS_NICE in the first user namespace"
			    : "");
}
