/* SPDX-License-Identifier: Apache-2.0 */
/* A procfs that is known to be one: every access of berth to /proc goes through it. */
#ifndef BERTH_BASE_PROC_H
#define BERTH_BASE_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "berth/base/error.h"

/*
 * Opens /proc of the current mount namespace (before any container's root is entered) as an O_PATH
 * directory, and checks by fstatfs(2) and the inode of its root that it is a procfs, so that later
 * writes cannot be redirected (CVE-2019-16884, CVE-2025-52881). Returns the descriptor.
 */
int proc_open(struct error *err) must_check;

/*
 * Opens @path beneath the procfs @procfd, crossing neither links nor mounts. "self" and
 * "thread-self" are links: use proc_open_self(). @flags as for open(2). Returns the descriptor.
 */
int proc_open_at(int procfd, const char *path, int flags, struct error *err) must_check;

/* As proc_open_at(), for @path below the directory of the calling process. */
int proc_open_self(int procfd, const char *path, int flags, struct error *err) must_check;

/* Writes @value in one write(2) to @path beneath the procfs; the error names path and value. */
int proc_write(int procfd, const char *path, const char *value, struct error *err) must_check;

/* As proc_write(), below the directory of the calling process. */
int proc_write_self(int procfd, const char *path, const char *value, struct error *err) must_check;

/* Whether the caller is in the host's own user namespace; false where /proc does not say so. */
bool proc_in_first_user_namespace(void);

/* Path of @fd for calls that take only paths: "/proc/self/fd/N". For descriptors of berth's own. */
#define FD_PATH_MAX 32
void fd_path(int fd, char path[static FD_PATH_MAX]);

#endif
