/* SPDX-License-Identifier: Apache-2.0 */
/* config.json's process.scheduler and process.ioPriority. */
#include <linux/ioprio.h>
#include <linux/sched.h>
#include <sched.h>

#include "unit.h"

static const struct spec_process *with(struct arena *arena, const char *text)
{
	return accept(arena, PROCESS, text)->process;
}

static void test_absent(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	const struct spec_process *process = with(arena, "\"scheduler\": null");

	(void)state;
	assert_null(process->scheduling.scheduler);
	assert_null(process->scheduling.io_priority);
}

static void test_policies(void **state)
{
	static const struct {
		const char *text;
		uint32_t policy;
	} cases[] = {
		{"\"SCHED_OTHER\", \"nice\": -20", SCHED_OTHER},
		{"\"SCHED_FIFO\", \"priority\": 1", SCHED_FIFO},
		{"\"SCHED_RR\", \"priority\": 99", SCHED_RR},
		{"\"SCHED_BATCH\", \"nice\": 19, \"priority\": 0, \"period\": 0", SCHED_BATCH},
		{"\"SCHED_IDLE\", \"flags\": []", SCHED_IDLE},
		{"\"SCHED_DEADLINE\", \"runtime\": 1024, \"deadline\": 1024", SCHED_DEADLINE},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_arena_ struct arena *arena = arena_new();
		_cleanup_free_ char *text =
			xasprintf("\"scheduler\": {\"policy\": %s}", cases[i].text);
		const struct spec_scheduler *scheduler = with(arena, text)->scheduling.scheduler;

		assert_int_equal(scheduler->policy, cases[i].policy);
		assert_memory_equal(scheduler->policy_name, cases[i].text + 1,
				    strlen(scheduler->policy_name));
		assert_int_equal(scheduler->flags, 0);
	}
}

static void test_all_numbers(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	const struct spec_scheduler *scheduler =
		with(arena, "\"scheduler\": {\"policy\": \"SCHED_DEADLINE\", \"nice\": -3,"
			    "\"runtime\": 5000000000, \"deadline\": 6000000000,"
			    "\"period\": 9223372036854775807}")
			->scheduling.scheduler;

	(void)state;
	assert_int_equal(scheduler->nice, -3);
	assert_int_equal(scheduler->priority, 0);
	assert_int_equal(scheduler->runtime_ns, 5000000000);
	assert_int_equal(scheduler->deadline_ns, 6000000000);
	assert_int_equal(scheduler->period_ns, INT64_MAX);
}

/* Each name is the kernel's bit. */
static void test_flags(void **state)
{
	static const struct {
		const char *name;
		uint64_t flag;
	} cases[] = {
		{"RESET_ON_FORK", SCHED_FLAG_RESET_ON_FORK},
		{"RECLAIM", SCHED_FLAG_RECLAIM},
		{"DL_OVERRUN", SCHED_FLAG_DL_OVERRUN},
		{"KEEP_POLICY", SCHED_FLAG_KEEP_POLICY},
		{"KEEP_PARAMS", SCHED_FLAG_KEEP_PARAMS},
		{"UTIL_CLAMP_MIN", SCHED_FLAG_UTIL_CLAMP_MIN},
		{"UTIL_CLAMP_MAX", SCHED_FLAG_UTIL_CLAMP_MAX},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_arena_ struct arena *arena = arena_new();
		_cleanup_free_ char *text = xasprintf(
			"\"scheduler\": {\"policy\": \"SCHED_DEADLINE\", \"runtime\": 2000,"
			"\"deadline\": 3000, \"flags\": [\"SCHED_FLAG_%s\","
			" \"SCHED_FLAG_RESET_ON_FORK\"]}",
			cases[i].name);

		assert_int_equal(with(arena, text)->scheduling.scheduler->flags,
				 cases[i].flag | SCHED_FLAG_RESET_ON_FORK);
	}
}

/* What the process has already decides then, which the document does not know. */
static void test_kept(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();

	(void)state;
	with(arena, "\"scheduler\": {\"policy\": \"SCHED_FIFO\","
		    "\"flags\": [\"SCHED_FLAG_KEEP_PARAMS\"]}");
	with(arena, "\"scheduler\": {\"policy\": \"SCHED_OTHER\", \"priority\": 5,"
		    "\"flags\": [\"SCHED_FLAG_KEEP_POLICY\"]}");
}

static void test_io_priority(void **state)
{
	static const struct {
		const char *name;
		int number;
	} classes[] = {
		{"RT", IOPRIO_CLASS_RT},
		{"BE", IOPRIO_CLASS_BE},
		{"IDLE", IOPRIO_CLASS_IDLE},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(classes); i++) {
		_cleanup_arena_ struct arena *arena = arena_new();
		_cleanup_free_ char *text =
			xasprintf("\"ioPriority\": {\"class\": \"IOPRIO_CLASS_%s\","
				  " \"priority\": %zu}",
				  classes[i].name, 7 - i);
		_cleanup_free_ char *bare = xasprintf(
			"\"ioPriority\": {\"class\": \"IOPRIO_CLASS_%s\"}", classes[i].name);
		const struct spec_io_priority *priority = with(arena, text)->scheduling.io_priority;

		assert_int_equal(priority->class_number, classes[i].number);
		assert_string_equal(priority->class_name + strlen("IOPRIO_CLASS_"),
				    classes[i].name);
		assert_int_equal(priority->level, 7 - i);
		assert_int_equal(with(arena, bare)->scheduling.io_priority->level, 0);
	}
}

#define POLICY(name, more)                                                                         \
	PROCESS, "\"scheduler\": {\"policy\": \"SCHED_" name "\"" more "}", "process.scheduler."
#define FLAGS                                                                                      \
	"SCHED_FLAG_RESET_ON_FORK, SCHED_FLAG_RECLAIM, SCHED_FLAG_DL_OVERRUN, "                    \
	"SCHED_FLAG_KEEP_POLICY, SCHED_FLAG_KEEP_PARAMS, SCHED_FLAG_UTIL_CLAMP_MIN, "              \
	"SCHED_FLAG_UTIL_CLAMP_MAX"
#define POLICIES "SCHED_OTHER, SCHED_FIFO, SCHED_RR, SCHED_BATCH, SCHED_IDLE, SCHED_DEADLINE"
#define TIME	 "must be a whole number from 0 to 9223372036854775807"

static const struct refusal refusals[] = {
	{PROCESS, "\"scheduler\": []", "process.scheduler: found an array, must be an object"},
	{PROCESS, "\"scheduler\": {}", "process.scheduler.policy: required, but missing"},
	{PROCESS, "\"scheduler\": {\"policy\": 0}",
	 "process.scheduler.policy: found a number, must be a string"},
	{PROCESS, "\"scheduler\": {\"policy\": \"\"}",
	 "process.scheduler.policy: \"\" is not one of " POLICIES},
	{POLICY("NORMAL", "") "policy: \"SCHED_NORMAL\" is not one of " POLICIES},
	{POLICY("ISO", "") "policy: \"SCHED_ISO\": Linux has no such policy"},
	{POLICY("OTHER", ", \"nice\": 20") "nice: found 20, must be a whole number from -20 to 19"},
	{POLICY("FIFO",
		", \"nice\": -21") "nice: found -21, must be a whole number from -20 to 19"},
	{POLICY("OTHER",
		", \"nice\": 1.5") "nice: found 1.5, must be a whole number from -20 to 19"},
	{POLICY("FIFO", "") "priority: SCHED_FIFO needs one from 1 to 99"},
	{POLICY("RR", ", \"priority\": 0") "priority: SCHED_RR needs one from 1 to 99"},
	{POLICY("RR",
		", \"priority\": 100") "priority: found 100, must be a whole number from 0 to 99"},
	{POLICY("RR",
		", \"priority\": -1") "priority: found -1, must be a whole number from 0 to 99"},
	{POLICY("IDLE", ", \"priority\": 1") "priority: goes with SCHED_FIFO or SCHED_RR, not with "
					     "SCHED_IDLE"},
	{POLICY("DEADLINE",
		", \"priority\": 1, \"runtime\": 2000, \"deadline\": 2000") "priority: goes with "
									    "SCHED_FIFO or "
									    "SCHED_RR, not with "
									    "SCHED_DEADLINE"},
	{POLICY("OTHER",
		", \"flags\": \"SCHED_FLAG_RECLAIM\"") "flags: found a string, must be an array"},
	{POLICY("OTHER",
		", \"flags\": [\"SCHED_FLAG_KEEP_PARAMS\", \"KEEP\"]") "flags[1]: \"KEEP\" is not "
								       "one of " FLAGS},
	{POLICY("OTHER",
		", \"flags\": [\"SCHED_FLAG_RECLAIM\"]") "flags: SCHED_FLAG_RECLAIM goes with "
							 "SCHED_DEADLINE, not with SCHED_OTHER"},
	{POLICY("OTHER", ", \"flags\": [\"SCHED_FLAG_DL_OVERRUN\"]") "flags: SCHED_FLAG_DL_OVERRUN "
								     "goes with SCHED_DEADLINE, "
								     "not with SCHED_OTHER"},
	{POLICY("BATCH",
		", \"runtime\": 1") "runtime: goes with SCHED_DEADLINE, not with SCHED_BATCH"},
	{POLICY("BATCH",
		", \"deadline\": 1") "deadline: goes with SCHED_DEADLINE, not with SCHED_BATCH"},
	{POLICY("BATCH",
		", \"period\": 1") "period: goes with SCHED_DEADLINE, not with SCHED_BATCH"},
	{POLICY("DEADLINE", "") "runtime: SCHED_DEADLINE needs 1024 ns at least"},
	{POLICY("DEADLINE", ", \"runtime\": 1023, \"deadline\": 2000") "runtime: SCHED_DEADLINE "
								       "needs 1024 ns at least"},
	{POLICY("DEADLINE", ", \"runtime\": 2000") "deadline: 0 is less than the runtime, 2000"},
	{POLICY("DEADLINE", ", \"runtime\": 2000, \"deadline\": 1999") "deadline: 1999 is less "
								       "than the runtime, 2000"},
	{POLICY("DEADLINE",
		", \"runtime\": 2000, \"deadline\": 2001, \"period\": 2000") "deadline: 2001 is "
									     "more than the "
									     "period, 2000"},
	{POLICY("DEADLINE", ", \"runtime\": -1") "runtime: found -1, " TIME},
	{POLICY("DEADLINE",
		", \"period\": 9223372036854775808") "period: found 9223372036854775808, " TIME},
	{PROCESS, "\"ioPriority\": 4", "process.ioPriority: found a number, must be an object"},
	{PROCESS, "\"ioPriority\": {\"priority\": 4}",
	 "process.ioPriority.class: required, but missing"},
	{PROCESS, "\"ioPriority\": {\"class\": \"IOPRIO_CLASS_NONE\"}",
	 "process.ioPriority.class: \"IOPRIO_CLASS_NONE\" is not one of "
	 "IOPRIO_CLASS_RT, IOPRIO_CLASS_BE, IOPRIO_CLASS_IDLE"},
	{PROCESS, "\"ioPriority\": {\"class\": 2}",
	 "process.ioPriority.class: found a number, must be a string"},
	{PROCESS, "\"ioPriority\": {\"class\": \"IOPRIO_CLASS_BE\", \"priority\": 8}",
	 "process.ioPriority.priority: found 8, must be a whole number from 0 to 7"},
	{PROCESS, "\"ioPriority\": {\"class\": \"IOPRIO_CLASS_BE\", \"priority\": -1}",
	 "process.ioPriority.priority: found -1, must be a whole number from 0 to 7"},
};

static void test_refusals(void **state)
{
	(void)state;
	reject_all(refusals, ARRAY_SIZE(refusals));
}

#define HOOKED(flags)                                                                              \
	"\"process\": {\"cwd\": \"/\", \"args\": [\"sh\"], \"scheduler\": {"                       \
	"\"policy\": \"SCHED_DEADLINE\", \"runtime\": 2000, \"deadline\": 3000, \"flags\": "       \
	"[" flags "]}}, \"hooks\": {\"startContainer\": [{\"path\": \"/bin/true\"}]},"

/* The hooks would be forked by a process that may not fork. */
static void test_hooks_of_deadline(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();

	(void)state;
	reject(TOP, HOOKED(""),
	       "process.scheduler: hooks.startContainer cannot run: with SCHED_DEADLINE the kernel "
	       "makes no further process, unless flags has SCHED_FLAG_RESET_ON_FORK");
	accept(arena, TOP, HOOKED("\"SCHED_FLAG_RESET_ON_FORK\""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_absent),	    cmocka_unit_test(test_policies),
		cmocka_unit_test(test_all_numbers), cmocka_unit_test(test_flags),
		cmocka_unit_test(test_kept),	    cmocka_unit_test(test_io_priority),
		cmocka_unit_test(test_refusals),    cmocka_unit_test(test_hooks_of_deadline),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
