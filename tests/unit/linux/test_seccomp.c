/* SPDX-License-Identifier: Apache-2.0 */
/*
 * System call filters: what a compiled program answers, compared with a direct reading of the
 * specification for every system call number; and what the kernel does with it.
 */
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "berth/base/alloc.h"
#include "berth/base/str.h"
#include "berth/linux/seccomp.h"

#include "interpreter.h"
#include "seccomp-internal.h"
#include "unit.h"

#define CALLS_MAX 700
#define X32_BIT	  0x40000000u

/* --- the specification, read directly ------------------------------------------------------ */

static bool holds(const struct spec_seccomp_arg *arg, uint64_t value)
{
	switch (arg->op) {
	case SECCOMP_OPERATOR_NE:
		return value != arg->value;
	case SECCOMP_OPERATOR_LT:
		return value < arg->value;
	case SECCOMP_OPERATOR_LE:
		return value <= arg->value;
	case SECCOMP_OPERATOR_EQ:
		return value == arg->value;
	case SECCOMP_OPERATOR_GE:
		return value >= arg->value;
	case SECCOMP_OPERATOR_GT:
		return value > arg->value;
	case SECCOMP_OPERATOR_MASKED_EQ:
		return (value & arg->value) == arg->value_two;
	case SECCOMP_OPERATOR_MAX:
	default:
		return false;
	}
}

static bool rule_holds(const struct spec_seccomp_rule *rule, const struct seccomp_data *data)
{
	unsigned seen = 0;
	bool repeats = false;
	size_t held = 0;

	for (size_t i = 0; i < rule->arg_count; i++) {
		repeats |= seen & (1u << rule->args[i].index);
		seen |= 1u << rule->args[i].index;
		held += holds(&rule->args[i], data->args[rule->args[i].index]);
	}
	return repeats ? held > 0 : held == rule->arg_count;
}

static uint32_t answer(enum seccomp_action action, uint32_t number)
{
	static const uint32_t answers[] = {
		[SECCOMP_ACTION_KILL] = SECCOMP_RET_KILL_THREAD,
		[SECCOMP_ACTION_KILL_PROCESS] = SECCOMP_RET_KILL_PROCESS,
		[SECCOMP_ACTION_KILL_THREAD] = SECCOMP_RET_KILL_THREAD,
		[SECCOMP_ACTION_TRAP] = SECCOMP_RET_TRAP,
		[SECCOMP_ACTION_ERRNO] = SECCOMP_RET_ERRNO,
		[SECCOMP_ACTION_TRACE] = SECCOMP_RET_TRACE,
		[SECCOMP_ACTION_ALLOW] = SECCOMP_RET_ALLOW,
		[SECCOMP_ACTION_LOG] = SECCOMP_RET_LOG,
		[SECCOMP_ACTION_NOTIFY] = SECCOMP_RET_USER_NOTIF,
	};
	bool numbered = action == SECCOMP_ACTION_ERRNO || action == SECCOMP_ACTION_TRACE;

	return answers[action] | (numbered ? number : 0);
}

static bool names_arch(const struct spec_seccomp *spec, const char *arch)
{
	for (size_t i = 0; spec->architectures && spec->architectures[i]; i++) {
		if (str_equal(spec->architectures[i], arch))
			return true;
	}
	return false;
}

/* Which architecture of libseccomp a call is of; 0: none that the filter has. */
static uint32_t arch_of(const struct spec_seccomp *spec, const struct seccomp_data *data)
{
	if (data->arch == AUDIT_ARCH_I386)
		return names_arch(spec, "SCMP_ARCH_X86") ? SCMP_ARCH_X86 : 0;
	if (data->arch != AUDIT_ARCH_X86_64)
		return 0;
	if ((uint32_t)data->nr < X32_BIT)
		return SCMP_ARCH_X86_64;
	return names_arch(spec, "SCMP_ARCH_X32") ? SCMP_ARCH_X32 : 0;
}

static uint32_t expected(const struct spec_seccomp *spec, const struct seccomp_data *data)
{
	uint32_t arch = arch_of(spec, data), number = (uint32_t)data->nr & ~X32_BIT;
	uint32_t def =
		answer(spec->default_action, spec->default_errno_set ? spec->default_errno : EPERM);
	int64_t newest = -1;

	if (!arch)
		return SECCOMP_RET_KILL_THREAD;
	for (size_t i = 0; i < spec->rule_count; i++) {
		const struct spec_seccomp_rule *rule = &spec->rules[i];
		uint32_t verdict = answer(rule->action, rule->errno_set ? rule->errno_ret : EPERM);

		for (const char *const *name = rule->names; *name; name++) {
			int call = seccomp_syscall_resolve_name_arch(arch, *name);

			if (call < 0)
				continue;
			call &= ~(int)X32_BIT;
			newest = call > newest ? call : newest;
			if ((uint32_t)call == number && verdict != def && rule_holds(rule, data))
				return verdict;
		}
	}
	if (newest >= 0 && (int64_t)number > newest && spec->default_action == SECCOMP_ACTION_ERRNO)
		return SECCOMP_RET_ERRNO | ENOSYS;
	return def;
}

/* --- random filters ------------------------------------------------------------------------ */

static uint64_t random_state = 20261124;

static uint64_t next_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static uint32_t below(uint32_t limit)
{
	return (uint32_t)(next_random() >> 11) % limit;
}

static const char *const archs_native[] = {"SCMP_ARCH_X86_64", NULL};
static const char *const archs_docker[] = {"SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32",
					   NULL};

/* Calls that one 32-bit call of another name may stand for (socketcall, ipc) are left out. */
static bool is_multiplexed(const char *name)
{
	return seccomp_syscall_resolve_name_arch(SCMP_ARCH_X86, name) < -1 ||
	       strstr(name, "sock") || strstr(name, "send") || strstr(name, "recv") ||
	       strstr(name, "bind") || strstr(name, "listen") || strstr(name, "accept") ||
	       strstr(name, "connect") || strstr(name, "shutdown") || strstr(name, "sem") ||
	       strstr(name, "msg") || strstr(name, "shm") || str_equal(name, "ipc");
}

static void random_args(struct arena *arena, struct spec_seccomp_rule *rule)
{
	struct spec_seccomp_arg *args;

	rule->arg_count = below(2) ? 0 : 1 + below(3);
	args = arena_alloc(arena, rule->arg_count + 1, sizeof(*args));
	for (size_t i = 0; i < rule->arg_count; i++) {
		args[i].index = below(SECCOMP_ARGS_MAX);
		args[i].op = (enum seccomp_operator)below(SECCOMP_OPERATOR_MAX);
		args[i].value = next_random() & 0xffff;
		if (args[i].op == SECCOMP_OPERATOR_MASKED_EQ)
			args[i].value_two = args[i].value & next_random();
	}
	rule->args = args;
}

/* Each call is in one rule at most: which of two rules wins is libseccomp's business. */
static void random_rules(struct arena *arena, struct spec_seccomp *spec)
{
	struct spec_seccomp_rule *rules = arena_alloc(arena, 8, sizeof(*rules));
	uint32_t top = 40 + below(420);

	spec->rule_count = 1 + below(8);
	for (size_t i = 0; i < spec->rule_count; i++) {
		rules[i].action = (enum seccomp_action)below(SECCOMP_ACTION_MAX);
		rules[i].errno_set = below(2);
		rules[i].errno_ret = 1 + below(100);
		rules[i].names = arena_alloc(arena, top + 2, sizeof(char *));
		random_args(arena, &rules[i]);
	}
	for (uint32_t call = 0; call < top; call++) {
		_cleanup_free_ char *name =
			seccomp_syscall_resolve_num_arch(SCMP_ARCH_X86_64, (int)call);
		const char **names;
		size_t n = 0;

		if (!name || is_multiplexed(name) || below(3) == 0)
			continue;
		names = (const char **)rules[below((uint32_t)spec->rule_count)].names;
		while (names[n])
			n++;
		names[n] = arena_strdup(arena, name);
	}
	for (size_t i = 0; i < spec->rule_count; i++) {
		if (!rules[i].names[0])
			((const char **)rules[i].names)[0] = "a_call_that_no_kernel_has";
	}
	spec->rules = rules;
}

static struct spec_seccomp random_spec(struct arena *arena)
{
	struct spec_seccomp spec = {
		.default_action = below(2) ? SECCOMP_ACTION_ERRNO
					   : (enum seccomp_action)below(SECCOMP_ACTION_MAX),
		.default_errno_set = below(2),
		.default_errno = 1 + below(20),
		.architectures = below(2) ? archs_docker : archs_native,
	};

	random_rules(arena, &spec);
	return spec;
}

/* Arguments near the values that the filter compares with. */
static void random_data(const struct spec_seccomp *spec, struct seccomp_data *data)
{
	/* libseccomp compares 32 bits of the arguments of x32, too. */
	bool narrow = data->arch == AUDIT_ARCH_I386 || (uint32_t)data->nr >= X32_BIT;

	for (size_t i = 0; i < SECCOMP_ARGS_MAX; i++) {
		const struct spec_seccomp_rule *rule =
			&spec->rules[below((uint32_t)spec->rule_count)];
		uint64_t value = below(0x10000);

		if (rule->arg_count && below(4))
			value = rule->args[below((uint32_t)rule->arg_count)].value + below(3) - 1;
		if (!narrow && below(4) == 0)
			value |= (uint64_t)below(16) << 32;
		data->args[i] = narrow ? (uint32_t)value : value;
	}
}

static void compare(const struct spec_seccomp *spec, const struct seccomp_program *program,
		    uint32_t arch, uint32_t number)
{
	struct seccomp_data data = {.arch = arch, .nr = (int)number};

	for (int i = 0; i < 3; i++) {
		uint32_t wanted, got;

		random_data(spec, &data);
		wanted = expected(spec, &data);
		got = run(program, &data);
		if (wanted != got)
			fail_msg("arch 0x%x call %u: the program answers 0x%x, not 0x%x\n", arch,
				 number, got, wanted);
	}
}

static void test_programs_answer_as_specified(void **state)
{
	(void)state;
	needs_kernel();

	for (int round = 0; round < 60; round++) {
		_cleanup_arena_ struct arena *arena = arena_new();
		struct spec_seccomp spec = random_spec(arena);
		struct seccomp_program program;
		struct error err = ERROR_NONE;

		if (seccomp_prepare(&spec, -1, &program, &err) < 0)
			fail_msg("%s\n", err.text);
		for (uint32_t call = 0; call < CALLS_MAX; call++) {
			compare(&spec, &program, AUDIT_ARCH_X86_64, call);
			compare(&spec, &program, AUDIT_ARCH_X86_64, call | X32_BIT);
			compare(&spec, &program, AUDIT_ARCH_I386, call);
			compare(&spec, &program, AUDIT_ARCH_AARCH64, call);
		}
		compare(&spec, &program, AUDIT_ARCH_X86_64, X32_BIT - 1);
		seccomp_program_done(&program);
	}
}

/* --- single properties --------------------------------------------------------------------- */

static const char *const names_some[] = {"read", "write", "exit_group", "no_such_call", NULL};

static const struct spec_seccomp_rule rules_some[] = {
	{.names = names_some, .action = SECCOMP_ACTION_ALLOW},
};

static struct spec_seccomp spec_some(void)
{
	return (struct spec_seccomp){
		.default_action = SECCOMP_ACTION_ERRNO,
		.rules = rules_some,
		.rule_count = 1,
	};
}

static uint32_t ask(const struct spec_seccomp *spec, int number)
{
	const struct seccomp_data data = {.arch = AUDIT_ARCH_X86_64, .nr = number};
	struct seccomp_program program;
	struct error err = ERROR_NONE;
	uint32_t got;

	assert_int_equal(seccomp_prepare(spec, -1, &program, &err), 0);
	got = run(&program, &data);
	seccomp_program_done(&program);
	return got;
}

static void test_newer_calls_get_enosys(void **state)
{
	(void)state;
	needs_kernel();

	struct spec_seccomp spec = spec_some();

	assert_int_equal(ask(&spec, SYS_write), SECCOMP_RET_ALLOW);
	assert_int_equal(ask(&spec, SYS_open), SECCOMP_RET_ERRNO | EPERM);
	assert_int_equal(ask(&spec, SYS_exit_group), SECCOMP_RET_ALLOW);
	assert_int_equal(ask(&spec, SYS_exit_group + 1), SECCOMP_RET_ERRNO | ENOSYS);
	assert_int_equal(ask(&spec, 100000), SECCOMP_RET_ERRNO | ENOSYS);
	/* x32 is not among the architectures; -1 is what a tracer makes of a call that it skips. */
	assert_int_equal(ask(&spec, (int)(X32_BIT | SYS_write)), SECCOMP_RET_KILL_THREAD);
	assert_int_equal(ask(&spec, -1), SECCOMP_RET_ERRNO | EPERM);
	/* Other default actions say what they say. */
	spec.default_action = SECCOMP_ACTION_TRAP;
	assert_int_equal(ask(&spec, 100000), SECCOMP_RET_TRAP);
	spec.default_action = SECCOMP_ACTION_LOG;
	assert_int_equal(ask(&spec, 100000), SECCOMP_RET_LOG);
}

static void test_default_action_needs_no_rule(void **state)
{
	(void)state;
	needs_kernel();

	struct spec_seccomp spec = spec_some();

	spec.default_action = SECCOMP_ACTION_ALLOW;
	assert_int_equal(ask(&spec, SYS_write), SECCOMP_RET_ALLOW);
	assert_int_equal(ask(&spec, SYS_open), SECCOMP_RET_ALLOW);
}

static void test_flags(void **state)
{
	(void)state;
	needs_kernel();

	struct spec_seccomp spec = spec_some();
	struct seccomp_program program;
	struct error err = ERROR_NONE;

	assert_int_equal(seccomp_prepare(&spec, -1, &program, &err), 0);
	assert_int_equal(program.flags, SECCOMP_FILTER_FLAG_SPEC_ALLOW);
	seccomp_program_done(&program);
	spec.flags_given = true;
	assert_int_equal(seccomp_prepare(&spec, -1, &program, &err), 0);
	assert_int_equal(program.flags, 0);
	seccomp_program_done(&program);
	spec.flags = ~0u; /* each flag that has a name */
	assert_int_equal(seccomp_prepare(&spec, -1, &program, &err), 0);
	assert_int_equal(program.flags, SECCOMP_FILTER_FLAG_LOG | SECCOMP_FILTER_FLAG_SPEC_ALLOW);
	seccomp_program_done(&program);
}

static void test_no_filter(void **state)
{
	struct seccomp_listener listener;
	struct seccomp_program program;
	struct error err = ERROR_NONE;

	(void)state;
	assert_int_equal(seccomp_prepare(NULL, -1, &program, &err), 0);
	assert_null(program.instructions);
	assert_int_equal(seccomp_apply(&program, &listener, &err), 0);
	seccomp_program_done(&program);
}

static void test_errors_name_the_path(void **state)
{
	(void)state;
	needs_kernel();

	static const char *const unknown[] = {"SCMP_ARCH_X86", "SCMP_ARCH_NONSENSE", NULL};
	static const char *const other_order[] = {"SCMP_ARCH_MIPS", NULL};
	struct spec_seccomp spec = spec_some();
	struct seccomp_program program;
	struct error err = ERROR_NONE;

	spec.architectures = unknown;
	assert_true(seccomp_prepare(&spec, -1, &program, &err) < 0);
	assert_non_null(strstr(err.text, "linux.seccomp.architectures[1]: "));
	assert_non_null(strstr(err.text, "SCMP_ARCH_NONSENSE"));
	spec.architectures = other_order;
	assert_true(seccomp_prepare(&spec, -1, &program, &err) < 0);
	assert_non_null(strstr(err.text, "byte order"));
}

/* Every name of an architecture that this libseccomp has is found. */
static void test_architectures(void **state)
{
	(void)state;
	needs_kernel();

	static const char *const little[] = {"SCMP_ARCH_X86",
					     "SCMP_ARCH_X86_64",
					     "SCMP_ARCH_X32",
					     "SCMP_ARCH_ARM",
					     "SCMP_ARCH_AARCH64",
					     "SCMP_ARCH_MIPSEL",
					     "SCMP_ARCH_MIPSEL64",
					     "SCMP_ARCH_MIPSEL64N32",
					     "SCMP_ARCH_PPC64LE",
					     "SCMP_ARCH_RISCV64",
					     NULL};
	struct spec_seccomp spec = spec_some();
	struct seccomp_program program;
	struct error err = ERROR_NONE;
	const struct seccomp_data data = {.arch = AUDIT_ARCH_ARM, .nr = 0x0f0002};

	spec.architectures = little;
	assert_int_equal(seccomp_prepare(&spec, -1, &program, &err), 0);
	/* ARM's own calls lie above all others, and are not newer than anything. */
	assert_int_equal(run(&program, &data), SECCOMP_RET_ERRNO | EPERM);
	seccomp_program_done(&program);
}

static void child_filtered(void *program)
{
	struct seccomp_listener listener;
	struct error err = ERROR_NONE;

	child_assert(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	child_assert(seccomp_apply(program, &listener, &err) == 0);
	child_assert(syscall(SYS_getppid) == -1 && errno == ENOTTY);
}

/* The kernel takes the program, and does what it says. */
static void test_kernel_obeys(void **state)
{
	(void)state;
	needs_kernel();

	static const char *const forbidden[] = {"getppid", NULL};
	static const struct spec_seccomp_rule rules[] = {
		{.names = forbidden,
		 .action = SECCOMP_ACTION_ERRNO,
		 .errno_set = true,
		 .errno_ret = ENOTTY},
	};
	const struct spec_seccomp spec = {
		.default_action = SECCOMP_ACTION_ALLOW, .rules = rules, .rule_count = 1};
	struct seccomp_program program;
	struct error err = ERROR_NONE;

	assert_fine(seccomp_prepare(&spec, -1, &program, &err), err);
	in_child(child_filtered, &program);
	seccomp_program_done(&program);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_programs_answer_as_specified),
		cmocka_unit_test(test_newer_calls_get_enosys),
		cmocka_unit_test(test_default_action_needs_no_rule),
		cmocka_unit_test(test_flags),
		cmocka_unit_test(test_no_filter),
		cmocka_unit_test(test_errors_name_the_path),
		cmocka_unit_test(test_architectures),
		cmocka_unit_test(test_kernel_obeys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
