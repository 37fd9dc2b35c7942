/* SPDX-License-Identifier: Apache-2.0 */
/* The operations on a container's limits, and what it uses of them. */
#ifndef BERTH_CONTAINER_RESOURCES_H
#define BERTH_CONTAINER_RESOURCES_H

#include "berth/container/container.h"

/* Options of update. */
struct update_options {
	const char *id;
	const char *text; /* a linux.resources document */
	size_t size;
	const char *what; /* names the document in errors */
	/* Lines of linux.intelRdt; NULL: they stay as they are. */
	const char *l3_cache, *memory_bandwidth;
};

/*
 * Changes the limits of a container that has not stopped, be it paused. Everything is checked
 * first, and on failure the cgroup is as it was before.
 */
int container_update(const struct runtime *runtime, const struct update_options *options,
		     struct error *err) must_check;

/* Options of events. */
struct events_options {
	const char *id;
	int64_t interval_ms; /* between two lines of figures; not above 0: refused */
	bool stats;	     /* the figures once, now */
	/* Gets each line; what it returns below 0 ends it. */
	int (*print)(const char *line, struct error *err);
};

/*
 * Prints, in runc's shapes, what the container uses, at intervals, and that the kernel has killed
 * for want of memory, when it happens; until the container's last process ends.
 */
int container_events(const struct runtime *runtime, const struct events_options *options,
		     struct error *err) must_check;

/* Options of top. */
struct top_options {
	const char *const *ids; /* NULL-terminated; empty: all that run */
	bool json;
	bool once;
	bool clear;	     /* the terminal before each table */
	int64_t interval_ms; /* between two looks */
	int (*print)(const char *text, struct error *err);
};

/*
 * Prints, once or again and again, what the containers use: shares of time since the look before.
 * A named one must be there at the beginning; it ends when none of them runs any more.
 */
int container_top(const struct runtime *runtime, const struct top_options *options,
		  struct error *err) must_check;

#endif
