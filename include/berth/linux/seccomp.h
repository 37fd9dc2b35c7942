/* SPDX-License-Identifier: Apache-2.0 */
/* System call filters: compiled in the parent by libseccomp (or taken from the cache). */
#ifndef BERTH_LINUX_SECCOMP_H
#define BERTH_LINUX_SECCOMP_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "berth/base/error.h"
#include "berth/base/sys.h"
#include "berth/spec/seccomp.h"
#include "berth/spec/state_document.h"

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
 * action, so that C libraries fall back (as runc does). A filter that asks an agent must find the
 * agent's socket in its place.
 */
int seccomp_prepare(const struct spec_seccomp *spec, int cachefd, struct seccomp_program *ret,
		    struct error *err) must_check;
void seccomp_program_done(struct seccomp_program *program);

/* What asks the agent, as the process that has loaded the filter holds it. */
struct seccomp_listener {
	int fd; /* owned; -1: the filter asks nobody */
	struct sys_pass
		pass; /* lets sendmsg(2), recvmsg(2) and close(2) through, whatever it says */
};

/*
 * Loads the program for the calling process; it needs no_new_privs or CAP_SYS_ADMIN in its user
 * namespace. The last thing before exec that can be: see stage/ for the order. A listener must be
 * given to the agent and closed before anything else: no call is certain to return until then.
 */
int seccomp_apply(const struct seccomp_program *program, struct seccomp_listener *ret,
		  struct error *err) must_check;

/* Who answers for the system calls of one process; nothing but the socket is owned. */
struct seccomp_agent {
	int socket; /* -1: the filter asks nobody */
	const char *path, *metadata;
	struct state_document state; /* of the container */
};

#define SECCOMP_AGENT_NONE                                                                         \
	{                                                                                          \
		.socket = -EBADF                                                                   \
	}

/* Connects to the agent of @spec, where it has one; NULL has none. */
int seccomp_agent_connect(const struct spec_seccomp *spec, const struct state_document *state,
			  struct seccomp_agent *ret, struct error *err) must_check;
/*
 * Gives it the listener of the process @pid (as we see it) of that container, and hangs up: a
 * connection is for one.
 */
int seccomp_agent_send(struct seccomp_agent *agent, pid_t pid, int listener,
		       struct error *err) must_check;
void seccomp_agent_done(struct seccomp_agent *agent);
#define _cleanup_agent_ __attribute__((cleanup(seccomp_agent_done)))

/* Whether the kernel has the flag of that name; for `features`. */
bool seccomp_flag_is_supported(const char *name);

/* The version of libseccomp that berth was built with: "2.5.4". For `features`. */
const char *seccomp_library_version(void);

#endif
