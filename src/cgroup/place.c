/* SPDX-License-Identifier: Apache-2.0 */
/* Where cgroups are: the hierarchy's mount, and the container's place in it. */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "berth/base/alloc.h"
#include "berth/base/fd.h"
#include "berth/base/proc.h"
#include "berth/base/root.h"
#include "berth/base/str.h"
#include "berth/cgroup/cgroup.h"
#include "berth/cgroup/unit.h"

#include "cgroup-internal.h"

/* Bound for a whole path; longer ones could not be named to the kernel in one call. */
#define PATH_LENGTH_MAX 4000

const char *const cgroup_manager_names[CGROUP_MANAGER_MAX] = {
	[CGROUP_MANAGER_CGROUPFS] = "cgroupfs",
	[CGROUP_MANAGER_SYSTEMD] = "systemd",
	[CGROUP_MANAGER_DISABLED] = "disabled",
};

/* Opens @path if it is a cgroup2 file system; negative errno otherwise. */
static int open_cgroup2(const char *path)
{
	_cleanup_fd_ int fd = open(path, CGROUP_OPEN_FLAGS);
	struct statfs fs;

	if (fd < 0)
		return -errno;
	if (fstatfs(fd, &fs) < 0)
		return -errno;
	return fs.f_type == CGROUP2_SUPER_MAGIC ? take_fd(&fd) : -ENODEV;
}

/* Undoes, in place, the octal escapes that proc_pid_mountinfo(5) uses for blanks. */
static void unescape(char *text)
{
	char *to = text;

	for (const char *from = text; *from; from++) {
		if (from[0] == '\\' && from[1] >= '0' && from[1] <= '3' && from[2] >= '0' &&
		    from[2] <= '7' && from[3] >= '0' && from[3] <= '7') {
			*to++ = (char)((from[1] - '0') << 6 | (from[2] - '0') << 3 |
				       (from[3] - '0'));
			from += 3;
		} else {
			*to++ = *from;
		}
	}
	*to = '\0';
}

/* The mount point in a line of mountinfo if that is a cgroup2 mount, else NULL. Cuts @line. */
static char *cgroup2_mount_point(char *line)
{
	char *point = line;

	if (!strstr(line, " - cgroup2 "))
		return NULL;
	/* Fields: id, parent, device, root, mount point. */
	for (int i = 0; i < 4 && point; i++) {
		point = strchr(point, ' ');
		point = point ? point + 1 : NULL;
	}
	if (!point)
		return NULL;
	point[strcspn(point, " ")] = '\0';
	unescape(point);
	return point;
}

static void cleanup_file(FILE **file)
{
	if (*file)
		fclose(*file);
}

/* Looks for a cgroup2 mount that can be reached. Returns its descriptor, or -ENODEV. */
static int search_mounts(int procfd, struct error *err)
{
	__attribute__((cleanup(cleanup_file))) FILE *mounts = NULL;
	_cleanup_fd_ int fd = proc_open_self(procfd, "mountinfo", O_RDONLY, err);
	_cleanup_free_ char *line = NULL;
	size_t room = 0;

	if (fd < 0)
		return fd;
	mounts = fdopen(fd, "re");
	if (!mounts)
		return fail(err, -errno, "read \"/proc/self/mountinfo\"");
	ignore(take_fd(&fd)); /* the stream's by now */
	while (getline(&line, &room, mounts) >= 0) {
		const char *point = cgroup2_mount_point(line);
		int found = point ? open_cgroup2(point) : -ENODEV;

		if (found >= 0)
			return found;
	}
	return refuse_as(err, -ENODEV, "no cgroup v2 file system is mounted");
}

int cgroup_open_root(int procfd, struct error *err)
{
	static const char *const usual[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};

	for (size_t i = 0; i < ARRAY_SIZE(usual); i++) {
		int fd = open_cgroup2(usual[i]);

		if (fd >= 0)
			return fd;
	}
	return search_mounts(procfd, err);
}

/* Adds the component to @to, or refuses it. "." and nothing are passed over. */
static int add_component(struct buf *to, const char *name, size_t length, struct error *err)
{
	if (!length || (length == 1 && name[0] == '.'))
		return 0;
	if (length == 2 && name[0] == '.' && name[1] == '.')
		return refuse(err, "\"..\" is not allowed");
	if (length > CGROUP_NAME_LENGTH_MAX)
		return refuse(err, "a component is longer than %d bytes", CGROUP_NAME_LENGTH_MAX);
	if (memchr(name, '\n', length))
		return refuse(err, "the kernel allows no line break in a cgroup's name");
	buf_add_char(to, '/');
	buf_add(to, name, length);
	return 0;
}

/* Brings @path into berth's form: absolute, without "." and double slashes. */
static int normalize(const char *path, char **ret, struct error *err)
{
	_cleanup_buf_ struct buf clean = BUF_EMPTY;

	for (const char *at = path; *at;) {
		size_t length = strcspn(at, "/");
		int r = add_component(&clean, at, length, err);

		if (r < 0)
			return r;
		at += length;
		at += strspn(at, "/");
	}
	if (!clean.size)
		return refuse(err, "the root of the hierarchy is no place for a container");
	if (clean.size > PATH_LENGTH_MAX)
		return refuse(err, "longer than %d bytes", PATH_LENGTH_MAX);
	*ret = buf_take(&clean);
	return 0;
}

int cgroup_path_of(const char *cgroups_path, const char *id, char **ret_path, struct error *err)
{
	int r;

	if (!cgroups_path || !*cgroups_path) {
		*ret_path = xasprintf("/berth-%s", id);
		return 0;
	}
	if (unit_is_named(cgroups_path))
		return refuse(err,
			      "linux.cgroupsPath: \"%s\" is the form of the systemd driver; the "
			      "cgroupfs driver takes a path",
			      cgroups_path);
	r = normalize(cgroups_path, ret_path, err);
	return r < 0 ? within(err, r, "linux.cgroupsPath: \"%s\"", cgroups_path) : 0;
}

int cgroup_path_check(const char *path, struct error *err)
{
	_cleanup_free_ char *clean = NULL;
	int r = normalize(path, &clean, err);

	/* What normalize() made is there wherever it succeeded. */
	if (r >= 0 && (!clean || !str_equal(clean, path)))
		r = refuse(err, "not in its simplest form");
	return r < 0 ? within(err, r, "cgroup \"%s\"", path) : 0;
}

unsigned cgroup_path_depth(const char *path)
{
	unsigned depth = 0;

	for (; *path; path++)
		depth += *path == '/';
	return depth;
}

char *cgroup_path_prefix(const char *path, unsigned depth)
{
	const char *end = path;

	if (!depth)
		return xstrdup("/");
	for (unsigned i = 0; i < depth && *end; i++)
		end += 1 + strcspn(end + 1, "/");
	return xstrndup(path, (size_t)(end - path));
}

int cgroup_existing_depth(int rootfd, const char *path, unsigned *ret, struct error *err)
{
	unsigned depth = 0;
	int r = cgroup_path_check(path, err);

	if (r < 0)
		return r;
	for (unsigned all = cgroup_path_depth(path); depth < all; depth++) {
		_cleanup_free_ char *prefix = cgroup_path_prefix(path, depth + 1);
		_cleanup_fd_ int fd =
			root_try_open(rootfd, prefix, ROOT_NO_XDEV, O_PATH | O_DIRECTORY);

		if (fd == -ENOENT)
			break;
		if (fd < 0)
			return fail(err, fd, "open cgroup \"%s\"", prefix);
	}
	*ret = depth;
	return 0;
}

int cgroup_open(int rootfd, const char *path, struct error *err)
{
	int fd, r = cgroup_path_check(path, err);

	if (r < 0)
		return r;
	fd = root_try_open(rootfd, path, ROOT_NO_XDEV, CGROUP_OPEN_FLAGS);
	return fd < 0 ? fail(err, fd, "open cgroup \"%s\"", path) : fd;
}
