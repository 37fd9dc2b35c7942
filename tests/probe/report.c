/* SPDX-License-Identifier: Apache-2.0 */
/* report.c: what the payload is: ids, capabilities, limits, signals, descriptors, environment. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "probe.h"

extern char **environ;

void report_identity(void)
{
	uid_t ruid, euid, suid;
	gid_t rgid, egid, sgid;
	gid_t groups[1024];
	int n;

	if (getresuid(&ruid, &euid, &suid) || getresgid(&rgid, &egid, &sgid))
		abort();
	json_number("uid", ruid);
	json_number("euid", euid);
	json_number("suid", suid);
	json_number("fsuid", setfsuid((uid_t)-1));
	json_number("gid", rgid);
	json_number("egid", egid);
	json_number("sgid", sgid);
	json_number("fsgid", setfsgid((gid_t)-1));
	json_array("groups");
	n = getgroups(1024, groups);
	for (int i = 0; i < n; i++)
		json_number(NULL, groups[i]);
	json_end();
}

static const char *const capability_names[] = {
	"CAP_CHOWN",
	"CAP_DAC_OVERRIDE",
	"CAP_DAC_READ_SEARCH",
	"CAP_FOWNER",
	"CAP_FSETID",
	"CAP_KILL",
	"CAP_SETGID",
	"CAP_SETUID",
	"CAP_SETPCAP",
	"CAP_LINUX_IMMUTABLE",
	"CAP_NET_BIND_SERVICE",
	"CAP_NET_BROADCAST",
	"CAP_NET_ADMIN",
	"CAP_NET_RAW",
	"CAP_IPC_LOCK",
	"CAP_IPC_OWNER",
	"CAP_SYS_MODULE",
	"CAP_SYS_RAWIO",
	"CAP_SYS_CHROOT",
	"CAP_SYS_PTRACE",
	"CAP_SYS_PACCT",
	"CAP_SYS_ADMIN",
	"CAP_SYS_BOOT",
	"CAP_SYS_NICE",
	"CAP_SYS_RESOURCE",
	"CAP_SYS_TIME",
	"CAP_SYS_TTY_CONFIG",
	"CAP_MKNOD",
	"CAP_LEASE",
	"CAP_AUDIT_WRITE",
	"CAP_AUDIT_CONTROL",
	"CAP_SETFCAP",
	"CAP_MAC_OVERRIDE",
	"CAP_MAC_ADMIN",
	"CAP_SYSLOG",
	"CAP_WAKE_ALARM",
	"CAP_BLOCK_SUSPEND",
	"CAP_AUDIT_READ",
	"CAP_PERFMON",
	"CAP_BPF",
	"CAP_CHECKPOINT_RESTORE",
};

#define CAPABILITIES (sizeof(capability_names) / sizeof(capability_names[0]))

static void capability_set(const char *key, unsigned long long mask)
{
	json_array(key);
	for (size_t i = 0; i < 64; i++) {
		if (!(mask & (1ULL << i)))
			continue;
		if (i < CAPABILITIES)
			json_string(NULL, capability_names[i]);
		else
			json_format(NULL, "CAP_%zu", i);
	}
	json_end();
}

void report_capabilities(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {0};
	unsigned long long bounding = 0, ambient = 0;

	syscall(SYS_capget, &header, data);
	for (int i = 0; i < 64; i++) {
		if (prctl(PR_CAPBSET_READ, i) == 1)
			bounding |= 1ULL << i;
		if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, i, 0, 0) == 1)
			ambient |= 1ULL << i;
	}
	json_object("caps");
	capability_set("inheritable",
		       data[0].inheritable | (unsigned long long)data[1].inheritable << 32);
	capability_set("permitted",
		       data[0].permitted | (unsigned long long)data[1].permitted << 32);
	capability_set("effective",
		       data[0].effective | (unsigned long long)data[1].effective << 32);
	capability_set("bounding", bounding);
	capability_set("ambient", ambient);
	json_end();
	json_number("securebits", prctl(PR_GET_SECUREBITS));
	json_number("no_new_privs", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	json_number("seccomp", prctl(PR_GET_SECCOMP));
}

static const struct {
	const char *name;
	int resource;
} limits[] = {
	{"RLIMIT_AS", RLIMIT_AS},
	{"RLIMIT_CORE", RLIMIT_CORE},
	{"RLIMIT_CPU", RLIMIT_CPU},
	{"RLIMIT_DATA", RLIMIT_DATA},
	{"RLIMIT_FSIZE", RLIMIT_FSIZE},
	{"RLIMIT_LOCKS", RLIMIT_LOCKS},
	{"RLIMIT_MEMLOCK", RLIMIT_MEMLOCK},
	{"RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE},
	{"RLIMIT_NICE", RLIMIT_NICE},
	{"RLIMIT_NOFILE", RLIMIT_NOFILE},
	{"RLIMIT_NPROC", RLIMIT_NPROC},
	{"RLIMIT_RSS", RLIMIT_RSS},
	{"RLIMIT_RTPRIO", RLIMIT_RTPRIO},
	{"RLIMIT_RTTIME", RLIMIT_RTTIME},
	{"RLIMIT_SIGPENDING", RLIMIT_SIGPENDING},
	{"RLIMIT_STACK", RLIMIT_STACK},
};

static void limit_value(const char *key, rlim_t value)
{
	if (value == RLIM_INFINITY)
		json_string(key, "unlimited");
	else
		json_number(key, (long long)value);
}

static void report_limits(void)
{
	json_object("rlimits");
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		struct rlimit value;

		if (getrlimit((__rlimit_resource_t)limits[i].resource, &value))
			continue;
		json_object(limits[i].name);
		limit_value("soft", value.rlim_cur);
		limit_value("hard", value.rlim_max);
		json_end();
	}
	json_end();
}

/* Climbs from the working directory as far as it goes: inside, that is the root. */
static bool cwd_is_inside(void)
{
	struct stat here, root;
	int fd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	bool inside;

	if (fd < 0 || stat("/", &root))
		return false;
	for (int depth = 0; depth < 256; depth++) {
		struct stat up;
		int parent = openat(fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);

		if (parent < 0 || fstat(fd, &here) || fstat(parent, &up))
			return false;
		close(fd);
		fd = parent;
		if (here.st_dev == up.st_dev && here.st_ino == up.st_ino)
			break;
	}
	inside = !fstat(fd, &here) && here.st_dev == root.st_dev && here.st_ino == root.st_ino;
	close(fd);
	return inside;
}

static void report_keyring(void)
{
	char description[512] = "";

	if (syscall(SYS_keyctl, KEYCTL_DESCRIBE, KEY_SPEC_SESSION_KEYRING, description,
		    sizeof(description) - 1) < 0)
		json_string("keyring", errno_name(errno));
	else
		json_string("keyring", description);
	json_number("keyring_id",
		    syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0));
}

/* sched_getattr(2), which the C library does not have. */
static void report_scheduler(void)
{
	struct {
		uint32_t size, policy;
		uint64_t flags;
		int32_t nice;
		uint32_t priority;
		uint64_t runtime, deadline, period;
	} is = {.size = 0};

	if (syscall(SYS_sched_getattr, 0, &is, sizeof(is), 0) < 0)
		return;
	json_object("sched");
	json_number("policy", is.policy);
	json_number("flags", (long long)is.flags);
	json_number("nice", is.nice);
	json_number("priority", is.priority);
	json_number("runtime", (long long)is.runtime);
	json_number("deadline", (long long)is.deadline);
	json_number("period", (long long)is.period);
	json_end();
}

static void report_scheduling(void)
{
	cpu_set_t set;

	report_scheduler();

	errno = 0;
	json_number("nice", getpriority(PRIO_PROCESS, 0));
	json_number("scheduler", sched_getscheduler(0));
	json_number("ioprio", syscall(SYS_ioprio_get, 1, 0));
	json_number("cpus", sched_getaffinity(0, sizeof(set), &set) ? -1 : CPU_COUNT(&set));
}

/* The policy of this process, and its nodes below 64. */
static void report_memory_policy(void)
{
	unsigned long nodes[128] = {0};
	int mode = 0;

	json_object("memory_policy");
	if (syscall(SYS_get_mempolicy, &mode, nodes, sizeof(nodes) * 8, NULL, 0) < 0)
		json_string("error", errno_name(errno));
	json_number("mode", mode & 0xff);
	json_number("flags", mode & ~0xff);
	json_array("nodes");
	for (int i = 0; i < 64; i++) {
		if (nodes[0] & 1ul << i)
			json_number(NULL, i);
	}
	json_end();
	json_end();
}

void report_process(void)
{
	char cwd[PATH_MAX] = "";
	int value = -1;
	mode_t mask = umask(0);

	umask(mask);
	json_number("pid", getpid());
	json_number("ppid", getppid());
	json_number("sid", getsid(0));
	json_number("pgid", getpgrp());
	json_format("umask", "%04o", mask);
	json_string("cwd", syscall(SYS_getcwd, cwd, sizeof(cwd)) < 0 ? errno_name(errno) : cwd);
	json_bool("cwd_inside", cwd_is_inside());
	json_array("env");
	for (char **e = environ; *e; e++)
		json_string(NULL, *e);
	json_end();
	prctl(PR_GET_PDEATHSIG, &value);
	json_number("pdeathsig", value);
	prctl(PR_GET_CHILD_SUBREAPER, &value);
	json_number("subreaper", value);
	json_number("dumpable", prctl(PR_GET_DUMPABLE));
	json_number("thp_disabled", prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0));
	json_format("personality", "%#x", (unsigned int)personality(0xffffffff));
	report_scheduling();
	report_memory_policy();
	report_limits();
	report_keyring();
}

static void signal_list(const char *key, bool (*test)(int))
{
	json_array(key);
	for (int n = 1; n <= 64; n++) {
		if (test(n))
			json_number(NULL, n);
	}
	json_end();
}

static bool is_blocked(int n)
{
	unsigned long set = 0;

	syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &set, sizeof(set));
	return set & (1UL << (n - 1));
}

static bool is_ignored(int n)
{
	struct {
		void (*handler)(int);
		unsigned long rest[16];
	} action = {0};

	return syscall(SYS_rt_sigaction, n, NULL, &action, 8UL) == 0 && action.handler == SIG_IGN;
}

static bool is_pending(int n)
{
	unsigned long set = 0;

	syscall(SYS_rt_sigpending, &set, sizeof(set));
	return set & (1UL << (n - 1));
}

void report_signals(void)
{
	json_object("signals");
	signal_list("blocked", is_blocked);
	signal_list("ignored", is_ignored);
	signal_list("pending", is_pending);
	json_end();
}

static void report_descriptor(int number, const char *target)
{
	int flags = fcntl(number, F_GETFL);
	struct stat st;

	json_object(NULL);
	json_number("fd", number);
	json_string("target", target);
	json_string("access", (flags & O_PATH)			? "path"
			      : (flags & O_ACCMODE) == O_RDONLY ? "r"
			      : (flags & O_ACCMODE) == O_WRONLY ? "w"
								: "rw");
	json_bool("cloexec", fcntl(number, F_GETFD) & FD_CLOEXEC);
	if (!fstat(number, &st)) {
		json_bool("directory", S_ISDIR(st.st_mode));
		json_number("uid", st.st_uid);
		json_number("gid", st.st_gid);
		json_number("ino", (long long)st.st_ino);
	}
	json_end();
}

void report_descriptors(void)
{
	json_array("fds");
	for (int number = 0; number < 1024; number++) {
		char link[64], target[PATH_MAX];
		ssize_t n;

		if (fcntl(number, F_GETFD) < 0)
			continue;
		snprintf(link, sizeof(link), "/proc/self/fd/%d", number);
		n = readlink(link, target, sizeof(target) - 1);
		target[n < 0 ? 0 : n] = '\0';
		report_descriptor(number, target);
	}
	json_end();
}
