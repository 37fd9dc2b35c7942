/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lock of the store, and waiting for it.
 *
 * Theory of operation. Who waits sleeps in flock(2), so that he has the lock the moment that it is
 * free. An alarm ends the wait; it goes on ringing, since the first signal may come just before the
 * sleep. Any other signal that the program catches ends it, too.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/time.h>

#include "berth/base/clock.h"
#include "berth/base/proc.h"

#include "store-internal.h"

#define ALARM_MS 100

static void on_alarm(int number)
{
	/* It is there to interrupt flock(2). */
	(void)number;
}

static int wait_until(int fd, int operation, int64_t deadline)
{
	if (flock(fd, operation) == 0)
		return 0;
	if (errno != EINTR)
		return -errno;
	return clock_now_ms() < deadline ? -EINTR : -ETIMEDOUT;
}

static int lock(int fd, int operation, int timeout_ms)
{
	const struct sigaction ours = {.sa_handler = on_alarm};
	const struct itimerval off = {.it_value = {.tv_sec = 0}},
			       on = {.it_value = {.tv_sec = timeout_ms / 1000,
						  .tv_usec = timeout_ms % 1000 * 1000L},
				     .it_interval = {.tv_usec = ALARM_MS * 1000L}};
	struct sigaction old;
	int64_t deadline;
	int r;

	if (flock(fd, operation | LOCK_NB) == 0)
		return 0;
	if (errno != EWOULDBLOCK)
		return -errno;
	deadline = clock_now_ms() + timeout_ms;
	if (sigaction(SIGALRM, &ours, &old) < 0 || setitimer(ITIMER_REAL, &on, NULL) < 0)
		return -errno;
	r = wait_until(fd, operation, deadline);
	if (setitimer(ITIMER_REAL, &off, NULL) < 0 || sigaction(SIGALRM, &old, NULL) < 0)
		return -errno;
	return r;
}

/*
 * The process of a line of /proc/locks (proc(5)) that is about a lock of the file whose inode is
 * @inode: "1: FLOCK  ADVISORY  WRITE 123 08:01:4711 0 EOF"; 0: of another, or of one that waits.
 */
static int holder_in(const char *line, const char *inode)
{
	char kind[32] = "", mode[32] = "", access[32] = "", pid[32] = "", file[64] = "";
	char *const words[] = {kind, mode, access, pid, file};
	const size_t rooms[] = {sizeof(kind), sizeof(mode), sizeof(access), sizeof(pid),
				sizeof(file)};
	const char *colon;
	uint64_t number;

	line += strcspn(line, " \n");
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		size_t length;

		line += strspn(line, " ");
		length = strcspn(line, " \n");
		if (length >= rooms[i])
			return 0;
		memcpy(words[i], line, length);
		words[i][length] = '\0';
		line += length;
	}
	/* Who waits has "->" for the kind. */
	colon = strrchr(file, ':');
	if (!str_equal(kind, "FLOCK") || !colon || !str_equal(colon + 1, inode) ||
	    str_to_u64(pid, &number) < 0)
		return 0;
	return (int)number;
}

static int find_holder(int fd)
{
	struct error unused = ERROR_NONE;
	_cleanup_fd_ int procfd = proc_open(&unused);
	_cleanup_fd_ int locksfd =
		procfd < 0 ? -EBADF : proc_open_at(procfd, "locks", O_RDONLY, &unused);
	_cleanup_free_ char *text = NULL, *inode = NULL;
	struct stat st;
	int holder = 0;

	if (locksfd < 0 || fstat(fd, &st) < 0 ||
	    file_read_fd(locksfd, "/proc/locks", STORE_FILE_MAX, &text, NULL, &unused) < 0)
		return 0;
	inode = xasprintf("%ju", (uintmax_t)st.st_ino);
	for (const char *line = text; *line && holder == 0; line += *line == '\n') {
		holder = holder_in(line, inode);
		line += strcspn(line, "\n");
	}
	return holder;
}

int store_lock(int fd, const char *what, int operation, int timeout_ms, struct error *err)
{
	int r = lock(fd, operation, timeout_ms), holder;

	if (r >= 0)
		return 0;
	if (r != -ETIMEDOUT)
		return fail(err, r, "lock \"%s\"", what);
	holder = find_holder(fd);
	if (holder > 0)
		return refuse_as(err, r, "lock \"%s\": not free for %d ms; process %d has it", what,
				 timeout_ms, holder);
	return refuse_as(err, r, "lock \"%s\": not free for %d ms; lslocks(8) shows who has it",
			 what, timeout_ms);
}
