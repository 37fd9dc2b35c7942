/* SPDX-License-Identifier: Apache-2.0 */
/* Freezing, and cgroup.events: whether a cgroup is populated, and whether it is frozen. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "berth/base/clock.h"
#include "berth/base/fd.h"
#include "berth/base/str.h"
#include "berth/cgroup/cgroup.h"

#include "cgroup-internal.h"

/* True if the line "KEY 1" is in @text. */
static bool flag_is_set(const char *text, const char *key)
{
	size_t length = strlen(key);

	for (const char *line = text; line && *line;) {
		if (str_starts(line, key) && line[length] == ' ')
			return line[length + 1] == '1';
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	return false;
}

int cgroup_events_read(int eventsfd, struct cgroup_events *ret)
{
	char text[256];
	ssize_t n = pread(eventsfd, text, sizeof(text) - 1, 0);

	if (n < 0)
		return -errno;
	text[n] = '\0';
	ret->populated = flag_is_set(text, "populated");
	ret->frozen = flag_is_set(text, "frozen");
	return 0;
}

int cgroup_events_of(int cgroupfd, struct cgroup_events *ret)
{
	_cleanup_fd_ int fd = openat(cgroupfd, "cgroup.events", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : cgroup_events_read(fd, ret);
}

int cgroup_is_frozen(int cgroupfd, bool *ret, struct error *err)
{
	struct cgroup_events events = {.frozen = false};
	int r = cgroup_events_of(cgroupfd, &events);

	if (r < 0)
		return fail(err, r, "read cgroup.events");
	*ret = events.frozen;
	return 0;
}

/* Waits until cgroup.events says so; 0 after the time. */
static int wait_frozen(int cgroupfd, bool frozen, int timeout_ms)
{
	_cleanup_fd_ int fd = openat(cgroupfd, "cgroup.events", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	int64_t end = clock_now_ms() + timeout_ms;

	if (fd < 0)
		return -errno;
	for (;;) {
		struct pollfd waited = {.fd = fd, .events = POLLPRI};
		struct cgroup_events events = {.frozen = false};
		int64_t left = end - clock_now_ms();
		/* Reading arms the poll: a change after this read is not missed. */
		int r = cgroup_events_read(fd, &events);

		if (r < 0 || events.frozen == frozen)
			return r < 0 ? r : 1;
		if (left <= 0)
			return 0;
		if (poll(&waited, 1, (int)left) < 0 && errno != EINTR)
			return -errno;
	}
}

static int write_freeze(int cgroupfd, bool frozen, struct error *err)
{
	return file_write_at(cgroupfd, "cgroup.freeze", frozen ? "1" : "0", 1,
			     frozen ? "\"1\" to cgroup.freeze" : "\"0\" to cgroup.freeze", err);
}

int cgroup_freeze(int cgroupfd, bool frozen, int timeout_ms, struct error *err)
{
	struct error unheard = ERROR_NONE;
	int r = write_freeze(cgroupfd, frozen, err);

	if (r < 0)
		return r;
	r = wait_frozen(cgroupfd, frozen, timeout_ms);
	if (r < 0)
		return fail(err, r, "read cgroup.events");
	if (r > 0)
		return 0;
	if (!frozen)
		return refuse_as(err, -ETIMEDOUT,
				 "the cgroup stays frozen (is one above it frozen too?)");
	ignore(write_freeze(cgroupfd, false, &unheard)); /* as it was before, as far as it goes */
	return refuse_as(err, -ETIMEDOUT, "a process in the cgroup cannot be frozen in time");
}
