/* SPDX-License-Identifier: Apache-2.0 */
/* Visits of the parent to other mount namespaces. Root and cwd change with each and are put back.
 */
#include "visit.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include "berth/base/fd.h"
#include "berth/base/proc.h"

int visit_begin(int procfd, struct visit *ret, struct error *err)
{
	_cleanup_fd_ int cwd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC), own = -EBADF;
	_cleanup_fd_ int directory = proc_open_self(procfd, "ns", O_PATH | O_DIRECTORY, err);

	if (directory < 0)
		return directory;
	own = openat(directory, "mnt", O_RDONLY | O_CLOEXEC);
	if (own < 0 || cwd < 0)
		return fail(err, -errno, "open the own mount namespace");
	*ret = (struct visit){.own = take_fd(&own), .cwd = take_fd(&cwd)};
	return 0;
}

int visit_end(struct visit *visit, int r, struct error *err)
{
	int back = setns(visit->own, CLONE_NEWNS) < 0 || fchdir(visit->cwd) < 0 ? -errno : 0;

	visit->own = fd_close(visit->own);
	visit->cwd = fd_close(visit->cwd);
	if (r >= 0 && back < 0)
		return fail(err, back, "return to the own mount namespace");
	return r;
}
