/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Linux security modules: the AppArmor profile and the SELinux label that a program gets, and the
 * label of its keys. The labels of mounts are only looked at here: mount/label.c.
 *
 * Theory of operation. Both take effect at the next exec, and are asked for by a write to a file in
 * the process's own directory of /proc. A container may have anything mounted there, and a write
 * that goes elsewhere leaves the program unconfined (CVE-2019-16884, CVE-2025-52881): so the files
 * are opened beneath the host's pinned procfs while that is there, and written to shortly before
 * the exec. What the process starts in between (hooks) is not confined by them.
 *
 * Where the kernel enforces neither, a name in config.json has no meaning and is left out with a
 * warning, as crun does, and runc for SELinux.
 */
#include "berth/linux/lsm.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "berth/base/alloc.h"
#include "berth/base/fd.h"
#include "berth/base/log.h"
#include "berth/base/proc.h"
#include "berth/base/str.h"

#define SELINUX_FILES "/sys/fs/selinux"

/* Until there is a policy everything has the label "kernel", and no other means anything. */
static bool selinux_has_policy(void)
{
	_cleanup_fd_ int fd = open("/proc/self/attr/current", O_RDONLY | O_CLOEXEC);
	char label[64] = "";

	return fd >= 0 && read(fd, label, sizeof(label) - 1) > 0 && !str_equal(label, "kernel");
}

/*
 * selinux(8): active where its file system is mounted; read-only it is for containers, whose labels
 * are not theirs to choose.
 */
static bool selinux_active(void)
{
	struct statfs fs;

	return statfs(SELINUX_FILES, &fs) == 0 && fs.f_type == SELINUX_MAGIC &&
	       !(fs.f_flags & ST_RDONLY) && selinux_has_policy();
}

/* One who may not ask learns it where the label is used. */
static int selinux_check(const char *path, const char *label, struct error *err)
{
	_cleanup_fd_ int fd = open(SELINUX_FILES "/context", O_RDWR | O_CLOEXEC);

	if (fd < 0 || write(fd, label, strlen(label)) >= 0 || errno != EINVAL)
		return 0;
	return refuse(err, "%s: \"%s\" is no context of SELinux's policy", path, label);
}

/* "Y" where AppArmor was switched on at boot; the file is missing where it is not in the kernel. */
static bool apparmor_active(void)
{
	_cleanup_fd_ int fd = open("/sys/module/apparmor/parameters/enabled", O_RDONLY | O_CLOEXEC);
	char answer = 'N';

	return fd >= 0 && read(fd, &answer, 1) == 1 && answer == 'Y';
}

static bool is_given(const char *value)
{
	return value && *value;
}

static void warn_of(const char *path, const char *value)
{
	if (is_given(value))
		log_warning("%s: \"%s\" has no meaning, the kernel enforces none here", path,
			    value);
}

static int check_label(const char *path, const char *label, unsigned active, struct error *err)
{
	if (active & LSM_SELINUX && is_given(label))
		return selinux_check(path, label, err);
	warn_of(path, label);
	return 0;
}

int lsm_check(const struct spec_process *process, const char *mount_label, unsigned *ret_active,
	      struct error *err)
{
	const char *profile = process ? process->apparmor_profile : NULL;
	const char *label = process ? process->selinux_label : NULL;
	unsigned active = 0;
	int r;

	if (is_given(profile) && apparmor_active())
		active |= LSM_APPARMOR;
	if ((is_given(label) || is_given(mount_label)) && selinux_active())
		active |= LSM_SELINUX;
	if (!(active & LSM_APPARMOR))
		warn_of("process.apparmorProfile", profile);
	r = check_label("process.selinuxLabel", label, active, err);
	if (r >= 0)
		r = check_label("linux.mountLabel", mount_label, active, err);
	*ret_active = active;
	return r;
}

char *lsm_mount_option(const struct spec_linux *linux, unsigned active)
{
	if (!(active & LSM_SELINUX) || !is_given(linux->mount_label))
		return NULL;
	return xasprintf("%s=%s", linux->mount_context, linux->mount_label);
}

int lsm_label_keys(int procfd, const struct spec_process *process, unsigned active,
		   struct error *err)
{
	int r = 0;

	if (active & LSM_SELINUX && process && is_given(process->selinux_label))
		r = proc_write_self(procfd, "attr/keycreate", process->selinux_label, err);
	return r < 0 ? within(err, r, "process.selinuxLabel: label the keyring") : 0;
}

int lsm_open(int procfd, const struct spec_process *process, unsigned active, struct lsm_exec *ret,
	     struct error *err)
{
	*ret = (struct lsm_exec)LSM_EXEC_UNSET;
	if (active & LSM_APPARMOR && is_given(process->apparmor_profile)) {
		ret->apparmor = proc_open_self(procfd, "attr/apparmor/exec", O_WRONLY, err);
		if (ret->apparmor < 0)
			return within(err, ret->apparmor, "process.apparmorProfile");
	}
	if (active & LSM_SELINUX && is_given(process->selinux_label)) {
		ret->selinux = proc_open_self(procfd, "attr/exec", O_WRONLY, err);
		if (ret->selinux < 0)
			return within(err, ret->selinux, "process.selinuxLabel");
	}
	return 0;
}

/* In one write, as the kernel wants it. */
static int write_name(int fd, const char *name)
{
	return write(fd, name, strlen(name)) < 0 ? -errno : 0;
}

int lsm_apply(const struct lsm_exec *files, const struct spec_process *process, struct error *err)
{
	int r = 0;

	if (files->apparmor >= 0) {
		_cleanup_free_ char *text = xasprintf("exec %s", process->apparmor_profile);

		r = write_name(files->apparmor, text);
		if (r < 0)
			return fail(err, r,
				    "process.apparmorProfile: write \"%s\" to "
				    "`/proc/self/attr/apparmor/exec`%s",
				    text, r == -ENOENT ? " (is the profile loaded?)" : "");
	}
	if (files->selinux >= 0)
		r = write_name(files->selinux, process->selinux_label);
	return r < 0 ? fail(err, r, "process.selinuxLabel: write \"%s\" to `/proc/self/attr/exec`",
			    process->selinux_label)
		     : 0;
}
