/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the measured containers execute: `true`, or with -DPAUSE a process that sleeps until it is
 * killed (the container that exec joins). Freestanding, so that starting the payload, which every
 * runtime pays alike, costs as near to nothing as it can.
 */
#include <sys/syscall.h>

#if defined(__x86_64__)
static long call(long number, const long arg[4])
{
	register long r10 __asm__("r10") = arg[3];
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(arg[0]), "S"(arg[1]), "d"(arg[2]), "r"(r10)
			 : "rcx", "r11", "memory");
	return result;
}
#elif defined(__aarch64__)
static long call(long number, const long arg[4])
{
	register long x8 __asm__("x8") = number;
	register long x0 __asm__("x0") = arg[0];
	register long x1 __asm__("x1") = arg[1];
	register long x2 __asm__("x2") = arg[2];
	register long x3 __asm__("x3") = arg[3];

	__asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3) : "memory");
	return x0;
}
#else
#error "payload.c: no system call sequence for this architecture yet"
#endif

#ifdef PAUSE
#define PAYLOAD_CALL SYS_ppoll /* no descriptors, no timeout: sleeps until a signal */
#else
#define PAYLOAD_CALL SYS_exit_group
#endif

void _start(void);

void _start(void)
{
	const long none[4] = {0, 0, 0, 0};

	for (;;)
		call(PAYLOAD_CALL, none);
}
