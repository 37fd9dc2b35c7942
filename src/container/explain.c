/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a failure is called where somebody else has ended the container since its status was looked
 * at. "No such process" says nothing to the user, and engines take "no such file" for a program
 * that is missing; but neither may the end of a container hide another error. So only what can come
 * of an end is looked at again.
 */
#include <errno.h>

#include "berth/base/log.h"

#include "explain-internal.h"

/* How long an init that is ending is waited for, so that the next command finds it ended. */
#define ENDING_TIMEOUT_MS 100

/*
 * What is answered where a process, a cgroup or a file is gone. KERNEL: -ENOMEM is the answer to a
 * clone into a pid namespace whose init is ending.
 */
static bool may_come_of_end(int code)
{
	static const int codes[] = {ESRCH,  ENOENT, ENODEV,	  ENOMEM,
				    ECHILD, EPIPE,  ECONNREFUSED, ECONNRESET};

	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		if (code == -codes[i])
			return true;
	}
	return false;
}

/*
 * Whether an init has ended, or is about to: the last that it does is to wait for all others of its
 * pid namespace, and for those who are to reap them. Nobody can join it any more by then.
 */
static bool has_ended(const struct container *container)
{
	bool ending = pidref_is_ending(container->procfd, container->init.pid);

	return pidref_wait_exit(&container->init, ending ? ENDING_TIMEOUT_MS : 0) == 1 || ending;
}

int container_explain(struct container *container, int r, container_check check, struct error *err)
{
	if (!may_come_of_end(r))
		return r;
	if (!state_has_record(container->dirfd))
		return refuse_as(err, -ENOENT, "container \"%s\" does not exist",
				 container->record.id);
	if (container->init.fd < 0 || !has_ended(container))
		return r;
	log_debug("container \"%s\" has ended: %s", container->record.id, err->text);
	pidref_done(&container->init);
	container->status = STATUS_STOPPED;
	/* Whoever does not mind that it has stopped failed at something else. */
	return check(container, err) < 0 ? err->code : r;
}
