/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The last part of init and of an exec'ed process: from a process that is in place to the program
 * that the user wants.
 *
 * Situation at entry: all namespaces and the root are the container's; ids are root's of the user
 * namespace, capabilities are full there; no signal is blocked or handled; descriptors above the
 * preserved ones are close-on-exec.
 *
 * Order. Without no_new_privs a filter needs CAP_SYS_ADMIN, so it comes before ids and capabilities
 * (the filter must then allow the calls that change them, as with runc). With no_new_privs it
 * comes last, and needs to allow only execve(2). The bounding set is cut while CAP_SETPCAP is
 * there; ids change before the other sets, since the change would alter them.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "berth/base/alloc.h"
#include "berth/base/fd.h"
#include "berth/base/root.h"
#include "berth/base/signals.h"
#include "berth/base/str.h"
#include "berth/linux/console.h"
#include "berth/linux/process.h"
#include "berth/linux/scheduling.h"
#include "berth/linux/seccomp.h"
#include "berth/stage/message.h"

#include "going-internal.h"
#include "stage-internal.h"

#define FIRST_PRESERVED 3

int enter_cwd(int rootfd, const char *cwd, struct error *err)
{
	_cleanup_fd_ int fd = root_try_open(rootfd, cwd, ROOT_FOLLOW, O_PATH | O_DIRECTORY);
	char where[16]; /* long enough for the first character; ERANGE says the rest exists */

	/* As runc does: images may name a directory that they do not contain. */
	if (fd == -ENOENT)
		fd = root_make(rootfd, cwd, ROOT_DIRECTORY, err);
	else if (fd < 0)
		return fail(err, fd, "process.cwd: open \"%s\"", cwd);
	if (fd < 0)
		return within(err, fd, "process.cwd");
	if (fchdir(fd) < 0)
		return fail(err, -errno, "process.cwd: enter \"%s\"", cwd);
	/*
	 * A directory outside the root would show as "(unreachable)…" (CVE-2024-21626). The system
	 * call's own answer is needed: it does not begin with "/" then.
	 */
	if (getcwd(where, sizeof(where)) ? where[0] != '/' : errno != ERANGE)
		return refuse_as(err, -ENOENT, "process.cwd: \"%s\" is not inside the container",
				 cwd);
	return 0;
}

int enter_terminal(const struct console *console, int socket, struct error *err)
{
	const int fds[] = {console->master, console->slave};
	const uint32_t index[] = {0, 1};
	int r = message_send_fds(socket, fds, index, ARRAY_SIZE(fds), err);

	return r < 0 ? r : console_take(console->slave, err);
}

bool asks_for_scheduling(const struct spec_scheduling *scheduling)
{
	return scheduling->scheduler || scheduling->io_priority;
}

/*
 * The process tries first: the parent may be another user, who may not even make it less
 * important. In a user namespace it is the parent alone who may have rights over the host.
 */
int enter_scheduling(const struct spec_scheduling *scheduling, int socket, struct error *err)
{
	int r = 0;

	if (scheduling->scheduler)
		r = scheduler_apply(0, scheduling->scheduler, err);
	if (r == -EPERM)
		r = message_ask(socket, MESSAGE_SCHEDULER, err);
	if (r < 0 || !scheduling->io_priority)
		return r;
	r = io_priority_apply(0, scheduling->io_priority, err);
	return r == -EPERM ? message_ask(socket, MESSAGE_IO_PRIORITY, err) : r;
}

/*
 * The container's user may open /dev/stdout anew, which for a pipe takes its ownership. Only pipes
 * are given away: a file of the host that berth's output goes to stays whose it is
 * (CVE-2026-88265).
 */
static void give_pipes(uid_t uid)
{
	struct stat st;

	if (uid == 0)
		return;
	for (int fd = 0; fd < FIRST_PRESERVED; fd++) {
		if (fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode) && st.st_uid != uid)
			ignore(fchown(fd, uid,
				      (gid_t)-1)); /* an id that is not mapped: as it was */
	}
}

static int take_ids(const struct spec_process *process, struct error *err)
{
	int r = capabilities_bound(&process->capabilities, err);

	if (r >= 0)
		r = ids_apply(process, err);
	if (r >= 0)
		r = capabilities_apply(&process->capabilities, err);
	return r;
}

/* Where the filter asks an agent, that has the listener when this returns. */
static int load_filter(const struct entry *entry, struct error *err)
{
	struct seccomp_listener listener;
	int r = seccomp_apply(entry->seccomp, &listener, err);

	return r < 0 || listener.fd < 0 ? r : listener_give(entry->socket, &listener, err);
}

static int set_no_new_privileges(struct error *err)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return fail(err, -errno, "process.noNewPrivileges: set no_new_privs");
	return 0;
}

static int take_credentials(const struct entry *entry, struct error *err)
{
	const struct spec_process *process = entry->process;
	bool late_filter = process->no_new_privileges;
	int r = groups_apply(process, err);

	if (r >= 0 && !late_filter)
		r = load_filter(entry, err);
	if (r >= 0)
		r = take_ids(process, err);
	if (r >= 0 && process->no_new_privileges)
		r = set_no_new_privileges(err);
	return r;
}

static int keep_preserved(unsigned count, struct error *err)
{
	int r = fd_cloexec_from(FIRST_PRESERVED, err);

	for (unsigned i = 0; r >= 0 && i < count; i++)
		r = fd_set_cloexec(FIRST_PRESERVED + (int)i, false, err);
	return r;
}

/*
 * What needs calls that a filter may not allow (close_range(2) is newer than many profiles), and
 * changes nothing that the rest depends on: before the first filter.
 */
static int settle(const struct entry *entry, struct error *err)
{
	const struct spec_process *process = entry->process;

	int r = keep_preserved(entry->preserve_fds, err);

	if (r >= 0)
		r = lsm_apply(&entry->lsm, process, err);
	give_pipes(process->uid);
	umask(process->umask_set ? process->umask : 0022);
	/* From here on no new descriptor is needed, whatever RLIMIT_NOFILE is. */
	return r < 0 ? r : rlimits_apply(0, process->rlimits, process->rlimit_count, err);
}

int enter_program(const struct entry *entry, struct error *err)
{
	const struct spec_process *process = entry->process;
	const char *const *env = environment_make(entry);
	_cleanup_free_ char *path = NULL;
	int r = settle(entry, err);

	if (r >= 0)
		r = take_credentials(entry, err);
	/* Looked up as the user who will execute it. */
	if (r >= 0)
		r = executable_find(process->args[0], env, &path, err);
	if (r >= 0 && process->no_new_privileges)
		r = load_filter(entry, err);
	if (r < 0)
		return r;
	execve(path, (char *const *)process->args, (char *const *)env);
	r = executable_explain(path, -errno, err);
	/* The policy's word comes as one of these. */
	if (entry->lsm.selinux >= 0 && (r == -EACCES || r == -EPERM))
		return within(err, r, "process.selinuxLabel: does SELinux allow \"%s\"?",
			      process->selinux_label);
	return r;
}
