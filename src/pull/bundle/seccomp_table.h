/* SPDX-License-Identifier: Apache-2.0 */
/* The system calls that a container may make: berth's own filter as a table. */
#ifndef BERTH_PULL_SECCOMP_TABLE_H
#define BERTH_PULL_SECCOMP_TABLE_H

#include <stddef.h>
#include <stdint.h>

/* Machines that have calls of their own; bits. */
enum seccomp_machine {
	MACHINE_X86 = 1 << 0, /* 32 and 64 bits */
	MACHINE_ARM = 1 << 1,
	MACHINE_S390 = 1 << 2,
	MACHINE_POWER = 1 << 3,
	MACHINE_RISCV = 1 << 4,
	MACHINE_OTHER = 1 << 5,
	MACHINE_ANY = (1 << 6) - 1
};

/* A condition on one argument: of those bits of it that are in @mask, these are set. */
struct seccomp_condition {
	unsigned argument;
	uint64_t mask, value;
};

/* Calls that may be made, or that are answered with an errno. */
struct seccomp_calls {
	const char *names;	    /* blanks between them */
	unsigned machines;	    /* 0: all */
	uint64_t needs, needs_none; /* capabilities of which one must, or none may be there; bits */
	unsigned answer;	    /* an errno; 0: the call is let through */
	const struct seccomp_condition *condition; /* or NULL */
};

extern const struct seccomp_calls seccomp_table[];
extern const size_t seccomp_table_size;

/* What a host's filter is for: its own calls, and those of programs for its smaller sisters. */
struct seccomp_host {
	const char *architecture; /* as Go calls it, see image/platform.h */
	enum seccomp_machine machine;
	const char *const *names; /* "SCMP_ARCH_…", NULL-terminated, the native one first */
};

/* The row of @architecture; the last one, without names, for one that is not there. */
const struct seccomp_host *seccomp_host_find(const char *architecture);

#endif
