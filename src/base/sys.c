/* SPDX-License-Identifier: Apache-2.0 */
/* System calls by number, each named after its man page; the only place that calls syscall(). */
#include "berth/base/sys.h"

#include <errno.h>
#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

static int result(long r)
{
	return r < 0 ? -errno : (int)r;
}

int sys_openat2(int dirfd, const char *path, const struct open_how *how)
{
	return result(syscall(SYS_openat2, dirfd, path, how, sizeof(*how)));
}

int sys_clone3(struct clone_args *args)
{
	return result(syscall(SYS_clone3, args, sizeof(*args)));
}

int sys_pidfd_open(pid_t pid, unsigned flags)
{
	return result(syscall(SYS_pidfd_open, pid, flags));
}

int sys_pidfd_send_signal(int pidfd, int signal)
{
	return result(syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0));
}

int sys_close_range(unsigned first, unsigned last, unsigned flags)
{
	return result(syscall(SYS_close_range, first, last, flags));
}

int sys_execveat(int dirfd, const char *path, const char *const *argv, const char *const *envp,
		 int flags)
{
	return result(syscall(SYS_execveat, dirfd, path, argv, envp, flags));
}

int sys_pivot_root(const char *new_root, const char *put_old)
{
	return result(syscall(SYS_pivot_root, new_root, put_old));
}

int sys_open_tree(int dirfd, const char *path, unsigned flags)
{
	return result(syscall(SYS_open_tree, dirfd, path, flags | OPEN_TREE_CLOEXEC));
}

int sys_move_mount(int from_dirfd, const char *from, int to_dirfd, const char *to, unsigned flags)
{
	return result(syscall(SYS_move_mount, from_dirfd, from, to_dirfd, to, flags));
}

int sys_fsopen(const char *fstype, unsigned flags)
{
	return result(syscall(SYS_fsopen, fstype, flags | FSOPEN_CLOEXEC));
}

int sys_fsconfig(int fd, unsigned command, const char *key, const void *value, int aux)
{
	return result(syscall(SYS_fsconfig, fd, command, key, value, aux));
}

int sys_fsmount(int fd, unsigned flags, unsigned attributes)
{
	return result(syscall(SYS_fsmount, fd, flags | FSMOUNT_CLOEXEC, attributes));
}

int sys_mount_setattr(int dirfd, const char *path, unsigned flags, struct mount_attr *attributes)
{
	return result(
		syscall(SYS_mount_setattr, dirfd, path, flags, attributes, sizeof(*attributes)));
}

int sys_bpf(int command, void *attributes, unsigned size)
{
	return result(syscall(SYS_bpf, command, attributes, size));
}

int sys_seccomp(unsigned operation, unsigned flags, void *arguments)
{
	return result(syscall(SYS_seccomp, operation, flags, arguments));
}

static const struct sys_pass no_pass;

ssize_t sys_sendmsg(int socket, const struct msghdr *header, int flags, const struct sys_pass *pass)
{
	const uint32_t *word = pass ? pass->words : no_pass.words;

	return result(syscall(SYS_sendmsg, socket, header, flags, (unsigned long)word[0],
			      (unsigned long)word[1], (unsigned long)word[2]));
}

ssize_t sys_recvmsg(int socket, struct msghdr *header, int flags, const struct sys_pass *pass)
{
	const uint32_t *word = pass ? pass->words : no_pass.words;

	return result(syscall(SYS_recvmsg, socket, header, flags, (unsigned long)word[0],
			      (unsigned long)word[1], (unsigned long)word[2]));
}

int sys_close(int fd, const struct sys_pass *pass)
{
	const uint32_t *word = pass ? pass->words : no_pass.words;

	/* It has one argument, and those that a pass uses are the fourth and on. */
	return result(syscall(SYS_close, fd, 0, 0, (unsigned long)word[0], (unsigned long)word[1],
			      (unsigned long)word[2]));
}

int sys_keyctl(int operation, unsigned long a, unsigned long b, unsigned long c)
{
	return result(syscall(SYS_keyctl, operation, a, b, c));
}

int sys_set_mempolicy(int mode, const unsigned long *nodes, unsigned long bits)
{
	return result(syscall(SYS_set_mempolicy, mode, nodes, bits));
}

int sys_get_mempolicy(int *mode, unsigned long *nodes, unsigned long bits, unsigned flags)
{
	return result(syscall(SYS_get_mempolicy, mode, nodes, bits, NULL, flags));
}

int sys_sched_setattr(pid_t pid, const struct sys_sched_attr *attributes)
{
	return result(syscall(SYS_sched_setattr, pid, attributes, 0));
}

int sys_ioprio_set(int which, int who, int priority)
{
	return result(syscall(SYS_ioprio_set, which, who, priority));
}

int sys_setgroups(size_t count, const gid_t *list)
{
	return result(syscall(SYS_setgroups, count, list));
}

int sys_setresuid(uid_t uid)
{
	return result(syscall(SYS_setresuid, uid, uid, uid));
}

int sys_setresgid(gid_t gid)
{
	return result(syscall(SYS_setresgid, gid, gid, gid));
}

uint64_t sys_capabilities(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {{.effective = 0}};

	if (syscall(SYS_capget, &header, data) < 0)
		return 0;
	return data[0].effective | (uint64_t)data[1].effective << 32;
}
