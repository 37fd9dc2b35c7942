/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a removed cgroup would have told. The kernel's count of processes killed for want of memory
 * goes with the cgroup, and the last kill often is what ends the container: who watches may look
 * too late. So a watcher puts a file into the state directory, and whoever removes the cgroup
 * writes the count into it before. The watcher reads it by its descriptor when the file itself is
 * gone, too.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "berth/base/fd.h"
#include "berth/cgroup/stats.h"

#include "container-internal.h"
#include "oom_note-internal.h"

#define NOTE_MAX 32

int oom_note_open(int dirfd)
{
	return openat(dirfd, STATE_OOM, O_RDONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
}

void oom_note_leave(int dirfd, int cgroup_root, const char *path)
{
	_cleanup_fd_ int note = openat(dirfd, STATE_OOM, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
	_cleanup_fd_ int cgroup = -EBADF;
	struct error unheard = ERROR_NONE;
	char text[NOTE_MAX];
	uint64_t kills;
	int size;

	/* The usual case: nobody watches. */
	if (note < 0)
		return;
	cgroup = cgroup_open(cgroup_root, path, &unheard);
	kills = cgroup < 0 ? 0 : cgroup_oom_kills(cgroup);
	size = snprintf(text, sizeof(text), "%" PRIu64, kills);
	/* The watcher is no reason to keep a container. */
	if (kills && pwrite(note, text, (size_t)size, 0) != size)
		return;
}

uint64_t oom_note_read(int fd)
{
	char text[NOTE_MAX];
	ssize_t n = fd < 0 ? 0 : pread(fd, text, sizeof(text) - 1, 0);
	uint64_t kills;

	text[n > 0 ? n : 0] = '\0';
	return str_to_u64(text, &kills) < 0 ? 0 : kills;
}
