/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The least that the kernel asks for a container like the default spec's: a bare program with the
 * same namespaces, mounts, devices, masks and cgroup; no JSON, no state, no capabilities, no
 * seccomp, no device rules, no checks of what it is given. How far a runtime is from this is what
 * its own work costs. Never use it to contain anything.
 *
 *     floor run ROOTFS CGROUP COMMAND    a container that lives as long as COMMAND
 *     floor hold ROOTFS CGROUP COMMAND   the same, left running; its pid is printed
 *     floor exec PID CGROUP COMMAND      COMMAND in the namespaces and cgroup of a held one
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#define NAMESPACES                                                                                 \
	(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP)
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static const struct {
	const char *source, *target, *type, *data;
	unsigned long flags;
} mounts[] = {
	{"proc", "proc", "proc", NULL, 0},
	{"tmpfs", "dev", "tmpfs", "mode=755,size=65536k", MS_NOSUID | MS_STRICTATIME},
	{"devpts", "dev/pts", "devpts", "newinstance,ptmxmode=0666,mode=0620,gid=5",
	 MS_NOSUID | MS_NOEXEC},
	{"shm", "dev/shm", "tmpfs", "mode=1777,size=65536k", MS_NOSUID | MS_NOEXEC | MS_NODEV},
	{"mqueue", "dev/mqueue", "mqueue", NULL, MS_NOSUID | MS_NOEXEC | MS_NODEV},
	{"sysfs", "sys", "sysfs", NULL, MS_NOSUID | MS_NOEXEC | MS_NODEV | MS_RDONLY},
	{"cgroup", "sys/fs/cgroup", "cgroup2", NULL, MS_NOSUID | MS_NOEXEC | MS_NODEV | MS_RDONLY},
};

static const struct {
	const char *path;
	unsigned int major, minor;
} devices[] = {
	{"dev/null", 1, 3},   {"dev/zero", 1, 5},    {"dev/full", 1, 7},
	{"dev/random", 1, 8}, {"dev/urandom", 1, 9}, {"dev/tty", 5, 0},
};

static const struct {
	const char *target, *path;
} links[] = {
	{"/proc/self/fd", "dev/fd"},	   {"/proc/self/fd/0", "dev/stdin"},
	{"/proc/self/fd/1", "dev/stdout"}, {"/proc/self/fd/2", "dev/stderr"},
	{"pts/ptmx", "dev/ptmx"},
};

static const char *const masked[] = {
	"proc/acpi",	      "proc/asound",	 "proc/kcore",	     "proc/keys",
	"proc/latency_stats", "proc/timer_list", "proc/timer_stats", "proc/sched_debug",
	"sys/firmware",	      "proc/scsi",
};

static const char *const read_only[] = {
	"proc/bus", "proc/fs", "proc/irq", "proc/sys", "proc/sysrq-trigger",
};

/* Ends the program with a message when a call has failed. */
static void check(long result, const char *what)
{
	if (result >= 0)
		return;
	fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
	_exit(1);
}

static void fill_dev(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(devices); i++)
		check(mknod(devices[i].path, S_IFCHR | 0666,
			    makedev(devices[i].major, devices[i].minor)),
		      devices[i].path);
	for (size_t i = 0; i < ARRAY_SIZE(links); i++)
		check(symlink(links[i].target, links[i].path), links[i].path);
}

static void mount_all(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(mounts); i++) {
		if (i > 1 && strncmp(mounts[i].target, "dev/", 4) == 0)
			check(mkdir(mounts[i].target, 0755), mounts[i].target);
		check(mount(mounts[i].source, mounts[i].target, mounts[i].type, mounts[i].flags,
			    mounts[i].data),
		      mounts[i].target);
	}
	fill_dev();
}

static void hide_paths(void)
{
	struct stat st;

	for (size_t i = 0; i < ARRAY_SIZE(masked); i++) {
		if (stat(masked[i], &st) < 0)
			continue;
		if (S_ISDIR(st.st_mode))
			check(mount("tmpfs", masked[i], "tmpfs", MS_RDONLY, NULL), masked[i]);
		else
			check(mount("dev/null", masked[i], NULL, MS_BIND, NULL), masked[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(read_only); i++) {
		if (mount(read_only[i], read_only[i], NULL, MS_BIND | MS_REC, NULL) == 0)
			check(mount(NULL, read_only[i], NULL, MS_REMOUNT | MS_BIND | MS_RDONLY,
				    NULL),
			      read_only[i]);
	}
}

static void init_main(const char *rootfs, const char *command)
{
	check(setsid(), "setsid");
	check(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "make / private");
	check(mount(rootfs, rootfs, NULL, MS_BIND | MS_REC, NULL), rootfs);
	check(chdir(rootfs), rootfs);
	mount_all();
	hide_paths();
	check(syscall(SYS_pivot_root, ".", "."), "pivot_root");
	check(umount2(".", MNT_DETACH), "detach the old root");
	check(mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL), "read-only /");
	check(sethostname("floor", 5), "sethostname");
	check(chdir("/"), "chdir");
	check(execl(command, command, (char *)NULL), command);
}

static int cgroup_open(const char *cgroup)
{
	int fd = open(cgroup, O_PATH | O_DIRECTORY | O_CLOEXEC);

	check(fd, cgroup);
	return fd;
}

/* Clones into a cgroup with the new namespaces of @flags; returns as fork does. */
static pid_t clone_into(int cgroup_fd, uint64_t flags)
{
	struct clone_args args = {
		.flags = flags | CLONE_INTO_CGROUP,
		.exit_signal = SIGCHLD,
		.cgroup = (unsigned int)cgroup_fd,
	};
	long pid = syscall(SYS_clone3, &args, sizeof(args));

	check(pid, "clone3");
	return (pid_t)pid;
}

static int wait_for(pid_t pid)
{
	int status;

	check(waitpid(pid, &status, 0), "waitpid");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static pid_t container_start(const char *rootfs, const char *cgroup, const char *command)
{
	check(mkdir(cgroup, 0755), cgroup);
	pid_t pid = clone_into(cgroup_open(cgroup), NAMESPACES);

	if (pid == 0)
		init_main(rootfs, command);
	return pid;
}

static int run(const char *rootfs, const char *cgroup, const char *command)
{
	int status = wait_for(container_start(rootfs, cgroup, command));

	check(rmdir(cgroup), cgroup);
	return status;
}

static int hold(const char *rootfs, const char *cgroup, const char *command)
{
	printf("%d\n", container_start(rootfs, cgroup, command));
	return 0;
}

/* The setns of the parent is final: it has nothing left to do outside. */
static int join(const char *pid_text, const char *cgroup, const char *command)
{
	int pidfd = (int)syscall(SYS_pidfd_open, atoi(pid_text), 0);
	int cgroup_fd = cgroup_open(cgroup);

	check(pidfd, "pidfd_open");
	check(setns(pidfd, NAMESPACES), "setns");
	pid_t pid = clone_into(cgroup_fd, 0);

	if (pid > 0)
		return wait_for(pid);
	check(chdir("/"), "chdir");
	check(execl(command, command, (char *)NULL), command);
	return 1;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*function)(const char *where, const char *cgroup, const char *command);
	} verbs[] = {{"run", run}, {"hold", hold}, {"exec", join}};

	for (size_t i = 0; argc == 5 && i < ARRAY_SIZE(verbs); i++) {
		if (strcmp(argv[1], verbs[i].name) == 0)
			return verbs[i].function(argv[2], argv[3], argv[4]);
	}
	fprintf(stderr,
		"usage: floor run|hold ROOTFS CGROUP COMMAND | floor exec PID CGROUP COMMAND\n");
	return 2;
}
