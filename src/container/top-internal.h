/* SPDX-License-Identifier: Apache-2.0 */
/* What `top` knows of a container: two looks at its cgroup, and the time between them. */
#ifndef BERTH_CONTAINER_TOP_INTERNAL_H
#define BERTH_CONTAINER_TOP_INTERNAL_H

#include <dirent.h>

#include "berth/base/str.h"
#include "berth/cgroup/stats.h"
#include "berth/container/container.h"

struct top_row {
	const char *id;
	const char *status;
	pid_t pid;
	struct cgroup_stats before, now;
	int64_t elapsed_ms; /* at least 1 */
};

struct top_rows {
	struct top_row *items;
	size_t count;
};

/* top_print.c: append all rows; the table with its heading, the document as one line. */
void top_print_table(const struct top_rows *rows, struct buf *out);
void top_print_json(const struct top_rows *rows, struct buf *out);

/* list.c: adds the names of the containers in a state root, in their order. */
void state_names(DIR *root, struct strv *names);

#endif
