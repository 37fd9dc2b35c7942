/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a listener leaves the process that its filter holds already.
 *
 * Theory of operation. A filter that notifies yields a descriptor, which an agent must get, and
 * nobody else may keep: as long as one is open, calls wait for an answer instead of failing. But it
 * is there only once the filter is, and then every system call is the filter's. If it notifies of
 * sendmsg(2), the process that were to send the listener would wait for an agent who does not have
 * it; if it kills by close(2), the process ends. Others cannot fetch it either: pidfd_getfd(2)
 * needs rights over a process that cannot be dumped, which an ordinary user does not have.
 *
 * So three calls are let through where they carry a pass: 96 random bits in those arguments that
 * the call does not have and the kernel ignores, but a filter sees. They are drawn for one process
 * right before its filter is loaded, are nowhere but in its memory, which nobody in the container
 * may read and which ends with its exec, and in the filter, which only root of the host can read.
 * Whoever guessed them could send, receive and close without being asked about.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/syscall.h>

#include "berth/base/alloc.h"

#include "seccomp-internal.h"

#define LOAD(member)                                                                               \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned)offsetof(struct seccomp_data, member))

/* The low half of argument @n: filters read 32 bits at a time, in the order of the machine. */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define LOW_HALF 0
#else
#define LOW_HALF 4
#endif
#define LOAD_ARGUMENT(n)                                                                           \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS,                                                         \
		 (unsigned)offsetof(struct seccomp_data, args) + 8 * (n) + LOW_HALF)

#define EQUALS(value, then, otherwise) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, then, otherwise)

#define PASS_SIZE 13

/* Where the words of the pass stand; the first of the three arguments that the calls do not have.
 */
#define FIRST_WORD     7
#define FIRST_ARGUMENT 3

static void write_block(uint32_t arch, struct sock_filter block[static PASS_SIZE])
{
	/* The words are filled in right before the program is loaded. */
	const struct sock_filter code[PASS_SIZE] = {
		LOAD(arch),
		EQUALS(arch, 0, 11),
		LOAD(nr),
		EQUALS(SYS_sendmsg, 2, 0),
		EQUALS(SYS_recvmsg, 1, 0),
		EQUALS(SYS_close, 0, 7),
		LOAD_ARGUMENT(FIRST_ARGUMENT),
		EQUALS(0, 0, 5),
		LOAD_ARGUMENT(FIRST_ARGUMENT + 1),
		EQUALS(0, 0, 3),
		LOAD_ARGUMENT(FIRST_ARGUMENT + 2),
		EQUALS(0, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};

	memcpy(block, code, sizeof(code));
}

void seccomp_pass_prepend(uint32_t arch, struct seccomp_program *program)
{
	struct sock_filter *whole = xcalloc(PASS_SIZE + program->count, sizeof(*whole));

	write_block(arch, whole);
	memcpy(whole + PASS_SIZE, program->instructions, program->count * sizeof(*whole));
	free(program->instructions);
	program->instructions = whole;
	program->count += PASS_SIZE;
}

int seccomp_pass_draw(const struct seccomp_program *program, struct sys_pass *ret,
		      struct error *err)
{
	struct sock_filter *code = program->instructions;

	if (getrandom(ret->words, sizeof(ret->words), 0) != sizeof(ret->words))
		return fail(err, -errno, "linux.seccomp: draw random numbers");
	for (size_t i = 0; i < ARRAY_SIZE(ret->words); i++)
		code[FIRST_WORD + 2 * i].k = ret->words[i];
	return 0;
}
