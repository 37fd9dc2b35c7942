/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel's interpreter of system call filters, as far as ours need it. */
#ifndef BERTH_TESTS_LINUX_INTERPRETER_H
#define BERTH_TESTS_LINUX_INTERPRETER_H

#include <linux/filter.h>
#include <linux/seccomp.h>

#include "berth/linux/seccomp.h"

#include "unit.h"

static inline uint32_t jump(const struct sock_filter *code, uint32_t a)
{
	uint32_t k = code->k;
	bool taken;

	switch (BPF_OP(code->code)) {
	case BPF_JA:
		return k;
	case BPF_JEQ:
		taken = a == k;
		break;
	case BPF_JGT:
		taken = a > k;
		break;
	case BPF_JGE:
		taken = a >= k;
		break;
	case BPF_JSET:
		taken = a & k;
		break;
	default:
		fail_msg("unknown jump 0x%x\n", code->code);
		return 0;
	}
	return taken ? code->jt : code->jf;
}

/* Runs @program over one call and returns its answer. */
static inline uint32_t run(const struct seccomp_program *program, const struct seccomp_data *data)
{
	const struct sock_filter *list = program->instructions;
	uint32_t a = 0;

	for (size_t pc = 0; pc < program->count; pc++) {
		const struct sock_filter *code = &list[pc];

		switch (BPF_CLASS(code->code)) {
		case BPF_LD:
			assert_true(code->k + 4 <= sizeof(*data));
			memcpy(&a, (const char *)data + code->k, 4);
			break;
		case BPF_ALU:
			assert_int_equal(BPF_OP(code->code), BPF_AND);
			a &= code->k;
			break;
		case BPF_JMP:
			pc += jump(code, a);
			break;
		case BPF_RET:
			return code->k;
		default:
			fail_msg("unknown instruction 0x%x\n", code->code);
		}
	}
	fail_msg("the program ran off its end\n");
	return 0;
}

#endif
