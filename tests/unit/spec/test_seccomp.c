/* SPDX-License-Identifier: Apache-2.0 */
/* config.json's linux.seccomp. */
#include "unit.h"

#define ALLOW	      "\"defaultAction\": \"SCMP_ACT_ALLOW\""
#define ERRNO	      "\"defaultAction\": \"SCMP_ACT_ERRNO\""
#define RULE(members) ERRNO ", \"syscalls\": [{\"names\": [\"read\"], " members "}]"

static void test_smallest(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	const struct spec_seccomp *seccomp = accept(arena, SECCOMP, ALLOW)->linux.seccomp;

	(void)state;
	assert_int_equal(seccomp->default_action, SECCOMP_ACTION_ALLOW);
	assert_false(seccomp->default_errno_set || seccomp->flags_given);
	assert_null(seccomp->architectures[0]);
	assert_int_equal(seccomp->rule_count, 0);
}

static void test_all_fields(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	const struct spec_seccomp *seccomp =
		accept(arena, SECCOMP,
		       ERRNO ", \"defaultErrnoRet\": 4095, \"flags\": [\"SECCOMP_FILTER_FLAG_LOG\","
			     "\"SECCOMP_FILTER_FLAG_TSYNC\"], \"listenerPath\": \"/nobody\","
			     "\"listenerMetadata\": \"x\", \"architectures\": [\"SCMP_ARCH_X86\","
			     "\"SCMP_ARCH_X32\"], \"syscalls\": [{\"names\": [\"read\", \"write\"],"
			     "\"action\": \"SCMP_ACT_ALLOW\"}, {\"names\": [\"x\"], \"action\":"
			     "\"SCMP_ACT_TRACE\", \"errnoRet\": 0, \"args\": [{\"index\": 5,"
			     "\"value\": 18446744073709551615, \"valueTwo\": 7,"
			     "\"op\": \"SCMP_CMP_MASKED_EQ\"}, {\"index\": 0, \"value\": 0,"
			     "\"op\": \"SCMP_CMP_NE\"}]}]")
			->linux.seccomp;
	const struct spec_seccomp_rule *rules = seccomp->rules;

	(void)state;
	assert_int_equal(seccomp->default_action, SECCOMP_ACTION_ERRNO);
	assert_true(seccomp->default_errno_set && seccomp->default_errno == 4095);
	assert_true(seccomp->flags_given && seccomp->flags == 3);
	assert_false(seccomp->notifies);
	assert_string_equal(seccomp->listener_path, "/nobody");
	assert_string_equal(seccomp->listener_metadata, "x");
	assert_string_equal(seccomp->architectures[1], "SCMP_ARCH_X32");
	assert_null(seccomp->architectures[2]);
	assert_int_equal(seccomp->rule_count, 2);
	assert_string_equal(rules[0].names[1], "write");
	assert_null(rules[0].names[2]);
	assert_int_equal(rules[0].action, SECCOMP_ACTION_ALLOW);
	assert_false(rules[0].errno_set);
	assert_int_equal(rules[0].arg_count, 0);
	assert_int_equal(rules[1].action, SECCOMP_ACTION_TRACE);
	assert_true(rules[1].errno_set && rules[1].errno_ret == 0);
	assert_int_equal(rules[1].arg_count, 2);
	assert_int_equal(rules[1].args[0].index, 5);
	assert_true(rules[1].args[0].value == UINT64_MAX);
	assert_int_equal(rules[1].args[0].value_two, 7);
	assert_int_equal(rules[1].args[0].op, SECCOMP_OPERATOR_MASKED_EQ);
	assert_int_equal(rules[1].args[1].op, SECCOMP_OPERATOR_NE);
}

static void test_notify(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	const struct spec_seccomp *seccomp =
		accept(arena, SECCOMP,
		       "\"defaultAction\": \"SCMP_ACT_NOTIFY\", \"listenerPath\": \"@x\"")
			->linux.seccomp;

	(void)state;
	assert_true(seccomp->notifies);
	assert_string_equal(seccomp->listener_path, "@x");
	assert_null(seccomp->listener_metadata);
	seccomp = accept(arena, SECCOMP,
			 ALLOW ", \"listenerPath\": \"/x\", \"listenerMetadata\": \"\","
			       "\"syscalls\": [{\"names\": [\"a\"], \"action\": \"SCMP_ACT_LOG\"},"
			       "{\"names\": [\"b\"], \"action\": \"SCMP_ACT_NOTIFY\"}]")
			  ->linux.seccomp;
	assert_true(seccomp->notifies);
	assert_null(seccomp->listener_metadata);
	/* Where nobody is asked it may be anything. */
	seccomp = accept(arena, SECCOMP, ALLOW ", \"listenerPath\": \"x\"")->linux.seccomp;
	assert_false(seccomp->notifies);
}

static void test_actions(void **state)
{
	(void)state;
	for (int i = 0; i < SECCOMP_ACTION_MAX; i++) {
		_cleanup_arena_ struct arena *arena = arena_new();
		_cleanup_free_ char *text =
			xasprintf("\"listenerPath\": \"/x\", \"defaultAction\": \"%s\"",
				  seccomp_action_names[i]);

		assert_int_equal(accept(arena, SECCOMP, text)->linux.seccomp->default_action, i);
	}
}

static void test_operators(void **state)
{
	(void)state;
	for (int i = 0; i < SECCOMP_OPERATOR_MAX; i++) {
		_cleanup_arena_ struct arena *arena = arena_new();
		_cleanup_free_ char *text =
			xasprintf(RULE("\"action\": \"SCMP_ACT_ALLOW\", \"args\": [{\"index\": 1,"
				       "\"value\": 2, \"op\": \"%s\"}]"),
				  seccomp_operator_names[i]);

		assert_int_equal(accept(arena, SECCOMP, text)->linux.seccomp->rules[0].args[0].op,
				 i);
	}
}

static void test_flags(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	const struct spec_seccomp *seccomp;

	(void)state;
	for (uint32_t i = 0; seccomp_flag_names[i] != NULL; i++) {
		_cleanup_free_ char *text =
			xasprintf(ALLOW ", \"flags\": [\"%s\"]", seccomp_flag_names[i]);

		assert_int_equal(accept(arena, SECCOMP, text)->linux.seccomp->flags, 1u << i);
	}
	seccomp = accept(arena, SECCOMP, ALLOW ", \"flags\": []")->linux.seccomp;
	assert_true(seccomp->flags_given && seccomp->flags == 0);
}

static void test_architectures(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	size_t count = 0;

	(void)state;
	for (; seccomp_arch_names[count] != NULL; count++) {
		_cleanup_free_ char *text =
			xasprintf(ALLOW ", \"architectures\": [\"%s\"]", seccomp_arch_names[count]);
		const struct spec_seccomp *seccomp = accept(arena, SECCOMP, text)->linux.seccomp;

		assert_string_equal(seccomp->architectures[0], seccomp_arch_names[count]);
	}
	/* As many as the specification lists. */
	assert_int_equal(count, 23);
}

#define ACTIONS                                                                                    \
	"SCMP_ACT_KILL, SCMP_ACT_KILL_PROCESS, SCMP_ACT_KILL_THREAD, SCMP_ACT_TRAP, "              \
	"SCMP_ACT_ERRNO, SCMP_ACT_TRACE, SCMP_ACT_ALLOW, SCMP_ACT_LOG, SCMP_ACT_NOTIFY"
#define ARG(members) RULE("\"action\": \"SCMP_ACT_ALLOW\", \"args\": [{" members "}]")
#define SYSCALL	     "linux.seccomp.syscalls[0]"
#define NO_AGENT     "SCMP_ACT_NOTIFY needs somebody who is asked: linux.seccomp.listenerPath"

static const struct refusal refusals[] = {
	{SECCOMP, "", "linux.seccomp.defaultAction: required, but missing"},
	{SECCOMP, "\"defaultAction\": 1",
	 "linux.seccomp.defaultAction: found a number, must be a string"},
	{SECCOMP, "\"defaultAction\": \"ALLOW\"",
	 "linux.seccomp.defaultAction: \"ALLOW\" is not one of " ACTIONS},
	{SECCOMP, "\"defaultAction\": \"SCMP_ACT_NOTIFY\"",
	 "linux.seccomp.defaultAction: " NO_AGENT},
	{SECCOMP, "\"defaultAction\": \"SCMP_ACT_NOTIFY\", \"listenerPath\": \"\"",
	 "linux.seccomp.defaultAction: " NO_AGENT},
	{SECCOMP, "\"defaultAction\": \"SCMP_ACT_NOTIFY\", \"listenerPath\": \"a.sock\"",
	 "linux.seccomp.listenerPath: \"a.sock\" is neither absolute nor the name of an abstract "
	 "socket (\"@NAME\")"},
	{SECCOMP, "\"defaultAction\": \"SCMP_ACT_NOTIFY\", \"defaultErrnoRet\": 1",
	 "linux.seccomp.defaultErrnoRet: goes with SCMP_ACT_ERRNO or SCMP_ACT_TRACE, not with "
	 "SCMP_ACT_NOTIFY"},
	{SECCOMP, ERRNO ", \"defaultErrnoRet\": 4096",
	 "linux.seccomp.defaultErrnoRet: found 4096, must be a whole number from 0 to 4095"},
	{SECCOMP, ALLOW ", \"defaultErrnoRet\": 1",
	 "linux.seccomp.defaultErrnoRet: goes with SCMP_ACT_ERRNO or SCMP_ACT_TRACE, not with "
	 "SCMP_ACT_ALLOW"},
	{SECCOMP, ALLOW ", \"architectures\": [\"SCMP_ARCH_X86\", \"amd64\"]",
	 "linux.seccomp.architectures[1]: \"amd64\" is not one of SCMP_ARCH_X86, SCMP_ARCH_X86_64, "
	 "SCMP_ARCH_X32, SCMP_ARCH_ARM, SCMP_ARCH_AARCH64, SCMP_ARCH_MIPS, SCMP_ARCH_MIPS64, "
	 "SCMP_ARCH_MIPS64N32, SCMP_ARCH_MIPSEL, SCMP_ARCH_MIPSEL64, SCMP_ARCH_MIPSEL64N32, "
	 "SCMP_ARCH_PPC, SCMP_ARCH_PPC64, SCMP_ARCH_PPC64LE, SCMP_ARCH_S390, SCMP_ARCH_S390X, "
	 "SCMP_ARCH_PARISC, SCMP_ARCH_PARISC64, SCMP_ARCH_RISCV64, SCMP_ARCH_LOONGARCH64, "
	 "SCMP_ARCH_M68K, SCMP_ARCH_SH, SCMP_ARCH_SHEB"},
	{SECCOMP, ALLOW ", \"architectures\": 5",
	 "linux.seccomp.architectures: found a number, must be an array"},
	{SECCOMP, ALLOW ", \"flags\": [\"SECCOMP_FILTER_FLAG_NEW_LISTENER\"]",
	 "linux.seccomp.flags[0]: \"SECCOMP_FILTER_FLAG_NEW_LISTENER\" is not one of "
	 "SECCOMP_FILTER_FLAG_TSYNC, SECCOMP_FILTER_FLAG_LOG, SECCOMP_FILTER_FLAG_SPEC_ALLOW, "
	 "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"},
	{SECCOMP, ALLOW ", \"listenerPath\": 5",
	 "linux.seccomp.listenerPath: found a number, must be a string"},
	{SECCOMP, ALLOW ", \"listenerMetadata\": \"x\"",
	 "linux.seccomp.listenerMetadata: must not be there without listenerPath"},
	{SECCOMP, ALLOW ", \"listenerMetadata\": \"x\", \"listenerPath\": \"\"",
	 "linux.seccomp.listenerMetadata: must not be there without listenerPath"},
	{SECCOMP, ALLOW ", \"listenerMetadata\": []",
	 "linux.seccomp.listenerMetadata: found an array, must be a string"},
	{SECCOMP, ALLOW ", \"syscalls\": [{\"action\": \"SCMP_ACT_LOG\"}]",
	 SYSCALL ".names: required, but missing"},
	{SECCOMP, ALLOW ", \"syscalls\": [{\"names\": [], \"action\": \"SCMP_ACT_LOG\"}]",
	 SYSCALL ".names: must have at least one item"},
	{SECCOMP,
	 ALLOW ", \"syscalls\": [{\"names\": [\"a\", \"\"], \"action\": \"SCMP_ACT_LOG\"}]",
	 SYSCALL ".names[1]: must not be empty"},
	{SECCOMP, ALLOW ", \"syscalls\": [{\"names\": \"read\", \"action\": \"SCMP_ACT_LOG\"}]",
	 SYSCALL ".names: found a string, must be an array"},
	{SECCOMP, ALLOW ", \"syscalls\": [{\"names\": [\"read\"]}]",
	 SYSCALL ".action: required, but missing"},
	{SECCOMP, RULE("\"action\": \"SCMP_ACT_NOTIFY\""), SYSCALL ".action: " NO_AGENT},
	{SECCOMP, RULE("\"action\": \"\""), SYSCALL ".action: \"\" is not one of " ACTIONS},
	{SECCOMP, RULE("\"action\": \"SCMP_ACT_LOG\", \"errnoRet\": 1"),
	 SYSCALL ".errnoRet: goes with SCMP_ACT_ERRNO or SCMP_ACT_TRACE, not with SCMP_ACT_LOG"},
	{SECCOMP, RULE("\"action\": \"SCMP_ACT_ERRNO\", \"errnoRet\": -1"),
	 SYSCALL ".errnoRet: found -1, must be a whole number from 0 to 4095"},
	{SECCOMP, RULE("\"action\": \"SCMP_ACT_ERRNO\", \"args\": {}"),
	 SYSCALL ".args: found an object, must be an array"},
	{SECCOMP, ARG("\"value\": 1, \"op\": \"SCMP_CMP_EQ\""),
	 SYSCALL ".args[0].index: required, but missing"},
	{SECCOMP, ARG("\"index\": 6, \"value\": 1, \"op\": \"SCMP_CMP_EQ\""),
	 SYSCALL ".args[0].index: found 6, must be a whole number from 0 to 5"},
	{SECCOMP, ARG("\"index\": 0, \"op\": \"SCMP_CMP_EQ\""),
	 SYSCALL ".args[0].value: required, but missing"},
	{SECCOMP, ARG("\"index\": 0, \"value\": -1, \"op\": \"SCMP_CMP_EQ\""),
	 SYSCALL ".args[0].value: found -1, must be a whole number from 0 to "
		 "18446744073709551615"},
	{SECCOMP, ARG("\"index\": 0, \"value\": 1"), SYSCALL ".args[0].op: required, but missing"},
	{SECCOMP, ARG("\"index\": 0, \"value\": 1, \"op\": \"==\""),
	 SYSCALL ".args[0].op: \"==\" is not one of SCMP_CMP_NE, SCMP_CMP_LT, SCMP_CMP_LE, "
		 "SCMP_CMP_EQ, SCMP_CMP_GE, SCMP_CMP_GT, SCMP_CMP_MASKED_EQ"},
};

static void test_refusals(void **state)
{
	(void)state;
	reject_all(refusals, ARRAY_SIZE(refusals));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_smallest),      cmocka_unit_test(test_all_fields),
		cmocka_unit_test(test_notify),	      cmocka_unit_test(test_actions),
		cmocka_unit_test(test_operators),     cmocka_unit_test(test_flags),
		cmocka_unit_test(test_architectures), cmocka_unit_test(test_refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
