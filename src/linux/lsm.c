/* SPDX-License-Identifier: Apache-2.0 */
/* Linux security modules: whether a label or a profile in config.json means anything on this host.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "berth/base/fd.h"
#include "berth/base/log.h"
#include "berth/linux/process.h"

/* selinux(8): the kernel part is active where its file system is mounted. */
static bool selinux_active(void)
{
	struct statfs fs;

	return statfs("/sys/fs/selinux", &fs) == 0 && fs.f_type == SELINUX_MAGIC;
}

/* "Y" where AppArmor was switched on at boot; the file is missing where it is not in the kernel. */
static bool apparmor_active(void)
{
	_cleanup_fd_ int fd = open("/sys/module/apparmor/parameters/enabled", O_RDONLY | O_CLOEXEC);
	char answer = 'N';

	return fd >= 0 && read(fd, &answer, 1) == 1 && answer == 'Y';
}

static int check(const char *path, const char *value, bool (*active)(void), struct error *err)
{
	if (!value || !*value)
		return 0;
	if (active())
		return refuse(err, "%s: not supported yet", path);
	log_warning("%s: \"%s\" has no meaning, the kernel enforces none here", path, value);
	return 0;
}

int lsm_check(const struct spec_process *process, const char *mount_label, struct error *err)
{
	int r = check("linux.mountLabel", mount_label, selinux_active, err);

	if (r >= 0 && process)
		r = check("process.selinuxLabel", process->selinux_label, selinux_active, err);
	if (r >= 0 && process)
		r = check("process.apparmorProfile", process->apparmor_profile, apparmor_active,
			  err);
	return r;
}
