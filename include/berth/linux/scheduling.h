/* SPDX-License-Identifier: Apache-2.0 */
/* How the kernel lets a process run, and read and write. */
#ifndef BERTH_LINUX_SCHEDULING_H
#define BERTH_LINUX_SCHEDULING_H

#include <sys/types.h>

#include "berth/base/error.h"
#include "berth/spec/spec.h"

/*
 * For process @pid; 0: the caller. What takes more than the caller's right over his own process
 * needs CAP_SYS_NICE in the first user namespace: -EPERM, upon which whoever may have it can be
 * asked. Errors: process.scheduler, process.ioPriority.
 */

/* scheduler.c: sched_setattr(2). */
int scheduler_apply(pid_t pid, const struct spec_scheduler *scheduler,
		    struct error *err) must_check;
/* ioprio.c: ioprio_set(2). */
int io_priority_apply(pid_t pid, const struct spec_io_priority *priority,
		      struct error *err) must_check;

#endif
