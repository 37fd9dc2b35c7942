/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the kernel schedules a process; see sched(7) and sched_setattr(2).
 *
 * Whoever has no CAP_SYS_NICE in the first user namespace may only make his own process less
 * important, or as important as RLIMIT_NICE and RLIMIT_RTPRIO allow.
 */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/sched.h>
#include <stdio.h>

#include "berth/base/sys.h"
#include "berth/linux/scheduling.h"

/* The first size of the kernel's struct that has utilisation in it. */
static_assert(sizeof(struct sys_sched_attr) == 56, "struct sched_attr of Linux 5.3");

static bool is_deadline(const struct spec_scheduler *scheduler)
{
	return scheduler->policy == SCHED_DEADLINE;
}

static bool is_realtime(const struct spec_scheduler *scheduler)
{
	return scheduler->policy == SCHED_FIFO || scheduler->policy == SCHED_RR;
}

/* Why it may not be set; the kernel says "not permitted" to several things. */
static const char *denial(const struct spec_scheduler *scheduler)
{
	if (is_deadline(scheduler))
		return "needs CAP_SYS_NICE in the first user namespace, and that neither an "
		       "affinity nor linux.resources.cpu.cpus leaves out a processor";
	if (is_realtime(scheduler))
		return "needs CAP_SYS_NICE in the first user namespace or RLIMIT_RTPRIO, and, "
		       "where the kernel gives real-time to groups, a cgroup that has some";
	return "needs CAP_SYS_NICE in the first user namespace or RLIMIT_NICE";
}

/* Empty where the error says it all. */
static const char *reason(const struct spec_scheduler *scheduler, int code)
{
	if (code == -EPERM)
		return denial(scheduler);
	if (code == -EBUSY && is_deadline(scheduler))
		return "so much processor time is not left for this policy";
	if (code == -EINVAL && is_deadline(scheduler))
		return "the kernel takes periods of /proc/sys/kernel/sched_deadline_period_min_us "
		       "to sched_deadline_period_max_us";
	if (code == -EOPNOTSUPP)
		return "the kernel was built without utilization clamping";
	return "";
}

/* "SCHED_FIFO, priority 10" */
static void describe(const struct spec_scheduler *scheduler, char text[static 128])
{
	if (is_deadline(scheduler))
		snprintf(text, 128,
			 "%s, runtime %" PRIu64 " ns, deadline %" PRIu64 " ns, period %" PRIu64
			 " ns",
			 scheduler->policy_name, scheduler->runtime_ns, scheduler->deadline_ns,
			 scheduler->period_ns);
	else if (is_realtime(scheduler))
		snprintf(text, 128, "%s, priority %" PRIu32, scheduler->policy_name,
			 scheduler->priority);
	else
		snprintf(text, 128, "%s, nice %" PRIi32, scheduler->policy_name, scheduler->nice);
}

int scheduler_apply(pid_t pid, const struct spec_scheduler *scheduler, struct error *err)
{
	/* The specification has no field for the utilisation: as its other numbers, it is 0. */
	const struct sys_sched_attr attributes = {
		.size = sizeof(attributes),
		.policy = scheduler->policy,
		.flags = scheduler->flags,
		.nice = scheduler->nice,
		.priority = scheduler->priority,
		.runtime = scheduler->runtime_ns,
		.deadline = scheduler->deadline_ns,
		.period = scheduler->period_ns,
	};
	const char *why;
	char what[128];
	int r = sys_sched_setattr(pid, &attributes);

	if (r >= 0)
		return 0;
	why = reason(scheduler, r);
	describe(scheduler, what);
	return fail(err, r, "process.scheduler: set %s%s%s", what, why[0] ? ": " : "", why);
}
