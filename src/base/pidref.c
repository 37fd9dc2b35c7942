/* SPDX-License-Identifier: Apache-2.0 */
/* Processes, pinned by a pidfd. */
#include "berth/base/pidref.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "berth/base/alloc.h"
#include "berth/base/clock.h"
#include "berth/base/fd.h"
#include "berth/base/str.h"
#include "berth/base/sys.h"

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

/* Fields of /proc/PID/stat as proc(5) numbers them; the second one may hold anything. */
#define STAT_FIELD_STATE 3
#define STAT_FIELD_FLAGS 9
#define STAT_FIELD_START 22

/* Bytes of /proc/PID/status, in which there may be 65536 groups. */
#define STATUS_SIZE_MAX ((size_t)1 << 20)

/* In that field (include/linux/sched.h of the kernel): it is ending. */
#define PF_EXITING 0x4
/* Cloned, and nothing executed since. */
#define PF_FORKNOEXEC 0x40
/* A signal ends it. */
#define PF_SIGNALED 0x400

/* Reads /proc/PID/stat into @text and finds its third field, the first after the name. */
static int read_stat(int procfd, pid_t pid, char *text, size_t room, char **ret_fields)
{
	_cleanup_fd_ int fd = -EBADF;
	char path[32], *end;
	ssize_t n;

	snprintf(path, sizeof(path), "%d/stat", pid);
	fd = openat(procfd, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	n = read(fd, text, room - 1);
	if (n < 0)
		return -errno;
	text[n] = '\0';
	end = strrchr(text, ')');
	if (!end)
		return -EINVAL;
	*ret_fields = end + 1;
	return 0;
}

/* Field @number of proc(5), cut out of @fields, which begin with the third one. */
static const char *stat_field(char *fields, int number)
{
	char *saved = NULL, *field = strtok_r(fields, " ", &saved);

	for (int i = STAT_FIELD_STATE; field && i < number; i++)
		field = strtok_r(NULL, " ", &saved);
	return field;
}

/* The flags of /proc/PID/stat; none where they cannot be had. */
static uint64_t read_flags(int procfd, pid_t pid)
{
	char text[1024], *fields = NULL;
	const char *flags;
	uint64_t value;

	if (read_stat(procfd, pid, text, sizeof(text), &fields) < 0 || !fields)
		return 0;
	flags = stat_field(fields, STAT_FIELD_FLAGS);
	return flags && str_to_u64(flags, &value) == 0 ? value : 0;
}

/*
 * Whether the mask of signals of that name in /proc/PID/status has SIGKILL: hexadecimal, the last
 * digit for signals 1 to 4, so that the ninth is the lowest bit of the third from the end.
 */
static bool has_kill(const char *status, const char *name)
{
	const char *line = strstr(status, name);
	const char *end = line ? strchr(line + strlen(name), '\n') : NULL;

	static_assert(SIGKILL == 9, "the third digit");
	return end && end - line > (ptrdiff_t)strlen(name) + 3 && strchr("13579bdf", end[-3]);
}

/*
 * A SIGKILL is dequeued a moment before the flag is set. But what was sent to a process, and not to
 * one thread, stays pending there until the process is reaped. So the pending ones are looked at
 * first: whoever has dequeued it since has set the flag soon after.
 */
bool pidref_is_doomed(int procfd, pid_t pid)
{
	char path[32];
	_cleanup_free_ char *status = NULL;
	struct error ignored = ERROR_NONE;

	snprintf(path, sizeof(path), "%d/status", pid);
	if (file_read_at(procfd, path, STATUS_SIZE_MAX, &status, NULL, &ignored) < 0)
		return false;
	if (has_kill(status, "\nShdPnd:\t") || has_kill(status, "\nSigPnd:\t"))
		return true;
	return read_flags(procfd, pid) & PF_SIGNALED;
}

bool pidref_is_ending(int procfd, pid_t pid)
{
	return pidref_is_doomed(procfd, pid) || read_flags(procfd, pid) & PF_EXITING;
}

int pidref_start_time(int procfd, pid_t pid, uint64_t *ret_ticks, bool *ret_zombie)
{
	char text[1024], *fields = NULL;
	const char *start;
	int r = read_stat(procfd, pid, text, sizeof(text), &fields);

	if (r < 0)
		return r;
	if (!fields)
		return -EINVAL;
	fields += strspn(fields, " ");
	if (ret_zombie)
		*ret_zombie = *fields == 'Z' || *fields == 'X';
	start = stat_field(fields, STAT_FIELD_START);
	return start ? str_to_u64(start, ret_ticks) : -EINVAL;
}

bool pidref_never_executed(int procfd, pid_t pid)
{
	return read_flags(procfd, pid) & PF_FORKNOEXEC;
}

int pidref_open(int procfd, pid_t pid, uint64_t start_ticks, struct pidref *ret)
{
	_cleanup_fd_ int fd = pid > 0 ? sys_pidfd_open(pid, 0) : -ESRCH;
	bool zombie;
	uint64_t ticks;
	int r;

	/* Of a number that a thread has by now pidfd_open(2) says so in one of two ways. */
	if (fd == -ENOENT || fd == -EINVAL)
		return -ESRCH;
	if (fd < 0)
		return fd;
	/* Looked at after it was pinned: if it is the right one now, the pidfd is the right one. */
	r = pidref_start_time(procfd, pid, &ticks, &zombie);
	if (r < 0)
		return r;
	if (ticks != start_ticks || zombie)
		return -ESRCH;
	*ret = (struct pidref){.pid = pid, .fd = take_fd(&fd)};
	return 0;
}

int pidref_signal(const struct pidref *ref, int signal)
{
	return sys_pidfd_send_signal(ref->fd, signal);
}

int pidref_wait_exit(const struct pidref *ref, int timeout_ms)
{
	struct pollfd poller = {.fd = ref->fd, .events = POLLIN};
	int64_t end = clock_now_ms() + timeout_ms;
	int n;

	for (;;) {
		n = poll(&poller, 1, timeout_ms);
		if (n >= 0 || errno != EINTR)
			break;
		if (timeout_ms >= 0) {
			int64_t left = end - clock_now_ms();

			timeout_ms = left > 0 ? (int)left : 0;
		}
	}
	return n < 0 ? -errno : n;
}

int pidref_reap(const struct pidref *ref, int *ret_status)
{
	siginfo_t info = {.si_pid = 0};
	int r;

	do
		r = waitid((idtype_t)P_PIDFD, (id_t)ref->fd, &info, WEXITED);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return -errno;
	if (ret_status && info.si_code == CLD_EXITED)
		*ret_status = W_EXITCODE(info.si_status, 0);
	else if (ret_status)
		*ret_status = W_EXITCODE(0, info.si_status);
	return 0;
}

void pidref_done(struct pidref *ref)
{
	ref->fd = fd_close(ref->fd);
	ref->pid = 0;
}

void pidref_kill_and_reap(struct pidref *ref)
{
	if (ref->fd >= 0) {
		/* Gone already, or killed now: either way it can be reaped. */
		ignore(pidref_signal(ref, SIGKILL));
		ignore(pidref_reap(ref, NULL));
	}
	pidref_done(ref);
}

int exit_code_of(int wait_status)
{
	if (WIFSIGNALED(wait_status))
		return 128 + WTERMSIG(wait_status);
	return WEXITSTATUS(wait_status);
}
