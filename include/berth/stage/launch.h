/* SPDX-License-Identifier: Apache-2.0 */
/* Bringing up a container's init: what the parent does, in phases. */
#ifndef BERTH_STAGE_LAUNCH_H
#define BERTH_STAGE_LAUNCH_H

#include <stdbool.h>

#include "berth/base/error.h"
#include "berth/base/pidref.h"
#include "berth/cgroup/unit.h"
#include "berth/linux/console.h"
#include "berth/linux/seccomp.h"
#include "berth/spec/spec.h"
#include "berth/stage/plan.h"

/* Sockets that are passed on to the program (sd_listen_fds(3)): the first preserved descriptors. */
struct listening {
	unsigned count;
	const char *names; /* LISTEN_FDNAMES, or NULL */
};

/* Everything that a launch needs; nothing of it is owned, and it outlives the launch. */
struct launch {
	const struct spec *spec;
	const struct plan *plan;
	const struct seccomp_program *seccomp;
	const char *id;
	const char *bundle;	  /* absolute */
	const int *namespace_fds; /* by kind; -1 where none is joined */
	const int *mount_users;	  /* by entry of mounts[]: whose maps it takes; see mount_origin */
	const char *stage;	  /* directory for mount_stage(), where the plan wants it */
	const char *netdevices_helper; /* of netdevices_prepare() */
	int procfd;		       /* the pinned procfs of the host */
	int bundlefd;		       /* working directory of the runtime's hooks */
	int cgroupfd;		       /* init is born in it; -1: in ours */
	const struct unit_ref *unit;   /* whose cgroup that is; NULL: it is none of systemd's */
	int listenfd;	       /* init waits for `start` here; -1: on the launch's own socket */
	unsigned preserve_fds; /* descriptors 3 to 3 + N - 1 go to the container */
	const struct listening *listening;
	unsigned lsm_active;	 /* of lsm_check() */
	const char *mount_label; /* of lsm_mount_option() */
	bool no_pivot;
	bool no_new_keyring;
};

/* A launched init, or a process that exec adds. */
struct launched {
	struct pidref init;
	int socket;		 /* the conversation with it; owned */
	struct console terminal; /* both ends of its terminal, where it has one; owned */
};

#define LAUNCHED_UNSET                                                                             \
	{                                                                                          \
		.init = PIDREF_UNSET, .socket = -EBADF, .terminal = CONSOLE_UNSET                  \
	}

/*
 * Clones init. Afterwards the parent's own share of the work is done while init builds its file
 * system: resource limits, OOM score, device rules.
 */
int launch_begin(const struct launch *launch, struct launched *ret, struct error *err) must_check;

/*
 * Serves init's requests until it is ready for its start. An error that init reports comes back as
 * it is; init's death without a word is an error too.
 */
int launch_serve(const struct launch *launch, struct launched *launched,
		 struct error *err) must_check;

/* Tells init that the container exists: from now on it does not die with us. */
int launch_commit(const struct launched *launched, struct error *err) must_check;

/*
 * Starts the program of an init at the other end of @socket, and waits for the outcome: 0 once the
 * program has been executed (its exec closed the socket), or what init reports. An init that was
 * killed in between is an error, as long as its remains can be looked at. @agent gets the listener
 * of its filter, where it has one. For `start` and `run` alike.
 */
int launch_go(int procfd, int socket, const struct pidref *init, struct seccomp_agent *agent,
	      struct error *err) must_check;

/* Kills and reaps init, closes the socket and the terminal. Accepts an unset one. */
void launched_undo(struct launched *launched);

/* Closes socket and terminal, and lets the process go on. */
void launched_done(struct launched *launched);

/* A process to be added to a running container. */
struct joining {
	const struct spec *spec; /* the container's */
	const struct spec_process *process;
	const struct seccomp_program *seccomp;
	const char *id;
	const struct pidref *init; /* whose namespaces are joined */
	int procfd;
	int cgroupfd;		     /* -1: stays in ours */
	const struct unit_ref *unit; /* which the cgroup is of, or of which it is below; or NULL */
	const char *subgroup;	     /* its path below the unit's, or "" */
	unsigned preserve_fds;
	const struct listening *listening;
	unsigned lsm_active; /* of lsm_check() */
	bool by_middle;	     /* the caller has no right to enter the pid namespace himself */
	bool own_keyring;    /* the container's session keyring is joined, as its init did */
	const int *signals;  /* that end a wait for it; see struct message_wait */
};

/*
 * Clones the process and joins it to the container, and yields its terminal if it has one. It
 * executes its program at launch_exec_go(), or ends with the caller.
 */
int launch_exec(const struct joining *joining, struct launched *ret, struct error *err) must_check;

/* As launch_go(), for what launch_exec() yielded. In a paused container it waits; see @signals. */
int launch_exec_go(int procfd, const struct launched *launched, struct seccomp_agent *agent,
		   const int *signals, struct error *err) must_check;

#endif
