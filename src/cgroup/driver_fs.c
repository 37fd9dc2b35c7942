/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file-system driver: makes the container's cgroup, and removes empty ones.
 *
 * Theory of operation. A controller works in a cgroup only if every ancestor, from the root down,
 * passes it on by its cgroup.subtree_control; so that is written on the way down, but only where a
 * limit needs it and it is not there yet, since other managers share the hierarchy. Without limits
 * nothing of that is needed, and a cgroup is one mkdirat(2) and one open. Empty parents may vanish
 * while we walk (another container's delete tidies up as we do): then the walk begins again.
 * Whatever was made is removed again if a later step fails.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "berth/base/alloc.h"
#include "berth/base/fd.h"
#include "berth/base/root.h"
#include "berth/base/str.h"
#include "berth/cgroup/cgroup.h"

#include "cgroup-internal.h"
#include "limits-internal.h"

/* How often a parent may vanish under us before we give up. */
#define WALKS_MAX 64

/* How many processes a message names. */
#define PIDS_NAMED_MAX 8

/* What cgroup_make() has made so far: removed where the scope ends, unless kept. */
struct made {
	int rootfd;
	const char *path;
	unsigned depth; /* of the innermost cgroup that was made; 0: none was */
	unsigned keep;	/* components before the outermost one that was made */
};

static void made_undo(struct made *made)
{
	struct error unused = ERROR_NONE;

	/* The caller reports what failed first; an empty cgroup left over harms nobody. */
	if (made->depth)
		ignore(cgroup_remove_upwards(made->rootfd, made->path, made->depth, made->keep,
					     &unused));
}

#define _cleanup_made_ __attribute__((cleanup(made_undo)))

char *cgroup_pids_text(int cgroupfd)
{
	_cleanup_buf_ struct buf text = BUF_EMPTY;
	_cleanup_free_ char *list = NULL;
	struct error unused = ERROR_NONE;
	char *saved = NULL;
	unsigned count = 0;

	if (file_read_at(cgroupfd, "cgroup.procs", CGROUP_FILE_MAX, &list, NULL, &unused) < 0)
		return xstrdup("processes unknown");
	for (char *pid = strtok_r(list, "\n", &saved); pid; pid = strtok_r(NULL, "\n", &saved)) {
		if (++count > PIDS_NAMED_MAX)
			break;
		buf_printf(&text, "%s%s", count == 1 ? "pids " : ", ", pid);
	}
	if (count > PIDS_NAMED_MAX)
		buf_add_string(&text, " and others");
	if (!count)
		buf_add_string(&text, "none in the cgroup itself");
	return buf_take(&text);
}

/* What mkdirat(2) may mean by its errno in this file system. */
static int fail_to_make(struct error *err, int code, const char *path)
{
	switch (code) {
	case -EACCES:
	case -EPERM:
		return fail(err, code,
			    "create cgroup \"%s\" (its parent is not delegated to user %u)", path,
			    (unsigned)geteuid());
	case -EAGAIN:
		return refuse_as(
			err, code,
			"create cgroup \"%s\": cgroup.max.depth or cgroup.max.descendants of "
			"a parent is reached",
			path);
	case -ENOSPC:
		return refuse_as(err, code,
				 "create cgroup \"%s\": the kernel's number of cgroups is used up",
				 path);
	default:
		return fail(err, code, "create cgroup \"%s\"", path);
	}
}

/* The single line of a control file without its line break; the caller's. */
static int read_line(int cgroupfd, const char *path, const char *file, char **ret,
		     struct error *err)
{
	int r = file_read_at(cgroupfd, file, CGROUP_FILE_MAX, ret, NULL, err);

	if (r < 0)
		return within(err, r, "cgroup \"%s\"", path);
	(*ret)[strcspn(*ret, "\n")] = '\0';
	return 0;
}

/* A cgroup on the way down. */
struct level {
	int rootfd, fd;
	const char *path;
};

/* A threaded cgroup has not all controllers that its parent passes on. */
static int fail_to_find(struct error *err, const struct level *at, const struct limit_need *need,
			const char *available)
{
	_cleanup_free_ char *type = NULL;
	struct error unheard = ERROR_NONE;
	bool threaded = read_line(at->fd, at->path, "cgroup.type", &type, &unheard) >= 0 &&
			str_equal(type, "threaded");

	return refuse_as(err, -EOPNOTSUPP,
			 "%s: the \"%s\" controller is not available in cgroup \"%s\" (available "
			 "there: %s)%s",
			 need->field, need->controller, at->path, *available ? available : "none",
			 threaded ? ", which is a threaded one (cgroup.type)" : "");
}

/* Explains why subtree_control took no controllers. */
static int fail_to_enable(struct error *err, int code, const struct level *at, const char *wanted)
{
	_cleanup_free_ char *why = NULL;
	const char *path = at->path;

	if (code == -EBUSY) {
		why = cgroup_pids_text(at->fd);
		return refuse_as(err, code,
				 "enable \"%s\" in cgroup.subtree_control of cgroup \"%s\": it has "
				 "processes of its own (%s), and the kernel passes controllers on "
				 "only from a cgroup without; move them to a cgroup below it",
				 wanted, path, why);
	}
	if (code == -EOPNOTSUPP) {
		why = cgroup_threads_text(at->rootfd, path);
		return refuse_as(err, code,
				 "enable \"%s\" in cgroup.subtree_control of cgroup \"%s\": %s",
				 wanted, path, why ? why : "see cgroup.type");
	}
	if (code == -EACCES || code == -EPERM)
		return fail(
			err, code,
			"enable \"%s\" in cgroup.subtree_control of cgroup \"%s\", which is not "
			"delegated to user %u",
			wanted, path, (unsigned)geteuid());
	return fail(err, code, "enable \"%s\" in cgroup.subtree_control of cgroup \"%s\"", wanted,
		    path);
}

/*
 * Whether the cgroup has processes of its own and is not the root of the hierarchy, which may. The
 * kernel would take controllers that work on threads all the same, and make the cgroup a threaded
 * one, below which no container can be.
 */
static bool holds_processes(int cgroupfd)
{
	_cleanup_free_ char *list = NULL;
	struct error unheard = ERROR_NONE;
	int r;

	if (faccessat(cgroupfd, "cgroup.type", F_OK, 0) < 0)
		return false;
	r = file_read_at(cgroupfd, "cgroup.procs", CGROUP_FILE_MAX, &list, NULL, &unheard);
	return r == -EFBIG || (r >= 0 && list[0] != '\0');
}

/* Passes the needed controllers on to the children of the cgroup, those that are not yet. */
static int enable_controllers(const struct level *at, const struct limit_needs *needs,
			      struct error *err)
{
	_cleanup_free_ char *enabled = NULL, *available = NULL, *what = NULL;
	_cleanup_buf_ struct buf wanted = BUF_EMPTY;
	int r = read_line(at->fd, at->path, "cgroup.subtree_control", &enabled, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < needs->count; i++) {
		const struct limit_need *need = &needs->items[i];

		if (word_listed(enabled, need->controller))
			continue;
		if (!available)
			r = read_line(at->fd, at->path, "cgroup.controllers", &available, err);
		if (r < 0)
			return r;
		if (!word_listed(available, need->controller))
			return fail_to_find(err, at, need, available);
		buf_printf(&wanted, "%s+%s", wanted.size ? " " : "", need->controller);
	}
	if (!wanted.size)
		return 0;
	what = xasprintf("cgroup.subtree_control of cgroup \"%s\"", at->path);
	r = holds_processes(at->fd) ? -EBUSY
				    : file_write_at(at->fd, "cgroup.subtree_control", wanted.data,
						    wanted.size, what, err);
	if (r >= 0)
		return 0;
	r = fail_to_enable(err, r, at, wanted.data);
	return within(err, r, "%s", needs->items[0].field);
}

int cgroup_enable(int rootfd, const char *path, const struct limit_needs *needs, struct error *err)
{
	unsigned all = needs->count ? cgroup_path_depth(path) : 0;
	int r = 0;

	for (unsigned depth = 0; r >= 0 && depth < all; depth++) {
		_cleanup_free_ char *parent = cgroup_path_prefix(path, depth);
		_cleanup_fd_ int fd =
			depth ? cgroup_open(rootfd, parent, err) : fd_dup(rootfd, err);

		const struct level at = {.rootfd = rootfd, .fd = fd, .path = parent};

		r = fd < 0 ? fd : enable_controllers(&at, needs, err);
	}
	return r;
}

/* An existing cgroup is good for a container only if nothing lives or waits there. */
static int check_unused(int cgroupfd, const char *path, struct error *err)
{
	_cleanup_free_ char *pids = NULL;
	struct cgroup_events events = {.populated = true};
	int r = cgroup_events_of(cgroupfd, &events);

	if (r < 0)
		return fail(err, r, "read cgroup.events of cgroup \"%s\"", path);
	if (events.frozen)
		return refuse_as(err, -EBUSY,
				 "linux.cgroupsPath: cgroup \"%s\" exists and is frozen", path);
	if (!events.populated)
		return 0;
	pids = cgroup_pids_text(cgroupfd);
	return refuse_as(err, -EBUSY,
			 "linux.cgroupsPath: cgroup \"%s\" exists and has processes (%s)", path,
			 pids);
}

/*
 * Makes one component, @name beneath @parentfd, and opens it. @path: up to here, @depth long.
 * -ENOENT: the parent is gone.
 */
static int make_component(int parentfd, const char *name, const char *path, unsigned depth,
			  struct made *made, struct error *err)
{
	int fd;

	if (mkdirat(parentfd, name, 0755) == 0) {
		/* Of several walks, the outermost and the innermost count. */
		if (!made->depth || depth <= made->keep)
			made->keep = depth - 1;
		if (depth > made->depth)
			made->depth = depth;
	} else if (errno != EEXIST) {
		return fail_to_make(err, -errno, path);
	}
	fd = openat(parentfd, name, CGROUP_OPEN_FLAGS);
	return fd < 0 ? fail(err, -errno, "open cgroup \"%s\"", path) : fd;
}

/* Makes all components from the root down. Returns the innermost one's descriptor. */
static int walk(struct made *made, const struct limit_needs *needs, struct error *err)
{
	unsigned all = cgroup_path_depth(made->path);
	_cleanup_fd_ int at = fd_dup(made->rootfd, err);

	for (unsigned depth = 1; at >= 0 && depth <= all; depth++) {
		_cleanup_free_ char *parent = cgroup_path_prefix(made->path, depth - 1);
		_cleanup_free_ char *path = cgroup_path_prefix(made->path, depth);
		const char *name = strrchr(path, '/') + 1;
		const struct level level = {.rootfd = made->rootfd, .fd = at, .path = parent};
		int fd, r = needs->count ? enable_controllers(&level, needs, err) : 0;

		if (r < 0)
			return r;
		fd = make_component(at, name, path, depth, made, err);
		if (fd < 0)
			return fd;
		fd_close(at);
		at = fd;
	}
	return take_fd(&at);
}

/* Makes and opens the cgroup, whatever of its path exists; @made says what was made. */
static int make(struct made *made, const struct limit_needs *needs, struct error *err)
{
	int fd = -ENOENT;

	/* The usual case: no limits, and only the last component is missing. */
	if (!needs->count && mkdirat(made->rootfd, made->path + 1, 0755) == 0) {
		made->depth = cgroup_path_depth(made->path);
		made->keep = made->depth - 1;
		return cgroup_open(made->rootfd, made->path, err);
	}
	for (int i = 0; i < WALKS_MAX && (fd == -ENOENT || fd == -ENODEV); i++)
		fd = walk(made, needs, err);
	return fd;
}

int cgroup_make(int rootfd, const char *path, const struct spec_resources *resources,
		struct error *err)
{
	_cleanup_made_ struct made made = {.rootfd = rootfd, .path = path};
	_cleanup_settings_ struct settings settings = settings_of(resources);
	_cleanup_needs_ struct limit_needs needs = limits_need(&settings);
	_cleanup_fd_ int fd = -EBADF;
	int r = cgroup_path_check(path, err);

	if (r < 0)
		return r;
	fd = make(&made, &needs, err);
	if (fd < 0)
		return fd;
	r = made.depth == cgroup_path_depth(path) ? 0 : check_unused(fd, path, err);
	if (r >= 0)
		r = limits_write(fd, path, resources, &settings, err);
	if (r < 0)
		return r;
	made.depth = 0; /* the caller's by now */
	return take_fd(&fd);
}

int cgroup_remove_upwards(int rootfd, const char *path, unsigned depth, unsigned keep_depth,
			  struct error *err)
{
	for (; depth > keep_depth; depth--) {
		_cleanup_free_ char *prefix = cgroup_path_prefix(path, depth);

		if (unlinkat(rootfd, prefix + 1, AT_REMOVEDIR) == 0 || errno == ENOENT)
			continue;
		/* Somebody else uses it by now, and will remove it. */
		if (errno == EBUSY || errno == ENOTEMPTY)
			return 0;
		return fail(err, -errno, "remove cgroup \"%s\"", prefix);
	}
	return 0;
}
