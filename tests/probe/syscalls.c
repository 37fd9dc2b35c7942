/* SPDX-License-Identifier: Apache-2.0 */
/* syscalls.c: makes one system call by name and prints what came back, for tests of filters. */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "probe.h"

#define CALL(name)                                                                                 \
	{                                                                                          \
#name, SYS_##name                                                                  \
	}

static const struct {
	const char *name;
	long number;
} calls[] = {
	CALL(acct),	     CALL(add_key),	    CALL(bpf),	       CALL(clock_settime),
	CALL(clone),	     CALL(clone3),	    CALL(close),       CALL(dup),
	CALL(fchmod),	     CALL(getcwd),	    CALL(getegid),     CALL(io_uring_setup),
	CALL(getpid),	     CALL(getpgid),	    CALL(getppid),     CALL(getpriority),
	CALL(getsid),	     CALL(init_module),	    CALL(kexec_load),  CALL(keyctl),
	CALL(kill),	     CALL(mkdirat),	    CALL(mount),       CALL(open_by_handle_at),
	CALL(openat2),	     CALL(perf_event_open), CALL(personality), CALL(pivot_root),
	CALL(ptrace),	     CALL(quotactl),	    CALL(reboot),      CALL(sched_yield),
	CALL(setdomainname), CALL(sethostname),	    CALL(setns),       CALL(setpriority),
	CALL(settimeofday),  CALL(setuid),	    CALL(socket),      CALL(swapon),
	CALL(sync),	     CALL(syslog),	    CALL(umask),       CALL(umount2),
	CALL(unshare),	     CALL(userfaultfd),	    CALL(execve),      CALL(sendmsg),
	CALL(recvmsg),	     CALL(exit_group),	    CALL(write),       CALL(setresuid),
	CALL(mkdir),

};

static long argument(const char *text)
{
	if (text[0] == '@')
		return (long)(intptr_t)(text + 1);
	return (long)strtoull(text, NULL, 0);
}

long system_call(const char *name)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		if (strcmp(calls[i].name, name) == 0)
			return calls[i].number;
	}
	return -1;
}

/* syscall NAME [ARGUMENT...]: a number, or @TEXT for a pointer to the text. */
int command_syscall(int argc, char **argv)
{
	long a[6] = {0};
	long number, result;

	if (argc < 2 || (number = system_call(argv[1])) < 0) {
		fprintf(stderr, "probe: no such system call in the table\n");
		return 2;
	}
	for (int i = 2; i < argc && i < 8; i++)
		a[i - 2] = argument(argv[i]);
	errno = 0;
	result = syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
	printf("%ld %s\n", result, errno_name(result < 0 ? errno : 0));
	return 0;
}

/* x32 NUMBER: the call of the x32 ABI, which shares its architecture with the 64-bit one. */
int command_x32(int argc, char **argv)
{
	long result;

	if (argc < 2)
		return 2;
	errno = 0;
	result = syscall(0x40000000 | atol(argv[1]));
	printf("%ld %s\n", result, errno_name(result < 0 ? errno : 0));
	return 0;
}
