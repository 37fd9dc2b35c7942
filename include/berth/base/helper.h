/* SPDX-License-Identifier: Apache-2.0 */
/* Where the other programs of berth are. */
#ifndef BERTH_BASE_HELPER_H
#define BERTH_BASE_HELPER_H

#include "berth/base/error.h"

/*
 * The own file, absolute, by @name, which is argv[0]; the caller's. NULL where that is no path, or
 * another file: argv[0] is what the caller of exec makes it. A process that was executed again from
 * a clone of its file's mount is of the same file.
 */
char *helper_own_program(const char *name);

/*
 * The absolute path of the program @name ("berth-net"): beside the file @program, as in a build
 * directory, otherwise where an installation has it. @program: the caller's own file, absolute;
 * NULL: what /proc says, which a process that was executed by descriptor cannot use. Beside us only
 * a file counts (no link) that is root's or belongs to who has @program: in a directory such as
 * /tmp anybody could put one. @needed_by (an option, a member of config.json) begins the error:
 * -ENOENT where there is no such program. *ret is the caller's.
 */
int helper_path(const char *program, const char *name, const char *needed_by, char **ret,
		struct error *err) must_check;

#endif
