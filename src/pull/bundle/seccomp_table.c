/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a container may ask of the kernel.
 *
 * Everything that is not here is answered with EPERM, and what is newer than this table with
 * ENOSYS, by the runtime. Left out on purpose, though other engines let some of it through: what
 * changes the host (modules, clocks, mounts, namespaces, swap, the log) unless the capability for
 * it was given; keys, which have no namespaces; io_uring, BPF, userfaultfd and performance
 * counters, where most holes in kernels were found; sockets of families that nobody needs and
 * anybody can have loaded; x86's modify_ldt and vm86; and x32 as a whole. socketcall(2) is not
 * named, so that sockets cannot be had round the check of their family: libseccomp lets its other
 * calls through with the calls that they stand for.
 */
#include "seccomp_table.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/personality.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>

#define BIT(capability) (UINT64_C(1) << (capability))

#define NAMESPACES                                                                                 \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |             \
	 CLONE_NEWPID | CLONE_NEWNET)

/* The kernel looks at the lower half of an int argument only; so must the filter. */
#define INT_IS(number, constant)                                                                   \
	&(const struct seccomp_condition)                                                          \
	{                                                                                          \
		.argument = (number), .mask = UINT32_MAX, .value = (constant)                      \
	}

static const struct seccomp_condition no_namespace = {.argument = 0, .mask = NAMESPACES};
/* There the stack comes first. */
static const struct seccomp_condition no_namespace_s390 = {.argument = 1, .mask = NAMESPACES};

#define PERSONALITY(value)                                                                         \
	{                                                                                          \
		.names = "personality", .condition = INT_IS(0, value)                              \
	}

#define SOCKET(family)                                                                             \
	{                                                                                          \
		.names = "socket", .condition = INT_IS(0, family)                                  \
	}

/* clang-format off */
const struct seccomp_calls seccomp_table[] = {
	/* programs: starting, ending, waiting */
	{.names = "execve execveat exit exit_group fork vfork wait4 waitid waitpid kill tkill tgkill "
		  "getpid getppid gettid getpgid getpgrp setpgid getsid setsid set_tid_address "
		  "pidfd_open pidfd_send_signal process_mrelease prctl seccomp ptrace restart_syscall"},
	{.names = "clone", .machines = MACHINE_ANY & ~MACHINE_S390,
	 .needs_none = BIT(CAP_SYS_ADMIN), .condition = &no_namespace},
	{.names = "clone", .machines = MACHINE_S390,
	 .needs_none = BIT(CAP_SYS_ADMIN), .condition = &no_namespace_s390},
	/* Its flags lie in memory, where no filter sees them; libraries then take clone(2). */
	{.names = "clone3", .needs_none = BIT(CAP_SYS_ADMIN), .answer = ENOSYS},

	/* threads, and what they wait for */
	{.names = "futex futex_time64 futex_waitv futex_wait futex_wake futex_requeue "
		  "get_robust_list set_robust_list membarrier rseq get_thread_area set_thread_area "
		  "sched_yield"},

	/* who it is, and what it may do */
	{.names = "getuid getuid32 geteuid geteuid32 getgid getgid32 getegid getegid32 "
		  "getresuid getresuid32 getresgid getresgid32 getgroups getgroups32 "
		  "setuid setuid32 setgid setgid32 setreuid setreuid32 setregid setregid32 "
		  "setresuid setresuid32 setresgid setresgid32 setgroups setgroups32 "
		  "setfsuid setfsuid32 setfsgid setfsgid32 capget capset "
		  "landlock_create_ruleset landlock_add_rule landlock_restrict_self"},

	/* memory */
	{.names = "brk mmap mmap2 munmap mprotect mremap msync madvise mincore remap_file_pages "
		  "mlock mlock2 mlockall munlock munlockall mseal map_shadow_stack cachestat "
		  "memfd_create memfd_secret"},

	/* files by their names */
	{.names = "open openat openat2 creat access faccessat faccessat2 "
		  "stat stat64 lstat lstat64 newfstatat fstatat64 statx statfs statfs64 "
		  "chmod fchmodat fchmodat2 chown chown32 lchown lchown32 fchownat truncate "
		  "truncate64 utime utimes futimesat utimensat utimensat_time64 "
		  "link linkat symlink symlinkat unlink unlinkat rename renameat renameat2 "
		  "readlink readlinkat mkdir mkdirat rmdir mknod mknodat "
		  "getcwd chdir umask "
		  "getxattr lgetxattr setxattr lsetxattr listxattr llistxattr removexattr "
		  "lremovexattr "
		  "inotify_init inotify_init1 inotify_add_watch inotify_rm_watch"},
	{.names = "chroot", .needs = BIT(CAP_SYS_CHROOT)},
	{.names = "open_by_handle_at", .needs = BIT(CAP_DAC_READ_SEARCH)},

	/* files and directories that are open */
	{.names = "read pread64 readv preadv preadv2 write pwrite64 writev pwritev pwritev2 "
		  "lseek _llseek ftruncate ftruncate64 fallocate fadvise64 fadvise64_64 readahead "
		  "fstat fstat64 fstatfs fstatfs64 fchmod fchown fchown32 fchdir "
		  "getdents getdents64 fgetxattr fsetxattr flistxattr fremovexattr "
		  "sync syncfs fsync fdatasync sync_file_range flock fcntl fcntl64 ioctl "
		  "dup dup2 dup3 close close_range pipe pipe2 "
		  "copy_file_range sendfile sendfile64 splice tee vmsplice "
		  "io_setup io_destroy io_submit io_cancel io_getevents io_pgetevents "
		  "io_pgetevents_time64"},
	{.names = "sync_file_range2", .machines = MACHINE_ARM | MACHINE_POWER},
	{.names = "arm_fadvise64_64 arm_sync_file_range", .machines = MACHINE_ARM},

	/* waiting for events */
	{.names = "poll ppoll ppoll_time64 select _newselect pselect6 pselect6_time64 "
		  "epoll_create epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2 "
		  "eventfd eventfd2 signalfd signalfd4 "
		  "timerfd_create timerfd_settime timerfd_settime64 timerfd_gettime "
		  "timerfd_gettime64"},

	/* signals */
	{.names = "rt_sigaction rt_sigprocmask rt_sigpending rt_sigsuspend rt_sigreturn "
		  "rt_sigqueueinfo rt_tgsigqueueinfo rt_sigtimedwait rt_sigtimedwait_time64 "
		  "sigaltstack sigprocmask sigreturn pause"},

	/* time */
	{.names = "time times gettimeofday clock_gettime clock_gettime64 clock_getres "
		  "clock_getres_time64 clock_nanosleep clock_nanosleep_time64 nanosleep "
		  "alarm getitimer setitimer adjtimex clock_adjtime clock_adjtime64 "
		  "timer_create timer_delete timer_settime timer_settime64 timer_gettime "
		  "timer_gettime64 timer_getoverrun"},
	{.names = "settimeofday stime clock_settime", .needs = BIT(CAP_SYS_TIME)},

	/* what is between programs */
	{.names = "ipc msgget msgsnd msgrcv msgctl semget semop semtimedop semtimedop_time64 semctl "
		  "shmget shmat shmdt shmctl "
		  "mq_open mq_unlink mq_notify mq_getsetattr mq_timedsend mq_timedsend_time64 "
		  "mq_timedreceive mq_timedreceive_time64"},

	/* sockets */
	SOCKET(AF_UNIX), SOCKET(AF_INET), SOCKET(AF_INET6), SOCKET(AF_NETLINK), SOCKET(AF_PACKET),
	{.names = "socketpair bind listen accept accept4 connect shutdown getsockname getpeername "
		  "getsockopt setsockopt send sendto sendmsg sendmmsg recv recvfrom recvmsg "
		  "recvmmsg recvmmsg_time64"},

	/* shares and limits */
	{.names = "getpriority setpriority ioprio_get ioprio_set getrlimit ugetrlimit setrlimit "
		  "prlimit64 getrusage getcpu "
		  "sched_getaffinity sched_setaffinity sched_getattr sched_setattr "
		  "sched_getparam sched_setparam sched_getscheduler sched_setscheduler "
		  "sched_get_priority_max sched_get_priority_min sched_rr_get_interval "
		  "sched_rr_get_interval_time64"},
	{.names = "get_mempolicy set_mempolicy mbind", .needs = BIT(CAP_SYS_NICE)},

	/* the system */
	{.names = "uname sysinfo getrandom"},
	PERSONALITY(PER_LINUX), PERSONALITY(PER_LINUX32), PERSONALITY(UNAME26),
	PERSONALITY(PER_LINUX32 | UNAME26), PERSONALITY(0xffffffff),

	/* of single machines */
	{.names = "arch_prctl", .machines = MACHINE_X86},
	{.names = "breakpoint cacheflush set_tls", .machines = MACHINE_ARM},
	{.names = "s390_runtime_instr s390_pci_mmio_read s390_pci_mmio_write",
	 .machines = MACHINE_S390},
	{.names = "riscv_flush_icache", .machines = MACHINE_RISCV},

	/* what a capability is for */
	{.names = "clone clone3 unshare setns mount umount umount2 mount_setattr move_mount open_tree "
		  "fsopen fsconfig fsmount fspick name_to_handle_at fanotify_init fanotify_mark "
		  "quotactl quotactl_fd sethostname setdomainname lookup_dcookie bpf "
		  "perf_event_open syslog",
	 .needs = BIT(CAP_SYS_ADMIN)},
	{.names = "syslog", .needs = BIT(CAP_SYSLOG)},
	{.names = "init_module finit_module delete_module", .needs = BIT(CAP_SYS_MODULE)},
	{.names = "kcmp pidfd_getfd process_madvise process_vm_readv process_vm_writev",
	 .needs = BIT(CAP_SYS_PTRACE)},
	{.names = "acct", .needs = BIT(CAP_SYS_PACCT)},
	{.names = "reboot", .needs = BIT(CAP_SYS_BOOT)},
	{.names = "iopl ioperm", .needs = BIT(CAP_SYS_RAWIO)},
	{.names = "vhangup", .needs = BIT(CAP_SYS_TTY_CONFIG)},
};
/* clang-format on */

const size_t seccomp_table_size = sizeof(seccomp_table) / sizeof(seccomp_table[0]);

#define NAMES(...)                                                                                 \
	(const char *const[])                                                                      \
	{                                                                                          \
		__VA_ARGS__, NULL                                                                  \
	}

static const struct seccomp_host hosts[] = {
	{"amd64", MACHINE_X86, NAMES("SCMP_ARCH_X86_64", "SCMP_ARCH_X86")},
	{"386", MACHINE_X86, NAMES("SCMP_ARCH_X86")},
	{"arm64", MACHINE_ARM, NAMES("SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM")},
	{"arm", MACHINE_ARM, NAMES("SCMP_ARCH_ARM")},
	{"s390x", MACHINE_S390, NAMES("SCMP_ARCH_S390X", "SCMP_ARCH_S390")},
	{"ppc64le", MACHINE_POWER, NAMES("SCMP_ARCH_PPC64LE")},
	{"riscv64", MACHINE_RISCV, NAMES("SCMP_ARCH_RISCV64")},
	{"mips64le", MACHINE_OTHER,
	 NAMES("SCMP_ARCH_MIPSEL64", "SCMP_ARCH_MIPSEL", "SCMP_ARCH_MIPSEL64N32")},
	{"mipsle", MACHINE_OTHER, NAMES("SCMP_ARCH_MIPSEL")},
	/* The runtime then takes its own. */
	{NULL, MACHINE_OTHER, NULL},
};

const struct seccomp_host *seccomp_host_find(const char *architecture)
{
	const struct seccomp_host *host = hosts;

	while (host->architecture && strcmp(host->architecture, architecture) != 0)
		host++;
	return host;
}
