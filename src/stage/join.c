/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Joining the namespaces of the plan.
 *
 * Theory of operation. A namespace belongs to a user namespace, and only who has CAP_SYS_ADMIN
 * there may join it. Those of the host are joined with the host's rights, before the user namespace
 * is; those of a pod, which the joined user namespace owns, can be joined by an ordinary user only
 * once he is in it. Which is which need not be asked: what is refused before is tried again after.
 */
#include <errno.h>
#include <sys/prctl.h>

#include "berth/base/sys.h"
#include "berth/linux/namespaces.h"

#include "stage-internal.h"

int become_root(int socket, struct error *err)
{
	int r = sys_setresgid(0);

	if (r >= 0)
		r = sys_setresuid(0);
	if (r < 0)
		return fail(err, r, "become root of the user namespace (is id 0 mapped?)");
	/* The change of ids cleared it. */
	return die_with_parent(socket, err);
}

static int join(const struct launch *launch, enum namespace_kind kind, struct error *err)
{
	int r = namespace_join(launch->namespace_fds[kind], kind, err);

	return r < 0 ? within(err, r, "linux.namespaces[%zu].path",
			      launch->spec->linux.namespaces[kind].index)
		     : 0;
}

int namespaces_enter(const struct launch *launch, int socket, struct error *err)
{
	const struct plan *plan = launch->plan;
	enum namespace_kind postponed[NAMESPACE_MAX];
	size_t count = 0;
	bool user = launch->namespace_fds[NAMESPACE_USER] >= 0;
	int r = 0;

	/* Its processes are not to look into us from the moment on when they can see us. */
	if (user && prctl(PR_SET_DUMPABLE, 0) < 0)
		return fail(err, -errno, "switch dumping off");
	for (size_t i = 0; r >= 0 && i < plan->join_count; i++) {
		r = join(launch, plan->joins[i], err);
		if (r == -EPERM && user && plan->joins[i] != NAMESPACE_USER) {
			postponed[count++] = plan->joins[i];
			r = 0;
		}
	}
	if (r >= 0 && user)
		r = become_root(socket, err);
	for (size_t i = 0; r >= 0 && i < count; i++)
		r = join(launch, postponed[i], err);
	return r;
}
