/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ENOSYS for system calls that a profile cannot know.
 *
 * Theory of operation. A profile that lists what is allowed answers everything else with EPERM. A C
 * library that is newer than the profile tries a new system call first, and falls back to the old
 * one if the kernel says ENOSYS; EPERM it takes for a verdict, and the program fails. So a number
 * above every one that the profile mentions gets ENOSYS: its author cannot have meant to forbid it
 * by name, and it is refused all the same. What the profile forbids stays forbidden.
 *
 * For each architecture these instructions stand before the program:
 *	load the architecture; another one: go to the next architecture's
 *	load the number; at or above the end of the range: go to the next architecture's
 *	not above the newest: go to the program
 *	return ENOSYS
 * Two entries may be about one architecture: x86-64 and x32 share theirs, in different ranges.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>

#include "berth/base/alloc.h"

#include "seccomp-internal.h"

/* Instructions for one architecture. */
#define STUB_SIZE 6

/* Jumps reach over 255 instructions. */
#define STUBS_MAX (255 / STUB_SIZE)

#define LOAD(member)                                                                               \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned)offsetof(struct seccomp_data, member))

/* @after: number of instructions between this block and the program. */
static void write_block(const struct seccomp_unknown *unknown, unsigned after,
			struct sock_filter block[static STUB_SIZE])
{
	const struct sock_filter code[STUB_SIZE] = {
		LOAD(arch),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, unknown->audit_arch, 0, 4),
		LOAD(nr),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, unknown->end, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, unknown->newest, 0, (uint8_t)(1 + after)),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
	};

	memcpy(block, code, sizeof(code));
}

void seccomp_stub_prepend(const struct seccomp_unknown *list, size_t count,
			  struct seccomp_program *program)
{
	struct sock_filter *whole;

	if (count > STUBS_MAX)
		count = STUBS_MAX;
	if (!count)
		return;
	whole = xcalloc(count * STUB_SIZE + program->count, sizeof(*whole));
	for (size_t i = 0; i < count; i++)
		write_block(&list[i], (unsigned)((count - 1 - i) * STUB_SIZE),
			    whole + i * STUB_SIZE);
	memcpy(whole + count * STUB_SIZE, program->instructions, program->count * sizeof(*whole));
	free(program->instructions);
	program->instructions = whole;
	program->count += count * STUB_SIZE;
}
