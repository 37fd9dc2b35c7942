/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of container/ share: the state directory, the record, the status. */
#ifndef BERTH_CONTAINER_INTERNAL_H
#define BERTH_CONTAINER_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "berth/base/alloc.h"
#include "berth/base/pidref.h"
#include "berth/container/container.h"
#include "berth/linux/resctrl.h"
#include "berth/spec/spec.h"
#include "berth/spec/state_document.h"

/* Names in a container's state directory. */
#define STATE_RECORD "state.json"
#define STATE_CONFIG "config.json"
#define STATE_SOCKET "start.sock"
#define STATE_OOM    "oom"
/* Directories in the state root whose names are no legal container ids. */
#define STATE_CACHE "@seccomp"
#define STATE_STAGE "@stage"

/*
 * What berth writes down about a container, in its own words. The intent (everything but the
 * process) is written before the first side effect, so that whatever happens to the writer, delete
 * knows what to undo; it is replaced once init waits for its start.
 */
struct record {
	const char *id;
	const char *bundle;
	const char *rootfs;
	const char *created;
	uid_t owner;
	enum cgroup_manager cgroup_manager;
	const char *cgroup_path; /* NULL without a cgroup */
	unsigned cgroup_keep;	 /* leading components of it that are not ours */
	const char *unit;	 /* systemd's, whose cgroup that is; NULL: it is none's */
	bool unit_of_user;	 /* of the user's manager */
	bool poststart, poststop, seccomp_agent; /* as the copy of config.json says */
	struct resctrl_made resctrl;		 /* its groups there */
	bool own_keyring; /* its processes have a session keyring of its own */
	struct spec_strings annotations;
	pid_t pid; /* 0: the intent only */
	uint64_t start_ticks;
};

/* record.c */
int record_write(int dirfd, const struct record *record, bool first, struct error *err) must_check;
/* *ret lives in @arena. -ENODATA if there is none. */
int record_read(int dirfd, struct arena *arena, struct record *ret, struct error *err) must_check;

/* state_dir.c */
int state_root_open(const struct runtime *runtime, bool make, struct error *err) must_check;
/* Makes the directory of a new container; it is locked until the descriptor is closed. */
int state_claim(int rootfd, const char *id, struct error *err) must_check;
/* Opens a container's directory. -ENOENT with runc's text if there is none. */
int state_open(const struct runtime *runtime, const char *id, struct error *err) must_check;
/* Takes the lock, waits for it if asked to. 1: it is ours; 0: the directory is gone; -EBUSY. */
int state_lock(int dirfd, bool wait, struct error *err) must_check;
void state_unlock(int dirfd);
bool state_has_record(int dirfd);
/* Removes the directory and everything in it. */
int state_remove(int rootfd, int dirfd, const char *id, struct error *err) must_check;
/* Makes the empty directory that read-only mounts are staged on; see mount_stage(). */
int state_stage_make(int rootfd, struct error *err) must_check;
/* The directory of compiled filters, or -1: there is no cache then, which is no error. */
int state_cache_open(int rootfd);
int state_listen(int dirfd, struct error *err) must_check;
int state_connect(int dirfd) must_check; /* negative errno without a text */

/* status.c: a container as it is now. */
struct container {
	int dirfd, procfd; /* owned */
	struct arena *arena;
	struct record record;
	enum container_status status;
	struct pidref init; /* unset where it has ended */
};

#define CONTAINER_UNSET                                                                            \
	{                                                                                          \
		.dirfd = -EBADF, .procfd = -EBADF, .init = PIDREF_UNSET                            \
	}

int container_load(const struct runtime *runtime, const char *id, struct container *ret,
		   struct error *err) must_check;
/* The same for a directory that is open already, which is consumed. */
int container_load_from(int dirfd, struct container *ret, struct error *err) must_check;
void container_done(struct container *container);
#define _cleanup_container_ __attribute__((cleanup(container_done)))

/* The copy of config.json that the container was made from, decoded into the container's arena. */
int container_spec(struct container *container, const struct spec **ret,
		   struct error *err) must_check;
/* How the manager of the record's unit is asked, whatever the command line says. */
struct systemd record_systemd(const struct runtime *runtime, const struct record *record);
/* Its cgroup, the caller's. -ENOMEDIUM where it has none, -ENOENT where that is gone. */
int container_cgroup_open(const struct container *container, struct error *err) must_check;
void container_describe(const struct container *container, struct state_document *ret);

/* destroy.c */
struct remains {
	const struct runtime *runtime;
	const struct record *record;
	const struct pidref *init; /* may be unset */
	const struct spec *spec;   /* for poststop hooks; NULL: none */
	int procfd, rootfd, dirfd;
};
int container_destroy(const struct remains *remains, struct error *err) must_check;
/* A loaded container, by name: kills and removes it, runs its poststop hooks. */
int container_destroy_loaded(const struct runtime *runtime, struct container *container,
			     struct error *err) must_check;

/* hooks of the runtime namespace for a container that runs */
int run_poststart(const struct spec *spec, const struct record *record, pid_t pid,
		  struct error *err) must_check;

/* create.c: a container on its way. */
struct console;
struct creation;
int creation_start(const struct runtime *runtime, const struct create_options *options,
		   bool attached, struct creation **ret, struct error *err) must_check;
int creation_commit(struct creation *creation, struct error *err) must_check;
int creation_go(struct creation *creation, struct error *err) must_check;
/* The terminal of its process; unset without one, or once it was taken. */
struct console *creation_terminal(struct creation *creation);
struct notify *creation_notify(struct creation *creation);
const struct pidref *creation_init(const struct creation *creation);
const struct spec *creation_spec(const struct creation *creation);
const struct record *creation_record(const struct creation *creation);
int creation_directory(const struct creation *creation);
/* Undoes what was done; with @destroy false only memory and descriptors are given back. */
void creation_free(struct creation *creation, bool destroy);
int creation_destroy(struct creation *creation, struct error *err) must_check;

/* namespace_pids.c: the processes of a container without a cgroup. */
int namespace_pids_read(const struct container *container, struct cgroup_pids *ret,
			struct error *err) must_check;

/* pid_file.c: digits only, replaced atomically. */
int pid_file_write(const char *path, pid_t pid, struct error *err) must_check;
void pid_file_remove(const char *path);

/* attend.c: blocks the signals that attend() forwards. Before the clone, so that none is lost. */
int attend_prepare(bool subreaper, struct error *err) must_check;

#endif
