/* SPDX-License-Identifier: Apache-2.0 */
/* Paths of the host as text: for what a user names and a state file keeps. */
#ifndef BERTH_BASE_PATH_H
#define BERTH_BASE_PATH_H

/*
 * @path, made absolute with the absolute directory @base where it is relative, and cleaned
 * lexically: no "//", "." or "..", no slash at the end. Links are not looked at (runc does the
 * same), so never use it for what lies inside a container's root. Caller's text.
 */
char *path_join(const char *base, const char *path) __attribute__((returns_nonnull));

/* The same with the current working directory as the base; NULL with errno if there is none. */
char *path_absolute(const char *path);

#endif
