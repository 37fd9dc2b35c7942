/* SPDX-License-Identifier: Apache-2.0 */
/*
 * System calls that the C library of Debian 12 does not wrap, or wraps with errno. Each returns
 * the result or negative errno, and is named after its man page. Nothing else calls syscall().
 */
#ifndef BERTH_BASE_SYS_H
#define BERTH_BASE_SYS_H

#include <linux/openat2.h>
#include <linux/sched.h>
#include <linux/types.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/types.h>

/*
 * The kernel's struct sched_attr. Its header cannot be had: of Linux 6.1 it clashes with the
 * sched.h of every C library, and newer libraries define the struct themselves.
 */
struct sys_sched_attr {
	uint32_t size; /* of this struct */
	uint32_t policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
	uint32_t util_min, util_max;
};

int sys_openat2(int dirfd, const char *path, const struct open_how *how);
int sys_clone3(struct clone_args *args); /* 0 in the child */
int sys_pidfd_open(pid_t pid, unsigned flags);
int sys_pidfd_send_signal(int pidfd, int signal);
int sys_close_range(unsigned first, unsigned last, unsigned flags);
int sys_execveat(int dirfd, const char *path, const char *const *argv, const char *const *envp,
		 int flags);
int sys_pivot_root(const char *new_root, const char *put_old);
int sys_open_tree(int dirfd, const char *path, unsigned flags);
int sys_move_mount(int from_dirfd, const char *from, int to_dirfd, const char *to, unsigned flags);
int sys_fsopen(const char *fstype, unsigned flags);
int sys_fsconfig(int fd, unsigned command, const char *key, const void *value, int aux);
int sys_fsmount(int fd, unsigned flags, unsigned attributes);
int sys_mount_setattr(int dirfd, const char *path, unsigned flags, struct mount_attr *attributes);
int sys_bpf(int command, void *attributes, unsigned size); /* attributes: union bpf_attr */
int sys_seccomp(unsigned operation, unsigned flags, void *arguments);
/*
 * Arguments beyond those that a system call has: the kernel ignores them, a filter can look at
 * their low words. NULL stands for zeroes. See linux/seccomp_pass.c.
 */
struct sys_pass {
	uint32_t words[3];
};
ssize_t sys_sendmsg(int socket, const struct msghdr *header, int flags,
		    const struct sys_pass *pass);
ssize_t sys_recvmsg(int socket, struct msghdr *header, int flags, const struct sys_pass *pass);
int sys_close(int fd, const struct sys_pass *pass);
int sys_keyctl(int operation, unsigned long a, unsigned long b, unsigned long c);
/* Of @bits bits the kernel takes one less. */
int sys_set_mempolicy(int mode, const unsigned long *nodes, unsigned long bits);
int sys_get_mempolicy(int *mode, unsigned long *nodes, unsigned long bits, unsigned flags);
int sys_sched_setattr(pid_t pid, const struct sys_sched_attr *attributes);
int sys_ioprio_set(int which, int who, int priority);
/* The group and user calls that act on the calling thread alone: berth has one thread. */
int sys_setgroups(size_t count, const gid_t *list);
int sys_setresuid(uid_t uid);
int sys_setresgid(gid_t gid);
/* The effective capabilities of the calling thread; none where the kernel does not say. */
uint64_t sys_capabilities(void);

#endif
