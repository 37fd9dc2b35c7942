/* SPDX-License-Identifier: Apache-2.0 */
/* What the files about system call filters offer each other. */
#ifndef BERTH_LINUX_SECCOMP_INTERNAL_H
#define BERTH_LINUX_SECCOMP_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "berth/base/str.h"
#include "berth/linux/seccomp.h"

/* --- seccomp_stub.c ---------------------------------------------------------------------- */

/* The system calls of one architecture that are newer than the profile: above @newest, below @end.
 */
struct seccomp_unknown {
	uint32_t audit_arch; /* AUDIT_ARCH_… as the kernel gives it */
	uint32_t newest, end;
};

/*
 * Puts instructions before @program that answer ENOSYS to the calls of @list, and go on with the
 * program for all others. Does nothing for an empty list.
 */
void seccomp_stub_prepend(const struct seccomp_unknown *list, size_t count,
			  struct seccomp_program *program);

/* --- seccomp_pass.c ---------------------------------------------------------------------- */

/*
 * Puts instructions before @program that let a few calls of the architecture @arch through where
 * they carry a pass, which is to be drawn before the program is loaded.
 */
void seccomp_pass_prepend(uint32_t arch, struct seccomp_program *program);

/* Draws a pass and writes it into @program, which is the caller's own copy. */
int seccomp_pass_draw(const struct seccomp_program *program, struct sys_pass *ret,
		      struct error *err) must_check;

/* --- seccomp_notify.c -------------------------------------------------------------------- */

/* Whether there is a socket to connect to when the time has come. */
int seccomp_agent_check(const struct spec_seccomp *spec, struct error *err) must_check;

/* --- seccomp_cache.c --------------------------------------------------------------------- */

/*
 * All that a compiled program depends on, as bytes that no other filter has. @library: version of
 * libseccomp; @native: the architecture of this berth.
 */
void seccomp_cache_key(const struct spec_seccomp *spec, const char *library, uint32_t native,
		       struct buf *key);

/* Whether a program for @key was found; then *ret is the caller's (without flags). */
bool seccomp_cache_load(int cachefd, const struct buf *key, struct seccomp_program *ret);

/* Keeps a program. A failure is no error: it is compiled again the next time. */
void seccomp_cache_store(int cachefd, const struct buf *key, const struct seccomp_program *program);

/* Bounds of a cache. */
#define SECCOMP_CACHE_FILES_MAX 64
#define SECCOMP_CACHE_BYTES_MAX ((size_t)1 << 20)

#endif
