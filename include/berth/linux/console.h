/* SPDX-License-Identifier: Apache-2.0 */
/* The pseudo terminal of a container's process, from the process's side. */
#ifndef BERTH_LINUX_CONSOLE_H
#define BERTH_LINUX_CONSOLE_H

#include <errno.h>

#include "berth/base/error.h"
#include "berth/spec/process.h"

/* Both ends of a pseudo terminal; owned. */
struct console {
	int master, slave;
};

#define CONSOLE_UNSET                                                                              \
	{                                                                                          \
		.master = -EBADF, .slave = -EBADF                                                  \
	}

/*
 * Makes a pseudo terminal in the devpts at dev/pts beneath @rootfd, in the mount namespace that it
 * is mounted in. The slave belongs to the process's user, and has the size that process.consoleSize
 * gives. Nothing is resolved by way of a link. Errors begin with process.terminal, or name
 * process.consoleSize.
 */
int console_open(int rootfd, const struct spec_process *process, struct console *ret,
		 struct error *err) must_check;

/*
 * Makes the slave the controlling terminal of the caller, who leads a session without one, and its
 * standard input, output and error.
 */
int console_take(int slave, struct error *err) must_check;

#endif
