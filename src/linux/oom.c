/* SPDX-License-Identifier: Apache-2.0 */
/* How readily the kernel kills a process when memory is short; see proc(5), oom_score_adj. */
#include <errno.h>
#include <stdio.h>

#include "berth/base/proc.h"
#include "berth/linux/process.h"

int oom_score_adj_write(int procfd, pid_t pid, int value, struct error *err)
{
	char path[64], text[16];
	int r;

	snprintf(path, sizeof(path), "%d/oom_score_adj", pid);
	snprintf(text, sizeof(text), "%d", value);
	r = proc_write(procfd, path, text, err);
	if (r == -EACCES)
		return fail(err, r,
			    "process.oomScoreAdj: set %d: lowering it needs CAP_SYS_RESOURCE",
			    value);
	return r < 0 ? within(err, r, "process.oomScoreAdj") : 0;
}
