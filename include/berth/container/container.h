/* SPDX-License-Identifier: Apache-2.0 */
/* The operations on containers: one function for each command (runtime.md, "Operations"). */
#ifndef BERTH_CONTAINER_CONTAINER_H
#define BERTH_CONTAINER_CONTAINER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "berth/base/error.h"
#include "berth/base/str.h"
#include "berth/cgroup/cgroup.h"
#include "berth/cgroup/unit.h"
#include "berth/stage/launch.h"

/* Where containers are kept, and how; the global options. */
struct runtime {
	const char *root;    /* the state root, absolute */
	bool root_given;     /* with --root: then a missing one is an error of `list` */
	const char *program; /* argv[0] */
	enum cgroup_manager cgroup_manager;
	struct systemd systemd; /* for new containers; others have a manager of their own */
	bool rootless; /* without rights over the host: a cgroup only where one is delegated */
	const char *notify_socket;  /* of sd_notify(3), absolute or "@NAME"; NULL: none */
	struct listening listening; /* sockets for the program: part of what preserve_fds counts */
};

/* Options of create and run. */
struct create_options {
	const char *id;
	const char *bundle;	    /* as given; "." is the default */
	const char *pid_file;	    /* NULL: none */
	const char *console_socket; /* gets the terminal of a detached one; NULL: none */
	unsigned preserve_fds;
	const char *pidfd_socket; /* gets the pidfd of init; NULL: none */
	bool no_pivot;
	bool no_new_keyring;
	bool detach;	   /* run only */
	bool keep;	   /* run only: the container stays after its end */
	bool no_subreaper; /* run only */
};

/* Options of exec. */
struct exec_options {
	const char *id;
	const char *process_file; /* --process, or NULL */
	const char *const *args;  /* NULL-terminated; empty with --process */
	const char *cwd;	  /* NULL: the container's */
	const char *user;	  /* "UID[:GID]", or NULL */
	struct strv env, caps, groups, cgroups;
	const char *apparmor, *process_label; /* NULL: the container's */
	const char *pidfd_socket;	      /* gets the pidfd of the process; NULL: none */
	bool no_new_privileges;
	const char *pid_file;
	const char *console_socket; /* gets the terminal of a detached one; NULL: none */
	unsigned preserve_fds;
	bool tty; /* a terminal; with --process that says so */
	bool detach;
	bool ignore_paused;
	bool no_subreaper;
};

/*
 * Creates the container and leaves its init waiting for the start. On failure nothing is left: no
 * process, mount, cgroup or state directory.
 */
int container_create(const struct runtime *runtime, const struct create_options *options,
		     struct error *err) must_check;

/*
 * Creates and starts in one. Attached: forwards signals, waits, deletes the container, and yields
 * its exit status as a shell would. Detached: *ret_status is 0.
 */
int container_run(const struct runtime *runtime, const struct create_options *options,
		  int *ret_status, struct error *err) must_check;

/*
 * Starts a created container. Success means that the program was executed, or that init ended
 * after it had acknowledged and left no trace that would tell otherwise. A poststart hook that
 * fails ends the container.
 */
int container_start(const struct runtime *runtime, const char *id, struct error *err) must_check;

/*
 * Sends @signal to the container's init; with @all to every process in its cgroup, and then a
 * container that does not run is fine.
 */
int container_kill(const struct runtime *runtime, const char *id, int signal, bool all,
		   struct error *err) must_check;

/*
 * Deletes a stopped container; with @force one in any state, and one that is not there is fine.
 */
int container_delete(const struct runtime *runtime, const char *id, bool force,
		     struct error *err) must_check;

/* Executes a further process in a container; *ret_status as for container_run(). */
int container_exec(const struct runtime *runtime, const struct exec_options *options,
		   int *ret_status, struct error *err) must_check;

/*
 * Freezes and thaws all processes of a container that runs or waits for its start. Refused where it
 * has no cgroup.
 */
int container_pause(const struct runtime *runtime, const char *id, struct error *err) must_check;
int container_resume(const struct runtime *runtime, const char *id, struct error *err) must_check;

/* Options of ps. */
struct ps_options {
	const char *id;
	bool json;		 /* the numbers alone */
	const char *const *args; /* of ps(1), NULL-terminated; empty: "-ef" */
	const char *const *env;	 /* of ps(1), and where its PATH comes from */
};

/*
 * Appends the processes in the container's cgroup and below: as a JSON array, or as those lines
 * of ps(1) that are about them. Refused where it has no cgroup.
 */
int container_ps(const struct runtime *runtime, const struct ps_options *options, struct buf *out,
		 struct error *err) must_check;

/* Appends what `state` prints. */
int container_state(const struct runtime *runtime, const char *id, struct buf *out,
		    struct error *err) must_check;

/* How `list` prints. */
enum list_format {
	LIST_TABLE,
	LIST_JSON,
	LIST_QUIET
};

/* Appends what `list` prints. */
int container_list(const struct runtime *runtime, enum list_format format, struct buf *out,
		   struct error *err) must_check;

/* Checks a container's name: [A-Za-z0-9_+.-], at most 255 bytes, neither "." nor "..". */
int container_id_check(const char *id, struct error *err) must_check;

#endif
