/* SPDX-License-Identifier: Apache-2.0 */
/* A new time namespace; see time_namespaces(7). */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>

#include "berth/base/fd.h"
#include "berth/base/proc.h"
#include "berth/base/str.h"
#include "berth/linux/namespaces.h"

static void add_clock(struct buf *text, const char *clock, const struct spec_time_offset *offset)
{
	if (offset->seconds || offset->nanoseconds)
		buf_printf(text, "%s %lld %u\n", clock, (long long)offset->seconds,
			   offset->nanoseconds);
}

int time_offsets_write(int procfd, pid_t pid, const struct spec_time_offsets *offsets,
		       struct error *err)
{
	_cleanup_buf_ struct buf text = BUF_EMPTY;
	struct error inner = ERROR_NONE;
	char path[64];
	int r;

	add_clock(&text, "monotonic", &offsets->monotonic);
	add_clock(&text, "boottime", &offsets->boottime);
	if (!text.size)
		return 0;
	snprintf(path, sizeof(path), "%d/timens_offsets", pid);
	r = proc_write(procfd, path, text.data, &inner);
	if (r == -ERANGE)
		return fail(err, r,
			    "linux.timeOffsets: a clock must neither be negative nor go beyond 146 "
			    "years");
	return r < 0 ? fail(err, r, "linux.timeOffsets: set the offsets") : 0;
}

int time_namespace_enter(int procfd, struct error *err)
{
	_cleanup_fd_ int directory = proc_open_self(procfd, "ns", O_PATH | O_DIRECTORY, err);
	_cleanup_fd_ int fd = -EBADF;

	if (directory < 0)
		return directory;
	fd = openat(directory, "time_for_children", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return fail(err, -errno, "open \"/proc/self/ns/time_for_children\"");
	return namespace_join(fd, NAMESPACE_TIME, err);
}
