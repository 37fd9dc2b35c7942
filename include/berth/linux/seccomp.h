/* SPDX-License-Identifier: Apache-2.0 */
/* System call filters: compiled in the parent by libseccomp (or taken from the cache). */
#ifndef BERTH_LINUX_SECCOMP_H
#define BERTH_LINUX_SECCOMP_H

#include <stddef.h>
#include <stdint.h>

#include "berth/base/error.h"
#include "berth/spec/seccomp.h"

struct seccomp_program {
	void *instructions; /* array of struct sock_filter, owned; NULL: no filter */
	size_t count;
	uint32_t flags; /* SECCOMP_FILTER_FLAG_* for seccomp(2) */
};

/*
 * Compiles @spec (NULL: *ret is empty). @cachefd: a directory of root's alone for compiled
 * filters, or -1; see seccomp_cache.c for its keys and its bounds. A cache that cannot be read or
 * written, or that others may write, is as good as none. Errors name the JSON path below
 * linux.seccomp. System calls whose names libseccomp does not know are skipped, as runc and crun
 * do; those newer than the newest one that the profile knows get ENOSYS instead of an ERRNO default
 * action, so that C libraries fall back (as runc does).
 */
int seccomp_prepare(const struct spec_seccomp *spec, int cachefd, struct seccomp_program *ret,
		    struct error *err) must_check;
void seccomp_program_done(struct seccomp_program *program);

/*
 * Loads the program for the calling process; it needs no_new_privs or CAP_SYS_ADMIN in its user
 * namespace. The last thing before exec that can be: see stage/ for the order.
 */
int seccomp_apply(const struct seccomp_program *program, struct error *err) must_check;

/* The version of libseccomp that berth was built with: "2.5.4". For `features`. */
const char *seccomp_library_version(void);

#endif
