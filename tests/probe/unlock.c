/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unlock.c: root in a user namespace, with all capabilities there, tries to take the flags of a
 * mount of the host away, or to see what lies below it. One process for each attempt, since each
 * changes the namespaces that it is in.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "probe.h"

/* sys/mount.h and linux/mount.h do not go together. */
int mount(const char *source, const char *target, const char *type, unsigned long flags,
	  const void *data);
int umount2(const char *target, int flags);

#define REMOUNT_BIND (32ul | 4096ul) /* MS_REMOUNT | MS_BIND */
#define DETACH	     2		     /* MNT_DETACH */
#define LOCKED	     (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

static int set_attributes(int fd, const char *path, unsigned flags, unsigned long long clear)
{
	struct mount_attr attributes = {.attr_clr = clear};

	return (int)syscall(SYS_mount_setattr, fd, path, flags, &attributes, sizeof(attributes));
}

static int by_remount(const char *path)
{
	return mount(NULL, path, NULL, REMOUNT_BIND, NULL);
}

static int by_setattr(const char *path)
{
	return set_attributes(AT_FDCWD, path, 0, LOCKED);
}

static int by_setattr_recursive(const char *path)
{
	return set_attributes(AT_FDCWD, path, AT_RECURSIVE, LOCKED);
}

static int clone_tree(const char *path, unsigned flags)
{
	return (int)syscall(SYS_open_tree, AT_FDCWD, path, 1u /* OPEN_TREE_CLONE */ | flags);
}

static int by_clone(const char *path)
{
	int fd = clone_tree(path, AT_RECURSIVE);

	return fd < 0 ? fd : set_attributes(fd, "", AT_EMPTY_PATH, LOCKED);
}

/* A clone of the mount alone would show what is below a mount that covers it. */
static int by_clone_without_children(const char *path)
{
	return clone_tree(path, 0);
}

static int by_new_namespace(const char *path)
{
	return unshare(CLONE_NEWNS) < 0 ? -1 : by_setattr(path);
}

static int by_new_user(const char *path)
{
	return unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0 ? -1 : by_setattr(path);
}

/* In a copy of the mount namespace: a whole bind mount may go, and the next attempt needs it. */
static int by_detach(const char *path)
{
	return unshare(CLONE_NEWNS) < 0 ? -1 : umount2(path, DETACH);
}

static int by_move(const char *path)
{
	if (unshare(CLONE_NEWNS) < 0)
		return -1;
	return (int)syscall(SYS_move_mount, AT_FDCWD, path, AT_FDCWD, "/tmp", 0);
}

static const struct {
	const char *name;
	int (*run)(const char *path);
} attempts[] = {
	{"remount", by_remount},
	{"setattr", by_setattr},
	{"setattr-recursive", by_setattr_recursive},
	{"clone", by_clone},
	{"clone-without-children", by_clone_without_children},
	{"new-namespace", by_new_namespace},
	{"new-user", by_new_user},
	{"detach", by_detach},
	{"move", by_move},
};

static int try_it(size_t i, const char *path)
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0)
		_exit(attempts[i].run(path) < 0 ? errno : 0);
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Whether this is the host's own user namespace, where all of it would succeed, and do harm. */
static bool is_host(void)
{
	struct stat st;

	return stat("/proc/self/ns/user", &st) < 0 || st.st_ino == 0xEFFFFFFDu;
}

/* unlock PATH…: what each attempt on each of them comes to, and the flags at the end. */
int command_unlock(int argc, char **argv)
{
	if (is_host()) {
		fprintf(stderr, "unlock: only in a user namespace\n");
		return 2;
	}
	json_object(NULL);
	for (int p = 1; p < argc; p++) {
		struct statvfs fs = {0};

		json_object(argv[p]);
		for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++)
			json_string(attempts[i].name, errno_name(try_it(i, argv[p])));
		statvfs(argv[p], &fs);
		json_bool("ro", fs.f_flag & ST_RDONLY);
		json_bool("nosuid", fs.f_flag & ST_NOSUID);
		json_bool("nodev", fs.f_flag & ST_NODEV);
		json_bool("noexec", fs.f_flag & ST_NOEXEC);
		json_end();
	}
	json_end();
	return 0;
}
