/* SPDX-License-Identifier: Apache-2.0 */
/* Keeping berth's own binary out of the container's reach (CVE-2019-5736). */
#ifndef BERTH_LINUX_SELFEXE_H
#define BERTH_LINUX_SELFEXE_H

#include "berth/base/error.h"

/*
 * Makes sure that the running program's exe file cannot be written through /proc/PID/exe. Where it
 * lies on a read-only mount (statvfs) or is a sealed memfd already, nothing is done and 0 is
 * returned; otherwise the program is executed again, with the same arguments and environment, from
 * a detached read-only clone of its own mount, or from a sealed copy in a memfd where that is not
 * possible, and the function does not return. Call it first thing, before anything is opened, for
 * the commands whose process will execute a container's code.
 */
int selfexe_protect(char *const argv[], char *const envp[], struct error *err) must_check;

#endif
