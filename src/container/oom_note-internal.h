/* SPDX-License-Identifier: Apache-2.0 */
/* What who removes a cgroup leaves for who watches it; see oom_note.c. */
#ifndef BERTH_CONTAINER_OOM_NOTE_INTERNAL_H
#define BERTH_CONTAINER_OOM_NOTE_INTERNAL_H

#include <stdint.h>

#include "berth/base/error.h"

/* For who watches: a descriptor, the caller's; negative: he has to do without. */
int oom_note_open(int dirfd) must_check;

/* For who is about to remove the cgroup at @path. */
void oom_note_leave(int dirfd, int cgroup_root, const char *path);

/* How many processes had been killed for want of memory, or 0. */
uint64_t oom_note_read(int fd) must_check;

#endif
