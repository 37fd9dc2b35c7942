/* SPDX-License-Identifier: Apache-2.0 */
/* cgroup.events: whether a cgroup is populated, and whether it is frozen. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

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
