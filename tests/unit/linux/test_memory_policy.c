/* SPDX-License-Identifier: Apache-2.0 */
/* NUMA nodes of a process's memory, and why the kernel refuses them. */
#include <linux/filter.h>
#include <linux/mempolicy.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "berth/base/str.h"
#include "berth/base/sys.h"
#include "berth/linux/placement.h"

#include "unit.h"

#define NO_SUCH_MODE 100

/* Applies a policy and compares what becomes of it; @text: what the error says, NULL: none. */
static void child_apply(int mode, int flags, const char *nodes, const char *text)
{
	struct number_set set;
	struct spec_memory_policy policy = {.mode = mode, .flags = flags, .mode_name = "MODE"};
	struct error err = ERROR_NONE;
	int r, seen = 0;

	if (nodes) {
		child_assert(number_set_parse(nodes, &set) == 0);
		policy.nodes = (struct spec_number_list){.text = nodes, .set = &set};
	}
	r = memory_policy_apply(&policy, &err);
	if (text && (r >= 0 || !str_equal(err.text, text))) {
		fprintf(stderr, "not \"%s\": %s\n", text, r < 0 ? err.text : "fine");
		_exit(1);
	}
	if (text)
		return;
	child_assert(r == 0);
	child_assert(sys_get_mempolicy(&seen, NULL, 0, 0) == 0);
	child_assert(seen == (mode | flags));
}

static void needs_numa(void)
{
	if (sys_get_mempolicy(NULL, NULL, 0, 0) < 0)
		skip();
}

static void child_fine(void *argument)
{
	(void)argument;
	child_apply(MPOL_DEFAULT, 0, NULL, NULL);
	child_apply(MPOL_PREFERRED, 0, "0", NULL);
	child_apply(MPOL_BIND, 0, "0", NULL);
	child_apply(MPOL_INTERLEAVE, MPOL_F_RELATIVE_NODES, "0,5", NULL);
	child_apply(MPOL_LOCAL, 0, NULL, NULL);
	child_apply(MPOL_BIND, MPOL_F_STATIC_NODES, "0", NULL);
	child_apply(MPOL_BIND, MPOL_F_NUMA_BALANCING, "0", NULL);
	child_apply(MPOL_DEFAULT, 0, NULL, NULL);
}

/* Which of the fields is at fault is found out. */
static void child_refused(void *argument)
{
	static const char nodes[] =
		"linux.memoryPolicy.nodes: \"8000\": none of them has memory and is allowed by the "
		"cgroup's cpuset, or the kernel has no room for so many";
	static const char flags[] =
		"linux.memoryPolicy.flags: the kernel does not take them with MODE";
	static const char mode[] = "linux.memoryPolicy.mode: the kernel does not know MODE";

	(void)argument;
	child_apply(MPOL_BIND, 0, "8000", nodes);
	child_apply(MPOL_INTERLEAVE, MPOL_F_STATIC_NODES, "8000", nodes);
	child_apply(MPOL_INTERLEAVE, MPOL_F_NUMA_BALANCING, "0", flags);
	child_apply(MPOL_LOCAL, MPOL_F_STATIC_NODES, NULL, flags);
	child_apply(MPOL_PREFERRED, MPOL_F_RELATIVE_NODES, NULL, flags);
	child_apply(NO_SUCH_MODE, 0, "0", mode);
	child_apply(NO_SUCH_MODE, MPOL_F_STATIC_NODES, "0", mode);
}

/* The two answers of a kernel or a filter that knows nothing of NUMA. */
static void child_filtered(void *argument)
{
	const int *code = argument;
	struct sock_filter instructions[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_set_mempolicy, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)*code),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = {ARRAY_SIZE(instructions), instructions};

	child_assert(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
		_exit(CHILD_SKIP);
	child_apply(MPOL_BIND, 0, "0",
		    *code == ENOSYS ? "linux.memoryPolicy: the kernel was built without NUMA"
				    : "linux.memoryPolicy: set MODE: Operation not permitted");
}

static void test_fine(void **state)
{
	(void)state;
	needs_numa();
	in_child(child_fine, NULL);
}

static void test_refused(void **state)
{
	(void)state;
	needs_numa();
	in_child(child_refused, NULL);
}

static void test_filtered(void **state)
{
	int without = ENOSYS, denied = EPERM;

	(void)state;
	needs_kernel();
	in_child(child_filtered, &without);
	in_child(child_filtered, &denied);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fine),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_filtered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
