/* SPDX-License-Identifier: Apache-2.0 */
/* The lines that `events` prints. */
#ifndef BERTH_CONTAINER_EVENTS_INTERNAL_H
#define BERTH_CONTAINER_EVENTS_INTERNAL_H

#include "berth/base/str.h"
#include "berth/cgroup/stats.h"

/* Append one line. */
void event_stats(const char *id, const struct cgroup_stats *stats, struct buf *out);
void event_oom(const char *id, struct buf *out);

#endif
