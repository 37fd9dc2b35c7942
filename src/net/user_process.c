/* SPDX-License-Identifier: Apache-2.0 */
/* The processes of networks of ordinary users: whether they run, and ending them. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "berth/base/pidref.h"
#include "berth/base/proc.h"

#include "store-internal.h"
#include "user_net-internal.h"

/* Bytes of a command line that are looked at: more than its first words, in which the token is. */
#define COMMAND_LINE_MAX 4096

/* How long a process may take to end after SIGKILL. */
#define KILL_TIMEOUT_MS 10000

int user_process_ticks(pid_t pid, const char *what, uint64_t *ret, struct error *err)
{
	_cleanup_fd_ int proc = proc_open(err);
	bool is_zombie = false;
	int r = proc < 0 ? proc : pidref_start_time(proc, pid, ret, &is_zombie);

	if (r == -ESRCH || (r >= 0 && is_zombie))
		return refuse_as(err, -ESRCH, "%s, process %d, has ended", what, pid);
	return r;
}

bool user_process_runs(pid_t pid, uint64_t ticks)
{
	_cleanup_pidref_ struct pidref ref = PIDREF_UNSET;
	struct error ignored = ERROR_NONE;
	_cleanup_fd_ int proc = proc_open(&ignored);

	return proc >= 0 && pid > 0 && pidref_open(proc, pid, ticks, &ref) >= 0;
}

static int end_process(const struct pidref *ref, struct error *err)
{
	int r = pidref_signal(ref, SIGKILL);

	if (r < 0 && r != -ESRCH)
		return fail(err, r, "kill process %d", ref->pid);
	r = pidref_wait_exit(ref, KILL_TIMEOUT_MS);
	if (r == 0)
		return refuse_as(err, -ETIMEDOUT, "process %d does not end", ref->pid);
	return r < 0 ? fail(err, r, "wait for process %d", ref->pid) : 0;
}

/* --- By the command line --------------------------------------------------------------------- */

struct hunt {
	int proc;
	const char *name;  /* the program's first word */
	const char *token; /* in another one */
};

static bool is_game(const struct hunt *hunt, const char *pid)
{
	char path[32], line[COMMAND_LINE_MAX + 1] = "";
	_cleanup_fd_ int fd = -EBADF;
	ssize_t size;

	snprintf(path, sizeof(path), "%s/cmdline", pid);
	fd = openat(hunt->proc, path, O_RDONLY | O_CLOEXEC);
	size = fd < 0 ? -1 : read(fd, line, COMMAND_LINE_MAX);
	return size > 0 && str_equal(line, hunt->name) &&
	       memmem(line, (size_t)size, hunt->token, strlen(hunt->token));
}

static int hunt_one(void *data, const char *name, struct error *err)
{
	const struct hunt *hunt = data;
	_cleanup_pidref_ struct pidref ref = PIDREF_UNSET;
	uint32_t pid;
	uint64_t ticks;

	if (str_to_u32(name, &pid) < 0 || (pid_t)pid == getpid() || !is_game(hunt, name))
		return 0;
	/* What has ended meanwhile, or has become another's number, is what is wanted. */
	if (pidref_start_time(hunt->proc, (pid_t)pid, &ticks, NULL) < 0 ||
	    pidref_open(hunt->proc, (pid_t)pid, ticks, &ref) < 0 || !is_game(hunt, name))
		return 0;
	return end_process(&ref, err);
}

/* A program whose number nobody has written down: its starter was killed. */
static int hunt_program(int proc, const struct user_net *net, struct error *err)
{
	struct hunt hunt = {.proc = proc, .name = user_net_name(net->mode), .token = net->token};

	return store_each(proc, "/proc", hunt_one, &hunt, err);
}

int user_process_stop(const struct user_net *net, struct error *err)
{
	_cleanup_pidref_ struct pidref ref = PIDREF_UNSET;
	_cleanup_fd_ int proc = proc_open(err);

	if (proc < 0)
		return proc;
	if (net->helper_pid == 0)
		return hunt_program(proc, net, err);
	if (pidref_open(proc, net->helper_pid, net->helper_ticks, &ref) < 0)
		return 0;
	return end_process(&ref, err);
}
