/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Groups of the resctrl file system: the kernel's Documentation/filesystems/resctrl.rst, and
 * config-linux.md, "IntelRdt".
 *
 * Theory of operation. A directory is a class of service; its file "schemata" has a line for each
 * resource, "L3:0=ff;1=ff", its file "tasks" the processes. The processors have few classes, so
 * one that is named (closID) is shared and stays; one that has the container's id is the
 * container's. "mon_groups" of each class has groups that count alone. Children inherit both.
 */
#include "berth/linux/resctrl.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "berth/base/alloc.h"
#include "berth/base/fd.h"
#include "berth/base/str.h"

#define RESCTRL_PATH	 "/sys/fs/resctrl"
#define RESCTRL_FILE_MAX 65536

void resctrl_done(struct resctrl *resctrl)
{
	resctrl->rootfd = fd_close(resctrl->rootfd);
	resctrl->groupfd = fd_close(resctrl->groupfd);
}

/* The group's name; of the container's own one it is the id. */
static const char *group_of(const struct resctrl *resctrl)
{
	const char *named = resctrl->spec->clos_id;

	return named ? named : resctrl->id;
}

/* As a path from the root of the file system. */
static const char *path_of(const char *group)
{
	return str_equal(group, "/") ? "." : group;
}

static bool asks_for_lines(const struct spec_intel_rdt *spec)
{
	return spec->l3_cache || spec->memory_bandwidth || (spec->schemata && spec->schemata[0]);
}

int resctrl_find(const struct spec_intel_rdt *spec, const char *id, struct resctrl *ret,
		 struct error *err)
{
	_cleanup_fd_ int fd = -EBADF;
	struct statfs fs;

	*ret = (struct resctrl){.spec = spec, .id = id, .rootfd = -EBADF, .groupfd = -EBADF};
	if (!spec)
		return 0;
	fd = open(RESCTRL_PATH, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstatfs(fd, &fs) < 0 || fs.f_type != RDTGROUP_SUPER_MAGIC)
		return refuse_as(err, -ENODEV,
				 "linux.intelRdt: no resctrl file system is mounted at "
				 "\"" RESCTRL_PATH "\" (mount -t resctrl resctrl " RESCTRL_PATH
				 "; only some processors have it)");
	ret->rootfd = take_fd(&fd);
	return 0;
}

int resctrl_plan(const struct resctrl *resctrl, struct resctrl_made *ret, struct error *err)
{
	const struct spec_intel_rdt *spec = resctrl->spec;

	*ret = (struct resctrl_made){.group = NULL};
	if (!spec)
		return 0;
	if (!spec->clos_id && faccessat(resctrl->rootfd, resctrl->id, F_OK, 0) == 0)
		return refuse_as(err, -EEXIST,
				 "linux.intelRdt: a resctrl group \"%s\" exists already, and no "
				 "closID says that it is to be used",
				 resctrl->id);
	*ret = (struct resctrl_made){
		.group = group_of(resctrl),
		.group_is_ours = !spec->clos_id,
		.monitor_is_ours = spec->monitoring,
	};
	return 0;
}

/* What the kernel has to say about the last failure, in brackets; the caller's. */
static char *last_status(int rootfd)
{
	_cleanup_free_ char *text = NULL;
	struct error unheard = ERROR_NONE;

	if (file_read_at(rootfd, "info/last_cmd_status", RESCTRL_FILE_MAX, &text, NULL, &unheard) <
	    0)
		return xstrdup("");
	text[strcspn(text, "\n")] = '\0';
	return str_equal(text, "ok") || !*text ? xstrdup("") : xasprintf(" (%s)", text);
}

static int write_line(const struct resctrl *resctrl, const char *field, const char *line,
		      struct error *err)
{
	_cleanup_free_ char *text = xasprintf("%s\n", line), *status = NULL;
	struct error plain = ERROR_NONE;
	int r = file_write_at(resctrl->groupfd, "schemata", text, strlen(text), "schemata", &plain);

	if (r >= 0)
		return 0;
	status = last_status(resctrl->rootfd);
	return fail(err, r, "linux.intelRdt.%s: write \"%s\" to \"" RESCTRL_PATH "/%s/schemata\"%s",
		    field, line, path_of(group_of(resctrl)), status);
}

/* Where a value begins, and its length: "0ff" and "ff" are the same, and so are " 20" and "20". */
static const char *value_at(const char *text, size_t *ret_length)
{
	text += strspn(text, " 0");
	*ret_length = strcspn(text, ";\n");
	return text;
}

/* Whether @list ("0=ff;1=ff") has the @size bytes of @id with the value at @value. */
static bool has_value(const char *list, const char *id, size_t size, const char *value)
{
	size_t wanted_length, length;
	const char *wanted = value_at(value, &wanted_length);

	for (;; list++) {
		if (strncmp(list, id, size) == 0 && list[size] == '=') {
			const char *found = value_at(list + size + 1, &length);

			return length == wanted_length && strncasecmp(found, wanted, length) == 0;
		}
		list += strcspn(list, ";\n");
		if (*list != ';')
			return false;
	}
}

/* The values of the resource that @line is about, in the text of schemata; NULL: it has none. */
static const char *values_of(const char *schemata, const char *line)
{
	const size_t size = strcspn(line, ":") + 1;

	for (const char *at = schemata; *at;) {
		at += strspn(at, " \t");
		if (strncmp(at, line, size) == 0)
			return at + size;
		at += strcspn(at, "\n");
		at += strspn(at, "\n");
	}
	return NULL;
}

static bool line_holds(const char *schemata, const char *line)
{
	const char *values = values_of(schemata, line);

	for (const char *at = strchr(line, ':'); values && at && *at;) {
		const size_t size = strcspn(++at, "=;");

		if (at[size] != '=' || !has_value(values, at, size, at + size + 1))
			return false;
		at += strcspn(at, ";");
	}
	return values != NULL;
}

/* The specification: an existing class must have what the two fields say. */
static int compare(const struct resctrl *resctrl, const char *field, const char *line,
		   struct error *err)
{
	_cleanup_free_ char *text = NULL;
	int r;

	if (!line)
		return 0;
	r = file_read_at(resctrl->groupfd, "schemata", RESCTRL_FILE_MAX, &text, NULL, err);
	if (r < 0)
		return within(err, r, "linux.intelRdt: resctrl group \"%s\"", group_of(resctrl));
	if (!line_holds(text, line))
		return refuse(err,
			      "linux.intelRdt.%s: resctrl group \"%s\" exists, and is not \"%s\"",
			      field, group_of(resctrl), line);
	return 0;
}

static int write_schemata(const struct resctrl *resctrl, const char *const *lines,
			  struct error *err)
{
	char field[32];
	int r = 0;

	for (size_t i = 0; r >= 0 && lines && lines[i]; i++) {
		snprintf(field, sizeof(field), "schemata[%zu]", i);
		r = write_line(resctrl, field, lines[i], err);
	}
	return r;
}

int resctrl_update(const struct resctrl *resctrl, const struct spec_intel_rdt *lines,
		   struct error *err)
{
	int r = 0;

	if (lines->l3_cache)
		r = write_line(resctrl, "l3CacheSchema", lines->l3_cache, err);
	if (r >= 0 && lines->memory_bandwidth)
		r = write_line(resctrl, "memBwSchema", lines->memory_bandwidth, err);
	return r < 0 ? r : write_schemata(resctrl, lines->schemata, err);
}

static int fill_existing(const struct resctrl *resctrl, struct error *err)
{
	const struct spec_intel_rdt *spec = resctrl->spec;
	int r = compare(resctrl, "l3CacheSchema", spec->l3_cache, err);

	if (r >= 0)
		r = compare(resctrl, "memBwSchema", spec->memory_bandwidth, err);
	return r < 0 ? r : write_schemata(resctrl, spec->schemata, err);
}

/* mkdir(2) of a group: ENOSPC is what everybody will meet. */
static int fail_to_make(const struct resctrl *resctrl, int code, const char *what,
			struct error *err)
{
	_cleanup_free_ char *status = last_status(resctrl->rootfd);

	if (code == -ENOSPC)
		return refuse_as(err, code,
				 "linux.intelRdt: make %s: the processors have no more%s", what,
				 status);
	return fail(err, code, "linux.intelRdt: make %s%s", what, status);
}

static int make_monitor(const struct resctrl *resctrl, struct resctrl_made *made, struct error *err)
{
	_cleanup_free_ char *path = xasprintf("mon_groups/%s", resctrl->id);
	_cleanup_free_ char *what = NULL;

	if (!resctrl->spec->monitoring || mkdirat(resctrl->groupfd, path, 0755) == 0)
		return 0;
	made->monitor_is_ours = false;
	what = xasprintf("the monitoring group \"%s\" of \"%s\"", resctrl->id, group_of(resctrl));
	return fail_to_make(resctrl, -errno, what, err);
}

int resctrl_open(struct resctrl *resctrl, struct error *err)
{
	if (!resctrl->spec)
		return 0;
	resctrl->groupfd = openat(resctrl->rootfd, path_of(group_of(resctrl)),
				  O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (resctrl->groupfd < 0)
		return fail(err, -errno, "linux.intelRdt%s: open resctrl group \"%s\"",
			    resctrl->spec->clos_id ? ".closID" : "", group_of(resctrl));
	return 0;
}

/* Makes the directory where the specification wants that. 1: it is new. */
static int make_group(const struct resctrl *resctrl, struct resctrl_made *made, struct error *err)
{
	const struct spec_intel_rdt *spec = resctrl->spec;
	_cleanup_free_ char *what = NULL;

	if (spec->clos_id && !asks_for_lines(spec))
		return 0;
	if (!str_equal(group_of(resctrl), "/") &&
	    mkdirat(resctrl->rootfd, group_of(resctrl), 0755) == 0)
		return 1;
	if (spec->clos_id && (errno == EEXIST || str_equal(spec->clos_id, "/")))
		return 0;
	made->group_is_ours = false;
	what = xasprintf("resctrl group \"%s\"", group_of(resctrl));
	return fail_to_make(resctrl, -errno, what, err);
}

/* A class that could not be filled is of no use to anybody, named or not. */
static int fill_new(struct resctrl *resctrl, struct resctrl_made *made, struct error *err)
{
	int r = resctrl_update(resctrl, resctrl->spec, err);

	if (r < 0 && unlinkat(resctrl->rootfd, group_of(resctrl), AT_REMOVEDIR) == 0)
		made->group_is_ours = made->monitor_is_ours = false;
	return r;
}

int resctrl_make(struct resctrl *resctrl, struct resctrl_made *made, struct error *err)
{
	int r, is_new;

	if (!resctrl->spec)
		return 0;
	is_new = make_group(resctrl, made, err);
	r = is_new < 0 ? is_new : resctrl_open(resctrl, err);
	if (r < 0) {
		made->monitor_is_ours = false;
		return r;
	}
	r = is_new ? fill_new(resctrl, made, err) : fill_existing(resctrl, err);
	if (r < 0) {
		made->monitor_is_ours = false;
		return r;
	}
	return make_monitor(resctrl, made, err);
}

static int write_task(const struct resctrl *resctrl, const char *file, pid_t pid, struct error *err)
{
	_cleanup_free_ char *status = NULL;
	struct error plain = ERROR_NONE;
	char text[16];
	int size = snprintf(text, sizeof(text), "%d", pid);
	int r = file_write_at(resctrl->groupfd, file, text, (size_t)size, file, &plain);

	if (r >= 0)
		return 0;
	status = last_status(resctrl->rootfd);
	return fail(err, r, "linux.intelRdt: write %d to \"" RESCTRL_PATH "/%s/%s\"%s", pid,
		    path_of(group_of(resctrl)), file, status);
}

int resctrl_assign(const struct resctrl *resctrl, pid_t pid, struct error *err)
{
	_cleanup_free_ char *monitor = NULL;
	int r = resctrl->spec ? write_task(resctrl, "tasks", pid, err) : 0;

	/* The class comes first: it takes a process out of the monitoring groups of others. */
	if (r < 0 || !resctrl->spec || !resctrl->spec->monitoring)
		return r;
	monitor = xasprintf("mon_groups/%s/tasks", resctrl->id);
	return write_task(resctrl, monitor, pid, err);
}

static int remove_one(int rootfd, const char *path, struct error *err)
{
	if (unlinkat(rootfd, path, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	return fail(err, -errno, "remove \"" RESCTRL_PATH "/%s\"", path);
}

int resctrl_remove(int rootfd, const struct resctrl_made *made, const char *id, struct error *err)
{
	_cleanup_free_ char *monitor = NULL;
	int r = 0;

	if (!made->group)
		return 0;
	/* What a record says is trusted with names only. */
	if (!str_equal(made->group, "/") && (strchr(made->group, '/') || made->group[0] == '.'))
		return refuse(err, "resctrl group \"%s\": not a name", made->group);
	monitor = xasprintf("%s/mon_groups/%s", path_of(made->group), id);
	if (made->monitor_is_ours)
		r = remove_one(rootfd, monitor, err);
	return r >= 0 && made->group_is_ours ? remove_one(rootfd, id, err) : r;
}
