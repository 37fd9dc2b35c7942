/* SPDX-License-Identifier: Apache-2.0 */
/* Labels and profiles of Linux security modules. */
#ifndef BERTH_LINUX_LSM_H
#define BERTH_LINUX_LSM_H

#include <errno.h>

#include "berth/base/error.h"
#include "berth/spec/spec.h"

/*
 * lsm_check(), before any side effect, says which of the modules that process and mounts name
 * something for are active in the kernel; where one is not, the name is left out with a warning. A
 * label that SELinux's policy does not know is an error already here. @process and @mount_label may
 * be NULL.
 */
#define LSM_APPARMOR 1u
#define LSM_SELINUX  2u
int lsm_check(const struct spec_process *process, const char *mount_label, unsigned *ret_active,
	      struct error *err) must_check;

/* The option that gives new file systems linux.mountLabel, the caller's; NULL where there is none.
 */
char *lsm_mount_option(const struct spec_linux *linux, unsigned active);

/* The process itself: labels the keys that it makes from here to its next exec as its program. */
int lsm_label_keys(int procfd, const struct spec_process *process, unsigned active,
		   struct error *err) must_check;

/* Where the process asks for its label at the next exec; both owned, -1 where nothing is asked. */
struct lsm_exec {
	int apparmor, selinux;
};

#define LSM_EXEC_UNSET                                                                             \
	{                                                                                          \
		.apparmor = -EBADF, .selinux = -EBADF                                              \
	}

/* The process itself: opens the files while the host's procfs is there, and writes to them later,
 * before a filter or no_new_privs gets in the way. */
int lsm_open(int procfd, const struct spec_process *process, unsigned active, struct lsm_exec *ret,
	     struct error *err) must_check;
int lsm_apply(const struct lsm_exec *files, const struct spec_process *process,
	      struct error *err) must_check;

#endif
