/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of stage/ share. */
#ifndef BERTH_STAGE_INTERNAL_H
#define BERTH_STAGE_INTERNAL_H

#include <stdbool.h>

#include "berth/base/error.h"
#include "berth/linux/lsm.h"
#include "berth/linux/process.h"
#include "berth/mount/filesystem.h"
#include "berth/stage/launch.h"

/* State of init while it walks its steps. It lives until exec; nothing is freed one by one. */
struct init {
	const struct launch *launch;
	int socket; /* to the parent */
	struct mount_context mount;
	struct mount_sources sources;
	struct lsm_exec lsm;
};

/* One step on the way to a container. */
struct step {
	const char *name;
	bool (*needed)(const struct launch *launch); /* NULL: always */
	int (*run)(struct init *init, struct error *err);
};

/* The steps of init, in order (steps.c). */
extern const struct step init_steps[];
extern const size_t init_step_count;

/* How a process of the container is born; nothing is owned. */
struct birth {
	unsigned flags;		     /* CLONE_NEW*, CLONE_PARENT */
	int cgroupfd;		     /* born in this cgroup; -1: in ours */
	const struct unit_ref *unit; /* moves it where we may not; NULL: nobody does */
	const char *subgroup;	     /* the cgroup's path below the unit's, or NULL */
	int pid_namespace; /* born in it: a namespace, or a pidfd of a process in it; -1: in ours */
	int procfd;
	const int *signals; /* that end a wait for it; see struct message_wait */
	const char *what;   /* for errors */
};

/* clone.c: as fork(2): 0 in the child; in the parent 1 or more, with *ret set, or an error. */
int process_clone(const struct birth *birth, struct pidref *ret, struct error *err) must_check;

/*
 * clone.c: the clone of init, which talks over sockets[1]. @report: the socket of the middle
 * process, where that is the caller: init is its sibling then; else negative.
 */
int init_clone(const struct launch *launch, const int sockets[static 2], int report,
	       struct pidref *ret, struct error *err) must_check;

/* A process that joins namespaces and clones another one into them; nothing is owned. */
struct middle {
	int cgroupfd;		     /* born in this cgroup; -1: in ours */
	const struct unit_ref *unit; /* as in struct birth */
	const char *subgroup;
	int procfd;
	const int *signals;
	/*
	 * Runs in it: makes a sibling by process_clone() with CLONE_PARENT, which closes @report,
	 * the conversation of middle and parent.
	 */
	int (*give_birth)(const struct middle *middle, int report, struct pidref *ret,
			  struct error *err);
	const void *what;
	const int *sockets; /* of the conversation of parent and child */
};

/* middle.c: for the parent. *ret: the child that was born in the end. */
int clone_by_middle(const struct middle *middle, struct pidref *ret, struct error *err) must_check;

/* middle.c: the same by way of a middle process; for the parent. */
int init_clone_by_middle(const struct launch *launch, const int sockets[static 2],
			 struct pidref *ret, struct error *err) must_check;

/*
 * middle.c: process_clone() for a caller who could not leave the pid namespace again: a process
 * aside enters it, and ends.
 */
int clone_aside(const struct birth *birth, struct pidref *ret, struct error *err) must_check;

/*
 * join.c: joins all namespaces of the plan but the pid namespace, and becomes root of the user
 * namespace if one is among them.
 */
int namespaces_enter(const struct launch *launch, int socket, struct error *err) must_check;

/* join.c: root's ids of the user namespace that the caller is in now. */
int become_root(int socket, struct error *err) must_check;

/* init.c: the whole life of init up to exec. @parent_socket is the parent's end, closed here. */
_Noreturn void init_main(const struct launch *launch, int socket, int parent_socket);

/* What the last part needs: how a process becomes the program (enter.c). */
struct entry {
	const struct spec_process *process;
	const struct seccomp_program *seccomp;
	int socket; /* where the outcome is reported, and to where the listener of the filter goes
		     */
	int rootfd; /* the container's root, O_PATH */
	unsigned preserve_fds;
	const struct listening *listening;
	struct lsm_exec lsm;
};

/* environment.c: what the program gets; it lives until exec. */
const char *const *environment_make(const struct entry *entry);

/* Working directory, made if it is missing, inside the root. */
int enter_cwd(int rootfd, const char *cwd, struct error *err) must_check;

/*
 * Credentials, filter, descriptors, exec: does not return where it succeeds. The order is fixed by
 * what each takes away from the next.
 */
int enter_program(const struct entry *entry, struct error *err) must_check;

/* Makes the caller die with its parent, whose socket tells whether it is alive still. */
int die_with_parent(int socket, struct error *err) must_check;

/* wait.c: init's wait for its start. Returns the socket on which the outcome is reported. */
int wait_for_start(const struct launch *launch, int socket, int *ret_report,
		   struct error *err) must_check;

/* enter.c: sends both ends of the terminal to the parent, and makes it the process's own. */
int enter_terminal(const struct console *console, int socket, struct error *err) must_check;

/* enter.c: whether there is anything to set. */
bool asks_for_scheduling(const struct spec_scheduling *scheduling);
/* enter.c: sets it for the caller; what he has no right to in his user namespace, the parent does.
 */
int enter_scheduling(const struct spec_scheduling *scheduling, int socket,
		     struct error *err) must_check;

/* parent.c: takes the terminal that the child has sent. */
struct message;
int store_terminal(struct launched *launched, const struct message *message, const int *fds,
		   struct error *err) must_check;

/* State of the container as hooks get it; the caller's text. */
char *hook_state(const struct launch *launch, int status, pid_t pid);

#endif
