/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A table of what containers use, again and again. A share of time needs two looks: what is printed
 * is what went on between this look and the one before.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>

#include "berth/base/clock.h"
#include "berth/base/fd.h"
#include "berth/container/resources.h"

#include "container-internal.h"
#include "top-internal.h"

/* A look at all containers that run. */
struct look {
	struct arena *arena; /* owned */
	struct top_rows rows;
	int64_t at_ms;
};

static void look_done(struct look *look)
{
	look->arena = arena_free(look->arena);
	look->rows = (struct top_rows){.items = NULL};
}

#define _cleanup_look_ __attribute__((cleanup(look_done)))

static void add_row(struct look *look, const struct container *container,
		    const struct cgroup_stats *stats)
{
	look->rows.items[look->rows.count++] = (struct top_row){
		.id = arena_strdup(look->arena, container->record.id),
		.status = container_status_names[container->status],
		.pid = container->init.pid,
		.before = *stats,
		.now = *stats,
		.elapsed_ms = 1,
	};
}

/* A container that has stopped, or has no cgroup, has no row; one that is not there is an error. */
static int look_at(const struct runtime *runtime, const char *id, struct look *look,
		   struct error *err)
{
	_cleanup_container_ struct container container = CONTAINER_UNSET;
	struct error unheard = ERROR_NONE;
	struct cgroup_stats stats;
	_cleanup_fd_ int fd = -EBADF;
	int r = container_load(runtime, id, &container, err);

	if (r < 0)
		return r;
	if (container.status == STATUS_STOPPED || container.status == STATUS_CREATING)
		return 0;
	fd = container_cgroup_open(&container, &unheard);
	if (fd >= 0 && cgroup_stats_read(fd, look->arena, &stats, &unheard) >= 0)
		add_row(look, &container, &stats);
	return 0;
}

static int find_names(const struct runtime *runtime, const struct top_options *options,
		      struct strv *names, struct error *err)
{
	struct error failed = ERROR_NONE;
	_cleanup_dir_ DIR *dir = NULL;
	int rootfd;

	for (const char *const *id = options->ids; *id; id++)
		strv_add(names, *id);
	if (names->count)
		return 0;
	rootfd = state_root_open(runtime, /* make= */ false, &failed);
	if (rootfd == -ENOENT && !runtime->root_given)
		return 0;
	if (rootfd < 0) {
		*err = failed;
		return rootfd;
	}
	dir = fdopendir(rootfd);
	if (!dir) {
		fd_close(rootfd);
		return fail(err, -errno, "list the state root");
	}
	state_names(dir, names);
	return 0;
}

/* @strict: a container that was named must be there. */
static int take_look(const struct runtime *runtime, const struct top_options *options, bool strict,
		     struct look *ret, struct error *err)
{
	_cleanup_look_ struct look look = {.arena = arena_new(), .at_ms = clock_now_ms()};
	_cleanup_strv_ struct strv names = {.items = NULL};
	int r = find_names(runtime, options, &names, err);

	look.rows.items = arena_alloc(look.arena, names.count, sizeof(*look.rows.items));
	for (size_t i = 0; r >= 0 && i < names.count; i++) {
		struct error unheard = ERROR_NONE;

		r = look_at(runtime, names.items[i], &look, strict ? err : &unheard);
		if (r < 0 && !strict)
			r = 0;
	}
	if (r < 0)
		return r;
	*ret = look;
	look.arena = NULL;
	return 0;
}

/* Gives each row of @now its own of @before; one that is new began just now. */
static void compare(const struct look *before, struct look *now)
{
	for (size_t i = 0; i < now->rows.count; i++) {
		struct top_row *row = &now->rows.items[i];

		for (size_t k = 0; k < before->rows.count; k++) {
			const struct top_row *old = &before->rows.items[k];

			if (str_equal(old->id, row->id) && old->pid == row->pid)
				row->before = old->now;
		}
		if (now->at_ms > before->at_ms)
			row->elapsed_ms = now->at_ms - before->at_ms;
	}
}

static int print(const struct top_options *options, const struct top_rows *rows, struct error *err)
{
	_cleanup_buf_ struct buf text = BUF_EMPTY;

	if (options->clear)
		buf_add_string(&text, "\033[H\033[2J");
	if (options->json)
		top_print_json(rows, &text);
	else
		top_print_table(rows, &text);
	return options->print(text.data, err);
}

int container_top(const struct runtime *runtime, const struct top_options *options,
		  struct error *err)
{
	_cleanup_look_ struct look before = {.arena = NULL};
	bool strict = options->ids[0] != NULL;
	int r;

	if (options->interval_ms <= 0)
		return refuse(err, "the interval must be greater than 0");
	r = take_look(runtime, options, strict, &before, err);
	while (r >= 0) {
		struct look now;

		/* A signal ends the program, or lets it look a little early. */
		poll(NULL, 0, (int)options->interval_ms);
		r = take_look(runtime, options, /* strict= */ false, &now, err);
		if (r < 0)
			break;
		compare(&before, &now);
		look_done(&before);
		before = now;
		r = print(options, &now.rows, err);
		/* Of those that were named none is left. */
		if (options->once || (strict && !now.rows.count))
			break;
	}
	return r;
}
