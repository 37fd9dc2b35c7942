/* SPDX-License-Identifier: Apache-2.0 */
/* Scheduling policies and priorities of I/O: set, and refused with the reason. */
#include <linux/ioprio.h>
#include <linux/sched.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "berth/base/str.h"
#include "berth/linux/scheduling.h"

#include "unit.h"

/* Whoever runs the tests may be as nice already, and may not go back. */
static const struct spec_scheduler batch = {
	.policy = SCHED_BATCH, .policy_name = "SCHED_BATCH", .nice = 19};

/* What everybody may do to his own process. */
static void child_less_important(void *argument)
{
	const struct spec_io_priority idle = {IOPRIO_CLASS_IDLE, "IOPRIO_CLASS_IDLE", 3};
	const struct spec_io_priority normal = {IOPRIO_CLASS_BE, "IOPRIO_CLASS_BE", 6};
	struct error err = ERROR_NONE;

	(void)argument;
	if (geteuid() == 0)
		child_assert(setresuid(1234, 1234, 1234) == 0);
	child_assert(scheduler_apply(0, &batch, &err) == 0);
	child_assert(sched_getscheduler(0) == SCHED_BATCH);
	child_assert(getpriority(PRIO_PROCESS, 0) == 19);
	child_assert(io_priority_apply(0, &normal, &err) == 0);
	child_assert(syscall(SYS_ioprio_get, IOPRIO_WHO_PROCESS, 0) ==
		     (IOPRIO_CLASS_BE << IOPRIO_CLASS_SHIFT | 6));
	child_assert(io_priority_apply(0, &idle, &err) == 0);
	child_assert(syscall(SYS_ioprio_get, IOPRIO_WHO_PROCESS, 0) >> IOPRIO_CLASS_SHIFT ==
		     IOPRIO_CLASS_IDLE);
}

/* What takes more: the text says what is missing. */
static void child_refused(void *argument)
{
	const struct {
		struct spec_scheduler scheduler;
		const char *text;
	} cases[] = {
		{{.policy = SCHED_OTHER, .policy_name = "SCHED_OTHER", .nice = -5},
		 "process.scheduler: set SCHED_OTHER, nice -5: needs CAP_SYS_NICE in the first "
		 "user "
		 "namespace or RLIMIT_NICE: Operation not permitted"},
		{{.policy = SCHED_FIFO, .policy_name = "SCHED_FIFO", .priority = 9},
		 "process.scheduler: set SCHED_FIFO, priority 9: needs CAP_SYS_NICE in the first "
		 "user namespace or RLIMIT_RTPRIO, "},
		{{.policy = SCHED_DEADLINE,
		  .policy_name = "SCHED_DEADLINE",
		  .runtime_ns = 1000000,
		  .deadline_ns = 20000000,
		  .period_ns = 30000000},
		 "process.scheduler: set SCHED_DEADLINE, runtime 1000000 ns, deadline 20000000 ns, "
		 "period 30000000 ns: needs CAP_SYS_NICE in the first user namespace, and that "},
	};
	const struct spec_io_priority realtime = {IOPRIO_CLASS_RT, "IOPRIO_CLASS_RT", 2};
	const struct rlimit none = {0, 0};
	struct error err = ERROR_NONE;

	(void)argument;
	child_assert(setrlimit(RLIMIT_NICE, &none) == 0 && setrlimit(RLIMIT_RTPRIO, &none) == 0);
	if (geteuid() == 0)
		child_assert(setresuid(1234, 1234, 1234) == 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		child_assert(scheduler_apply(0, &cases[i].scheduler, &err) == -EPERM);
		child_assert(str_starts(err.text, cases[i].text));
	}
	child_assert(io_priority_apply(0, &realtime, &err) == -EPERM);
	child_assert(str_equal(
		err.text, "process.ioPriority: set IOPRIO_CLASS_RT, 2: this class needs "
			  "CAP_SYS_NICE in the first user namespace: Operation not permitted"));
	/* Another one's process. */
	child_assert(scheduler_apply(1, &batch, &err) == -EPERM);
}

/* What is wrong with the kernel or the moment, not with the rights. */
static void child_impossible(void *argument)
{
	const struct spec_scheduler slow = {
		.policy = SCHED_DEADLINE,
		.policy_name = "SCHED_DEADLINE",
		.runtime_ns = 1000000,
		.deadline_ns = 20000000,
		.period_ns = INT64_MAX,
	};
	struct error err = ERROR_NONE;

	(void)argument;
	child_assert(scheduler_apply(0, &slow, &err) == -EINVAL);
	child_assert(strstr(err.text, "sched_deadline_period_max_us: Invalid argument"));
	child_assert(scheduler_apply(-1, &batch, &err) == -EINVAL);
	child_assert(str_equal(err.text,
			       "process.scheduler: set SCHED_BATCH, nice 19: Invalid argument"));
}

static void test_less_important(void **state)
{
	(void)state;
	needs_kernel();
	in_child(child_less_important, NULL);
}

static void test_refused(void **state)
{
	(void)state;
	needs_kernel();
	in_child(child_refused, NULL);
}

static void test_impossible(void **state)
{
	(void)state;
	needs_kernel();
	in_child(child_impossible, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_less_important),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_impossible),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
